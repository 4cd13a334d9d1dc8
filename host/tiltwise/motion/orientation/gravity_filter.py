"""Windows of strapdown integrals -> where gravity points in the strapdown frame: an error-state Kalman filter.

State (18): reaction to gravity G (m/s^2, "up"), velocity v (m/s), gyroscope error, row j = [b_j, M_j0, M_j1, M_j2] so
that rate error_j = b_j + sum_k M_jk rate_k (rad/s). Everything but the gyroscope error lives in frame I, in which
    dG/dt = (R (b + M rate)) x G,   dv/dt = f - G,
and what makes gravity observable is that people and their sensors stay about where they are: over each window the
mean velocity is "measured" as zero, within what the acceleration at the time makes likely. At rest it is zero
within millimetres, and the gyroscope shows its bias.
With fixed gains and two states this filter is the second-order Butterworth low-pass of VQF
(doi:10.1016/j.inffus.2022.10.014); what is gained comes from gains that follow the motion, and from knowing the
gyroscope's scale and cross-axis errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tiltwise.motion.orientation.preintegration import Window
from tiltwise.motion.orientation.rest_detector import RestDetector
from tiltwise.types import FloatArray

N = 18
GRAVITY = 9.81
BIAS = slice(6, N, 4)  # the states b_0, b_1, b_2
# Times the start's variance, summed over three axes: the old direction is worse than a fresh look.
MOST_TILTED = 9.0
EYE3 = np.eye(3)
CROSS_AT = np.array((0, 0, 1, 1, 2, 2)), np.array((1, 2, 0, 2, 0, 1))


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


@dataclass(slots=True)
class GravityState:
    """All that the filter remembers: x (18,), covariance p (18, 18), and the two running mean squares."""

    x: FloatArray
    p: FloatArray
    acc2: float = 0.0  # m^2/s^4 per axis, without gravity
    rate2: float = 0.0  # rad^2/s^2
    rest: RestDetector = field(default_factory=RestDetector)


@dataclass(frozen=True, slots=True)
class Step:
    """What the smoother needs of one window: x, p at its start, with all that it measured; x, p for its end."""

    x: FloatArray
    p: FloatArray
    transition: FloatArray
    x_end: FloatArray
    p_end: FloatArray


class GravityFilter:
    """Steps from window to window; `state` after each step is valid at the window's end."""

    def __init__(self, first_force_m_s2: FloatArray, settings: GravitySettings | None = None) -> None:
        self.history: list[Step] | None = None  # a list to record into; rts_smoother.py does
        self.settings = s = settings or GravitySettings()
        x, p = np.zeros(N), np.zeros(N)
        x[:3] = first_force_m_s2
        p[:3], p[3:6] = (
            s.start_acc_m_s2**2,
            s.velocity_m_s**2 + (s.velocity_per_acc_s * s.start_acc_m_s2) ** 2,
        )
        p[6:] = s.gyr_matrix**2
        p[BIAS] = s.start_bias_rad_s**2
        self.state = GravityState(x, np.diag(p))
        self._transition, self._measure, self._cross_g = np.eye(N), np.zeros((3, N)), np.zeros((3, 3))
        self._measure[:, 3:6] = EYE3
        # Views of what changes from window to window; writing through them costs a third of indexing again.
        self._velocity_by_g = self._transition.reshape(-1)[3 * N :: N + 1][:3]
        self._mean_by_g = self._measure.reshape(-1)[:: N + 1][:3]
        self._growth = np.zeros(N)

    def step(self, window: Window) -> None:
        """Learn from the window and go to its end."""
        if window.is_gap:
            before = self.state.x.copy(), self.state.p.copy()
            step = self._cross_gap(window)
        elif window.duration_s > 0:
            coupling = self._coupling(window)
            self._update_velocity(window, coupling)
            before = self.state.x, self.state.p
            step = self._predict(window, coupling)
        else:
            before, step = (self.state.x.copy(), self.state.p.copy()), np.eye(N)
        if self.history is not None:
            self.history.append(Step(*before, step.copy(), self.state.x.copy(), self.state.p.copy()))

    def _update_velocity(self, window: Window, coupling: FloatArray) -> None:
        """Learn from the window's mean velocity being about zero, and at rest from the gyroscope."""
        s, state, length = self.settings, self.state, window.duration_s
        now = self._follow_motion(window)
        is_rest = state.rest.step(window)
        if is_rest:
            noise = s.rest_velocity_m_s**2
        else:
            noise = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(state.acc2, now)
            noise /= s.velocity_rate_hz * length
            noise += window.lacks_m_s**2
        measure = self._measure
        self._mean_by_g.fill(-length / 2)
        np.multiply(coupling, -length / 6, out=measure[:, 6:])
        cross = state.p @ measure.T
        mean = measure @ state.x - _turned_twice(window, coupling, state.x) * (length / 24)
        self._update(cross, measure @ cross, window.path_m / -length - mean, noise)
        if is_rest:
            cross = state.p[:, BIAS]
            self._update(cross, cross[BIAS], window.gyr_mean - state.x[BIAS], s.rest_bias_rad_s**2)

    def _follow_motion(self, window: Window) -> float:
        """Keep the running mean squares; return that of the acceleration in this window, per axis, m^2/s^4."""
        state, length = self.state, window.duration_s
        ux, uy, uz = state.x[:3].tolist()
        vx, vy, vz = window.velocity_m_s.tolist()
        along = 2 * (ux * vx + uy * vy + uz * vz) / length
        now = max((window.acc2_mean - along + ux * ux + uy * uy + uz * uz) / 3, 0.0)
        share = -math.expm1(-length / self.settings.acc_memory_s)
        state.acc2 += share * (now - state.acc2)
        state.rate2 += share * (window.rate2_s / length - state.rate2)
        return now

    def _update(
        self, cross: FloatArray, innovation_p: FloatArray, innovation: FloatArray, noise: float
    ) -> None:
        """Kalman update with three measurements: cross (18, 3) = P H', innovation_p (3, 3) = H P H'."""
        gain = _inverse(innovation_p + EYE3 * noise) @ cross.T
        self.state.x += innovation @ gain
        self.state.p -= cross @ gain

    def _coupling(self, window: Window) -> FloatArray:
        """Change of G over the window per gyroscope error, (3, 12): -[G x] lever."""
        gx, gy, gz = self.state.x[:3].tolist()
        self._cross_g[CROSS_AT] = (gz, -gy, -gz, gx, gy, -gx)
        return self._cross_g @ window.lever

    def _predict(self, window: Window, coupling: FloatArray) -> FloatArray:
        """Go to the window's end; return the transition matrix."""
        s, state, length = self.settings, self.state, window.duration_s
        step = self._transition
        step[:3, 6:] = coupling
        self._velocity_by_g.fill(-length)
        np.multiply(coupling, -length / 2, out=step[3:6, 6:])
        twice = _turned_twice(window, coupling, state.x)
        state.x = step @ state.x
        state.x[:3] += twice / 2
        state.x[3:6] += window.velocity_m_s - twice * (length / 6)
        p = step @ state.p @ step.T
        turn2 = (
            s.gyr_noise_rad**2 * length
            + s.gyr_nonlinear**2 * window.rate2_s
            + s.turn_error_factor**2 * window.turn_error2
        )
        p = (p + p.T) * 0.5
        growth = self._growth
        growth[:3] = GRAVITY**2 * turn2
        growth[3:6] = s.acc_noise_m_s**2 * length + window.lacks_m_s**2
        growth[BIAS] = s.bias_walk_rad_s**2 * length
        p.reshape(-1)[:: N + 1] += growth
        state.p = p
        return step

    def _cross_gap(self, window: Window) -> FloatArray:
        """Carry gravity across a step without samples: what turned meanwhile is unknown, and so is the velocity."""
        s, state, length = self.settings, self.state, window.duration_s
        x, p = state.x, state.p
        state.rest.reset()
        step = np.eye(N)
        step[3:6] = 0.0
        turn2 = max(state.rate2, s.gap_rate_rad_s**2) * length * s.gap_memory_s
        diagonal = p.reshape(-1)[:: N + 1]
        diagonal[:3] += GRAVITY**2 * min(turn2, 1.0)
        if length > s.lost_after_s or diagonal[:3].sum() > MOST_TILTED * s.start_acc_m_s2**2:
            x[:3] = window.force_end_m_s2
            step[:3] = 0.0
            p[:3, :] = p[:, :3] = 0.0
            diagonal[:3] = s.start_acc_m_s2**2 + state.acc2
        x[3:6] = 0.0
        p[3:6, :] = p[:, 3:6] = 0.0
        diagonal[3:6] = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(state.acc2, 1.0)
        diagonal[BIAS] += s.bias_walk_rad_s**2 * length
        return step


def _turned_twice(window: Window, coupling: FloatArray, x: FloatArray) -> FloatArray:
    """Second-order term of G's turn by the known gyroscope error over the window, turn x (turn x G), m/s^2.

    A bias of 3 deg/s turns frame I by 4 deg in a long window. Left out, the term comes back as an error of the bias.
    """
    (a, b, c), (d, e, f) = (window.lever @ x[6:]).tolist(), (coupling @ x[6:]).tolist()
    return np.array((b * f - c * e, c * d - a * f, a * e - b * d))


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverse (3, 3) of a symmetric matrix by its cofactors: half the time of numpy.linalg.inv, no scipy to load.

    The measurement noise on its diagonal keeps the condition number below 1e4, so that no digit that counts is lost.
    """
    (a, b, c), (_, d, e), (_, _, f) = matrix.tolist()
    aa, ab, ac = d * f - e * e, c * e - b * f, b * e - c * d
    bb, bc, cc = a * f - c * c, b * c - a * e, a * d - b * b
    inverse: FloatArray = np.array((aa, ab, ac, ab, bb, bc, ac, bc, cc)) / (a * aa + b * ab + c * ac)
    return inverse.reshape(3, 3)
