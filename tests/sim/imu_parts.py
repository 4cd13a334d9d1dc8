"""Every IMU that tiltwise knows: its register model, where it sits, and what its data sheet promises."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tiltwise.common import wire
from tiltwise.sim.board.simulated_board import SimBoard, SimBus, SimClock
from tiltwise.sim.imu import bmi270_model
from tiltwise.sim.imu.bmi270_model import Bmi270
from tiltwise.sim.imu.icm42688_model import Icm42688p
from tiltwise.sim.imu.icm45686_model import Icm45686
from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.sim.imu.lsm6dsv16x_model import Lsm6dsv16x
from tiltwise.sim.imu.mpu6050_model import Mpu6050


@dataclass(frozen=True)
class Kind:
    """One kind of part; `fifo_samples` fit into its FIFO."""

    name: str
    make: Callable[..., ImuModel]
    address: int
    wire_kind: int
    rate_hz: float
    fifo_samples: int

    @property
    def has_trim(self) -> bool:
        """Whether the part knows its own true rate."""
        return self.name in ("LSM6DSOX", "LSM6DSV16X")

    @property
    def has_self_test(self) -> bool:
        """Whether the part can test itself without a program of its maker's."""
        return self.name != "ICM-45686"


def mpu6500(*args, **options):
    """Make an MPU-6500, as sold for an MPU-6050."""
    return Mpu6050(*args, who_am_i=0x70, **options)


KINDS = [
    Kind("LSM6DSOX", Lsm6dsox, 0x6A, wire.IMU_LSM6DSOX, 6667 / 64, 256),
    Kind("LSM6DS3TR-C", Lsm6ds3trc, 0x6B, wire.IMU_LSM6DS3TRC, 6667 / 64, 341),
    Kind("BMI270", Bmi270, 0x68, wire.IMU_BMI270, 100.0, 170),
    Kind("ICM-42688-P", Icm42688p, 0x69, wire.IMU_ICM42688P, 100.0, 128),
    Kind("MPU-6050", Mpu6050, 0x68, wire.IMU_MPU6050, 100.0, 85),
    Kind("MPU-6500", mpu6500, 0x69, wire.IMU_MPU6050, 100.0, 42),
    Kind("LSM6DSV16X", Lsm6dsv16x, 0x6A, wire.IMU_LSM6DSV16X, 120.0, 128),
    Kind("ICM-45686", Icm45686, 0x68, wire.IMU_ICM45686, 100.0, 127),
]


def put_config(folder):
    """Leave the configuration that the BMI270's model wants where the firmware looks for it."""
    (folder / "bmi270_config.bin").write_bytes(bmi270_model.STAND_IN_CONFIG)


def steady(part, seconds, gyr=(0.0, 0.0, 0.0), acc=(0.0, 0.0, G_M_S2)):
    """Tell the part that it turns and accelerates steadily."""
    t = np.arange(0, seconds + 0.005, 0.005)
    part.advance(t, np.tile(gyr, (len(t), 1)), np.tile(acc, (len(t), 1)))


def on_bus(kind, errors=None, seconds=30.0, gyr=(0.0, 0.0, 0.0), acc=(0.0, 0.0, G_M_S2), **options):
    """Return a part on a bus of its own, the bus and its clock."""
    part = kind.make(errors=errors, **options)
    steady(part, seconds, gyr, acc)
    clock = SimClock()
    return part, SimBus(clock, {kind.address: part}), clock


def board_with(kinds, parts, **options):
    """Return a board with these parts at their addresses."""
    return SimBoard(parts, addresses=[kind.address for kind in kinds], **options)
