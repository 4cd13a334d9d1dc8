"""The event loop round a session: commands go back, the end and Ctrl-C both close what is open."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from pathlib import Path

import pytest

from live.feed import ListSource, acknowledged, commands, demo_frames, session, stored_seqs
from tiltwise.errors import AppError, StoppedError
from tiltwise.live.desktop import Desktop
from tiltwise.live.run import run_live, run_until_stopped
from tiltwise.live.wearer.live_events import LiveEvents
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.store.writer import Store, StoreError


class Shown(Desktop):
    """A desktop that remembers, and one notification of which never ends."""

    def __init__(self) -> None:
        super().__init__(wanted=False)
        self.titles: list[str] = []

    async def show(self, title: str, text: str) -> bool:  # noqa: ARG002 - the words are not looked at
        self.titles.append(title)
        await asyncio.sleep(3600)
        return True


def is_clean(folder: Path) -> bool:
    """Tell whether a store was closed properly."""
    db = sqlite3.connect(folder / "core.db")
    try:
        return bool(db.execute("SELECT value FROM meta WHERE key='clean'").fetchone() == ("1",))
    finally:
        db.close()


def test_commands_go_back_and_all_is_closed_at_the_end(tmp_path: Path, demo_folder: Path) -> None:
    frames = demo_frames(demo_folder)[:200]
    source, updates = ListSource(frames), list[tuple[float, LiveEvents]]()
    asyncio.run(run_live(source, session(tmp_path), lambda t_s, live: updates.append((t_s, live))))
    assert len(updates) == len(frames) + 1
    assert [t_s for t_s, _ in updates[:-1]] == [t_s for t_s, _ in frames]
    assert source.sent == commands(*(events for _, events in updates))
    assert len(acknowledged(source.sent)) > 20
    assert not source.is_open
    assert is_clean(tmp_path)


@pytest.mark.parametrize("after", [0, 1, 60, 199])
def test_ctrl_c_anywhere_keeps_what_was_received(tmp_path: Path, demo_folder: Path, after: int) -> None:
    frames = demo_frames(demo_folder)[:200]
    source = ListSource(frames, stop_after=after)
    recorder = RecordingWriter(tmp_path / "a.tw", {})
    with pytest.raises(StoppedError, match=r"stopped; kept \d+ frames? in .* and the recording .*a\.tw"):
        run_until_stopped(source, session(tmp_path / "s", recorder=recorder), lambda *_: None)
    assert not source.is_open
    assert is_clean(tmp_path / "s")
    assert read_frames(tmp_path / "a.tw").frames == [frame for _, frame in frames[:after]]
    assert stored_seqs(tmp_path / "s") == set(range(after))


def test_ctrl_c_again_does_not_cut_the_closing_off(
    tmp_path: Path, demo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Store.close

    def pressed_twice(store: Store) -> None:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        close(store)

    before = signal.getsignal(signal.SIGINT)  # ignored where the tests run in the background of a shell
    monkeypatch.setattr(Store, "close", pressed_twice)
    source = ListSource(demo_frames(demo_folder)[:200], stop_after=60)
    with pytest.raises(StoppedError, match="stopped; kept 60 frames in "):
        run_until_stopped(source, session(tmp_path / "s"), lambda *_: None)
    assert is_clean(tmp_path / "s")
    assert stored_seqs(tmp_path / "s") == set(range(60))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_notification_that_hangs_holds_up_nothing(demo_folder: Path) -> None:
    desktop = Shown()
    asyncio.run(run_live(ListSource(demo_frames(demo_folder)), session(), lambda *_: None, desktop=desktop))
    assert desktop.titles == ["Nicely done"], (
        "the sensor told it first, and it was corrected before the desktop's turn"
    )


def test_what_could_not_be_kept_is_a_failure(
    tmp_path: Path, demo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Store) -> None:
        raise StoreError("cannot use core.db: the disk is full: free some space")

    for stop_after in (None, 50):
        to = session(tmp_path / str(stop_after))
        with monkeypatch.context() as full:
            full.setattr(Store, "commit", refuse)
            with pytest.raises(AppError, match="could not be stored"):
                run_until_stopped(
                    ListSource(demo_frames(demo_folder)[:100], stop_after=stop_after), to, lambda *_: None
                )


def test_a_source_that_fails_still_closes_the_session(tmp_path: Path) -> None:
    class Broken(ListSource):
        async def __aenter__(self) -> ListSource:
            raise OSError(5, "the port is gone", "/dev/ttyACM0")

    with pytest.raises(OSError, match="port is gone"):
        run_until_stopped(Broken([]), session(tmp_path), lambda *_: None)
    assert is_clean(tmp_path)
