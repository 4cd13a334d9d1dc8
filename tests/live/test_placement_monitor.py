"""A sensor that slips, drifts or is put on differently is noticed once; ordinary days pass without a word."""

from itertools import pairwise

import numpy as np
import pytest

from tiltwise.live.wearer.placement_monitor import RIGHT, PlacementChange, PlacementMonitor
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.rotation import rotate
from tiltwise.sim.body.wearer import Wearer
from tiltwise.tracker import Tracker, TrackerSettings, part_of
from tiltwise.types import ACTIVITIES, Activity, AngleBlock, ImuBlock, Mount

RATE_HZ = 25.0
STILL, WALKING, NOT_WORN = (
    ACTIVITIES.index(a) for a in (Activity.STILL, Activity.WALKING, Activity.NOT_WORN)
)


def day(
    walks_deg: list[float], *, walk_s: float = 30.0, sit_s: float = 60.0
) -> tuple[AngleBlock, np.ndarray]:
    """Walks that lean by so much on average, with bobbing, and sitting at 20 deg between them."""
    flexion, codes = [], []
    for lean in walks_deg:
        t = np.arange(0, walk_s, 1 / RATE_HZ)
        flexion += [np.full(round(sit_s * RATE_HZ), 20.0), lean + 3 * np.sin(2 * np.pi * 1.9 * t)]
        codes += [np.full(round(sit_s * RATE_HZ), STILL), np.full(len(t), WALKING)]
    flexion.append(np.full(50, 20.0))
    codes.append(np.full(50, STILL))
    return angles(np.concatenate(flexion)), np.concatenate(codes).astype(np.int8)


def angles(flexion_deg: np.ndarray) -> AngleBlock:
    n = len(flexion_deg)
    zero = np.zeros(n)
    return AngleBlock(
        np.arange(n) / RATE_HZ, np.abs(flexion_deg), flexion_deg, zero, zero, zero + 1.0, zero, zero
    )


def cut(block: AngleBlock, first: int, last: int) -> AngleBlock:
    names = ("t_s", "inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg")
    more = ("rate_deg_s", "up_acc_m_s2", "acc_norm_m_s2")
    return AngleBlock(*(getattr(block, name)[first:last] for name in (*names, *more)))


def notices(block: AngleBlock, codes: np.ndarray, *, is_put_on: bool = False) -> list[PlacementChange]:
    return PlacementMonitor(is_put_on=is_put_on).process(block, codes)


def test_a_lasting_change_between_walks_is_one_slip() -> None:
    found = notices(*day([2, 4, 3, 17, 18, 16, 17, 18]))
    assert [n.kind for n in found] == ["slip"]
    assert found[0].change_deg == pytest.approx(14.5, abs=1.0)  # 17.5 after, 3 before
    assert "seems to have slipped by" in found[0].text
    assert "calibrate again" in found[0].text
    assert 5 * 90 - 5 < found[0].t_s < 5 * 90 + 5  # after the second walk that differs


def test_a_slip_that_is_put_right_is_told() -> None:
    found = notices(*day([2, 3, 2, 16, 17, 16, 1, 2, 2]))
    assert [n.kind for n in found] == ["slip", RIGHT]
    assert found[1].text == "the sensor reads upright as before: alerts are given again"


def test_who_put_it_on_differently_and_puts_it_right_is_told() -> None:
    block, codes = put_on(22.0)
    more = angles(np.full(250, 6.0))
    watch = PlacementMonitor()
    found = watch.process(block, codes)
    more.t_s[:] += block.t_s[-1] + 1 / RATE_HZ
    found += watch.process(more, np.full(250, STILL, dtype=np.int8))
    assert [n.kind for n in found] == ["put on", RIGHT]


def test_slow_drift_is_told_once() -> None:
    found = notices(*day([1, 2, 4, 5, 7, 9, 11, 11, 11, 11]))
    assert [n.kind for n in found] == ["drift"]
    assert "walking upright reads" in found[0].text


@pytest.mark.parametrize("walks", [[2, 4, 3, 5, 1, 4, 6, 2], [2, 4, 30, 3, 4, 2], [2, 25], []])
def test_ordinary_variation_and_one_odd_walk_are_nothing(walks: list[float]) -> None:
    assert notices(*day(walks)) == []


def test_a_few_steps_are_no_reference() -> None:
    assert notices(*day([2, 3, 2, 30, 30, 30], walk_s=6.0)) == []


def test_a_long_walk_shows_a_slip_in_it() -> None:
    t = np.arange(0, 900, 1 / RATE_HZ)
    lean = np.where(t < 450, 2.0, 18.0) + 3 * np.sin(2 * np.pi * 1.9 * t)
    found = notices(angles(lean), np.full(len(t), WALKING, dtype=np.int8))
    assert [n.kind for n in found] == ["slip"]


def put_on(neutral_deg: float) -> tuple[AngleBlock, np.ndarray]:
    """Worn, off for a minute, then sitting with the best posture reading so much, sometimes lower."""
    parts = [np.full(1500, 3.0), np.full(1500, 80.0), neutral_deg + 5 * (np.arange(3000) % 500 < 250)]
    codes = np.repeat([STILL, NOT_WORN, STILL], [1500, 1500, 3000]).astype(np.int8)
    return angles(np.concatenate(parts)), codes


def test_put_on_differently_is_told_after_a_minute_without_an_upright_moment() -> None:
    found = notices(*put_on(22.0))
    assert [n.kind for n in found] == ["put on"]
    assert found[0].change_deg == pytest.approx(22.0, abs=0.5)
    assert found[0].t_s == pytest.approx(180.0, abs=2.0)  # 120 s, and 60 s of being worn


def test_put_on_as_before_is_nothing() -> None:
    assert notices(*put_on(8.0)) == []


def test_a_stored_calibration_is_checked_at_the_start() -> None:
    block, codes = angles(np.full(2500, 24.0)), np.full(2500, STILL, dtype=np.int8)
    assert [n.kind for n in notices(block, codes, is_put_on=True)] == ["put on"]
    assert notices(block, codes) == []


@pytest.mark.parametrize("inclination_deg", [85.0, 95.0, 178.0])
def test_a_sensor_put_on_sideways_or_upside_down_is_told_within_a_minute(inclination_deg: float) -> None:
    """So steep no side tilt is known, and upside down not even forward: an unknown angle told nothing before."""
    block = angles(np.full(2000, inclination_deg))
    block.lateral_deg[:] = np.nan
    if inclination_deg > 170.0:
        block.flexion_deg[:] = np.nan
    (found,) = notices(block, np.full(2000, STILL, np.int8), is_put_on=True)
    assert (found.kind, round(found.change_deg)) == ("put on", inclination_deg)
    assert 60.0 <= found.t_s < 61.0
    assert f"has not read upright once (nearest {inclination_deg:.0f} deg)" in found.text


def test_missing_angles_and_gaps_are_survived() -> None:
    block, codes = day([2, 4, 3, 17, 18, 16])
    for unknown in (block.flexion_deg, block.inclination_deg):
        unknown[200:300] = np.nan
    block.t_s[1000:] += 500.0
    assert [n.kind for n in notices(block, codes)] == ["slip"]


def test_cuts_do_not_matter() -> None:
    block, codes = day([2, 4, 3, 17, 18, 16, 1, 2, 3])
    rng = np.random.default_rng(4)
    edges = sorted({0, len(codes), *rng.integers(0, len(codes), 300).tolist()})
    watch = PlacementMonitor()
    parts = [n for a, b in pairwise(edges) for n in watch.process(cut(block, a, b), codes[a:b])]
    assert parts == notices(block, codes)
    assert parts


def remounted(remount_deg: float, seed: int) -> list[PlacementChange]:
    """Run the scenario `remount` with the calibration that was true before the sensor was taken off."""
    wearer = Wearer("remount", seed=seed, minutes=6.0, mount=Mount.HEAD, remount_deg=remount_deg)
    q = wearer.q_sensor_from_body(5.0)
    up, left = rotate(q, np.array([0.0, 0.0, 1.0])), rotate(q, np.array([0.0, 1.0, 0.0]))
    tracker = Tracker(TrackerSettings(mounting_from_axes(up, left, mount=Mount.HEAD, axes="nod")))
    rng = np.random.default_rng(seed)
    t_s = np.arange(0, wearer.duration_s, 1 / 50.0)
    ideal = wearer.imu(t_s)
    noisy = ImuBlock(
        t_s,
        ideal.gyr_rad_s + rng.normal(scale=7e-4, size=(len(t_s), 3)),
        ideal.acc_m_s2 + rng.normal(scale=0.008, size=(len(t_s), 3)),
    )
    watch, found = PlacementMonitor(), []
    for k in range(0, len(t_s), 500):
        update = tracker.process(part_of(noisy, slice(k, k + 500)))
        found += watch.process(update.angles, update.activity)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_scenario_remount_put_back_nearly_the_same_is_nothing(seed: int) -> None:
    assert remounted(2.0, seed) == []


def test_the_scenario_remount_put_back_differently_is_noticed() -> None:
    """Up to 40 deg on each axis; only people whose part really came to tilt by 20 deg or more have to be told."""
    told = {seed: remounted(40.0, seed) for seed in (1, 2, 3, 4)}
    tilted = {}
    for seed in told:
        wearer = Wearer("remount", seed=seed, minutes=6.0, mount=Mount.HEAD, remount_deg=40.0)
        removal = wearer.truth().removals[0]
        up = np.array([0.0, 0.0, 1.0])
        before = rotate(wearer.q_sensor_from_body(5.0), up)
        after = rotate(wearer.q_sensor_from_body(min(removal.end_s + 5, wearer.duration_s)), up)
        tilted[seed] = float(np.degrees(np.arccos(np.clip(before @ after, -1, 1))))
    far = [seed for seed, degrees in tilted.items() if degrees > 20]
    assert far
    assert all([n.kind for n in told[seed]][:1] == ["put on"] for seed in far), (told, tilted)


@pytest.mark.parametrize("lean", [-18.0, 32.0])
def test_a_neutral_that_was_taken_bent_is_told_after_the_second_walk_and_once(lean: float) -> None:
    """Who slouched by 18 deg for the neutral walks upright at -18."""
    found = notices(*day([lean, lean, lean, lean]))
    assert [n.kind for n in found] == ["neutral"]
    assert found[0].change_deg == pytest.approx(abs(lean), abs=1.0)
    assert found[0].t_s == pytest.approx(180, abs=5)
    assert "it was taken bent, or is stale" in found[0].text


@pytest.mark.parametrize("lean", [-8.0, 18.0])
def test_walking_a_little_up_or_down_says_nothing_about_the_neutral(lean: float) -> None:
    assert notices(*day([lean, lean, lean])) == []
