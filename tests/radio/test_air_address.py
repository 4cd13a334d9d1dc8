"""The addresses `ble:` and `ble:NAME`, unmodified, on the virtual air: only bleak's backend is another one."""

import asyncio
import functools
import struct

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.config.address import AddressError, open_source
from tiltwise.config.paths import data_folder
from tiltwise.config.sensor_keys import KeyStore
from tiltwise.link import ble, supervisor
from tiltwise.link.board_connection import PINGS
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.live import sources as _sources  # registers the addresses
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.bleak_backend import Adapter
from tiltwise_lab.radio.bumble_board import BumbleBoard
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion

KEY = bytes(range(32))
assert _sources


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer that knows one board, `neck`."""
    monkeypatch.setenv("TILTWISE_HOME", str(tmp_path))
    monkeypatch.setattr("tiltwise.config.sensor_keys.system_keyring", lambda: None)
    KeyStore(data_folder() / "keys.json").save(KeyedBoard(b"simboard", "neck", KEY))


class Listener:
    """Notes the frames of a source, acknowledges them each second, asks for what is missing."""

    def __init__(self, source):
        self.source = source
        self.seen = {}
        self.boot = 0
        self.came = []  # "live" and opcodes of answers, in order

    async def take(self):
        async for chunk in self.source.chunks():
            if wire.is_frame(chunk.data):
                _, flags, self.boot, seq, *_ = unpack_header(chunk.data)
                self.seen.setdefault(seq, flags)
                self.came += [] if flags & wire.FLAG_BACKFILL else ["live"]
            else:
                self.came.append(wire.open_command(chunk.data)[1] & ~wire.REPLY)

    def missing(self):
        return sorted(set(range(min(self.seen), max(self.seen))) - set(self.seen))

    async def stream(self, seconds):
        for _ in range(seconds):
            await asyncio.sleep(1.0)
            if self.seen and self.source.is_streaming:
                if missing := self.missing():
                    await self.send(wire.OP_GET, struct.pack("<HII", self.boot, missing[0], missing[-1]))
                else:
                    await self.send(wire.OP_ACK, struct.pack("<HIH", self.boot, max(self.seen), 64))

    async def send(self, opcode, payload):
        await self.source.send(bytes(wire.pack_command(wire.LEAST_REQUEST_ID, opcode, 0, payload)))


def on_air(monkeypatch, address, scenario, key=KEY):
    """Run scenario(listener, conditions, board) on what `address` opens."""

    async def run():
        link = RadioLink()
        part = Lsm6dsox(seed=1)
        board = BumbleBoard(link, [part], NoddingMotion(part), key=key)
        board.power_on()
        adapter = Adapter(link)
        await adapter.power_on()
        backends = {"client_backend": adapter.client, "scanner_backend": adapter.scanner}
        monkeypatch.setattr(ble, "BleConnector", functools.partial(ble.BleConnector, **backends))
        source = open_source(address)
        assert isinstance(source, supervisor.Supervisor)
        source._clock = asyncio.get_running_loop().time  # the loop's time is virtual
        source.said = []
        source.on_notice = source.said.append
        listener = Listener(source)
        async with source:
            taking = asyncio.ensure_future(listener.take())
            try:
                result = await scenario(listener, link.conditions, board)
            finally:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)
        board.check()
        adapter.close()
        await board.close()
        return result

    return run_virtually(run())


@pytest.mark.parametrize("address", ["ble:", "ble:neck"])
def test_range_is_lost_three_times_and_nothing_is_missing(home, monkeypatch, address):
    async def scenario(listener, conditions, _board):
        await listener.stream(8)
        for away_s in (1.0, 5.0, 20.0):
            conditions.is_in_range = False
            await asyncio.sleep(away_s)
            conditions.is_in_range = True
            await listener.stream(15)
        return listener, listener.source.connections

    listener, connections = on_air(monkeypatch, address, scenario)
    assert connections == 4
    assert listener.missing() == []
    assert any(flags & wire.FLAG_BACKFILL for flags in listener.seen.values())
    assert "connected to neck" in listener.source.said


def test_a_board_that_restarts_is_found_at_its_new_address(home, monkeypatch):
    async def scenario(listener, _air, board):
        await listener.stream(6)
        before = listener.boot
        board.restart()
        await listener.stream(12)
        return before, listener.boot

    before, after = on_air(monkeypatch, "ble:", scenario)
    assert after == before + 1


@pytest.mark.parametrize(("is_restarted", "pings_first"), [(False, 0), (True, PINGS)])
def test_after_a_loss_frames_come_before_the_clock_is_asked_for_unless_it_is_a_new_one(
    home, monkeypatch, is_restarted, pings_first
):
    async def scenario(listener, conditions, board):
        await listener.stream(8)
        listener.came.clear()
        if is_restarted:
            board.restart()
        else:
            conditions.is_in_range = False
            await asyncio.sleep(1.0)
            conditions.is_in_range = True
        await listener.stream(12)
        return listener.came[listener.came.index(wire.OP_HELLO) :]

    came = on_air(monkeypatch, "ble:", scenario)
    assert came[: came.index("live")].count(wire.OP_PING) == pings_first
    assert came.count(wire.OP_PING) == PINGS


def looks(monkeypatch, *, streams, address_changes=False):
    """Return how long BleConnector looks while nothing is known, and after a connection that streamed or not."""

    async def scenario(listener, _air, board):
        connector = listener.source._connector
        loop = asyncio.get_running_loop()
        durations_s = []
        for _ in range(3):
            began_s = loop.time()
            (found,) = await connector.find()
            durations_s.append(loop.time() - began_s)
            if len(durations_s) == 1:
                connection = await connector.connect(found.address)
                connection.has_streamed = streams
                await connection.close()
                await asyncio.sleep(1.0)
                if address_changes:
                    board.restart()
        return durations_s

    async def nothing(_self):
        await asyncio.Event().wait()

    monkeypatch.setattr(supervisor.Supervisor, "_run", nothing)
    return on_air(monkeypatch, "ble:", scenario)


def test_the_board_that_streamed_just_now_is_taken_as_soon_as_it_is_seen_once(home, monkeypatch):
    first_s, again_s, third_s = looks(monkeypatch, streams=True)
    assert first_s >= ble.SETTLE_S
    assert again_s < ble.SETTLE_S  # it advertises each 0.16 s
    assert third_s >= ble.SETTLE_S, "what imitates it must not be taken first for ever"


@pytest.mark.parametrize(("streams", "address_changes"), [(False, False), (True, True)])
def test_any_other_board_waits_for_a_stronger_one(home, monkeypatch, streams, address_changes):
    assert min(looks(monkeypatch, streams=streams, address_changes=address_changes)) >= ble.SETTLE_S


def test_a_board_with_another_key_gives_nothing_and_is_named_a_stranger(home, monkeypatch):
    async def scenario(listener, _air, _board):
        await asyncio.sleep(12)
        return listener.seen, listener.source.said

    seen, said = on_air(monkeypatch, "ble:", scenario, key=bytes(32))
    assert seen == {}
    assert said
    assert not any("connected" in line for line in said)


def test_a_name_without_a_key_is_refused(home):
    with pytest.raises(AddressError, match="no key for somebody"):
        open_source("ble:somebody")
