"""A store built beside the old one takes its place only when all of it is on the disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tiltwise.store.files import schema, swap


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
