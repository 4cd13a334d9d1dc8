"""A whole recording of one exercise -> its repetitions, without a neutral and without knowing how the sensor sits.

What a file of an exercise shows by itself: one movement again and again. Its axis is the main axis of what gravity
does in the sensor (turns: what the heading does), its size is that of the typical stroke, its centre is where the
movements start and return to (centre_path.py). All limits are shares of the person's own movement, so that neither
a stiff neck nor a brisk one is left out. It looks ahead; live, rep_counter.py counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from tiltwise.exercise.recorded.movement_pairs import paired
from tiltwise.exercise.recorded.movement_signal import (
    GRID_HZ,
    Movements,
    Stretch,
    pole_and_basis,
    smooth,
    smoothing_window,
    split_stretches,
    unit,
)
from tiltwise.exercise.recorded.outward_peaks import Peak, edges_of, outward_peaks, typical_size
from tiltwise.exercise.recorded.turning_points import stroke_lengths, top_speed, typical_stroke
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import FloatArray, RepCompleted, Side

_DIRECTIONS = 12  # to look for the main movement in, every 15 deg; then it is refined
_SWING = 0.65  # an excursion smaller than this share of a stroke: the strokes go from side to side


@dataclass(frozen=True, slots=True)
class MovementSettings:
    """What makes a repetition, in shares of the person's own typical movement where there is a choice.

    Parameters
    ----------
    stroke_share
        A way back of at least this share parts two movements; a hold that sags does less.
    whole_share, partial_share
        A repetition reaches the first, a partial one the second.
    used_side_share
        A side whose movements reach less than this share of the other's, or that has a single one, is measured by the
        other: that is overshoot. People reach nearly as far to one side as to the other, stiff ones two thirds.
    most_share
        A movement of more than this many typical ones measures no side, and as a turn is one of the chair.
    unrest_share
        A repetition is larger than what the head does across it, up to this share of the typical one.
    least_deg
        Smaller movements are those of any sitting head.
    smooth_s
        Length of the window that takes tremor (4 to 12 Hz) out.
    shortest_s, longest_s
        Knocks against the sensor, and postures.
    max_gap_s
        A longer hole ends a stretch.
    """

    stroke_share: float = 0.4
    whole_share: float = 0.5
    partial_share: float = 0.25
    used_side_share: float = 0.5
    most_share: float = 3.0
    unrest_share: float = 0.6
    least_deg: float = 3.0
    smooth_s: float = 0.2
    shortest_s: float = 0.2
    longest_s: float = 90.0
    max_gap_s: float = 0.5


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Movements that are no repetitions, by reason."""

    too_small: int = 0
    other_axis: int = 0
    too_short: int = 0
    too_long: int = 0
    cut_off: int = 0  # by a gap or by an end of the recording

    @property
    def total(self) -> int:
        """All of them."""
        return self.too_small + self.other_axis + self.too_short + self.too_long + self.cut_off


@dataclass(frozen=True, slots=True)
class MovementCount:
    """Repetitions in the order of time, partial ones too, and what was left out. No sides without plus_axis."""

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
    pole, basis = pole_and_basis(movements.up_sensor)
    stretches = list(split_stretches(movements, pole, basis, smooth_s=s.smooth_s, max_gap_s=s.max_gap_s))
    is_turn = signal.angle is Angle.ROTATION
    shown = None if plus_axis is None or is_turn else unit(basis @ plus_axis)
    axis = shown if shown is not None else _main_axis(stretches, s.least_deg / 2)
    work = _Work(exercise, signal, s, stretches, is_turn)
    if shown is None and not is_turn:
        for _ in range(2):  # glances bend the first axis; the movements found with it have a better one
            axis = _axis_of(work.displacements(axis), axis)
    found = work.count(axis, has_sides=is_turn or shown is not None)
    return replace(found, axis_sensor=None if is_turn else axis @ basis)


class _Work:
    """One recording being counted."""

    def __init__(
        self,
        exercise: str,
        signal: Signal,
        settings: MovementSettings,
        stretches: list[Stretch],
        is_turn: bool,
    ) -> None:
        self._exercise, self._signal, self._settings = exercise, signal, settings
        self._stretches, self._is_turn = stretches, is_turn

    def displacements(self, axis: FloatArray) -> FloatArray:
        """Return how far the movements along an axis went in both directions, (m, 2) deg, outward positive."""
        lines = self._lines(axis)
        peaks, _ = self._peaks(lines, axis)
        if not peaks:
            return np.empty((0, 2))
        tilts = self._stretches
        middle = median(p.size_deg for p in peaks)
        alike = [p for p in peaks if 0.5 * middle <= p.size_deg <= 2.0 * middle]
        return np.array([p.sign * self._way(tilts[p.stretch].tilt_deg, p, lines) for p in alike])

    def count(self, axis: FloatArray, *, has_sides: bool) -> MovementCount:
        """Count along an axis."""
        lines = self._lines(axis)
        peaks, typical_deg = self._peaks(lines, axis)
        wanted = {Way.PLUS: (1.0,), Way.MINUS: (-1.0,)}.get(self._signal.way, (1.0, -1.0))
        if len(wanted) == 1 and not has_sides and peaks:
            wanted = (_main_sign(peaks),)
        peaks = [p for p in peaks if p.sign in wanted]
        limits = self._limits(peaks, typical_deg, self._unrest(axis))
        reps: list[RepCompleted] = []
        lost = dict.fromkeys(("too_small", "other_axis", "too_short", "too_long", "cut_off"), 0)
        for peak in peaks:
            rep = self._rep(peak, lines, limits[peak.sign])
            reason = self._reason(peak, rep, lines, axis, limits[peak.sign], typical_deg)
            if reason:
                lost[reason] += 1
            else:
                reps.append(rep)
        if self._signal.way is Way.PAIR:
            reps = paired(reps, first=-1.0 if has_sides else None)
        elif self._signal.way is not Way.EITHER:
            reps = [replace(rep, side=Side.NONE) for rep in reps]
        if not has_sides:
            reps = [replace(rep, side=Side.NONE) for rep in reps]
        return MovementCount(tuple(reps), LeftOut(**lost), typical_deg, None)

    def _lines(self, axis: FloatArray) -> list[FloatArray]:
        """Return the signal along an axis, smoothed as far as movements of this length bear it."""
        lines = [s.turn_deg if self._is_turn else s.tilt_deg @ axis for s in self._stretches]
        scale = self._scale(lines, self._unrest(axis))
        speed_deg_s = top_speed(lines, max(scale / 2, self._settings.least_deg / 2)) * GRID_HZ
        window_s = min(0.4 * scale / max(speed_deg_s, 1e-9), 1.0)
        if window_s <= self._settings.smooth_s:
            return lines
        window = smoothing_window(window_s)
        return [smooth(line, window) for line in lines]

    def _unrest(self, axis: FloatArray) -> float:
        """How far the head goes across the movement without meaning it, deg: so much of the signal is no exercise.

        Talk moves a head about all axes. The third quartile: a few glances do not raise it.
        """
        if self._is_turn:
            across = [column for s in self._stretches for column in s.tilt_deg.T]
        else:
            across = [s.tilt_deg @ np.array([-axis[1], axis[0]]) for s in self._stretches]
        strokes = stroke_lengths(across, self._settings.least_deg / 2)
        return float(np.percentile(strokes, 75)) if len(strokes) else 0.0

    def _scale(self, lines: list[FloatArray], unrest_deg: float) -> float:
        """Return the length of a typical stroke of the exercise."""
        least = self._settings.least_deg / 2
        found, _ = typical_stroke(lines, max(least, unrest_deg), returns=self._is_turn)
        return found or typical_stroke(lines, least, returns=self._is_turn)[0]

    def _peaks(self, lines: list[FloatArray], axis: FloatArray) -> tuple[list[Peak], float]:
        """Find centre and turns twice: the first time with the typical stroke, then with the typical excursion."""
        s = self._settings
        unrest = self._unrest(axis)
        scale = self._scale(lines, unrest)
        if scale < s.least_deg:
            return [], scale
        peaks = self._far_out(lines, scale, unrest)
        typical = typical_size(peaks, s.partial_share * scale)
        if 0.0 < typical < _SWING * scale:  # from side to side a stroke is two excursions
            scale = max(typical, s.least_deg)
            peaks = self._far_out(lines, scale, unrest)
            typical = typical_size(peaks, s.partial_share * scale)
        return peaks, typical

    def _far_out(self, lines: list[FloatArray], scale_deg: float, unrest_deg: float) -> list[Peak]:
        s = self._settings
        least = max(s.stroke_share * scale_deg, min(unrest_deg, s.whole_share * scale_deg), s.least_deg / 2)
        peaks: list[Peak] = []
        for number, line in enumerate(lines):
            peaks += outward_peaks(number, line, least, scale_deg)
        return peaks

    def _limits(self, peaks: list[Peak], typical_deg: float, unrest_deg: float) -> dict[float, float]:
        """Return the size of a whole repetition for each side: people tilt less far to one side than to the other."""
        s = self._settings
        least = s.partial_share * typical_deg
        most = s.most_share * typical_deg
        sides = {
            sign: [p for p in peaks if p.sign == sign and least <= p.size_deg <= most] for sign in (1.0, -1.0)
        }
        typical = {sign: typical_size(some, least) for sign, some in sides.items()}
        sets = [typical[sign] for sign, some in sides.items() if len(some) > 1]
        largest = max(sets or typical.values())
        is_used = {
            sign: len(sides[sign]) > 1 and typical[sign] >= s.used_side_share * largest for sign in sides
        }
        own = {sign: typical[sign] if is_used[sign] else largest for sign in sides}
        floor = max(s.least_deg, min(unrest_deg, s.unrest_share * largest))
        return {sign: max(s.whole_share * x, floor) for sign, x in own.items()}

    def _way(self, column: FloatArray, peak: Peak, lines: list[FloatArray]) -> FloatArray:
        """How far a column (n, ...) is at a peak from where the movement began."""
        line = lines[peak.stretch]
        start, _ = edges_of(line, peak)
        way: FloatArray = column[peak.index] - column[start]
        return way

    def _rep(self, peak: Peak, lines: list[FloatArray], limit_deg: float) -> RepCompleted:
        line, t_s = lines[peak.stretch], self._stretches[peak.stretch].t_s
        start, end = edges_of(line, peak)
        outward = peak.sign * (line - peak.centre_deg)
        near = outward >= 0.9 * peak.size_deg
        first, last = peak.index, peak.index
        while first > peak.before and near[first - 1]:
            first -= 1
        while last < peak.after and near[last + 1]:
            last += 1
        side = Side.RIGHT if peak.sign > 0 else Side.LEFT
        return RepCompleted(
            float(t_s[end]), self._exercise, side, float(t_s[start]), float(t_s[peak.index]), float(t_s[end]),
            peak.size_deg, float(t_s[last] - t_s[first]), peak.size_deg < limit_deg,
        )  # fmt: skip

    def _reason(
        self,
        peak: Peak,
        rep: RepCompleted,
        lines: list[FloatArray],
        axis: FloatArray,
        limit_deg: float,
        typical_deg: float,
    ) -> str:
        """Why a movement is no repetition, whole or partial; empty if it is one."""
        s = self._settings
        if peak.size_deg < max(limit_deg * s.partial_share / s.whole_share, s.least_deg / 2):
            return "too_small"
        if not peak.is_whole:
            return "cut_off"
        if rep.end_s - rep.start_s < s.shortest_s:
            return "too_short"
        if rep.end_s - rep.start_s > s.longest_s:
            return "too_long"
        stretch = self._stretches[peak.stretch]
        tilt = self._way(stretch.tilt_deg, peak, lines)
        turn = abs(float(self._way(stretch.turn_deg, peak, lines)))
        tilted = float(np.hypot(*tilt))
        along = turn if self._is_turn else abs(float(tilt @ axis))
        across = tilted if self._is_turn else float(np.sqrt(max(tilted**2 - along**2, 0.0)))
        is_chair = self._is_turn and peak.size_deg > s.most_share * typical_deg
        is_other = is_chair or across > along or (not self._is_turn and turn > 2.0 * along)
        return "other_axis" if is_other else ""


def _main_sign(peaks: list[Peak]) -> float:
    """The side with the larger movements in sum."""
    return 1.0 if sum(p.sign * p.size_deg for p in peaks) >= 0 else -1.0


def _main_axis(stretches: list[Stretch], least_deg: float) -> FloatArray:
    """Return the direction (2,) in which there is most of one movement again and again."""
    angles = np.linspace(0.0, np.pi, _DIRECTIONS, endpoint=False)
    candidates = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    amounts = [typical_stroke([s.tilt_deg @ axis for s in stretches], least_deg)[1] for axis in candidates]
    best: FloatArray = candidates[int(np.argmax(amounts))]
    return best


def _axis_of(ways: FloatArray, axis: FloatArray) -> FloatArray:
    """Return the main direction of these displacements, pointing as the axis did."""
    if not len(ways):
        return axis
    new = _principal(ways.T @ ways)
    return new if new @ axis >= 0 else -new


def _principal(spread: FloatArray) -> FloatArray:
    values: FloatArray = np.linalg.eigh(spread)[1][:, -1]
    return values
