"""A store built beside the old one takes its place only when all of it is on the disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tiltwise.store.files import schema, swap

LINE = "a rebuild that was interrupted is finished; the store before it is set aside in the same folder"


@pytest.mark.skipif(os.name != "posix", reason="Windows opens no folders")
def test_files_are_on_the_disk_before_they_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def noting_sync(descriptor: int) -> None:
        sync(descriptor)
        done.append(f"sync {names[os.fstat(descriptor).st_ino]}")

    def noting_replace(path: Path, target: Path) -> Path:
        done.append(f"move {path.name}")
        return replace(path, target)

    building = tmp_path / "building"
    building.mkdir()
    for name in (schema.CORE_NAME, "raw-2026-05.db"):
        (building / name).write_text("x")
    names = {path.stat().st_ino: path.name for path in (tmp_path, building, *building.iterdir())}
    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    assert swap.install(building, tmp_path, "now") is None  # there was none before
    moved = done.index("move building")
    assert set(done[:moved]) == {f"sync {schema.CORE_NAME}", "sync raw-2026-05.db", "sync building"}
    assert done[moved - 1] == "sync building"
    assert done[moved + 1] == f"sync {tmp_path.name}"
    assert {path.name for path in tmp_path.iterdir()} == {schema.CORE_NAME, "raw-2026-05.db"}


def test_a_table_is_there_or_not() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE exercise (id INTEGER)")
    db.execute("CREATE INDEX other ON exercise (id)")
    assert [schema.has_table(db, name) for name in ("exercise", "other", "event")] == [True, False, False]
    db.close()


def put(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / NAMES.get(name, name)).write_text(text)
    return folder


NAMES = {
    "core": "core.db", "wal": "core.db-wal", "raw": "raw-2026-05.db", "recovered": "core.db.recovered",
    "salvage": "core.db.salvage", "salvage_wal": "core.db.salvage-wal", "receipts": "receipts.log",
    "corrupt": "core.db.corrupt-old", "notes": "notes.txt", "journal": "core.db.salvage-journal",
}  # fmt: skip


def held(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_a_repair_that_was_whole_takes_its_place_and_a_half_one_goes(tmp_path: Path) -> None:
    put(tmp_path, core="old", wal="log", recovered="new", salvage="half", salvage_wal="half")
    assert swap.is_swapping(tmp_path)
    assert swap.finish_swaps(tmp_path, "now") == []  # who repaired it has told of it
    assert held(tmp_path) == {
        "core.db": "new",
        "core.db.corrupt-now": "old",
        "core.db.corrupt-now-wal": "log",
    }
    assert not swap.is_swapping(tmp_path)


def test_a_repair_takes_the_place_of_the_damaged_file(tmp_path: Path) -> None:
    path = put(tmp_path, core="old", salvage="new") / "core.db"
    swap.take_place(path, swap.aside_name(path, "now"))
    assert held(tmp_path) == {"core.db": "new", "core.db.corrupt-now": "old"}
    assert [swap.aside_name(path, stamp).name for stamp in ("then", "now")] == [
        "core.db.corrupt-then",
        "core.db.corrupt-now-2",
    ]
    put(tmp_path, **{"core.db.corrupt-now-2": "older"})
    assert swap.aside_name(path, "now").name == "core.db.corrupt-now-3"
    put(tmp_path, salvage="x", salvage_wal="x", journal="x")
    assert swap.fresh_salvage(path).name == "core.db.salvage"
    assert not [name for name in held(tmp_path) if "salvage" in name]


@pytest.mark.parametrize("was", ["rebuilt-T", "installing-T"])
def test_a_rebuild_that_was_interrupted_is_finished(tmp_path: Path, was: str) -> None:
    put(tmp_path, notes="mine")
    if was == "rebuilt-T":
        put(tmp_path, core="old", wal="log", raw="old", receipts="old", corrupt="older")
    put(tmp_path / was, core="new", raw="new")
    assert swap.is_swapping(tmp_path)
    assert swap.finish_swaps(tmp_path, "now") == [LINE]
    aside = {"core.db": "old", "core.db-wal": "log", "raw-2026-05.db": "old", "receipts.log": "old"}
    aside |= {"core.db.corrupt-old": "older"}
    before = {f"before-rebuild-T/{name}": text for name, text in aside.items()} if was == "rebuilt-T" else {}
    assert held(tmp_path) == {"core.db": "new", "raw-2026-05.db": "new", "notes.txt": "mine", **before}
    assert {path.name for path in swap.copies(tmp_path)} == {name.rpartition("/")[2] for name in before}
    assert not swap.is_swapping(tmp_path)
    assert swap.finish_swaps(tmp_path, "now") == []


def test_two_rebuilds_in_a_second_keep_both_stores_before_them(tmp_path: Path) -> None:
    put(tmp_path, core="first")
    places = [
        swap.install(put(tmp_path / "building", core=text), tmp_path, "now") for text in ("second", "third")
    ]
    assert [place and place.name for place in places] == ["before-rebuild-now", "before-rebuild-now-2"]
    assert held(tmp_path) == {
        "core.db": "third", "before-rebuild-now/core.db": "first", "before-rebuild-now-2/core.db": "second",
    }  # fmt: skip


def test_what_happened_is_told_once_and_kept_fifty_times(tmp_path: Path) -> None:
    swap.note_incidents(tmp_path, ["a", "b", "a"], 1.0)
    swap.note_incidents(tmp_path, ["b", "c"], 2.0)
    told = [(each.utc_s, each.line, each.is_told) for each in swap.incidents(tmp_path)]
    assert told == [(1.0, "a", False), (1.0, "b", False), (2.0, "c", False)]
    swap.mark_told(tmp_path)
    assert all(each.is_told for each in swap.incidents(tmp_path))
    swap.note_incidents(tmp_path, ["b"], 3.0)  # again, after it was shown
    assert [each.line for each in swap.incidents(tmp_path) if not each.is_told] == ["b"]
    swap.note_incidents(tmp_path, [f"line {k}" for k in range(60)], 4.0)
    assert [each.line for each in swap.incidents(tmp_path)] == [f"line {k}" for k in range(10, 60)]
    (tmp_path / swap.INCIDENTS_NAME).write_text("[{")
    assert swap.incidents(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "line", "is_damage"),
    [
        ("database or disk is full", "the disk is full: free some space, recording resumes by itself", False),
        ("attempt to write a readonly database", "the folder is read-only: change its permissions", False),
        (
            "unable to open database file",
            "it cannot be opened or written: check that the folder exists",
            False,
        ),
        ("disk I/O error", "the disk refuses: check that it is still there and has space", False),
        ("database is locked", "another program holds it for long: close it", False),
        (schema.DAMAGED, "it is damaged: restart tiltwise, which sets it aside", True),
        ("file is not a database", "it is damaged: restart tiltwise, which sets it aside", True),
        ("no such index: gap_start", "no such index: gap_start", True),
    ],
)
def test_an_error_of_the_database_says_what_to_do(text: str, line: str, is_damage: bool) -> None:
    error = sqlite3.OperationalError(text)
    said = str(schema.explain(error, Path("core.db")))
    assert said.startswith(f"cannot use core.db: {line}")
    assert text in said
    assert schema.is_damage(error) is is_damage


def test_a_file_becomes_one_of_the_newest_version_and_keeps_what_it_was(tmp_path: Path) -> None:
    path, steps = (
        tmp_path / "core.db",
        ("CREATE TABLE a (id INTEGER);", "CREATE TABLE b (id INTEGER);\nDROP TABLE a;"),
    )
    first = schema.open_writer(path, steps[:1])
    assert schema.version_of(first) == 1
    settings = [
        first.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert settings == ["wal", 2, 1]
    first.close()
    assert not list(tmp_path.glob("*.backup-*"))  # a new file held nothing
    second = schema.open_writer(path, steps)
    assert (schema.version_of(second), schema.has_table(second, "b"), schema.has_table(second, "a")) == (
        2,
        True,
        False,
    )
    second.close()
    schema.open_writer(path, steps).close()
    (backup,) = tmp_path.glob("*.backup-*")
    assert backup.name == "core.db.backup-v1"
    old = schema.open_reader(backup)
    assert (schema.version_of(old), schema.has_table(old, "a")) == (1, True)
    old.close()
    if os.name == "posix":
        assert {p.stat().st_mode & 0o777 for p in (path, backup)} == {0o600}
    with pytest.raises(
        schema.StoreError, match="has schema version 2, this tiltwise reads up to 1: update tiltwise"
    ):
        schema.open_writer(path, steps[:1])
    with pytest.raises(schema.StoreError, match="it cannot be opened or written"):
        schema.open_reader(tmp_path / "none.db")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    db = schema.open_writer(tmp_path / "core.db", ("CREATE TABLE a (id INTEGER);",))
    with schema.transaction(db):
        db.execute("INSERT INTO a VALUES (1)")
    with pytest.raises(sqlite3.OperationalError), schema.transaction(db):
        _fail_after_a_row(db)
    assert not db.in_transaction
    assert db.execute("SELECT id FROM a").fetchall() == [(1,)]
    db.close()


def _fail_after_a_row(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO a VALUES (2)")
    db.execute("INSERT INTO none VALUES (2)")


@pytest.mark.parametrize(
    ("refusals", "modes", "said"),
    [
        ([], ["mode=ro"], None),
        (["unable to open database file"], ["mode=ro", "mode=ro&immutable=1"], None),
        (["attempt to write a readonly database"], ["mode=ro", "mode=ro&immutable=1"], None),
        (["database is locked"], ["mode=ro"], "another program holds it"),
        (["unable to open database file"] * 2, ["mode=ro", "mode=ro&immutable=1"], "cannot be opened"),
    ],
)
def test_only_a_file_that_bears_no_log_beside_it_is_read_as_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: list[str], modes: list[str], said: str | None
) -> None:
    path = tmp_path / "core.db"
    schema.open_writer(path, schema.CORE_MIGRATIONS).close()
    asked, left = [], list(refusals)

    class Refusing(schema.Database):
        def execute(self, *query: object) -> sqlite3.Cursor:
            if left:
                raise sqlite3.OperationalError(left.pop(0))
            return super().execute(*query)

    def noting(asked_for: str, **options: object) -> sqlite3.Connection:
        asked.append(asked_for.partition("?")[2])
        return connect(asked_for, **{**options, "factory": Refusing})

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", noting)
    if said is None:
        db = schema.open_reader(path)
        assert schema.has_table(db, "event")
        db.close()
    else:
        with pytest.raises(schema.StoreError, match=said):
            schema.open_reader(path)
    assert asked == modes
