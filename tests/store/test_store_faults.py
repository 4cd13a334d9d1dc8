"""The bench of kills, power cuts and trouble, in short: it counts right, and the goals hold on a few points."""

import random
import shutil
from pathlib import Path

import pytest

from tiltwise.store.writer import Store
from tiltwise_lab.bench.storage import fsync_recorder
from tiltwise_lab.bench.storage.fault_injection import STORE_FAULTS, broken
from tiltwise_lab.bench.storage.fsync_recorder import FileSync, after_cut
from tiltwise_lab.bench.storage.kill_and_power_cut import cut_row, kill_rows, store_fault_row, stored
from tiltwise_lab.bench.storage.killed_host import calibrated_session, frames_of

RESTART_S = 10.0  # the goal is 2 s on an idle machine; a loaded one must not fail the suite


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_kill_9_at_a_few_points_loses_nothing(tmp_path: Path) -> None:
    *_, (_, row) = kill_rows(tmp_path / "kills", seed=3, kills=4)
    assert row is not None
    assert row.points == 4
    assert (row.lost, row.damaged) == (0, 0)
    assert all(s < RESTART_S for s in row.restarts_s)


@pytest.mark.skipif(
    bool(fsync_recorder.unavailable_reason()),
    reason=fsync_recorder.unavailable_reason() or "can be simulated here",
)
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    row = cut_row(tmp_path / "cuts", seed=5, cuts=8, seconds=25.0)
    assert row.points == 8
    assert row.acknowledged > 500
    assert (row.lost, row.damaged) == (0, 0)


def fill(folder: Path, seconds: float) -> None:
    session = calibrated_session(Store(folder, min_free_bytes=0), 1)
    for k, frame in enumerate(frames_of(1, seconds)):
        session.receive(0.2 * k, frame)
    session.finish()


def test_what_is_missing_in_a_store_is_counted(tmp_path: Path) -> None:
    fill(tmp_path, 20.0)
    assert len(stored(tmp_path, 1)) == 101
    assert stored(tmp_path, 2) == set()
    assert broken(tmp_path) == 0
    page = bytearray((tmp_path / "core.db").read_bytes())
    page[4096:8192] = b"\xa5" * 4096
    (tmp_path / "core.db").write_bytes(page)
    assert broken(tmp_path) == 1


def test_only_what_was_synced_survives_a_cut(tmp_path: Path) -> None:
    source, copies = tmp_path / "store", tmp_path / "synced"
    copies.mkdir()
    for k, data in enumerate((b"one" * 1000, b"two" * 1000, b"two" * 2000)):
        (copies / str(k)).write_bytes(data)
    a, b = source / "a", source / "b"
    syncs = [
        FileSync(a, copies / "0", (), ()),
        FileSync(b, copies / "1", ("ack 1",), ()),
        FileSync(b, copies / "2", ("ack 1", "ack 2"), ((a, None),)),
        FileSync(Path(), Path(), (), ()),
    ]
    seen = set()
    for seed in range(20):
        target = tmp_path / f"left-{seed}"
        after_cut(syncs, 2, source, target, random.Random(seed))
        assert (target / "b").read_bytes()[:3000] == b"two" * 1000
        seen.add((target / "a").exists())
        shutil.rmtree(target)
    assert seen == {True, False}, "a removal behind the last fsync may have happened or not"
    after_cut(syncs, 3, source, tmp_path / "end", random.Random(1))
    assert sorted(path.name for path in (tmp_path / "end").iterdir()) == ["b"]
    assert (tmp_path / "end" / "b").read_bytes() == b"two" * 2000


@pytest.mark.parametrize("trouble", STORE_FAULTS)
def test_alerts_go_on_in_trouble_and_nothing_is_lost_behind_it(tmp_path: Path, trouble: str) -> None:
    row = store_fault_row(trouble, STORE_FAULTS[trouble], tmp_path)
    assert row.alerts == 1
    assert row.messages == 1
    assert "\n" not in row.message
    assert row.resumed
    assert row.lost == 0
