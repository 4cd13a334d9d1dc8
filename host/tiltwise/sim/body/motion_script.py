"""A score for the body: a cursor in time, moves on channels, and the truth of what they mean.

movements.py writes onto it, scenario.py arranges the movements, wearer.py compiles it. Times in s, channels in their
own units (segments.py: degrees and metres).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from tiltwise.sim.body.ground_truth import Span, TrueCalibration, TruePir, TrueRemoval, TrueRep, Truth
from tiltwise.sim.body.minimum_jerk import Move
from tiltwise.sim.body.person import Person
from tiltwise.sim.body.segments import AWAKE
from tiltwise.types import Activity, Side

# Peak speed of a minimum-jerk move in units of distance / duration.
MIN_JERK_PEAK = 1.875


class Script:
    """Everything a wearer will do.

    Parameters
    ----------
    person
        Who does it.
    rng
        Decides the small choices: when to glance, how far, how long.
    duration_s
        Length of the story; spans are cut there.
    bows
        The calibration's "nod" is a bow of the upper back, because the sensor (or one of two) sits on the collar.
    """

    def __init__(self, person: Person, rng: np.random.Generator, duration_s: float, *, bows: bool) -> None:
        self.person = person
        self.rng = rng
        self.duration_s = duration_s
        self.bows = bows
        self.t_s = 0.0
        self.moves: dict[str, list[Move]] = {}
        self.initial: dict[str, float] = dict(AWAKE)
        self.calibrations: list[TrueCalibration] = []
        self.removals: list[TrueRemoval] = []
        self._spans: list[Span] = []
        self._reps: list[TrueRep] = []
        self._relaxations: list[TruePir] = []

    @property
    def left_s(self) -> float:
        """Seconds until the end of the story; negative when the script ran over."""
        return self.duration_s - self.t_s

    def value(self, channel: str) -> float:
        """Return where the channel will be after its last move so far."""
        chain = self.moves.get(channel)
        return chain[-1].target if chain else self.initial.get(channel, 0.0)

    def free_s(self, channel: str) -> float:
        """Return when the channel's last move so far ends."""
        chain = self.moves.get(channel)
        return chain[-1].end_s if chain else 0.0

    def move(self, channel: str, target: float, duration_s: float, *, after_s: float = 0.0) -> float:
        """Let a channel go to target, starting after_s from the cursor; return the end, seconds from the cursor."""
        self.moves.setdefault(channel, []).append(Move(self.t_s + after_s, duration_s, target))
        return after_s + duration_s

    def go(self, channel: str, target: float, peak_per_s: float, *, after_s: float = 0.0) -> float:
        """Like move, at a peak speed (deg/s or m/s) that the person's pace scales; never under 0.35 s."""
        way = abs(target - self.value(channel))
        return self.move(
            channel, target, max(0.35, MIN_JERK_PEAK * way / (peak_per_s * self.person.pace)), after_s=after_s
        )

    def wait(self, seconds: float) -> None:
        """Move the cursor on."""
        self.t_s += seconds

    def uniform(self, low: float, high: float) -> float:
        """Return a choice from [low, high)."""
        return float(self.rng.uniform(low, high))

    def vary(self, value: float, share: float = 0.12) -> float:
        """Return the value as a person would repeat it: within plus or minus a share of it."""
        return value * self.uniform(1 - share, 1 + share)

    @contextmanager
    def span(self, doing: str, activity: Activity = Activity.STILL) -> Iterator[None]:
        """Name what happens between entering and leaving."""
        start_s = self.t_s
        yield
        if self.t_s > start_s:
            self._spans.append(Span(start_s, self.t_s, doing, activity))

    def rep(
        self, exercise: str, side: Side, direction: str, start_s: float, end_s: float, hold_s: float
    ) -> None:
        """Note one repetition; absolute times."""
        self._reps.append(TrueRep(exercise, side, direction, start_s, end_s, hold_s))

    def relaxation(self, truth: TruePir) -> None:
        """Note one post-isometric relaxation."""
        self._relaxations.append(truth)

    def truth(self) -> Truth:
        """Return the story, cut at duration_s; repetitions that would end later did not happen."""
        end_s = self.duration_s
        spans = [replace(s, end_s=min(s.end_s, end_s)) for s in _without_holes(self._spans, end_s)]
        removals = (
            replace(r, end_s=min(r.end_s, end_s), still_end_s=min(r.still_end_s, end_s))
            for r in self.removals
            if r.still_start_s < end_s
        )
        return Truth(
            tuple(spans),
            tuple(c for c in self.calibrations if max(c.nod_end_s, c.tilt_end_s) <= end_s),
            tuple(r for r in self._reps if r.end_s <= end_s),
            tuple(r for r in self._relaxations if r.end_s <= end_s),
            tuple(removals),
        )


def _without_holes(spans: list[Span], end_s: float) -> list[Span]:
    """Return the spans that begin before end_s, with "sitting" wherever nothing was named."""
    out: list[Span] = []
    t = 0.0
    for span in spans:
        if span.start_s >= end_s:
            break
        if span.start_s > t:
            out.append(Span(t, span.start_s, "sitting", Activity.STILL))
        out.append(span)
        t = span.end_s
    if t < end_s:
        out.append(Span(t, end_s, "sitting", Activity.STILL))
    return out
