"""The whole system on a bad link: the real firmware with key and ring, air that loses and reorders, and a host.

The host here is the smallest that keeps the protocol's promises: it proves the key, streams, acknowledges what is
committed and asks again for what is missing; session, store and channel are the real ones. The host's clock runs
35 ppm fast. Virtual seconds throughout. Used by: bench_link.py.
"""

from __future__ import annotations

import heapq
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tiltwise.app.keeper import Keeper
from tiltwise.app.session import LiveUpdate, Session
from tiltwise.app.settings import Settings
from tiltwise.app.store import Store
from tiltwise.common import wire
from tiltwise.common.auth import NONCE_SIZE, HostHandshake
from tiltwise.common.channel import Channel
from tiltwise.link.ordering import MissingRange
from tiltwise.motion.mounting import mounting_from_up
from tiltwise.sim.board import SimBoard
from tiltwise.sim.sensor import Lsm6dsox
from tiltwise.types import FloatArray, Mount

DRIFT = 35e-6  # of the host's clock against the board's
STARTED_S = 1_772_000_000.0
_KEY = bytes(range(1, 33))
_TRUTH_HZ = 104
_STEP_S = 0.05
_RETRY_S = 1.0
_GET_S = 5.0  # without a frame of it, a GET counts as lost
_LEAST_DELAY_S, _JITTER_S = 0.008, 0.015  # of a packet on the air: half an interval and what the system adds


@dataclass(frozen=True, slots=True)
class Air:
    """What the air does to a packet, as shares of all packets."""

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0  # by up to a second, so that others overtake it


@dataclass(slots=True)
class Seen:
    """What a trial measured."""

    sample_age_s: list[FloatArray] = field(default_factory=list)  # from sensor to decision, of live samples
    clock_error_s: list[float] = field(default_factory=list)
    reconnect_s: list[float] = field(default_factory=list)
    alerts: int = 0


class Trial:
    """A board, the air and a host in one virtual time.

    Parameters
    ----------
    folder : of the store.
    ring_frames : what the board can hold back; a second is 5.2 frames.
    """

    def __init__(self, folder: Path, *, seed: int, ring_frames: int, air: Air) -> None:
        self._rng, self.air, self.seen = random.Random(seed), air, Seen()
        self._sensor, self._told = Lsm6dsox(seed=seed), 0
        self._tell_truth(1.0)
        self.board = SimBoard(
            [self._sensor], stream=None, auto_ack=False, ring_frames=ring_frames, is_bare=True, seed=seed
        )
        self.board.app.desk.set_key(_KEY)
        self.made: dict[int, int] = {}  # sequence number -> samples, of all frames ever made
        self.dropped: set[int] = set()  # pushed out of the full ring before anybody had stored them
        self._watch_outbox()
        self.board.link.takes = self._sent
        self.now_s = 0.0
        self._packets: list[
            tuple[float, int, int, str, bytes]
        ] = []  # due, order, connection, where to, bytes
        self._order = 0
        self._store = Store(folder, min_free_bytes=0)
        mounting = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)
        keeper = Keeper(self._store, device="trial", mount=Mount.NECK, zone="UTC")
        self.session = Session(
            settings=Settings(), mount=Mount.NECK, mounting=mounting, started_utc_s=STARTED_S, zone="UTC",
            keeper=keeper,
        )  # fmt: skip
        self.gone: set[int] = set()  # what the board told that it no longer holds
        self._begin_connection()

    # ---- the board's side ----

    def _watch_outbox(self) -> None:
        """Note what is made and what is pushed out; nothing is changed."""
        outbox = self.board.app.outbox
        put, drop = outbox.put, outbox.main._drop_oldest

        def noting_put(
            buffer: bytearray, kind: int, flags: int, i0: int, t0: int, n: int, *rest: int
        ) -> bytearray:
            self.made[outbox.next_seq] = n if kind in wire.SAMPLE_SIZES else 0
            given: bytearray = put(buffer, kind, flags, i0, t0, n, *rest)
            return given

        def noting_drop() -> None:
            self.dropped.add(outbox.main.seq_at(0))
            drop()

        outbox.put, outbox.main._drop_oldest = noting_put, noting_drop

    def _tell_truth(self, to_s: float) -> None:
        """Somebody who leans 35 deg forward for 90 s of every 180 s, and breathes."""
        while self._told <= (to_s + 1) * _TRUTH_HZ:
            t_s = np.arange(self._told, self._told + 5 * _TRUTH_HZ) / _TRUTH_HZ
            angle = _lean_rad(t_s)
            rate = (_lean_rad(t_s + 0.005) - _lean_rad(t_s - 0.005)) / 0.01
            nothing = np.zeros(len(t_s))
            acc = 9.80665 * np.stack((-np.sin(angle), nothing, np.cos(angle)), axis=1)
            self._sensor.advance(t_s, np.stack((nothing, rate, nothing), axis=1), acc)
            self._told += len(t_s)

    def _sent(self, frame: bytes) -> bool:
        self._fly(self.board.clock.us / 1e6, "frame", frame)
        return True

    # ---- the air ----

    def _fly(self, at_s: float, where: str, data: bytes) -> None:
        rng, air = self._rng, self.air
        for _ in range(2 if rng.random() < air.twice else 1):
            if rng.random() < air.loss:
                continue
            late_s = rng.uniform(0, 1) if rng.random() < air.late else 0.0
            due_s = at_s + _LEAST_DELAY_S + rng.expovariate(1 / _JITTER_S) + late_s
            self._order += 1
            heapq.heappush(
                self._packets, (due_s, self._order, self.board.link.connections, where, bytes(data))
            )

    def run(self, seconds: float) -> None:
        """Let time pass with the link up."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self._advance()
            self._deliver()
            self._host_step()

    def outage(self, seconds: float) -> None:
        """Lose the link with all that is in the air, let time pass, and let it come back."""
        self.board.link.is_connected = False
        self._packets.clear()
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self._advance()
        self.board.link.is_connected = True
        self.board.link.drop()
        self._begin_connection()

    def _advance(self) -> None:
        self.now_s += _STEP_S
        self._tell_truth(self.now_s)
        self.board.step(self.now_s)
        for reply in self.board.link.replies:
            self._fly(self.board.clock.us / 1e6, "reply", reply)
        self.board.link.replies.clear()

    def _deliver(self) -> None:
        while self._packets and self._packets[0][0] <= self.now_s:
            due_s, _, connection, where, data = heapq.heappop(self._packets)
            if connection != self.board.link.connections:
                continue
            if where == "command":
                self.board.deliver(data)
            elif where == "frame":
                self._frame(due_s, data)
            else:
                self._reply(data)

    # ---- the host ----

    def _begin_connection(self) -> None:
        self._up_s, self._asked_s = self.now_s, -np.inf
        self._handshake = HostHandshake(_KEY, self.board.device_id, self._rng.randbytes(NONCE_SIZE))
        self._proof = b""
        self.channel: Channel | None = None
        self._is_streaming = self._is_live = False
        self._request = wire.LEAST_REQUEST_ID
        self._get: tuple[int, float] | None = None  # request id and when something of it was last seen
        self._counter = 0

    def _ask(self, opcode: int, payload: bytes = b"") -> int:
        self._request = self._request + 1 if self._request < 0xFF else wire.LEAST_REQUEST_ID
        if self.channel is None:
            self._counter += 1
            data = wire.pack_command(self._request, opcode, self._counter, payload)
        else:
            data = self.channel.pack(self._request, opcode, payload)
        self._fly(self.now_s, "command", data)
        return self._request

    def _host_step(self) -> None:
        """Repeat what was not answered; then ask for what is missing, oldest first, one range at a time."""
        if not self._is_streaming:
            if self.now_s - self._asked_s >= _RETRY_S:
                self._asked_s = self.now_s
                self._ask_next()
            return
        if self._get is not None and self.now_s - self._get[1] < _GET_S:
            return
        missing = self.session.decoder.missing()
        self._get = None
        if missing:
            oldest = missing[0]
            payload = struct.pack("<HII", oldest.boot, oldest.first, oldest.last)
            self._get = (self._ask(wire.OP_GET, payload), self.now_s)

    def _ask_next(self) -> None:
        if self.channel is not None:
            self._ask(wire.OP_START, bytes((wire.ORIENT, 10)))
        elif self._proof:
            self._ask(wire.OP_AUTH2, self._proof)
        else:
            self._ask(wire.OP_AUTH1, self._handshake.request())

    def _reply(self, data: bytes) -> None:
        try:
            if self.channel is not None:
                request, opcode, answer = self.channel.open(data)
            else:
                request, opcode, _, answer = wire.open_command(data)
        except wire.WireError:  # twice, or late from before the proof
            return
        opcode, status, body = opcode & ~wire.REPLY, answer[0], answer[1:]
        if status != wire.STATUS_OK:
            return
        if opcode == wire.OP_AUTH1 and not self._proof:
            self._proof, self._asked_s = self._handshake.prove(bytes(body)), -np.inf
        elif opcode == wire.OP_AUTH2 and self.channel is None:
            self.channel, self._asked_s = Channel(self._handshake.shared, is_host=True), -np.inf
        elif opcode == wire.OP_START:
            self._is_streaming = True
        elif opcode == wire.OP_GET_DONE and self._get is not None and request == self._get[0]:
            self._get = None
            self._settle_gone(bytes(body))

    def _settle_gone(self, body: bytes) -> None:
        """Stop waiting for what the board no longer holds."""
        boot, _, _, n = struct.unpack_from(wire.GET_DONE_BODY, body)
        for k in range(n):
            first, last = struct.unpack_from("<II", body, struct.calcsize(wire.GET_DONE_BODY) + 8 * k)
            self.session.decoder.forget_missing(MissingRange(boot, first, last))
            self._store.mark_lost(1, first, last)  # the store is new, and this board its only session
            self.gone.update(range(first, last + 1))

    def _frame(self, due_s: float, data: bytes) -> None:
        if self.channel is None:
            return
        frame = self.channel.open_frame(data)
        flags = wire.unpack_header(frame)[1]
        if flags & wire.FLAG_BACKFILL and self._get is not None:
            self._get = (self._get[0], self.now_s)
        received_s = due_s * (1 + DRIFT)
        live = self.session.receive(received_s, frame)
        for command in live.commands:
            _, opcode, _, payload = wire.open_command(command)
            self._ask(opcode, payload)
        self._measure(received_s, live, is_live=not flags & wire.FLAG_BACKFILL)

    def _measure(self, received_s: float, live: LiveUpdate, *, is_live: bool) -> None:
        self.seen.alerts += sum(type(event).__name__ == "EpisodeAlert" for event in live.events)
        if not is_live or live.angles is None:
            return
        if not self._is_live:
            self._is_live = True
            self.seen.reconnect_s.append(received_s / (1 + DRIFT) - self._up_s)
        truth_s = live.angles.t_s * (1 + DRIFT)
        self.seen.sample_age_s.append(received_s - truth_s)
        self.seen.clock_error_s.append(self.session.utc_s(live.t_s) - STARTED_S - live.t_s * (1 + DRIFT))

    def settle(self, most_s: float = 600.0) -> None:
        """Let a healthy link deliver what is still missing, then close the store."""
        self.air = Air()
        end_s = self.now_s + most_s
        self.run(5.0)
        while self.session.decoder.missing() and self.now_s < end_s:
            self.run(1.0)
        self.session.finish()

    def stored(self) -> set[int]:
        """Return the numbers of all frames that a reader of the store finds."""
        with Store.open_readonly(self._store.folder) as reader:
            return {wire.unpack_header(frame.data)[3] for frame in reader.frames(0, 4e9)}


def _lean_rad(t_s: FloatArray) -> FloatArray:
    phase = t_s % 180
    ramp = np.clip((phase - 60) / 2, 0, 1) * np.clip((150 - phase) / 2, 0, 1)
    sway_deg = 0.6 * np.sin(2 * np.pi * 0.25 * t_s) + 0.4 * np.sin(2 * np.pi * 1.1 * t_s)
    lean: FloatArray = np.radians(35 * ramp * ramp * (3 - 2 * ramp) + sway_deg)
    return lean
