"""`tiltwise bench firmware`, what the LSM6DS3TR-C's frugal modes cost in angle, on the register model.

Parts nod slowly by 30 deg; the firmware's driver reads them and its fusion makes the angle. They have the noise of
the datasheet and none of its offsets, which are the same in every mode and far larger. High performance is what the
driver does not use.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tiltwise.common.fusion import Fusion
from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.sim.board.simulated_board import SimBus, SimClock
from tiltwise.sim.imu.imu_errors import DPS, LSM6DS3TRC, ImuErrors
from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise.types import FloatArray
from tiltwise_lab.bench.firmware.in_chip_error import ADDRESS, SECONDS, SETTLED_S, fused
from tiltwise_lab.vm.nodding_motion import NoddingMotion, nod_rad

_CTRL6_C, _CTRL7_G = 0x15, 0x16
_CASES: Final = (
    ("104 Hz, high performance", 104, True),
    ("104 Hz, normal mode (`stream`)", 104, False),
    ("52 Hz, low-power mode (`save`)", 52, False),
)


@dataclass(frozen=True, slots=True)
class ModeRow:
    """Error of inclination in degrees over all parts after the first 20 s."""

    name: str
    parts: int
    rmse_deg: float
    worst_deg: float


def mode_rows(seeds: range = range(1, 6)) -> Iterator[tuple[float, ModeRow]]:
    """Yield a row for each mode."""
    for k, (name, rate_hz, is_best) in enumerate(_CASES):
        errors = np.concatenate([_errors(seed, rate_hz, is_best=is_best) for seed in seeds])
        rmse, worst = float(np.sqrt(np.mean(errors**2))), float(np.abs(errors).max())
        yield (k + 1) / len(_CASES), ModeRow(name, len(seeds), rmse, worst)


def _noisy(seed: int) -> ImuErrors:
    """Return one individual's noise and true rate without its other errors."""
    one = ImuErrors.individual(seed, LSM6DS3TRC)
    return replace(
        ImuErrors.none(one.rate_error),
        gyr_noise_density=one.gyr_noise_density,
        acc_noise_density=one.acc_noise_density,
    )


def _errors(seed: int, rate_hz: int, *, is_best: bool) -> FloatArray:
    """Return the errors of the angle in degrees of one individual."""
    load_firmware()
    module = importlib.import_module(f"{PACKAGE}.drivers.lsm6ds3trc")
    part = Lsm6ds3trc(seed=seed, errors=_noisy(seed))
    NoddingMotion(part)(SECONDS + 1)
    clock = SimClock()
    bus = SimBus(clock, {ADDRESS: part})
    driver = module.Lsm6ds3trc(bus, ADDRESS, clock, 0x6A, rate_hz=rate_hz)
    driver.configure()
    if is_best:
        bus.writeto_mem(ADDRESS, _CTRL6_C, b"\0")
        bus.writeto_mem(ADDRESS, _CTRL7_G, b"\0")
    began_s = clock.us / 1e6
    true_hz = 1 / part.slot_period_s  # which the firmware learns from the samples
    fusion = Fusion(
        true_hz, driver.gyr_rad_s_per_count, driver.acc_m_s2_per_count, 2, driver.zero_rate_dps * DPS
    )
    rows = np.array([(n, *fusion.q) for n in fused(driver, clock, fusion)])
    t_s = began_s + rows[:, 0] * part.slot_period_s
    w, x, y, z = rows[:, 1:].T
    angle = np.degrees(np.arctan2(2 * (w * y - x * z), 1 - 2 * (x * x + y * y)))
    errors = angle - np.degrees(nod_rad(t_s))
    return np.asarray(errors[t_s > SETTLED_S])
