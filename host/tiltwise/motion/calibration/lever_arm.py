"""Where a sensor sits relative to the joint it turns about, felt by its accelerometer during a nod.

A sensor behind the joint is lifted when the head goes down: its vertical acceleration is the angular acceleration
times the distance behind. In a side tilt a sensor on the midline is not lifted. Metres; used by alignment.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tiltwise.butterworth import band_pass, forward_backward
from tiltwise.motion.rotation import conjugate, multiply, to_rotation_vector, up_in_sensor
from tiltwise.types import FloatArray, OrientationBlock

# Nods lie inside; sway, breathing and gravity leaking through orientation errors lie below.
_BAND_HZ = (0.2, 4.0)
_GRAVITY_M_S2 = 9.80665
_MEDIAN_OF = 5  # samples: 0.1 s at 50 Hz


@dataclass(frozen=True, slots=True)
class Lever:
    """Distance of the sensor behind the turning axis in m, and its standard error."""

    behind_m: float
    error_m: float


def without_steps(rate: FloatArray) -> FloatArray:
    """Return a rate (n,) or (n, 3) without the single samples in which a causal filter corrected its tilt.

    A filter that corrects its tilt by a degree between two samples at 50 Hz shows 50 deg/s that nobody turned. A
    median of five neighbours takes them out and leaves a nod, which takes ten times as long, as it is.
    """
    beyond = _MEDIAN_OF // 2
    padded = np.pad(rate, [(beyond, beyond), *[(0, 0)] * (rate.ndim - 1)], mode="reflect")
    filtered: FloatArray = np.median(sliding_window_view(padded, _MEDIAN_OF, axis=0), axis=-1)
    return filtered


def lever_arm(block: OrientationBlock, axis: FloatArray, up: FloatArray) -> Lever:
    """Estimate the distance behind a level axis from a few seconds of turning about it.

    For a rigid body that turns about `axis` with angular velocity w, the acceleration along the body's own up at a
    point x in front of and z above the axis is -x dw/dt - w^2 z. Least squares over the block gives x and z.
    `axis` and `up` are directions in sensor axes, (3,).

    Offline: filters forward and backward. The error is infinite where the movement is too short to tell.
    """
    step_s = np.diff(block.t_s)
    rate_hz = 1 / float(np.median(step_s)) if len(step_s) else 0.0
    if len(step_s) < 2 * rate_hz or rate_hz < 2.5 * _BAND_HZ[1]:
        return Lever(0.0, np.inf)
    q = block.q_earth_from_sensor
    turn = to_rotation_vector(multiply(conjugate(q[:-1]), q[1:]))
    omega = without_steps(np.sum(turn * axis, axis=-1) / np.maximum(step_s, 1e-6))
    middle_s = block.t_s[:-1] + step_s / 2
    linear = block.acc_m_s2 - _GRAVITY_M_S2 * up_in_sensor(q)
    lift = np.interp(middle_s, block.t_s, np.sum(linear * up, axis=-1))
    columns = np.stack((np.gradient(omega, middle_s), -(omega**2), lift))
    alpha, centripetal, lift = forward_backward(band_pass(*_BAND_HZ, rate_hz), columns)
    return _least_squares(np.stack((alpha, centripetal), axis=-1), lift, float(middle_s[-1] - middle_s[0]))


def _least_squares(a: FloatArray, b: FloatArray, seconds: float) -> Lever:
    """First coefficient and its error, with as many independent samples as the band lets through."""
    normal = np.einsum("ni,nj->ij", a, a) / len(a)
    if np.linalg.det(normal) < 1e-9 * max(float(normal[0, 0]) ** 2, 1e-12):
        return Lever(0.0, np.inf)
    inverse = np.linalg.inv(normal)
    solution = np.einsum("ij,nj,n->i", inverse, a, b) / len(a)
    residual = b - a[:, 0] * solution[0] - a[:, 1] * solution[1]
    independent = max(2 * _BAND_HZ[1] * seconds - 2, 1.0)
    return Lever(float(solution[0]), float(np.sqrt(np.mean(residual**2) * inverse[0, 0] / independent)))
