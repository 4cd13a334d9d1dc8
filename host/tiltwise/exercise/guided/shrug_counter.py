"""Moments of a collar -> shrugs that were asked for: up, held, and down again, from the vertical acceleration alone.

Held shoulders make no acceleration and turn the collar little, so only the strokes are seen: a rise is told when it
ends, and done when the fall ends. Where a stroke begins and ends there is next to no speed: both follow from its
fastest moment and from when it has slowed down, as strokes of people have least jerk (Flash and Hogan 1985). Metres
and seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from math import sqrt

from tiltwise.detect.vertical_speed import VerticalSpeed
from tiltwise.exercise.guided.counter_events import CounterEvent, RepTakenBack, RepTold
from tiltwise.exercise.guided.moments import MAX_GAP_S, Moment
from tiltwise.exercise.guided.usual_course import UsualSizes
from tiltwise.types import RepCompleted, Side


class Shoulders(Enum):
    """Where the shoulders are."""

    DOWN = auto()
    RISING = auto()
    UP = auto()
    RISING_AGAIN = auto()  # a correction, or the fall was not seen
    FALLING = auto()


class Stroke(Enum):
    """What a moment shows."""

    ROSE = auto()  # upward, fast enough
    SLOWED = auto()  # the stroke is over, and was one of shoulders
    FAILED = auto()  # the stroke is over, and was not
    FELL = auto()  # downward
    LATE = auto()  # up for too long
    NOTHING = auto()


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Shoulders.DOWN, Stroke.ROSE): Shoulders.RISING,
    (Shoulders.RISING, Stroke.SLOWED): Shoulders.UP,
    (Shoulders.RISING, Stroke.FAILED): Shoulders.DOWN,
    (Shoulders.UP, Stroke.FELL): Shoulders.FALLING,
    (Shoulders.UP, Stroke.ROSE): Shoulders.RISING_AGAIN,
    (Shoulders.RISING_AGAIN, Stroke.SLOWED): Shoulders.UP,
    (Shoulders.RISING_AGAIN, Stroke.FAILED): Shoulders.UP,
    (Shoulders.UP, Stroke.LATE): Shoulders.DOWN,
    (Shoulders.FALLING, Stroke.SLOWED): Shoulders.DOWN,
    (Shoulders.FALLING, Stroke.FAILED): Shoulders.UP,
}


@dataclass(frozen=True, slots=True)
class ShrugSettings:
    """What a shrug looks like: shoulders rise by 2 to 4 cm, in 0.4 to 1.5 s."""

    least_m: float = 0.006
    most_m: float = 0.15  # more is standing up
    whole_share: float = 0.35  # of the rises before, whose beginnings are not seen: less is partial
    least_m_s: float = 0.018  # 2 cm in 1.5 s peaks at 25 mm/s
    end_share: float = 0.25  # of the greatest speed of the stroke: below, it is over
    longest_s: float = 30.0


class ShrugCounter:
    """Counts shrugs; the same face as a TurnCounter."""

    def __init__(self, exercise: str, settings: ShrugSettings | None = None) -> None:
        self.exercise, self._s = exercise, settings or ShrugSettings()
        self.state = Shoulders.DOWN
        self._t_s: float | None = None
        self._speed = VerticalSpeed()
        self._fastest_s = self._fastest_m_s = self._way_m = self._risen_m = 0.0
        self._sizes = UsualSizes()
        self._start_s = self._up_s = self._down_s = 0.0
        self._told: RepTold | None = None

    @property
    def deviation_deg(self) -> float:
        """Nothing: held shoulders are not seen."""
        return float("nan")

    @property
    def side(self) -> Side:
        """Shoulders rise together."""
        return Side.NONE

    @property
    def held_s(self) -> float:
        """How long the shoulders have been up."""
        return 0.0 if self._told is None or self._t_s is None else max(self._t_s - self._up_s, 0.0)

    @property
    def rested_s(self) -> float:
        """How long they have been down and quiet."""
        return self._speed.rested_s if self.state is Shoulders.DOWN else 0.0

    def step(self, moment: Moment) -> list[CounterEvent]:
        """Take a moment; return what it shows."""
        dt_s = 0.0 if self._t_s is None else moment.t_s - self._t_s
        if dt_s > MAX_GAP_S or not moment.is_worn:
            events = self.finish()
            self._t_s, self._speed.m_s = moment.t_s, 0.0
            return events
        self._t_s = moment.t_s
        if dt_s <= 0.0:
            return []
        self._speed.step(moment.rise_m_s / dt_s, dt_s)
        self._way_m += self._speed.m_s * dt_s
        shown = self._look()
        following = TRANSITIONS.get((self.state, shown), self.state)
        events = self._act(shown, following)
        self.state = following
        return events

    def forget(self) -> None:
        """Nothing was asked for so far."""
        self._sizes.forget()

    def settle(self) -> None:
        """Nothing asked for: whatever the shoulders did is over."""
        if self._speed.is_quiet:
            self._told, self.state = None, Shoulders.DOWN

    def finish(self) -> list[CounterEvent]:
        """Close the repetition under way: what was told stands."""
        events: list[CounterEvent] = [] if self._told is None else [self._rep(self._t_s or 0.0)]
        self._told, self.state, self._speed.rested_s = None, Shoulders.DOWN, 0.0
        return events

    def _look(self) -> Stroke:
        s, speed = self._s, self._speed.m_s
        t_s = self._t_s or 0.0
        if self.state is Shoulders.DOWN:
            return Stroke.ROSE if speed >= s.least_m_s else Stroke.NOTHING
        if self.state is Shoulders.UP:
            if t_s - self._up_s > s.longest_s:
                return Stroke.LATE
            if speed <= -s.least_m_s:
                return Stroke.FELL
            return Stroke.ROSE if speed >= s.least_m_s else Stroke.NOTHING
        sign = -1.0 if self.state is Shoulders.FALLING else 1.0
        if sign * speed > self._fastest_m_s:
            self._fastest_m_s, self._fastest_s = sign * speed, t_s
        if sign * speed > s.end_share * self._fastest_m_s:
            return Stroke.NOTHING
        return Stroke.SLOWED if s.least_m <= sign * self._way_m <= s.most_m else Stroke.FAILED

    def _act(self, shown: Stroke, following: Shoulders) -> list[CounterEvent]:
        t_s = self._t_s or 0.0
        if shown in (Stroke.ROSE, Stroke.FELL) and following is not self.state:
            self._fastest_m_s = self._way_m = 0.0
            self._fastest_s = t_s
            if following is Shoulders.RISING:
                self._start_s = t_s
            return []
        if shown is Stroke.SLOWED and self.state is Shoulders.FALLING:
            self._down_s = self._fastest_s - self._half_stroke_s(t_s)
            return self._close(t_s)
        if shown is Stroke.SLOWED:
            return self._rose(t_s)
        if shown is Stroke.LATE and self._told is not None:
            told, self._told = self._told, None
            return [RepTakenBack(t_s, told.t_s, Side.NONE, "the shoulders did not come down")]
        return []

    def _rose(self, t_s: float) -> list[CounterEvent]:
        """The shoulders are up; as far up again as they were means that their fall was not seen."""
        least = self._s.whole_share * (self._sizes.usual() or 0.0)
        events: list[CounterEvent] = []
        if self.state is Shoulders.RISING_AGAIN:
            if self._way_m < max(least, self._s.whole_share * self._risen_m):
                return []
            # A small creep before it was none at all.
            events = [] if self._told is None else self._close(t_s)
            self._start_s = t_s
        self._up_s, self._risen_m = self._fastest_s + self._half_stroke_s(t_s), self._way_m
        if self._way_m < least:
            return events
        self._told = RepTold(t_s, Side.NONE, float("nan"))
        none = self._sizes.disprove(self._s.whole_share * self._way_m)
        why = "much smaller than what followed"
        return [*events, self._told, *(RepTakenBack(t_s, told.t_s, Side.NONE, why) for told in none)]

    def _close(self, t_s: float) -> list[CounterEvent]:
        """The shoulders are down; a rise that was too small to be told was a partial one."""
        done, told, self._told = self._rep(t_s), self._told, None
        if told is None:
            self._sizes.note_part(self._risen_m)
            return [replace(done, is_partial=True)]
        self._sizes.note_whole(told, self._risen_m)
        return [done]

    def _half_stroke_s(self, slowed_s: float) -> float:
        """How long a stroke takes from its fastest moment to its end: its speed goes by (4 x (1 - x))^2."""
        return (slowed_s - self._fastest_s) / sqrt(1.0 - sqrt(self._s.end_share))

    def _rep(self, t_s: float) -> RepCompleted:
        held_s = max((self._down_s if self._down_s > self._up_s else t_s) - self._up_s, 0.0)
        return RepCompleted(
            t_s, self.exercise, Side.NONE, self._start_s, self._up_s, t_s, float("nan"), held_s
        )
