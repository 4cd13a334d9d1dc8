"""Second-order Butterworth filters as second-order sections, and a filter that may be cut anywhere. Hertz.

Written out instead of scipy.signal.butter and sosfilt, because importing scipy.signal takes a second of processor
time at every start: as much as filtering an hour. The operations are those of `sosfilt` in its order, and scipy
itself filters what is long.
"""

from __future__ import annotations

import cmath
import math
from itertools import repeat

import numpy as np

from tiltwise.types import FloatArray

# Values times sections: 2 ms of the loop in Python, and 60 ms of it. Live blocks have some hundred; longer ones come
# from files, where a recording of 20 minutes need not wait a second for scipy.signal to be loaded.
_LONG, _MANY = 10_000, 300_000


def low_pass(cutoff_hz: float, rate_hz: float) -> FloatArray:
    """Return the section (1, 6) of a low-pass: b0 b1 b2 1 a1 a2, -3 dB at cutoff_hz, for rate_hz samples a second."""
    w = math.tan(math.pi * cutoff_hz / rate_hz)
    a0 = 1 + math.sqrt(2) * w + w * w
    gain = w * w / a0
    return np.array([[gain, 2 * gain, gain, 1.0, *_feedback(w, a0)]])


def high_pass(cutoff_hz: float, rate_hz: float) -> FloatArray:
    """Return the section (1, 6) of a high-pass, like `low_pass`."""
    w = math.tan(math.pi * cutoff_hz / rate_hz)
    a0 = 1 + math.sqrt(2) * w + w * w
    return np.array([[1 / a0, -2 / a0, 1 / a0, 1.0, *_feedback(w, a0)]])


def band_pass(low_hz: float, high_hz: float, rate_hz: float) -> FloatArray:
    """Return the two sections (2, 6) of a band-pass, -3 dB at low_hz and high_hz: second order on either side."""
    w_low, w_high = (math.tan(math.pi * edge_hz / rate_hz) for edge_hz in (low_hz, high_hz))
    width, centre2 = w_high - w_low, w_low * w_high
    # A pole p of the prototype becomes two, the roots of s^2 - p width s + centre^2; the conjugates follow.
    half = cmath.exp(0.75j * math.pi) * width / 2
    root = cmath.sqrt(half * half - centre2)
    poles = [half + root, half - root]
    discs = sorted(((1 + s) / (1 - s) for s in poles), key=abs)  # the sharper resonance last, as scipy has it
    gain = width**2 / math.prod(abs(1 - s) ** 2 for s in poles)
    (a1, a2), (c1, c2) = ((-2 * z.real, abs(z) ** 2) for z in discs)
    return np.array([[gain, 2 * gain, gain, 1.0, a1, a2], [1.0, -2.0, 1.0, 1.0, c1, c2]])


def _feedback(w: float, a0: float) -> tuple[float, float]:
    return 2 * (w * w - 1) / a0, (1 - math.sqrt(2) * w + w * w) / a0


class SectionFilter:
    """Second-order sections along the last axis, with their state carried from block to block.

    Parameters
    ----------
    sections
        (s, 6), rows b0 b1 b2 1 a1 a2.
    is_settled_at_first
        Start as if the first sample had lasted for ever; otherwise as if everything before had been zero.
    """

    def __init__(self, sections: FloatArray, *, is_settled_at_first: bool = True) -> None:
        self._sections = sections
        self._rest = settled_state(sections) if is_settled_at_first else np.zeros((len(sections), 2))
        self._state: FloatArray | None = None
        self._seen = 0

    def process(self, x: FloatArray) -> FloatArray:
        """Return signals (n,) or (channels, n) filtered, in their own unit."""
        if not x.shape[-1]:
            return x
        rows = np.atleast_2d(x)
        if self._state is None:
            self._state = self._rest[:, None, :] * rows[None, :, :1]
        n = rows.size * len(self._sections)
        self._seen += n
        if n > _LONG and self._seen > _MANY:
            from scipy.signal import sosfilt

            y, self._state = sosfilt(self._sections, rows, axis=-1, zi=self._state)
        else:
            y = np.array([self._filter(row, k) for k, row in enumerate(rows.tolist())])
        return y.reshape(x.shape)

    def reset(self) -> None:
        """Forget the past: the next sample is the first."""
        self._state = None

    def _filter(self, row: list[float], channel: int) -> list[float]:
        """One channel through all sections: transposed direct form II, in the order of scipy's operations."""
        assert self._state is not None
        for (b0, b1, b2, _, a1, a2), state in zip(self._sections.tolist(), self._state, strict=True):
            z0, z1 = state[channel].tolist()
            out = []
            for x in row:
                y = b0 * x + z0
                z0 = b1 * x - a1 * y + z1
                z1 = b2 * x - a2 * y
                out.append(y)
            state[channel] = z0, z1
            row = out
        return row


def settled_state(sections: FloatArray) -> FloatArray:
    """Return the state (s, 2) of each section after an endless 1 at the input of the first."""
    level, states = 1.0, []
    for b0, b1, b2, _, a1, a2 in sections.tolist():
        out = level * (b0 + b1 + b2) / (1 + a1 + a2)
        states.append((out - b0 * level, b2 * level - a2 * out))
        level = out
    return np.array(states)


def forward_backward(sections: FloatArray, x: FloatArray) -> FloatArray:
    """Return signals (channels, n) filtered in both directions, without delay. Acausal: offline only.

    Both ends are continued by their mirror through the end point, as scipy.signal.sosfiltfilt does.
    """
    edge = 3 * (2 * len(sections) + 1)
    head, tail = 2 * x[:, :1] - x[:, edge:0:-1], 2 * x[:, -1:] - x[:, -2 : -edge - 2 : -1]
    y = np.concatenate((head, x, tail), axis=-1)
    for _ in repeat(None, 2):
        y = SectionFilter(sections).process(y)[:, ::-1]
    return y[:, edge:-edge]
