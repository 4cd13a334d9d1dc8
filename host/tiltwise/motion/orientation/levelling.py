"""Strapdown quaternions + where gravity is in the strapdown frame -> q_earth_from_sensor.

Within a window the strapdown frame is turned back by what the gyroscope error made of it; at a window's end it is
tilted by the shortest way to where gravity is now known to be, so that heading follows the gyroscope alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vqf
from numpy.typing import NDArray

from tiltwise.motion.orientation import strapdown
from tiltwise.motion.rotation import (
    from_rotation_vector,
    from_small_rotation_rows,
    from_two_vectors,
    multiply,
    multiply_rows,
    rotate,
    to_rotation_vector,
)
from tiltwise.types import FloatArray

IntArray = NDArray[np.intp]
# The filter keeps nothing of the old direction over a longer hole (GravitySettings.lost_after_s); what a gyroscope
# would have turned across it is no turn; gravity in the one sample after it is within some degrees.
LONG_GAP_S = 5.0
UP: FloatArray = np.array([0.0, 0.0, 1.0])
UP.flags.writeable = False
# Added to a number below 2**9 and taken away again, it leaves steps of 2**-43: 1e-13 rad.
_TO_EXACT_STEPS = 1.5 * 2.0**9


@dataclass(frozen=True, slots=True)
class Knots:
    """The filter's answers at the borders of m windows: up (m + 1, 3) in frame I, gyr_error (m + 1, 12)."""

    up: FloatArray
    gyr_error: FloatArray


class Leveller:
    """Keeps the rotation from the strapdown frame to the earth over the windows."""

    def __init__(self, first_up: FloatArray) -> None:
        self._product = vqf.BasicVQF(1.0)
        self._q = self._advance(to_rotation_vector(from_two_vectors(first_up, UP))[None])[-1]

    def process(
        self, table: FloatArray, stops: IntArray, knots: Knots, *, skip: int = 0, spread: bool = False
    ) -> FloatArray:
        """Return q_earth_from_sensor (n, 4) of a strapdown table that begins at the start of a window.

        Parameters
        ----------
        table : the columns of m finished windows, and of the open one.
        stops : (m,) index behind the last column of each finished window.
        knots : the filter's answers at the m + 1 borders.
        skip : so many columns at the beginning were answered before, and are left out.
        spread : distribute each window's correction over its duration. Looks ahead: for the smoother only.
        """
        lengths = np.diff(stops, prepend=0, append=table.shape[1])
        back = _error_turn(table, knots.gyr_error, lengths)
        totals = back[:, stops - 1].T
        q_borders = self._q[None]
        half = back * -0.5
        if len(stops):
            predicted = rotate(from_rotation_vector(totals), knots.up[:-1])
            tilt = from_two_vectors(knots.up[1:], predicted)
            q_step = multiply(from_rotation_vector(-totals), tilt)
            if spread:
                half += _spread(table, stops, to_rotation_vector(tilt) / 2, lengths)
            q_borders = np.concatenate((q_borders, self._advance(to_rotation_vector(q_step))))
            self._q = q_borders[-1]
        new = slice(skip, None)
        upright = multiply_rows(
            np.repeat(q_borders.T, lengths, axis=1)[:, new], from_small_rotation_rows(half[:, new])
        )
        q = multiply_rows(upright, table[strapdown.QUATERNION, new]).T
        return _level_after_gaps(table[:, new], q)

    def _advance(self, vector_rad: FloatArray) -> FloatArray:
        steps = np.ascontiguousarray(vector_rad)
        return np.asarray(self._product.updateBatch(steps, np.zeros_like(steps))["quat6D"])


def _level_after_gaps(table: FloatArray, q: FloatArray) -> FloatArray:
    """Tilt the first sample after each long gap to where its own acceleration says up is, (n, 4).

    The filter's answer for it needs a window, which is over with the next sample at the earliest.
    """
    after = np.flatnonzero(table[strapdown.STEP] > LONG_GAP_S)
    if len(after):
        seen = rotate(q[after], table[strapdown.ACC, after].T)
        q[after] = multiply(from_two_vectors(seen, UP), q[after])
    return q


def _error_turn(table: FloatArray, gyr_error: FloatArray, lengths: IntArray) -> FloatArray:
    """Rotation (3, n) in frame I that the gyroscope's error has made since the start of each window, rad.

    The running sum goes over all windows, less what it was at their start. In steps of a power of two it is exact, so
    that a cut of the data does not show in the last bits of the answers.
    """
    error = np.repeat(gyr_error.T, lengths, axis=1)
    weights = table[strapdown.STEP], *table[strapdown.TURN]
    x, y, z = (sum(error[4 * j + k] * weights[k] for k in range(4)) for j in range(3))
    c = table[strapdown.MATRIX]
    back = np.empty((3, table.shape[1]))
    for i, row in enumerate(back):
        np.add(c[3 * i] * x + c[3 * i + 1] * y + c[3 * i + 2] * z, _TO_EXACT_STEPS, out=row)
    back -= _TO_EXACT_STEPS
    np.cumsum(back, axis=1, out=back)
    starts = np.cumsum(lengths)[:-1] - 1
    back -= np.repeat(np.concatenate((np.zeros((3, 1)), back[:, starts]), axis=1), lengths, axis=1)
    return back


def _spread(table: FloatArray, stops: IntArray, tilt_rad: FloatArray, lengths: IntArray) -> FloatArray:
    """Share of each window's closing tilt that belongs to each of its columns, (3, n)."""
    time = np.cumsum(table[strapdown.STEP])
    ends = time[stops - 1]
    starts = np.concatenate(([0.0], ends))
    per_s = 1 / np.maximum(np.concatenate((ends - starts[:-1], [1.0])), 1e-9)
    rate = np.concatenate((tilt_rad, np.zeros((1, 3)))).T * per_s
    since, rate = np.repeat(starts, lengths), np.repeat(rate, lengths, axis=1)
    return (time - since) * rate
