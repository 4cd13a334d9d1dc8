"""What a board says of itself in STATUS becomes plain lines, each told once."""

from __future__ import annotations

import dataclasses

import pytest

from decode import frame_builders
from live.feed import play, session
from tiltwise.common import wire
from tiltwise.common.frame import frame_sizes, read_frame
from tiltwise.decode.messages import BoardEvent, Status, read_status
from tiltwise.live.board_status import BoardWatch
from tiltwise.live.event_text import lines_of

QUIET = (0,) * 8
CONDITIONS = {name: bit for name, bit in vars(wire).items() if name.startswith("CONDITION_")}


def status(uptime_s: int = 100, *, conditions: int = 0, boot: int = 7, **more: int) -> Status:
    frame = frame_builders.status_frame(1, 0, boot=boot, conditions=conditions, counts=QUIET)
    told = read_status(read_frame(frame), 0.0)
    return dataclasses.replace(told, uptime_s=uptime_s, **more)


def test_a_board_without_trouble_says_nothing() -> None:
    watch = BoardWatch()
    assert [line for k in range(9) for line in watch.process(status(5 * k, sensor=k % 2))] == []


def test_what_happened_before_somebody_listened_is_told_once() -> None:
    watch = BoardWatch()
    lines = watch.process(status(hostile_commands=12, flash_faults=1, wrong_proofs=65_535))
    assert lines == [
        "somebody failed to prove the board's key 65535 or more times since it started",
        "the board was sent commands that were not ours (damaged, forged or replayed) 12 times since it started",
        "a place in the board's memory for minutes was damaged or could not be written once since it started",
    ]
    # From now on the board tells of these in events, and both sensors' STATUS count the same.
    assert watch.process(status(hostile_commands=12, flash_faults=1, wrong_proofs=65_535, sensor=1)) == []
    assert watch.process(status(105, hostile_commands=50, flash_faults=9)) == []


def test_what_has_no_event_is_told_again_when_it_has_doubled() -> None:
    watch = BoardWatch()
    told = [bool(watch.process(status(5 * k, unproved_peers=k))) for k in range(9)]
    assert [k for k, is_told in enumerate(told) if is_told] == [1, 2, 4, 8]


@pytest.mark.parametrize(("name", "bit"), CONDITIONS.items())
def test_every_condition_has_words_and_names_the_sensor_if_it_is_one_s(name: str, bit: int) -> None:
    (first,) = BoardWatch().process(status(conditions=bit))
    (second,) = BoardWatch().process(status(conditions=bit, sensor=1))
    is_of_sensor = name.startswith(("CONDITION_SENSOR", "CONDITION_SATURATED", "CONDITION_POOR"))
    assert ("second" in second) == is_of_sensor
    assert first.isprintable()
    assert len(first) < 100


def test_a_sensor_that_is_missing_later_is_told_and_the_other_one_is_no_news() -> None:
    watch = BoardWatch()
    assert watch.process(status(5)) == []
    assert watch.process(status(5, sensor=1)) == []
    bad = wire.CONDITION_SENSOR_MISSING | wire.CONDITION_FLASH_BAD
    assert len(watch.process(status(10, conditions=wire.CONDITION_FLASH_BAD))) == 1
    assert len(watch.process(status(10, conditions=bad, sensor=1))) == 1
    assert watch.process(status(15, conditions=bad, sensor=1)) == []
    assert watch.process(status(15)) == []
    assert len(watch.process(status(20, conditions=wire.CONDITION_FLASH_BAD))) == 1  # again


def test_status_that_was_fetched_late_is_no_news_and_a_new_boot_is() -> None:
    watch = BoardWatch()
    bad = wire.CONDITION_SETTINGS_BAD
    assert len(watch.process(status(100, conditions=bad, refused_hosts=1))) == 2
    assert watch.process(status(50, conditions=bad | wire.CONDITION_KEY_BAD)) == []
    assert len(watch.process(status(5, conditions=bad, boot=8))) == 1


def test_a_board_of_minor_0_says_nothing_of_this_kind() -> None:
    frame = bytearray(frame_builders.status_frame(1, 0)[: frame_sizes(wire.STATUS)[0]])
    wire.seal(frame, len(frame))
    assert BoardWatch().process(read_status(read_frame(bytes(frame)), 0.0)) == []


def test_events_of_strangers_and_faults_have_words() -> None:
    codes = (
        *(wire.EVENT_HOSTILE, wire.EVENT_AUTH_FAILED, wire.EVENT_LINK_STALL, wire.EVENT_RADIO_RESTART),
        *(wire.EVENT_FLASH_FAULT, wire.EVENT_STUCK, wire.EVENT_SETTINGS_BAD, wire.EVENT_SAFE_MODE),
        wire.EVENT_POOR_SENSOR,
    )
    lines = lines_of(tuple(BoardEvent(0.0, code, 3) for code in codes))
    assert len(lines) == len(codes)
    assert not any("the board reports event" in text for _, text in lines)


def test_a_session_says_once_what_its_board_finds_wrong() -> None:
    told = {"conditions": wire.CONDITION_SETTINGS_BAD, "counts": (0, 0, 12, 0, 0, 0, 0, 0)}
    frames = [
        frame_builders.info_frame(0),
        *(frame_builders.status_frame(1 + k, 50_000 * k, **told) for k in range(4)),
    ]
    updates = play(session(), [(5.0 * k, frame) for k, frame in enumerate(frames)])
    lines = [text for update in updates for style, text in lines_of(update) if style == "warn"]
    assert lines == [
        "the board's settings were damaged: it uses defaults until they are set again",
        "the board was sent commands that were not ours (damaged, forged or replayed) 12 times since it started",
    ]
