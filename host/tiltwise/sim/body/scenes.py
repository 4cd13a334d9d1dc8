"""Scenes of an office day: work, read, look at the phone, slump, stand up and walk, leave the sensor on the desk.

Each names what it is on the Script and fills about so many seconds. Degrees, seconds.
"""

from __future__ import annotations

from tiltwise.sim.body import movements as mv
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.sensor_handling import calibrate, put_on, take_off
from tiltwise.types import Activity


def work(s: Script, seconds: float, *, slump_share: float = 0.3) -> None:
    """Type at the screen; the slump grows by a share of the person's habit and is sometimes straightened."""
    person = s.person
    with s.span("typing"):
        back = s.uniform(-9, -4) if slump_share > 0 and s.rng.random() < 0.2 else s.uniform(-1, 3)
        mv.settle(s, 1.5, trunk_flex=back, head_flex=person.screen_deg)
        rest = max(seconds - 1.5, 0.0)
        slump = slump_share * s.vary(person.slump_deg, 0.3)
        if slump_share > 0.4:
            mv.sink(s, rest, slump, person.screen_deg + 0.3 * slump, straighten_every_s=s.uniform(100, 240))
        else:
            mv.shift(s, rest, size_deg=1.0 + slump / 4)
        mv.stay(s, rest, typing=1.0, glance_every_s=9.0)


def read(s: Script, seconds: float) -> None:
    """Read or write on the desk, head bowed 25 to 45 deg in all."""
    with s.span("reading"):
        trunk, total = s.uniform(4, 12), s.uniform(27, 43)
        mv.settle(s, 1.8, trunk_flex=trunk, head_flex=total - trunk, head_lat=s.uniform(-4, 4))
        rest = max(seconds - 1.8, 0.0)
        mv.shift(s, rest, every_s=45, size_deg=1.8)
        mv.stay(s, rest, typing=0.4, glance_every_s=40.0)


def phone(s: Script, seconds: float) -> None:
    """Look at a telephone in the lap, head bowed 45 to 60 deg in all."""
    with s.span("phone"):
        trunk = s.uniform(8, 16)
        mv.settle(s, 1.6, trunk_flex=trunk, head_flex=s.uniform(47, 58) - trunk)
        rest = max(seconds - 1.6, 0.0)
        mv.shift(s, rest, every_s=30, size_deg=2.0)
        mv.stay(s, rest, typing=0.3)
    with s.span("looking up", Activity.MOVING):
        mv.settle(s, 1.6, head_flex=s.person.screen_deg)


def slump(s: Script, seconds: float, *, fall_s: float = 6.0) -> None:
    """Sink forward until every mount shows more than 30 deg (a collar about 30), and stay there."""
    with s.span("slumping"):
        s.move("trunk_flex", s.uniform(31.5, 34.0), fall_s)
        s.move("head_flex", s.uniform(9, 13), 0.9 * fall_s)
        mv.stay(s, seconds, typing=0.6, glance_every_s=30.0)


def correct(s: Script) -> None:
    """Sit up, a little taller than before."""
    with s.span("sitting up", Activity.MOVING):
        mv.settle(s, 1.4, trunk_flex=s.uniform(-2, 0), head_flex=s.uniform(0, 3))


def stroll(s: Script, seconds: float) -> None:
    """Stand up, walk, come back, sit down."""
    mv.stand_up(s)
    mv.walk(s, seconds)
    mv.sit_down(s)


def stand(s: Script, seconds: float) -> None:
    """Stand up and work standing for a while."""
    mv.stand_up(s)
    with s.span("standing"):
        mv.settle(s, 1.5, head_flex=s.uniform(4, 9), trunk_flex=s.uniform(0, 3))
        mv.shift(s, seconds, every_s=35, size_deg=1.8)
        mv.stay(s, seconds, typing=0.7, glance_every_s=12.0)
    mv.sit_down(s)


def away(s: Script, seconds: float, remount_deg: float) -> None:
    """Take the sensor off, leave it on the desk, put it on slightly differently, sit tall and nod twice."""
    take_off(s)
    with s.span("not worn", Activity.NOT_WORN):
        s.wait(max(seconds, 5.0))
    put_on(s, remount_deg)
    calibrate(s, nods=2, still_s=6.0)
