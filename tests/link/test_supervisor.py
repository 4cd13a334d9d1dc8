"""The supervisor against the real firmware's sessions and radio in virtual time, through every fault of a link.

Rows of the fault catalogue (reliability study, section F) and the test that holds each:

    drop, duplicate, reorder, doubled callbacks, bit flip    test_frames_on_a_bad_link_...
    MTU 23/185/247/517                                       test_any_mtu_...
    CCCD lost                                                test_data_that_stops_while_the_board_answers_...
    connect hang, subscribe hang, INFO hang, write hang      test_what_hangs_...
    disconnect hang 120 s                                    test_a_close_that_hangs_...
    missing disconnect callback, silent link                 test_a_silent_link_...
    disconnect storm                                         test_a_storm_...
    adapter off/on                                           test_trouble_is_said_once_...
    suspend 1 min / 8 h                                      test_suspend_...
    two hosts at once                                        test_a_second_host_...
    USB unplug mid-frame                                     test_serial.py
    tag wrong, stale session, replay, spoofed board          test_board_connection.py
"""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from link.linked_board import OTHERS, OURS, BoardConnector, Faults, living
from radio_bench import BOOT, Board
from tiltwise.common import wire
from tiltwise.common.frame import open_frame
from tiltwise.link.board_connection import PINGS
from tiltwise.link.command_queue import MOTOR_S
from tiltwise.link.commands import CREDITS, Acknowledger, Pattern
from tiltwise.link.supervisor import CONNECT_S, SILENT_S, Supervisor
from tiltwise.link.transport import Candidate, LinkError, Trouble
from tiltwise.link.visits import Visits
from tiltwise_lab.radio.virtual_time import run_virtually


class Host:
    """Takes what the supervisor gives, acknowledges it, and asks for what is missing, as a session does."""

    def __init__(self, supervisor: Supervisor, *, is_acking: bool = True) -> None:
        self.supervisor, self.is_acking = supervisor, is_acking
        self.seqs: list[int] = []
        self.live_at_s: list[float] = []
        self.replies: list[tuple[int, bytes]] = []
        self.notices: list[str] = []
        supervisor.on_notice = self.notices.append
        self._acked = -1
        self._asked_s = 0.0

    async def run(self) -> None:
        async with self.supervisor:
            async for chunk in self.supervisor.chunks():
                if wire.is_frame(chunk.data):
                    await self._frame(chunk.data)
                else:
                    await self._reply(chunk.data)

    async def _frame(self, frame: bytes) -> None:
        seq = open_frame(frame)[3]
        self.seqs.append(seq)
        if not frame[1] & wire.FLAG_BACKFILL:
            self.live_at_s.append(asyncio.get_running_loop().time())
        if self.is_acking and len(self.seqs) % 5 == 0:
            await self._acknowledge()

    async def _acknowledge(self) -> None:
        have = set(self.seqs)
        while self._acked + 1 in have:
            self._acked += 1
        newest = max(have)
        ack = (
            (self._acked, newest - self._acked + CREDITS)
            if self._acked >= 0
            else (wire.NOTHING_STORED, CREDITS)
        )
        await self.command(wire.OP_ACK, struct.pack("<HIH", BOOT, *ack))
        missing = next((k for k in range(self._acked + 1, newest - 4) if k not in have), None)
        now_s = asyncio.get_running_loop().time()
        if missing is not None and now_s - self._asked_s > 3:
            self._asked_s = now_s
            await self.command(wire.OP_GET, struct.pack("<HII", BOOT, missing, newest))

    async def _reply(self, data: bytes) -> None:
        _, opcode, _, payload = wire.open_command(data)
        self.replies.append((opcode & ~wire.REPLY, payload))

    async def command(self, opcode: int, payload: bytes) -> None:
        await self.supervisor.send(wire.pack_command(0x20, opcode, 0, payload))


def linked(
    faults: Faults | None = None,
    *,
    keys: tuple[Any, ...] = (OURS,),
    mtu: int = 247,
    ring: int = 400,
    **kwargs: Any,
) -> tuple[Host, BoardConnector]:
    board = Board(frames=ring)
    connector = BoardConnector(board, faults or Faults(), mtu=mtu)
    clock = kwargs.pop("clock", lambda: asyncio.get_running_loop().time())
    return Host(Supervisor(connector, keys, clock=clock, **kwargs)), connector


def play(
    make: Callable[[], tuple[Host, BoardConnector]],
    story: Callable[[Host, BoardConnector], Coroutine[Any, Any, None]],
) -> tuple[Host, BoardConnector]:
    """Run a story beside host and board, in virtual time."""

    async def main() -> tuple[Host, BoardConnector]:
        host, connector = make()
        async with living(connector):
            task = asyncio.get_running_loop().create_task(host.run())
            await story(host, connector)
            assert not task.done(), task.exception() if not task.cancelled() else "cancelled"
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return host, connector

    return run_virtually(main())


async def until(condition: Callable[[], bool], most_s: float) -> float:
    """Wait for something; return how long it took."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    while not condition():
        assert loop.time() - start_s < most_s, "it does not happen"
        await asyncio.sleep(0.05)
    return loop.time() - start_s


def is_whole(host: Host) -> bool:
    return bool(host.seqs) and set(host.seqs) == set(range(max(host.seqs) + 1))


def test_it_connects_proves_streams_and_tells_who_it_is() -> None:
    async def story(host: Host, _: BoardConnector) -> None:
        await asyncio.sleep(10)

    host, connector = play(linked, story)
    assert host.notices == ["connected to back"]
    opcodes = [opcode for opcode, _ in host.replies[: PINGS + 2]]
    assert opcodes == [wire.OP_HELLO, *[wire.OP_PING] * PINGS, wire.OP_BOOTS]
    assert host.replies[0][1].endswith(OURS.device_id)
    assert len(host.live_at_s) > 40
    assert connector.made == 1


def test_what_is_said_is_secret() -> None:
    heard: list[bytes] = []

    async def story(host: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(10)
        heard.extend(connector.open[0].frames)

    host, _ = play(linked, story)
    assert len(host.live_at_s) > 40
    assert len(heard) > 40
    assert {frame[0] for frame in heard} == {wire.SEALED_FRAME}


@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
def test_any_mtu_carries_everything(mtu: int) -> None:
    async def story(host: Host, _: BoardConnector) -> None:
        await asyncio.sleep(20)

    host, _ = play(lambda: linked(mtu=mtu), story)
    assert len(host.seqs) > 80
    assert host.supervisor.connections == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mtu", [23, 247])
def test_frames_on_a_bad_link_all_arrive_in_the_end(seed: int, mtu: int) -> None:
    faults = Faults(seed)
    faults.doubled, faults.drop, faults.damage = True, 0.05, 0.03
    faults.reorder = 0 if mtu == 23 else 3  # pieces of a frame that change places are a lost frame

    async def story(host: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(60)
        faults.doubled, faults.drop, faults.damage, faults.reorder = False, 0, 0, 0
        await until(lambda: is_whole(host) and len(host.seqs) > 250, 30)

    host, _ = play(lambda: linked(faults, mtu=mtu), story)
    assert host.supervisor.connections == 1, "a bad link is no reason to connect anew"


@pytest.mark.parametrize("what", ["connect_hangs", "info_hangs", "subscribe_hangs", "write_hangs"])
def test_what_hangs_is_given_up_and_tried_anew(what: str) -> None:
    faults = Faults()
    setattr(faults, what, True)

    async def story(host: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(CONNECT_S + 10)
        assert not host.live_at_s
        setattr(faults, what, False)
        await until(lambda: bool(host.live_at_s), CONNECT_S + 10)

    play(lambda: linked(faults), story)


def test_a_close_that_hangs_two_minutes_does_not_keep_it_from_connecting() -> None:
    faults = Faults()
    faults.close_hangs = True

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.live_at_s) > 10, 10)
        connector.cut()
        n = len(host.live_at_s)
        assert await until(lambda: len(host.live_at_s) > n, 20) < 10

    play(lambda: linked(faults), story)


@pytest.mark.parametrize("fault", ["is_silent", "no_callback"])
def test_a_silent_link_is_left_after_three_seconds(fault: str) -> None:
    faults = Faults()

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.live_at_s) > 10, 10)
        setattr(faults, fault, True)
        if fault == "no_callback":
            connector.cut()
        await until(lambda: not host.supervisor.is_streaming, SILENT_S + 0.5)
        setattr(faults, fault, False)
        n = len(host.live_at_s)
        assert await until(lambda: len(host.live_at_s) > n, 20) < 5

    play(lambda: linked(faults), story)


def test_data_that_stops_while_the_board_answers_is_subscribed_anew() -> None:
    faults = Faults()

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.live_at_s) > 10, 10)
        faults.data_lost = True
        await until(lambda: not host.supervisor.is_streaming, 13)
        faults.data_lost = False
        await until(lambda: host.supervisor.connections == 2 and is_whole(host), 20)

    play(lambda: linked(faults), story)


@pytest.mark.parametrize("seed", range(2))
def test_a_storm_of_disconnects_loses_nothing_within_the_ring(seed: int) -> None:
    faults = Faults(seed)
    faults.drop = 0.03

    async def story(host: Host, connector: BoardConnector) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + 200
        while loop.time() < end_s:
            await asyncio.sleep(faults.rng.uniform(0.1, 5))
            connector.cut()
            connector.in_range = faults.rng.random() < 0.7
        connector.in_range, faults.drop = True, 0
        await until(lambda: is_whole(host) and max(host.seqs) > 1000, 90)

    host, connector = play(lambda: linked(faults, ring=4000), story)
    assert connector.board.frames.main.lost == 0
    assert host.supervisor.connections > 10


def test_a_fade_of_one_second_is_over_in_three() -> None:
    times: list[float] = []

    async def story(host: Host, connector: BoardConnector) -> None:
        for _ in range(8):
            await asyncio.sleep(12)
            n = len(host.live_at_s)
            connector.in_range = False
            connector.cut()
            await asyncio.sleep(1)
            connector.in_range = True
            times.append(await until(lambda n=n: len(host.live_at_s) > n, 20))  # type: ignore[misc]

    play(linked, story)
    assert sorted(times)[4] < 3
    assert max(times) < 10


@pytest.mark.parametrize(
    "trouble", [Trouble.TURNED_OFF, Trouble.MISSING, Trouble.DENIED], ids=lambda trouble: trouble.name
)
def test_trouble_is_said_once_and_over_by_itself(trouble: Trouble) -> None:
    faults = Faults()
    faults.find_error = LinkError(trouble, "a clear line: do this")

    async def story(host: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(120)
        assert host.notices == ["a clear line: do this"]
        faults.find_error = None
        await until(lambda: bool(host.live_at_s), 40)
        assert host.notices == ["a clear line: do this", "connected to back"]

    play(lambda: linked(faults), story)


def test_looking_for_a_board_that_is_away_is_said_once() -> None:
    async def story(host: Host, connector: BoardConnector) -> None:
        connector.in_range = False
        await asyncio.sleep(60)
        assert len(host.notices) == 1
        assert "looking for the board" in host.notices[0]
        connector.in_range = True
        await until(lambda: bool(host.live_at_s), 5)

    play(linked, story)


@pytest.mark.parametrize("asleep_s", [60.0, 8 * 3600.0])
def test_suspend_is_noticed_at_once_and_said(asleep_s: float) -> None:
    jump = [0.0]

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.live_at_s) > 10, 10)
        jump[0] = asleep_s
        await until(lambda: host.supervisor.connections == 2, 5)
        assert any("slept for" in line for line in host.notices)

    play(lambda: linked(clock=lambda: asyncio.get_running_loop().time() + jump[0]), story)


def test_a_second_host_hears_who_holds_the_board_and_takes_over_on_request_once() -> None:
    async def main() -> None:
        first, connector = linked()
        clock = asyncio.get_running_loop().time
        polite = Host(Supervisor(connector, (OURS,), clock=clock))
        greedy = Host(Supervisor(connector, (OURS,), clock=clock, take_over=True))
        async with living(connector):
            tasks = [asyncio.get_running_loop().create_task(first.run())]
            await until(lambda: len(first.live_at_s) > 20, 10)
            tasks.append(asyncio.get_running_loop().create_task(polite.run()))
            await until(lambda: bool(polite.notices), 10)
            assert "holds back" in polite.notices[0]
            assert "--takeover" in polite.notices[0]
            assert not polite.live_at_s
            assert first.supervisor.connections == 1
            tasks.append(asyncio.get_running_loop().create_task(greedy.run()))
            await until(lambda: len(greedy.live_at_s) > 10, 15)
            await asyncio.sleep(30)
            assert greedy.supervisor.connections == 1, "two who take over from each other do so for ever"
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run_virtually(main())


def test_our_own_session_that_the_board_still_holds_is_no_second_host() -> None:
    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.live_at_s) > 20, 10)
        connection = connector.open[0]
        connector.open.clear()  # we lose it, the board has not noticed
        connection.is_connected = False
        connection._came.put_nowait(None)
        assert await until(lambda: host.supervisor.connections == 2, 10) < 3
        assert not any("holds" in line for line in host.notices)

    play(linked, story)


def test_a_board_with_another_key_is_refused_and_named() -> None:
    async def story(host: Host, connector: BoardConnector) -> None:
        await asyncio.sleep(30)
        assert len({line for line in host.notices if "other" in line}) == 1
        assert not host.seqs
        assert connector.board.sessions.wrong_proofs == 0, "our proof is not told to strangers"

    play(lambda: linked(keys=(OTHERS,)), story)


def test_all_stored_keys_are_tried_in_one_connection() -> None:
    many = tuple(type(OTHERS)(bytes([k]) * 8, f"other{k}", bytes([k]) * 32) for k in range(1, 20))

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: bool(host.live_at_s), 5)
        assert connector.made == 1

    play(lambda: linked(keys=(*many, OURS)), story)


def test_a_consumer_that_sleeps_ten_seconds_loses_nothing() -> None:
    async def main() -> None:
        host, connector = linked()
        async with living(connector):
            hold = itertools.count()
            take = host._frame

            async def slow(frame: bytes) -> None:
                if next(hold) == 30:
                    await asyncio.sleep(10)
                await take(frame)

            host._frame = slow  # type: ignore[method-assign]
            task = asyncio.get_running_loop().create_task(host.run())
            await asyncio.sleep(40)
            await until(lambda: is_whole(host), 10)
            assert host.supervisor.connections == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtually(main())


# ---- the motor: now or never ----


def motor(strength: int = 0) -> bytes:
    return Acknowledger().motor(Pattern.STEP, strength)


class Ticks:
    """In place of the motor: when the firmware was asked for which strength."""

    def __init__(self, connector: BoardConnector, *, is_deaf_after: bool = False) -> None:
        self.played: list[tuple[float, int]] = []
        self._connector, self._is_deaf_after = connector, is_deaf_after
        connector.board.sessions.context.haptics = self

    def play(self, _pattern: int, strength: int) -> bool:
        self.played.append((asyncio.get_running_loop().time(), strength))
        self._connector.faults.is_silent = self._is_deaf_after
        return True


def motor_answers(host: Host) -> list[int]:
    return [payload[0] for opcode, payload in host.replies if opcode == wire.OP_MOTOR]


@pytest.mark.parametrize("away_s", [0.05, 0.3, 1.0, 3.0])
def test_a_tick_asked_for_while_the_link_is_down_or_coming_up_is_never_played_late(away_s: float) -> None:
    """Asked for every 50 ms across a loss: each is played at once, or answered as failed and never played."""
    ticks: list[Ticks] = []
    asked_s: list[float] = []

    async def story(host: Host, connector: BoardConnector) -> None:
        ticks.append(Ticks(connector))
        await asyncio.sleep(5)
        loop = asyncio.get_running_loop()
        connector.cut()
        connector.in_range = False
        back_s, end_s = loop.time() + away_s, loop.time() + away_s + 6
        while loop.time() < end_s:
            connector.in_range = loop.time() >= back_s
            asked_s.append(loop.time())
            await host.supervisor.send(motor(len(asked_s) - 1))
            await asyncio.sleep(0.05)
        await asyncio.sleep(5)

    host, _ = play(linked, story)
    played = ticks[0].played
    assert len(played) > 10, "it ticks again once the link is there"
    assert max(at_s - asked_s[k] for at_s, k in played) < MOTOR_S + 0.1
    assert len({k for _, k in played}) == len(played)
    answers = motor_answers(host)
    assert len(answers) == len(asked_s), "who waits hears of each"
    assert answers.count(wire.STATUS_OK) == len(played)
    assert answers.count(wire.STATUS_FAILED) > 0


def test_a_tick_behind_a_command_that_takes_long_is_not_played() -> None:
    ticks: list[Ticks] = []

    async def story(host: Host, connector: BoardConnector) -> None:
        ticks.append(Ticks(connector))
        await asyncio.sleep(5)
        connector.faults.is_silent = True  # the GET waits for its answer
        await host.command(wire.OP_GET, struct.pack("<HII", BOOT, 0, 1))
        await host.supervisor.send(motor())
        await asyncio.sleep(1.5)
        connector.faults.is_silent = False
        await asyncio.sleep(10)

    host, _ = play(linked, story)
    assert ticks[0].played == []
    assert motor_answers(host) == [wire.STATUS_FAILED]
    assert host.supervisor.connections == 1


def test_a_tick_whose_answer_is_lost_is_not_played_again() -> None:
    ticks: list[Ticks] = []

    async def story(host: Host, connector: BoardConnector) -> None:
        ticks.append(Ticks(connector, is_deaf_after=True))
        await asyncio.sleep(5)
        await host.supervisor.send(motor())
        await asyncio.sleep(1.5)
        connector.faults.is_silent = False
        await asyncio.sleep(5)

    host, _ = play(linked, story)
    assert len(ticks[0].played) == 1
    assert motor_answers(host) == [wire.STATUS_FAILED]
    assert host.supervisor.connections == 1


# ---- fake boards, and a board that waits for a word ----


class FakesConnector(BoardConnector):
    """The board among fakes, stronger and weaker ones, each new look with other addresses if they like."""

    def __init__(self, fakes: int, *, is_new_each_time: bool) -> None:
        super().__init__(Board(), Faults())
        self._fakes, self._is_new = fakes, is_new_each_time
        self.looks = self.most_at_once = self.at_once = 0

    async def find(self) -> Any:
        self.looks += 1
        ours = await super().find()
        names = [f"fake-{self.looks if self._is_new else 0}-{k}" for k in range(self._fakes)]
        found = [type(ours[0])(name) for name in names] if ours else []
        # Strong and weak are visited in turn: the one in the middle comes last.
        return [*found[::2], *ours, *found[1::2]]

    async def connect(self, address: str, /) -> Any:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if address.startswith("fake"):
                await asyncio.sleep(1e6)
            return await super().connect(address)
        finally:
            self.at_once -= 1


@pytest.mark.parametrize("is_new_each_time", [False, True])
def test_ten_fake_boards_delay_the_own_one_by_seconds(is_new_each_time: bool) -> None:
    """One after the other, 20 s each, it took 204 s."""
    loop = asyncio.get_running_loop
    connectors: list[FakesConnector] = []

    def make() -> tuple[Host, BoardConnector]:
        connectors.append(FakesConnector(10, is_new_each_time=is_new_each_time))
        clock = lambda: loop().time()  # noqa: E731
        return Host(Supervisor(connectors[0], (OURS,), clock=clock)), connectors[0]

    async def story(host: Host, _connector: BoardConnector) -> None:
        assert await until(lambda: len(host.seqs) > 5, 60) < 15

    play(make, story)
    assert 2 <= connectors[0].most_at_once <= 3


def test_made_up_addresses_do_not_fill_the_memory() -> None:
    visits = Visits(lambda: 0.0)
    for k in range(10_000):
        error = LinkError(Trouble.UNKNOWN_BOARD if k % 2 else Trouble.LOST, "not yours")
        visits.note_failure(f"fake-{k}", error)
    assert len(visits._unknown_boards) <= 64
    assert len(visits._failures) <= 64


def test_boards_that_failed_come_last_and_strong_and_weak_in_turn() -> None:
    visits = Visits(lambda: 0.0)
    found = [Candidate(name) for name in "abcde"]
    assert visits.in_order(found) == ["a", "e", "b", "d", "c"]
    visits.note_failure("a", LinkError(Trouble.LOST, "hangs"))
    visits.note_failure("e", LinkError(Trouble.UNKNOWN_BOARD, "not yours"))
    assert visits.in_order(found) == ["d", "b", "c", "a"]


def test_a_long_hole_is_fetched_faster_than_the_live_stream_comes() -> None:
    """Commands of the link itself open the board's window; the session's come once a second."""

    async def story(host: Host, connector: BoardConnector) -> None:
        await until(lambda: len(host.seqs) > 20, 30)
        connector.in_range = False
        connector.cut()
        await asyncio.sleep(60)
        connector.in_range = True
        back_s = asyncio.get_running_loop().time()
        await until(lambda: is_whole(host) and len(host.seqs) > 400, 60)
        assert asyncio.get_running_loop().time() - back_s < 25

    host, _ = play(lambda: linked(ring=800), story)
    assert is_whole(host)
