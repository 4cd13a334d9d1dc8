"""Stretches of movement -> the set of one exercise in them: its direction, its size, and its ways out and back.

Several directions and sizes are tried; the one that makes most of a set, of many strokes that are alike, is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.exercise.recorded.movement_excursions import Excursion, edges_of, excursions
from tiltwise.exercise.recorded.movement_signal import GRID_HZ, Stretch, smooth, smoothing_window
from tiltwise.exercise.recorded.set_pattern import find_set
from tiltwise.exercise.recorded.turning_points import stroke_lengths, top_speed, typical_stroke
from tiltwise.types import FloatArray

_POWERS = (1.5, 0.75)  # of lengths, to look for the typical stroke with: few large ones, or many small ones
_SAME_SIZE = 0.1
_DIRECTIONS = 12  # to look for the main movement in, every 15 deg; then it is refined
_ROUNDS = 2  # glances bend the first direction; the movements found with it have a better one
_SAME_DEG = 2.0
_ALIKE = 0.5  # of what a stroke can cost; nine of ten are below 0.4
_BESIDE = np.array([1.0, 1.0, 0.5])  # a head that tilts turns with it


@dataclass(frozen=True, slots=True)
class FoundSet:
    """The movement along an axis (2,) by stretch, (n,) deg each, its ways out and back, and a usual size.

    alike_s are the times of the movements that are clearly of the set.
    """

    axis: FloatArray
    lines: list[FloatArray]
    excursions: list[Excursion]
    typical_deg: float
    strength: float
    alike_s: tuple[float, ...] = ()


class SetSearch:
    """One recording in which a set is looked for.

    Parameters
    ----------
    stretches
        The recording, without gaps.
    is_turn
        Turns of the head, whose direction is known; otherwise it tilts.
    least_deg, smooth_s
        Smaller movements are none of an exercise; the window that the stretches were smoothed with.
    """

    def __init__(self, stretches: list[Stretch], *, is_turn: bool, least_deg: float, smooth_s: float) -> None:
        self.stretches, self._is_turn = stretches, is_turn
        self._least_deg, self._smooth_s = least_deg, smooth_s

    def anywhere(self, ways: list[tuple[int, ...]]) -> FoundSet:
        """Find it with any of these choices of sides, in the direction that has most of a set."""
        return max(
            (self._refined(axis, ways) for axis in self._main_axes()), key=lambda found: found.strength
        )

    def along(self, axis: FloatArray, ways: list[tuple[int, ...]]) -> FoundSet:
        """Find it along an axis."""
        basis = np.array([axis, [-axis[1], axis[0]]]).T
        columns = [
            np.column_stack((s.turn_deg, s.tilt_deg) if self._is_turn else (s.tilt_deg @ basis, s.turn_deg))
            for s in self.stretches
        ]
        sizes = sorted(self._scales(columns))
        if sizes[1] < self._least_deg:
            return FoundSet(axis, [some[:, 0] for some in columns], [], sizes[1], 0.0)
        if sizes[1] - sizes[0] < _SAME_SIZE * sizes[1] or sizes[0] < self._least_deg:
            sizes = sizes[1:]
        return max(
            (self._of_size(axis, columns, scale, ways) for scale in sizes), key=lambda found: found.strength
        )

    def _of_size(
        self, axis: FloatArray, columns: list[FloatArray], scale_deg: float, ways: list[tuple[int, ...]]
    ) -> FoundSet:
        columns = self._smoothed(columns, scale_deg)
        lines = [some[:, 0] for some in columns]
        told = find_set(columns, scale_deg, ways, self._least_deg)
        some = [one for number, line in enumerate(lines) for one in excursions(number, line, told)]
        sizes = [one.size_deg for one in some if one.is_told and one.is_whole]
        typical_deg = float(np.median(sizes)) if sizes else scale_deg
        alike_s = tuple(
            float(self.stretches[one.stretch].t_s[one.index])
            for one in some
            if one.is_told and one.cost < _ALIKE
        )
        return FoundSet(axis, lines, some, typical_deg, told.strength, alike_s)

    def _refined(self, axis: FloatArray, ways: list[tuple[int, ...]]) -> FoundSet:
        """Turn the axis to where the movements along it go."""
        found = self.along(axis, ways)
        for _ in range(_ROUNDS):
            told = [one for one in found.excursions if one.is_told]
            if not told:
                break
            moves = np.array([self.way(self.stretches[one.stretch].tilt_deg, one, found) for one in told])
            better = _principal(moves.T @ moves)
            better = better if better @ found.axis >= 0 else -better
            if better @ found.axis >= np.cos(np.radians(_SAME_DEG)):
                break
            found = self.along(better, ways)
        return found

    def way(self, column: FloatArray, one: Excursion, found: FoundSet) -> FloatArray:
        """How far a column (n, ...), deg, is at the furthest point from where the movement began."""
        start, _ = edges_of(found.lines[one.stretch], one)
        way: FloatArray = column[one.index] - column[start]
        return way

    def _smoothed(self, columns: list[FloatArray], scale_deg: float) -> list[FloatArray]:
        """Return (n, 3) columns, deg, smoothed as far as movements of this size and pace bear it."""
        lines = [some[:, 0] for some in columns]
        speed_deg_s = top_speed(lines, max(scale_deg, self._least_deg) / 2) * GRID_HZ
        window_s = min(0.4 * scale_deg / max(speed_deg_s, 1e-9), 1.0)
        if window_s <= self._smooth_s:
            return columns
        window = smoothing_window(window_s)
        return [np.column_stack([smooth(column, window) for column in some.T]) for some in columns]

    def _scales(self, columns: list[FloatArray]) -> list[float]:
        """Return lengths of a typical stroke, deg, from columns (n, 3) along the movement and beside it."""
        least = self._least_deg / 2
        some = columns if self._is_turn else [column * _BESIDE for column in columns]
        found = []
        for limit in (max(least, self._unrest(columns)), least):
            lengths = stroke_lengths(some, limit, returns=self._is_turn)
            found.append([typical_stroke(lengths, limit, power)[0] for power in _POWERS])
            if all(found[0]):
                break
        return [quiet or any_size for quiet, any_size in zip(found[0], found[-1], strict=True)]

    def _unrest(self, columns: list[FloatArray]) -> float:
        """How far the head goes across the movement without meaning it, deg: so much of the signal is no exercise.

        Talk moves a head about all axes. The third quartile: a few glances do not raise it.
        """
        across = [some[:, k] for some in columns for k in ((1, 2) if self._is_turn else (1,))]
        strokes = stroke_lengths(across, self._least_deg / 2)
        return float(np.percentile(strokes, 75)) if len(strokes) else 0.0

    def _main_axes(self) -> list[FloatArray]:
        """Return the directions (2,) with most of one movement again and again: of few large ones, of many small."""
        angles = np.linspace(0.0, np.pi, _DIRECTIONS, endpoint=False)
        least, amounts = self._least_deg / 2, []
        for c, s in zip(np.cos(angles), np.sin(angles), strict=True):
            basis = np.array([[c, -s], [s, c]])
            columns = [
                np.column_stack((one.tilt_deg @ basis, one.turn_deg)) * _BESIDE for one in self.stretches
            ]
            lengths = stroke_lengths(columns, least)
            amounts.append([typical_stroke(lengths, least, power)[1] for power in _POWERS])
        best = dict.fromkeys(int(k) for k in np.argmax(amounts, axis=0))
        return [np.array([np.cos(angles[k]), np.sin(angles[k])]) for k in best]


def _principal(spread: FloatArray) -> FloatArray:
    values: FloatArray = np.linalg.eigh(spread)[1][:, -1]
    return values
