"""The motions nobody decides on: breathing, fidgets, typing, tremor, the bounce of walking, wobbling cloth.

Each signal is a fixed sum of sines with seeded frequencies and phases, so it is a pure function of time. A term
says: this body coordinate gets this signal, times that envelope channel, times a weight (degrees or metres).
Envelopes are channels of minimum_jerk.py, so ripples fade in and out smoothly and every derivative stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiltwise.sim.body.minimum_jerk import Derivatives
from tiltwise.types import FloatArray


@dataclass(frozen=True, slots=True)
class SineSum:
    """A sum of sines: frequencies (Hz), amplitudes and phases (rad), one entry per sine."""

    hz: tuple[float, ...]
    amplitude: tuple[float, ...]
    phase_rad: tuple[float, ...]


def band(rng: np.random.Generator, low_hz: float, high_hz: float, sines: int = 4) -> SineSum:
    """Return band-limited noise of standard deviation 1: sines spread over the band, lower ones stronger."""
    edges = np.geomspace(low_hz, high_hz, sines + 1)
    hz = rng.uniform(edges[:-1], edges[1:])
    strength = hz**-0.5
    amplitude = strength * np.sqrt(2.0 / np.sum(strength**2))
    phase = rng.uniform(0.0, 2 * np.pi, sines)
    return SineSum(tuple(hz.tolist()), tuple(amplitude.tolist()), tuple(phase.tolist()))


@dataclass(frozen=True, slots=True)
class Term:
    """Adds weight * envelope * signal to a coordinate; coordinate and envelope by row, signal by position."""

    coordinate: int
    envelope: int
    signal: int
    weight: float


class Ripples:
    """All signals and terms of one wearer."""

    def __init__(self, signals: Sequence[SineSum], terms: Sequence[Term]) -> None:
        ordered = sorted(terms, key=lambda term: term.coordinate)
        self._omega = 2 * np.pi * np.array([hz for s in signals for hz in s.hz])[:, None]
        self._amplitude = np.array([a for s in signals for a in s.amplitude])[:, None]
        self._phase = np.array([p for s in signals for p in s.phase_rad])[:, None]
        self._first_sine = np.cumsum([0] + [len(s.hz) for s in signals])[:-1]
        coordinate = np.array([term.coordinate for term in ordered])
        self._coordinates, self._first_term = np.unique(coordinate, return_index=True)
        self._envelope = np.array([term.envelope for term in ordered])
        self._signal = np.array([term.signal for term in ordered])
        self._weight = np.array([term.weight for term in ordered])[:, None]

    def add_to(self, coordinates: Derivatives, channels: Derivatives, t_s: FloatArray) -> None:
        """Add all terms at the times t_s (n,) to the coordinates, in place."""
        wave = self._signals(t_s)
        w, dw, ddw = (x[self._signal] for x in (wave.value, wave.rate, wave.acceleration))
        e = channels.value[self._envelope] * self._weight
        de = channels.rate[self._envelope] * self._weight
        dde = channels.acceleration[self._envelope] * self._weight
        at, first = self._coordinates, self._first_term
        coordinates.value[at] += np.add.reduceat(e * w, first, axis=0)
        coordinates.rate[at] += np.add.reduceat(de * w + e * dw, first, axis=0)
        coordinates.acceleration[at] += np.add.reduceat(dde * w + 2 * de * dw + e * ddw, first, axis=0)

    def _signals(self, t_s: FloatArray) -> Derivatives:
        """Return every signal, each (signals, n)."""
        angle = self._omega * t_s + self._phase
        sine, cosine = self._amplitude * np.sin(angle), self._amplitude * np.cos(angle)
        first = self._first_sine
        return Derivatives(
            np.add.reduceat(sine, first, axis=0),
            np.add.reduceat(self._omega * cosine, first, axis=0),
            np.add.reduceat(-self._omega * self._omega * sine, first, axis=0),
        )
