"""How a wearer does the exercises: repetitions with sides and holds, PIR rounds with barriers, presses, shrugs.

Names are those of the exercise catalogue. Each function notes the true repetitions on the Script and leaves the
head where it started. Degrees, seconds; speeds are peaks.
"""

from __future__ import annotations

from tiltwise.sim.body.ground_truth import TruePir
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.movements import lie, shrug
from tiltwise.types import Activity, Side

SLOW_DEG_S = 35.0  # peak speed of an exercise done as asked
_SIGN = {Side.LEFT: -1.0, Side.RIGHT: 1.0, Side.NONE: 1.0}


def _repeat(
    s: Script,
    exercise: str,
    side: Side,
    channel: str,
    target_deg: float,
    *,
    hold_s: float,
    rest_s: float = 1.2,
) -> None:
    """Do one repetition on a gesture channel, with a little of the other movements creeping in, and note it."""
    start_s = s.t_s
    angle = {"head_flex+": "flexion", "head_lat+": "lateral", "head_rot+": "rotation"}[channel]
    back = s.go(channel, target_deg, SLOW_DEG_S) + hold_s
    end = s.go(channel, 0.0, SLOW_DEG_S, after_s=back)
    for other in ("head_flex+", "head_lat+", "head_rot+"):
        if other != channel:
            s.move(other, s.uniform(-0.08, 0.08) * target_deg, back - hold_s)
            s.move(other, 0.0, end - back, after_s=back)
    s.rep(exercise, side, f"{angle}{'+' if target_deg > 0 else '-'}", start_s, s.t_s + end, hold_s)
    s.wait(end + s.vary(rest_s, 0.4))


def _concentrate(s: Script, on: bool) -> None:
    """Fidget less while exercising."""
    s.move("fidgeting", 0.4 if on else 1.0, 0.8)
    s.wait(0.8)


def side_tilts(s: Script, each: int = 5, *, hold_s: float = 1.5, exercise: str = "side_tilt") -> None:
    """Tilt to the right and to the left in turn, so many times each."""
    with s.span(exercise, Activity.MOVING):
        _concentrate(s, True)
        for _ in range(each):
            for side in (Side.RIGHT, Side.LEFT):
                rom = s.person.right_rom_deg if side is Side.RIGHT else s.person.left_rom_deg
                target = _SIGN[side] * s.vary(0.85 * rom, 0.08)
                _repeat(s, exercise, side, "head_lat+", target, hold_s=s.vary(hold_s))
        _concentrate(s, False)


def head_down(s: Script, times: int = 5, *, hold_s: float = 5.0, exercise: str = "head_down") -> None:
    """Lower the chin towards the chest, hold, come back."""
    with s.span(exercise, Activity.MOVING):
        _concentrate(s, True)
        for _ in range(times):
            target = s.vary(0.85 * s.person.flexion_rom_deg, 0.06)
            _repeat(s, exercise, Side.NONE, "head_flex+", target, hold_s=s.vary(hold_s))
        _concentrate(s, False)


def singing_snake(s: Script, times: int = 3) -> None:
    """Slowly back on the inhale, slowly forward again, then the chin down: one repetition is the pair."""
    with s.span("singing_snake", Activity.MOVING):
        _concentrate(s, True)
        for _ in range(times):
            start_s = s.t_s
            end = s.go("head_flex+", -s.vary(0.55 * s.person.extension_rom_deg, 0.08), 20) + s.uniform(
                1.5, 3.0
            )
            end = s.go("head_flex+", 0.0, 20, after_s=end) + s.uniform(0.5, 1.0)
            end = s.go("head_flex+", s.vary(0.7 * s.person.flexion_rom_deg, 0.08), 20, after_s=end) + 2.0
            end = s.go("head_flex+", 0.0, 25, after_s=end)
            s.rep("singing_snake", Side.NONE, "flexion-", start_s, s.t_s + end, 2.0)
            s.wait(end + s.uniform(1.5, 3.0))
        _concentrate(s, False)


def rotations(s: Script, times: int = 10, *, exercise: str = "rotations", share: float = 0.85) -> None:
    """Turn the head right and left in turn, so many turns altogether."""
    with s.span(exercise, Activity.MOVING):
        _concentrate(s, True)
        for k in range(times):
            side = Side.LEFT if k % 2 else Side.RIGHT
            target = _SIGN[side] * s.vary(share * s.person.rotation_rom_deg, 0.08)
            _repeat(s, exercise, side, "head_rot+", target, hold_s=s.uniform(0.3, 1.0))
        _concentrate(s, False)


def clasped_no(s: Script, times: int = 10) -> None:
    """Bow the head and turn it as if saying no."""
    with s.span("bowing the head", Activity.MOVING):
        s.wait(s.go("head_flex", 35.0, SLOW_DEG_S) + 0.5)
    rotations(s, times, exercise="clasped_no", share=0.4)
    with s.span("raising the head", Activity.MOVING):
        s.wait(s.go("head_flex", 0.0, SLOW_DEG_S) + 0.5)


def chin_tuck(s: Script, times: int = 10) -> None:
    """Draw the chin in: a nod of 4 to 5 deg is all that a sensor sees of it."""
    with s.span("chin_tuck", Activity.MOVING):
        _concentrate(s, True)
        for _ in range(times):
            _repeat(
                s,
                "chin_tuck",
                Side.NONE,
                "head_flex+",
                s.uniform(4.0, 6.0),
                hold_s=s.uniform(1.5, 3),
                rest_s=2.0,
            )
        _concentrate(s, False)


def shoulder_raise(s: Script, times: int = 5, *, hold_s: float = 4.0) -> None:
    """Raise the shoulders as high as they go, hold, let them drop."""
    with s.span("shoulder_raise_hold", Activity.MOVING):
        for _ in range(times):
            held = s.vary(hold_s)
            start_s, end_s = shrug(s, rise_m=s.uniform(0.03, 0.04), hold_s=held)
            s.rep("shoulder_raise_hold", Side.NONE, "rise+", start_s, end_s, held)
            s.wait(s.uniform(1.5, 3.0))


def palm_press(s: Script, times: int = 3, *, press_s: float = 8.0) -> None:
    """Press the forehead against the palm without moving; only the tremor grows."""
    with s.span("palm_press_front"):
        _concentrate(s, True)
        for _ in range(times):
            _press(s, press_s)
            s.wait(s.uniform(2, 4))
        _concentrate(s, False)


def _press(s: Script, seconds: float) -> tuple[float, float]:
    """Tense the neck for so long: trembling, and a push of under 2 deg; return start and end, absolute."""
    start_s = s.t_s
    s.move("tremor", 3.5, 0.6)
    s.move("fidgeting", 0.15, 0.6)
    s.move("tremor", 1.0, 0.8, after_s=seconds - 0.8)
    s.move("fidgeting", 0.4, 0.8, after_s=seconds - 0.8)
    s.wait(seconds)
    return start_s, s.t_s


def pir(s: Script, side: Side, *, rounds: int = 3, breath_s: float = 4.0) -> None:
    """Find the barrier, press three breaths without moving, let go, sink further; side NONE is head_down_pir."""
    person = s.person
    exercise = "head_down_pir" if side is Side.NONE else "side_tilt_pir"
    channel = "head_flex+" if side is Side.NONE else "head_lat+"
    rom = {
        Side.NONE: person.flexion_rom_deg,
        Side.LEFT: person.left_rom_deg,
        Side.RIGHT: person.right_rom_deg,
    }[side]
    with s.span(exercise, Activity.MOVING):
        _concentrate(s, True)
        start_s, barrier = s.t_s, s.vary(0.75 * rom, 0.05)
        barriers, presses = [barrier], []
        s.wait(s.go(channel, _SIGN[side] * barrier, 20) + 2.5)
        for _ in range(rounds):
            presses.append(_press(s, 3 * breath_s))
            s.wait(s.uniform(2, 3))
            barrier += s.uniform(2.0, 5.0)
            barriers.append(barrier)
            s.wait(s.go(channel, _SIGN[side] * barrier, 6) + s.uniform(4, 6))
        s.wait(s.go(channel, 0.0, 25))
        s.relaxation(TruePir(exercise, side, start_s, s.t_s, tuple(barriers), tuple(presses)))
        _concentrate(s, False)
        s.wait(s.uniform(8, 12))


def supine_head_lift(s: Script, times: int = 4, *, hold_s: float = 8.0) -> None:
    """On the back, lift the head a little and hold it."""
    lie(s, 0.0, during=lambda: _head_lifts(s, times, hold_s))


def _head_lifts(s: Script, times: int, hold_s: float) -> None:
    s.wait(3.0)
    for _ in range(times):
        _repeat(
            s,
            "supine_head_lift",
            Side.NONE,
            "head_flex+",
            s.uniform(16, 24),
            hold_s=s.vary(hold_s),
            rest_s=3.0,
        )


def routine(s: Script) -> None:
    """Do the whole catalogue once, about nine minutes."""
    side_tilts(s, 5)
    head_down(s, 5)
    singing_snake(s, 3)
    rotations(s, 10)
    side_tilts(s, 2, hold_s=10.0, exercise="ear_to_shoulder_hold")
    head_down(s, 2, hold_s=10.0, exercise="chin_to_chest_hold")
    clasped_no(s, 10)
    chin_tuck(s, 6)
    shoulder_raise(s, 5)
    palm_press(s, 3)
    pir(s, Side.RIGHT)
    pir(s, Side.LEFT)
    pir(s, Side.NONE)
    supine_head_lift(s, 3)
