"""A running session is asked by other programs: who can ask, what it answers, and what a killed one leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from live.feed import commands, demo_frames, of, session
from tiltwise.errors import AppError
from tiltwise.link.commands import Acknowledger, Pattern
from tiltwise.live.control import control_place
from tiltwise.live.control.control_client import ask, running
from tiltwise.live.control.control_messages import Answer, Asked, Question, RunningStatus
from tiltwise.live.control.control_place import (
    ControlPlace,
    NobodyAnswersError,
    PlaceTakenError,
    place_of,
    places_in,
)
from tiltwise.live.control.control_server import ControlServer
from tiltwise.live.control.running_session import Control, RunningSession
from tiltwise.live.wearer.live_events import LiveEvents, PostureMeasured
from tiltwise.types import Activity

FACTS = RunningStatus(1, 0.0, "sim:desk", "anna", "/days", "simulated", "simulated")
KINDS = pytest.mark.parametrize("is_socket", [True, False], ids=["socket", "port"])
posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes of files are a POSIX matter")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder, for this test alone."""
    path = tmp_path / "run"
    monkeypatch.setattr(control_place, "runtime_folder", lambda: path)
    return path


@pytest.fixture
def place(folder: Path, tmp_path: Path, is_socket: bool) -> ControlPlace:
    """Where one store is asked."""
    return place_of(tmp_path, tmp_path / "anna", is_socket=is_socket)


async def echo(question: Question) -> Answer:
    """Answer with what was asked for in the field for words."""
    return Answer(
        RunningStatus(1, 0.0, "sim:", "", "", "", question.ask.value, snooze_left_s=question.seconds)
    )


def served(place: ControlPlace, use: Callable[[ControlServer], Awaitable[None]]) -> None:
    """Use a server that echoes."""

    async def main() -> None:
        async with ControlServer(place, echo) as server:
            await use(server)

    asyncio.run(main())


@KINDS
def test_two_programs_at_once_each_get_their_own_answers(place: ControlPlace) -> None:
    async def use(server: ControlServer) -> None:
        assert server.trouble == ""
        asked = [asyncio.to_thread(ask, place, Question(Asked.SNOOZE, n)) for n in range(20)]
        assert [status.snooze_left_s for status in await asyncio.gather(*asked)] == list(range(20))

    served(place, use)
    with pytest.raises(NobodyAnswersError):
        ask(place, Question(Asked.STATUS))
    assert list(place.path.parent.iterdir()) == []


@KINDS
def test_lines_without_sense_are_refused_and_the_next_is_answered(place: ControlPlace) -> None:
    async def use(_: ControlServer) -> None:
        connection, secret = place.call()
        connection.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=connection)
        good = {"ask": "status", "secret": secret}
        for line in (
            b"{",
            b"[]",
            b'{"ask": "reboot"}',
            json.dumps({**good, "seconds": -1}).encode(),
            b"\xff",
        ):
            writer.write(line + b"\n")
            assert "not a question" in json.loads(await reader.readline())["error"]
        writer.write(json.dumps(good).encode() + b"\n")
        assert json.loads(await reader.readline())["status"]["link"] == "status"
        writer.write(b"x" * 200_000 + b"\n")
        with contextlib.suppress(ConnectionResetError):  # a line beyond all length ends the connection
            assert await reader.read() == b""
        writer.close()
        assert (await asyncio.to_thread(ask, place, Question(Asked.STATUS))).link == "status"

    served(place, use)


@pytest.mark.parametrize("is_socket", [False])
def test_a_port_answers_only_who_knows_the_secret(place: ControlPlace) -> None:
    async def use(_: ControlServer) -> None:
        note = json.loads(place.path.read_text())
        place.path.write_text(json.dumps({**note, "secret": "guessed"}))
        with pytest.raises(AppError, match="the secret is wrong"):
            await asyncio.to_thread(ask, place, Question(Asked.STATUS))

    served(place, use)


@KINDS
def test_the_second_server_of_a_store_says_so_and_leaves_the_first_alone(place: ControlPlace) -> None:
    async def use(_: ControlServer) -> None:
        with pytest.raises(PlaceTakenError):
            await asyncio.to_thread(place.listen)
        assert (await asyncio.to_thread(ask, place, Question(Asked.STATUS))).link == "status"

    served(place, use)


@KINDS
def test_what_a_killed_program_left_behind_is_nobody_and_makes_room(place: ControlPlace) -> None:
    listening, _ = place.listen()
    listening.close()  # as the system does for a killed program: its file stays
    assert place.path.exists()
    with pytest.raises(NobodyAnswersError):
        ask(place, Question(Asked.STATUS))

    async def use(server: ControlServer) -> None:
        assert server.trouble == ""
        assert (await asyncio.to_thread(ask, place, Question(Asked.STATUS))).link == "status"

    served(place, use)


@posix
@KINDS
def test_only_the_owner_can_open_it(place: ControlPlace) -> None:
    listening, _ = place.listen()
    with listening:
        assert place.path.stat().st_mode & 0o777 == 0o600
        assert place.path.parent.stat().st_mode & 0o777 == 0o700


@posix
@KINDS
def test_a_folder_that_others_can_write_is_not_used(place: ControlPlace, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    with pytest.raises(PermissionError, match="not a folder of yours alone"):
        place.listen()

    async def use(server: ControlServer) -> None:
        assert "do not reach this one" in server.trouble

    served(place, use)


def test_a_store_has_a_place_of_its_own_and_is_found_by_its_data_folder(folder: Path, tmp_path: Path) -> None:
    anna, bo = (place_of(tmp_path / "data", tmp_path / "data" / name) for name in ("anna", "bo"))
    elsewhere = place_of(tmp_path / "other", tmp_path / "data" / "anna")
    assert len({anna, bo, elsewhere}) == 3
    assert len(str(anna.path)) - len(str(folder)) < 40, "the path of a socket has room for about 100 bytes"
    for place in (anna, bo, elsewhere):
        place.listen()[0].close()
    assert set(places_in(tmp_path / "data")) == {anna, bo}
    assert set(places_in(tmp_path / "data" / "anna")) == {anna, elsewhere}, "by its store too"
    assert running(tmp_path / "data") == [], "both were killed"


def test_a_program_that_hangs_is_not_waited_for(folder: Path, tmp_path: Path) -> None:
    place = place_of(tmp_path, tmp_path)
    listening, _ = place.listen()

    class Hurried(ControlPlace):
        def call(self, limit_s: float = 0.0) -> tuple[socket.socket, str]:
            del limit_s
            return super().call(0.01)

    with listening, pytest.raises(AppError, match="has not answered for 15 s: it is stopped"):
        ask(Hurried(place.path), Question(Asked.STATUS))


def test_a_session_says_how_it_is_and_snoozes_on_both_sides(demo_folder: Path, tmp_path: Path) -> None:
    live = session()
    asked = RunningSession(live, Control(ControlPlace(tmp_path / "x"), FACTS, lambda: "connected"))
    before, _ = asked.answer(Question(Asked.STATUS), 0.0)
    assert before.status is not None
    assert (before.status.activity, before.status.last_sample_s) == ("", None)
    refused, nothing = asked.answer(Question(Asked.RECALIBRATE), 0.0)
    assert (refused.status, nothing) == (None, ())
    assert "calibrating for the first time already" in refused.error
    brought: list[LiveEvents] = []
    for t_s, frame in demo_frames(demo_folder):
        brought.append(live.receive(t_s, frame))
        asked.take(t_s, brought[-1])
    answer, _ = asked.answer(Question(Asked.STATUS), t_s + 7.0)
    status = answer.status
    assert status is not None
    assert status.link == "connected"
    assert Activity(status.activity) in (Activity.STILL, Activity.MOVING)
    assert status.posture_deg == pytest.approx(of(PostureMeasured, brought)[-1].angle_deg, abs=0.05)
    assert status.last_sample_s == pytest.approx(7.0, abs=0.3)
    assert (status.alerts, status.held_back, status.calibration_step) == (1, 0, "done")
    assert status.battery_percent == 66
    answer, events = asked.answer(Question(Asked.SNOOZE, 1800), t_s)
    assert answer.status is not None
    assert answer.status.snooze_left_s == 1800
    assert commands(events) == [Acknowledger().silence(1800, 0, 0), Acknowledger().motor(Pattern.STOP)]
    answer, events = asked.answer(Question(Asked.SNOOZE, 0), t_s + 1.0)
    assert answer.status is not None
    assert answer.status.snooze_left_s == 0
    assert commands(events) == [Acknowledger().silence(0, 0, 0)]
    again, _ = asked.answer(Question(Asked.RECALIBRATE), t_s)
    assert again.status is not None
    assert again.status.is_calibrating
    live.finish()
