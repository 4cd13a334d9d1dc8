"""`tiltwise bench calibration`: how much a remounted sensor changes a day, and which wrong rituals are refused.

Simulated people put the part on turned by up to 30 deg on each axis (beyond which way its chip lies) and do the
ritual, rightly or wrongly, with and without the host knowing which way the case faces
(motion/calibration/case_axes.py). Ideal IMU at 50 Hz, the host's orientation and ritual; degrees and seconds.
Prints nothing; returns rows for tiltwise_lab/registry.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.alignment import CalibrationError
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, GuidedCalibration, find_ritual
from tiltwise.motion.calibration.mounting import Mounting, remount_change_deg
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.motion.rotation import angle_between_deg, rotate
from tiltwise.sim.body import movements as mv
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Plan, Scenario
from tiltwise.sim.body.sensor_handling import calibration_tilt, nod, quiet
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import ImuBlock, Mount, OrientationBlock
from tiltwise_lab.bench.accuracy.simulated_wearers import motion_at, true_mounting

RATE_HZ = 50.0
REMOUNT_DEG = 30.0
CAREFUL_DEG = 12.0  # how crooked a case is worn by somebody who minds
DAY_MINUTES = 20.0
_RITUAL_MINUTES = 1.2  # time for each timeout of the ritual
_CHUNK = 4096
_PIECE = 600  # 12 s: most rituals are over after one


@dataclass(frozen=True, slots=True)
class DayRow:
    """One remounted day. `up_deg` and `forward_deg` are the two parts of the mounting's error.

    p50_deg is the day's median flexion while worn, with the true mounting; p50_change_deg what the ritual's mounting
    makes of it. A refused ritual has its reason, and NaN.
    """

    mount: Mount
    seed: int
    refused: str
    quality: float
    mounting_error_deg: float
    up_deg: float
    forward_deg: float
    p50_deg: float
    p50_change_deg: float


@dataclass(frozen=True, slots=True)
class GuidedCalibrationRow:
    """One way of doing the ritual. Unfinished ones gave no mounting either: the ritual still asks for more.

    faced and faced_careful are how many are accepted when the host knows which way the case faces, the part being
    turned by up to 30 and 12 deg. error_deg is the median error of the mountings that were accepted without that
    knowledge, NaN without any.
    """

    mount: Mount
    kind: str
    is_right: bool
    tries: int
    refused: int
    accepted: int
    unfinished: int
    faced: int
    faced_careful: int
    error_deg: float
    reasons: tuple[tuple[str, int], ...]

    @property
    def not_accepted_percent(self) -> float:
        """Share of the tries that gave no mounting."""
        return 100.0 * (self.tries - self.accepted) / self.tries


def day_rows(
    seeds: Sequence[int] = tuple(range(20)),
    *,
    mounts: Sequence[Mount] = tuple(Mount),
    minutes: float = DAY_MINUTES,
) -> Iterator[tuple[float, DayRow]]:
    """Yield the share done and a row for each mount and seed: a `desk` story of so many minutes."""
    jobs = [(mount, seed) for mount in mounts for seed in seeds]
    for k, (mount, seed) in enumerate(jobs):
        yield (k + 1) / len(jobs), day_row(mount, seed, minutes)


def ritual_rows(
    seeds: Sequence[int] = tuple(range(40)), *, mounts: Sequence[Mount] = tuple(Mount)
) -> Iterator[tuple[float, GuidedCalibrationRow]]:
    """Yield the share done and a row for each mount and way of doing the ritual, the right one first."""
    jobs = [(mount, kind) for mount in mounts for kind, way in RITUALS.items() if mount in way.mounts]
    for k, (mount, kind) in enumerate(jobs):
        yield (k + 1) / len(jobs), ritual_row(mount, kind, seeds)


def day_row(mount: Mount, seed: int, minutes: float = DAY_MINUTES) -> DayRow:
    """Calibrate one person by the ritual and compare the day's median flexion with that of the true mounting.

    The part is put back as it was after breaks, for this is about one calibration.
    """
    wearer = Wearer(
        "desk", seed=seed, minutes=minutes, mount=mount, misalignment_deg=REMOUNT_DEG, remount_deg=0.0
    )
    block = _oriented(wearer)
    true = true_mounting(wearer, 0.0)
    nan = float("nan")
    try:
        mounting = find_ritual([block], mount=mount)
    except CalibrationError as error:
        return DayRow(mount, seed, _short(str(error)), nan, nan, nan, nan, nan, nan)
    ritual_end_s = wearer.truth().calibrations[0].tilt_end_s
    use = motion_at(wearer, block.t_s).is_worn & (block.t_s > ritual_end_s)
    p50_deg, ours_deg = (_median_flexion_deg(m, block, use) for m in (true, mounting))
    return DayRow(
        mount,
        seed,
        "",
        mounting.quality,
        remount_change_deg(true, mounting),
        float(angle_between_deg(true.up_sensor, mounting.up_sensor)),
        _forward_error_deg(true, mounting),
        p50_deg,
        ours_deg - p50_deg,
    )


def ritual_row(mount: Mount, kind: str, seeds: Sequence[int]) -> GuidedCalibrationRow:
    """Let one person for each seed do the ritual in this way and see what the host makes of it."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    errors_deg = []
    for seed in seeds:
        wearer = ritual_wearer(mount, kind, seed)
        progress, faced = _judged(wearer)
        outcomes["faced"] += faced.mounting is not None
        if progress.mounting is not None:
            outcomes["accepted"] += 1
            outcomes["careful"] += (
                _judged(ritual_wearer(mount, kind, seed, CAREFUL_DEG))[1].mounting is not None
            )
            errors_deg.append(remount_change_deg(true_mounting(wearer, 0.0), progress.mounting))
        elif progress.is_over:
            outcomes["refused"] += 1
            reasons[_short(progress.reason)] += 1
        else:
            outcomes["unfinished"] += 1
    return GuidedCalibrationRow(
        mount,
        kind,
        RITUALS[kind].is_right,
        len(seeds),
        outcomes["refused"],
        outcomes["accepted"],
        outcomes["unfinished"],
        outcomes["faced"],
        outcomes["careful"],
        float(np.median(errors_deg)) if errors_deg else float("nan"),
        tuple(reasons.most_common()),
    )


def ritual_wearer(mount: Mount, kind: str, seed: int, misalignment_deg: float = REMOUNT_DEG) -> Wearer:
    """Return somebody who does the ritual in one of the ways of RITUALS and then works on."""

    def play(s: Script, _: Plan) -> None:
        RITUALS[kind].play(s)
        if mount is Mount.COLLAR:
            s.wait(0.8)
            RITUALS[kind].lean(s)
        s.wait(max(s.left_s, 0.1))

    story = Scenario(f"the calibration ritual, {kind}", _RITUAL_MINUTES, 1.0, play)
    return Wearer(story, seed=seed, mount=mount, misalignment_deg=misalignment_deg)


def _judged(wearer: Wearer) -> tuple[CalibrationProgress, CalibrationProgress]:
    """What the host says of the ritual, not knowing which way the case faces and knowing it."""
    mount, stage = wearer.mount, OrientationStage()
    rituals = (GuidedCalibration(mount), GuidedCalibration(mount, outward=wearer.outward()))
    t_s = np.arange(0.0, wearer.duration_s, 1 / RATE_HZ)
    for start in range(0, len(t_s), _PIECE):
        block = stage.process(wearer.imu(t_s[start : start + _PIECE]))
        for ritual in rituals:
            ritual.process(block)
        if all(ritual.progress.is_over for ritual in rituals):
            break
    return rituals[0].progress, rituals[1].progress


def _oriented(wearer: Wearer) -> OrientationBlock:
    t_s = np.arange(0.0, wearer.duration_s, 1 / RATE_HZ)
    parts = [wearer.imu(part) for part in np.array_split(t_s, len(t_s) // _CHUNK + 1)]
    gyr, acc = (np.concatenate([getattr(p, name) for p in parts]) for name in ("gyr_rad_s", "acc_m_s2"))
    return OrientationStage().process(ImuBlock(t_s, gyr, acc))


def _median_flexion_deg(mounting: Mounting, block: OrientationBlock, use: NDArray[np.bool_]) -> float:
    return float(np.nanmedian(AnglesStage(mounting).process(block).flexion_deg[use]))


def _forward_error_deg(true: Mounting, ours: Mounting) -> float:
    """Angle between the two forward directions in the true horizontal plane."""
    left = rotate(ours.q, np.array([0.0, 1.0, 0.0]))
    axes = [rotate(true.q, axis) for axis in np.eye(3)[:2]]
    x, y = (float(np.sum(left * axis)) for axis in axes)
    return float(np.degrees(np.arctan2(abs(x), y)))


def _short(reason: str) -> str:
    """The reason without its figures and advice, so that equal ones can be counted."""
    return re.sub(r"[\d.]+", "#", re.split(r"[:(,]", reason)[0]).strip()


def _sit_still(s: Script) -> None:
    """As wearing.calibrate begins."""
    s.wait(0.3)
    mv.settle(s, 0.6)
    quiet(s, still=True)
    s.wait(2.9)


def _swing(s: Script, *, flex: float = 0.0, side: float = 0.0, turn: float = 0.0) -> None:
    """One movement out and back in degrees of the head; with the part on the collar the trunk does most of it."""
    shares = (("trunk_flex+", 0.85), ("trunk_lat", 0.7), ("heading", -0.85))
    seconds = s.vary(0.85) / s.person.pace
    back = seconds + s.uniform(0.0, 0.15)
    for head, (trunk, share), target in zip(
        ("head_flex+", "head_lat+", "head_rot+"), shares, (flex, side, turn), strict=True
    ):
        for name, goal in [(head, target)] + ([(trunk, share * target)] if s.bows else []):
            home = s.value(name)
            s.move(name, home + goal, seconds)
            s.move(name, home, seconds, after_s=back)
    s.wait(back + seconds + s.uniform(0.05, 0.25))


def _movements(s: Script, times: int, *, flex: float = 0.0, side: float = 0.0, turn: float = 0.0) -> None:
    """Sit still, then so many movements, each a little different."""
    _sit_still(s)
    for _ in range(times):
        size = s.vary(1.0)
        _swing(s, flex=size * flex, side=size * side, turn=size * turn)
    quiet(s, still=False)


def _to_one_side(s: Script, **angles: float) -> None:
    _movements(s, 3, **{name: angle * _either(s) for name, angle in angles.items()})


def _to_both_sides(s: Script, *, side: float = 0.0, turn: float = 0.0) -> None:
    _sit_still(s)
    way = _either(s)
    for k in range(6):
        size = s.vary(1.0) * way * (-1) ** k
        _swing(s, side=size * side, turn=size * turn)
    quiet(s, still=False)


def _diagonally(s: Script) -> None:
    _movements(s, 3, flex=16.0, side=16.0 * _either(s))


def _bow_diagonally(s: Script) -> None:
    _movements(s, 3, flex=16.0, side=-16.0)


def _either(s: Script) -> float:
    return 1.0 if s.rng.random() < 0.5 else -1.0


def _right(s: Script) -> None:
    _sit_still(s)
    for _ in range(3):
        nod(s)
    quiet(s, still=False)


def _restless(s: Script) -> None:
    """Look here and there all the time, nods among it, never at rest."""
    s.wait(0.3)
    size = {"head_flex+": 14.0, "head_lat+": 8.0, "head_rot+": 25.0, "trunk_flex+": 7.0}
    while s.left_s > 2.0:
        seconds = s.uniform(0.7, 1.3)
        for name, most in size.items():
            s.move(name, s.uniform(-1.0, 1.0) * most, seconds)
        s.wait(seconds)


def _walking(s: Script) -> None:
    mv.stand_up(s)
    mv.walk(s, s.left_s - 2.0)


def _lean(s: Script) -> None:
    """As the ritual asks for it."""
    for k in range(3):
        calibration_tilt(s, 1 if k % 2 else -1)


def _lean_forward(s: Script) -> None:
    for _ in range(3):
        _swing(s, flex=s.vary(20.0))


def _lean_diagonally(s: Script) -> None:
    for k in range(3):
        size = s.vary(16.0) * (-1) ** k
        _swing(s, flex=size, side=size)


@dataclass(frozen=True, slots=True)
class Ritual:
    """A way of doing the ritual, and whether it should be accepted.

    With the part on the collar `lean` follows, the side leans that are asked for there.
    """

    play: Callable[[Script], None]
    is_right: bool = False
    lean: Callable[[Script], None] = _lean
    mounts: tuple[Mount, ...] = tuple(Mount)


# Degrees of the head. Sizes are those of `nod` and `calibration_tilt`; "too small" is below what the ritual asks for.
RITUALS: dict[str, Ritual] = {
    "right": Ritual(_right, is_right=True),
    "moving instead of sitting still": Ritual(_restless),
    "walking": Ritual(_walking),
    "one nod only": Ritual(partial(_movements, times=1, flex=20.0)),
    "two nods only": Ritual(partial(_movements, times=2, flex=20.0)),
    "nodding to one side": Ritual(partial(_to_one_side, side=22.0)),
    "tilting to both sides": Ritual(partial(_to_both_sides, side=22.0)),
    "shaking the head": Ritual(partial(_to_both_sides, turn=35.0)),
    "turning to one side": Ritual(partial(_to_one_side, turn=35.0)),
    "too small": Ritual(partial(_movements, times=3, flex=4.0)),
    "looking up first": Ritual(partial(_movements, times=3, flex=-20.0)),
    "nodding diagonally": Ritual(_diagonally),
    "sideways first, then forward": Ritual(
        partial(_to_one_side, side=22.0), lean=_lean_forward, mounts=(Mount.COLLAR,)
    ),
    "all diagonally": Ritual(_bow_diagonally, lean=_lean_diagonally, mounts=(Mount.COLLAR,)),
}
