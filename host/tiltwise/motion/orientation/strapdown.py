"""Angular rate and specific force -> the same in an almost inertial frame: one row of numbers per sample.

The strapdown frame I starts as the first sensor frame and follows the raw gyroscope, so it drifts with the
gyroscope's bias (the filter knows) but does not turn with the wearer: what is left of gravity's direction in I
changes slowly, however wildly the sensor moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vqf

from tiltwise.motion.rotation import rotate
from tiltwise.types import FloatArray

# Past this ratio to the step before it, a parabola through the last three rates extrapolates instead of integrating.
LONG_STEP = 3.0
# d4 / d2 of a sine at a tenth of the sampling rate is 0.4; of a straight line drawn across a lost sample, 2.
STRAIGHT = 0.2  # bend of a line that quantisation and noise leave, relative to its ends
CONVERGENT = 0.5
UNEVEN = 1.5  # a step of twice the usual length is one lost sample
EVEN = 0.5  # of a step, in four: a recorder that fills in samples does so on an even grid


@dataclass(frozen=True, slots=True)
class StrapdownRows:
    """One row per sample k, about the step from sample k - 1 to k (the first step has zero length).

    t_s (n,), step_s (n,), turn_rad (n, 3) rotation vector of the step in sensor axes, turn_error_rad (n,) size of its
    integration error, force_lacks_m_s2 (n,) what a clipped force may lack, q_i_from_sensor (n, 4) at sample k,
    columns (n, 9) mean rotation matrix of the step (row by row), force_m_s2 (n, 3) mean specific force of the step in
    frame I, force_end_m_s2 (n, 3) at sample k in frame I, acc_m_s2 (n, 3) as measured.
    """

    t_s: FloatArray
    step_s: FloatArray
    turn_rad: FloatArray
    turn_error_rad: FloatArray
    force_lacks_m_s2: FloatArray
    q_i_from_sensor: FloatArray
    columns: FloatArray
    force_m_s2: FloatArray
    force_end_m_s2: FloatArray
    acc_m_s2: FloatArray


class Strapdown:
    """Integrates the gyroscope over the real time steps; carries what the next block needs."""

    def __init__(self) -> None:
        # VQF's basic filter, given no acceleration, is a compiled product of rotations: 9 M samples/s.
        self._product = vqf.BasicVQF(1.0)
        self._t = np.empty(0)
        self._gyr = np.empty((0, 3))
        self._columns = np.empty((0, 9))
        self._force = np.empty((0, 3))

    def process(self, t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> StrapdownRows:
        """Return the rows of the samples t_s (n,), gyr_rad_s (n, 3), acc_m_s2 (n, 3); n >= 1."""
        n = len(t_s)
        t, gyr = np.concatenate((self._t, t_s)), np.concatenate((self._gyr, gyr_rad_s))
        turn, error = step_turns(t, gyr)
        turn, error = np.ascontiguousarray(turn[-n:]), error[-n:]
        q = self._product.updateBatch(turn, np.zeros((n, 3)))["quat6D"]
        force, columns = rotate(q, acc_m_s2), _matrix_columns(q)
        before_force = np.concatenate((self._force if len(self._t) else force[:1], force[:-1]))
        before_columns = np.concatenate((self._columns if len(self._t) else columns[:1], columns[:-1]))
        step = np.diff(t, prepend=t[0])[-n:]
        # Five samples back: what the integration error and two lost samples are judged by.
        self._t, self._gyr = t[-5:], gyr[-5:]
        self._force, self._columns = force[-1:], columns[-1:]
        return StrapdownRows(
            t_s,
            step,
            turn,
            error,
            np.zeros(n),
            q,
            (columns + before_columns) / 2,
            (force + before_force) / 2,
            force,
            acc_m_s2,
        )


def step_turns(t_s: FloatArray, gyr_rad_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the rotation vector (n, 3) of each step in rad, and the size (n,) of its integration error in rad.

    The mean rate of a step is that of the parabola through the rates at its ends and one sample earlier (the
    Adams-Moulton rule for unequal steps), plus the coning term g[k-1] x g[k] * h^2 / 12. Holding the newest rate over
    the step instead would put the result half a step ahead.
    """
    n = len(t_s)
    turn = np.zeros((n, 3))
    if n < 2:
        return turn, np.zeros(n)
    step = np.diff(t_s)
    h = step[:, None]
    new, mid = gyr_rad_s[1:], gyr_rad_s[:-1]
    turn[1:] = (new + mid) * (h / 2)
    if n > 2:
        h2, p = step[1:], step[:-1]
        # Where the parabola would extrapolate, the straight line stays.
        is_long = h2 > LONG_STEP * p
        w_new = np.where(is_long, h2 / 2, (2 * h2 + 3 * p) / (h2 + p) * h2 / 6)
        w_mid = np.where(is_long, h2 / 2, (h2 + 3 * p) / p * h2 / 6)
        w_old = np.where(is_long, 0.0, -(h2**3) / (6 * p * (h2 + p)))
        turn[2:] = new[1:] * w_new[:, None] + mid[1:] * w_mid[:, None] + mid[:-1] * w_old[:, None]
    turn[1:] += _cross(mid, new) * (h * h / 12)
    if n < 5:
        return turn, np.zeros(n)
    bend = _second_derivative(t_s, gyr_rad_s)
    _repair_refills(turn, t_s, bend)
    _repair_long_steps(turn, t_s, bend)
    return turn, _turn_error(t_s, bend)


def _second_derivative(t_s: FloatArray, gyr_rad_s: FloatArray) -> FloatArray:
    """Second derivative (n - 2, 3) of the rate at the inner samples."""
    slope = (gyr_rad_s[1:] - gyr_rad_s[:-1]) / np.diff(t_s)[:, None]
    return (slope[1:] - slope[:-1]) * (2 / (t_s[2:] - t_s[:-2]))[:, None]


def _repair_refills(turn: FloatArray, t_s: FloatArray, bend: FloatArray) -> None:
    """Add to `turn` what was lost where a recorder drew a straight line across one or two missing samples.

    Such a line has no bend between two samples that bend the same way, which no smooth motion does: it bends on both
    sides of an inflection in opposite ways. The line misses h^2 g'' / 2 (one sample), h^2 g'' (each of two), and
    its ends show 3/2 and 2 times g''. The repair comes with the sample that proves it, two steps late.
    """
    size = _squares(bend)
    h = t_s[4:] - t_s[3:-1]
    is_even = np.abs(t_s[4:] - t_s[:-4] - 4 * h) < EVEN * h
    for lost, share in ((1, 1 / 6), (2, 1 / 2)):
        n = len(size) - lost - 1
        inner = size[1:-1] if lost == 1 else np.maximum(size[1:-2], size[2:-1])
        ends = np.minimum(size[:n], size[lost + 1 :])
        k = np.flatnonzero((inner < STRAIGHT**2 * ends) & is_even[lost - 1 :])
        first, last = bend[k], bend[k + lost + 1]
        lines = (_dot(first, last) > 0)[:, None]
        turn[k + lost + 3] -= np.where(lines, (first + last) * (share * h[k + lost - 1] ** 3)[:, None], 0.0)


def _repair_long_steps(turn: FloatArray, t_s: FloatArray, bend: FloatArray) -> None:
    """Add to `turn` what the parabola missed in the step before, where that was long because samples were lost.

    The sample after a long step gives the cubic through it, and with it what is to be added: the third divided
    difference times the integral of (t - t_0)(t - t_1)(t - t_2) over the long step.
    """
    step = np.diff(t_s)
    p, long, after = step[1:-2], step[2:-1], step[3:]
    k = np.flatnonzero((long > UNEVEN * p) & (long <= LONG_STEP * p) & (long > UNEVEN * after))
    third = (bend[k + 2] - bend[k + 1]) / (2 * (t_s[k + 4] - t_s[k + 1]))[:, None]
    turn[k + 4] -= third * (long[k] ** 3 * (long[k] / 12 + p[k] / 6))[:, None]


def _turn_error(t_s: FloatArray, bend: FloatArray) -> FloatArray:
    """Size (n,) of each step's integration error in rad, from how fast the rate's differences shrink.

    The next term of the Adams-Moulton series is 19/720 h d4 (d_m: m-th difference over this step's length). Where d4
    is small beside d2 the series converges and its terms cancel over a movement. Where it is not, samples are lost,
    filled in or clipped, and the errors add up like a random walk: only that part counts.
    """
    h = t_s[4:] - t_s[3:-1]
    slope = (bend[1:] - bend[:-1]) * (3 / (t_s[3:] - t_s[:-3]))[:, None]
    fourth = (slope[1:] - slope[:-1]) * (4 / (t_s[4:] - t_s[:-4]))[:, None]
    least = np.minimum(
        np.minimum(h, t_s[3:-1] - t_s[2:-2]), np.minimum(t_s[2:-2] - t_s[1:-3], t_s[1:-3] - t_s[:-4])
    )
    d2 = np.sqrt(_squares(bend))
    d2 = np.maximum(np.maximum(d2[2:], d2[1:-1]), d2[:-2])
    d4 = np.sqrt(_squares(fourth)) * least**2
    error = np.zeros(len(t_s))
    error[4:] = 19 / 720 * h**3 * np.maximum(d4 - CONVERGENT * d2, 0.0)
    return error


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def _squares(v: FloatArray) -> FloatArray:
    return v[:, 0] * v[:, 0] + v[:, 1] * v[:, 1] + v[:, 2] * v[:, 2]


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross product of (n, 3) columns; numpy's own is four times slower."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=1)


def _matrix_columns(q: FloatArray) -> FloatArray:
    """Rotation matrices of quaternions (n, 4), row by row: (n, 9)."""
    w, x, y, z = q.T
    xx, yy, zz, xy, xz, yz, wx, wy, wz = x * x, y * y, z * z, x * y, x * z, y * z, w * x, w * y, w * z
    return np.stack(
        (
            1 - 2 * (yy + zz),
            2 * (xy - wz),
            2 * (xz + wy),
            2 * (xy + wz),
            1 - 2 * (xx + zz),
            2 * (yz - wx),
            2 * (xz - wy),
            2 * (yz + wx),
            1 - 2 * (xx + yy),
        ),
        axis=1,
    )
