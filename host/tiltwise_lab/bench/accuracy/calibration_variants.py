"""Right and wrong ways of doing the guided calibration, as movements of a simulated wearer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tiltwise.sim.body import movements as mv
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions
from tiltwise.sim.body.sensor_handling import calibration_tilt, nod, quiet
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount

REMOUNT_DEG = 30.0
_CALIBRATION_MINUTES = 1.2  # time for each timeout of the calibration


def _sit_still(s: Script) -> None:
    """Sit as sensor_handling.calibrate begins."""
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
    """Sit still, then move `times` times, each a little different."""
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
    """Lean to both sides in turn, as the guide asks."""
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
class CalibrationVariant:
    """A way of calibrating, and whether it should be accepted.

    On the collar, where side leans are asked for too, `lean` follows.
    """

    play: Callable[[Script], None]
    is_right: bool = False
    lean: Callable[[Script], None] = _lean
    mounts: tuple[Mount, ...] = tuple(Mount)


# Degrees of the head. Sizes are those of `nod` and `calibration_tilt`; "too small" is less than the guide asks for.
CALIBRATIONS: dict[str, CalibrationVariant] = {
    "right": CalibrationVariant(_right, is_right=True),
    "moving instead of sitting still": CalibrationVariant(_restless),
    "walking": CalibrationVariant(_walking),
    "one nod only": CalibrationVariant(partial(_movements, times=1, flex=20.0)),
    "two nods only": CalibrationVariant(partial(_movements, times=2, flex=20.0)),
    "nodding to one side": CalibrationVariant(partial(_to_one_side, side=22.0)),
    "tilting to both sides": CalibrationVariant(partial(_to_both_sides, side=22.0)),
    "shaking the head": CalibrationVariant(partial(_to_both_sides, turn=35.0)),
    "turning to one side": CalibrationVariant(partial(_to_one_side, turn=35.0)),
    "too small": CalibrationVariant(partial(_movements, times=3, flex=4.0)),
    "looking up first": CalibrationVariant(partial(_movements, times=3, flex=-20.0)),
    "nodding diagonally": CalibrationVariant(_diagonally),
    "sideways first, then forward": CalibrationVariant(
        partial(_to_one_side, side=22.0), lean=_lean_forward, mounts=(Mount.COLLAR,)
    ),
    "all diagonally": CalibrationVariant(_bow_diagonally, lean=_lean_diagonally, mounts=(Mount.COLLAR,)),
}


def calibrating_wearer(mount: Mount, kind: str, seed: int, misalignment_deg: float = REMOUNT_DEG) -> Wearer:
    """Return somebody who calibrates in one of the ways of CALIBRATIONS and then works on."""

    def play(s: Script, _: ScenarioOptions) -> None:
        CALIBRATIONS[kind].play(s)
        if mount is Mount.COLLAR:
            s.wait(0.8)
            CALIBRATIONS[kind].lean(s)
        s.wait(max(s.left_s, 0.1))

    story = Scenario(f"the guided calibration, {kind}", _CALIBRATION_MINUTES, 1.0, play)
    return Wearer(story, seed=seed, mount=mount, misalignment_deg=misalignment_deg)
