"""Many scalar channels over time, each a chain of minimum-jerk moves: value, first and second derivative.

motion_script.py lists the moves; here all channels are evaluated at once, as a pure function of time, so that cutting
the time axis cannot change a number. Units are those of the channel (degrees, metres or an amplitude) and seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray


@dataclass(frozen=True, slots=True)
class Move:
    """From start_s on, for duration_s, the channel goes to target along a minimum-jerk path."""

    start_s: float
    duration_s: float
    target: float

    @property
    def end_s(self) -> float:
        """When the target is reached."""
        return self.start_s + self.duration_s


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Channels and their time derivatives, each (channels, n)."""

    value: FloatArray
    rate: FloatArray
    acceleration: FloatArray


class Profiles:
    """All channels of a script, ready to be evaluated at any times.

    Parameters
    ----------
    names
        The channels, in the order of the rows of the result.
    moves
        For each channel (absent: it never moves) its moves in time order, which must not overlap.
    initial
        Values before the first move; 0 where absent.

    Notes
    -----
    Minimum jerk: x(s) = x0 + dx (10 s^3 - 15 s^4 + 6 s^5), s = elapsed / duration (Flash and Hogan 1985,
    doi:10.1523/JNEUROSCI.05-07-01688.1985). Value, rate and acceleration are continuous.
    """

    def __init__(
        self, names: Sequence[str], moves: Mapping[str, Sequence[Move]], initial: Mapping[str, float]
    ) -> None:
        rows: list[tuple[float, float, float, float]] = []  # start, 1 / duration, from, change
        starts: list[FloatArray] = []
        first: list[int] = []
        for name in names:
            first.append(len(rows))
            chain = moves.get(name, ())
            starts.append(np.array([move.start_s for move in chain]))
            rows.extend(_chain_rows(name, chain, initial.get(name, 0.0)))
        self._start, self._inverse, self._from, self._change = np.array(rows).T
        self._knots = np.unique(np.concatenate(starts)) if starts else np.zeros(0)
        self._row = np.empty((len(names), len(self._knots) + 1), dtype=np.int64)
        for k, (own, base) in enumerate(zip(starts, first, strict=True)):
            self._row[k, 0] = base
            self._row[k, 1:] = base + np.searchsorted(own, self._knots, side="right")

    def __call__(self, t_s: FloatArray) -> Derivatives:
        """Return all channels at the times t_s (n,)."""
        row = self._row[:, np.searchsorted(self._knots, t_s, side="right")]
        inverse, change = self._inverse[row], self._change[row]
        s = np.clip((t_s - self._start[row]) * inverse, 0.0, 1.0)
        rest = 1.0 - s
        value = self._from[row] + change * (s * s * s * (10.0 + s * (6.0 * s - 15.0)))
        speed = change * inverse
        rate = speed * (30.0 * s * s * rest * rest)
        return Derivatives(value, rate, speed * inverse * (60.0 * s * rest * (rest - s)))


def _chain_rows(name: str, chain: Sequence[Move], initial: float) -> list[tuple[float, float, float, float]]:
    """Return one row of constants before the first move and one per move."""
    rows = [(0.0, 0.0, initial, 0.0)]
    value, free_s = initial, -np.inf
    for move in chain:
        if move.duration_s <= 0 or move.start_s < free_s - 1e-9:
            raise ValueError(
                f"channel {name}: move at {move.start_s:.3f} s lasting {move.duration_s:.3f} s, "
                f"expected a positive duration and a start at or after {free_s:.3f} s"
            )
        rows.append((move.start_s, 1.0 / move.duration_s, value, move.target - value))
        value, free_s = move.target, move.end_s
    return rows
