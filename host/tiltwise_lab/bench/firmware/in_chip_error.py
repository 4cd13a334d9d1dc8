"""`tiltwise bench firmware`, fusion inside an LSM6DSV16X: its game rotation and gravity beside our filter.

On the register model only, on the same samples. What the part calculates is not published, and the model has Mahony's
filter in its place, so the rows compare what the two output formats keep of an angle, and a plain filter with ours;
not ST's filter with ours.
"""

from __future__ import annotations

import importlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiltwise.common.fusion import Fusion
from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.sim.board.simulated_board import SimBus, SimClock
from tiltwise.sim.imu.imu_errors import DPS, ImuErrors
from tiltwise.sim.imu.lsm6dsv16x_model import GRAVITY_MG_PER_COUNT, Lsm6dsv16x
from tiltwise.types import FloatArray
from tiltwise_lab.vm.nodding_motion import NoddingMotion, nod_rad

ADDRESS = 0x6A
SECONDS, SETTLED_S = 120.0, 20.0
_POLL_MS = 50
_NAMES = ("game rotation, half floats", "gravity vector, int16", "tiltwise firmware")


@dataclass(frozen=True, slots=True)
class InChipRow:
    """Error of inclination in degrees over all parts: RMSE and largest, after the first 20 s."""

    name: str
    parts: int
    rmse_deg: float
    worst_deg: float


def in_chip_rows(
    seeds: range = range(1, 6), *, is_perfect: bool = False
) -> Iterator[tuple[float, InChipRow]]:
    """Yield a row for each way to the angle: individuals of the part that nod slowly.

    is_perfect : parts without errors, so that only the formats are left
    """
    errors = [_errors(seed, is_perfect=is_perfect) for seed in seeds]
    for k, name in enumerate(_NAMES):
        all_errors = np.concatenate([one[k] for one in errors])
        row = InChipRow(
            name, len(seeds), float(np.sqrt(np.mean(all_errors**2))), float(np.abs(all_errors).max())
        )
        yield (k + 1) / len(_NAMES), row


def _errors(seed: int, *, is_perfect: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the errors in degrees of the three ways for one individual."""
    load_firmware()
    module = importlib.import_module(f"{PACKAGE}.drivers.lsm6dsv")
    part = Lsm6dsv16x(seed=seed, errors=ImuErrors.none() if is_perfect else None)
    NoddingMotion(part)(SECONDS + 1)
    clock = SimClock()
    driver = module.Lsm6dsv(SimBus(clock, {ADDRESS: part}), ADDRESS, clock, 0x70)
    driver.fuse()
    driver.configure()
    began_s = clock.us / 1e6
    fusion = Fusion(
        driver.rate_hz, driver.gyr_rad_s_per_count, driver.acc_m_s2_per_count, 2, driver.zero_rate_dps * DPS
    )
    found = []
    for n in fused(driver, clock, fusion):
        x, y, z = (module.half(bits) for bits in driver.game)
        found.append((n, (max(1 - x * x - y * y - z * z, 0) ** 0.5, x, y, z), [*driver.gravity], [*fusion.q]))
    t_s = began_s + np.array([row[0] for row in found]) * part.slot_period_s
    is_settled = t_s > SETTLED_S
    angle = np.degrees(nod_rad(t_s))
    gravity = np.array([row[2] for row in found]) * GRAVITY_MG_PER_COUNT / 1000
    ups = _up(np.array([row[1] for row in found])), gravity, _up(np.array([row[3] for row in found]))
    said = (np.degrees(np.arctan2(-up[:, 0], up[:, 2])) for up in ups)
    game, vector, ours = ((one - angle)[is_settled] for one in said)
    return game, vector, ours


def fused(driver: Any, clock: SimClock, fusion: Fusion) -> Iterator[int]:
    """Read and fuse the samples of `SECONDS`; yield how many there were at each new orientation."""
    counts, n = array("h", [0] * (6 * (driver.burst + 1))), 0
    while clock.us < SECONDS * 1e6:
        clock.sleep_ms(_POLL_MS)
        for _ in range(driver.waiting()):
            driver.read_fifo(counts, 1)
            fusion.update(*counts[:6])
            n += 1
            if fusion.is_current:
                yield n


def _up(q: FloatArray) -> FloatArray:
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    return np.stack((2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z), axis=1)
