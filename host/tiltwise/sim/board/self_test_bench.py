"""A simulated board on a cable with somebody's hands around it, for `tiltwise setup --selftest --port sim:`.

Faults are what a builder does to a board. Time passes while the host listens, as fast as the computer can.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from tiltwise.common import cobs, wire
from tiltwise.link.transport import CABLE
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.board.usb_cable import Came, stuffed
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

FAULTS = (
    "no-imu", "wrong-imu", "swapped-wires", "stuck-bus", "dead-axis", "noisy", "dead-motor", "no-cell", "empty-cell",
    "full-flash", "dead-button", "stuck-button", "dead-radio",
)  # fmt: skip
_STEP_S = 0.005
_AHEAD_S = 0.1  # the truth is told this far before it is due
_TESTING_S = 4.0
_SIDE_S, _TURN_S = 2.5, 0.5
_SHAKE_M_S2 = 2.0  # of a coin motor on its own board
_SHAKE_HZ = 73.0
_UPS = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 0, -1]], dtype=float)
_CELL_MV = {"no-cell": 900, "empty-cell": 3380}


class SelfTestBench(SimBoard):
    """A board with all parts, one of which has a fault; `asked` is what the host asks a person for.

    Parameters
    ----------
    fault : one of FAULTS, or empty
    seed : which individual the IMU is
    """

    model = b"simulated"

    def __init__(self, fault: str = "", seed: int = 1) -> None:
        self._fault = fault
        self._turning_s: float | None = None  # since when the person turns it
        self._told_s = -_STEP_S
        errors = ImuErrors.individual(seed)
        if fault == "noisy":
            errors = _louder(errors)
        part = Lsm6dsox(seed=seed, errors=errors)
        if fault == "wrong-imu":
            part.who_am_i = 0x33
            part.power_cycle()
        self.now_s = 0.0
        self._part = part
        super().__init__([part], stream=None, auto_ack=False, seed=seed)
        self.files.is_full = fault == "full-flash"
        self._tell(_AHEAD_S)
        if fault in ("no-imu", "swapped-wires"):  # with SDA and SCL swapped no part hears its address
            self.bus.unplug(0x6A)
        self.bus.is_stuck = fault == "stuck-bus"
        self.pins.battery_mv = _CELL_MV.get(fault, 3900)

    def _fit_parts(self, is_bare: bool) -> None:
        super()._fit_parts(is_bare)
        self._tell(_AHEAD_S)
        self.pins.is_pressed = self._fault == "stuck-button"
        self.radio = SimpleNamespace(
            is_up=self._fault != "dead-radio", restarts=0, tells_mtu=True, wants_reset=False, links=()
        )
        self.radio.set_quiet = lambda _is_quiet: None

    def asked(self, what: str) -> None:
        """Do what a person does when asked; "positions" turns it side after side, "press" holds the button."""
        if what == "positions":
            self._turning_s = self.now_s
        if what == "press":
            self.pins.is_pressed = self._fault != "dead-button"

    def deliver(self, command: bytes) -> None:
        """Hand over a command; while the IMU tests itself nothing is told of how it moves, so that is told before."""
        if command[1:2] == bytes([wire.OP_SELFTEST]):
            self._tell(self.now_s + _TESTING_S)
        super().deliver(command)

    def pass_time(self, seconds: float) -> list[bytes]:
        """Let time pass and return what the board says."""
        self.now_s += seconds
        self._tell(self.now_s + _AHEAD_S)
        said = self.step(self.now_s) + self.replies
        self.link.replies = []
        return said

    def _tell(self, to_s: float) -> None:
        t = np.arange(self._told_s + _STEP_S, to_s, _STEP_S)
        if len(t) == 0:
            return
        self._told_s = float(t[-1])
        acc = G_M_S2 * np.array([self._up(at) for at in t])
        if self.sim_motor.duty and self._fault != "dead-motor":
            acc[:, 0] += _SHAKE_M_S2 * np.sin(2 * np.pi * _SHAKE_HZ * t)
        if self._fault == "dead-axis":
            acc[:, 1] = 0.0
        self._part.advance(t, np.zeros((len(t), 3)), acc)

    def _up(self, at_s: float) -> Any:
        """Return "up" in sensor axes: one side after the other, a turn of half a second between them."""
        if self._turning_s is None or at_s < self._turning_s:
            return _UPS[0]
        side, since_s = divmod(at_s - self._turning_s, _SIDE_S)
        here, there = _UPS[int(side) % 6], _UPS[(int(side) + 1) % 6]
        share = max(since_s - (_SIDE_S - _TURN_S), 0.0) / _TURN_S
        mixed = (1 - share) * here + share * there
        return mixed / max(float(np.linalg.norm(mixed)), 0.1)


class BenchConnection:
    """The host's end of the cable; what the host waits, the board lives."""

    is_cable = True
    mtu = 0
    is_connected = True

    def __init__(self, bench: SelfTestBench) -> None:
        self._bench = bench
        self._box = cobs.Unstuffer(4096, 512)

    async def read_info(self) -> bytes:
        """Return nothing: a cable is asked with HELLO."""
        return b""

    async def write_ctrl(self, data: bytes, /) -> None:
        """Hand the board what the host wrote."""
        self._box.put(data)
        while (packet := self._box.take()) is not None:
            self._bench.deliver(bytes(packet))

    async def notifications(self) -> AsyncIterator[Came]:
        """Return what comes."""
        return self._stream()

    async def _stream(self) -> AsyncIterator[Came]:
        while self.is_connected:
            await asyncio.sleep(0)
            for data in self._bench.pass_time(0.05):
                yield CABLE, stuffed(data)

    async def close(self) -> None:
        """End the connection."""
        self.is_connected = False


def _louder(errors: ImuErrors) -> ImuErrors:
    """Return the same part with 25 times the noise of its accelerometer."""
    return replace(errors, acc_noise_density=25 * errors.acc_noise_density)
