"""What is erased is [start, end) and nothing beside it; what was interrupted is finished; how old is too old."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from store.store_frames import T0_S, frame, utc_s
from store.test_writer import begin, fill, minute
from tiltwise.common.frame import read_frame
from tiltwise.store.erase import (
    KEEP_RAW,
    erase_all,
    erase_stretch,
    finish_begun,
    finish_if_begun,
    is_unfinished,
    kept_months,
    oldest_kept_month,
)
from tiltwise.store.files import schema, swap
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeEnded, PostureKind

FIRST_US, LAST_US = round((T0_S + 60) * 1e6), round((T0_S + 120) * 1e6)  # frames 300 to 599


def filled(folder: Path) -> Path:
    with Store(folder, min_free_bytes=0, now_s=lambda: T0_S) as store:
        session = begin(store)
        for first in range(0, 1000, 100):
            fill(store, session, first, first + 100)
            store.commit()
        store.put_aggregates(session, [minute(T0_S + s) for s in (0.0, 60.0, 120.0)])
        bent = [
            EpisodeEnded(s, PostureKind.FORWARD_FLEXION, s - 5.0, s, 30.0, None)
            for s in (59.5, 60.0, 119.5, 120.0)
        ]
        store.put_events(session, bent, T0_S)
        for a, b in ((0, 60), (50, 70), (60, 120), (70, 80), (110, 130), (40, 140), (120, 150)):
            store.put_gap(session, T0_S + a, T0_S + b, f"{a} to {b}")
        store.commit()
    return folder


def seen(folder: Path) -> tuple[list[int], list[float], list[float], list[tuple[float, float, str]]]:
    """Return frames, minutes, ends of episodes and gaps, s after T0_S."""
    with Store.open_readonly(folder) as reader:
        frames = [read_frame(f.data).seq for f in reader.frames(T0_S, T0_S + 1000)]
    db = sqlite3.connect(folder / schema.CORE_NAME)
    try:
        minutes = [us / 1e6 - T0_S for (us,) in db.execute("SELECT start_us FROM aggregate ORDER BY 1")]
        events = [us / 1e6 - T0_S for (us,) in db.execute("SELECT utc_us FROM event ORDER BY 1")]
        rows = db.execute("SELECT start_us, end_us, reason FROM gap ORDER BY start_us, end_us").fetchall()
    finally:
        db.close()
    return frames, minutes, events, [(a / 1e6 - T0_S, b / 1e6 - T0_S, reason) for a, b, reason in rows]


def check_erased(folder: Path) -> None:
    frames, minutes, events, gaps = seen(folder)
    assert frames == [*range(300), *range(600, 1000)]
    assert (minutes, events) == ([0.0, 120.0], pytest.approx([59.5, 120.0]))
    assert gaps == [
        (0, 60, "0 to 60"), (40, 60, "40 to 140"), (50, 60, "50 to 70"), (120, 130, "110 to 130"),
        (120, 140, "40 to 140"), (120, 150, "120 to 150"),
    ]  # fmt: skip


def test_a_stretch_goes_from_its_first_moment_to_before_its_last(tmp_path: Path) -> None:
    filled(tmp_path)
    erased = erase_stretch(tmp_path, FIRST_US, LAST_US, T0_S)
    assert erased == {"aggregate": 1, "event": 2, "exercise": 0, "clock_fit": 0, "gap": 5, "frames": 300}
    check_erased(tmp_path)
    assert not is_unfinished(tmp_path)
    assert set(erase_stretch(tmp_path, FIRST_US, LAST_US, T0_S).values()) == {0}
    check_erased(tmp_path)


@pytest.mark.parametrize("finish", [lambda folder: finish_begun(folder, T0_S), finish_if_begun])
def test_an_interrupted_erasing_is_finished_and_told(tmp_path: Path, finish) -> None:
    filled(tmp_path)
    (tmp_path / "erasing.json").write_text(json.dumps([FIRST_US, LAST_US]))
    assert is_unfinished(tmp_path)
    finish(tmp_path)
    check_erased(tmp_path)
    assert not is_unfinished(tmp_path)
    assert [each.line for each in swap.incidents(tmp_path)] == ["an erasing that was interrupted is finished"]
    finish(tmp_path)
    assert len(swap.incidents(tmp_path)) == 1


@pytest.mark.parametrize("note", ["", "[1]", "7", '["a", "b"]', "[" * 100_000])
def test_a_damaged_note_of_what_was_to_be_erased_erases_nothing(tmp_path: Path, note: str) -> None:
    before = seen(filled(tmp_path))
    (tmp_path / "erasing.json").write_text(note)
    finish_begun(tmp_path, T0_S)
    assert seen(tmp_path) == before
    assert not is_unfinished(tmp_path)
    (told,) = swap.incidents(tmp_path)
    assert told.line.endswith("the note of what was to be erased is damaged: erase it again")


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_everything_goes_and_what_is_not_the_store_s_stays(tmp_path: Path, is_interrupted: bool) -> None:
    filled(tmp_path)
    (tmp_path / "calibration.toml").write_text("keep = true\n")
    size = sum(path.stat().st_size for path in tmp_path.iterdir() if ".db" in path.name)
    if is_interrupted:
        (tmp_path / "erasing.json").write_text('"all"')
        finish_begun(tmp_path, T0_S)
    else:
        assert erase_all(tmp_path, T0_S) >= size
    assert not [path.name for path in tmp_path.iterdir() if ".db" in path.name]
    assert (tmp_path / "calibration.toml").exists()
    assert not is_unfinished(tmp_path)


@pytest.mark.parametrize(
    ("newest", "now", "months", "oldest"),
    [
        ("2026-05", "2026-06", 1, "2026-05"),
        ("2026-05", "2026-04", 1, "2026-04"),  # a clock that was set ahead does not count
        ("2026-05", "2026-05", 5, "2026-01"),
        ("2026-05", "2026-05", 6, "2025-12"),
        ("2026-12", "2026-12", 12, "2026-01"),
        ("2026-12", "2026-12", 13, "2025-12"),
        ("2026-03", "2027-01", 40, "2022-12"),
    ],
)
def test_months_are_counted_back_from_the_earlier_of_data_and_clock(
    newest: str, now: str, months: int, oldest: str
) -> None:
    assert oldest_kept_month(newest, now, months) == oldest


@pytest.mark.parametrize(
    ("value", "months"), [("6", 6), ("1", 1), ("0", None), ("-1", None), ("soon", None), (None, None)]
)
def test_only_a_number_of_months_makes_samples_old(value: str | None, months: int | None) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    if value is not None:
        db.execute("INSERT INTO setting VALUES (?, ?)", (KEEP_RAW, value))
    assert kept_months(db) == months
    db.close()


def test_frames_are_erased_by_their_own_times(tmp_path: Path) -> None:
    filled(tmp_path)
    at_us = round(utc_s(500) * 1e6)
    assert erase_stretch(tmp_path, at_us, at_us + 1, T0_S)["frames"] == 1
    assert seen(tmp_path)[0] == [k for k in range(1000) if k != 500]


@pytest.mark.parametrize(("first", "last"), [(950, 974), (300, 599), (0, 999)])
def test_what_was_erased_is_no_loss_and_is_not_asked_for_again(tmp_path: Path, first: int, last: int) -> None:
    """Of a host that was killed: the newest frames are in no month file yet."""
    (tmp_path / "live").mkdir()
    with Store(tmp_path / "live", min_free_bytes=0, now_s=lambda: T0_S) as store:
        session = begin(store)
        for k in range(0, 1000, 100):
            fill(store, session, k, k + 100)
            store.commit()
        shutil.copytree(tmp_path / "live", tmp_path / "killed")
    (tmp_path / "killed" / "writer.lock").unlink(missing_ok=True)
    erased = erase_stretch(tmp_path / "killed", round(utc_s(first) * 1e6), round(utc_s(last + 1) * 1e6), T0_S)
    assert erased["frames"] == last - first + 1
    with Store(tmp_path / "killed", min_free_bytes=0, now_s=lambda: T0_S) as store:  # nobody holds its lock
        assert store.reports == []
        session = begin(store)
        again = [read_frame(frame(k)) for k in (first, last)]
        assert store.append(session, again, [utc_s(first), utc_s(last)]) == 0
    assert seen(tmp_path / "killed")[0] == [k for k in range(1000) if not first <= k <= last]


def test_an_erasing_that_was_finished_leaves_the_store_to_the_next(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "erasing.json").write_text(json.dumps([FIRST_US, LAST_US]))
    finish_if_begun(tmp_path)
    Store(tmp_path, min_free_bytes=0).close()
