"""The firmware on a stand-in of MicroPython's Zephyr port, with its names, refusals and limits (vm/shims)."""

import asyncio
import itertools
import struct

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import read_frame, unpack_header
from tiltwise.decode.messages import read_status
from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise_lab.radio.bumble_host import RadioHost
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.process import Port, VmError
from tiltwise_lab.vm.radio_board import RadioBoard, flash_of_a_board

KEY = bytes(range(32))
ID = bytes(range(8, 16))
FULL_UV = 4_100_000 * 51 // 151  # what 4.1 V are behind 1 MOhm and 510 kOhm


class Room:
    """A XIAO nRF52840 Sense with power and a computer, in one virtual time."""

    def __init__(self, port=Port.ZEPHYR_OURS):
        self.link = RadioLink()
        part = Lsm6ds3trc(seed=1)
        files = flash_of_a_board(KEY, "xiao_nrf52840") | {"/id": ID}
        self.board = RadioBoard(
            self.link, [part], NoddingMotion(part), files=files, port=port, analog={"adc.7": FULL_UV}
        )
        self.host = RadioHost(self.link, KEY, ID)

    async def __aenter__(self):
        await self.host.power_on()
        await asyncio.sleep(1.5)
        self.board.check()
        return self

    async def __aexit__(self, kind, problem, trace):
        self.host.close()
        await self.board.close()

    async def stream(self, seconds):
        for _ in range(seconds):
            await asyncio.sleep(1.0)
            self.board.check()
            newest = unpack_header(self.host.received.frames[-1])
            await self.host.acknowledge(newest[2], newest[3])


@pytest.mark.parametrize("tells_mtu", [False, True])
def test_it_starts_and_streams_without_a_gap(tells_mtu):
    """A host that tells the size of packets gets a frame in one; another gets 20 bytes at a time, and all of them."""

    async def scenario():
        async with Room() as room:
            await room.host.connect(room.board.radio.address, interval_ms=30.0, mtu=247)
            await room.host.prove()
            if tells_mtu:
                await room.host.command(wire.OP_MTU, struct.pack("<H", 247))
            await room.host.start()
            await room.stream(12)
            return room.host.received.frames, room.board.radio.notified, room.host.joiner.broken

    frames, notified, broken = run_virtually(scenario())
    headers = [unpack_header(frame) for frame in frames]
    orient = [header for header in headers if header[0] == wire.ORIENT]
    assert [header[3] for header in headers] == list(range(headers[0][3], headers[0][3] + len(headers)))
    assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(orient))
    assert orient[-1][4] - orient[0][4] > 11 * 50
    assert broken == 0
    each = notified / len(frames)
    assert (each < 1.5) if tells_mtu else (8 < each < 12)  # 166 bytes in pieces of 20, with their heads


def test_minutes_go_to_flash_while_nobody_is_there():
    async def scenario():
        async with Room() as room:
            await asyncio.sleep(200.0)
            room.board.check()
            return room.board.vm.files()

    files = run_virtually(scenario())
    assert sum(len(data) for name, data in files.items() if name.startswith("/min")) > 2 * 42


def test_status_tells_the_battery_and_a_start_of_unknown_cause_is_no_crash():
    async def scenario():
        async with Room() as room:
            await room.host.connect(room.board.radio.address, mtu=247)
            await room.host.prove()
            await room.host.start()
            await room.stream(7)
            return room.host.received.frames, room.board.vm.files(), room.board.vm.lines

    frames, files, lines = run_virtually(scenario())
    frame = next(frame for frame in frames if unpack_header(frame)[0] == wire.STATUS)
    status = read_status(read_frame(frame), 0.0)
    assert 4_080 <= status.battery_mv <= 4_110
    assert status.reset_cause == 1  # switched on
    assert files["/boot"][2] == 0  # crashes in a row
    assert not any("not implemented" in line for line in lines)


def test_motor_is_dimmed_in_our_image_and_only_switched_in_the_ports_own():
    code = """
from firmware.device.board import Motor
from firmware.device.board_pins import pins
motor = Motor(pins())
for duty in (30000, 65535, 0):
    motor.set(duty)
"""

    async def scenario(port):
        async with Room() if port is Port.ZEPHYR_OURS else Bare(port) as room:
            told = []
            note = room.board._act
            room.board._act = lambda what, question: (told.append(question), note(what, question))
            room.board.vm.run(code)
            return [
                (question["pin"], question.get("duty", question.get("value")))
                for question in told
                if question["machine"] in ("pwm", "set_pin")
            ]

    duties = [0, pytest.approx(30000, abs=20), pytest.approx(65535, abs=20), 0]
    assert run_virtually(scenario(Port.ZEPHYR_OURS)) == [("pwm1.0", duty) for duty in duties]
    assert run_virtually(scenario(Port.ZEPHYR)) == [
        ("gpio0.28", 0), ("gpio0.28", 1), ("gpio0.28", 1), ("gpio0.28", 0)
    ]  # fmt: skip


class Bare(Room):
    """A board whose firmware is not started."""

    def __init__(self, port):
        self.link = RadioLink()
        self.board = RadioBoard(
            self.link,
            [],
            lambda _to_s: None,
            files=flash_of_a_board(KEY, "xiao_nrf52840"),
            port=port,
            main="0",
        )

    async def __aenter__(self):
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, kind, problem, trace):
        await self.board.close()


def test_commands_written_faster_than_they_are_read_stay_within_their_buffer():
    """The port appends past the end of the buffer, so the firmware lets nothing be appended there."""
    written = """
from bluetooth import BLE
ble = BLE()
handle = next(h for h, value in ble._values.items() if value[1] == 256)
for k in range(3):
    ble._written(handle, bytes([k]) * 200)
assert ble.gatts_read(handle) == bytes([2]) * 200
"""

    async def scenario():
        async with Room() as room:
            room.board.vm.run(written)
            with pytest.raises(VmError, match="past its buffer of 256 bytes"):
                room.board.vm.run("ble.gatts_set_buffer(handle, 256, True)\n" + written)

    run_virtually(scenario())


def test_image_without_random_numbers_is_refused_with_what_to_do():
    async def scenario():
        async with Bare(Port.ZEPHYR) as room:
            room.board.vm.run("from firmware.device.board import Board\nBoard()")

    with pytest.raises(
        VmError, match=r"no random numbers .* build an image with firmware/zephyr/tiltwise.conf"
    ):
        run_virtually(scenario())


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("machine.I2C('i2c0', freq=400000)", "NotImplementedError"),
        ("machine.I2C(0)", "ValueError: device not found"),
        ("machine.Pin(28)", "ValueError: Pin id must be tuple"),
        ("machine.Timer(0)", "ValueError: only virtual timers"),
        ("machine.unique_id()", "AttributeError"),
        ("machine.lightsleep(1)", "AttributeError"),
        ("os.uname()", "AttributeError"),
        ("bluetooth.BLE().config(mtu=247)", "OSError: .*95"),
        ("bluetooth.BLE().config(addr_mode=1)", "OSError: .*95"),
    ],
)
def test_stand_in_refuses_what_the_port_refuses(code, refusal, bare_vm):
    with pytest.raises(VmError, match=refusal):
        bare_vm.run(f"import bluetooth, machine, os\n{code}")


@pytest.fixture(scope="module")
def bare_vm():
    from tiltwise_lab.vm.process import Vm

    with Vm({}, port=Port.ZEPHYR) as vm:
        yield vm
