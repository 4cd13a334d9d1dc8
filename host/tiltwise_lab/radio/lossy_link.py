"""A board and a connector on a fast link that loses, doubles and delays packets and disconnects, in virtual time.

While somebody is connected the board runs step by step, so that each notification leaves at its own time; otherwise
its steps are caught up in one go, each at the time at which it was due.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tiltwise.common import wire
from tiltwise.firmware_build.locate import PACKAGE
from tiltwise.link.key_care import encoded
from tiltwise.link.transport import CTRL, DATA, Candidate, LinkError, Trouble
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise_lab.radio.lossy_bluetooth import INTERVAL_S, BoardConnectionEnd, LossyBluetooth

_AHEAD_S = 4.0  # the sensors get their motion this far ahead
_ALONE_S = 1.0  # how often the steps of a board without a host are made up
_ROUNDING_US = 0.5
_MTU = 247
_SCAN_S, _FOUND_S, _SETTLE_S = 5.0, 0.2, 0.3  # one look; mean time until it hears us; wait for stronger ones
_CONNECT_S = (0.05, 0.3)
_CONNECT_FAILS = 0.02
_NOTICED_S = (0.1, 1.0)  # from the loss of a connection until an end notices
_ADDRESS = "rough"
_UUIDS = {CTRL: wire.uuid128(wire.UUID_CTRL), DATA: wire.uuid128(wire.UUID_DATA)}
_INFO = wire.uuid128(wire.UUID_INFO)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the air and the computer's Bluetooth do to packets.

    `loss`, `twice` and `late` (by up to a second, so that others overtake it) are shares of the notifications of
    DATA, `lost_answers` of those of CTRL. Every packet takes `least_s` and a random time of mean `jitter_s` beyond
    its connection event, in both directions.
    """

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    lost_answers: float = 0.0
    least_s: float = 0.005
    jitter_s: float = 0.010


class LossyBoard(SimBoard):
    """The whole firmware with its radio; it lives while `live` runs.

    Parameters
    ----------
    sensors : register models
    feed : called with a time in s when the sensors need their motion up to there; times count from now
    key : what PROVISION over the cable would have set
    **options : of SimBoard
    """

    def __init__(
        self, sensors: Sequence[ImuModel], feed: Callable[[float], None], *, key: bytes, **options: Any
    ) -> None:
        self._feed, self._fed_until_s, self._key = feed, 0.0, key
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._called = asyncio.Event()
        super().__init__(sensors, stream=None, auto_ack=False, **options)
        self.link.is_connected = False  # the cable is not plugged in

    def _boot(self) -> None:
        keystore = importlib.import_module(f"{PACKAGE}.storage.keystore").KeyStore(self.files)
        if not keystore.load():
            keystore.save([(encoded("bench"), self._key)])
        self.bluetooth = LossyBluetooth(lambda: self.clock.us / 1e6)
        radio = importlib.import_module(f"{PACKAGE}.comms.ble_radio")
        made = radio.Radio(self.bluetooth, self.clock)
        self.radio = made
        self.links = [self.link, *made.links]
        super()._boot()

    async def live(self) -> None:
        """Live for ever; raises what the firmware raises."""
        while True:
            self.catch_up()
            if self.bluetooth.connections:
                await asyncio.sleep((self._due_us - self._now_us()) / 1e6)
                continue
            self._called.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ALONE_S):
                    await self._called.wait()

    def catch_up(self) -> None:
        """Do all that was due until now, each step at its own time; the clock is right afterwards."""
        now_us = self._now_us()
        if now_us / 1e6 + _AHEAD_S / 2 > self._fed_until_s:
            self._fed_until_s = now_us / 1e6 + _AHEAD_S
            self._feed(self._fed_until_s)
        while self._due_us <= now_us + _ROUNDING_US:
            self.clock.us = max(self.clock.us, self._due_us)
            self._step_once()
        self.clock.us = max(self.clock.us, now_us)

    def called(self) -> None:
        """Somebody connected: from now on every step at its time."""
        self._called.set()

    def _now_us(self) -> float:
        return (self._loop.time() - self._began_s) * 1e6


class LossyConnector:
    """The radio of a computer near this board, as the supervisor asks for it."""

    def __init__(self, board: LossyBoard, conditions: Conditions, rng: random.Random) -> None:
        self.board, self.conditions, self.rng = board, conditions, rng
        self._in_range = asyncio.Event()
        self._in_range.set()
        self._open: list[LossyConnection] = []

    def leave_range(self) -> None:
        """All connections are lost with what is in the air; both ends notice it later, each for itself."""
        self._in_range.clear()
        lost, self._open = self._open, []
        for connection in lost:
            connection.lose()

    def come_back(self) -> None:
        """Be in range again."""
        self._in_range.set()

    async def find(self) -> list[Candidate]:
        """Look for an advertisement; ends soon after the first."""
        try:
            async with asyncio.timeout(_SCAN_S):
                while True:
                    await self._in_range.wait()
                    await asyncio.sleep(self.rng.expovariate(1 / _FOUND_S))
                    if self._is_advertised():
                        break
        except TimeoutError:
            return []
        await asyncio.sleep(_SETTLE_S)
        return [Candidate(_ADDRESS)]

    async def connect(self, _address: str, /) -> LossyConnection:
        """Connect, if the board still advertises."""
        await asyncio.sleep(self.rng.uniform(*_CONNECT_S))
        if not self._is_advertised() or self.rng.random() < _CONNECT_FAILS:
            raise LinkError(Trouble.LOST, "the connection failed to be established")
        connection = LossyConnection(self)
        self._open.append(connection)
        return connection

    def _is_advertised(self) -> bool:
        if not self._in_range.is_set():
            return False
        self.board.catch_up()
        return self.board.bluetooth.advertised is not None

    def delay_s(self) -> float:
        """Return what a packet takes beyond its connection event."""
        return self.conditions.least_s + self.rng.expovariate(1 / self.conditions.jitter_s)


class LossyConnection:
    """One connection, used once."""

    is_cable = False
    mtu = _MTU

    def __init__(self, owner: LossyConnector) -> None:
        self._owner, self._board = owner, owner.board
        self._loop = asyncio.get_running_loop()
        self.is_connected = True
        self._is_lost = False
        self._ended = asyncio.Event()  # and this host knows
        self._came: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._last_s = {CTRL: 0.0, DATA: 0.0}
        phase_s = self._loop.time() + owner.rng.uniform(0, INTERVAL_S)
        self._board_end = BoardConnectionEnd(phase_s, self._sent, self._cut)
        self._handle = self._board.bluetooth.begin(self._board_end, _MTU)
        self._where = {self._board.bluetooth.handle_of(uuid): where for where, uuid in _UUIDS.items()}
        self._board.called()

    # ---- what the supervisor calls ----

    async def read_info(self) -> bytes:
        """Read INFO: there and back."""
        await self._there()
        info = self._board.bluetooth.value_of(_INFO)
        await self._back()
        return info

    async def write_ctrl(self, data: bytes, /) -> None:
        """Write in pieces that fit; each waits for the board's word that it came."""
        for at in range(0, len(data), _MTU - 3):
            await self._there()
            self._board.catch_up()
            self._board.bluetooth.write(self._handle, _UUIDS[CTRL], data[at : at + _MTU - 3])
            await self._back()

    async def notifications(self) -> AsyncIterator[tuple[str, bytes]]:
        """Subscribe to both: two round trips."""
        for _ in _UUIDS:
            await self._there()
            await self._back()
        return self._stream()

    async def _stream(self) -> AsyncIterator[tuple[str, bytes]]:
        while (item := await self._came.get()) is not None:
            yield item

    async def close(self) -> None:
        """End the connection; out of range the board notices by itself."""
        if not self._ended.is_set() and not self._is_lost:
            self._loop.call_later(self._owner.delay_s(), self._board_notices)
        if self in self._owner._open:
            self._owner._open.remove(self)
        self._end()

    # ---- ends ----

    def lose(self) -> None:
        """Nothing gets through any more."""
        self._is_lost, self._board_end.is_heard = True, False
        rng = self._owner.rng
        self._loop.call_later(rng.uniform(*_NOTICED_S), self._end)
        self._loop.call_later(rng.uniform(*_NOTICED_S), self._board_notices)

    def _end(self) -> None:
        if not self._ended.is_set():
            self.is_connected = False
            self._ended.set()
            self._came.put_nowait(None)

    def _cut(self) -> None:
        """The board ended it."""
        self._loop.call_later(self._owner.delay_s(), self._end)

    def _board_notices(self) -> None:
        if self._board.bluetooth.connections.get(self._handle) is self._board_end:
            self._board.catch_up()
            self._board.bluetooth.end(self._handle)

    # ---- packets ----

    async def _there(self) -> None:
        """Wait until a request reaches the board: through the computer, then the next connection event."""
        await self._until(self._board_end.next_event_s(self._loop.time() + self._owner.delay_s()))

    async def _back(self) -> None:
        """Wait until the answer to it reaches us."""
        await self._until(self._board_end.next_event_s(self._loop.time() + 1e-6) + self._owner.delay_s())

    async def _until(self, at_s: float) -> None:
        """Wait for a time; a connection that is lost in between never answers, until its end is noticed."""
        await asyncio.sleep(at_s - self._loop.time())
        is_there = self._board.bluetooth.connections.get(self._handle) is self._board_end
        if self._is_lost or not is_there or self._ended.is_set():
            await self._ended.wait()
            raise LinkError(Trouble.LOST, "the connection ended")

    def _sent(self, leaves_s: float, attribute: int, data: bytes) -> None:
        """A notification leaves the board; what becomes of it is decided here."""
        where = self._where.get(attribute)
        owner, rng, how = self._owner, self._owner.rng, self._owner.conditions
        if where is None or rng.random() < (how.loss if where == DATA else how.lost_answers):
            return
        for _ in range(2 if where == DATA and rng.random() < how.twice else 1):
            due_s = leaves_s + owner.delay_s()
            if where == DATA and rng.random() < how.late:
                due_s += rng.uniform(0, 1)
            else:
                due_s = self._last_s[where] = max(due_s, self._last_s[where] + 1e-6)
            self._loop.call_at(due_s, self._arrive, where, data)

    def _arrive(self, where: str, data: bytes) -> None:
        if not self._is_lost and not self._ended.is_set():
            self._came.put_nowait((where, data))
