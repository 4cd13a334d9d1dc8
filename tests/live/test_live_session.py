"""A session from bytes to alerts: the ritual, one alert, thanks; and what it does when the disk refuses."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from live.feed import (
    SHORT,
    STARTED_S,
    Frames,
    acknowledged,
    commands,
    demo_frames,
    levels,
    of,
    play,
    session,
    stored_seqs,
    warnings,
)
from tiltwise.common.frame import unpack_header
from tiltwise.config.settings import AlertSetting, RuleKind, RuleSetting, Settings
from tiltwise.link.commands import CREDITS
from tiltwise.live.wearer.alerts import NoticeLevel
from tiltwise.live.wearer.live_events import Calibrated, Command
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.store.writer import Committed, Store, StoreError
from tiltwise.types import EpisodeAlert, EpisodeEnded, Event


@pytest.fixture(scope="module")
def frames(demo_folder: Path) -> Frames:
    """The demo's frames up to its exercise; alert at 88 s, corrected at 112 s."""
    return [(t_s, frame) for t_s, frame in demo_frames(demo_folder) if t_s < 175]


class Refusing(Store):
    """A store whose commits fail while `is_full`, as with a full disk."""

    is_full: Callable[[], bool] = staticmethod(lambda: False)

    def commit(self) -> Committed:
        if self.is_full():
            raise StoreError("cannot use core.db: the disk is full: free some space")
        return super().commit()


def test_the_story_of_the_demo_is_told(tmp_path: Path, frames: Frames) -> None:
    updates = play(session(tmp_path), frames)
    assert len(of(Calibrated, updates)) == 1
    (alert,) = of(EpisodeAlert, updates)
    assert alert.t_s - alert.start_s == pytest.approx(60, abs=0.2)  # the rule's seconds, on a 10 Hz grid
    assert levels(*updates) == [NoticeLevel.ALERT, NoticeLevel.THANKS]
    assert warnings(*updates) == []
    assert stored_seqs(tmp_path) == {unpack_header(frame)[3] for _, frame in frames}


def test_every_acknowledged_frame_was_committed_before(tmp_path: Path, frames: Frames) -> None:
    order: list[tuple[str, int]] = []

    class Noting(Store):
        def commit(self) -> Committed:
            done = super().commit()
            order.extend(("commit", seq) for seq in done.settled.values() if seq is not None)
            return done

    live = session(store=Noting(tmp_path, min_free_bytes=0))
    for t_s, frame in frames[:400]:
        for _, seq, _ in acknowledged(commands(live.receive(t_s, frame))):
            order.append(("ack", seq))
            assert stored_seqs(tmp_path) >= set(range(seq + 1)), (
                "acknowledged, but another reader does not see it"
            )
    acks = [k for k, (what, _) in enumerate(order) if what == "ack"]
    assert len(acks) > 50
    for k in acks:
        assert order[k - 1] == ("commit", order[k][1])
    live.finish()


def test_a_full_disk_stops_neither_alerts_nor_stream(tmp_path: Path, frames: Frames) -> None:
    now_s = 0.0
    store = Refusing(tmp_path, min_free_bytes=0)
    store.is_full = lambda: 30 <= now_s < 150  # from before the alert to after the correction
    live = session(store=store)
    told, given = [], []
    durable = -1
    for now_s, frame in frames:
        update = live.receive(now_s, frame)
        told += [(now_s, text) for text in warnings(update)]
        given += levels(update)
        for _, seq, credits in acknowledged(commands(update)):
            newest = unpack_header(frame)[3]
            if store.is_full():
                assert seq == durable or durable == -1, "acknowledged what was not committed"
            durable = seq
            assert seq + credits >= newest + CREDITS, "the board would stop sending"
    assert given == [NoticeLevel.ALERT, NoticeLevel.THANKS]
    (first_s, first), (last_s, last) = told
    assert "not stored" in first
    assert "alerts go on" in first
    assert first_s == pytest.approx(30, abs=2)
    assert "storing again" in last
    assert last_s == pytest.approx(150, abs=2)
    live.finish()
    assert live.unsaved == ""
    assert stored_seqs(tmp_path) == {unpack_header(frame)[3] for _, frame in frames}


def test_a_disk_full_to_the_end_is_said_and_nothing_more_is_acknowledged(
    tmp_path: Path, frames: Frames
) -> None:
    store = Refusing(tmp_path, min_free_bytes=0)
    live = session(store=store)
    for t_s, frame in frames[:200]:
        live.receive(t_s, frame)
    store.is_full = lambda: True
    told = [text for t_s, frame in frames[200:] for text in warnings(live.receive(t_s, frame))]
    assert len(told) == 1
    live.finish()
    assert "could not be stored" in live.unsaved
    assert "\n" not in live.unsaved


def test_a_recording_that_cannot_be_written_is_told_once_and_again_when_it_can(
    tmp_path: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tw"
    recorder = RecordingWriter(path, {})
    flush, is_full = RecordingWriter.flush, [False]

    def refuse(self: RecordingWriter) -> None:
        if is_full[0]:
            raise OSError(28, "cannot write the recording (No space left on device)", str(path))
        flush(self)

    monkeypatch.setattr(RecordingWriter, "flush", refuse)
    live = session(recorder=recorder)
    told, given = [], []
    for t_s, frame in frames:
        is_full[0] = 30 <= t_s < 150
        update = live.receive(t_s, frame)
        told += warnings(update)
        given += levels(update)
    live.finish()
    assert given == [NoticeLevel.ALERT, NoticeLevel.THANKS]
    assert len(told) == 2
    assert "a.tw" in told[0]
    assert "free some space" in told[0]
    assert "recording again" in told[1]
    assert live.unsaved == ""
    assert read_frames(path).frames == [frame for _, frame in frames]


def test_bad_bytes_are_counted_and_not_stored(tmp_path: Path, frames: Frames) -> None:
    live = session(tmp_path)
    for t_s, frame in frames[:50]:
        live.receive(t_s, frame)
    for junk in (
        b"",
        b"x",
        frames[50][1][:-3],
        bytes(200),
        bytes([frames[50][1][0] ^ 1, *frames[50][1][1:]]),
    ):
        update = live.receive(frames[50][0], junk)
        assert [event for event in update if not isinstance(event, Command)] == []
    live.finish()
    assert sum(live.decoder.stats.bad.values()) >= 4
    assert stored_seqs(tmp_path) == set(range(50))


def test_frames_that_come_twice_change_nothing(tmp_path: Path, frames: Frames) -> None:
    twice = [item for item in frames[:700] for _ in range(2)]
    once = of(Event, play(session(tmp_path / "a"), frames[:700]))
    again = of(Event, play(session(tmp_path / "b"), twice))
    assert again == once
    assert stored_seqs(tmp_path / "a") == stored_seqs(tmp_path / "b")


def test_a_lost_frame_stops_acknowledging_but_not_the_stream(tmp_path: Path, frames: Frames) -> None:
    live = session(tmp_path)
    last = (0, 0, 0)
    for t_s, frame in frames[:100] + frames[101:500]:
        last = (acknowledged(commands(live.receive(t_s, frame))) or [last])[-1]
    assert last[1] == 99
    assert last[1] + last[2] >= 499 - 10 + CREDITS, "credits end ten frames behind the newest at most"
    live.finish()


def test_the_rule_of_the_settings_decides(tmp_path: Path, frames: Frames) -> None:
    settings = replace(Settings(), rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=25, seconds=20))
    alert = of(EpisodeAlert, play(session(tmp_path, settings=settings), frames))[0]
    assert alert.t_s - alert.start_s == pytest.approx(20, abs=0.2)
    steep = replace(Settings(), rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=70, seconds=20))
    assert not of(EpisodeAlert, play(session(tmp_path / "b", settings=steep), frames))


def test_quiet_hours_hold_alerts_back_but_keep_the_episode(tmp_path: Path, frames: Frames) -> None:
    local = datetime.fromtimestamp(STARTED_S, UTC)
    assert local.hour == 6
    settings = replace(SHORT, alerts=AlertSetting(quiet_from="06:00", quiet_to="07:00", first_quiet_min=0.0))
    live = session(tmp_path, settings=settings)
    updates = play(live, frames)
    assert levels(*updates) == []
    assert live.alerts.held_back == 1
    ended = of(EpisodeEnded, updates)
    assert sum(e.alert_s is not None for e in ended) == 1


def test_what_is_open_at_the_end_is_closed(tmp_path: Path, frames: Frames) -> None:
    updates = play(session(tmp_path), [(t_s, frame) for t_s, frame in frames if t_s < 100])
    (ended,) = of(EpisodeEnded, updates[-1:])
    assert not ended.is_corrected
    assert ended.alert_s is not None
    with Store.open_readonly(tmp_path) as reader:
        stored = reader.day(reader.days()[-1])
    assert any(isinstance(e, EpisodeEnded) for e in stored.events)


def test_late_and_early_arrivals_never_turn_the_day_back(tmp_path: Path, frames: Frames) -> None:
    rng = random.Random(1)
    late = [(t_s + 0.3 * (t_s < 20) + rng.uniform(0, 0.15), frame) for t_s, frame in frames[:700]]
    live = session(tmp_path)
    updates = play(live, sorted(late, key=lambda item: item[0]))
    assert warnings(*updates) == []
    assert live.unsaved == ""
    with Store.open_readonly(tmp_path) as reader:
        (day,) = reader.days()
        minutes = reader.day(day).minutes
    starts = [minute.start_s for minute in minutes]
    assert starts == sorted(set(starts))
    assert sum(minute.covered_s for minute in minutes) == pytest.approx(frames[699][0] - 10.5, abs=2)
