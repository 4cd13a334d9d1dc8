"""Ctrl-C, SIGTERM and kill -9 at any moment of `watch` and `demo`: what was acknowledged is kept."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import environment, start
from live.feed import stored_seqs
from tiltwise.common.frame import unpack_header
from tiltwise.recording.tw_file import read_frames
from tiltwise.store.writer import Store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and kill -9 are POSIX matters")

NOTING = Path(__file__).with_name("watch_noting_acks.py")
KILLS = 6
DEADLINE_S = 1200.0  # a process that hangs ends the test; a slow machine does not


def clean_mark(folder: Path) -> str:
    """Return the store's mark of a clean end."""
    db = sqlite3.connect(folder / "core.db")
    try:
        return str(db.execute("SELECT value FROM meta WHERE key='clean'").fetchone()[0])
    finally:
        db.close()


def assert_sound(folder: Path) -> None:
    """Every database of a store passes SQLite's full check."""
    for path in folder.glob("*.db"):
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
        db.close()


def wait_for_line(child: subprocess.Popen[str], words: str) -> None:
    """Read the child's output up to a line with these words."""
    assert child.stdout is not None
    end_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < end_s:
        if not select.select([child.stdout], [], [], 0.5)[0] and child.poll() is None:
            continue
        line = child.stdout.readline()
        if words in line:
            return
        assert line, f"ended before {words!r}: {child.stderr.read() if child.stderr else ''}"
    raise AssertionError(f"no line with {words!r} in {DEADLINE_S:g} s")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["watch", "demo"])
def test_stopping_saves_everything_up_to_then(tmp_path: Path, command: str, sign: signal.Signals) -> None:
    data = tmp_path / "data"
    arguments = {
        "watch": (
            "watch",
            "sim:desk?minutes=60&speed=30",
            "--data",
            str(data),
            "--record",
            str(data) + ".tw",
        ),
        "demo": ("demo", "--minutes", "60", "--speed", "30", "--out", str(data)),
    }[command]
    recording = Path(f"{data}.tw") if command == "watch" else data / "demo.tw"
    with start(tmp_path / "home", *arguments) as child:
        wait_for_line(child, "calibrating: 2 of 3")
        child.send_signal(sign)
        out, err = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 130, err
    kept = f" frames in {data} and the recording {recording}\n"
    assert err.startswith("tiltwise: stopped; kept ")
    assert err.endswith(kept)
    assert int(err.removeprefix("tiltwise: stopped; kept ").removesuffix(kept)) == len(stored_seqs(data))
    assert "Traceback" not in out
    assert clean_mark(data) == "1"
    assert_sound(data)
    recorded = read_frames(recording)
    assert not recorded.is_torn
    assert recorded.damaged_records == 0
    seqs = [unpack_header(frame)[3] for frame in recorded.frames]
    assert seqs == list(range(len(seqs)))
    assert len(seqs) > 30, "two nods take more than six seconds of five frames"
    assert stored_seqs(data) == set(seqs)


def test_stopping_says_so_when_nothing_was_kept(tmp_path: Path) -> None:
    with start(tmp_path / "home", "watch", "sim:desk?minutes=60&speed=30", "--no-store") as child:
        wait_for_line(child, "calibrating")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, err) == (130, "tiltwise: stopped; nothing was kept\n")


def test_a_database_deleted_under_watch_is_warned_of_and_the_last_line_is_true(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start(tmp_path / "home", "watch", "sim:desk?minutes=60&speed=30", "--data", str(data)) as child:
        wait_for_line(child, "calibrating: 2 of 3")
        for path in data.glob("core.db*"):
            path.unlink()
        wait_for_line(child, "replaced")  # one word: where a line ends depends on how long the path is
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == 1
    assert err.startswith("tiltwise: some of it could not be stored or kept: ")
    assert "deleted, moved or replaced" in err
    with Store(data) as store:
        assert any("core.db was missing" in line for line in store.reports)
        assert any("acknowledged frames" in line for line in store.reports)


def test_what_is_kept_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with start(home, "watch", "sim:desk?minutes=2&speed=0", "--record", str(tmp_path / "a.tw")) as child:
        child.communicate(timeout=DEADLINE_S)
    folder = home / "simulated"
    kept = [tmp_path / "a.tw", *folder.glob("*.db"), *folder.glob("receipts*.log")]
    assert len(kept) == 5
    assert {path.stat().st_mode & 0o777 for path in (*kept, *folder.iterdir())} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (home, folder)} == {0o700}


def start_noting(folder: Path, trial: int) -> tuple[subprocess.Popen[str], Path]:
    """Start `watch sim:desk` with a note of each acknowledgement."""
    notes = folder / f"notes-{trial}"
    address = f"sim:desk?minutes=60&seed={trial + 1}&speed=50"
    command = ["watch", address, "--record", str(folder / f"{trial}.tw"), "--data", str(folder / "data")]
    return (
        subprocess.Popen(
            [sys.executable, str(NOTING), str(notes), *command],
            env=environment(folder / "home"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ),
        notes,
    )


def acknowledged(notes: Path) -> int:
    """Return the last whole acknowledgement in the notes, -1 before the first."""
    lines = notes.read_text(encoding="utf-8").split("\n")[:-1] if notes.exists() else []
    return int(lines[-1].split()[1]) if lines else -1


def kill_after(folder: Path, trial: int, acks: int, more_s: float) -> tuple[int, str]:
    """Kill a watch some time after so many acknowledgements; return the last one and what was said."""
    child, notes = start_noting(folder, trial)
    with child:
        end_s = time.monotonic() + DEADLINE_S
        while child.poll() is None and time.monotonic() < end_s:
            if notes.exists() and notes.read_bytes().count(b"\n") >= acks:
                break
            select.select([], [], [], 0.005)
        assert child.poll() is None, child.stderr.read() if child.stderr else ""
        select.select([], [], [], more_s)
        child.kill()
        out, err = child.communicate(timeout=DEADLINE_S)
    assert child.returncode == -signal.SIGKILL
    assert err == ""
    return acknowledged(notes), out


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    data, expected = tmp_path / "data", 0
    for trial in range(KILLS):
        before = stored_frames(data)
        last, said = kill_after(tmp_path, trial, rng.randint(0, 4), rng.uniform(0, 0.3))
        for alarming in ("damaged", "set aside", "corrupt", "not stored", "Traceback"):
            assert alarming not in said, said
        stored = stored_frames(data)
        assert {device: stored[device] for device in before} == before, "an earlier session was changed"
        (new,) = [frames for device, frames in stored.items() if device not in before] or [[]]
        seqs = [unpack_header(frame)[3] for frame in new]
        assert seqs == list(range(len(seqs))), "a hole in what is stored"
        assert len(new) > last, f"frame {last} was acknowledged, {len(new)} are stored"
        recorded = read_frames(tmp_path / f"{trial}.tw").frames if (tmp_path / f"{trial}.tw").exists() else []
        common = min(len(new), len(recorded))
        assert new[:common] == recorded[:common], "store and recording differ"
        expected += last + 1
        assert_sound(data)
    assert sum(map(len, stored_frames(data).values())) >= expected > 0
    with Store(data, min_free_bytes=0) as store:
        store.commit()
        assert store.reports == []
    assert clean_mark(data) == "1"


def stored_frames(folder: Path) -> dict[str, list[bytes]]:
    """Return the stored frames of each device; each run of `watch sim:` is one of its own."""
    if not (folder / "core.db").exists():
        return {}
    db = sqlite3.connect(f"file:{folder / 'core.db'}?mode=ro", uri=True)
    devices = [name for (name,) in db.execute("SELECT name FROM device")]
    db.close()
    with Store.open_readonly(folder) as reader:
        found = {name: [frame.data for frame in reader.frames(0, 4e9, name)] for name in devices}
        assert reader.damaged_chunks == 0
    return {name: sorted(frames, key=lambda frame: unpack_header(frame)[3]) for name, frames in found.items()}


def test_a_second_watch_on_the_same_store_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with start(tmp_path / "home", "watch", "sim:desk?minutes=60&speed=20", "--data", data) as first:
        wait_for_line(first, "calibrating")
        with start(tmp_path / "home", "watch", "sim:desk?minutes=60&speed=20", "--data", data) as second:
            _, err = second.communicate(timeout=DEADLINE_S)
        assert second.returncode == 1
        assert err.startswith("tiltwise: ")
        assert err.count("\n") == 1
        assert f"process {first.pid}" in err
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=DEADLINE_S)
    assert first.returncode == 130
    assert clean_mark(tmp_path / "data") == "1"
