"""Courses of three head angles or of raised shoulders, stroke by stroke: the common ground of the guided benches.

Nothing is shared with `exercise/` or with the simulated wearer of `sim/`, neither code nor figures. Two ways to move:

* "lognormal": the velocity of a stroke is a lognormal bump (Plamondon 1995, Biol Cybern 72, 295-307), skewed.
* "corrected": a beta-shaped first stroke that ends short or beyond, then a smaller one that corrects it. Necks show
  several peaks of velocity, more of them when they hurt (Sarig Bahat et al. 2010, Arch Phys Med Rehabil 91, 1884).

Degrees (or metres), seconds, 100 Hz.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from tiltwise.types import FloatArray

FINE_HZ = 100.0
MOVERS = ("lognormal", "corrected")


class Course:
    """Values of some columns over time, put together stroke by stroke."""

    def __init__(self, rng: np.random.Generator, columns: int, mover: str) -> None:
        self._rng, self._mover = rng, mover
        self._parts: list[FloatArray] = []
        self._calm: list[FloatArray] = []
        self.at: FloatArray = np.zeros(columns)
        self.t_s = 0.0

    def move(self, to: FloatArray, lasting_s: float) -> None:
        """Go somewhere in one stroke, or in one that is corrected."""
        if self._mover == "lognormal":
            self._stroke(to, lasting_s, self._lognormal)
            return
        way = to - self.at
        first = self.at + way * self._rng.uniform(0.85, 1.05)
        self._stroke(first, 0.75 * lasting_s, self._beta)
        self._stroke(to, 0.35 * lasting_s, self._beta)

    def stay(self, lasting_s: float) -> None:
        """Stay there."""
        n = max(round(lasting_s * FINE_HZ), 0)
        self._parts.append(np.tile(self.at, (n, 1)))
        self._calm.append(np.ones(n))
        self.t_s += n / FINE_HZ

    def _stroke(self, to: FloatArray, lasting_s: float, shape: object) -> None:
        n = max(round(lasting_s * FINE_HZ), 3)
        x = np.linspace(0.0, 1.0, n + 1)[1:]
        assert callable(shape)
        share = shape(x)
        self._parts.append(self.at + share[:, None] * (to - self.at))
        self._calm.append(np.zeros(n))
        self.at = np.array(to, dtype=float)
        self.t_s += n / FINE_HZ

    def _lognormal(self, x: FloatArray) -> FloatArray:
        """The way covered at the share x of the time, (n,); what is left of the tail is cut smoothly."""
        spread = self._rng.uniform(0.25, 0.45)
        middle = self._rng.uniform(0.38, 0.48)
        bump = np.exp(-0.5 * (np.log(x / middle) / spread) ** 2) / x
        speed = bump * np.minimum(1.0, (1.0 - x) / 0.15)
        way: FloatArray = np.cumsum(speed) / speed.sum()
        return way

    def _beta(self, x: FloatArray) -> FloatArray:
        a, b = self._rng.uniform(2.5, 4.0), self._rng.uniform(2.5, 4.5)
        way: FloatArray = betainc(a, b, x)
        return way

    def values(self) -> FloatArray:
        """Return all of it, (n, columns)."""
        return np.concatenate(self._parts)

    def resting(self) -> FloatArray:
        """How far the body is at rest, (n,): 1 when staying, 0 when moving, blurred over a second."""
        calm = np.concatenate(self._calm)
        window = np.hanning(round(FINE_HZ) + 2)[1:-1]
        share: FloatArray = np.convolve(calm, window / window.sum(), mode="same")[: len(calm)]
        return share


def noise_between(n: int, columns: int, band_hz: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """Noise of unit standard deviation in a band, (n, columns)."""
    spectrum = np.fft.rfft(rng.normal(size=(n, columns)), axis=0)
    f = np.fft.rfftfreq(n, 1 / FINE_HZ)
    spectrum[(f < band_hz[0]) | (f > band_hz[1])] = 0
    noise = np.fft.irfft(spectrum, n, axis=0)
    scaled: FloatArray = noise / np.maximum(noise.std(axis=0), 1e-9)
    return scaled
