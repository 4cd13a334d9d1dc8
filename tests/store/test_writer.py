"""What the store promises: durable after commit, each frame once, one line when the disk refuses, right days."""

import math
import sqlite3
import struct
import zlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from store.store_frames import T0_S, frame, opened, orient_frame, status_frame, utc_s
from tiltwise.common import wire
from tiltwise.common.frame import frame_sizes, open_frame, read_frame, unpack_header
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.store.erase import KEEP_RAW
from tiltwise.store.files import schema
from tiltwise.store.writer import Store, StoreError
from tiltwise.types import EpisodeEnded, Mount, PostureKind, RepCompleted, Side


def begin(store: Store, boot: int = 7, **options: object) -> int:
    return store.begin_session(
        "board-1", boot, zone="Europe/Berlin", mount=Mount.NECK, started_s=T0_S, **options
    )


def fill(store: Store, session: int, first: int, last: int) -> None:
    seqs = range(first, last)
    store.append(session, opened([frame(k) for k in seqs]), [utc_s(k) for k in seqs])


def without_tag(data: bytes) -> bytes:
    return data[: -wire.TAG_SIZE]


def minute(start_s: float, angle_deg: int = 20, seconds: float = 60.0) -> Aggregate:
    flexion = np.zeros((2, agg.N_FLEXION))
    flexion[0, slice(*agg.flexion_bin(np.array([angle_deg, angle_deg + 1])))] = seconds / 10
    return Aggregate(
        start_s,
        np.array([seconds, 0, 0, 0, 0]),
        flexion,
        np.zeros(agg.N_RATE),
        np.zeros(agg.EVA_SHAPE),
    )


def test_frames_come_back_bit_exact_from_tail_and_chunks(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        for first in range(0, 1000, 5):
            fill(store, session, first, first + 5)
            store.commit()
        with Store.open_readonly(tmp_path) as reader:
            live = reader.frames(T0_S, T0_S + 1000)
    with Store.open_readonly(tmp_path) as reader:
        closed = reader.frames(T0_S, T0_S + 1000)
        assert reader.devices() == ["board-1"]
    expected = [frame(k) for k in range(1000)]
    assert [f.data for f in live] == expected
    assert [f.data for f in closed] == expected
    assert [f.utc_us for f in closed] == [round(utc_s(k) * 1e6) for k in range(1000)]


def test_authenticated_frames_come_back_sealed_with_a_checksum(tmp_path: Path) -> None:
    original = orient_frame(3, flags=wire.FLAG_BACKFILL | wire.FLAG_MOTOR_ON)
    buffer = bytearray(original)
    buffer[1] |= wire.FLAG_AUTHENTICATED
    with Store(tmp_path) as store:
        store.append(begin(store), opened([bytes(buffer)]), [utc_s(3)])
    with Store.open_readonly(tmp_path) as reader:
        (rebuilt,) = reader.frames(T0_S, T0_S + 10)
    assert rebuilt.data == original
    open_frame(rebuilt.data)


def test_status_of_an_older_and_a_later_board_comes_back_bit_exact(tmp_path: Path) -> None:
    """A later minor appends fields; what is stored is what came."""
    ours = status_frame(4)
    bodies = [ours[: frame_sizes(wire.STATUS)[0] - wire.TAG_SIZE], ours[: -wire.TAG_SIZE] + bytes(9)]
    frames = []
    for seq, body in enumerate(bodies):
        buffer = bytearray(body + bytes(wire.TAG_SIZE))
        buffer[4] = seq
        wire.seal(buffer, len(buffer))
        frames.append(bytes(buffer))
    with Store(tmp_path) as store:
        assert store.append(begin(store), opened(frames), [utc_s(0), utc_s(1)]) == 2
    with Store.open_readonly(tmp_path) as reader:
        assert [f.data for f in reader.frames(T0_S, T0_S + 10)] == frames


def test_samples_are_spread_from_frame_to_frame(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        store.append(session, opened([orient_frame(k) for k in range(400)]), [utc_s(k) for k in range(400)])
        store.commit()
        store.append(
            session, opened([orient_frame(k) for k in range(400, 410)]), [utc_s(k) for k in range(400, 410)]
        )
        store.commit()
        with Store.open_readonly(tmp_path) as reader:
            samples = reader.samples(T0_S + 1, T0_S + 81.9)
    assert samples.index.tolist() == list(range(50, 4095))
    assert np.abs(np.diff(samples.t_s) - 0.02).max() < 2e-6  # stored in whole microseconds
    assert samples.counts.shape == (4045, 7)
    assert abs(samples.counts[:, 6].mean() - 8192) < 2  # counts; noise of 20 over 4,000 samples


def test_commit_settles_up_to_the_first_hole(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store, first_seq=100)
        assert store.commit().settled[session] == 99
        fill(store, session, 100, 105)
        fill(store, session, 110, 115)
        assert store.commit().settled[session] == 104
        fill(store, session, 105, 109)
        assert store.commit().settled[session] == 108
        store.mark_lost(session, 109, 109)
        assert store.commit().settled[session] == 114


def test_a_frame_is_stored_once_whatever_is_repeated(tmp_path: Path) -> None:
    frames, times = [frame(k) for k in range(400)], [utc_s(k) for k in range(400)]
    with Store(tmp_path) as store:
        session = begin(store)
        assert store.append(session, opened(frames[:300]), times[:300]) == 300
        assert store.append(session, opened(frames[:300]), times[:300]) == 0
        store.commit()
        assert store.append(session, opened(frames[::-1]), times[::-1]) == 100
    with Store(tmp_path) as store:
        assert store.append(begin(store), opened(frames), times) == 0
    with Store.open_readonly(tmp_path) as reader:
        assert [f.data for f in reader.frames(T0_S, T0_S + 100)] == frames


def test_late_backfill_and_two_boots_sort_themselves_out(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        first, second = begin(store, boot=7), begin(store, boot=8)
        fill(store, first, 0, 50)
        store.commit()
        store.append(
            second, opened([orient_frame(k, boot=8) for k in range(9)]), [utc_s(k) + 3600 for k in range(9)]
        )
        store.commit()
        fill(store, first, 50, 100)
        store.commit()
    with Store.open_readonly(tmp_path) as reader:
        found = [unpack_header(f.data) for f in reader.frames(T0_S, T0_S + 9000)]
    assert [(h[2], h[3]) for h in found] == [(7, k) for k in range(100)] + [(8, k) for k in range(9)]


def test_a_month_change_makes_two_files_and_old_months_can_go(tmp_path: Path) -> None:
    march = 1_772_323_200.0  # 2026-03-01 00:00:00 UTC
    with Store(tmp_path) as store:
        session = begin(store)
        store.append(
            session, opened([orient_frame(k) for k in range(20)]), [march - 2 + 0.2 * k for k in range(20)]
        )
        store.close()
    assert sorted(p.name for p in tmp_path.glob("raw-*.db")) == ["raw-2026-02.db", "raw-2026-03.db"]
    with Store.open_readonly(tmp_path) as reader:
        assert len(reader.frames(march - 9, march + 9)) == 20
    with Store(tmp_path, now_s=lambda: march) as store:
        store.put_setting(KEEP_RAW, 1)
        store.commit()
        assert [p.name for p in store.retire()] == ["raw-2026-02.db"]


def test_a_chunk_that_starts_with_the_same_frame_keeps_the_frames_of_both(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        fill(store, begin(store), 0, 300)
    (tmp_path / "core.db").unlink()  # the list of received frames is lost; the board sends its newest again
    with Store(tmp_path) as store:
        fill(store, begin(store), 0, 20)
    with Store.open_readonly(tmp_path) as reader:
        assert [f.data for f in reader.frames(T0_S, T0_S + 100)] == [frame(k) for k in range(300)]


def test_aggregates_of_a_minute_replace_within_a_session_and_add_across(tmp_path: Path) -> None:
    start = T0_S - T0_S % 60
    with Store(tmp_path) as store:
        one, two = begin(store), begin(store)
        store.put_aggregates(one, [minute(start, seconds=10)])
        store.commit()
        store.put_aggregates(one, [minute(start, seconds=30)])
        store.put_aggregates(two, [minute(start, seconds=12.5)])
    with Store.open_readonly(tmp_path) as reader:
        (day,) = reader.days()
        (merged,) = agg.merge_by_minute(reader.day(day).minutes)
        (totals,) = reader.totals(day, day)
    assert merged.covered_s == pytest.approx(42.5, abs=2e-3)  # stored in ms
    assert totals.posture_s == pytest.approx(42.5)
    assert totals.percent_above_deg == {15: 100.0, 20: 100.0, 30: 0.0, 45: 0.0, 60: 0.0}
    assert totals.mean_deg == pytest.approx(20.5)


def test_an_aggregate_survives_its_compact_form() -> None:
    from tiltwise.store.files.codec import pack_aggregate, unpack_aggregate

    row = minute(600.0, 33, 59.98)
    row = replace(row, limit_use=0.75, bout_s=44.0, lateral_deg=(-3.5, 12.25))
    row.eva_s[3, 6] = 7000.0
    back = unpack_aggregate(600.0, pack_aggregate(row))
    np.testing.assert_allclose(back.flexion_s, row.flexion_s, atol=1e-9)
    assert np.array_equal(back.eva_s, row.eva_s)
    assert (back.limit_use, back.bout_s, back.lateral_deg) == (0.75, 44.0, (-3.5, 12.25))
    assert np.isnan(back.rotation_deg).all()
    assert len(pack_aggregate(row)) < 150  # bytes
    rng = np.random.default_rng(1)
    row.flexion_s[:] = 0
    for angle in rng.normal(24, 1.5, 3000):
        row.flexion_s[rng.integers(2), agg.flexion_bin(angle)] += 0.02
    assert np.array_equal(
        unpack_aggregate(600.0, pack_aggregate(row)).flexion_s.round(3), row.flexion_s.round(3)
    )
    assert len(pack_aggregate(row)) < 350


def minute_of_version_1() -> bytes:
    """Return a blob as versions of the store up to 3 wrote it: moving at 9 deg for 20 ms, at 10 deg for 59.96 s."""

    def table(first: int, *ms: int) -> bytes:
        return struct.pack(f"<HH{len(ms)}I", first, len(ms), *ms)

    head = struct.pack("<6f", 0.75, 44.0, -3.5, 12.25, math.nan, math.nan)
    tables = table(0, 59_980, 20) + table(210 + 99, 20, 59_960) + table(3, 60_000) + table(7, 5000, 6000)
    return zlib.compress(head + tables, 1)


def test_a_minute_of_the_first_version_keeps_its_seconds_and_spreads_a_degree_evenly() -> None:
    from tiltwise.store.files.codec import unpack_aggregate

    back = unpack_aggregate(600.0, minute_of_version_1())
    assert back.activity_s.tolist() == [59.98, 0.02, 0, 0, 0]
    assert np.flatnonzero(back.flexion_s).tolist() == list(range(2100 + 990, 2100 + 1010))
    assert back.flexion_s[1, 990:1000] == pytest.approx([0.002] * 10)
    assert back.flexion_s[1, 1000:1010] == pytest.approx([5.996] * 10)
    assert back.percentiles_deg(50)[0] == pytest.approx(10.5, abs=0.001)
    assert (back.rate_s[3], back.eva_s[1, 0], back.eva_s[1, 1]) == (60.0, 5.0, 6.0)
    assert (back.start_s, back.limit_use, back.bout_s, back.lateral_deg) == (600.0, 0.75, 44.0, (-3.5, 12.25))


def test_events_return_with_utc_times_and_repeat_harmlessly(tmp_path: Path) -> None:
    bent = EpisodeEnded(50.0, PostureKind.FORWARD_FLEXION, 10.0, 48.0, 41.5, 40.0)
    rep = RepCompleted(60.0, "side_tilt", Side.LEFT, 55.0, 57.0, 59.0, 33.0, hold_s=1.5)
    with Store(tmp_path) as store:
        session = begin(store)
        for _ in range(2):
            store.put_events(session, [bent, rep], T0_S)
            store.commit()
        store.put_gap(session, T0_S + 100, T0_S + 160, "disconnected")
    with Store.open_readonly(tmp_path) as reader:
        day = reader.day(date(2026, 2, 25))
    assert day.events == [
        replace(bent, t_s=T0_S + 50, start_s=T0_S + 10, end_s=T0_S + 48, alert_s=T0_S + 40),
        replace(rep, t_s=T0_S + 60, start_s=T0_S + 55, peak_s=T0_S + 57, end_s=T0_S + 59),
    ]
    assert [(g.start_s, g.end_s, g.reason) for g in day.gaps] == [(T0_S + 100, T0_S + 160, "disconnected")]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_local_day_has_the_hours_it_has(tmp_path: Path, day: date, hours: int) -> None:
    from tiltwise.store.local_days import day_bounds_us

    start_us, end_us = day_bounds_us(day, "Europe/Berlin")
    assert end_us - start_us == hours * 3600 * 1_000_000
    with Store(tmp_path) as store:
        rows = [minute(start_us / 1e6 + 60 * k) for k in range(-1, hours * 60 + 1)]
        store.put_aggregates(begin(store), rows)
    with Store.open_readonly(tmp_path) as reader:
        assert len(reader.day(day).minutes) == hours * 60
        assert len(reader.days()) == 3
        assert reader.totals(day, day)[0].covered_s == pytest.approx(hours * 3600)


def test_a_reader_sees_a_consistent_store_while_it_is_written(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        store.commit()
        with Store.open_readonly(tmp_path) as reader:
            for first in range(0, 900, 5):
                fill(store, session, first, first + 5)
                store.commit()
                if first % 100 == 0:
                    assert len(reader.frames(T0_S, T0_S + 1e4)) == first + 5


def test_a_second_writer_is_told_who_holds_the_store(tmp_path: Path) -> None:
    said = r"process \d+, since 2026-02-25 06:13:20 UTC"
    with Store(tmp_path, now_s=lambda: T0_S), pytest.raises(StoreError, match=said):
        Store(tmp_path)
    Store(tmp_path).close()


def test_little_room_is_told_and_a_full_disk_leaves_the_samples_to_the_board(tmp_path: Path) -> None:
    free = [10_000]
    with Store(tmp_path, min_free_bytes=5_000, free_bytes=lambda _: free[0]) as store:
        session = begin(store)
        fill(store, session, 0, 5)
        assert store.commit().warning is None
        free[0] = 4_000
        fill(store, session, 5, 10)
        done = store.commit()
        assert "free some space" in str(done.warning)
        assert done.settled[session] == 9, "what is acknowledged is stored"
        free[0] = 199  # bytes; below a 25th of the limit
        fill(store, session, 10, 15)
        store.put_aggregates(session, [minute(T0_S)])
        done = store.commit()
        assert "wait on the board" in str(done.warning)
        assert (done.frames, done.settled[session]) == (0, 9)
        with store.open_readonly(tmp_path) as reader:
            assert len(reader.day(date(2026, 2, 25)).minutes) == 1
        free[0] = 10_000
        done = store.commit()
        assert (done.warning, done.frames, done.settled[session]) == (None, 5, 14)
    with Store.open_readonly(tmp_path) as reader:
        assert [read_frame(f.data).seq for f in reader.frames(T0_S, T0_S + 9)] == list(range(15))


def test_closing_on_a_full_disk_says_what_is_not_stored(tmp_path: Path) -> None:
    store = Store(tmp_path, min_free_bytes=5_000, free_bytes=lambda _: 0)
    fill(store, begin(store), 0, 5)
    with pytest.raises(StoreError, match="5 frames not stored"):
        store.close()


def test_a_locked_database_costs_nothing_but_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_MS", 20)
    with Store(tmp_path) as store:
        session = begin(store)
        store.commit()
        other = sqlite3.connect(tmp_path / "core.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        fill(store, session, 0, 5)
        with pytest.raises(StoreError, match="another program holds it"):
            store.commit()
        fill(store, session, 5, 10)
        other.execute("ROLLBACK")
        other.close()
        done = store.commit()
        assert (done.frames, done.settled[session]) == (10, 9)
    with Store.open_readonly(tmp_path) as reader:
        assert len(reader.frames(T0_S, T0_S + 9)) == 10


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="choose another") as caught:
        Store(tmp_path / "file" / "store")
    assert "\n" not in str(caught.value)


def test_reading_where_nothing_was_recorded_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="tiltwise demo"):
        Store.open_readonly(tmp_path)


def test_an_unknown_zone_is_named(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with Store.open_readonly(tmp_path) as reader, pytest.raises(StoreError, match="IANA"):
        reader.days("Mars/Olympus")


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    Store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "core.db")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StoreError, match=r"version 99.*update tiltwise"):
        Store(tmp_path)
    with pytest.raises(StoreError, match=r"version 99.*update tiltwise"):
        Store.open_readonly(tmp_path)


def test_migration_keeps_the_data_and_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path) as store:
        fill(store, begin(store), 0, 10)
    step = "ALTER TABLE device ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';\n"
    monkeypatch.setattr(schema, "CORE_MIGRATIONS", (*schema.CORE_MIGRATIONS, step))
    Store(tmp_path).close()
    with Store.open_readonly(tmp_path) as reader:
        assert reader.devices() == ["board-1"]
    before = len(schema.CORE_MIGRATIONS) - 1
    for name, version in (("core.db", before + 1), (f"core.db.backup-v{before}", before)):
        db = sqlite3.connect(tmp_path / name)
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        assert db.execute("SELECT name FROM device").fetchone() == ("board-1",)
        db.close()


def test_a_store_in_whole_degrees_is_read_as_it_is_and_after_its_migration(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.put_aggregates(begin(store), [minute(T0_S // 60 * 60, 33)])
    db = sqlite3.connect(tmp_path / "core.db")
    db.execute("UPDATE aggregate SET data = ?, algorithm = 2", (minute_of_version_1(),))
    db.execute("PRAGMA user_version=3")
    db.commit()
    db.close()
    day = date.fromtimestamp(T0_S)
    for _ in range(2):
        with Store.open_readonly(tmp_path) as reader:
            (row,) = reader.day(day, "UTC").minutes
        assert (row.posture_s, row.percentiles_deg(50)[0]) == pytest.approx((59.98, 10.5), abs=1e-3)
        Store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "core.db")
    assert db.execute("PRAGMA user_version").fetchone() == (4,)
    db.close()


def test_a_failing_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).close()
    step = "ALTER TABLE device ADD COLUMN colour TEXT;\nSELECT * FROM no_such_table;\n"
    monkeypatch.setattr(schema, "CORE_MIGRATIONS", (*schema.CORE_MIGRATIONS, step))
    with pytest.raises(StoreError, match="no such table"):
        Store(tmp_path)
    monkeypatch.undo()
    Store(tmp_path).close()


def test_frames_of_another_boot_or_cut_short_are_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        session = begin(store)
        with pytest.raises(wire.WireError, match="boot 9"):
            store.append(session, opened([status_frame(1, boot=9)]), [T0_S])
        with pytest.raises(wire.WireError):
            store.append(session, opened([orient_frame(1)[:-3]]), [T0_S])
