"""Windows of strapdown integrals -> where gravity points in the strapdown frame: an error-state Kalman filter.

Before it: windows.py. After it: orientation.py, which turns the strapdown quaternions upright with the result.
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
from scipy.linalg.lapack import dposv

from tiltwise.motion.rest import RestDetector
from tiltwise.motion.windows import Window
from tiltwise.types import FloatArray

N = 18
GRAVITY = 9.81
BIAS_STATES = (6, 10, 14)
EYE3 = np.eye(3)
EYE12 = np.eye(12)
DIAGONAL = np.arange(N)


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
    velocity_per_acc_s: float = (
        0.2  # = 1 / (2 pi 0.8 Hz): a movement of RMS acceleration a has RMS velocity 0.2 s * a
    )
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
        self.history: list[Step] | None = None  # a list to record into; smoother.py does
        self.settings = s = settings or GravitySettings()
        x, p = np.zeros(N), np.zeros(N)
        x[:3] = first_force_m_s2
        p[:3], p[3:6] = (
            s.start_acc_m_s2**2,
            s.velocity_m_s**2 + (s.velocity_per_acc_s * s.start_acc_m_s2) ** 2,
        )
        p[6:] = s.gyr_matrix**2
        p[list(BIAS_STATES)] = s.start_bias_rad_s**2
        self.state = GravityState(x, np.diag(p))
        self._transition = np.eye(N)
        self._measure = np.zeros((3, N))
        self._measure[:, 3:6] = EYE3

    def step(self, window: Window) -> None:
        """Learn from the window and go to its end."""
        if window.is_gap:
            before = self.state.x.copy(), self.state.p.copy()
            step = self._cross_gap(window)
        elif window.duration_s > 0:
            self._update_velocity(window)
            before = self.state.x, self.state.p
            step = self._predict(window)
        else:
            before, step = (self.state.x.copy(), self.state.p.copy()), np.eye(N)
        if self.history is not None:
            self.history.append(Step(*before, step.copy(), self.state.x.copy(), self.state.p.copy()))

    def _update_velocity(self, window: Window) -> None:
        s, state, length = self.settings, self.state, window.duration_s
        x = state.x
        up = x[:3]
        mean_force = window.velocity_m_s / length
        now = max((window.acc2_mean - 2 * float(up @ mean_force) + float(up @ up)) / 3, 0.0)
        state.acc2 += -math.expm1(-length / s.acc_memory_s) * (now - state.acc2)
        state.rate2 += -math.expm1(-length / s.acc_memory_s) * (window.rate2_s / length - state.rate2)
        is_rest = state.rest.step(window)
        if is_rest:
            noise = s.rest_velocity_m_s**2
        else:
            noise = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(state.acc2, now)
            noise /= s.velocity_rate_hz * length
        coupling = self._coupling(window)
        measure = self._measure
        measure[:, :3] = EYE3 * (-length / 2)
        measure[:, 6:] = coupling * (-length / 6)
        self._update(state.p @ measure.T, measure, -window.path_m / length - measure @ x, noise)
        if is_rest:
            columns = state.p[:, BIAS_STATES]
            self._update_bias(columns, window.gyr_mean - x[list(BIAS_STATES)], s.rest_bias_rad_s**2)

    def _update(self, cross: FloatArray, measure: FloatArray, innovation: FloatArray, noise: float) -> None:
        gain = dposv(measure @ cross + EYE3 * noise, cross.T)[1]
        self.state.x += innovation @ gain
        self.state.p -= cross @ gain

    def _update_bias(self, cross: FloatArray, innovation: FloatArray, noise: float) -> None:
        gain = dposv(cross[BIAS_STATES, :] + EYE3 * noise, cross.T)[1]
        self.state.x += innovation @ gain
        self.state.p -= cross @ gain

    def _coupling(self, window: Window) -> FloatArray:
        """Change of G over the window per gyroscope error, (3, 12): -[G x] lever."""
        gx, gy, gz = self.state.x[:3].tolist()
        return np.array(((0.0, gz, -gy), (-gz, 0.0, gx), (gy, -gx, 0.0))) @ window.lever

    def _predict(self, window: Window) -> FloatArray:
        s, state, length = self.settings, self.state, window.duration_s
        step = self._transition
        coupling = self._coupling(window)
        step[:3, 6:] = coupling
        step[3:6, :3] = EYE3 * -length
        step[3:6, 6:] = coupling * (-length / 2)
        state.x = step @ state.x
        state.x[3:6] += window.velocity_m_s
        p = step @ state.p @ step.T
        turn2 = (
            s.gyr_noise_rad**2 * length
            + s.gyr_nonlinear**2 * window.rate2_s
            + s.turn_error_factor**2 * window.turn_error2
        )
        p[DIAGONAL[:3], DIAGONAL[:3]] += GRAVITY**2 * turn2
        p[DIAGONAL[3:6], DIAGONAL[3:6]] += s.acc_noise_m_s**2 * length
        p[BIAS_STATES, BIAS_STATES] += s.bias_walk_rad_s**2 * length
        state.p = (p + p.T) * 0.5
        return step

    def _cross_gap(self, window: Window) -> FloatArray:
        """Carry gravity across a step without samples: what turned meanwhile is unknown, and so is the velocity."""
        s, state, length = self.settings, self.state, window.duration_s
        x, p = state.x, state.p
        state.rest.reset()
        step = np.eye(N)
        step[3:6] = 0.0
        turn2 = max(state.rate2, s.gap_rate_rad_s**2) * length * s.gap_memory_s
        p[:3, :3] += EYE3 * (GRAVITY**2 * min(turn2, 1.0))
        if length > s.lost_after_s or p[0, 0] + p[1, 1] + p[2, 2] > 3 * 3 * s.start_acc_m_s2**2:
            x[:3] = window.force_end_m_s2
            step[:3] = 0.0
            p[:3, :] = p[:, :3] = 0.0
            p[DIAGONAL[:3], DIAGONAL[:3]] = s.start_acc_m_s2**2 + state.acc2
        x[3:6] = 0.0
        p[3:6, :] = p[:, 3:6] = 0.0
        p[DIAGONAL[3:6], DIAGONAL[3:6]] = s.velocity_m_s**2 + s.velocity_per_acc_s**2 * max(state.acc2, 1.0)
        p[BIAS_STATES, BIAS_STATES] += s.bias_walk_rad_s**2 * length
        return step
