"""Every story runs, tells the truth about itself, and keeps its plot at any length."""

from itertools import pairwise

import numpy as np
import pytest

from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.rotation import rotate
from tiltwise.sim.body.scenario import SCENARIOS
from tiltwise.sim.body.wearer import Wearer
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ACTIVITIES, Activity, EpisodeAlert, Mount, PostureKind, Side

G_M_S2 = 9.80665


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_scenario_stays_within_what_a_body_can_do(name: str, seed: int) -> None:
    wearer = Wearer(name, seed=seed, minutes=max(2.0, SCENARIOS[name].least_minutes), mount=Mount.HEAD)
    true = wearer.motion(np.arange(0.0, wearer.duration_s, 1 / 26))
    assert np.all(np.isfinite(true.acc_m_s2))
    assert np.all(np.isfinite(true.gyr_rad_s))
    assert np.max(np.abs(np.linalg.norm(true.acc_m_s2, axis=1) - G_M_S2)) < 6.0
    assert np.max(np.linalg.norm(true.gyr_rad_s, axis=1)) < np.radians(320)
    worn = true.is_worn & (true.activity != ACTIVITIES.index(Activity.LYING))
    neck = true.neck_flexion_deg[worn]
    assert np.nanmin(neck) > -70
    assert np.nanmax(neck) < 65
    np.testing.assert_allclose(np.linalg.norm(true.q_earth_from_sensor, axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_spans_cover_the_story_without_holes(name: str) -> None:
    wearer = Wearer(name, seed=3)
    spans = wearer.truth().spans
    assert spans[0].start_s == 0.0
    assert spans[-1].end_s == wearer.duration_s
    for one, next_one in pairwise(spans):
        assert one.end_s == next_one.start_s > one.start_s


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_scenario_begins_with_the_ritual_unless_asked_not_to(name: str) -> None:
    first = Wearer(name, seed=2).truth().calibrations[0]
    assert first.neutral_start_s < 2.0
    assert first.nod_end_s < 15.0
    bare = Wearer(name, seed=2, is_calibrated=False).truth()
    assert not any(c.neutral_start_s < 15.0 for c in bare.calibrations)


@pytest.mark.parametrize("mount", list(Mount))
@pytest.mark.parametrize("seed", range(3))
def test_the_nods_of_the_ritual_reach_the_mount(mount: Mount, seed: int) -> None:
    wearer = Wearer(
        "upright", seed=seed, mount=mount, misalignment_deg=0, sensor_axes="body", soft_tissue=0.0
    )
    calibration = wearer.truth().calibrations[0]
    true = wearer.motion(np.arange(calibration.nod_start_s, calibration.nod_end_s, 1 / 104))
    gyr = true.gyr_rad_s
    power = np.sum(gyr**2, axis=0)
    assert power[1] > 0.95 * power.sum()  # about the left-right axis
    assert np.max(true.flexion_deg) > 8.0
    beyond_half = true.flexion_deg > 0.5 * np.max(true.flexion_deg)
    assert np.count_nonzero(np.diff(beyond_half.astype(int)) == 1) == 3


@pytest.mark.parametrize("mount", list(Mount))
@pytest.mark.parametrize("minutes", [4, 6, 45])
def test_the_demo_tells_its_story_at_any_length_and_mount(minutes: float, mount: Mount) -> None:
    wearer = Wearer("demo", seed=minutes, minutes=minutes, mount=mount)
    truth = wearer.truth()
    story = [span.doing for span in truth.spans]
    plot = ["calibrating", "nodding", "typing", "slumping", "sitting up", "drinking", "side_tilt", "phone"]
    plot += ["standing up", "walking", "sitting down", "taking off", "not worn"]
    position = 0
    for scene in plot:
        position = story.index(scene, position)
    assert story[-1] == "not worn"
    first = wearer.posture_runs(20.0, 60.0)[0]
    slump = next(span for span in truth.spans if span.doing == "slumping")
    assert slump.start_s < first.start_s < slump.start_s + 8
    assert abs(first.end_s - slump.end_s) < 3
    assert first.peak_deg > 30
    tilts = [rep for rep in truth.repetitions if rep.exercise == "side_tilt"][:10]
    assert [rep.side for rep in tilts] == [Side.RIGHT, Side.LEFT] * 5


def test_a_long_demo_takes_the_sensor_off_at_its_end() -> None:
    for seed in range(3):
        wearer = Wearer("demo", seed=seed, minutes=60)
        assert wearer.truth().removals[-1].end_s == wearer.duration_s
        assert 0 < wearer.duration_s - wearer.truth().removals[-1].start_s < 120


@pytest.mark.parametrize("seed", range(4))
def test_an_hour_at_the_desk_holds_everything(seed: int) -> None:
    story = {span.doing for span in Wearer("desk", seed=seed, minutes=60).truth().spans}
    assert story >= {
        "calibrating", "typing", "reading", "phone", "slumping", "drinking", "looking around",
        "phone on the shoulder", "shrugging", "side_tilt", "rotations", "standing up", "walking",
        "standing", "taking off", "not worn",
    }  # fmt: skip


def test_a_day_at_the_desk_is_mostly_sitting_and_holds_some_walking() -> None:
    spans = Wearer("desk", seed=1, minutes=480).truth().spans
    share = {a: sum(s.end_s - s.start_s for s in spans if s.activity is a) / 28800 for a in Activity}
    assert share[Activity.STILL] > 0.7
    assert 0.01 < share[Activity.WALKING] < 0.15
    assert 0.01 < share[Activity.NOT_WORN] < 0.2


@pytest.mark.parametrize("mount", [Mount.NECK, Mount.HEAD])
@pytest.mark.parametrize("seed", range(2))
def test_repetitions_are_where_the_angle_says(seed: int, mount: Mount) -> None:
    wearer = Wearer("exercises", seed=seed, mount=mount)
    share = wearer.person.neck_share if mount is Mount.NECK else 1.0
    reps = [r for r in wearer.truth().repetitions if r.exercise in ("side_tilt", "head_down", "rotations")]
    assert len(reps) >= 25
    for rep in reps:
        # 0.7 of the smallest range of motion here, less the fidgets of 3 deg
        assert rep.peak_deg > share * 0.7 * 30 - 3
        assert rep.start_s < rep.peak_s < rep.end_s
        t = np.array([rep.start_s, rep.peak_s, rep.end_s])
        true = wearer.motion(t)
        angle = {
            "flexion+": true.flexion_deg,
            "lateral+": true.lateral_deg,
            "lateral-": -true.lateral_deg,
        }.get(rep.direction)
        if angle is not None:
            assert angle[1] == pytest.approx(rep.peak_deg)
            assert abs(angle[0]) < 6
            assert abs(angle[2]) < 6


def test_the_whole_catalogue_is_in_the_exercises() -> None:
    truth = Wearer("exercises", seed=1).truth()
    names = {rep.exercise for rep in truth.repetitions} | {pir.exercise for pir in truth.relaxations}
    assert names >= {
        "side_tilt", "head_down", "singing_snake", "rotations", "ear_to_shoulder_hold", "chin_to_chest_hold",
        "clasped_no", "chin_tuck", "shoulder_raise_hold", "side_tilt_pir", "head_down_pir", "supine_head_lift",
    }  # fmt: skip
    assert len([rep for rep in truth.repetitions if rep.exercise == "singing_snake"]) == 3
    assert len([rep for rep in truth.repetitions if rep.exercise == "side_tilt"]) == 10


def test_a_head_lift_is_measured_from_the_pillow() -> None:
    lifts = [
        r
        for r in Wearer("exercises", mount=Mount.HEAD).truth().repetitions
        if r.exercise == "supine_head_lift"
    ]
    assert len(lifts) == 3
    for lift in lifts:
        assert 12 < lift.peak_deg < 30


def test_a_press_is_still_and_every_barrier_lies_further() -> None:
    wearer = Wearer("exercises", seed=3, mount=Mount.HEAD)
    for pir in wearer.truth().relaxations:
        assert len(pir.barriers_deg) == len(pir.presses_s) + 1 == 4
        assert np.all(np.diff(pir.barriers_deg) >= 2.0)
        for k, (start_s, end_s) in enumerate(pir.presses_s):
            true = wearer.motion(np.arange(start_s + 1, end_s - 1, 1 / 52))
            angle = np.abs(true.flexion_deg if pir.side is Side.NONE else true.lateral_deg)
            assert np.ptp(angle) < 3.0
            assert np.mean(angle) == pytest.approx(pir.barriers_deg[k], abs=4.0)


def test_shrugs_raise_the_collar_by_centimetres() -> None:
    wearer = Wearer("exercises", seed=3, mount=Mount.COLLAR)
    raises = [rep for rep in wearer.truth().repetitions if rep.direction == "rise+"]
    assert len(raises) == 5
    for rep in raises:
        assert 0.025 < rep.peak_rise_m < 0.05
        assert np.isnan(rep.peak_deg)


@pytest.mark.parametrize("seed", range(3))
def test_posture_runs_match_the_true_angle(seed: int) -> None:
    wearer = Wearer("slouch", seed=seed, minutes=8)
    runs = wearer.posture_runs(20.0, 60.0)
    slumps = [s for s in wearer.truth().spans if s.doing == "slumping" and s.end_s < wearer.duration_s]
    assert len(slumps) <= len(runs) <= len(slumps) + 1
    for run in runs:
        flexion = wearer.motion(np.arange(run.start_s + 0.05, run.end_s - 0.05, 0.05)).flexion_deg
        assert np.mean(flexion > 20.0) > 0.97
        assert run.peak_deg == pytest.approx(np.max(flexion), abs=0.2)
    assert not Wearer("upright", seed=seed).posture_runs(20.0, 60.0)


def test_reading_and_phone_bow_the_head_as_far_as_people_do() -> None:
    for name, low_deg, high_deg in (("reading", 25, 45), ("phone", 43, 62)):
        wearer = Wearer(name, seed=4)
        doing = next(s for s in wearer.truth().spans if s.doing == name and s.end_s - s.start_s > 20)
        head = wearer.motion(np.arange(doing.start_s + 3, doing.end_s - 1, 0.2)).head_inclination_deg
        assert low_deg < np.median(head) < high_deg


def test_remounting_turns_the_part_a_little_and_not_the_body() -> None:
    wearer = Wearer("remount", seed=3, remount_deg=8.0)
    removal = wearer.truth().removals[0]
    before, after = wearer.q_sensor_from_body(5.0), wearer.q_sensor_from_body(removal.end_s + 5)
    turn_deg = 2 * np.degrees(np.arccos(min(1.0, abs(float(np.sum(before * after))))))
    assert 1.0 < turn_deg < 8.0 * np.sqrt(3) + 0.5
    calibrations = wearer.truth().calibrations
    assert any(removal.end_s <= c.neutral_start_s < removal.end_s + 5 for c in calibrations)


def test_lying_turns_gravity_to_the_back() -> None:
    wearer = Wearer("lying", seed=1, mount=Mount.COLLAR, sensor_axes="body", misalignment_deg=0)
    flat = next(s for s in wearer.truth().spans if s.activity is Activity.LYING)
    acc = wearer.imu(np.arange(flat.start_s + 3, flat.end_s - 1, 0.5)).acc_m_s2
    assert np.all(acc[:, 0] > 9.0)  # the chest, x forward, points up


def test_too_short_a_story_is_refused_with_the_least_length() -> None:
    with pytest.raises(ValueError, match="demo needs at least 4 minutes, got 3"):
        Wearer("demo", minutes=3)


@pytest.mark.parametrize(
    ("mount", "seed", "kinds"),
    [
        (Mount.HEAD, 1, [PostureKind.TELEPHONE_TILT, PostureKind.HEAD_THROWN_BACK, PostureKind.HEAD_PROPPED]),
        (Mount.NECK, 2, [PostureKind.TELEPHONE_TILT, PostureKind.HEAD_THROWN_BACK]),
    ],
)
def test_the_habits_are_held_until_each_has_its_alert(
    mount: Mount, seed: int, kinds: list[PostureKind]
) -> None:
    """A neck turns by half as much as the head: it shows less, and of a propped head nothing."""
    wearer = Wearer("habits", seed=seed, mount=mount)
    t_s = np.arange(0.0, wearer.duration_s, 1 / 50)
    q = wearer.q_sensor_from_body(5.0)
    up, left = rotate(q, np.array([0.0, 0.0, 1.0])), rotate(q, np.array([0.0, 1.0, 0.0]))
    mounting = mounting_from_axes(up, left, mount=mount, axes="nod")
    update = Tracker(TrackerSettings(mounting, has_habits=True)).process(wearer.imu(t_s))
    told = [event.kind for event in update.events if isinstance(event, EpisodeAlert)]
    assert told[: len(kinds)] == kinds
