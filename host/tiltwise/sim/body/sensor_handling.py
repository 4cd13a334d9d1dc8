"""What a wearer does with the sensor: sit tall and nod for the calibration, take it off, put it on again.

Each function writes one stretch of a Script and records its ground truth. Degrees, metres, seconds.
"""

from __future__ import annotations

from tiltwise.sim.body.ground_truth import TrueCalibration, TrueRemoval
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.movements import POSTURE, settle
from tiltwise.sim.body.segments import AWAKE
from tiltwise.types import Activity


def calibrate(s: Script, *, nods: int = 3, tilts: int = 0, still_s: float = 4.0) -> None:
    """Do the guided calibration: sit tall and still, nod, optionally tilt to both sides in turn."""
    with s.span("calibrating"):
        s.wait(0.3)
        start_s = s.t_s
        settle(s, 0.6)
        quiet(s, still=True)
        neutral_s = start_s + 1.1
        s.wait(still_s - 1.1)
    with s.span("nodding", Activity.MOVING):
        nod_s = s.t_s
        for _ in range(nods):
            nod(s)
        nod_end_s = s.t_s
        s.wait(0.8 if tilts else 0.0)  # the calibration asks for them when it has seen the nods
        tilt_s = s.t_s
        for k in range(tilts):
            calibration_tilt(s, 1 if k % 2 else -1)
        s.calibrations.append(TrueCalibration(neutral_s, nod_s, nod_s, nod_end_s, tilt_s, s.t_s))
        quiet(s, still=False)


def quiet(s: Script, still: bool) -> None:
    """Hold still, as well as a living person can, or let the usual fidgets come back; takes 0.5 s."""
    s.move("fidgeting", 0.12 if still else AWAKE["fidgeting"], 0.5)
    s.move("breathing", 0.6 if still else AWAKE["breathing"], 0.5)
    s.move("loose", 0.3 if still else AWAKE["loose"], 0.5)
    s.wait(0.5)


def nod(s: Script) -> None:
    """Nod once, slowly; with a sensor on the collar the upper back bows along, else nothing there would move."""
    depth, bow, seconds = s.vary(20), s.vary(17), s.vary(0.85) / s.person.pace
    tilt, turn = s.person.nod_tilt + s.uniform(-0.05, 0.05), s.person.nod_turn + s.uniform(-0.06, 0.06)
    targets = {"head_flex+": depth, "head_lat+": tilt * depth, "head_rot+": turn * depth}
    home = dict.fromkeys(targets, 0.0)
    if s.bows:
        heading = s.value("heading")
        targets |= {"trunk_flex+": bow, "trunk_lat": tilt * bow, "heading": heading - turn * bow}
        home |= {"trunk_flex+": 0.0, "trunk_lat": 0.0, "heading": heading}
    back = seconds + s.uniform(0.0, 0.15)
    for name, target in targets.items():
        s.move(name, target, seconds)
        s.move(name, home[name], seconds, after_s=back)
    s.wait(back + seconds + s.uniform(0.05, 0.25))


def calibration_tilt(s: Script, sign: int) -> None:
    """Tilt to one side and back, with the trunk when the sensor is on the collar."""
    seconds = s.vary(0.9) / s.person.pace
    channel, depth = ("trunk_lat", 14.0) if s.bows else ("head_lat+", 22.0)
    s.move(channel, sign * s.vary(depth), seconds)
    s.move(channel, 0.0, seconds, after_s=seconds + 0.1)
    s.wait(2 * seconds + 0.3)


def take_off(s: Script) -> None:
    """Take the sensor off and lay it on the desk; it lies perfectly still after the cursor, gravity elsewhere."""
    with s.span("taking off", Activity.NOT_WORN):
        for name in POSTURE:
            if s.value(name):
                s.move(name, 0.0, 1.0)
        for name in AWAKE:
            s.move(name, 0.0, 1.5)
        s.move("part_z", s.uniform(-60, 60), 1.4)
        s.wait(0.4)
        s.move("part_x", s.uniform(60, 120) * (1 if s.rng.random() < 0.5 else -1), 1.6)
        s.move("part_y", s.uniform(-70, 70), 1.3, after_s=0.2)
        s.move("reach_x", 0.45, 1.5)
        s.move("reach_z", -0.35, 1.5, after_s=0.1)
        s.wait(1.8)
    s.removals.append(TrueRemoval(s.t_s - 2.2, s.duration_s, s.t_s, s.duration_s))


def put_on(s: Script, remount_deg: float) -> None:
    """Put the sensor back, turned by up to remount_deg on each axis against where it was before."""
    removal = s.removals.pop()
    still_end_s = s.t_s
    with s.span("putting on", Activity.NOT_WORN):
        s.move("reach_x", 0.0, 1.6)
        s.move("reach_z", 0.0, 1.6)
        for name in ("part_x", "part_y", "part_z"):
            s.move(name, s.uniform(-1, 1) * remount_deg, s.uniform(1.3, 1.8), after_s=0.2)
        for name, value in AWAKE.items():
            s.move(name, value, 1.5, after_s=1.0)
        s.wait(2.6)
    s.removals.append(TrueRemoval(removal.start_s, s.t_s, removal.still_start_s, still_end_s))
