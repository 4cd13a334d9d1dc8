"""`tiltwise data`: what it tells, what it erases and what it leaves, and the store built again from recordings."""

import errno
import shutil
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from rich.console import Console

from command import Command, assert_one_line
from offline.imu_file_samples import leaning
from store.store_frames import frame, opened
from tiltwise.app.data import data_json, data_table, plan_erase, plan_keep_raw, plan_rebuild, print_check
from tiltwise.common.frame import unpack_header
from tiltwise.config.settings import RuleKind, RuleSetting, Settings
from tiltwise.errors import AppError, UsageError
from tiltwise.live.open_session import Worn, open_session
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.time_check import TimeCheck
from tiltwise.store.overview import CheckedDay, overview
from tiltwise.store.writer import Store, StoreError
from tiltwise.types import EpisodeAlert, Mount, PostureKind

MAY = datetime(2026, 5, 30, 12, tzinfo=UTC).timestamp()
DAY_S = 86400.0
SECRET = "5" * 40


def minute(start_s: float) -> Aggregate:
    activity = np.zeros(5)
    activity[0] = 60.0
    flexion = np.zeros((2, agg.N_FLEXION))
    flexion[0, 50] = 60.0
    return Aggregate(
        start_s,
        activity,
        flexion,
        np.zeros(agg.N_RATE),
        np.zeros(agg.EVA_SHAPE),
        0.0,
        0.0,
        (0.0, 0.0),
        (0.0, 0.0),
    )


def fill(folder: Path, starts_s: list[float], device: str = "clip") -> None:
    """Store a minute, an alert, a gap and five frames at each time."""
    for boot, start_s in enumerate(starts_s, start=1):
        with Store(folder, min_free_bytes=0, now_s=lambda: MAY) as store:
            session = store.begin_session(device, boot, zone="UTC", mount=Mount.NECK, started_s=start_s)
            store.put_aggregates(session, [minute(start_s)])
            store.put_events(session, [EpisodeAlert(10.0, PostureKind.FORWARD_FLEXION, 0.0, 31.0)], start_s)
            store.put_gap(session, start_s + 70, start_s + 100, "lost on the way")
            store.append(
                session,
                opened([frame(k, boot=boot) for k in range(5)]),
                [start_s + 0.2 * k for k in range(5)],
            )


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(folder / "core.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def seqs(folder: Path, start_s: float) -> list[int]:
    with Store.open_readonly(folder) as reader:
        return [unpack_header(f.data)[3] for f in reader.frames(start_s - 1, start_s + 60)]


def said(folder: Path) -> str:
    console = Console(width=200, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(data_table(folder, overview(folder)))
    return capture.get()


def test_size_range_days_and_gaps_by_reason_are_told(tmp_path: Path) -> None:
    fill(tmp_path, [MAY, MAY + DAY_S])
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("clip", 9, zone="UTC", mount=Mount.NECK, started_s=MAY)
        store.put_gap(session, MAY, MAY + 3600, "<b>\x1b[31mfull\u202e")
    seen = overview(tmp_path)
    assert seen.days == (date(2026, 5, 30), date(2026, 5, 31))
    assert (seen.first_s, seen.last_s) == (MAY, MAY + DAY_S + 60)
    assert [(gap.count, gap.seconds) for gap in seen.gaps] == [(1, 3600.0), (2, 60.0)]
    text = said(tmp_path)
    assert "2026-05-30 12:00 to 2026-05-31 12:01 UTC" in text
    assert "lost on the way: 2, 1 min 0 s" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    told = data_json(tmp_path, seen)
    assert told["size_bytes"] == sum(p.stat().st_size for p in tmp_path.glob("*.db*"))


def test_a_hostile_device_name_is_shown_without_its_teeth(tmp_path: Path) -> None:
    fill(tmp_path, [MAY], device="../<script>\x1b]0;x\x07\u202e" + "x" * 10_000)
    text = said(tmp_path)
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert "x" * 100 not in text


def test_an_erased_day_is_gone_and_the_others_are_whole(tmp_path: Path) -> None:
    days = [MAY - DAY_S, MAY, MAY + DAY_S, MAY + 3 * DAY_S]  # the last one in the next month's file
    fill(tmp_path, days)
    before = [seqs(tmp_path, t) for t in days]
    change = plan_erase(tmp_path, "2026-05-30", lambda: MAY)
    assert "2026-05-30" in change.question
    assert "3 other days" in change.question
    assert "erased 1 minute, 1 event and 5 frames" in change.do()
    assert overview(tmp_path).days == (date(2026, 5, 29), date(2026, 5, 31), date(2026, 6, 2))
    assert [seqs(tmp_path, t) for t in days] == [before[0], [], before[2], before[3]]
    assert len(rows(tmp_path, "SELECT * FROM gap")) == 3
    assert len(rows(tmp_path, "SELECT * FROM event")) == 3
    with Store(tmp_path, min_free_bytes=0) as store:  # the board is not asked for it again
        session = store.begin_session("clip", 2, zone="UTC", mount=Mount.NECK, started_s=MAY)
        assert store.append(session, opened([frame(3, boot=2)]), [MAY + 0.6]) == 0


def test_a_gap_over_midnight_keeps_its_part_of_the_other_day(tmp_path: Path) -> None:
    midnight = MAY + DAY_S / 2
    fill(tmp_path, [MAY])
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("clip", 5, zone="UTC", mount=Mount.NECK, started_s=MAY)
        store.put_gap(session, midnight - 600, midnight + 900, "off")
    plan_erase(tmp_path, "2026-05-30").do()
    assert rows(tmp_path, "SELECT start_us, end_us FROM gap") == [(midnight * 1e6, (midnight + 900) * 1e6)]


def test_what_is_erased_cannot_be_read_from_the_files(tmp_path: Path) -> None:
    fill(tmp_path, [MAY, MAY + DAY_S])
    with Store(tmp_path, min_free_bytes=0) as store:
        session = store.begin_session("clip", 8, zone="UTC", mount=Mount.NECK, started_s=MAY)
        store.put_gap(session, MAY, MAY + 1, SECRET)
    assert any(SECRET.encode() in p.read_bytes() for p in tmp_path.iterdir())
    plan_erase(tmp_path, "2026-05-30").do()
    assert not any(SECRET.encode() in p.read_bytes() for p in tmp_path.iterdir())


def test_erasing_all_leaves_what_is_not_data(tmp_path: Path) -> None:
    fill(tmp_path, [MAY])
    kept = [tmp_path / "me.calibration.toml", tmp_path / "walk.tw", tmp_path / "core.db.txt"]
    for path in kept:
        path.write_text("mine")
    (tmp_path / "core.db.backup-v1").write_text("old")
    aside = tmp_path / "before-rebuild-20260530T120000Z"
    shutil.copytree(tmp_path, aside, ignore=shutil.ignore_patterns("*.tw", "*.toml", "*.txt", "writer.lock"))
    assert overview(tmp_path).copies_bytes > (aside / "core.db").stat().st_size
    change = plan_erase(tmp_path, "all")
    assert "everything" in change.question
    assert "are free again" in change.do()
    left = {p.name for p in tmp_path.iterdir()} - {"writer.lock"}
    assert left == {p.name for p in kept}
    with pytest.raises(StoreError, match="no recordings"):
        overview(tmp_path)


def test_where_nothing_is_stored_there_is_nothing_to_erase(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(AppError, match="nothing is stored in"):
            plan_erase(folder, "all")
    assert not list(tmp_path.iterdir())


def test_nothing_is_erased_under_a_running_watch(tmp_path: Path) -> None:
    fill(tmp_path, [MAY])
    with Store(tmp_path, min_free_bytes=0):
        for what in ("all", "2026-05-30"):
            with pytest.raises(
                StoreError, match=r"is being written by .*: stop that one, or .* --person NAME"
            ):
                plan_erase(tmp_path, what).do()
    assert seqs(tmp_path, MAY) == [0, 1, 2, 3, 4]


def test_a_disk_that_cannot_be_written_is_one_plain_line(
    tiltwise: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, [MAY])

    def refuse(path: Path, **_: object) -> NoReturn:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("tiltwise.store.erase.whole_file", refuse)
    for what in ("ALL", "2026-05-30"):
        said = tiltwise("data", "--erase", what, "--yes", "--data", tmp_path)
        assert_one_line(
            said, 1, str(tmp_path / "erasing.json"), "Read-only file system; make that disk writable"
        )


@pytest.mark.parametrize(("what", "error"), [("someday", UsageError), ("2026-05-01", AppError)])
def test_a_day_that_is_none_or_has_nothing_is_refused(
    tmp_path: Path, what: str, error: type[AppError]
) -> None:
    fill(tmp_path, [MAY])
    with pytest.raises(error, match=r"YYYY-MM-DD|nearest day with data is 2026-05-30"):
        plan_erase(tmp_path, what)


def test_raw_months_beyond_the_wish_go_now_and_later(tmp_path: Path) -> None:
    fill(tmp_path, [MAY - 95 * DAY_S, MAY - 40 * DAY_S, MAY])
    assert overview(tmp_path).raw_months == ("2026-02", "2026-04", "2026-05")
    change = plan_keep_raw(tmp_path, 2, lambda: MAY)
    assert "deleted 2026-02" in change.do()
    seen = overview(tmp_path)
    assert seen.raw_months == ("2026-04", "2026-05")
    assert seen.kept_months == 2
    assert len(seen.days) == 3  # angles and events stay
    fill(tmp_path, [MAY + 5 * DAY_S], device="another")
    with Store(tmp_path, min_free_bytes=0, now_s=lambda: MAY + 5 * DAY_S):
        pass
    assert overview(tmp_path).raw_months == ("2026-05", "2026-06")
    plan_keep_raw(tmp_path, 0).do()
    assert overview(tmp_path).kept_months is None


def test_a_clock_years_ahead_does_not_make_every_sample_old(tmp_path: Path) -> None:
    fill(tmp_path, [MAY])
    plan_keep_raw(tmp_path, 1, lambda: MAY + 3000 * DAY_S).do()
    assert overview(tmp_path).raw_months == ("2026-05",)


ZONE, RULE = "Europe/Berlin", RuleSetting(kind=RuleKind.SIMPLE, angle_deg=30.0, seconds=20.0)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and `day.tw` of one session: a minute of leaning with a hole, frames late by chance."""
    folder = tmp_path_factory.mktemp("lived") / "data"
    up = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.HEAD)
    started = datetime(2026, 10, 25, 0, 59, 30, 123456, tzinfo=UTC)  # the clocks go back in this minute
    header = recording_header(
        started=started, address="ble:", device="clip", zone=ZONE, mount=Mount.HEAD, mounting=up, rule=RULE,
        exercises=["chin_tuck", "not_known_any_more"],
    )  # fmt: skip
    session = open_session(
        Worn(mount=Mount.HEAD, mounting=up),
        settings=Settings(rule=RULE),
        started_utc_s=started.timestamp(),
        zone=ZONE,
        device="clip",
        store=Store(folder, min_free_bytes=0),
        recorder=RecordingWriter(folder / "day.tw", header, start_s=0.0),
    )
    t_s, acc, gyr = leaning()
    frames = pack_imu_frames(t_s, gyr, acc, rate_hz=50.0)
    rng = np.random.default_rng(4)
    for k, packed in enumerate(frames):
        if not 200 <= k < 215:  # 3 s that did not arrive
            session.receive(7.77 + 0.2 * k + rng.exponential(0.0137), packed)
    session.finish()
    assert session.unsaved == ""
    return folder


def comparable(folder: Path) -> list[list[tuple[object, ...]]]:
    """Everything that a day is made of, without the numbers that SQLite gives."""
    join = "JOIN session ON session.id = session_id JOIN device ON device.id = device_id"
    return [
        rows(
            folder,
            "SELECT name, boot, sensor, start_us, covered_s, mean_deg, aggregate.data "
            f"FROM aggregate {join} ORDER BY 1, 2, 3, 4",
        ),
        rows(folder, f"SELECT name, boot, utc_us, kind, event.data FROM event {join} ORDER BY 1, 2, 3, 4, 5"),
        rows(folder, f"SELECT name, boot, start_us, end_us, reason FROM gap {join} ORDER BY 1, 2, 3, 5"),
        rows(
            folder,
            "SELECT name, boot, ranges FROM received JOIN device ON device.id = device_id ORDER BY 1, 2",
        ),
    ]


def test_a_store_built_from_its_recording_has_the_same_numbers(tmp_path: Path, lived: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(lived, folder)
    before = comparable(folder)
    assert len(before[0]) >= 2
    assert any(kind == "EpisodeAlert" for _, _, _, kind, _ in before[1])
    assert len(before[2]) == 1
    with Store.open_readonly(folder) as reader:
        frames = reader.frames(0, 4e9)
    (made,), aside = rebuild(folder, [folder / "day.tw"], now_s=MAY)
    assert made.notes == ()
    assert comparable(folder) == before
    with Store.open_readonly(folder) as reader:
        assert reader.frames(0, 4e9) == frames
    assert aside is not None
    assert comparable(aside) == before
    assert not (folder / "rebuilding").exists()


def test_a_rebuild_that_fails_leaves_the_store_as_it_was(tmp_path: Path, lived: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(lived, folder)
    before = comparable(folder)
    timeless = tmp_path / "timeless.tw"
    with RecordingWriter(timeless, {}) as writer:
        writer.write(0.0, read_frames(lived / "day.tw").frames[0])
    change = plan_rebuild(folder, [folder / "day.tw", timeless])
    assert "set aside, not deleted" in change.question
    with pytest.raises(AppError, match="does not say when it was recorded"):
        change.do()
    assert comparable(folder) == before


def test_a_rebuild_keeps_the_retention_and_tells_of_damage(tmp_path: Path, lived: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(lived, folder)
    plan_keep_raw(folder, 6).do()
    recording = folder / "day.tw"
    recording.write_bytes(recording.read_bytes()[:-7])
    assert "day.tw: its last record is cut off" in plan_rebuild(folder, [recording]).do()
    assert overview(folder).kept_months == 6


@pytest.mark.parametrize("twice", [False, True])
def test_a_rebuild_from_nothing_or_the_same_twice_is_wrong_use(tmp_path: Path, twice: bool) -> None:
    with pytest.raises(UsageError, match="--rebuild"):
        plan_rebuild(tmp_path, [tmp_path / "a.tw"] * 2 if twice else [])


def test_a_day_with_two_sensors_is_one_day_of_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    row = TimeCheck(0.0, 0.0)
    days = [CheckedDay(date(2026, 3, day), device, row) for day, device in ((1, "a"), (1, "b"), (2, "a"))]
    print_check(days, as_json=False)
    assert capsys.readouterr().out.startswith("2 days: 0 s unexplained")
