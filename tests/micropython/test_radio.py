"""A host connects to the unmodified firmware in the VM over real ATT: discovery, proof, stream, loss, backfill."""

import asyncio
import itertools
import random

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import unpack_body, unpack_header
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.bumble_host import RadioHost, RefusedError
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.radio_board import DEVICE_ID, RadioBoard, flash_of_a_board

KEY = bytes(range(32))


class Room:
    """A board with power and a computer, in one virtual time."""

    def __init__(self, key=KEY):
        self.link = RadioLink()
        part = Lsm6dsox(seed=1)
        self.board = RadioBoard(self.link, [part], NoddingMotion(part), files=flash_of_a_board(KEY))
        self.host = RadioHost(self.link, key, DEVICE_ID)

    async def __aenter__(self):
        await self.host.power_on()
        await asyncio.sleep(1.5)
        self.board.check()
        return self

    async def __aexit__(self, kind, problem, trace):
        self.host.close()
        await self.board.close()

    async def open(self, **options):
        await self.host.connect(self.board.radio.address, **options)
        await self.host.prove()
        await self.host.start()

    async def stream(self, seconds):
        """Take frames and acknowledge them every second."""
        for _ in range(round(seconds)):
            await asyncio.sleep(1.0)
            self.board.check()
            if self.host.received.frames and self.host.connection is not None:
                newest = unpack_header(self.host.received.frames[-1])
                await self.host.acknowledge(newest[2], newest[3])

    def numbers(self):
        return [unpack_header(frame)[3] for frame in self.host.received.frames]


def missing(numbers):
    """Numbers between the first and the last that never came."""
    return sorted(set(range(min(numbers), max(numbers) + 1)) - set(numbers))


def test_discovery_finds_the_service_and_advertising_tells_no_name():
    async def scenario():
        async with Room() as room:
            peer = await room.host.connect(room.board.radio.address)
            uuids = {str(service.uuid).lower() for service in peer.services}
            info = bytes(await room.host.info.read_value())
            return uuids, info, room.board.radio.advertisements

    uuids, info, advertisements = run_virtually(scenario())
    assert any(wire.uuid128(wire.UUID_SERVICE) in uuid for uuid in uuids)
    assert not any("battery" in uuid or "device information" in uuid for uuid in uuids)
    assert info == bytes((wire.PROTOCOL, wire.MINOR, wire.LEAST_HOST_MINOR, wire.STATE_LOCKED))
    for data in advertisements:
        kinds = []
        while data:
            kinds.append(data[1])
            data = data[1 + data[0] :]
        assert kinds == [0x01, 0x07]  # flags and our service, no name


@pytest.mark.parametrize("mtu", [23, 185, 247])
@pytest.mark.parametrize("interval_ms", [15.0, 30.0, 50.0])
def test_stream_has_no_gap(interval_ms, mtu):
    async def scenario():
        async with Room() as room:
            await room.open(interval_ms=interval_ms, mtu=mtu)
            assert room.host.connection.att_mtu == mtu
            await room.stream(12)
            return room.numbers(), room.host.received, room.host.joiner.broken

    numbers, heard, broken = run_virtually(scenario())
    orient = [f for f in heard.frames if unpack_header(f)[0] == wire.ORIENT]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    samples = [unpack_header(f) for f in orient]
    assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(samples))
    assert samples[-1][4] - samples[0][4] > 11 * 50
    assert (heard.damaged, broken) == (0, 0)


def test_a_lost_connection_is_filled_again():
    """Out of range until the supervision timeout, back after 6 s: everything is fetched, nothing is missing."""

    async def scenario():
        async with Room() as room:
            await room.open(timeout_ms=1000)
            await room.stream(5)
            room.link.conditions.is_in_range = False
            await asyncio.wait_for(room.host.gone.wait(), 5)
            await asyncio.sleep(6)
            room.link.conditions.is_in_range = True
            last = room.numbers()[-1]
            await room.open(timeout_ms=1000)
            await asyncio.sleep(1)
            boot = unpack_header(room.host.received.frames[-1])[2]
            await room.host.get(boot, last + 1, room.numbers()[-1])
            await room.stream(6)
            return room.numbers(), room.host.received.frames

    numbers, frames = run_virtually(scenario())
    assert missing(numbers) == []
    again = [f for f in frames if unpack_header(f)[1] & wire.FLAG_BACKFILL]
    assert len(again) > 25  # 7 s of frames


def test_radio_without_room_loses_nothing():
    async def scenario():
        async with Room() as room:
            await room.open()
            for _ in range(6):
                room.board.radio.refuse_next = 20
                await room.stream(1)
            await room.stream(4)
            return room.numbers(), room.board.radio.refused

    numbers, refused = run_virtually(scenario())
    assert refused >= 100
    assert missing(numbers) == []


def test_a_stranger_gets_nothing_and_is_sent_away():
    async def scenario():
        async with Room(key=bytes(32)) as room:
            await room.host.connect(room.board.radio.address)
            answers = []
            for opcode, payload in ((wire.OP_START, b"\x01\x0a"), (wire.OP_MOTOR, b"\x01\x05")):
                with pytest.raises(RefusedError) as refused:
                    await room.host.command(opcode, payload)
                answers.append(str(refused.value))
            started = asyncio.get_running_loop().time()
            await asyncio.wait_for(room.host.gone.wait(), 10)
            await asyncio.sleep(1)
            room.board.check()
            return answers, asyncio.get_running_loop().time() - started, room.host.received.notifications

    answers, seconds, notifications = run_virtually(scenario())
    assert all(f"status {wire.STATUS_LOCKED}" in answer for answer in answers)
    assert seconds < 7
    assert notifications == 0


def test_the_watchdog_is_fed_long_before_it_bites():
    async def scenario():
        async with Room() as room:
            await room.open()
            await room.stream(12)
            return room.board.longest_unfed_s, room.board.watchdog_s

    unfed_s, bites_s = run_virtually(scenario())
    print(f"longest time unfed {unfed_s:.2f} s of {bites_s:g} s")
    assert 0.5 < unfed_s < bites_s / 3


def test_garbage_on_ctrl_is_counted_and_the_stream_goes_on():
    """Two hundred writes of random bytes between commands: no crash, no gap, and the board says what it saw."""

    async def scenario():
        rng = random.Random(7)
        async with Room() as room:
            await room.open(interval_ms=15.0)
            for _ in range(200):
                garbage = rng.randbytes(rng.randrange(1, 60)) + b"\0"
                await room.host.ctrl.write_value(garbage, with_response=True)
            await room.stream(8)
            return room.numbers(), room.host.received.frames

    numbers, frames = run_virtually(scenario())
    assert missing(numbers) == []
    events = [unpack_body(f, wire.EVENT) for f in frames if unpack_header(f)[0] == wire.EVENT]
    told = [value for code, _, value in events if code == wire.EVENT_HOSTILE]
    assert told
    assert told[-1] >= 100
