"""What an exercise is, as data: phases, dose, how it looks to a sensor in each place, what to beware of.

catalogue.toml and a person's own file fill it in (catalogue_file.py reads both), guided/ leads by it, rep_counter.py
counts by its signal, docs/exercises.md is written from it. Seconds and degrees; a breath is a full breathing cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from tiltwise.exercise.signals import Angle, Signal
from tiltwise.types import Mount

BREATH_S = 5.0  # default; the wearer sets their own pace
LONGEST_S = 3600.0  # an exercise beyond an hour is a slip of the pen
STROKE_S = (
    3.0  # a movement out or back, where the clock has to guess it; also for the length that is announced
)

SAFETY_TEXT = (
    "Move slowly, only as far as it is comfortable, and never force the end of a movement. Stop if it hurts or "
    "if you feel dizzy or numb. With severe or lasting pain, numbness, dizziness or a recent injury, ask a doctor "
    "before you exercise. tiltwise is a movement coach, not a medical device."
)
# Asked before the first session; an exercise names those that speak against it.
QUESTIONS = {
    "neck": "Do you have a known problem of the neck?",
    "injury": "Did you injure your neck or head recently?",
    "osteoporosis": "Do you have osteoporosis?",
    "dizziness": "Do you get dizzy, faint or numb when you move your head?",
}

_Text = Annotated[str, Meta(min_length=1, max_length=300)]
_Name = Annotated[str, Meta(min_length=1, max_length=60)]
_Id = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
_Reps = Annotated[int, Meta(ge=1, le=100)]
_Sets = Annotated[int, Meta(ge=1, le=20)]


class Plane(StrEnum):
    """The plane that the movement lies in."""

    SIDEWAYS = "sideways"
    FORWARD = "forward and back"
    TURNING = "turning"
    SHOULDERS = "shoulders"
    MIXED = "mixed"
    NONE = "no movement"


class Sides(StrEnum):
    """How the sides are dealt with."""

    NONE = "no sides"
    ALTERNATE = "in turn"
    ONE_AFTER_OTHER = "one after the other"


class Visibility(StrEnum):
    """What a sensor in some place does for an exercise."""

    MEASURED = "measured"  # repetitions are counted
    APPROXIMATE = "approximate"  # counted, and one in ten may be missed
    GUIDED = "measured when guided"  # only while the coach asks for it; not in a file or an ordinary day
    TIMED = "timed"  # guided by the clock; repetitions are not counted
    NOT_OBSERVABLE = "not observable"  # guided by the clock, and the sensor sees nothing of it


class Do(StrEnum):
    """What the wearer does in a phase."""

    MOVE = "move"  # out, as far as `to`
    HOLD = "hold"
    RETURN = "return"
    SINK = "sink"  # slowly further, until it ends by itself
    PRESS = "press"  # tense without moving
    RELEASE = "release"
    TURN = "turn"  # to and fro in a pose, for so long
    WORK = "work"  # by the clock
    REST = "rest"


class Pose(StrEnum):
    """Where the head is while it turns."""

    UPRIGHT = "upright"
    BOWED = "bowed"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a repetition.

    Parameters
    ----------
    do, short, say
        What; in a word or two for large type; in a sentence. `{side}` becomes right or left.
    seconds, breaths
        How long; breaths go by the wearer's pace. Neither for what ends with the movement itself.
    to
        Share of the person's own range.
    way
        "minus" for the other side of the signal.
    pose
        For turns.
    """

    do: Do
    short: Annotated[str, Meta(min_length=1, max_length=14)]
    say: _Text
    seconds: Annotated[float, Meta(ge=0.0, le=900.0)] = 0.0
    breaths: Annotated[float, Meta(ge=0.0, le=60.0)] = 0.0
    to: Annotated[float, Meta(ge=0.1, le=1.0)] = 1.0
    way: str = "plus"
    pose: Pose = Pose.UPRIGHT

    def __post_init__(self) -> None:
        """Refuse what nobody could do."""
        if self.way not in ("plus", "minus"):
            raise ValueError(f"way {self.way!r}: expected plus or minus")
        ends_by_itself = self.do in (Do.MOVE, Do.RETURN, Do.SINK)
        if not ends_by_itself and not self.seconds and not self.breaths:
            raise ValueError(f"a {self.do.value} phase needs seconds or breaths")

    def lasts_s(self, breath_s: float = BREATH_S) -> float:
        """Return how long it lasts in s; a movement is guessed."""
        asked = max(self.seconds, self.breaths * breath_s)
        return asked or STROKE_S


@dataclass(frozen=True, slots=True)
class Exercise:
    """One row of the catalogue.

    Parameters
    ----------
    id, name
        For the command line and for people.
    plane, sides
        See their classes.
    reps, sets, pause_s
        Repetitions in a set, on each side if there are sides; the rest between sets.
    begin
        How to get ready.
    phases
        A repetition (a round, where the end of the movement is searched for), on one side.
    approach, leave
        Phases before the first and after the last repetition of a side.
    target_deg
        A usual range at the head, for orientation: what counts as a repetition follows the person's own peaks.
    signal
        How a repetition looks; None: no sensor sees it.
    seen
        What a sensor in each place does.
    sensor_note
        What the sensor does and cannot see.
    caution
        Beyond SAFETY_TEXT.
    asks
        Keys of QUESTIONS; with a yes to any the exercise is left out.
    is_range
        It measures a range of motion.
    """

    id: _Id
    name: _Name
    plane: Plane
    reps: _Reps
    begin: _Text
    seen: dict[Mount, Visibility]
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1, max_length=20)]
    sensor_note: str = ""
    sides: Sides = Sides.NONE
    sets: _Sets = 1
    pause_s: Annotated[float, Meta(ge=0.0, le=900.0)] = 12.0
    approach: Annotated[tuple[Phase, ...], Meta(max_length=20)] = ()
    leave: Annotated[tuple[Phase, ...], Meta(max_length=20)] = ()
    target_deg: tuple[float, float] | None = None
    signal: Signal | None = None
    caution: str = ""
    asks: tuple[str, ...] = ()
    is_range: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if set(self.seen) != set(Mount):
            raise ValueError(f"seen: expected {', '.join(Mount)}, came {', '.join(self.seen) or 'nothing'}")
        unknown = set(self.asks) - set(QUESTIONS)
        if unknown:
            raise ValueError(
                f"asks: expected some of {', '.join(QUESTIONS)}, came {', '.join(sorted(unknown))}"
            )
        needing = [do for do in (Do.MOVE, Do.SINK, Do.TURN) if any(p.do is do for p in self.all_phases)]
        if self.signal is None and (needing or any(see in _COUNTED for see in self.seen.values())):
            what = f"a {needing[0].value} phase" if needing else "an exercise that is measured"
            raise ValueError(f"{what} needs a signal: which angle moves, and which way")
        if self.lasts_s() > LONGEST_S:
            raise ValueError(f"takes {self.lasts_s() / 60:.0f} minutes: expected at most an hour")

    @property
    def all_phases(self) -> tuple[Phase, ...]:
        """Everything that is done on one side."""
        return (*self.approach, *self.phases, *self.leave)

    @property
    def steps(self) -> tuple[str, ...]:
        """The course in sentences, for whoever reads it first."""
        return (self.begin, *(phase.say.replace("{side}", "right or left") for phase in self.all_phases))

    @property
    def asks_first(self) -> tuple[str, ...]:
        """The questions in words."""
        return tuple(QUESTIONS[key] for key in self.asks)

    @property
    def n_sides(self) -> int:
        """How many sides a repetition is done on."""
        return 1 if self.sides is Sides.NONE else 2

    def hold_s(self, breath_s: float = BREATH_S) -> float:
        """Return how long the end of a repetition is held, in s."""
        return sum(phase.lasts_s(breath_s) for phase in self.phases if phase.do is Do.HOLD)

    def lasts_s(self, breath_s: float = BREATH_S) -> float:
        """Return about how long it takes, in s."""

        def total(phases: tuple[Phase, ...]) -> float:
            return sum(phase.lasts_s(breath_s) for phase in phases)

        one_side = self.reps * total(self.phases) + total(self.approach) + total(self.leave)
        return self.sets * self.n_sides * one_side + (self.sets - 1) * self.pause_s

    def is_counted(self, mount: Mount) -> bool:
        """Whether a sensor in this place can count the repetitions of a file or of an ordinary day."""
        return self.signal is not None and self.seen[mount] in (Visibility.MEASURED, Visibility.APPROXIMATE)

    def is_followed(self, mount: Mount) -> bool:
        """Whether a sensor in this place follows the exercise while the coach asks for it."""
        return self.signal is not None and self.seen[mount] in _COUNTED

    @property
    def is_of_rounds(self) -> bool:
        """Whether each repetition is a round that searches for the end of the movement."""
        return any(phase.do is Do.SINK for phase in self.all_phases)

    @property
    def is_shrug(self) -> bool:
        """Whether the shoulders move and not the head."""
        return self.signal is not None and self.signal.angle is Angle.RISE

    @property
    def is_comparison(self) -> bool:
        """Whether a shrug stands between two rests, which tell if the upper back rests elsewhere after it."""
        return self.is_shrug and self.phases[0].do is Do.REST and self.phases[-1].do is Do.REST


_COUNTED = (Visibility.MEASURED, Visibility.APPROXIMATE, Visibility.GUIDED)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a programme: an exercise, with a dose of its own if given, or another programme."""

    exercise: str = ""
    programme: str = ""
    reps: _Reps | None = None
    sets: _Sets | None = None

    def __post_init__(self) -> None:
        """Refuse two things at once, or none."""
        if bool(self.exercise) == bool(self.programme):
            raise ValueError("a part names an exercise or a programme, one of the two")


@dataclass(frozen=True, slots=True)
class Programme:
    """Exercises one after the other."""

    id: _Id
    name: _Name
    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=30)]
