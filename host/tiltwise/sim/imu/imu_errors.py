"""How one simulated IMU differs from a perfect one: a seeded individual within the datasheet's figures. SI units.

Source of the figures: the mechanical characteristics in each part's datasheet, named beside its line; "typical"
tolerances are taken as one standard deviation, limits as three. Datasheets give no bias stability and no
cross-axis figure: the random walks below are ours (0.12 deg/s and 1.2 mg after an hour), cross-axis errors are
left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray

G_M_S2 = 9.80665
DPS = math.pi / 180
_GYR_WALK_DPS = 2e-3  # deg/s per sqrt(s)
_ACC_WALK_G = 2e-5  # g per sqrt(s)
_WORST = 8 / 3  # the rate error is cut off here, in standard deviations


@dataclass(frozen=True, slots=True)
class Figures:
    """What a datasheet promises; one standard deviation each."""

    gyr_noise_dps: float  # deg/s per sqrt(Hz)
    acc_noise_g: float  # g per sqrt(Hz)
    zero_rate_dps: float
    zero_g: float
    gyr_sensitivity: float  # 1 = 100 %
    acc_sensitivity: float
    zero_rate_dps_per_k: float
    zero_g_per_k: float
    temperature_offset_k: float
    rate: float  # output rate, 1 = 100 %


# ST DS12814. The factory trims the rate in steps of 0.15 %; parts a few percent off are common.
LSM6DSOX = Figures(3.8e-3, 70e-6, 1.0, 20e-3, 0.01, 0.01, 0.01, 0.1e-3, 15.0 / 3, 0.015)
# ST DS12232. Its rate is not trimmed and has no stated tolerance: twice that of its successor is assumed.
LSM6DS3TRC = Figures(5e-3, 90e-6, 3.0, 40e-3, 0.01, 0.01, 0.015, 0.1e-3, 15.0 / 3, 0.03)
# ST DS13510: 2.8 mdps and 60 ug per root Hz, 1 deg/s, 12 mg. Its rate is trimmed; its tolerance is taken as the
# LSM6DSOX's.
LSM6DSV16X = Figures(2.8e-3, 60e-6, 1.0, 12e-3, 0.003, 0.003, 0.006, 0.07e-3, 15.0 / 3, 0.015)
# TDK DS-000577: 3.8 mdps and 70 ug per root Hz, 0.3 deg/s, 10 mg; its rate has no stated tolerance: 1 % is taken.
ICM45686 = Figures(3.8e-3, 70e-6, 0.3, 10e-3, 0.005, 0.005, 0.005, 0.1e-3, 5.0 / 3, 0.01 / 3)
# Bosch BST-BMI270-DS000. The gyroscope's 2 % are before a calibration of its sensitivity (CRT).
BMI270 = Figures(7e-3, 160e-6, 0.5, 20e-3, 0.02, 0.004, 0.02, 0.25e-3, 5.0 / 3, 0.007)
# TDK DS-000347; the internal clock is within 1 %.
ICM42688P = Figures(2.8e-3, 70e-6, 0.5, 20e-3, 0.005, 0.005, 0.005, 0.15e-3, 5.0 / 3, 0.01 / 3)
# InvenSense PS-MPU-6000A: 20 deg/s of zero rate, 80 mg of zero g and 3 % of scale are limits.
MPU6050 = Figures(5e-3, 400e-6, 20.0 / 3, 80e-3 / 3, 0.01, 0.01, 0.16, 0.5e-3, 5.0 / 3, 0.01)


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
    def individual(cls, seed: int, figures: Figures = LSM6DSOX) -> ImuErrors:
        """Draw one part from the datasheet's tolerances."""
        rng = np.random.default_rng([seed, 0x6C])
        f = figures
        return cls(
            gyr_bias_rad_s=rng.normal(0, f.zero_rate_dps * DPS, 3),
            acc_bias_m_s2=rng.normal(0, f.zero_g * G_M_S2, 3),
            gyr_scale=1 + rng.normal(0, f.gyr_sensitivity, 3),
            acc_scale=1 + rng.normal(0, f.acc_sensitivity, 3),
            gyr_bias_rad_s_per_k=rng.normal(0, f.zero_rate_dps_per_k * DPS, 3),
            acc_bias_m_s2_per_k=rng.normal(0, f.zero_g_per_k * G_M_S2, 3),
            gyr_noise_density=f.gyr_noise_dps * DPS,
            acc_noise_density=f.acc_noise_g * G_M_S2,
            gyr_walk=_GYR_WALK_DPS * DPS,
            acc_walk=_ACC_WALK_G * G_M_S2,
            rate_error=float(np.clip(rng.normal(0, f.rate), -_WORST * f.rate, _WORST * f.rate)),
            temperature_offset_k=float(rng.normal(0, f.temperature_offset_k)),
        )

    @classmethod
    def none(cls, rate_error: float = 0.0) -> ImuErrors:
        """Return a perfect part that only quantises; its rate may still be off."""
        zero, one = np.zeros(3), np.ones(3)
        return cls(zero, zero, one, one, zero, zero, 0.0, 0.0, 0.0, 0.0, rate_error, 0.0)
