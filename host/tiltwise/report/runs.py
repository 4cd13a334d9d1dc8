"""Seconds of posture become uninterrupted runs: exposure variation (EVA), ISO 11226 holding time, longest spell.

One angle per whole second (its time-weighted mean, deg). A second with less than half of it in posture breaks a
run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiltwise.report import aggregate as agg
from tiltwise.types import FloatArray, Mount

_IntArray = NDArray[np.int64]
_ENOUGH_US = 500_000  # half a second: less says nothing about this second
_STATIC_S = 4  # ISO 11226 calls a posture static when it is held longer than this


@dataclass(frozen=True, slots=True)
class Seconds:
    """Whole seconds in order: number since the time axis' zero, posture time (us), angle x time (udeg us)."""

    number: _IntArray
    weight_us: FloatArray
    moment_udeg_us: FloatArray


@dataclass(slots=True)
class RunResult:
    """What the runs left in one minute; see aggregate.Aggregate."""

    eva_s: FloatArray = field(default_factory=lambda: np.zeros(agg.EVA_SHAPE))
    limit_use: float = 0.0
    bout_s: float = 0.0


@dataclass(slots=True)
class _Open:
    """A run that has not ended: its class, its length and, for bent runs, the share of the limit used."""

    kind: int = -1
    length_s: int = 0
    use: float = 0.0


class RunTracker:
    """Follows runs over seconds that arrive in any cuts; `results` holds what ended, by minute.

    Parameters
    ----------
    mount
        Chooses the limits of ISO 11226.
    next_day_s
        Of a time in s on the axis, when the next day begins: a run ends with its day. None: it does not.
    """

    def __init__(self, mount: Mount, next_day_s: Callable[[float], float] | None = None) -> None:
        self._mount, self._next_day_s = mount, next_day_s
        self.results: dict[int, RunResult] = {}
        self._open_second: Seconds | None = None  # may still grow
        self._last_second: int | None = None  # newest closed second
        self._day_ends_s: float | None = None
        self._eva, self._static, self._spell = _Open(), _Bouts(), _Bouts()

    @property
    def settled_minute(self) -> int:
        """Minutes before this one get no further results."""
        return -(2**62) if self._last_second is None else self._last_second // agg.MINUTE_S

    def feed(self, seconds: Seconds) -> None:
        """Add seconds; the newest stays open until a later one arrives."""
        joined = _join(self._open_second, seconds)
        self._open_second = Seconds(joined.number[-1:], joined.weight_us[-1:], joined.moment_udeg_us[-1:])
        if len(joined.number) > 1:
            self._follow(Seconds(joined.number[:-1], joined.weight_us[:-1], joined.moment_udeg_us[:-1]))

    def close(self) -> None:
        """End the open second and the open runs."""
        if self._open_second is not None:
            self._follow(self._open_second)
            self._open_second = None
        if self._last_second is not None:
            self._end_eva(self._eva, self._last_second)
        self._eva, self._static, self._spell = _Open(), _Bouts(), _Bouts()

    def _follow(self, seconds: Seconds) -> None:
        number = seconds.number
        valid = seconds.weight_us >= _ENOUGH_US
        angle = seconds.moment_udeg_us / np.maximum(seconds.weight_us, 1.0) / 1e6
        kind = np.where(valid, np.digitize(angle, agg.EVA_ANGLE_EDGES_DEG), -1)
        use = 1 / (60 * agg.iso_11226_limit_min(angle, self._mount))
        before = number[0] - 1 if self._last_second is None else self._last_second
        jump = (np.diff(number, prepend=before) != 1) | self._begins_day(number)
        self._follow_eva(number, kind, jump)
        for minute, length_s, used in self._static.follow(number, valid & (use > 0), use, jump):
            if length_s > _STATIC_S:
                self._result(minute).limit_use = max(self._result(minute).limit_use, used)
        for minute, length_s, _ in self._spell.follow(number, valid & (angle >= agg.SPELL_DEG), use, jump):
            self._result(minute).bout_s = max(self._result(minute).bout_s, float(length_s))
        self._last_second = int(number[-1])

    def _begins_day(self, number: _IntArray) -> NDArray[np.bool_]:
        """Which seconds (n,) are the first of their day."""
        begins = np.zeros(len(number), dtype=bool)
        if self._next_day_s is None:
            return begins
        if self._day_ends_s is None:
            self._day_ends_s = self._next_day_s(float(number[0]))
        while number[-1] >= self._day_ends_s:
            begins[np.searchsorted(number, self._day_ends_s)] = True
            self._day_ends_s = self._next_day_s(self._day_ends_s)
        return begins

    def _follow_eva(self, number: _IntArray, kind: _IntArray, jump: NDArray[np.bool_]) -> None:
        """Credit each run of one angle class to the minute of its last second."""
        starts = _run_starts(kind, jump, self._eva.kind)
        if not len(starts) or starts[0] > 0:  # the open run goes on
            self._eva.length_s += int(starts[0]) if len(starts) else len(kind)
        if not len(starts):
            return
        last = number[starts[0] - 1] if starts[0] else self._last_second
        if last is not None:
            self._end_eva(self._eva, int(last))
        lengths = np.diff(np.append(starts, len(kind)))
        for start, length in zip(starts[:-1].tolist(), lengths[:-1].tolist(), strict=True):
            self._end_eva(_Open(int(kind[start]), length), int(number[start + length - 1]))
        self._eva = _Open(int(kind[starts[-1]]), int(lengths[-1]))

    def _end_eva(self, run: _Open, last_second: int) -> None:
        if run.kind >= 0 and run.length_s:
            column = int(np.searchsorted(agg.EVA_DURATION_EDGES_S, run.length_s, side="right"))
            self._result(last_second // agg.MINUTE_S).eva_s[run.kind, column] += run.length_s

    def _result(self, minute: int) -> RunResult:
        return self.results.setdefault(minute, RunResult())


class _Bouts:
    """Runs of seconds beyond one limit, across blocks."""

    def __init__(self) -> None:
        self._open = _Open()

    def follow(
        self, number: _IntArray, is_bent: NDArray[np.bool_], use: FloatArray, jump: NDArray[np.bool_]
    ) -> Iterator[tuple[int, int, float]]:
        """Yield (minute, length so far in s, sum of `use`) of the run at the end of each of its minutes."""
        bent = np.where(is_bent, 1, -1)
        starts = _run_starts(bent, jump, self._open.kind)
        for start, end in zip(np.append(0, starts), np.append(starts, len(bent)), strict=True):
            if start == end:
                continue
            if start or (len(starts) and starts[0] == 0):
                self._open = _Open(int(bent[start]))
            if bent[start] > 0:
                yield from self._extend(number[start:end], use[start:end])

    def _extend(self, number: _IntArray, use: FloatArray) -> Iterator[tuple[int, int, float]]:
        cumulated = self._open.use + np.cumsum(use)
        lengths = self._open.length_s + np.arange(1, len(number) + 1)
        minute = number // agg.MINUTE_S
        for k in np.flatnonzero(np.append(minute[1:] != minute[:-1], True)).tolist():
            yield int(minute[k]), int(lengths[k]), float(cumulated[k])
        self._open.use, self._open.length_s = float(cumulated[-1]), int(lengths[-1])


def _join(first: Seconds | None, then: Seconds) -> Seconds:
    """Return both in one, the sums of a second that lies in both added (whole numbers, so exact)."""
    if first is None:
        return then
    weight, moment = then.weight_us, then.moment_udeg_us
    if first.number[-1] == then.number[0]:
        weight, moment = weight.copy(), moment.copy()
        weight[0] += first.weight_us[-1]
        moment[0] += first.moment_udeg_us[-1]
        return Seconds(then.number, weight, moment)
    return Seconds(
        np.concatenate((first.number, then.number)),
        np.concatenate((first.weight_us, weight)),
        np.concatenate((first.moment_udeg_us, moment)),
    )


def _run_starts(kind: _IntArray, jump: NDArray[np.bool_], open_kind: int) -> _IntArray:
    """Return where a new run begins: another class than before, or seconds missing in between."""
    return np.flatnonzero((np.diff(kind, prepend=open_kind) != 0) | jump)
