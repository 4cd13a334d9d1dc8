"""Windows of strapdown integrals -> where gravity points in the strapdown frame: an error-state Kalman filter.

State (19): reaction to gravity G (m/s^2, "up"), velocity v (m/s), gyroscope error, row j = [b_j, M_j0, M_j1, M_j2] so
that rate error_j = b_j + sum_k M_jk rate_k (rad/s), and by how much the accelerometer lags the gyroscope (s): their
filters differ by a millisecond, which in fast motion tilts the mean force by degrees. G and v live in frame I:
    dG/dt = (R (b + M rate)) x G,   dv/dt = f - G,
and what makes gravity observable is that people and their sensors stay about where they are: over each window the
mean velocity is "measured" as zero, within what the acceleration at the time makes likely. At rest it is zero
within millimetres, and the gyroscope shows its bias.
With fixed gains and two states this filter is the second-order Butterworth low-pass of VQF
(doi:10.1016/j.inffus.2022.10.014); what is gained comes from gains that follow the motion, and from knowing the
gyroscope's scale and cross-axis errors.

A step is few products of matrices, because each call costs more than its arithmetic. The joint matrix is
[[P, x], [0, 1]], (20, 20). One linear map (29, 20) takes the state to the window's end, to the mean velocity, and to
what the second-order term needs; map @ joint @ map' then holds every covariance and mean that prediction and update
need, and the update of all of them is one more product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiltwise.motion.orientation.preintegration import Window
from tiltwise.motion.orientation.rest_detector import RestDetector
from tiltwise.types import FloatArray

N = 19
GRAVITY = 9.81
ERROR = slice(6, 18)  # the states of the gyroscope error
BIAS = slice(6, 18, 4)  # of these b_0, b_1, b_2
_DELAY = 18
# Times the start's variance, summed over three axes: the old direction is worse than a fresh look.
MOST_TILTED = 9.0

# Rows of the map, and of what it makes of the joint matrix; N is the constant 1, whose column is the mean.
_STATE, _JOINT, _VELOCITY = slice(0, N), slice(0, N + 1), slice(20, 23)
_COUPLING, _LEVER = slice(23, 26), slice(26, 29)  # change of G by the gyroscope error; turn of frame I by it
_MAP_ROWS, _SEEN = 29, 23  # the first 23 rows are those whose covariances are needed
_MEANS = slice(19, 23)  # columns: the mean, and the covariances with the velocity
_SYMMETRIC_EVERY = 16  # steps; doing it costs as much as a tenth of a step


@dataclass(frozen=True, slots=True)
class GravitySettings:
    """Sizes of what is not known, as standard deviations; each from what sensors and people are like."""

    start_acc_m_s2: float = 2.0  # acceleration that the first sample may contain
    start_bias_rad_s: float = math.radians(1.0)  # zero-rate level of a consumer part
    gyr_matrix: float = 0.003  # scale and cross-axis error left after factory calibration
    bias_walk_rad_s: float = math.radians(0.004)  # per sqrt(s): 0.2 deg/s in an hour of warming up
    gyr_noise_rad: float = math.radians(0.02)  # per sqrt(s), angle random walk; parts have 0.004-0.01
    gyr_nonlinear: float = 0.001  # of the rate, changing within a second: what the matrix does not describe
    turn_error_factor: float = 2.0  # true over estimated integration error: consecutive ones are alike
    acc_delay_s: float = 0.002  # of the accelerometer behind the gyroscope, or before it
    acc_noise_m_s: float = 0.05  # per sqrt(s): noise, bias and misalignment of the accelerometer
    velocity_m_s: float = 0.3  # of a person who sits: sways, leans, turns
    # 1 / (2 pi 0.8 Hz): a movement of RMS acceleration a has RMS velocity 0.2 s * a.
    velocity_per_acc_s: float = 0.2
    velocity_rate_hz: float = 4.0  # independent looks at "velocity is zero" per second
    acc_memory_s: float = 3.0  # over which the RMS acceleration is remembered
    rest_velocity_m_s: float = 0.02
    rest_bias_rad_s: float = math.radians(0.1)  # a quiet head still turns a little
    gap_rate_rad_s: float = 0.05  # rate during a gap in which nothing moved before
    gap_memory_s: float = 0.3  # for how long a rate persists: turns in a gap are a random walk of such steps
    lost_after_s: float = 5.0  # a gap after which nothing of the old direction is kept


@dataclass(frozen=True, slots=True)
class Step:
    """What the smoother needs of one window: the joint matrix (20, 20) before it, and what it did to errors.

    closed_loop (20, 20) takes an error of the state before the window to the error after it. information (20, 20)
    is that of what was measured in the window, [[H' S^-1 H, -H' S^-1 innovation], ...].
    """

    joint: FloatArray
    closed_loop: FloatArray
    information: FloatArray


class GravityFilter:
    """Steps from window to window; `x` and `p` after each step are valid at the window's end."""

    def __init__(self, first_force_m_s2: FloatArray, settings: GravitySettings | None = None) -> None:
        self.history: list[Step] | None = None  # a list to record into; rts_smoother.py does
        self.settings = s = settings or GravitySettings()
        self._joint = joint = np.zeros((N + 1, N + 1))
        joint[N, N] = 1.0
        self.x, self.p, self._variance = joint[:N, N], joint[:N, :N], joint.reshape(-1)[:: N + 2][:N]
        self.x[:3] = first_force_m_s2
        self._variance[:3] = s.start_acc_m_s2**2
        self._variance[3:6] = s.velocity_m_s**2 + (s.velocity_per_acc_s * s.start_acc_m_s2) ** 2
        self._variance[ERROR], self._variance[BIAS] = s.gyr_matrix**2, s.start_bias_rad_s**2
        self._variance[_DELAY] = s.acc_delay_s**2
        self._acc2 = self._rate2 = 0.0  # running mean squares: m^2/s^4 per axis, without gravity; rad^2/s^2
        self._rest = RestDetector()
        self._map = _constant_map()
        # Views of what changes from window to window; writing through them costs a third of indexing again.
        self._velocity_by_g, self._mean_by_g = (
            self._map.reshape(-1)[first * (N + 1) :: N + 2][:3] for first in (3, _VELOCITY.start)
        )
        # By the gyroscope error: G and velocity; mean velocity and change of G.
        self._ends_by_error = self._map[0:6, ERROR].reshape(2, 3, 12)
        self._means_by_error = self._map[20:26, ERROR].reshape(2, 3, 12)
        self._lever = self._map[_LEVER, ERROR]
        self._velocity_by_delay, self._mean_by_delay = self._map[3:6, _DELAY], self._map[_VELOCITY, _DELAY]
        self._coupling = np.empty(36)
        self._couplings = self._coupling.reshape(1, 3, 12)
        self._end_scale, self._mean_scale = np.ones((2, 2, 1, 1))
        # For the smoother: what an error before the window has become, and what was learnt of it.
        self._effect = self._information = np.zeros((N + 1, N + 1))
        self._forward = np.empty((_MAP_ROWS, N + 1))
        self._moments = moments = np.empty((_MAP_ROWS, _SEEN))
        self._state_moments, self._steps = moments[_STATE, _JOINT], 0
        self._seen_of_velocity, self._velocity_moments = (
            moments[_VELOCITY, _JOINT],
            moments[_VELOCITY, _MEANS],
        )
        self._by_velocity, self._turns = moments[:, _VELOCITY], moments[_COUPLING.start :, N]
        self._shown, self._to_all = moments[:, _JOINT], self._map[:_SEEN].T
        self._up, self._tilt_and_speed = self.x[:3], self.x[:6]

    def run(self, windows: Sequence[Window]) -> tuple[FloatArray, FloatArray]:
        """Learn from windows; return the states (m + 1, 19) at their borders and the variances (m + 1, 3) of G."""
        states, variances = np.empty((len(windows) + 1, N)), np.empty((len(windows) + 1, 3))
        states[0], variances[0] = self.x, self._variance[:3]
        for k, (window, growth) in enumerate(zip(windows, self._growth(windows), strict=True)):
            self._step(window, growth)
            states[k + 1], variances[k + 1] = self.x, self._variance[:3]
        return states, variances

    def _growth(self, windows: Sequence[Window]) -> FloatArray:
        """What happens in windows that nobody sees, as variances (m, 19) of the states."""
        s, growth = self.settings, np.zeros((len(windows), N))
        if len(windows):
            numbers = [(w.duration_s, w.rate2_s, w.turn_error2, w.lacks_m_s) for w in windows]
            length, rate2_s, turn_error2, lacks = np.array(numbers).T
            turn2 = (
                s.gyr_noise_rad**2 * length
                + s.gyr_nonlinear**2 * rate2_s
                + s.turn_error_factor**2 * turn_error2
            )
            growth[:, :3] = (GRAVITY**2 * turn2)[:, None]
            growth[:, 3:6] = (s.acc_noise_m_s**2 * length + lacks**2)[:, None]
            growth[:, BIAS] = (s.bias_walk_rad_s**2 * length)[:, None]
        return growth

    def _step(self, window: Window, growth: FloatArray) -> None:
        """Learn from the window and go to its end."""
        if self.history is None:
            self._advance(window, growth)
            return
        joint, self._information = self._joint.copy(), np.zeros((N + 1, N + 1))
        self._advance(window, growth)
        self.history.append(Step(joint, self._effect[_JOINT], self._information))

    def _advance(self, window: Window, growth: FloatArray) -> None:
        if window.is_gap:
            self._effect = self._cross_gap(window)
        elif window.duration_s > 0:
            self._follow(window, growth)
        else:
            self._effect = np.eye(N + 1)

    def _follow(self, window: Window, growth: FloatArray) -> None:
        """Learn from the mean velocity being about zero, and at rest from the gyroscope; then go to the end."""
        s, length = self.settings, window.duration_s
        now = self._follow_motion(window)
        is_rest = self._rest.step(window)
        if is_rest:
            noise = s.rest_velocity_m_s**2
        else:
            noise = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(self._acc2, now)
            noise /= s.velocity_rate_hz * length
            noise += window.lacks_m_s**2
        self._set_map(window)
        np.dot(self._map, self._joint, out=self._forward)
        np.dot(self._forward, self._to_all, out=self._moments)
        if self.history is not None:
            self._effect = self._map[:_SEEN].copy()
        x, y, z = _higher_terms(self._turns, length / 24, length / 120)
        (a, d, e, f), (b, _, h, i), (c, _, _, j) = self._velocity_moments.tolist()
        px, py, pz = window.path_m
        per_s, seen = 1 / length, self._seen_of_velocity
        seen[:, N] = (a - x + px * per_s, b - y + py * per_s, c - z + pz * per_s)
        self._update(self._by_velocity, seen, _inverse(d, e, f, h, i, j, noise), _VELOCITY)
        if is_rest:
            self._see_bias(window.gyr_mean)
        self._predict(length, window.velocity_m_s, growth)

    def _see_bias(self, gyr_mean: list[float]) -> None:
        """Take the mean angular rate for the bias."""
        moments = self._moments
        (a, b, c), (_, d, e), (_, _, f) = moments[BIAS, BIAS].tolist()
        seen = moments[BIAS, _JOINT].copy()
        seen[:, N] -= gyr_mean
        self._update(
            moments[:, BIAS], seen, _inverse(a, b, c, d, e, f, self.settings.rest_bias_rad_s**2), BIAS
        )

    def _set_map(self, window: Window) -> None:
        """Put the window's length, and what an error of the gyroscope does over it, into the map."""
        length = window.duration_s
        np.dot(self._up, window.coupling_by_g, out=self._coupling)
        self._end_scale[1], self._mean_scale[0] = -length / 2, -length / 6
        np.multiply(self._couplings, self._end_scale, out=self._ends_by_error)
        np.multiply(self._couplings, self._mean_scale, out=self._means_by_error)
        self._lever[:] = window.lever
        self._velocity_by_g.fill(-length)
        self._mean_by_g.fill(-length / 2)
        self._velocity_by_delay[:] = window.jerk
        np.multiply(window.jerk_path, 1 / length, out=self._mean_by_delay)

    def _follow_motion(self, window: Window) -> float:
        """Keep the running mean squares; return that of the acceleration in this window, per axis, m^2/s^4."""
        length = window.duration_s
        ux, uy, uz = self._up.tolist()
        vx, vy, vz = window.velocity_m_s
        along = 2 * (ux * vx + uy * vy + uz * vz) / length
        now = max((window.acc2_mean - along + ux * ux + uy * uy + uz * uz) / 3, 0.0)
        share = -math.expm1(-length / self.settings.acc_memory_s)
        self._acc2 += share * (now - self._acc2)
        self._rate2 += share * (window.rate2_s / length - self._rate2)
        return now

    def _update(self, by: FloatArray, seen: FloatArray, inverse: FloatArray, at: slice) -> None:
        """Kalman update of all that the map shows by three of its rows `at`.

        by (29, 3): covariances with them. seen (3, 20): theirs with the state, and what they say too much. inverse
        (3, 3): of their covariance with what they were measured with.
        """
        gain = np.dot(by, inverse)
        if self.history is not None:
            before = self._effect[at].copy()
            self._effect -= np.dot(gain[:_SEEN], before)
            before[:, N] = seen[:, N]
            self._information += np.dot(before.T, np.dot(inverse, before))
        self._shown -= np.dot(gain, seen)

    def _predict(self, length: float, velocity_m_s: list[float], growth: FloatArray) -> None:
        """Take what the map says of the window's end, and add what happened and what is unknown."""
        gx, gy, gz = _higher_terms(self._turns, 1 / 2, 1 / 6)
        x, y, z = _higher_terms(self._turns, length / 6, length / 24)
        np.copyto(self._joint[_STATE], self._state_moments)
        self._steps += 1
        if self._steps % _SYMMETRIC_EVERY == 0:  # what rounding leaves of the other part would grow for hours
            self.p[:] = (self.p + self.p.T) / 2
        vx, vy, vz = velocity_m_s
        self._tilt_and_speed += (gx, gy, gz, vx - x, vy - y, vz - z)
        self._variance += growth

    def _cross_gap(self, window: Window) -> FloatArray:
        """Carry gravity across a step without samples: what turned meanwhile is unknown, and so is the velocity."""
        s, length, x, p, variance = self.settings, window.duration_s, self.x, self.p, self._variance
        self._rest.reset()
        step = np.eye(N + 1)
        step[3:6] = 0.0
        turn2 = max(self._rate2, s.gap_rate_rad_s**2) * length * s.gap_memory_s
        variance[:3] += GRAVITY**2 * min(turn2, 1.0)
        if length > s.lost_after_s or variance[:3].sum() > MOST_TILTED * s.start_acc_m_s2**2:
            x[:3] = window.force_end_m_s2
            step[:3] = 0.0
            p[:3, :] = p[:, :3] = 0.0
            variance[:3] = s.start_acc_m_s2**2 + self._acc2
        x[3:6] = 0.0
        p[3:6, :] = p[:, 3:6] = 0.0
        variance[3:6] = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(self._acc2, 1.0)
        variance[BIAS] += s.bias_walk_rad_s**2 * length
        return step


def _constant_map() -> FloatArray:
    """The map but for what depends on the window: G, v, gyroscope error and 1 stay; mean velocity from v."""
    constant = np.zeros((_MAP_ROWS, N + 1))
    constant[: N + 1] = np.eye(N + 1)
    constant[_VELOCITY, 3:6] = np.eye(3)
    return constant


def _higher_terms(turns: FloatArray, second: float, third: float) -> tuple[float, float, float]:
    """Sum of turn x change and turn x (turn x change), times these: what first order leaves out, m/s^2.

    turns (6,): change (d, e, f) of G by a turn (a, b, c) of frame I, m/s^2 and rad. A bias of 3 deg/s turns frame I
    by 9 deg in a long window; left out, the terms come back as an error of the bias.
    """
    d, e, f, a, b, c = turns.tolist()
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    return (
        second * x + third * (b * z - c * y),
        second * y + third * (c * x - a * z),
        second * z + third * (a * y - b * x),
    )


def _inverse(a: float, b: float, c: float, d: float, e: float, f: float, noise: float) -> FloatArray:
    """Inverse (3, 3) of a symmetric matrix a b c d e f plus noise on its diagonal, by its cofactors.

    Cheaper than numpy's. The noise keeps the condition number below 1e4, so that no digit that counts is lost.
    """
    a, d, f = a + noise, d + noise, f + noise
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    share = 1 / (a * aa + b * ab + c * ac)
    aa, ab, ac, bb, bc, cc = aa * share, ab * share, ac * share, bb * share, bc * share, cc * share
    return np.array(((aa, ab, ac), (ab, bb, bc), (ac, bc, cc)))
