"""Angle blocks -> the figures that tell what a wearer does: mean squares at 25 Hz, and stillness at 5 Hz.

Accelerations in m/s^2, rates in deg/s. Cut-safe, with the past carried from block to block.
"""

from __future__ import annotations

import numpy as np

from tiltwise.butterworth import SectionFilter, band_pass, high_pass
from tiltwise.detect.grid import BoolArray, IndexArray, mean_square_filter
from tiltwise.types import AngleBlock, FloatArray

ENDS_WINDOW_S = 0.6  # one step
GRAVITY_M_S2 = 9.80665  # what up_acc_m_s2 of an AngleBlock is less by


def tilt_parts(block: AngleBlock, at: IndexArray) -> FloatArray:
    """Return where "up" points in the body at samples (m,): two sines and a cosine, (3, m), no unit.

    Parts of the tilt rather than flexion itself, whose noise grows without limit when lying on a side; 0 where an
    angle is not defined.
    """
    side, forward = np.radians(block.lateral_deg[at]), np.radians(block.flexion_deg[at])
    up = (np.sin(side), np.sin(forward) * np.cos(side), np.cos(np.radians(block.inclination_deg[at])))
    tilt = np.stack(up)
    tilt[np.isnan(tilt)] = 0.0
    return tilt


class MovementFeatures:
    """Mean squares at 25 Hz, and how they are made.

    Parameters
    ----------
    rate_hz
        Of the samples given.
    window_s
        Over which squares are averaged.
    step_hz
        (low, high) frequencies of steps.
    max_gap_s
        After a longer hole the past is forgotten.
    """

    def __init__(
        self, rate_hz: float, window_s: float, step_hz: tuple[float, float], max_gap_s: float
    ) -> None:
        self._rate_hz, self._max_gap_s = rate_hz, max_gap_s
        # Of the vertical acceleration, and of the speeds of tilt.
        self._step_band = SectionFilter(band_pass(*step_hz, rate_hz))
        self._all_band = SectionFilter(high_pass(0.4, rate_hz))
        self._means = mean_square_filter(window_s, rate_hz)
        self._end_mean = mean_square_filter(ENDS_WINDOW_S, rate_hz)
        self._last_s = np.nan
        self._last_tilt: FloatArray | None = None
        self._last_speed: FloatArray | None = None

    def process(self, block: AngleBlock, at: IndexArray) -> FloatArray:
        """Return six mean squares (6, m) at the picked samples.

        Of the vertical acceleration at step frequencies and in all, and of the horizontal one, (m/s2)2; of the
        rotation rate, (deg/s)2; of the angular acceleration at step frequencies, (rad/s2)2; and the first once more
        over ENDS_WINDOW_S only, which falls sooner when the steps end.
        """
        t, up, rate, tilt = block.t_s[at], block.up_acc_m_s2[at], block.rate_deg_s[at], tilt_parts(block, at)
        # What the length of the specific force has beyond its vertical part.
        across = np.sqrt(np.maximum(block.acc_norm_m_s2[at] ** 2 - (up + GRAVITY_M_S2) ** 2, 0.0))
        gaps = np.flatnonzero(np.diff(t, prepend=self._last_s) > self._max_gap_s)
        out = np.empty((6, len(t)))
        for start, stop in zip([0, *gaps], [*gaps, len(t)], strict=True):
            if start in gaps:
                self._reset()
            if start == stop:
                continue
            piece = slice(start, stop)
            speed = self._speed(t[piece], tilt[:, piece])
            steps, *speeds = self._step_band.process(np.concatenate((up[None, piece], speed)))
            squares = np.stack((steps, self._all_band.process(up[piece]), across[piece], rate[piece], steps))
            squares *= squares
            squares[4] = self._angular_acceleration2(np.array(speeds))
            out[:5, piece] = self._means.process(squares)
            out[5, piece] = self._end_mean.process(steps * steps)
            self._last_s = float(t[stop - 1])
        return out

    def _speed(self, t_s: FloatArray, tilt: FloatArray) -> FloatArray:
        """Return how fast tilts (3, m) without a gap change, 1/s."""
        first = tilt[:, 0] if self._last_tilt is None else self._last_tilt
        first_s = t_s[0] - 1.0 / self._rate_hz if self._last_tilt is None else self._last_s
        # A grid picks samples that are not quite evenly apart: the speed takes the time that really passed.
        dt_s = np.maximum(np.diff(t_s, prepend=first_s), 0.5 / self._rate_hz)
        self._last_tilt = tilt[:, -1]
        return np.asarray(np.diff(tilt, prepend=first[:, None]) / dt_s)

    def _angular_acceleration2(self, speed: FloatArray) -> FloatArray:
        """Return its square (m,) in (rad/s2)2, from speeds of tilt (3, m) at step frequencies."""
        before = speed[:, 0] if self._last_speed is None else self._last_speed
        x, y, z = np.diff(speed, prepend=before[:, None]) * self._rate_hz
        self._last_speed = speed[:, -1]
        return np.asarray(x * x + y * y + z * z)

    def _reset(self) -> None:
        for each in (self._step_band, self._all_band, self._means, self._end_mean):
            each.reset()
        self._last_tilt = self._last_speed = None


class Stillness:
    """Whether the tilt is the same as a moment ago, more exactly than a living body can hold it.

    Parameters
    ----------
    limit_deg
        A smaller change is none.
    lag
        So many decisions ago.
    """

    def __init__(self, limit_deg: float, lag: int) -> None:
        self._limit_deg, self._lag = limit_deg, lag
        self._past = np.full((lag, 3), np.nan)

    def process(self, block: AngleBlock, at: IndexArray, fresh: BoolArray) -> BoolArray:
        """Return the mask (m,); false until there is a past to compare with."""
        side, forward, _ = np.degrees(tilt_parts(block, at))
        tilt = np.stack((block.inclination_deg[at], side, forward), axis=1)
        all_tilt = np.concatenate((self._past, tilt))
        self._past = all_tilt[len(tilt) :]
        change = np.abs(all_tilt[self._lag :] - all_tilt[: -self._lag])
        # A gap in between does not matter: a person does not come back to the same hundredth of a degree.
        return np.asarray(np.all(change < self._limit_deg, axis=1) & ~fresh)
