"""Real people at desks (head-worn): what they did is told, and the rule of 30 deg for 30 s fires when it should.

classyglass recordings of people whose glasses sat the same throughout. Run with -s to see the figures.
"""

import json
from collections import defaultdict

import numpy as np
import pytest

from tiltwise.detect.posture import RuleSettings
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.tracker import TrackerSettings, track
from tiltwise.types import ACTIVITIES, Activity, EpisodeAlert, EpisodeEnded, ImuBlock, Mount

# Nobody wears the glasses in the first two thirds of it: they lie motionless, 80 deg from neutral.
ON_A_TABLE = "classyglass/1b_u27_08_standing"


@pytest.fixture(scope="module")
def tracked(shared_data):
    """name -> (index row, activity codes, events) of all non-suspect classyglass recordings."""
    folder = shared_data / "human"
    index = json.loads((folder / "index.json").read_text())
    results = {}
    for name, row in index.items():
        if not name.startswith("classyglass") or row["neutral_suspect"]:
            continue
        with np.load(folder / f"{name}.npz") as file:
            block = ImuBlock(*(file[key].astype(float) for key in ("t", "gyr", "acc")))
        mounting = mounting_from_up(np.array(row["neutral_up_sensor"]), mount=Mount.HEAD)
        updates = list(track(TrackerSettings(mounting, RuleSettings(30.0, seconds=30.0)), [block]))
        events = [event for update in updates for event in update.events]
        results[name] = row, updates[0].activity, events
    return results


def shares(tracked) -> dict[str, dict[str, float]]:
    seconds = defaultdict(lambda: np.zeros(len(ACTIVITIES)))
    for name, (row, codes, _) in tracked.items():
        if name != ON_A_TABLE:
            seconds[row["label"]] += np.bincount(codes, minlength=len(ACTIVITIES)) / row["fs_hz"]
    return {label: dict(zip(ACTIVITIES, s / s.sum(), strict=True)) for label, s in seconds.items()}


def test_walking_is_walking_and_desk_work_is_not(tracked):
    told = shares(tracked)
    for label, share in told.items():
        print(f"{label:28s}", {str(a): f"{100 * s:.1f} %" for a, s in share.items()})
    assert told["walking"][Activity.WALKING] > 0.9  # the first 4 s of each recording are needed to tell
    for label in (
        "reading_book",
        "writing_notebook",
        "computer_typing",
        "computer_browsing",
        "using_computer",
    ):
        assert told[label][Activity.WALKING] < 0.02
        assert told[label][Activity.STILL] > 0.7
    assert told["moving_head_body_seated"][Activity.MOVING] > 0.7


def test_people_are_not_lying_and_the_sensor_is_worn(tracked):
    for label, share in shares(tracked).items():
        assert share[Activity.LYING] == share[Activity.NOT_WORN] == 0.0, label


def test_glasses_on_a_table_are_noticed(tracked):
    _, codes, _ = tracked[ON_A_TABLE]
    assert np.any(codes == ACTIVITIES.index(Activity.NOT_WORN))


def test_every_reference_run_over_30_deg_for_30_s_is_found(tracked):
    literal, continued, missed = [], [], []
    for name, (row, _, events) in tracked.items():
        alerts = [e.t_s for e in events if isinstance(e, EpisodeAlert)]
        ended = [e for e in events if isinstance(e, EpisodeEnded) and e.alert_s is not None]
        for start_s, end_s in row["ref_runs_over_30deg_ge_30s"]:
            if any(start_s + 25 <= t <= start_s + 45 for t in alerts):
                literal.append(name)
            elif any(e.start_s < start_s and e.alert_s < end_s and e.end_s > start_s for e in ended):
                continued.append(
                    name
                )  # the reference is cut by a dip that hysteresis rides over: alerted earlier
            else:
                missed.append((name, start_s, end_s))
    total = len(literal) + len(continued) + len(missed)
    print(
        f"runs {total}: alarm 25-45 s after the start {len(literal)}, alarmed before in one episode {len(continued)}"
    )
    assert missed == []
    assert len(literal) >= len(continued)


@pytest.mark.parametrize(
    "label",
    [
        "standing",
        "walking",
        "moving_head_body_seated",
        "pick_up_from_floor_seated",
        "pick_up_from_floor_standing",
    ],
)
def test_no_false_alarm_where_nobody_holds_a_bent_neck(tracked, label):
    rows = {name: events for name, (row, _, events) in tracked.items() if row["label"] == label}
    assert rows
    assert [name for name, events in rows.items() if any(isinstance(e, EpisodeAlert) for e in events)] == []
