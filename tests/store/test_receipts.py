"""No silent loss: what was acknowledged and is gone is said exactly, and the board is asked for it again."""

import json
import shutil
import sqlite3
import zlib
from pathlib import Path

import pytest

from store.store_frames import T0_S, frame, utc_s
from tiltwise.common.frame import read_frame
from tiltwise.store.acknowledged.receipts import Receipts, digest
from tiltwise.store.files.swap import RECEIPTS_NAMES
from tiltwise.store.writer import Store
from tiltwise.types import Mount

MONTH = "raw-2026-02.db"


def begin(store: Store, boot: int = 7) -> int:
    return store.begin_session("clip", boot, zone="UTC", mount=Mount.NECK, started_s=T0_S)


def fill(store: Store, session: int, first: int, last: int, step: int = 5) -> None:
    """Stage and commit frames, five a second."""
    for start in range(first, last, step):
        seqs = range(start, min(start + step, last))
        store.append(session, [read_frame(frame(k)) for k in seqs], [utc_s(k) for k in seqs])
        assert store.commit().settled[session] == seqs[-1]


def killed(folder: Path, n: int = 400) -> Path:
    """Return a store as a killed program leaves it: n frames acknowledged, the last ones in the log only."""
    live = folder / "live"
    store = Store(live, min_free_bytes=0)
    fill(store, begin(store), 0, n)
    shutil.copytree(live, folder / "left")
    store.close()
    return folder / "left"


def reports(folder: Path) -> list[str]:
    with Store(folder, min_free_bytes=0) as store:
        return store.reports


def seqs(folder: Path) -> list[int]:
    with Store.open_readonly(folder) as reader:
        return [read_frame(f.data).seq for f in reader.frames(T0_S - 9, T0_S + 9e5)]


def test_a_killed_program_leaves_nothing_to_tell(tmp_path: Path) -> None:
    left = killed(tmp_path)
    assert reports(left) == []
    assert seqs(left) == list(range(400))


def test_opening_a_store_that_is_as_acknowledged_writes_no_receipts(tmp_path: Path) -> None:
    left = killed(tmp_path)
    assert reports(left) == []  # it takes in what the killed program left
    before = [(left / name).stat() for name in RECEIPTS_NAMES]
    assert reports(left) == []
    after = [(left / name).stat() for name in RECEIPTS_NAMES]
    assert [(s.st_ino, s.st_size) for s in after] == [(s.st_ino, s.st_size) for s in before]


@pytest.mark.parametrize("page", [0, 3])
def test_one_bad_sector_in_the_log_is_told_with_the_frames_that_it_cost(tmp_path: Path, page: int) -> None:
    left = killed(tmp_path)
    log = bytearray((left / "core.db-wal").read_bytes())
    at = 32 + page * (24 + 4096) + 24 + 512
    log[at : at + 512] = b"\xa5" * 512
    (left / "core.db-wal").write_bytes(log)
    with Store(left, min_free_bytes=0) as store:
        told = "\n".join(store.reports)
        first_lost = store.received("clip", 7)[-1][1] + 1
        assert "core.db-wal was damaged" in told
        assert f"{400 - first_lost} acknowledged frames of clip are missing" in told
        assert f"frames {first_lost}-399" in told
        assert list(left.glob("core.db-wal.corrupt-*"))
        session = begin(store)
        assert (
            store.append(session, [read_frame(frame(k)) for k in range(400)], [utc_s(k) for k in range(400)])
            > 0
        )
        store.commit()
    assert reports(left) == [], "it was told, and fetched again"
    assert seqs(left) == list(range(400))


def test_a_loss_is_told_again_until_a_program_records(tmp_path: Path) -> None:
    left = killed(tmp_path)
    (left / "core.db-wal").unlink()
    said = reports(left)
    assert any("acknowledged frames of clip are missing" in line for line in said)
    assert reports(left) == said
    with Store(left, min_free_bytes=0) as store:
        fill(store, begin(store, 8), 0, 0)
        store.append(begin(store, 7), [read_frame(frame(900))], [utc_s(900)])
        store.commit()
    assert reports(left) == []


def test_a_deleted_month_is_told_and_its_frames_are_asked_for_again(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 700, step=50)
    (tmp_path / MONTH).unlink()
    with Store(tmp_path, min_free_bytes=0) as store:
        (line,) = store.reports
        assert line.startswith(
            "700 acknowledged frames of clip are missing (raw-2026-02.db was deleted or moved)"
        )
        assert store.received("clip", 7) == []


def test_a_month_replaced_by_an_older_copy_is_told_with_the_frames_between(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 350, step=50)
    older = (tmp_path / MONTH).read_bytes()
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 350, 700, step=50)
    (tmp_path / MONTH).write_bytes(older)
    (line,) = reports(tmp_path)
    assert "350 acknowledged frames" in line
    assert "frames 350-699" in line


def test_a_deleted_core_keeps_the_frames_of_the_months_and_says_what_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 100)
    (tmp_path / "core.db").unlink()
    with Store(tmp_path, min_free_bytes=0) as store:
        assert "core.db was missing" in store.reports[0]
        assert store.received("clip", 7) == [(0, 99)]
    assert seqs(tmp_path) == list(range(100))


def test_deleted_receipts_are_told_once_and_begun_again(tmp_path: Path) -> None:
    left = killed(tmp_path)
    for name in RECEIPTS_NAMES:
        (left / name).unlink()
    (line,) = reports(left)
    assert "receipts.log was missing" in line
    assert Receipts.load(left).acknowledged()["clip", 7].pairs == [(0, 399)]


def test_frames_changed_in_the_tail_are_told(tmp_path: Path) -> None:
    left = killed(tmp_path, 50)
    db = sqlite3.connect(left / "core.db")
    (blob,) = db.execute("SELECT frames FROM tail ORDER BY id LIMIT 1").fetchone()
    db.execute(
        "UPDATE tail SET frames = ? WHERE id = (SELECT min(id) FROM tail)", (blob[:40] + b"\x99" + blob[41:],)
    )
    db.commit()
    db.close()
    (line,) = reports(left)
    assert "not as acknowledged: " in line


def damage_a_line(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"clip") + 1] ^= 1
    path.write_bytes(data)


def test_a_damaged_line_of_one_file_of_receipts_is_told_and_the_other_one_says_it(tmp_path: Path) -> None:
    left = killed(tmp_path, 100)
    damage_a_line(left / RECEIPTS_NAMES[0])
    (line,) = reports(left)
    assert line == "receipts.log was damaged; the other file says all that it said"
    first, second = (left / name for name in RECEIPTS_NAMES)
    assert first.read_bytes() == second.read_bytes()
    assert seqs(left) == list(range(100))


def test_a_line_damaged_in_both_files_of_receipts_is_told_and_the_rest_counts(tmp_path: Path) -> None:
    left = killed(tmp_path, 100)
    for name in RECEIPTS_NAMES:
        damage_a_line(left / name)
    (line,) = reports(left)
    assert line.startswith(
        "receipts.log and receipts.copy.log were damaged or cut off: what 1 of their lines"
    )
    assert reports(left) == [line]
    assert seqs(left) == list(range(100))


@pytest.mark.parametrize("name", RECEIPTS_NAMES)
@pytest.mark.parametrize("how", ["cut", "deleted", "overwritten"])
def test_frames_lost_with_one_file_of_receipts_are_told_by_the_other(
    tmp_path: Path, name: str, how: str
) -> None:
    """The log of the database and the receipts go back to the same moment, as on a disk that loses a day."""
    left = killed(tmp_path)
    (left / "core.db-wal").unlink()
    path = left / name
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"".join(lines[:2]) if how == "cut" else b"\xa5" * 3000)
    said = "\n".join(reports(left))
    stored = len(seqs(left))
    assert stored < 400
    assert f"{400 - stored} acknowledged frames of clip are missing" in said


def test_both_files_of_receipts_cut_off_with_the_log_leave_a_doubt_that_is_told(tmp_path: Path) -> None:
    left = killed(tmp_path)
    (left / "core.db-wal").unlink()
    for name in RECEIPTS_NAMES:
        data = (left / name).read_bytes()
        (left / name).write_bytes(data[: len(data) // 3])
    said = "\n".join(reports(left))
    assert "receipts.log and receipts.copy.log were damaged or cut off: what they said last cannot be" in said


def test_a_month_whose_schema_is_no_text_any_more_is_set_aside(tmp_path: Path) -> None:
    """Python cannot decode SQLite's message then, and raises UnicodeDecodeError in its place."""
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 100)
    data = (tmp_path / MONTH).read_bytes()
    (tmp_path / MONTH).write_bytes(data.replace(b"CREATE TABLE chunk", b"CREATE TABL\xf4 chunk"))
    said = reports(tmp_path)
    assert f"{MONTH} was damaged: set aside as" in said[0]
    assert "100 acknowledged frames of clip are missing" in said[1]


def test_an_index_that_holds_another_ones_page_is_damage(tmp_path: Path) -> None:
    """The quick check of SQLite says "ok" to it, and days would be looked up among names."""
    with Store(tmp_path, min_free_bytes=0) as store:
        session = begin(store)
        fill(store, session, 0, 100)
        store.put_gap(session, T0_S, T0_S + 1.0, "lost on the way")
    db = sqlite3.connect(tmp_path / "core.db")
    sql = "SELECT rootpage FROM sqlite_master WHERE name IN ('gap_start', 'sqlite_autoindex_device_1')"
    places = [4096 * (page - 1) for (page,) in db.execute(sql)]
    db.close()
    data = bytearray((tmp_path / "core.db").read_bytes())
    pages = [bytes(data[at : at + 4096]) for at in places]
    for at, page in zip(places, pages[::-1], strict=True):
        data[at : at + 4096] = page
    (tmp_path / "core.db").write_bytes(data)
    assert "core.db was damaged: set aside as" in reports(tmp_path)[0]
    assert seqs(tmp_path) == list(range(100))


def test_receipts_of_a_single_file_are_read_as_they_were(tmp_path: Path) -> None:
    left = killed(tmp_path, 100)
    first, second = (left / name for name in RECEIPTS_NAMES)
    lines = [json.loads(line[9:])[1:] for line in first.read_bytes().splitlines()]
    lines[0] = ["begun"]
    texts = [json.dumps(values, separators=(",", ":")).encode() for values in lines]
    first.write_bytes(b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in texts))
    second.unlink()
    assert reports(left) == []
    assert Receipts.load(left).acknowledged()["clip", 7].pairs == [(0, 99)]


def test_erasing_retiring_and_losses_of_the_board_are_no_losses_of_the_store(tmp_path: Path) -> None:
    from tiltwise.store.erase import KEEP_RAW, erase_stretch

    with Store(tmp_path, min_free_bytes=0) as store:
        session = begin(store)
        store.mark_lost(session, 0, 9)
        fill(store, session, 10, 600, step=50)
        late = begin(store, 8)
        store.append(
            late, [read_frame(frame(k, boot=8)) for k in range(50)], [T0_S + 4e6 + k for k in range(50)]
        )
    erase_stretch(tmp_path, round(utc_s(200) * 1e6), round(utc_s(300) * 1e6), T0_S)
    assert reports(tmp_path) == []
    with Store(tmp_path, min_free_bytes=0, now_s=lambda: T0_S + 4e6) as store:
        store.put_setting(KEEP_RAW, 1)
        store.commit()
        assert [path.name for path in store.retire()] == [MONTH]
    assert reports(tmp_path) == []


def test_a_repaired_store_without_receipts_counts_nothing_as_received_that_is_not_there(
    tmp_path: Path,
) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        fill(store, begin(store), 0, 100)
    for name in (*RECEIPTS_NAMES, MONTH):
        (tmp_path / name).unlink()
    db = sqlite3.connect(tmp_path / "core.db")
    db.execute("DELETE FROM meta")  # as before there were receipts
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'gap_start'").fetchone()
    db.commit()
    db.close()
    with (tmp_path / "core.db").open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xa5" * 4096)
    with Store(tmp_path, min_free_bytes=0) as store:
        assert "core.db was damaged" in store.reports[0]
        assert (
            "100 acknowledged frames of clip are missing (listed as received, and nowhere)"
            in store.reports[1]
        )
        assert store.received("clip", 7) == []


def test_the_sum_of_hashes_does_not_depend_on_order_or_tags() -> None:
    frames = [frame(k) for k in range(5)]
    other_tag = frames[0][:1] + bytes([frames[0][1] | 0x80 & 0]) + frames[0][2:-8] + bytes(8)
    assert digest(frames) == digest(frames[::-1]) == digest([other_tag, *frames[1:]])
    assert digest(frames) != digest(frames[1:])
