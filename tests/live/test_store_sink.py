"""The keeper: a session for each boot, and a disk that may refuse without stopping anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from live.feed import STARTED_S
from store.store_frames import frame
from tiltwise.common.frame import read_frame
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.store.writer import Committed, Store, StoreError
from tiltwise.types import Mount


def keeper(store: Store) -> StoreSink:
    return StoreSink(store, device="test", mount=Mount.NECK, zone="Europe/Berlin")


def test_each_boot_is_a_session_and_is_acknowledged_by_itself(tmp_path: Path) -> None:
    kept = keeper(Store(tmp_path, min_free_bytes=0))
    for boot in (7, 8):
        for seq in range(10):
            kept.add_frame(read_frame(frame(seq, boot=boot)), STARTED_S + boot * 100 + seq / 5, None)
    done = kept.commit()
    assert sorted(done.settled) == [(7, 9), (8, 9)]
    assert done.warning == ""
    assert kept.close() == ""


def test_a_lost_frame_without_samples_leaves_no_gap(tmp_path: Path) -> None:
    """The frames beside it end and begin a ms apart, because a part's rate is not quite its nominal one."""
    kept = keeper(Store(tmp_path, min_free_bytes=0))
    kept.add_frame(read_frame(frame(0, boot=7)), STARTED_S, None)
    kept.add_overflow_gap(7, STARTED_S + 10.0, STARTED_S + 10.001)
    kept.add_overflow_gap(7, STARTED_S + 20.0, STARTED_S + 20.192)
    kept.commit()
    rows = kept._store._core.execute("SELECT start_us / 1e6 FROM gap").fetchall()
    kept.close()
    assert rows == [(STARTED_S + 20.0,)]


def test_before_the_first_frame_nothing_is_stored(tmp_path: Path) -> None:
    kept = keeper(Store(tmp_path, min_free_bytes=0))
    kept.add_gap(7, STARTED_S, STARTED_S + 1.0, "disconnected")
    assert kept.commit().settled == ()
    assert kept.close() == ""
    with Store.open_readonly(tmp_path) as reader:
        assert reader.days() == []


def test_a_refusal_is_told_once_and_its_end_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, is_full = Store.commit, [False]

    def sometimes(self: Store) -> Committed:
        if is_full[0]:
            raise StoreError("the disk is full: free some space")
        return commit(self)

    monkeypatch.setattr(Store, "commit", sometimes)
    kept = keeper(Store(tmp_path, min_free_bytes=0))
    told = []
    for k in range(30):
        is_full[0] = 10 <= k < 20
        kept.add_frame(read_frame(frame(k)), STARTED_S + k / 5, None)
        done = kept.commit()
        told.append(done.warning)
        assert done.settled == (() if is_full[0] else ((7, k),))
    assert [k for k, text in enumerate(told) if text] == [10, 20]
    assert "alerts go on" in told[10]
    assert told[20].startswith("storing again")
    assert kept.close() == ""


def test_hardly_any_room_keeps_the_day_and_leaves_raw_frames_with_the_board(tmp_path: Path) -> None:
    kept = keeper(Store(tmp_path, min_free_bytes=1 << 30, free_bytes=lambda _: 1 << 20))
    kept.add_frame(read_frame(frame(0)), STARTED_S, None)
    done = kept.commit()
    assert "is full" in done.warning
    assert "raw samples wait on the board" in done.warning
    assert done.settled == ()
    assert "the board keeps what it can hold" in kept.close()


@pytest.mark.parametrize("error", [StoreError("the disk is full"), OSError(30, "Read-only file system")])
def test_a_refusal_at_the_end_is_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    store = Store(tmp_path, min_free_bytes=0)

    def refuse() -> None:
        raise error

    with monkeypatch.context() as full:
        full.setattr(store, "close", refuse)
        assert "could not be stored" in keeper(store).close()
    store.close()
