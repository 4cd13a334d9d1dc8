"""Files deleted, moved, replaced or damaged under a running program: it says so, and its last line is true."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from store.store_frames import frame, utc_s
from store.test_receipts import MONTH, begin, fill, killed, reports, seqs
from tiltwise.common.frame import read_frame
from tiltwise.store.writer import Store, StoreError


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "folder"])
def test_a_database_that_is_no_longer_there_is_noticed_before_the_next_acknowledgement(
    tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "data"
    store = Store(folder, min_free_bytes=0)
    session = begin(store)
    fill(store, session, 0, 20)
    match how:
        case "deleted":
            for path in folder.glob("core.db*"):
                path.unlink()
        case "moved":
            (folder / "core.db").rename(tmp_path / "core.db")
        case "replaced":
            shutil.copy(folder / "core.db", tmp_path / "copy")
            (tmp_path / "copy").replace(folder / "core.db")
        case _:
            shutil.rmtree(folder)
    store.append(session, [read_frame(frame(20))], [utc_s(20)])
    for _ in range(3):
        with pytest.raises(StoreError, match="deleted, moved or replaced while recording"):
            store.commit()
    if how == "moved":
        (tmp_path / "core.db").rename(folder / "core.db")
        assert store.commit().settled[session] == 20
        store.close()
    else:
        with pytest.raises(StoreError, match="deleted, moved or replaced"):
            store.close()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_month_that_is_no_longer_there_is_warned_of_at_the_next_commit_and_at_the_end(
    tmp_path: Path, how: str
) -> None:
    folder, aside = tmp_path / "data", tmp_path / "aside"
    store = Store(folder, min_free_bytes=0)
    session = begin(store)
    fill(store, session, 0, 320)
    shutil.copy(folder / MONTH, aside)
    match how:
        case "deleted":
            (folder / MONTH).unlink()
        case "moved":
            (folder / MONTH).rename(aside)
        case _:
            aside.replace(folder / MONTH)
    store.append(session, [read_frame(frame(320))], [utc_s(320)])
    done = store.commit()
    assert done.settled[session] == 320, "it is safe in core.db"
    assert f"{MONTH} was deleted, moved or replaced while recording" in str(done.warning)
    if how == "moved":
        aside.rename(folder / MONTH)
        assert store.commit().warning is None
        store.close()
    else:
        with pytest.raises(StoreError, match="was deleted, moved or replaced while recording"):
            store.close()
    lost = 320 - len([seq for seq in seqs(folder) if seq < 320])
    told = [line for line in reports(folder) if "acknowledged frames" in line]
    assert told == [] if not lost else told[0].startswith(f"{lost} acknowledged frames of clip are missing")
    assert bool(lost) == (how == "deleted")


def test_damage_under_a_running_program_is_told_by_its_last_line(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 50)
    db = sqlite3.connect(tmp_path / "core.db")
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event_utc'").fetchone()
    db.close()
    store = Store(tmp_path, min_free_bytes=0)
    fill(store, begin(store), 50, 55)
    with (tmp_path / "core.db").open("r+b") as core:
        core.seek(4096 * (page - 1))
        core.write(b"\xa5" * 4096)
    with pytest.raises(StoreError, match="was damaged while recording"):
        store.close()


def test_a_log_without_its_database_is_kept_and_both_can_be_brought_back(tmp_path: Path) -> None:
    folder = killed(tmp_path, 40)
    (folder / "core.db").rename(tmp_path / "core.db")
    with pytest.raises(StoreError, match=r"core\.db is missing, other files of it are there: bring it back"):
        Store.open_readonly(folder)
    said = reports(folder)
    assert "core.db-wal was there without core.db: set aside as core.db-wal.corrupt-" in said[0]
    (log,) = folder.glob("core.db-wal.corrupt-*")
    for path in folder.glob("core.db*"):
        if path != log:
            path.unlink()
    log.rename(folder / "core.db-wal")
    (tmp_path / "core.db").rename(folder / "core.db")
    assert seqs(folder) == list(range(40))


def test_a_log_overwritten_under_a_running_program_ends_the_acknowledging(tmp_path: Path) -> None:
    store = Store(tmp_path, min_free_bytes=0)
    session = begin(store)
    fill(store, session, 0, 250)
    with (tmp_path / "core.db-wal").open("r+b") as log:
        size = log.seek(0, 2)
        log.seek(0)
        log.write(b"\xa5" * size)
    store.append(
        session, [read_frame(frame(k)) for k in range(250, 320)], [utc_s(k) for k in range(250, 320)]
    )
    with pytest.raises(StoreError, match="damaged while recording"):
        store.commit()
    with pytest.raises(StoreError, match="damaged while recording"):
        store.commit()
    with pytest.raises(StoreError):
        store.close()
    said = "\n".join(reports(tmp_path))
    assert "acknowledged frames of clip are missing" in said
