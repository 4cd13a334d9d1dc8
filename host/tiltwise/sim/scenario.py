"""The stories a wearer can live through, by name, each of any length in minutes.

A scenario writes movements (movements.py, training.py) onto a Script until its time is used up. All begin with the
calibration ritual unless asked not to. Add one by writing a function and a line in SCENARIOS. After it: wearer.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiltwise.sim import movements as mv
from tiltwise.sim import training
from tiltwise.sim.script import Script
from tiltwise.types import Activity


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scenario may want to know beside the person: remounting error in deg, and whether to calibrate first."""

    remount_deg: float = 8.0
    is_calibrated: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: one line on what happens, its length if nobody says, the least it needs, and who writes it."""

    summary: str
    minutes: float
    least_minutes: float
    play: Callable[[Script, Plan], None]


def _begin(s: Script, plan: Plan, *, tilts: int = 0) -> None:
    if plan.is_calibrated:
        mv.calibrate(s, tilts=tilts)
    else:
        s.wait(1.0)


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


def away(s: Script, seconds: float, plan: Plan) -> None:
    """Take the sensor off, leave it on the desk, put it on slightly differently, sit tall and nod twice."""
    mv.take_off(s)
    with s.span("not worn", Activity.NOT_WORN):
        s.wait(max(seconds, 5.0))
    mv.put_on(s, plan.remount_deg)
    mv.calibrate(s, nods=2, still_s=6.0)


def _end_not_worn(s: Script, seconds: float) -> None:
    """Take the sensor off and fill the rest of the story with its lying there."""
    mv.take_off(s)
    with s.span("not worn", Activity.NOT_WORN):
        s.wait(max(seconds, s.left_s, 0.1))


def _demo(s: Script, plan: Plan) -> None:
    """From 6 minutes on the story has its full length; what is longer becomes a desk day before the last scene."""
    spare = min(max((s.duration_s - 240.0) / 120.0, 0.0), 1.0)  # 0 at 4 minutes, 1 from 6 on
    _begin(s, plan)
    work(s, 14 + 42 * spare, slump_share=0.0)
    slump(s, 84 + 18 * spare)
    correct(s)
    with s.span("typing"):
        mv.stay(s, 3 + 9 * spare, typing=1.0)
    mv.drink(s)
    training.side_tilts(s, 5, hold_s=0.8)
    phone(s, 8 + 22 * spare)
    stroll(s, 12 + 10 * spare)
    if s.left_s > 120:
        _deal(s, plan, until_left_s=20.0)
    elif s.left_s > 9:
        work(s, s.left_s - 8, slump_share=0.0)
    _end_not_worn(s, 5.0)


def _desk(s: Script, plan: Plan) -> None:
    _begin(s, plan)
    _deal(s, plan, until_left_s=0.0)


_DECK_S = 6300.0  # the scenes of a deck at unit length, with the typing in between and room for the longest


def _deal(s: Script, plan: Plan, *, until_left_s: float) -> None:
    """Fill the time with an office day: a deck holds everything once, at most an hour long, and is dealt again."""
    deck_s = min(max(s.left_s - until_left_s, 300.0), 3600.0)
    while s.left_s > until_left_s + 20:
        scenes = _deck(s, plan, deck_s)
        longest_s = 60.0 + 560.0 * deck_s / _DECK_S  # whatever is dealt, it ends in time
        for k in s.rng.permutation(len(scenes)):
            if s.left_s - until_left_s < longest_s:
                break
            scenes[k]()
            work(s, min(s.uniform(0.5, 1.5) * deck_s * 0.012, max(s.left_s - until_left_s - 2, 5.0)))
        if s.left_s - until_left_s < longest_s:
            work(s, max(s.left_s - until_left_s, 5.0))


def _deck(s: Script, plan: Plan, deck_s: float) -> list[Callable[[], None]]:
    """Return one hour's scenes, their lengths scaled to the deck."""
    unit = deck_s / _DECK_S

    def length(low_s: float, high_s: float, least_s: float) -> float:
        return max(least_s, unit * s.uniform(low_s, high_s))

    scenes: list[Callable[[], None]] = [
        *(lambda: work(s, length(240, 540, 20), slump_share=s.uniform(0.4, 1.3)) for _ in range(4)),
        *(lambda: work(s, length(120, 300, 15)) for _ in range(2)),
        *(lambda: read(s, length(120, 300, 15)) for _ in range(2)),
        lambda: phone(s, length(60, 150, 12)),
        lambda: slump(s, length(70, 200, 20)),
        lambda: mv.drink(s),
        lambda: mv.look_around(s),
        lambda: mv.drink(s),
        lambda: mv.ear_and_shoulder(s, length(40, 90, 12)),
        lambda: _some_shrugs(s),
        lambda: training.side_tilts(s, 2),
        lambda: training.rotations(s, 4),
        lambda: stroll(s, length(100, 220, 14)),
        lambda: stand(s, length(100, 300, 10)),
    ]
    if s.left_s > 900 or not s.removals:  # a coffee without the sensor, at least once
        scenes.append(lambda: away(s, length(120, 400, 12), plan))
    if s.rng.random() < 0.25:
        scenes.append(lambda: mv.lie(s, length(180, 400, 15), propped_deg=35.0 * int(s.rng.integers(0, 2))))
    return scenes


def _some_shrugs(s: Script) -> None:
    with s.span("shrugging", Activity.MOVING):
        for _ in range(3):
            mv.shrug(s)
            s.wait(s.uniform(0.5, 1.5))


def _repeat_until_full(s: Script, scene: Callable[[], None]) -> None:
    while s.left_s > 0:
        scene()


def _slouch(s: Script, plan: Plan) -> None:
    def scene() -> None:
        work(s, s.uniform(25, 45), slump_share=0.0)
        slump(s, s.uniform(80, 150), fall_s=s.uniform(4, 15))
        correct(s)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _upright(s: Script, plan: Plan) -> None:
    _begin(s, plan)
    work(s, s.left_s, slump_share=0.0)


def _typing(s: Script, plan: Plan) -> None:
    _begin(s, plan)
    _repeat_until_full(s, lambda: work(s, min(max(s.left_s, 10.0), 900.0), slump_share=1.0))


def _reading(s: Script, plan: Plan) -> None:
    def scene() -> None:
        read(s, s.uniform(70, 200))
        mv.look_around(s, 1)
        work(s, s.uniform(5, 20))

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _phone(s: Script, plan: Plan) -> None:
    def scene() -> None:
        phone(s, s.uniform(50, 120))
        mv.ear_and_shoulder(s, s.uniform(25, 60))

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _walking(s: Script, plan: Plan) -> None:
    _begin(s, plan)
    mv.stand_up(s)
    _repeat_until_full(s, lambda: mv.walk(s, min(max(s.left_s, 15.0), 120.0)))


_ROUTINE_S = 1020.0  # the whole catalogue takes a slow person


def _exercises(s: Script, plan: Plan) -> None:
    def scene() -> None:
        training.routine(s)
        work(s, s.left_s if s.left_s < _ROUTINE_S else 60.0)  # no routine that could not be finished

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _tilts(s: Script, plan: Plan) -> None:
    def scene() -> None:
        training.side_tilts(s, 5)
        work(s, s.uniform(8, 15), slump_share=0.0)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _calibration(s: Script, plan: Plan) -> None:
    def scene() -> None:
        mv.calibrate(s, tilts=3)
        work(s, s.uniform(10, 20), slump_share=0.0)

    _repeat_until_full(s, scene)
    assert plan is not None


def _remount(s: Script, plan: Plan) -> None:
    def scene() -> None:
        work(s, s.uniform(40, 60), slump_share=0.0)
        slump(s, s.uniform(70, 90))
        correct(s)
        away(s, s.uniform(20, 40), plan)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _lying(s: Script, plan: Plan) -> None:
    def scene() -> None:
        mv.lie(s, s.uniform(40, 80))
        mv.lie(s, s.uniform(40, 80), propped_deg=s.uniform(30, 42))
        work(s, 15)

    _begin(s, plan)
    _repeat_until_full(s, scene)


SCENARIOS: dict[str, Scenario] = {
    "demo": Scenario(
        "the story of tiltwise demo: calibrate, work, slump, correct, drink, side tilts, phone, walk, take off",
        6.0,
        4.0,
        _demo,
    ),
    "desk": Scenario("a mixed office day with everything in it, up to 8 h and more", 60.0, 2.0, _desk),
    "slouch": Scenario(
        "upright work that sinks into a deep slump every two minutes or so", 5.0, 1.0, _slouch
    ),
    "upright": Scenario(
        "upright typing with glances and small shifts, nothing to complain about", 5.0, 0.5, _upright
    ),
    "typing": Scenario(
        "typing while the slump grows over minutes, with occasional straightening", 20.0, 0.5, _typing
    ),
    "reading": Scenario("reading and writing on the desk, head bowed 25 to 45 deg", 5.0, 0.5, _reading),
    "phone": Scenario("a telephone in the lap (45 to 60 deg) and between ear and shoulder", 5.0, 0.5, _phone),
    "walking": Scenario("standing up and walking to and fro", 3.0, 0.5, _walking),
    "exercises": Scenario(
        "the exercise catalogue from end to end, with known repetitions", 17.0, 1.0, _exercises
    ),
    "tilts": Scenario("sets of five side tilts to each side with short breaks", 4.0, 1.0, _tilts),
    "calibration": Scenario(
        "the calibration ritual with side tilts, again and again", 2.0, 0.5, _calibration
    ),
    "remount": Scenario(
        "work, slump, take the sensor off, put it back slightly turned, nod twice", 8.0, 2.0, _remount
    ),
    "lying": Scenario("lying on the back, flat and with the head propped up", 6.0, 1.0, _lying),
}


def find_scenario(name: str) -> Scenario:
    """Return a scenario by name; raise ValueError with the names that exist."""
    if name not in SCENARIOS:
        raise ValueError(f"scenario {name!r} does not exist, expected one of: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
