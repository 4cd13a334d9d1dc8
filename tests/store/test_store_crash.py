"""The store after kill -9, on a full or read-only disk, and with damaged files: nothing acknowledged is lost."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from store.store_frames import T0_S, frame, opened, orient_frame, utc_s
from tiltwise.common.frame import unpack_header
from tiltwise.store.writer import Store, StoreError
from tiltwise.types import Mount

WRITER = Path(__file__).with_name("store_writer_process.py")
TRIALS = 8


def begin(store: Store, boot: int = 7) -> int:
    return store.begin_session("b", boot, zone="UTC", mount=Mount.NECK, started_s=T0_S)


def fill(store: Store, session: int, first: int, last: int) -> None:
    seqs = range(first, last)
    store.append(session, opened([frame(k) for k in seqs]), [utc_s(k) for k in seqs])


def stored_seqs(folder: Path, boot: int) -> list[int]:
    with Store.open_readonly(folder) as reader:
        headers = [unpack_header(f.data) for f in reader.frames(T0_S - 1, T0_S + 1e6)]
        assert reader.damaged_chunks == 0
    return sorted(h[3] for h in headers if h[2] == boot)


def kill_after(folder: Path, boot: int, lines: int, extra_us: int) -> int:
    """Start the writer, kill it after so many acknowledgements and a bit, and return the last acknowledged frame."""
    command = [sys.executable, str(WRITER), str(folder), str(boot)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready 0\n", "an intact store was taken for damaged"
        heard = [child.stdout.readline() for _ in range(lines)]
        for _ in range(extra_us * 10):  # let it run on to another phase of its commit; no sleep is that fine
            pass
        child.kill()
        heard += child.stdout.readlines()
    return max(int(line) for line in heard if line.strip().isdigit())


def test_kill_9_at_random_points_loses_no_acknowledged_frame(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    for boot in range(1, TRIALS + 1):
        acknowledged = kill_after(tmp_path, boot, rng.randint(1, 30), rng.randint(0, 3000))
        seqs = stored_seqs(tmp_path, boot)
        assert seqs == list(range(len(seqs)))
        assert seqs[-1] >= acknowledged
    for path in tmp_path.glob("*.db"):
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()


def test_a_full_disk_is_told_once_per_commit_and_recording_resumes(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        fill(store, session, 0, 5)
        store.commit()
        pages = store._core.execute("PRAGMA page_count").fetchone()[0]
        store._core.execute(f"PRAGMA max_page_count={pages + 4}")
        messages: list[str] = []
        for first in range(5, 205, 5):
            fill(store, session, first, first + 5)
            try:
                assert store.commit().settled[session] == first + 4
            except StoreError as error:
                messages.append(str(error))
        assert len(messages) > 20
        assert all("free some space" in line and "\n" not in line for line in messages)
        store._core.execute("PRAGMA max_page_count=1000000")
        assert store.commit().settled[session] == 204
    assert stored_seqs(tmp_path, 7) == list(range(205))


def test_chunks_that_cannot_be_written_stay_in_the_tail(tmp_path: Path) -> None:
    (tmp_path / "raw-2026-02.db").mkdir()  # in the way of the month file, so that only the chunks fail
    with Store(tmp_path) as store:
        session = begin(store)
        warnings = []
        for first in range(0, 400, 50):
            fill(store, session, first, first + 50)
            done = store.commit()
            assert done.settled[session] == first + 49
            warnings.append(done.warning)
        assert any("cannot be opened" in str(w) for w in warnings)
        (tmp_path / "raw-2026-02.db").rmdir()
        assert store.commit().warning is None
    assert stored_seqs(tmp_path, 7) == list(range(400))


@pytest.fixture
def powerless_folder() -> Iterator[Path]:
    """A folder that this process may read but not write; root gives its rights away for the time being."""
    folder = Path(tempfile.mkdtemp(prefix="tiltwise-readonly-"))
    with Store(folder / "store") as store:
        fill(store, begin(store), 0, 100)
    for path in [folder, folder / "store", *(folder / "store").iterdir()]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield folder / "store"
    if is_root:
        os.seteuid(0)
    for path in [folder, folder / "store"]:
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are a POSIX matter")
def test_a_read_only_folder_can_be_read_and_refuses_a_writer_in_one_line(powerless_folder: Path) -> None:
    assert stored_seqs(powerless_folder, 7) == list(range(100))
    with pytest.raises(StoreError) as caught:
        Store(powerless_folder)
    assert "\n" not in str(caught.value)
    assert "Permission denied; choose another folder or change its permissions" in str(caught.value)


def make_dirty(folder: Path) -> None:
    """Let the store look as after a crash."""
    db = sqlite3.connect(folder / "core.db")
    db.execute("UPDATE meta SET value='0' WHERE key='clean'")
    db.commit()
    db.close()


def scribble(path: Path, page: int) -> None:
    """Overwrite one page of 4096 bytes with noise."""
    with path.open("r+b") as file:
        file.seek(4096 * page)
        file.write(np.random.default_rng(page).bytes(4096))


def test_a_damaged_page_in_the_raw_file_costs_its_chunks_only(tmp_path: Path) -> None:
    with Store(tmp_path, now_s=lambda: T0_S) as store:
        session = begin(store)
        for first in range(0, 6000, 50):
            fill(store, session, first, first + 50)
            store.commit()
    raw = tmp_path / "raw-2026-02.db"
    make_dirty(tmp_path)
    scribble(raw, raw.stat().st_size // 4096 // 2)
    with Store(tmp_path, now_s=lambda: T0_S) as store:
        with store.open_readonly(tmp_path) as reader:
            assert len(reader.frames(T0_S - 1, T0_S + 1e5)) > 4500, (
                "what can be read is read, set aside or not"
            )
            assert reader.damaged_chunks > 0
        fill(store, begin(store), 6000, 6100)
        assert store.commit().frames == 100
    (report,) = [line for line in store.reports if "was damaged" in line]
    assert "raw-2026-02.db.corrupt-20260225T061320Z" in report
    assert "recording goes on" in report
    assert (tmp_path / "raw-2026-02.db.corrupt-20260225T061320Z").is_file()
    with Store.open_readonly(tmp_path) as reader:
        seqs = {unpack_header(f.data)[3] for f in reader.frames(T0_S - 1, T0_S + 1e5)}
    assert set(range(6000, 6100)) <= seqs
    assert len(seqs) > 4500  # a page and its neighbours hold a few chunks of 300 frames


@pytest.mark.parametrize("page", [0, 1, 5])
def test_a_damaged_core_is_set_aside_and_recording_goes_on(tmp_path: Path, page: int) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        for k in range(300):
            store.put_gap(session, T0_S + k, T0_S + k + 1, "disconnected")
        fill(store, session, 0, 300)
    make_dirty(tmp_path)
    scribble(tmp_path / "core.db", page)
    with Store(tmp_path) as store:
        assert len(store.reports) == 1
        assert list(tmp_path.glob("core.db.corrupt-*"))
        fill(store, begin(store), 300, 320)
        store.commit()
    seqs = stored_seqs(tmp_path, 7)
    assert seqs == list(range(320))


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "core.db").write_bytes(b"this was never a database" * 400)
    with Store(tmp_path) as store:
        assert len(store.reports) == 1
        fill(store, begin(store), 0, 5)
    assert stored_seqs(tmp_path, 7) == list(range(5))


def test_a_month_file_damaged_while_recording_is_replaced_at_once(tmp_path: Path) -> None:
    (tmp_path / "raw-2026-02.db").write_bytes(b"\x00garbage" * 2000)
    with Store(tmp_path) as store:
        session = begin(store)
        for first in range(0, 400, 50):
            fill(store, session, first, first + 50)
            assert store.commit().warning is None
        assert len(store.reports) == 1
    assert stored_seqs(tmp_path, 7) == list(range(400))


def test_a_flipped_bit_in_a_chunk_is_noticed_and_skipped(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.append(
            begin(store), opened([orient_frame(k) for k in range(20)]), [utc_s(k) for k in range(20)]
        )
    db = sqlite3.connect(tmp_path / "raw-2026-02.db")
    db.execute("UPDATE chunk SET data = CAST(substr(data, 1, 50) || x'00' || substr(data, 52) AS BLOB)")
    db.commit()
    db.close()
    with Store.open_readonly(tmp_path) as reader:
        assert reader.frames(T0_S, T0_S + 9) == []
        assert reader.damaged_chunks == 1
