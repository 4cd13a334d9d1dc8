"""Seconds of posture become uninterrupted runs: exposure variation (EVA) and use of the ISO 11226 holding time.

One angle per whole second (its time-weighted mean, deg). A second with less than half of it in posture breaks a
run.
"""

from __future__ import annotations

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
    """Whole seconds in order: number since the time axis' zero, posture time (us), angle x time (mdeg us)."""

    number: _IntArray
    weight_us: FloatArray
    moment_mdeg_us: FloatArray


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
    """Follows runs over seconds that arrive in any cuts; `results` holds what ended, by minute."""

    def __init__(self, mount: Mount) -> None:
        self._mount = mount
        self.results: dict[int, RunResult] = {}
        self._open_second: Seconds | None = None  # may still grow
        self._last_second: int | None = None  # newest closed second
        self._eva, self._bout = _Open(), _Open()

    @property
    def settled_minute(self) -> int:
        """Minutes before this one get no further results."""
        return -(2**62) if self._last_second is None else self._last_second // agg.MINUTE_S

    def feed(self, seconds: Seconds) -> None:
        """Add seconds; the newest stays open until a later one arrives."""
        joined = _join(self._open_second, seconds)
        self._open_second = Seconds(joined.number[-1:], joined.weight_us[-1:], joined.moment_mdeg_us[-1:])
        if len(joined.number) > 1:
            self._follow(Seconds(joined.number[:-1], joined.weight_us[:-1], joined.moment_mdeg_us[:-1]))

    def close(self) -> None:
        """End the open second and the open runs."""
        if self._open_second is not None:
            self._follow(self._open_second)
            self._open_second = None
        if self._last_second is not None:
            self._end_eva(self._eva, self._last_second)
        self._eva, self._bout = _Open(), _Open()

    def _follow(self, seconds: Seconds) -> None:
        valid = seconds.weight_us >= _ENOUGH_US
        angle = seconds.moment_mdeg_us / np.maximum(seconds.weight_us, 1.0) / 1000
        kind = np.where(valid, np.digitize(angle, agg.EVA_ANGLE_EDGES_DEG), -1)
        use = 1 / (60 * agg.iso_11226_limit_min(angle, self._mount))
        bent = np.where(valid & (use > 0), 1, -1)
        before = seconds.number[0] - 1 if self._last_second is None else self._last_second
        jump = np.diff(seconds.number, prepend=before) != 1
        self._follow_eva(seconds.number, kind, jump)
        self._follow_bouts(seconds.number, bent, use, jump)
        self._last_second = int(seconds.number[-1])

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
            self._result(last_second).eva_s[run.kind, column] += run.length_s

    def _follow_bouts(
        self, number: _IntArray, bent: _IntArray, use: FloatArray, jump: NDArray[np.bool_]
    ) -> None:
        """Let each second beyond the first ISO angle add to its run, and note the run's state in its minute."""
        starts = _run_starts(bent, jump, self._bout.kind)
        for start, end in zip(np.append(0, starts), np.append(starts, len(bent)), strict=True):
            if start == end:
                continue
            if start or (len(starts) and starts[0] == 0):
                self._bout = _Open(int(bent[start]))
            if bent[start] > 0:
                self._extend_bout(number[start:end], use[start:end])

    def _extend_bout(self, number: _IntArray, use: FloatArray) -> None:
        cumulated = self._bout.use + np.cumsum(use)
        lengths = self._bout.length_s + np.arange(1, len(number) + 1)
        minute = number // agg.MINUTE_S
        for k in np.flatnonzero(np.append(minute[1:] != minute[:-1], True)).tolist():
            if lengths[k] > _STATIC_S:
                result = self._result(int(number[k]))
                result.limit_use = max(result.limit_use, float(cumulated[k]))
                result.bout_s = max(result.bout_s, float(lengths[k]))
        self._bout.use, self._bout.length_s = float(cumulated[-1]), int(lengths[-1])

    def _result(self, second: int) -> RunResult:
        return self.results.setdefault(second // agg.MINUTE_S, RunResult())


def _join(first: Seconds | None, then: Seconds) -> Seconds:
    """Return both in one, the sums of a second that lies in both added (whole numbers, so exact)."""
    if first is None:
        return then
    weight, moment = then.weight_us, then.moment_mdeg_us
    if first.number[-1] == then.number[0]:
        weight, moment = weight.copy(), moment.copy()
        weight[0] += first.weight_us[-1]
        moment[0] += first.moment_mdeg_us[-1]
        return Seconds(then.number, weight, moment)
    return Seconds(
        np.concatenate((first.number, then.number)),
        np.concatenate((first.weight_us, weight)),
        np.concatenate((first.moment_mdeg_us, moment)),
    )


def _run_starts(kind: _IntArray, jump: NDArray[np.bool_], open_kind: int) -> _IntArray:
    """Return where a new run begins: another class than before, or seconds missing in between."""
    return np.flatnonzero((np.diff(kind, prepend=open_kind) != 0) | jump)
