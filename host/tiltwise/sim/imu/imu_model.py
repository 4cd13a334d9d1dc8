"""The register half of a simulated IMU, common to all parts: reads and writes on the bus, power, FIFO.

Below it stands imu_sampling.py, which fills the outputs; each part adds what its own registers do.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from tiltwise.sim.imu.byte_fifo import ByteFifo
from tiltwise.sim.imu.imu_errors import Figures, ImuErrors
from tiltwise.sim.imu.imu_sampling import ImuSampling

_REGISTERS = 128


class ImuModel(ImuSampling):
    """Base of the parts. `read` and `write` are the bus side, `advance` and `run_to` the physical side.

    Parameters
    ----------
    seed : which individual, and its noise
    errors : the individual's errors; drawn from the seed within the part's figures when absent
    start_s : time at which the power came on
    temperature_c : temperature of the die; may be changed at any time

    Attributes
    ----------
    who_am_i : content of the identity register
    self_test_response : (6,) how much of the normal self-test deflection each axis shows (gyroscope, accelerometer)
    is_frozen : the outputs stay as they are, though samples keep coming
    """

    figures: ClassVar[Figures]  # of the data sheet
    who_am_i: int
    fifo_register: ClassVar[int]  # a read here goes on in the FIFO, not to the next register
    fifo_filler: ClassVar[bytes] = b"\x00"  # what an empty FIFO gives
    fifo_bytes: int
    fifo_unit: ClassVar[int]  # bytes that are lost together

    def __init__(
        self,
        seed: int = 0,
        errors: ImuErrors | None = None,
        start_s: float = 0.0,
        temperature_c: float = 25.0,
    ) -> None:
        own = ImuErrors.individual(seed, self.figures) if errors is None else errors
        super().__init__(seed, own, start_s, temperature_c)
        self.fifo = ByteFifo(self.fifo_bytes, self.fifo_unit)
        self.power_cycle()

    def power_cycle(self) -> None:
        """Lose everything that needs power: registers, FIFO, sample count."""
        self._discard_ahead()
        self._registers = bytearray(_REGISTERS)
        self._reset_registers()
        self.fifo.clear()
        self._fresh = 0
        self._has_moved = False
        self._latest = np.zeros(7, dtype=np.int16)
        self._restart()

    def read(self, register: int, n: int) -> bytes:
        """Return n bytes from a register on; zeros beyond the last register."""
        if register == self.fifo_register:
            return self.fifo.read(n, self.fifo_filler)
        self._refresh()
        data = bytes(self._registers[register : register + n])
        self._after_read(register, register + n - 1)
        return data + bytes(n - len(data))

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on."""
        for k, value in enumerate(data):
            self._write_one(register + k, value)

    def _write_one(self, register: int, value: int) -> None:
        """Write one register; the sample grid begins anew where that changes the rate."""
        self._discard_ahead()
        period_s = self.slot_period_s
        self._set(register, value)
        if self.slot_period_s != period_s:
            self._restart()

    def _set(self, register: int, value: int) -> None:
        """Keep a written value."""
        self._registers[register] = value

    @abstractmethod
    def _reset_registers(self) -> None:
        """Fill the registers, which are all zero, as after power-on."""

    @abstractmethod
    def _refresh(self) -> None:
        """Bring the registers that the part writes itself up to date."""

    @abstractmethod
    def _after_read(self, first: int, last: int) -> None:
        """Clear what reading the registers from first to last clears."""

    def _push(self, data: bytes) -> None:
        self.fifo.push(data)
