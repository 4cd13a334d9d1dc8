"""A whole recording of one exercise -> its repetitions, without a neutral and without knowing how the sensor sits.

What a file of an exercise shows by itself: one movement again and again, out and back. Its axis is the main axis of
what gravity does in the sensor (turns: what the heading does); its size, pace and direction are those of most strokes
that are alike (set_search.py), and each stroke is told by them (stroke_path.py). So neither a stiff neck nor a brisk
one is left out, and the middle may wander. It looks ahead; live, rep_counter.py counts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import takewhile

import numpy as np

from tiltwise.exercise.recorded.movement_excursions import Excursion, edges_of
from tiltwise.exercise.recorded.movement_pairs import paired
from tiltwise.exercise.recorded.movement_signal import (
    Movements,
    Stretch,
    pole_and_basis,
    split_stretches,
    unit,
)
from tiltwise.exercise.recorded.set_search import FoundSet, SetSearch
from tiltwise.exercise.recorded.stroke_path import MINUS, PLUS
from tiltwise.exercise.recorded.worn_part import worn_part
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import FloatArray, RepCompleted, Side


@dataclass(frozen=True, slots=True)
class MovementSettings:
    """What makes a repetition, in shares of the person's own typical movement where there is a choice.

    Parameters
    ----------
    partial_share
        A partial repetition reaches this.
    most_share
        A turn of more than this many typical ones is one of the chair.
    least_deg
        Smaller movements are those of any sitting head.
    smooth_s
        Length of the window that takes tremor (4 to 12 Hz) out.
    shortest_s, longest_s
        Knocks against the sensor, and postures.
    max_gap_s
        A longer hole ends a stretch.
    most_unlike
        A movement at an end that is less like the others is none of the set; theirs are below 0.7.
    """

    partial_share: float = 0.25
    most_share: float = 3.0
    least_deg: float = 3.0
    smooth_s: float = 0.2
    shortest_s: float = 0.2
    longest_s: float = 90.0
    max_gap_s: float = 0.5
    most_unlike: float = 0.75


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Movements that are no repetitions, by reason."""

    too_small: int = 0
    other_axis: int = 0
    too_short: int = 0
    too_long: int = 0
    cut_off: int = 0  # by a gap or by an end of the recording
    unlike: int = 0  # the first or last one, far from the others: a sensor put on or taken off

    @property
    def total(self) -> int:
        """All of them."""
        return self.too_small + self.other_axis + self.too_short + self.too_long + self.cut_off + self.unlike


@dataclass(frozen=True, slots=True)
class MovementCount:
    """Repetitions in the order of time, partial ones too, and what was left out.

    Without plus_axis left and right are told apart, but not which of them is which.
    """

    reps: tuple[RepCompleted, ...]
    left_out: LeftOut
    typical_deg: float
    axis_sensor: FloatArray | None  # where "up" goes in the sensor, (3,); None for turns


def count_movements(
    exercise: str,
    signal: Signal,
    movements: Movements,
    *,
    plus_axis: FloatArray | None = None,
    settings: MovementSettings | None = None,
) -> MovementCount:
    """Return the repetitions of a declared exercise.

    Parameters
    ----------
    exercise, signal
        The name that the repetitions carry, and which movement it is.
    movements
        The recording.
    plus_axis
        Where "up" moves in the sensor when the exercise goes to its plus side (right tilt, flexion), (3,), if the
        mounting is known. Turns need none: up is known.
    settings
        Shares and limits.
    """
    s = settings or MovementSettings()
    if not len(movements.t_s):
        return MovementCount((), LeftOut(), 0.0, None)
    has_sides = signal.angle is Angle.ROTATION or plus_axis is not None
    search, found, basis = _find(signal, movements, plus_axis, s)
    is_turn = signal.angle is Angle.ROTATION
    reps, left_out = _Counting(exercise, s, search.stretches, search, found, is_turn).reps()
    if signal.way is Way.PAIR:
        reps = paired(reps, first=-1.0 if has_sides else None)
    if signal.way is not Way.EITHER:
        reps = [replace(rep, side=Side.NONE) for rep in reps]
    return MovementCount(tuple(reps), left_out, found.typical_deg, None if is_turn else found.axis @ basis)


def worn(signal: Signal, movements: Movements, settings: MovementSettings | None = None) -> slice:
    """Return the samples between putting the sensor on and taking it off (worn_part.py)."""
    s = settings or MovementSettings()
    return worn_part(
        movements, lambda part: _find(signal, part, None, s)[1], is_turn=signal.angle is Angle.ROTATION
    )


def _find(
    signal: Signal, movements: Movements, plus_axis: FloatArray | None, s: MovementSettings
) -> tuple[SetSearch, FoundSet, FloatArray]:
    """Return the search, what it found, and the directions (2, 3) in the sensor that its axis is given in."""
    pole, basis = pole_and_basis(movements.up_sensor)
    stretches = list(split_stretches(movements, pole, basis, smooth_s=s.smooth_s, max_gap_s=s.max_gap_s))
    is_turn = signal.angle is Angle.ROTATION
    shown = None if plus_axis is None or is_turn else unit(basis @ plus_axis)
    search = SetSearch(stretches, is_turn=is_turn, least_deg=s.least_deg, smooth_s=s.smooth_s)
    has_sides = is_turn or shown is not None
    ways = _ways(signal.way, has_sides=has_sides)
    if has_sides:
        found = search.along(np.array([1.0, 0.0]) if shown is None else shown, ways)
    else:
        found = search.anywhere(ways)
    return search, found, basis


def _ways(way: Way, *, has_sides: bool) -> list[tuple[int, ...]]:
    """Return the choices of sides that a set of it can have."""
    one_side: list[tuple[int, ...]] = [(PLUS,), (MINUS,)]
    if way in (Way.PLUS, Way.MINUS):
        return [one_side[way is Way.MINUS]] if has_sides else one_side
    return [*one_side, (PLUS, MINUS)]


class _Counting:
    """A set that was found, being counted."""

    def __init__(
        self,
        exercise: str,
        settings: MovementSettings,
        stretches: list[Stretch],
        search: SetSearch,
        found: FoundSet,
        is_turn: bool,
    ) -> None:
        self._exercise, self._settings, self._stretches = exercise, settings, stretches
        self._search, self._found, self._is_turn = search, found, is_turn

    def reps(self) -> tuple[list[RepCompleted], LeftOut]:
        """Return its repetitions, partial ones too, and what is none."""
        found, reps = self._found, []
        lost = dict.fromkeys((field.name for field in fields(LeftOut)), 0)
        wanted = {one.sign for one in found.excursions if one.is_told}
        unlike = self._unlike_ends()
        for one in found.excursions:
            if wanted and one.sign not in wanted:
                continue
            rep = self._rep(one)
            reason = "unlike" if one in unlike else self._reason(one, rep)
            if reason:
                lost[reason] += 1
            else:
                reps.append(rep)
        return reps, LeftOut(**lost)

    def _unlike_ends(self) -> list[Excursion]:
        """Return the movements before and after the set that were taken for its own although they are unlike it."""
        told = [one for one in self._found.excursions if one.is_told]
        most = self._settings.most_unlike
        return [
            *takewhile(lambda one: one.cost > most, told),
            *takewhile(lambda one: one.cost > most, told[::-1]),
        ]

    def _rep(self, one: Excursion) -> RepCompleted:
        line, t_s = self._found.lines[one.stretch], self._stretches[one.stretch].t_s
        start, end = edges_of(line, one)
        near = one.sign * (line[one.before : one.after + 1] - one.centre_deg) >= 0.9 * one.size_deg
        short = np.flatnonzero(~near) + one.before
        at = int(np.searchsorted(short, one.index))
        first = int(short[at - 1]) + 1 if at else one.before
        last = int(short[at]) - 1 if at < len(short) else one.after
        side = Side.RIGHT if one.sign > 0 else Side.LEFT
        return RepCompleted(
            float(t_s[end]), self._exercise, side, float(t_s[start]), float(t_s[one.index]), float(t_s[end]),
            one.size_deg, float(t_s[last] - t_s[first]), not one.is_told,
        )  # fmt: skip

    def _reason(self, one: Excursion, rep: RepCompleted) -> str:
        """Why a movement is no repetition, whole or partial; empty if it is one."""
        s, found = self._settings, self._found
        if one.size_deg < max(s.partial_share * found.typical_deg, s.least_deg / 2):
            return "too_small"
        if not one.is_whole:
            return "cut_off"
        if rep.end_s - rep.start_s < s.shortest_s:
            return "too_short"
        if rep.end_s - rep.start_s > s.longest_s:
            return "too_long"
        stretch = self._stretches[one.stretch]
        tilt = self._search.way(stretch.tilt_deg, one, found)
        turn = abs(float(self._search.way(stretch.turn_deg, one, found)))
        tilted = float(np.hypot(*tilt))
        along = turn if self._is_turn else abs(float(tilt @ found.axis))
        across = tilted if self._is_turn else float(np.sqrt(max(tilted**2 - along**2, 0.0)))
        is_chair = self._is_turn and one.size_deg > s.most_share * found.typical_deg
        is_other = is_chair or across > along or (not self._is_turn and turn > 2.0 * along)
        return "other_axis" if is_other else ""
