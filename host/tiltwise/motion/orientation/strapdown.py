"""Angular rate and specific force -> the same in an almost inertial frame: one column of numbers per sample.

The strapdown frame I starts as the first sensor frame and follows the raw gyroscope, so it drifts with the
gyroscope's bias (the filter knows) but does not turn with the wearer: what is left of gravity's direction in I
changes slowly, however wildly the sensor moves. Everything here lies with samples along the last axis, because
arithmetic on whole rows is several times faster than on columns of (n, 3).
"""

from __future__ import annotations

import numpy as np
import vqf
from numpy.typing import NDArray

from tiltwise.types import FloatArray

# Past this ratio to the step before it, a parabola through the last three rates extrapolates instead of integrating.
LONG_STEP = 3.0
# d4 / d2 of a sine at a tenth of the sampling rate is 0.4; of a straight line drawn across a lost sample, 2.
STRAIGHT = 0.2  # bend of a line that quantisation and noise leave, relative to its ends
CONVERGENT = 0.5
UNEVEN = 1.5  # a step of twice the usual length is one lost sample
EVEN = 0.5  # of a step, in four: a recorder that fills in samples does so on an even grid

# Rows of the table (N_ROWS, n) that Strapdown returns, about the step from sample k - 1 to k:
MATRIX = slice(0, 9)  # mean rotation matrix of the step, row by row
FORCE = slice(9, 12)  # mean specific force of the step in frame I, m/s^2
ACC = slice(12, 15)  # specific force as measured, sensor axes, m/s^2
RATE2 = 15  # |rate|^2, rad^2/s^2
ACC2 = 16  # |specific force|^2, m^2/s^4
ERROR2 = 17  # squared integration error of the step per its length, rad^2/s
LACKS = 18  # what a clipped force may lack, m/s^2
ONE = 19
JERK = slice(20, 23)  # change of the specific force in sensor axes per s, turned into frame I, m/s^3
STEP = 23  # length, s; the first has none
TURN = slice(24, 27)  # rotation vector, sensor axes, rad
MOMENT = 27  # length times the middle's time since the stream's start, s^2
TIME = 28  # of sample k, s
QUATERNION = slice(29, 33)  # q_i_from_sensor at sample k
N_ROWS = 33
# What is summed over a window, and by what each step weighs.
VALUES, WEIGHTS = slice(0, 23), slice(23, 28)

SATURATED_TURN = 0.3  # share of a saturated step's turn that may be missing
# m/s^2 that a clipped force may lack: landing from a jump has 6 g where 4 g are measured
CLIPPED_FORCE = 20.0


class Strapdown:
    """Integrates the gyroscope over the real time steps; carries what the next block needs."""

    def __init__(self, t_start_s: float) -> None:
        # VQF's basic filter, given no acceleration, is a compiled product of rotations: 9 M samples/s.
        self._product = vqf.BasicVQF(1.0)
        self._t_start_s = t_start_s
        self._t = np.empty(0)
        self._gyr = np.empty((3, 0))
        self._last: FloatArray | None = None
        self._last_acc: FloatArray | None = None

    def process(
        self,
        t_s: FloatArray,
        gyr_rad_s: FloatArray,
        acc_m_s2: FloatArray,
        is_saturated: NDArray[np.bool_],
        is_clipped: NDArray[np.bool_],
        before: FloatArray,
    ) -> FloatArray:
        """Return the table of the samples t_s (n,), gyr_rad_s (n, 3), acc_m_s2 (n, 3), n >= 1, behind an earlier one.

        is_saturated (n,), is_clipped (n,): where gyroscope and accelerometer stood at the end of their range. before
        (N_ROWS, m), of samples that are to come first; the answer is (N_ROWS, m + n).
        """
        whole = np.empty((N_ROWS, before.shape[1] + len(t_s)))
        whole[:, : before.shape[1]] = before
        table = whole[:, before.shape[1] :]
        table[TIME], table[ACC], table[ONE] = t_s, acc_m_s2.T, 1.0
        error = self._turn(table, gyr_rad_s.T)
        turn2 = _squares(table[TURN])
        if is_saturated.any():
            np.copyto(error, SATURATED_TURN * np.sqrt(turn2), where=is_saturated)
        h = table[STEP]
        per_s = 1 / np.where(h > 0, h, 1.0)
        np.multiply(turn2, per_s * per_s, out=table[RATE2])
        table[ACC2] = _squares(table[ACC])
        np.multiply(error * error, per_s, out=table[ERROR2])
        np.multiply(is_clipped, CLIPPED_FORCE, out=table[LACKS])
        np.multiply(h, t_s - h / 2 - self._t_start_s, out=table[MOMENT])
        self._into_frame(table)
        self._set_jerk(table, per_s)
        return whole

    def _turn(self, table: FloatArray, gyr_rad_s: FloatArray) -> FloatArray:
        """Fill in the steps' lengths and turns; return the size (n,) of their error in rad."""
        n = table.shape[1]
        t, gyr = np.concatenate((self._t, table[TIME])), np.concatenate((self._gyr, gyr_rad_s), axis=1)
        turn, error = step_turns(t, gyr)
        table[TURN] = turn[:, -n:]
        table[STEP, 0] = 0.0
        np.subtract(t[1:][-n:], t[:-1][-n:], out=table[STEP][n - min(n, len(t) - 1) :])
        # Five samples back: what the integration error and two lost samples are judged by.
        self._t, self._gyr = t[-5:], gyr[:, -5:]
        return error[-n:]

    def _into_frame(self, table: FloatArray) -> None:
        """Fill in what is in frame I, from the turns."""
        turn = np.ascontiguousarray(table[TURN].T)
        table[QUATERNION] = self._product.updateBatch(turn, np.zeros_like(turn))["quat6D"].T
        now = np.empty((FORCE.stop, 1 + table.shape[1]))
        half = now[:, 1:]
        _half_matrices(table[QUATERNION], half[MATRIX])
        for row, (a, b, c) in zip(half[FORCE], half[MATRIX].reshape(3, 3, -1), strict=True):
            np.add(a * table[ACC][0] + b * table[ACC][1], c * table[ACC][2], out=row)
        now[:, :1] = half[:, :1] if self._last is None else self._last
        self._last = now[:, -1:]
        np.add(half, now[:, :-1], out=table[: FORCE.stop])

    def _set_jerk(self, table: FloatArray, per_s: FloatArray) -> None:
        """Fill in how the force changes, per_s (n,) being one by the length of the step."""
        acc = table[ACC]
        before = acc[:, :1] if self._last_acc is None else self._last_acc
        self._last_acc = acc[:, -1:].copy()
        change = np.empty_like(acc)
        np.subtract(acc[:, :1], before, out=change[:, :1])
        np.subtract(acc[:, 1:], acc[:, :-1], out=change[:, 1:])
        change *= per_s
        x, y, z = change
        for row, (a, b, c) in zip(table[JERK], table[MATRIX].reshape(3, 3, -1), strict=True):
            np.add(a * x + b * y, c * z, out=row)


def step_turns(t_s: FloatArray, gyr_rad_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the rotation vector (3, n) of each step in rad, and the size (n,) of its integration error in rad.

    t_s (n,) and gyr_rad_s (3, n). The mean rate of a step is that of the parabola through the rates at its ends and
    one sample earlier (the Adams-Moulton rule for unequal steps), plus the coning term g[k-1] x g[k] * h^2 / 12.
    Holding the newest rate over the step instead would put the result half a step ahead.
    """
    n = len(t_s)
    turn = np.zeros((3, n))
    if n < 2:
        return turn, np.zeros(n)
    h = t_s[1:] - t_s[:-1]
    new, mid = gyr_rad_s[:, 1:], gyr_rad_s[:, :-1]
    if n > 2:
        turn[:, 2:] = _parabola(h, new, mid)
    turn[:, 1] = (new[:, 0] + mid[:, 0]) * (h[0] / 2)
    (ax, ay, az), (bx, by, bz), coning = mid, new, h * h / 12
    turn[0, 1:] += (ay * bz - az * by) * coning
    turn[1, 1:] += (az * bx - ax * bz) * coning
    turn[2, 1:] += (ax * by - ay * bx) * coning
    if n < 5:
        return turn, np.zeros(n)
    bend = _second_derivative(t_s, gyr_rad_s)
    size = _squares(bend)
    _repair_refills(turn, t_s, bend, size)
    _repair_long_steps(turn, t_s, bend)
    return turn, _turn_error(t_s, bend, size)


def _parabola(step: FloatArray, new: FloatArray, mid: FloatArray) -> FloatArray:
    """Turns (3, n - 2) of all steps but the first by the parabola through three rates."""
    h, p = step[1:], step[:-1]
    whole = h + p
    w_new = (2 * h + 3 * p) / whole * h / 6
    w_mid = (h + 3 * p) / p * h / 6
    w_old = -(h * h * h) / (6 * p * whole)
    # Where the parabola would extrapolate, the straight line stays.
    k = np.flatnonzero(h > LONG_STEP * p)
    w_new[k] = w_mid[k] = h[k] / 2
    w_old[k] = 0.0
    return new[:, 1:] * w_new + mid[:, 1:] * w_mid + mid[:, :-1] * w_old


def _second_derivative(t_s: FloatArray, gyr_rad_s: FloatArray) -> FloatArray:
    """Second derivative (3, n - 2) of the rate at the inner samples."""
    slope = (gyr_rad_s[:, 1:] - gyr_rad_s[:, :-1]) / (t_s[1:] - t_s[:-1])
    return (slope[:, 1:] - slope[:, :-1]) * (2 / (t_s[2:] - t_s[:-2]))


def _repair_refills(turn: FloatArray, t_s: FloatArray, bend: FloatArray, size: FloatArray) -> None:
    """Add to `turn` what was lost where a recorder drew a straight line across one or two missing samples.

    Such a line has no bend between two samples that bend the same way, which no smooth motion does: it bends on both
    sides of an inflection in opposite ways. The line misses h^2 g'' / 2 (one sample), h^2 g'' (each of two), and
    its ends show 3/2 and 2 times g''. The repair comes with the sample that proves it, two steps late. size is
    |bend|^2.
    """
    h = t_s[4:] - t_s[3:-1]
    is_even = np.abs(t_s[4:] - t_s[:-4] - 4 * h) < EVEN * h
    for lost, share in ((1, 1 / 6), (2, 1 / 2)):
        n = len(size) - lost - 1
        inner = size[1:-1] if lost == 1 else np.maximum(size[1:-2], size[2:-1])
        ends = np.minimum(size[:n], size[lost + 1 :])
        k = np.flatnonzero((inner < STRAIGHT**2 * ends) & is_even[lost - 1 :])
        if not len(k):
            continue
        first, last = bend[:, k], bend[:, k + lost + 1]
        lines = np.sum(first * last, axis=0) > 0
        turn[:, k + lost + 3] -= np.where(lines, (first + last) * (share * h[k + lost - 1] ** 3), 0.0)


def _repair_long_steps(turn: FloatArray, t_s: FloatArray, bend: FloatArray) -> None:
    """Add to `turn` what the parabola missed in the step before, where that was long because samples were lost.

    The sample after a long step gives the cubic through it, and with it what is to be added: the third divided
    difference times the integral of (t - t_0)(t - t_1)(t - t_2) over the long step.
    """
    step = t_s[1:] - t_s[:-1]
    p, long, after = step[1:-2], step[2:-1], step[3:]
    k = np.flatnonzero((long > UNEVEN * p) & (long <= LONG_STEP * p) & (long > UNEVEN * after))
    if len(k):
        third = (bend[:, k + 2] - bend[:, k + 1]) / (2 * (t_s[k + 4] - t_s[k + 1]))
        turn[:, k + 4] -= third * (long[k] ** 3 * (long[k] / 12 + p[k] / 6))


def _turn_error(t_s: FloatArray, bend: FloatArray, size: FloatArray) -> FloatArray:
    """Size (n,) of each step's integration error in rad, from how fast the rate's differences shrink.

    The next term of the Adams-Moulton series is 19/720 h d4 (d_m: m-th difference over this step's length). Where d4
    is small beside d2 the series converges and its terms cancel over a movement. Where it is not, samples are lost,
    filled in or clipped, and the errors add up like a random walk: only that part counts. size is |bend|^2.
    """
    step = t_s[1:] - t_s[:-1]
    h = step[3:]
    slope = (bend[:, 1:] - bend[:, :-1]) * (3 / (t_s[3:] - t_s[:-3]))
    fourth = (slope[:, 1:] - slope[:, :-1]) * (4 / (t_s[4:] - t_s[:-4]))
    shorter = np.minimum(step[1:], step[:-1])
    least = np.minimum(shorter[2:], shorter[:-2])
    d2 = np.sqrt(np.maximum(np.maximum(size[2:], size[1:-1]), size[:-2]))
    d4 = np.sqrt(_squares(fourth)) * (least * least)
    error = np.zeros(len(t_s))
    error[4:] = 19 / 720 * (h * h * h) * np.maximum(d4 - CONVERGENT * d2, 0.0)
    return error


def _squares(v: FloatArray) -> FloatArray:
    """Squared lengths (n,) of vectors (3, n)."""
    x, y, z = v
    return x * x + y * y + z * z


def _half_matrices(q: FloatArray, out: FloatArray) -> None:
    """Write half of the rotation matrices (9, n), row by row, of quaternions (4, n)."""
    w, x, y, z = q
    xx, yy, zz, xy, xz, yz = 0.5 - x * x, y * y, z * z, x * y, x * z, y * z
    wx, wy, wz = w * x, w * y, w * z
    np.subtract(0.5 - yy, zz, out=out[0])
    np.subtract(xy, wz, out=out[1])
    np.add(xz, wy, out=out[2])
    np.add(xy, wz, out=out[3])
    np.subtract(xx, zz, out=out[4])
    np.subtract(yz, wx, out=out[5])
    np.subtract(xz, wy, out=out[6])
    np.add(yz, wx, out=out[7])
    np.subtract(xx, yy, out=out[8])
