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
[[P, 0], [x', 1]], (20, 20). One linear map, kept transposed (20, 29), takes the state to the window's end, to the
mean velocity, and to what the second-order term needs; map' joint map then holds every covariance and mean that
prediction and update need, and the update of all of them is one more product. What does not depend on the state is
put into the maps of many windows at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiltwise.motion.orientation.preintegration import Window, Windows
from tiltwise.motion.orientation.rest_detector import RestDetector
from tiltwise.types import FloatArray

N = 19
GRAVITY = 9.81
ERROR = slice(6, 18)  # the states of the gyroscope error
BIAS = slice(6, 18, 4)  # of these b_0, b_1, b_2
_DELAY = 18
# Times the start's variance, summed over three axes: the old direction is worse than a fresh look.
MOST_TILTED = 9.0

# Columns of the map, and of what it makes of the joint matrix; in the latter _MEAN is the row of the means.
_VELOCITY, _JOINT, _STATE, _MEAN = slice(0, 3), slice(3, 23), slice(3, 22), 22
_COUPLING, _LEVER = slice(23, 26), slice(26, 29)  # change of G by the gyroscope error; turn of frame I by it
_SHOWN, _SEEN = 29, 23  # the first 23 columns are those whose covariances are needed
_CHANGED = 9  # the first 9 of them are not just the state as it was
_BIAS_SEEN = slice(9, 21, 4)
_NOTHING_LEARNT: FloatArray = np.zeros((N + 1, N + 1))
_NOTHING_LEARNT.flags.writeable = False
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
        self.x, self.p, self._variance = joint[N, :N], joint[:N, :N], joint.reshape(-1)[:: N + 2][:N]
        self.x[:3] = first_force_m_s2
        self._variance[:3] = s.start_acc_m_s2**2
        self._variance[3:6] = s.velocity_m_s**2 + (s.velocity_per_acc_s * s.start_acc_m_s2) ** 2
        self._variance[ERROR], self._variance[BIAS] = s.gyr_matrix**2, s.start_bias_rad_s**2
        self._variance[_DELAY] = s.acc_delay_s**2
        self._acc2 = self._rate2 = 0.0  # running mean squares: m^2/s^4 per axis, without gravity; rad^2/s^2
        self._rest = RestDetector()
        self._coupling = np.empty(4 * 3 * 12)
        self._changes_by_error = self._coupling[: _CHANGED * 12].reshape(_CHANGED, 12).T
        self._coupling_by_error = self._coupling[_CHANGED * 12 :].reshape(3, 12).T
        # For the smoother: what an error before the window has become, and what was learnt of it.
        self._effect = self._information = _NOTHING_LEARNT
        # Views of parts: writing through them costs a third of indexing again.
        self._forward = np.empty((N + 1, _SHOWN))
        self._moments = moments = np.empty((_SEEN, _SHOWN))
        self._changed, self._kept, self._forward_kept = (
            moments[:_CHANGED], moments[_CHANGED:], self._forward[_CHANGED - 3 :]
        )  # fmt: skip
        self._told, self._steps = moments[_JOINT], 0
        self._of_state, self._next = moments[_JOINT, _STATE], joint[:, :N]
        self._by_velocity, self._velocity_variance = moments[_VELOCITY], moments[_VELOCITY, _VELOCITY]
        self._velocity, self._turns = moments[_MEAN, _VELOCITY], moments[_MEAN, _COUPLING.start :]
        self._up, self._tilt_and_speed = self.x[:3], self.x[:6]
        self._by_up, self._to_end = np.zeros((0, 3, 4, 3, 12)), np.zeros((0, N + 1, _SHOWN))

    def run(self, windows: Windows) -> tuple[FloatArray, FloatArray]:
        """Learn from windows; return the states (m + 1, 19) at their borders and the variances (m + 1, 3) of G."""
        m = len(windows.each)
        states, variances = np.empty((m + 1, N)), np.empty((m + 1, 3))
        states[0], variances[0] = self.x, self._variance[:3]
        each = zip(windows.each, self._growth(windows), *self._maps(windows), strict=True)
        for k, (window, growth, to_end, by_up) in enumerate(each):
            self._step(window, growth, to_end, by_up)
            states[k + 1], variances[k + 1] = self.x, self._variance[:3]
        return states, variances

    def _growth(self, windows: Windows) -> FloatArray:
        """What happens in windows that nobody sees, as variances (m, 19) of the states."""
        s, growth, length = self.settings, np.zeros((len(windows.each), N)), windows.duration_s
        turn2 = (
            s.gyr_noise_rad**2 * length
            + s.gyr_nonlinear**2 * windows.rate2_s
            + s.turn_error_factor**2 * windows.turn_error2
        )
        growth[:, :3] = (GRAVITY**2 * turn2)[:, None]
        growth[:, 3:6] = (s.acc_noise_m_s**2 * length + windows.lacks_m_s**2)[:, None]
        growth[:, BIAS] = (s.bias_walk_rad_s**2 * length)[:, None]
        return growth

    def _maps(self, windows: Windows) -> tuple[FloatArray, FloatArray]:
        """Return of each window the map (m, 20, 29) but for what G has to do with it, and that by G, (m, 3, 144).

        The 144 are what 12 gyroscope errors change in the mean velocity, in G, in the velocity, and in G once more.
        """
        m, length, lever = len(windows.each), windows.duration_s, windows.lever
        if m > len(self._to_end):  # kept from call to call, because new memory costs more than filling it
            self._to_end, self._by_up = np.tile(_constant_map(), (m, 1, 1)), np.zeros((m, 3, 4, 3, 12))
        to_end, by_up = self._to_end[:m], self._by_up[:m]
        one = by_up[:, :, 1]
        for k in range(3):
            to_end[:, k, k], to_end[:, k, k + 6] = -length / 2, -length
            one[:, k, (k + 1) % 3] = lever[:, (k + 2) % 3]  # -[G x] lever for the unit vectors G
            np.negative(lever[:, (k + 1) % 3], out=one[:, k, (k + 2) % 3])
        to_end[:, ERROR, _LEVER] = lever.transpose(0, 2, 1)
        to_end[:, _DELAY, 6:9] = windows.jerk
        to_end[:, _DELAY, _VELOCITY] = windows.jerk_path / np.where(length > 0, length, 1.0)[:, None]
        by_length = -length[:, None, None, None]
        np.multiply(one, by_length / 6, out=by_up[:, :, 0])
        np.multiply(one, by_length / 2, out=by_up[:, :, 2])
        by_up[:, :, 3] = one
        return to_end, by_up.reshape(m, 3, 144)

    def _step(self, window: Window, growth: FloatArray, to_end: FloatArray, by_up: FloatArray) -> None:
        """Learn from the window and go to its end."""
        if self.history is None:
            self._advance(window, growth, to_end, by_up)
            return
        joint, self._information = self._joint.copy(), _NOTHING_LEARNT
        self._advance(window, growth, to_end, by_up)
        self.history.append(Step(joint, self._effect[-(N + 1) :], self._information))

    def _advance(self, window: Window, growth: FloatArray, to_end: FloatArray, by_up: FloatArray) -> None:
        if window.is_gap:
            self._effect = self._cross_gap(window)
        elif window.duration_s > 0:
            self._follow(window, growth, to_end, by_up)
        else:
            self._effect = np.eye(N + 1)

    def _follow(self, window: Window, growth: FloatArray, to_end: FloatArray, by_up: FloatArray) -> None:
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
        np.dot(self._up, by_up, out=self._coupling)
        to_end[ERROR, :_CHANGED] = self._changes_by_error
        to_end[ERROR, _COUPLING] = self._coupling_by_error
        np.dot(self._joint, to_end, out=self._forward)
        np.dot(to_end[:, :_CHANGED].T, self._forward, out=self._changed)
        np.copyto(self._kept, self._forward_kept)
        if self.history is not None:
            self._effect = to_end[:, :_SEEN].T.copy()
        a, b, c = self._velocity.tolist()
        (d, e, f), (_, h, i), (_, _, j) = self._velocity_variance.tolist()
        px, py, pz = window.path_m
        (x, y, z), (u, v, w) = _higher_terms(self._turns.tolist())
        per_s, second, third = 1 / length, length / 24, length / 120
        self._update(
            self._by_velocity,
            (
                a - second * x - third * u + px * per_s,
                b - second * y - third * v + py * per_s,
                c - second * z - third * w + pz * per_s,
            ),
            _inverse(d, e, f, h, i, j, noise),
            _VELOCITY,
        )
        if is_rest:
            self._see_bias(window.gyr_mean)
        self._predict(length, window.velocity_m_s, growth)

    def _see_bias(self, gyr_mean: list[float]) -> None:
        """Take the mean angular rate for the bias."""
        by_bias = self._moments[_BIAS_SEEN].copy()
        (a, b, c), (_, d, e), (_, _, f) = by_bias[:, _BIAS_SEEN].tolist()
        x, y, z = self._moments[_MEAN, _BIAS_SEEN].tolist()
        mx, my, mz = gyr_mean
        inverse = _inverse(a, b, c, d, e, f, self.settings.rest_bias_rad_s**2)
        self._update(by_bias, (x - mx, y - my, z - mz), inverse, _BIAS_SEEN)

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

    def _update(
        self, by: FloatArray, too_much: tuple[float, float, float], inverse: FloatArray, at: slice
    ) -> None:
        """Kalman update of all that the map shows by three of its columns `at`.

        by (3, 29): covariances with them. too_much: what they say beyond what was measured. inverse (3, 3): of their
        covariance with what they were measured with.
        """
        gain, seen = inverse.dot(by), by[:, _JOINT].copy()
        seen[:, N] = too_much
        if self.history is not None:
            before = self._effect[at].copy()
            self._effect -= np.dot(gain[:, :_SEEN].T, before)
            before[:, N] = too_much
            self._information = self._information + np.dot(before.T, inverse.dot(before))
        self._told -= np.dot(seen.T, gain)

    def _predict(self, length: float, velocity_m_s: list[float], growth: FloatArray) -> None:
        """Take what the map says of the window's end, and add what happened and what is unknown."""
        (x, y, z), (u, v, w) = _higher_terms(self._turns.tolist())
        np.copyto(self._next, self._of_state)
        self._steps += 1
        if self._steps % _SYMMETRIC_EVERY == 0:  # what rounding leaves of the other part would grow for hours
            self.p[:] = (self.p + self.p.T) / 2
        gx, gy, gz, sx, sy, sz = self._tilt_and_speed.tolist()
        vx, vy, vz = velocity_m_s
        second, third = length / 6, length / 24
        self._tilt_and_speed[:] = (
            gx + x / 2 + u / 6,
            gy + y / 2 + v / 6,
            gz + z / 2 + w / 6,
            sx + vx - second * x - third * u,
            sy + vy - second * y - third * v,
            sz + vz - second * z - third * w,
        )
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
    """The map (20, 29) but for what depends on the window: all of the state stays; mean velocity from velocity."""
    constant = np.zeros((N + 1, _SHOWN))
    constant[:, _JOINT] = np.eye(N + 1)
    constant[3:6, _VELOCITY] = np.eye(3)
    return constant


def _higher_terms(turns: list[float]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return turn x change and turn x (turn x change), of which first order leaves out some share, m/s^2.

    turns: change (d, e, f) of G by a turn (a, b, c) of frame I, m/s^2 and rad. A bias of 3 deg/s turns frame I
    by 9 deg in a long window; left out, the terms come back as an error of the bias.
    """
    d, e, f, a, b, c = turns
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    return (x, y, z), (b * z - c * y, c * x - a * z, a * y - b * x)


def _inverse(a: float, b: float, c: float, d: float, e: float, f: float, noise: float) -> FloatArray:
    """Inverse (3, 3) of a symmetric matrix a b c d e f plus noise on its diagonal, by its cofactors.

    Cheaper than numpy's. The noise keeps the condition number below 1e4, so that no digit that counts is lost.
    """
    a, d, f = a + noise, d + noise, f + noise
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    share = 1 / (a * aa + b * ab + c * ac)
    ab, ac, bc = ab * share, ac * share, bc * share
    return np.array((aa * share, ab, ac, ab, bb * share, bc, ac, bc, cc * share)).reshape(3, 3)
