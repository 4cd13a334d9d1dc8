"""How one simulated IMU differs from a perfect one: a seeded individual within the datasheet's figures. SI units.

Before it: a seed. After it: sensor.py, which applies the errors to the physical truth.
Source of the figures: ST datasheet LSM6DSOX (DS12814), mechanical characteristics, high-performance mode; the
"typical" tolerances are taken as one standard deviation. The datasheet gives no bias stability and no cross-axis
figure: the random walks below are ours (0.12 deg/s and 1.2 mg after an hour), cross-axis errors are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray

G_M_S2 = 9.80665
_DPS = math.pi / 180
_GYR_NOISE_DPS = 3.8e-3  # deg/s per sqrt(Hz)
_ACC_NOISE_G = 70e-6  # g per sqrt(Hz)
_ZERO_RATE_DPS = 1.0
_ZERO_G = 20e-3
_SENSITIVITY = 0.01
_ZERO_RATE_DPS_PER_K = 0.01
_ZERO_G_PER_K = 0.1e-3
_TEMPERATURE_OFFSET_K = 15.0 / 3  # datasheet: +-15 degC limits
_RATE_ERROR = 0.015  # the factory trims in steps of 0.15 %; parts a few percent off are common
_RATE_ERROR_MAX = 0.04
_GYR_WALK_DPS = 2e-3  # deg/s per sqrt(s)
_ACC_WALK_G = 2e-5  # g per sqrt(s)


@dataclass(frozen=True, slots=True)
class ImuErrors:
    """Errors of one part; the arrays are (3,) in sensor axes."""

    gyr_bias_rad_s: FloatArray
    acc_bias_m_s2: FloatArray
    gyr_scale: FloatArray
    acc_scale: FloatArray
    gyr_bias_rad_s_per_k: FloatArray
    acc_bias_m_s2_per_k: FloatArray
    gyr_noise_density: float  # rad/s per sqrt(Hz)
    acc_noise_density: float  # m/s2 per sqrt(Hz)
    gyr_walk: float  # rad/s per sqrt(s)
    acc_walk: float  # m/s2 per sqrt(s)
    rate_error: float  # true output rate / nominal - 1
    temperature_offset_k: float

    @classmethod
    def individual(cls, seed: int) -> ImuErrors:
        """Draw one part from the datasheet's tolerances."""
        rng = np.random.default_rng([seed, 0x6C])
        return cls(
            gyr_bias_rad_s=rng.normal(0, _ZERO_RATE_DPS * _DPS, 3),
            acc_bias_m_s2=rng.normal(0, _ZERO_G * G_M_S2, 3),
            gyr_scale=1 + rng.normal(0, _SENSITIVITY, 3),
            acc_scale=1 + rng.normal(0, _SENSITIVITY, 3),
            gyr_bias_rad_s_per_k=rng.normal(0, _ZERO_RATE_DPS_PER_K * _DPS, 3),
            acc_bias_m_s2_per_k=rng.normal(0, _ZERO_G_PER_K * G_M_S2, 3),
            gyr_noise_density=_GYR_NOISE_DPS * _DPS,
            acc_noise_density=_ACC_NOISE_G * G_M_S2,
            gyr_walk=_GYR_WALK_DPS * _DPS,
            acc_walk=_ACC_WALK_G * G_M_S2,
            rate_error=float(np.clip(rng.normal(0, _RATE_ERROR), -_RATE_ERROR_MAX, _RATE_ERROR_MAX)),
            temperature_offset_k=float(rng.normal(0, _TEMPERATURE_OFFSET_K)),
        )

    @classmethod
    def none(cls, rate_error: float = 0.0) -> ImuErrors:
        """Return a perfect part that only quantises; its rate may still be off."""
        zero, one = np.zeros(3), np.ones(3)
        return cls(zero, zero, one, one, zero, zero, 0.0, 0.0, 0.0, 0.0, rate_error, 0.0)
