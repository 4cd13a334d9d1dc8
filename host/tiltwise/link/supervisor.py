"""Keep the link up: find the board, connect, stream, and start again when it falls silent.

Frames and replies come out of `chunks()` for ever; commands go in at `send()`. Every call that a system's Bluetooth
may hang in has a deadline, received data and not callbacks tell that a link is alive, and each class of trouble has
its own waiting time and one line for the user.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType

from tiltwise.common import wire
from tiltwise.link.board_connection import PINGS, BoardConnection, LinkLiveness
from tiltwise.link.board_identity import KeyedBoard, read_hello
from tiltwise.link.command_queue import CommandQueue
from tiltwise.link.commands import Reply
from tiltwise.link.key_care import Keep, KeyCare
from tiltwise.link.source import Chunk
from tiltwise.link.timeouts import CallLimits, result_of, steady_s
from tiltwise.link.transport import Connection, Connector, LinkError, Trouble
from tiltwise.link.visits import Visits

FIND_S = 12.0
CONNECT_S = 20.0
INFO_S = 5.0
SUBSCRIBE_S = 5.0
CLOSE_S = 3.0  # then the connection is left to itself: Windows takes minutes
SILENT_S = 3.0  # without a frame while streaming: dead, unless the board answers
IDLE_S = 12.0  # no frames although it answers: DATA notifications are lost
PING_EVERY_S = 60.0
CABLE_PING_S = 5.0  # the board takes a cable for unplugged after 12 s without a word
TICK_S = 0.25
SLEPT_S = 10.0  # a tick that takes so much longer than it should: the computer was suspended
SAME_S = 3.0  # a session that began within so much of ours is ours: the board has not noticed its end yet
STEADY_S = 10.0  # after a connection that lived so long, waiting starts from the shortest time again
_MOST_WAITING = 20_000  # items; what does not fit is asked for again
_SAMPLES = 10

# First and longest wait in s by class of trouble; it doubles from one to the other.
WAITS_S = {
    Trouble.ABSENT: (0.25, 2.0),
    Trouble.LOST: (0.25, 4.0),
    Trouble.TURNED_OFF: (2.0, 5.0),
    Trouble.MISSING: (5.0, 30.0),
    Trouble.DENIED: (5.0, 30.0),
    Trouble.UNKNOWN_BOARD: (2.0, 10.0),
    Trouble.BUSY: (5.0, 15.0),
    Trouble.VERSION: (10.0, 60.0),
}
# Single drops are normal: report only repeated or long ones.
_REPORT_LOST_AFTER = 3


class Supervisor:
    """A board by radio or cable as a Source that never ends.

    Parameters
    ----------
    connector
        How to find and reach boards.
    keys
        The boards that are ours; the first one that proves its key is kept to.
    what
        What is looked for, in words: "the board", "back-of-neck".
    take_over
        End the session of another host.
    frame_type
        wire.ORIENT or wire.RAW.
    keep
        Keeps a board's key that was replaced (key_care.py); None: the keys stay as they are.
    clock
        Seconds that also pass while the computer sleeps.
    """

    def __init__(
        self,
        connector: Connector,
        keys: Sequence[KeyedBoard],
        *,
        what: str = "the board",
        take_over: bool = False,
        frame_type: int = wire.ORIENT,
        keep: Keep | None = None,
        clock: Callable[[], float] = steady_s,
    ) -> None:
        self._connector, self._keys, self._what = connector, tuple(keys), what
        self._take_over, self._frame_type, self._clock = take_over, frame_type, clock
        self._key_care = None if keep is None else KeyCare(keep, lambda: self._clock())
        self.on_notice: Callable[[str], None] = lambda _line: None
        self.connections = 0
        self.dropped = 0  # frames that nobody took in time; they are asked for again
        self.is_streaming = False
        self._start_s = clock()
        self._last_s = 0.0
        self._items: deque[Chunk] = deque()
        self._has_items = asyncio.Event()
        self._commands = CommandQueue(lambda: self._clock(), self._put_reply)
        self._task: asyncio.Task[None] | None = None
        self._calls = CallLimits()
        self._last_notice = ""
        self._tries: dict[Trouble, int] = {}
        self._visits = Visits(lambda: self._clock())
        self._opened_s: float | None = None  # when our last session began
        self._pinged_boot: int | None = None  # whose clock was asked for before the first frames

    @property
    def state(self) -> str:
        """How the connection is, in words."""
        return "connected" if self.is_streaming else self._last_notice or f"looking for {self._what}"

    # ---- Source ----

    async def __aenter__(self) -> Supervisor:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="link supervisor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._calls.cancel()

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Give frames and answers as they come, for ever; an error of the program itself is raised here."""
        if self._task is None:
            raise RuntimeError("the source is not open: use it with `async with`")
        self._task.add_done_callback(lambda _task: self._has_items.set())
        while True:
            while self._items:
                yield self._items.popleft()
            if self._task.done():
                self._task.result()
                return
            self._has_items.clear()
            await self._has_items.wait()

    async def send(self, command: bytes, /) -> None:
        """Hand over a packed command (with a checksum); command_queue.py says what becomes of it."""
        _, opcode, _, payload = wire.open_command(command)
        self._commands.put(opcode, payload, can_play=self.is_streaming)

    # ---- the task ----

    async def _run(self) -> None:
        while True:
            try:
                await self._scan_and_connect()
            except LinkError as error:
                await self._backoff(error)

    async def _scan_and_connect(self) -> None:
        """Find boards and serve the first one that is ours; leaves by LinkError only."""
        found = await self._calls.limited_call(
            self._connector.find(), FIND_S, "looking for boards takes too long"
        )
        if not found:
            raise LinkError(Trouble.ABSENT, f"looking for {self._what}: switch it on and bring it near")
        trouble = LinkError(Trouble.ABSENT, f"looking for {self._what}: only boards near that are not yours")
        raise await self._visits.run(self._visits.in_order(found), self._serve_board, trouble)

    async def _serve_board(self, address: str) -> None:
        """One connection from its beginning to its end; leaves by LinkError only."""
        connection = await self._calls.connect(self._connector, address, CONNECT_S)
        since_s = self._clock()
        try:
            await self._converse(connection)
        finally:
            if self._visits.is_winner(asyncio.current_task()):
                if self.is_streaming and self._clock() - since_s >= STEADY_S:
                    self._tries.clear()
                self.is_streaming = False
            await self._calls.close(connection, CLOSE_S)

    # ---- one connection ----

    async def _converse(self, connection: Connection) -> None:
        peer = BoardConnection(
            connection.write_ctrl,
            self._keys,
            is_cable=connection.is_cable,
            may_take_over=self._may_take_over,
            now_s=self._now_s,
        )
        heard = LinkLiveness(self._clock())
        loop = asyncio.get_running_loop()
        stream = await self._calls.limited_call(
            connection.notifications(), SUBSCRIBE_S, "subscribing takes too long"
        )
        listening = loop.create_task(self._listen(stream, peer, heard))
        talking = loop.create_task(self._run_protocol(connection, peer, heard, asyncio.current_task()))
        try:
            await asyncio.wait([listening, talking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (listening, talking):
                task.cancel()
                self._calls.adopt(task)
        for task in (talking, listening):
            if task.done():
                result_of(task)
        raise LinkError(Trouble.LOST, "the connection ended")

    def _may_take_over(self, open_s: int) -> bool:
        """Tell whether to end the session that holds the board: on request once, and always if it is our own."""
        if self._take_over:
            return True
        return self._opened_s is not None and abs(self._clock() - open_s - self._opened_s) <= SAME_S

    async def _listen(
        self, stream: AsyncIterator[tuple[str, bytes]], peer: BoardConnection, heard: LinkLiveness
    ) -> None:
        async for where, data in stream:
            for item in peer.feed(where, data):
                if isinstance(item, Reply):
                    self._put_reply(item)
                    continue
                heard.frame_s = self._clock()
                self._commands.note_frame()
                if not item.is_backfill:
                    heard.live_s = heard.frame_s
                self._put(item.data)

    async def _run_protocol(
        self,
        connection: Connection,
        peer: BoardConnection,
        heard: LinkLiveness,
        visit: asyncio.Task[None] | None,
    ) -> None:
        """Prove the key, start the stream, then pass commands on and watch for silence."""
        info = b""
        if not connection.is_cable:
            info = await self._calls.limited_call(
                connection.read_info(), INFO_S, "the board does not say who it is"
            )
        await peer.open(info)
        self._visits.claim(visit)
        self._commands.clear()
        self._opened_s = self._clock()
        self._take_over = False  # otherwise two hosts would keep evicting each other
        if peer.known is not None:
            self._keys = (peer.known,)  # from now on this one, and no other
        await self._meet(connection, peer, heard)
        await peer.start(self._frame_type, _SAMPLES)
        self._put_reply(await peer.ask(wire.OP_BOOTS))
        self.connections += 1
        self.is_streaming = True
        heard.live_s = heard.frame_s = self._clock()
        self._report_connected(peer)
        passing = asyncio.get_running_loop().create_task(self._commands.send_all(peer))
        try:
            await self._tend_keys(peer)
            await self._watch_over(connection, peer, heard, passing)
        finally:
            passing.cancel()
            self._calls.adopt(passing)

    async def _meet(self, connection: Connection, peer: BoardConnection, heard: LinkLiveness) -> None:
        """Ask who it is and, where its clock is not known, for its time."""
        identity = await peer.identity()
        self._put_reply(identity)
        hello = read_hello(identity.body)
        await peer.tell_mtu(hello, connection.mtu)
        if hello.boot != self._pinged_boot:  # or the clock is known, and frames come first
            for _ in range(PINGS):
                self._put_reply(await peer.ping())
            self._pinged_boot, heard.pings_due = hello.boot, 0

    async def _tend_keys(self, peer: BoardConnection) -> None:
        if self._key_care is None or peer.known is None:
            return
        if line := await self._key_care.tend(peer):
            self._report(line)
        self._keys = (peer.known,)

    async def _watch_over(
        self, connection: Connection, peer: BoardConnection, heard: LinkLiveness, passing: asyncio.Task[None]
    ) -> None:
        """Ping now and then; LinkError when the link is dead."""
        pinged_s = at_s = self._clock()
        every_s = CABLE_PING_S if connection.is_cable else PING_EVERY_S
        while True:
            await asyncio.wait([passing], timeout=TICK_S)
            if passing.done():
                passing.result()
            now_s = self._clock()
            if now_s - at_s > SLEPT_S:
                line = f"the computer slept for {_minutes(now_s - at_s)}: connecting again"
                self._report(line)
                raise LinkError(Trouble.LOST, line)
            at_s = now_s
            if now_s - heard.frame_s >= IDLE_S:
                raise LinkError(Trouble.LOST, f"no data for {IDLE_S:g} s: connecting again")
            is_silent = now_s - heard.live_s >= SILENT_S - 1.0
            if is_silent and now_s - heard.answered_s >= SILENT_S - 1.0:
                self._put_reply(await peer.ping(tries=1))  # 1 s: a board whose sensor is silent answers
                heard.answered_s = self._clock()
            elif heard.pings_due or now_s - pinged_s >= every_s:
                pinged_s, heard.pings_due = now_s, max(heard.pings_due - 1, 0)
                self._put_reply(await peer.ping())

    def _now_s(self) -> float:
        """The clock of received_s."""
        return self._clock() - self._start_s

    def _put(self, data: bytes) -> None:
        """Queue a frame or an answer with its time, which never goes back."""
        if len(self._items) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._last_s = max(self._last_s, self._now_s())
        self._items.append(Chunk(self._last_s, data))
        self._has_items.set()

    def _put_reply(self, reply: Reply) -> None:
        self._put(reply.pack())

    async def _backoff(self, error: LinkError) -> None:
        """Report what is wrong once, and wait as long as its class of trouble needs."""
        tries = self._tries[error.trouble] = self._tries.get(error.trouble, 0) + 1
        if error.trouble is not Trouble.LOST or tries >= _REPORT_LOST_AFTER:
            self._report(str(error) if error.trouble is not Trouble.LOST else f"{error}; trying again")
        first_s, most_s = WAITS_S[error.trouble]
        await asyncio.sleep(min(first_s * 2 ** min(tries - 1, 10), most_s))

    def _report_connected(self, peer: BoardConnection) -> None:
        name = peer.known.name if peer.known is not None else "a board without a key, by its cable"
        if self._last_notice or self.connections == 1:
            self._report(f"connected to {name}")
        self._last_notice = ""

    def _report(self, line: str) -> None:
        if line != self._last_notice:
            self._last_notice = line
            self.on_notice(line)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
