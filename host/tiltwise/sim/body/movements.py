"""What a body does at a desk and around it: glancing, sinking, drinking, shrugging, standing up, walking, lying.

Each function writes one stretch of a Script and leaves the cursor at its end, the gestures back at zero and the
posture where it says. The calibration with the sensor is in sensor_handling.py, exercises in
exercise_movements.py. Degrees, metres, seconds; speeds are peaks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tiltwise.sim.body.motion_script import Script
from tiltwise.types import Activity

POSTURE = ("trunk_flex", "trunk_lat", "head_flex", "head_lat", "head_rot")


def settle(s: Script, seconds: float, **posture: float) -> None:
    """Go to a posture (what is not named goes to neutral) within about so many seconds."""
    for name in POSTURE:
        target = posture.get(name, 0.0)
        if target != s.value(name):
            s.move(name, target, seconds * s.uniform(0.8, 1.0))
    s.wait(seconds)


def stay(s: Script, seconds: float, *, typing: float = 0.0, glance_every_s: float = 0.0) -> None:
    """Remain in the posture, type, and glance at keyboard and sideways now and then."""
    if seconds <= 0:
        return
    fade = min(1.0, 0.2 * seconds)
    if typing:
        s.move("typing", typing, fade)
        s.move("typing", 0.0, fade, after_s=seconds - fade)
    t = s.uniform(0.3, 1.0) * glance_every_s
    while glance_every_s and t < seconds - 5:
        t = glance(s, t) + s.rng.exponential(glance_every_s)
    s.wait(seconds)


def glance(s: Script, after_s: float) -> float:
    """Look at the keyboard, or at something beside the screen, and back; return its end from the cursor."""
    if s.rng.random() < 0.6:
        targets = {"head_flex+": s.uniform(6, 14)}
    else:
        targets = {
            "head_rot+": s.uniform(12, 32) * (1 if s.rng.random() < 0.5 else -1),
            "head_flex+": s.uniform(-2, 4),
        }
    dwell = s.uniform(0.4, 1.8)
    out = max(s.go(name, target, 90, after_s=after_s) for name, target in targets.items())
    return max(s.go(name, 0.0, 90, after_s=out + dwell) for name in targets)


def sink(
    s: Script, seconds: float, trunk_deg: float, head_deg: float, *, straighten_every_s: float = 0.0
) -> None:
    """Let trunk and head sink to these angles while staying; straighten up now and then, only to sink again.

    Schedules moves from the cursor on without moving it: call `stay` for the same time afterwards.
    """
    upright = {"trunk_flex": s.value("trunk_flex"), "head_flex": s.value("head_flex")}
    goal = {"trunk_flex": trunk_deg, "head_flex": head_deg}
    t = 0.0
    while seconds - t > 4:
        piece = seconds - t
        if straighten_every_s and piece > 1.6 * straighten_every_s:
            piece = straighten_every_s * s.uniform(0.6, 1.4)
        is_last = piece >= seconds - t - 1e-9
        for name, target in goal.items():
            s.move(
                name, s.vary(target, 0.08), piece * s.uniform(0.75, 0.95) - (0 if is_last else 2.5), after_s=t
            )
        if not is_last:
            for name, target in upright.items():
                s.move(name, target + s.uniform(-1.5, 1.5), s.uniform(1.2, 2.2), after_s=t + piece - 2.3)
        t += piece


def shift(s: Script, seconds: float, *, every_s: float = 70.0, size_deg: float = 2.5) -> None:
    """Schedule small changes of posture over the coming seconds, without moving the cursor."""
    base = {name: s.value(name) for name in ("trunk_flex", "trunk_lat", "head_flex")}
    t = s.uniform(0.2, 1.0) * every_s
    while t < seconds - 4:
        for name, value in base.items():
            s.move(name, value + s.uniform(-1, 1) * size_deg, s.uniform(1.0, 2.5), after_s=t)
        t += s.uniform(0.5, 1.5) * every_s


def drink(s: Script) -> None:
    """Reach for the cup, tip the head back for a few swallows, put it down."""
    with s.span("drinking", Activity.MOVING):
        end = s.go("head_flex+", s.uniform(8, 14), 60)
        end = s.go("head_flex+", s.uniform(2, 4), 60, after_s=end + 0.4)
        back = -s.uniform(16, 26) - s.value("head_flex")
        for _ in range(int(s.rng.integers(1, 3))):
            end = s.go("head_flex+", back, 45, after_s=end + 0.2)
            end = s.go("head_flex+", 0.0, 45, after_s=end + s.uniform(1.0, 2.0))
        end = s.go("head_flex+", s.uniform(8, 14), 60, after_s=end + 0.3)
        end = s.go("head_flex+", 0.0, 60, after_s=end + 0.4)
        s.wait(end + 0.5)


def look_around(s: Script, turns: int = 4) -> None:
    """Turn the head here and there, as one does when somebody comes in."""
    with s.span("looking around", Activity.MOVING):
        for _ in range(turns):
            side = 1 if s.rng.random() < 0.5 else -1
            out = s.go("head_rot+", side * s.uniform(0.4, 0.85) * s.person.rotation_rom_deg, 130)
            s.go("head_lat+", side * s.uniform(-4, 6), 40)
            back = out + s.uniform(0.4, 1.6)
            end = max(s.go("head_rot+", 0.0, 130, after_s=back), s.go("head_lat+", 0.0, 40, after_s=back))
            s.wait(end + s.uniform(0.2, 1.2))


def shrug(s: Script, *, rise_m: float = 0.0, hold_s: float = 0.4) -> tuple[float, float]:
    """Raise the shoulders 2 to 4 cm and drop them; return start and end, absolute."""
    start_s = s.t_s
    up = s.vary(0.7) / s.person.pace
    s.move("rise", rise_m or s.uniform(0.02, 0.04), up)
    s.move("head_flex+", -s.uniform(1, 3), up)
    down = up + hold_s
    s.move("rise", 0.0, 0.85 * up, after_s=down)
    s.move("head_flex+", 0.0, 0.85 * up, after_s=down)
    s.wait(down + 0.85 * up)
    return start_s, s.t_s


def ear_and_shoulder(s: Script, seconds: float, tilt_deg: tuple[float, float] = (24, 32)) -> None:
    """Hold the telephone between ear and a raised shoulder."""
    side = 1 if s.rng.random() < 0.5 else -1
    with s.span("phone on the shoulder"):
        end = max(
            s.go("head_lat+", side * s.uniform(*tilt_deg), 45), s.go("head_rot+", side * s.uniform(3, 10), 45)
        )
        s.go("rise", s.uniform(0.015, 0.03), 0.06)
        back = max(end, seconds - 2)
        end = max(s.go(name, 0.0, 45, after_s=back) for name in ("head_lat+", "head_rot+"))
        s.go("rise", 0.0, 0.06, after_s=back)
        s.wait(end + 0.3)


def throw_back(s: Script, seconds: float) -> None:
    """Look up, as at a screen that hangs too high."""
    with s.span("head thrown back"):
        end = s.go("head_flex+", -s.uniform(34, 40) - s.value("head_flex"), 45)
        s.wait(s.go("head_flex+", 0.0, 45, after_s=max(end, seconds - 2)) + 0.3)


def stand_up(s: Script) -> None:
    """Lean forward, rise, straighten; leaves the hips up and the trunk neutral."""
    pace = s.person.pace
    with s.span("standing up", Activity.MOVING):
        lean, up = 0.9 / pace, 1.3 / pace
        settle_with = {
            name: 0.0 for name in ("trunk_lat", "head_lat", "head_rot", "head_flex") if s.value(name)
        }
        for name in settle_with:
            s.move(name, 0.0, lean)
        s.move("trunk_flex", s.uniform(28, 38), lean)
        s.move("head_flex+", -s.uniform(12, 20), lean)
        s.move("hip_z", 0.42, up, after_s=0.6 * lean)
        s.move("hip_x", s.value("hip_x") + 0.22, up, after_s=0.4 * lean)
        s.move("trunk_flex", s.uniform(-2, 2), up, after_s=1.1 * lean)
        s.move("head_flex+", 0.0, up, after_s=1.1 * lean)
        s.wait(1.1 * lean + up + s.uniform(0.2, 0.6))


def sit_down(s: Script) -> None:
    """Bend, lower the hips, lean back to sitting upright."""
    pace = s.person.pace
    with s.span("sitting down", Activity.MOVING):
        bend, down = 0.9 / pace, 1.4 / pace
        s.move("trunk_flex", s.uniform(24, 34), bend)
        s.move("head_flex+", -s.uniform(6, 12), bend)
        s.move("hip_z", 0.0, down, after_s=0.4 * bend)
        s.move("hip_x", s.value("hip_x") - 0.22, down, after_s=0.4 * bend)
        s.move("trunk_flex", s.uniform(0, 3), down, after_s=1.1 * bend)
        s.move("head_flex+", 0.0, down, after_s=1.1 * bend)
        s.wait(1.1 * bend + down + s.uniform(0.2, 0.6))


def walk(s: Script, seconds: float) -> None:
    """Walk to and fro for about so many seconds, at least 12, and come back facing as before."""
    with s.span("walking", Activity.WALKING):
        home = s.value("heading")
        s.move("walking", 1.0, 1.2)
        s.move("head_flex", s.uniform(2, 8), 2.0)
        s.move("trunk_flex", s.uniform(1, 4), 2.0)
        shuttles = max(1, round(seconds / 22))
        leg = max(3.5, (seconds / shuttles - 3.8) / 2)
        for k in range(shuttles):
            _leg(s, s.value("heading") + s.uniform(-80, 80), leg, turn_s=1.2)
            back = s.value("heading") + 180
            _leg(s, back, leg, turn_s=1.5)
            if k == shuttles - 1:
                turns = round((back - home) / 360)
                s.move("heading", home + 360 * turns, 1.4)
        s.move("walking", 0.0, 1.0)
        s.move("head_flex", 0.0, 1.4)
        s.wait(1.5)


def _leg(s: Script, heading_deg: float, seconds: float, *, turn_s: float) -> None:
    """Turn, then walk there (or, on the way back, here again) at about 1 m/s on average."""
    s.move("heading", heading_deg, turn_s)
    s.wait(turn_s * 0.9)
    way = 0.75 * seconds * s.person.pace
    angle = np.radians(heading_deg)
    s.move("hip_x", s.value("hip_x") + way * float(np.cos(angle)), seconds)
    s.move("hip_y", s.value("hip_y") + way * float(np.sin(angle)), seconds)
    s.wait(seconds)


def lie(
    s: Script, seconds: float, *, propped_deg: float = 0.0, during: Callable[[], None] | None = None
) -> None:
    """From sitting, lie down on the back, rest or do something, optionally with the head propped up, and sit up."""
    down = 2.8 / s.person.pace
    with s.span("lying down", Activity.MOVING):
        settle(s, 1.0)
        s.move("trunk_flex", -s.uniform(78, 86), down)
        s.move("head_flex", s.uniform(6, 12), 1.5, after_s=down - 1.5)
        s.wait(down + 0.5)
    with s.span("lying propped" if propped_deg else "lying", Activity.LYING):
        if propped_deg:
            s.move("head_flex", propped_deg, 2.0)
        if during is not None:
            during()
        else:
            s.wait(max(seconds, 3.0))
    with s.span("sitting up", Activity.MOVING):
        s.move("head_flex", 20.0, 0.8)
        s.move("trunk_flex", s.uniform(4, 10), down, after_s=0.3)
        s.move("head_flex", 0.0, 1.2, after_s=0.3 + down - 1.0)
        s.wait(down + 0.8)
        settle(s, 0.8)
