"""Made-up IMU recordings with known orientation, for the orientation tests."""

import numpy as np

from tiltwise.motion.rotation import conjugate, from_rotation_vector, multiply, rotate
from tiltwise.types import FloatArray

GRAVITY = 9.81


def still(n: int, rate_hz: float = 50.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return t_s, gyr, acc of a sensor that lies flat and perfectly still."""
    return np.arange(n) / rate_hz, np.zeros((n, 3)), np.tile([0.0, 0.0, GRAVITY], (n, 1))


def swing(
    t_s: FloatArray, amplitude_rad: FloatArray, frequency_hz: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the true q_earth_from_sensor, gyr and acc at any times of smooth turning about all axes.

    q = exp(x) exp(y) exp(z) with sinusoidal angles x, y, z; the rate follows by differentiating each factor.
    """
    phase = 2 * np.pi * t_s[:, None] * frequency_hz
    angle = amplitude_rad * (1 - np.cos(phase)) / 2
    speed = amplitude_rad * np.pi * frequency_hz * np.sin(phase)
    factors = [from_rotation_vector(angle[:, [k]] * np.eye(3)[k]) for k in range(3)]
    q_yz = multiply(factors[1], factors[2])
    q = multiply(factors[0], q_yz)
    gyr = rotate(conjugate(q_yz), speed[:, [0]] * np.eye(3)[0])
    gyr = gyr + rotate(conjugate(factors[2]), speed[:, [1]] * np.eye(3)[1]) + speed[:, [2]] * np.eye(3)[2]
    acc = rotate(conjugate(q), np.tile([0.0, 0.0, GRAVITY], (len(t_s), 1)))
    return q, gyr, acc


def office(
    n: int, seed: int, rate_hz: float = 50.0, pace: float = 1.0
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return t_s, true q, gyr, acc of lively turning with sensor noise, 0.4 deg/s bias and jittered times."""
    rng = np.random.default_rng(seed)
    t_s = (np.arange(n) + rng.uniform(-0.1, 0.1, n)) / rate_hz
    q, gyr, acc = swing(t_s, np.array([0.6, 0.9, 0.5]), pace * np.array([0.21, 0.13, 0.34]))
    gyr = gyr + np.radians(0.4) + rng.normal(0, 0.002, (n, 3))
    return t_s, q, gyr, acc + rng.normal(0, 0.05, (n, 3))
