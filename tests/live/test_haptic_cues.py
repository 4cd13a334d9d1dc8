"""The board's motor ticks along with the calibration, and a shaken sensor is calibrated all the same."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from dataclasses import replace

import numpy as np
import pytest

from live.test_live_link import STEP_S, SimCable
from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.link.commands import Pattern
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.calibration_session import TRIES, CalibrationSession
from tiltwise.live.run import run_calibration
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.sim.board import simulation as simulation_module
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.board.simulation import Simulation
from tiltwise.types import FloatArray, ImuBlock, Mount
from tiltwise_lab.radio.virtual_time import run_virtually

load_firmware()
haptics = importlib.import_module("tiltwise_firmware.wearer.haptics")
STEP, DONE, ERROR = (
    sum(haptics.PATTERNS[pattern][::2]) / 1000 for pattern in (Pattern.STEP, Pattern.DONE, Pattern.ERROR)
)
COASTS_S = 0.15


def shake(simulation: Simulation, times: float = 1.0) -> None:
    """Let the sensor feel the motor: 170 Hz, 8 m/s2 and 0.5 rad/s, so many times, while it runs and coasts."""
    motor, calm = simulation.board.sim_motor, simulation.wearer.imu

    def imu(t_s: FloatArray, mount: Mount | None = None, *, sensor: int = 0) -> ImuBlock:
        block = calm(t_s, mount, sensor=sensor)
        is_shaken = np.zeros(len(t_s), dtype=bool)
        for start_s, end_s, _ in motor.pulses:
            is_shaken |= (t_s >= start_s) & (t_s < end_s + COASTS_S)
        if motor.duty:
            is_shaken |= t_s >= motor._since_us / 1e6
        wave = times * np.where(is_shaken, np.sin(2 * np.pi * 170 * t_s), 0.0)[:, None]
        acc, gyr = np.array([8.0, -5.0, 3.0]), np.array([0.5, 0.3, -0.2])
        return replace(block, acc_m_s2=block.acc_m_s2 + wave * acc, gyr_rad_s=block.gyr_rad_s + wave * gyr)

    simulation.wearer.imu = imu  # type: ignore[method-assign]


def calibrated(
    guide: CalibrationSession,
    scenario: str = "calibration",
    *,
    worn: Mount | None = None,
    seed: int = 3,
    has_motor: bool = True,
    shakes: bool = False,
) -> SimBoard:
    """Run `tiltwise calibrate` on the firmware behind a virtual cable; return the board."""

    async def main() -> SimBoard:
        cable, loop = SimCable(seed), asyncio.get_running_loop()
        cable.simulation = Simulation(
            scenario, seed=seed, minutes=3, mount=worn or guide.mount, auto_ack=False, stream=None
        )
        if not has_motor:
            sensors = cable.simulation._sensors
            cable.simulation.board = SimBoard(sensors, boot_id=1, stream=None, auto_ack=False, is_bare=True)
        cable.cut()
        if shakes:
            shake(cable.simulation)

        async def pump() -> None:
            while True:
                await asyncio.sleep(STEP_S)
                cable.step(loop.time())

        pumping = loop.create_task(pump())
        source = Supervisor(cable, (), clock=loop.time)
        await asyncio.wait_for(run_calibration(source, guide, lambda *_: None), 170)
        await asyncio.sleep(2)  # the last pattern plays on when the link is closed
        pumping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pumping
        return cable.simulation.board

    return run_virtually(main())


def test_a_tick_at_each_step_and_a_pattern_at_the_end() -> None:
    guide = CalibrationSession(Mount.HEAD, CalibrationOptions(with_tilts=True), has_answers=True)
    board = calibrated(guide)
    assert guide.mounting is not None
    # Nod, tilt; then the three of DONE.
    assert board.sim_motor.on_s() == pytest.approx(2 * STEP + DONE, abs=0.1)
    lengths_s = [end_s - start_s for start_s, end_s, _ in board.sim_motor.pulses]
    assert lengths_s == pytest.approx([0.12] * 4 + [0.35], abs=0.02)
    assert guide.decoder.stats.motor_on > 0  # the frames say so


def test_a_refusal_has_its_own_pattern() -> None:
    guide = CalibrationSession(Mount.COLLAR, has_answers=True)
    board = calibrated(guide, "upright", worn=Mount.HEAD)  # nods once and never leans
    assert len(guide.refusals) == TRIES
    short = [p for p in board.sim_motor.pulses if p[1] - p[0] < 0.1]
    assert len(short) == 4 * TRIES  # ERROR is four short ones
    assert len(board.sim_motor.pulses) - len(short) >= 1  # the steps before


def test_a_board_without_a_motor_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    sent = Supervisor.send

    async def send(self: Supervisor, command: bytes, /) -> None:
        asked.append(wire.open_command(command)[1])
        await sent(self, command)

    monkeypatch.setattr(Supervisor, "send", send)
    guide = CalibrationSession(Mount.HEAD, has_answers=True)
    board = calibrated(guide, has_motor=False)
    assert guide.mounting is not None
    assert wire.OP_ACK in asked
    assert wire.OP_MOTOR not in asked
    assert board.sim_motor.pulses == []


@pytest.mark.parametrize("mount", [Mount.HEAD, Mount.NECK])
def test_the_shaking_does_not_spoil_the_ritual(monkeypatch: pytest.MonkeyPatch, mount: Mount) -> None:
    monkeypatch.setattr(simulation_module, "_AHEAD_S", 0.1)  # the truth waits for the motor
    calm, shaken = (CalibrationSession(mount, has_answers=True) for _ in range(2))
    calibrated(calm)
    board = calibrated(shaken, shakes=True)
    assert len(board.sim_motor.pulses) == 4, (
        "the tick at the nods and the end; nothing that the shaking set off"
    )
    assert shaken.refusals == calm.refusals == []
    assert calm.mounting is not None and shaken.mounting is not None  # noqa: PT018 - narrows both
    turned = 2 * np.degrees(np.arccos(min(1.0, abs(float(np.dot(calm.mounting.q, shaken.mounting.q))))))
    assert turned < 2.0, turned  #
    assert shaken.mounting.quality > calm.mounting.quality - 0.1


def test_the_firmware_plays_every_pattern_that_the_wire_has_a_number_for() -> None:
    numbers = {name: value for name, value in vars(wire).items() if name.startswith("MOTOR_")}
    assert {f"MOTOR_{p.name}": int(p) for p in Pattern} == numbers
    assert {int(p) for p in Pattern} - {wire.MOTOR_STOP, wire.MOTOR_NOTED} == set(haptics.PATTERNS)
