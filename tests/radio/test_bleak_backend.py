"""bleak on the virtual air against the real firmware: discovery, proof, stream, packet sizes, loss, back-pressure."""

import asyncio
import struct
import sys

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakError

from bleak_host import DATA, INFO, SERVICE, BleakHost
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.bleak_backend import Adapter
from tiltwise_lab.radio.bumble_adapter import KERNEL_TIMEOUT_MS
from tiltwise_lab.radio.bumble_board import BumbleBoard
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion

KEY = bytes(range(32))
FRAME_S = 10 / 52


class Room:
    """A board with power and a computer, in one virtual time."""

    def __init__(self, key=KEY, **adapter):
        self.link = RadioLink()
        self.conditions = self.link.conditions
        part = Lsm6dsox(seed=1)
        self.board = BumbleBoard(self.link, [part], NoddingMotion(part), key=key)
        self.adapter = Adapter(self.link, **adapter)
        backends = {"client": self.adapter.client, "scanner": self.adapter.scanner}
        self.host = BleakHost(KEY, self.board.device_id, **backends)

    async def __aenter__(self):
        self.board.power_on()
        await self.adapter.power_on()
        return self

    async def __aexit__(self, kind, problem, trace):
        self.adapter.close()
        await self.board.close()

    def client(self, device, **options):
        return BleakClient(device, backend=self.adapter.client, **options)


def in_room(scenario, **options):
    """Run a scenario(room) in virtual time and return what it returns."""

    async def run():
        async with Room(**options) as room:
            result = await scenario(room)
            room.board.check()
            return result

    return run_virtually(run())


def now_s():
    return asyncio.get_running_loop().time()


def test_the_board_is_found_by_its_service_and_says_no_name():
    async def scenario(room):
        return await BleakScanner.discover(
            timeout=1.0, return_adv=True, service_uuids=[SERVICE], backend=room.adapter.scanner
        )

    ((device, advertisement),) = in_room(scenario).values()
    assert advertisement.service_uuids == [SERVICE]
    assert (device.name, advertisement.local_name) == (None, None)


def test_a_scan_for_another_service_finds_nothing():
    async def scenario(room):
        other = "0000180d-0000-1000-8000-00805f9b34fb"
        return await BleakScanner.discover(timeout=1.0, service_uuids=[other], backend=room.adapter.scanner)

    assert in_room(scenario) == []


def test_info_says_that_the_board_is_locked():
    async def scenario(room):
        return await room.host.connect()

    info = struct.unpack(wire.HELLO_START, in_room(scenario))
    assert info[0] == wire.PROTOCOL
    assert info[3] == wire.STATE_LOCKED


def test_the_board_streams_only_to_who_proved_the_key():
    async def scenario(room):
        await room.host.connect()
        with pytest.raises(RuntimeError, match=f"status {wire.STATUS_LOCKED}"):
            await room.host.command(wire.OP_START, bytes((wire.ORIENT, 10)))
        await room.host.prove()
        await room.host.command(wire.OP_START, bytes((wire.ORIENT, 10)))
        await room.host.stream(3)
        return room.host

    host = in_room(scenario)
    assert len(host.frames) > 10
    assert host.damaged == 0


@pytest.mark.parametrize(("offered", "agreed"), [(23, 23), (185, 185), (517, 247)])
def test_the_stream_has_no_gap_with_any_packet_size(offered, agreed):
    async def scenario(room):
        await room.host.open()
        mtu = room.host.client.mtu_size
        await room.host.stream(10)
        return mtu, room.host

    mtu, host = in_room(scenario, mtu=offered)
    assert mtu == agreed
    assert (host.missing(), host.damaged) == ([], 0)
    orient = [head for head in map(unpack_header, host.frames) if head[0] == wire.ORIENT]
    span_s = (orient[-1][5] - orient[0][5]) * wire.TICK_S
    assert span_s > 9.5
    # The part's own rate is up to some percent off.
    assert len(orient) - 1 == pytest.approx(span_s / FRAME_S, rel=0.03)


def test_silence_ends_the_connection_after_the_supervision_timeout():
    async def scenario(room):
        await room.host.open()
        await room.host.stream(2)
        room.conditions.is_in_range = False
        left_s = now_s()
        await asyncio.wait_for(room.host.gone.wait(), 5)
        return now_s() - left_s, room.host.client.is_connected

    seconds, is_connected = in_room(scenario)
    # Silence is counted in whole connection events of 30 ms, from the last one that was heard.
    assert seconds == pytest.approx(KERNEL_TIMEOUT_MS / 1000, abs=0.06)
    assert not is_connected


def test_a_dip_shorter_than_the_timeout_costs_nothing():
    async def scenario(room):
        await room.host.open()
        for _ in range(5):
            await room.host.stream(1)
            room.conditions.is_in_range = False
            await asyncio.sleep(KERNEL_TIMEOUT_MS / 1000 - 0.1)
            room.conditions.is_in_range = True
        await room.host.stream(2)
        return room.host

    host = in_room(scenario)
    assert not host.gone.is_set()
    assert host.missing() == []


def test_what_was_missed_out_of_range_is_fetched():
    async def scenario(room):
        await room.host.open()
        await room.host.stream(3)
        room.conditions.is_in_range = False
        await asyncio.wait_for(room.host.gone.wait(), 5)
        await asyncio.sleep(6)
        with pytest.raises(TimeoutError):
            await room.host.find(timeout=1.0)
        room.conditions.is_in_range = True
        await room.host.open()
        await room.host.live_frame()
        missing = room.host.missing()
        await room.host.get(missing[0], missing[-1])
        await room.host.stream(5)
        return missing, room.host

    missing, host = in_room(scenario)
    assert len(missing) > 7 / FRAME_S  # silence, 6 s, a look of 1 s
    assert host.missing() == []
    again = [f for f in host.frames if unpack_header(f)[1] & wire.FLAG_BACKFILL]
    assert {unpack_header(f)[3] for f in again} >= set(missing)


def test_a_slow_link_refuses_and_loses_nothing():
    """One packet in an event of 30 ms carries 33 notifications a second; in pieces of 20 bytes 5 frames need 50."""

    async def scenario(room):
        await room.host.open()
        room.conditions.packets_per_event = 1
        await asyncio.sleep(10)
        refused = room.board.bluetooth.refused
        room.conditions.packets_per_event = 8
        for _ in range(12):
            await room.host.stream(1)
        return refused, room.host

    refused, host = in_room(scenario, mtu=23)
    assert refused > 0
    assert host.missing() == []


def test_lost_connection_events_only_delay():
    async def scenario(room):
        await room.host.open()
        room.conditions.lost_events = 0.3
        await room.host.stream(10)
        room.conditions.lost_events = 0.0
        await room.host.stream(2)
        return room.host

    host = in_room(scenario, timeout_ms=4000)
    assert (host.missing(), host.damaged) == ([], 0)


def test_a_power_cut_of_the_board_is_silence_and_then_another_address():
    async def scenario(room):
        await room.host.open()
        await room.host.stream(2)
        before, boot = room.board.bluetooth.address, room.board.boot_id
        room.board.restart()
        await asyncio.wait_for(room.host.gone.wait(), 5)
        await room.host.open()
        await room.host.live_frame()
        return before, room.board.bluetooth.address, boot, room.board.boot_id

    before, after, boot, next_boot = in_room(scenario)
    assert before != after
    assert next_boot == boot + 1


def test_a_peer_that_takes_nothing_is_sent_away_and_a_stuck_radio_is_started_anew():
    async def scenario(room):
        for _ in range(3):
            await room.host.open()
            room.board.bluetooth.refuse_next = 100_000
            await asyncio.wait_for(room.host.gone.wait(), 10)
            room.board.bluetooth.refuse_next = 0
        restarts = room.board.radio.restarts
        await room.host.open()
        await room.host.stream(3)
        table = [service.uuid for service in room.host.client.services]
        return restarts, table, room.host.frames

    restarts, table, frames = in_room(scenario)
    assert restarts == 1
    assert table.count(SERVICE) == 1
    assert frames


def test_bluetooth_that_is_off_is_an_error_of_bleak_and_comes_back():
    async def scenario(room):
        await room.host.open()
        await room.adapter.switch_off()
        assert room.host.gone.is_set()
        with pytest.raises(BleakBluetoothNotAvailableError):
            await room.host.find()
        await room.adapter.switch_on()
        await room.host.open()
        await room.host.live_frame()

    in_room(scenario)


def test_connecting_to_nobody_ends_and_the_next_attempt_works():
    async def scenario(room):
        device = await room.host.find()
        room.conditions.is_in_range = False
        began_s = now_s()
        with pytest.raises(TimeoutError):
            await room.client(device, timeout=3.0).connect()
        took_s = now_s() - began_s
        room.conditions.is_in_range = True
        await room.host.open(device)
        return took_s

    assert in_room(scenario) == pytest.approx(3.0, abs=0.1)


def test_a_cancelled_attempt_leaves_the_adapter_free():
    async def scenario(room):
        device = await room.host.find()
        room.conditions.is_in_range = False
        attempt = asyncio.ensure_future(room.client(device).connect())
        await asyncio.sleep(1)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        room.conditions.is_in_range = True
        await room.host.open(device)

    in_room(scenario)


def test_a_request_that_the_end_of_the_connection_interrupts_is_an_error_of_bleak():
    async def scenario(room):
        await room.host.open()
        room.conditions.is_in_range = False
        with pytest.raises(BleakError):
            await room.host.client.read_gatt_char(INFO)
        assert not room.host.client.is_connected
        with pytest.raises(BleakError):
            await room.host.client.read_gatt_char(INFO)

    in_room(scenario)


def test_nothing_comes_after_unsubscribing():
    async def scenario(room):
        await room.host.open()
        await room.host.stream(2)
        await room.host.client.stop_notify(DATA)
        n = len(room.host.frames)
        await asyncio.sleep(2)
        return n, len(room.host.frames)

    before, after = in_room(scenario)
    assert before == after > 0


def test_the_same_seed_gives_the_same_run():
    async def scenario(room):
        room.conditions.lost_events = 0.1
        await room.host.open()
        await room.host.stream(4)
        return [bytes(frame[:-8]) for frame in room.host.frames], now_s()

    assert in_room(scenario) == in_room(scenario)


def test_without_bumble_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "bumble"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bumble", None)
    for name in ("bleak_backend", "virtual_radio"):
        monkeypatch.delitem(sys.modules, f"tiltwise_lab.radio.{name}")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tiltwise\[air\]'"):
        __import__("tiltwise_lab.radio.bleak_backend")
