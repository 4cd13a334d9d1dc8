"""The simulated wearer does the routine; each guided set is counted exactly. Run with -s to see the figures."""

from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from detect.synthetic import COLUMNS
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.sim.body.wearer import Wearer
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import AngleBlock, Mount

SEEDS = range(2)
MINUTES = 9.0
MARGIN_S = 1.5  # what the coach leaves around a set
SET_GAP_S = 8.0  # a longer pause begins another set


def sets_of(reps, name):
    """The repetitions of one exercise, parted where the wearer did something else in between."""
    sets = []
    for rep in (r for r in reps if r.exercise == name):
        if sets and rep.start_s - sets[-1][-1].end_s < SET_GAP_S:
            sets[-1].append(rep)
        else:
            sets.append([rep])
    return sets


def angles_of(wearer: Wearer) -> AngleBlock:
    t = np.arange(0.0, wearer.duration_s, 0.02)
    q = wearer.q_sensor_from_body(5.0)
    mounting = Mounting(wearer.mount, tuple((q / np.sqrt(np.sum(q * q))).tolist()), "nod")
    return Tracker(TrackerSettings(mounting)).process(wearer.imu(t)).angles


@cache
def counted_sets(mount: Mount):
    """exercise -> list of (true repetitions, counted repetitions) for each set of each seed."""
    results = defaultdict(list)
    for seed in SEEDS:
        wearer = Wearer("exercises", seed=seed, mount=mount, minutes=MINUTES)
        angles, done = angles_of(wearer), wearer.truth().repetitions
        for name, exercise in EXERCISES.items():
            if not exercise.is_counted(mount):
                continue
            for true in sets_of(done, name):
                inside = (angles.t_s >= true[0].start_s - MARGIN_S) & (angles.t_s < true[-1].end_s + MARGIN_S)
                if true[-1].end_s + MARGIN_S > wearer.duration_s:
                    continue
                part = AngleBlock(*(getattr(angles, column)[inside] for column in COLUMNS))
                results[name].append((true, RepCounter(name, exercise.signal).process(part)))
    return results


@pytest.mark.parametrize("mount", [Mount.HEAD, Mount.NECK])
def test_guided_sets_are_counted_exactly(mount):
    results = counted_sets(mount)
    off_by_more, exact, total = [], 0, 0
    for name, sets in results.items():
        errors = [sum(not r.is_partial for r in counted) - len(true) for true, counted in sets]
        print(f"{mount} {name:22s} {len(sets)} sets of {len(sets[0][0])}: errors {errors}")
        if name == "chin_tuck":
            continue  # "approximate", below
        total += len(sets)
        exact += errors.count(0)
        off_by_more += [(name, e) for e in errors if abs(e) > 1]
    print(f"{mount}: {exact} of {total} sets exact")
    assert len(results) >= 7  # nine minutes end before the exercises done lying down
    assert exact / total >= 0.97
    assert len(off_by_more) <= 0.01 * total


@pytest.mark.parametrize("mount", [Mount.HEAD, Mount.NECK])
def test_sides_and_peaks_of_counted_repetitions_are_right(mount):
    for name in ("side_tilt", "head_down"):
        for true, counted in counted_sets(mount)[name]:
            assert [r.side for r in counted] == [r.side for r in true]
            peaks = np.array([[r.peak_deg, t.peak_deg] for r, t in zip(counted, true, strict=True)])
            # Skin moves under a neck sensor by up to 3 deg and the neutral follows the resting head.
            assert np.median(np.abs(peaks[:, 0] - peaks[:, 1])) < 3.0


def test_chin_tucks_on_the_head_are_counted_approximately():
    sets = counted_sets(Mount.HEAD)["chin_tuck"]
    counted = [sum(not r.is_partial for r in found) / len(true) for true, found in sets]
    assert np.mean(counted) == pytest.approx(1.0, abs=0.15)
