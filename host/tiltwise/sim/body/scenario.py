"""The scenarios a wearer can play, by name, each of any length in minutes.

A scenario strings scenes (scenes.py, movements.py, exercise_movements.py) together until its time is used up. All
begin with the guided calibration unless asked not to. To add one, write a function and a line in SCENARIOS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tiltwise.sim.body import exercise_movements, scenes, sensor_handling
from tiltwise.sim.body import movements as mv
from tiltwise.sim.body.motion_script import Script
from tiltwise.types import Activity


@dataclass(frozen=True, slots=True)
class ScenarioOptions:
    """What a scenario may want to know beside the person: remounting error in deg, and whether to calibrate first."""

    remount_deg: float = 8.0
    is_calibrated: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: one line on what happens, its length if nobody says, the least it needs, and who writes it."""

    summary: str
    minutes: float
    least_minutes: float
    play: Callable[[Script, ScenarioOptions], None]


def _begin(s: Script, plan: ScenarioOptions, *, tilts: int = 0) -> None:
    """With a sensor on the collar the calibration has side leans, always."""
    if plan.is_calibrated:
        sensor_handling.calibrate(s, tilts=tilts or (3 if s.bows else 0))
    else:
        s.wait(1.0)


def _end_not_worn(s: Script, seconds: float) -> None:
    """Take the sensor off and fill the rest of the story with its lying there."""
    sensor_handling.take_off(s)
    with s.span("not worn", Activity.NOT_WORN):
        s.wait(max(seconds, s.left_s, 0.1))


def _demo(s: Script, plan: ScenarioOptions) -> None:
    """From 6 minutes on the story has its full length; what is longer becomes a desk day before the last scene."""
    spare = min(max((s.duration_s - 240.0) / 120.0, 0.0), 1.0)  # 0 at 4 minutes, 1 from 6 on
    _begin(s, plan)
    scenes.work(s, 14 + 42 * spare, slump_share=0.0)
    scenes.slump(s, 84 + 18 * spare)
    scenes.correct(s)
    with s.span("typing"):
        mv.stay(s, 3 + 9 * spare, typing=1.0)
    mv.drink(s)
    exercise_movements.side_tilts(s, 5, hold_s=0.8)
    scenes.phone(s, 8 + 22 * spare)
    scenes.stroll(s, 12 + 10 * spare)
    if s.left_s > 120:
        _deal(s, plan, until_left_s=45.0)
    elif s.left_s > 12 + 14 * spare:
        scenes.work(s, s.left_s - 8 - 14 * spare, slump_share=0.0)
    _end_not_worn(s, 5.0)


def _desk(s: Script, plan: ScenarioOptions) -> None:
    _begin(s, plan)
    _deal(s, plan, until_left_s=0.0)


_DECK_S = 6300.0  # the scenes of a deck at unit length, with the typing in between and room for the longest


def _deal(s: Script, plan: ScenarioOptions, *, until_left_s: float) -> None:
    """Fill the time with an office day: a deck holds everything once, at most an hour long, and is dealt again."""
    deck_s = min(max(s.left_s - until_left_s, 300.0), 3600.0)
    while s.left_s > until_left_s + 20:
        deck = _deck(s, plan, deck_s)
        longest_s = 60.0 + 560.0 * deck_s / _DECK_S  # whatever is dealt, it ends in time
        for k in s.rng.permutation(len(deck)):
            if s.left_s - until_left_s < longest_s:
                break
            deck[k]()
            scenes.work(s, min(s.uniform(0.5, 1.5) * deck_s * 0.012, max(s.left_s - until_left_s - 2, 5.0)))
        if s.left_s - until_left_s < longest_s:
            scenes.work(s, max(s.left_s - until_left_s, 5.0))


def _deck(s: Script, plan: ScenarioOptions, deck_s: float) -> list[Callable[[], None]]:
    """Return one hour's scenes, their lengths scaled to the deck."""
    unit = deck_s / _DECK_S

    def length(low_s: float, high_s: float, least_s: float) -> float:
        return max(least_s, unit * s.uniform(low_s, high_s))

    deck: list[Callable[[], None]] = [
        *(lambda: scenes.work(s, length(240, 540, 20), slump_share=s.uniform(0.4, 1.3)) for _ in range(4)),
        *(lambda: scenes.work(s, length(120, 300, 15)) for _ in range(2)),
        *(lambda: scenes.read(s, length(120, 300, 15)) for _ in range(2)),
        lambda: scenes.phone(s, length(60, 150, 12)),
        lambda: scenes.slump(s, length(70, 200, 20)),
        lambda: mv.drink(s),
        lambda: mv.look_around(s),
        lambda: mv.drink(s),
        lambda: mv.ear_and_shoulder(s, length(40, 90, 12)),
        lambda: _some_shrugs(s),
        lambda: exercise_movements.side_tilts(s, 2),
        lambda: exercise_movements.rotations(s, 4),
        lambda: scenes.stroll(s, length(100, 220, 14)),
        lambda: scenes.stand(s, length(100, 300, 10)),
    ]
    if s.left_s > 900 or not s.removals:  # a coffee without the sensor, at least once
        deck.append(lambda: scenes.away(s, length(120, 400, 12), plan.remount_deg))
    if s.rng.random() < 0.25:
        deck.append(lambda: mv.lie(s, length(180, 400, 15), propped_deg=35.0 * int(s.rng.integers(0, 2))))
    return deck


def _some_shrugs(s: Script) -> None:
    with s.span("shrugging", Activity.MOVING):
        for _ in range(3):
            mv.shrug(s)
            s.wait(s.uniform(0.5, 1.5))


def _repeat_until_full(s: Script, scene: Callable[[], None]) -> None:
    while s.left_s > 0:
        scene()


def _slouch(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        scenes.work(s, s.uniform(25, 45), slump_share=0.0)
        scenes.slump(s, s.uniform(80, 150), fall_s=s.uniform(4, 15))
        scenes.correct(s)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _upright(s: Script, plan: ScenarioOptions) -> None:
    _begin(s, plan)
    scenes.work(s, s.left_s, slump_share=0.0)


def _typing(s: Script, plan: ScenarioOptions) -> None:
    _begin(s, plan)
    _repeat_until_full(s, lambda: scenes.work(s, min(max(s.left_s, 10.0), 900.0), slump_share=1.0))


def _reading(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        scenes.read(s, s.uniform(70, 200))
        mv.look_around(s, 1)
        scenes.work(s, s.uniform(5, 20))

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _phone(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        scenes.phone(s, s.uniform(50, 120))
        mv.ear_and_shoulder(s, s.uniform(25, 60))

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _walking(s: Script, plan: ScenarioOptions) -> None:
    _begin(s, plan)
    mv.stand_up(s)
    _repeat_until_full(s, lambda: mv.walk(s, min(max(s.left_s, 15.0), 120.0)))


_ROUTINE_S = 1020.0  # the whole catalogue takes a slow person


def _exercises(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        exercise_movements.routine(s)
        scenes.work(s, s.left_s if s.left_s < _ROUTINE_S else 60.0)  # no routine that could not be finished

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _tilts(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        exercise_movements.side_tilts(s, 5)
        scenes.work(s, s.uniform(8, 15), slump_share=0.0)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _calibration(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        scenes.work(s, s.uniform(15, 25), slump_share=0.0)
        sensor_handling.calibrate(s, tilts=3)

    _begin(s, plan, tilts=3)
    _repeat_until_full(s, scene)


def _remount(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        scenes.work(s, s.uniform(40, 60), slump_share=0.0)
        scenes.slump(s, s.uniform(70, 90))
        scenes.correct(s)
        scenes.away(s, s.uniform(20, 40), plan.remount_deg)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _lying(s: Script, plan: ScenarioOptions) -> None:
    def scene() -> None:
        mv.lie(s, s.uniform(40, 80))
        mv.lie(s, s.uniform(40, 80), propped_deg=s.uniform(30, 42))
        scenes.work(s, 15)

    _begin(s, plan)
    _repeat_until_full(s, scene)


def _habits(s: Script, plan: ScenarioOptions) -> None:
    """Hold each habit for longer than its rule lets it be."""

    def prop_up() -> None:
        s.wait(20)
        s.move("head_flex", s.uniform(34, 36), 2.0)
        s.wait(340)

    def scene() -> None:
        mv.ear_and_shoulder(s, s.uniform(50, 70), (34, 38))
        scenes.work(s, 20, slump_share=0.0)
        mv.throw_back(s, s.uniform(50, 70))
        scenes.work(s, 20, slump_share=0.0)
        mv.lie(s, 360, during=prop_up)
        scenes.work(s, 20, slump_share=0.0)

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
        "the guided calibration with side tilts, again and again", 2.0, 0.5, _calibration
    ),
    "remount": Scenario(
        "work, slump, take the sensor off, put it back slightly turned, nod twice", 8.0, 2.0, _remount
    ),
    "habits": Scenario(
        "a telephone on the shoulder, the head thrown back, the head propped up while lying, each for long",
        11.0,
        10.0,
        _habits,
    ),
    "lying": Scenario("lying on the back, flat and with the head propped up", 6.0, 1.0, _lying),
}


def find_scenario(name: str) -> Scenario:
    """Return a scenario by name; raise ValueError with the names that exist."""
    if name not in SCENARIOS:
        raise ValueError(f"scenario {name!r} does not exist, expected one of: {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
