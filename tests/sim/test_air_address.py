"""The addresses `ble:` and `ble:NAME`, unmodified, on the virtual air: only bleak's backend is another one."""

import asyncio
import functools
import struct

import pytest

from tiltwise.app import sources as _sources  # registers the addresses
from tiltwise.app.keys import KeyStore
from tiltwise.app.paths import data_folder
from tiltwise.common import wire
from tiltwise.link import ble, supervisor
from tiltwise.link.source import AddressError, open_source
from tiltwise.sim.air_backend import Adapter
from tiltwise.sim.air_board import AirBoard
from tiltwise.sim.radio import RadioLink
from tiltwise.sim.sensor import Lsm6dsox
from tiltwise.sim.vm.still import Nodding
from tiltwise.sim.vtime import run_virtually

KEY = bytes(range(32))
assert _sources


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A computer that knows one board, `neck`."""
    monkeypatch.setenv("TILTWISE_HOME", str(tmp_path))
    monkeypatch.setattr("tiltwise.app.sources.system_keyring", lambda: None)
    KeyStore(data_folder() / "keys.json").save(b"simboard".hex(), "neck", KEY)


class Listener:
    """Notes the frames of a source, acknowledges them each second, asks for what is missing."""

    def __init__(self, source):
        self.source = source
        self.seen = {}
        self.boot = 0

    async def take(self):
        async for chunk in self.source.chunks():
            if wire.is_frame(chunk.data):
                _, flags, self.boot, seq, *_ = wire.unpack_header(chunk.data)
                self.seen.setdefault(seq, flags)

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
    """Run scenario(listener, air, board) on what `address` opens."""

    async def run():
        link = RadioLink()
        part = Lsm6dsox(seed=1)
        board = AirBoard(link, [part], Nodding(part), key=key)
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
                result = await scenario(listener, link.air, board)
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
    async def scenario(listener, air, _board):
        await listener.stream(8)
        for away_s in (1.0, 5.0, 20.0):
            air.is_in_range = False
            await asyncio.sleep(away_s)
            air.is_in_range = True
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
