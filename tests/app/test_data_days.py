"""Clocks that change while recording: summer time, another zone, a wall clock that is set. The day stays right."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tiltwise.live.open_session import Worn, open_session
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store
from tiltwise.types import Mount
from tiltwise_lab.bench.storage.killed_host import frames_of

BERLIN = "Europe/Berlin"
SECONDS = 75.0
FRAMES = frames_of(1, SECONDS)
STEP_S = 0.2  # between frames


def record(
    folder: Path, started: datetime, zone: str, *, boot: int = 1, now_s: Iterator[float] | None = None
) -> None:
    """Run a session of 75 s that begins then; `now_s` is what the wall clock says each time it is asked."""
    clock = now_s or count(started.timestamp(), 1.0)
    store = Store(folder, min_free_bytes=0, now_s=lambda: next(clock))
    session = open_session(
        Worn(mount=Mount.NECK, mounting=mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)),
        started_utc_s=started.timestamp(),
        zone=zone,
        device="clip",
        store=store,
    )
    for k, frame in enumerate(FRAMES if boot == 1 else frames_of(boot, SECONDS)):
        session.receive(STEP_S * k, frame)
    session.finish()
    assert session.unsaved == ""


def read_day(folder: Path, day: date, zone: str | None = None) -> StoredDay:
    with Store.open_readonly(folder) as reader:
        return reader.day(day, zone)


def covered_s(day: StoredDay) -> float:
    return float(sum(minute.covered_s for minute in day.minutes))


@pytest.mark.parametrize(
    ("started", "day", "hours"),
    [
        (datetime(2026, 3, 29, 0, 59, 20, tzinfo=UTC), date(2026, 3, 29), 23),
        (datetime(2026, 10, 25, 0, 59, 20, tzinfo=UTC), date(2026, 10, 25), 25),
    ],
    ids=["spring", "autumn"],
)
def test_the_clocks_change_while_recording(tmp_path: Path, started: datetime, day: date, hours: int) -> None:
    record(tmp_path, started, BERLIN)
    found = read_day(tmp_path, day)
    assert (found.end_s - found.start_s) / 3600 == hours
    assert covered_s(found) == pytest.approx(SECONDS, abs=1.0)  # the last sample has no end of its own
    starts = [minute.start_s for minute in found.minutes]
    assert starts == sorted(set(starts)), "no minute twice: 2:30 exists twice, its UTC only once"
    assert np.all(np.diff(starts) == 60)


def test_midnight_while_recording_divides_the_minutes(tmp_path: Path) -> None:
    record(
        tmp_path, datetime(2026, 12, 31, 22, 59, 20, tzinfo=UTC), BERLIN
    )  # 23:59 in Berlin, at the year's end
    old, new = (read_day(tmp_path, day) for day in (date(2026, 12, 31), date(2027, 1, 1)))
    assert covered_s(old) == pytest.approx(40.0, abs=1.0)
    assert covered_s(new) == pytest.approx(SECONDS - 40, abs=1.0)


def test_another_zone_in_the_middle_of_the_day_counts_everything_once(tmp_path: Path) -> None:
    record(tmp_path, datetime(2026, 6, 1, 20, 0, tzinfo=UTC), BERLIN)
    record(tmp_path, datetime(2026, 6, 2, 5, 0, tzinfo=UTC), "America/New_York", boot=2)
    with Store.open_readonly(tmp_path) as reader:
        assert reader.zone() == "America/New_York"
        days = reader.days()
        total = sum(covered_s(reader.day(day)) for day in days)
        at_home = sum(covered_s(reader.day(day, BERLIN)) for day in reader.days(BERLIN))
    assert total == at_home == pytest.approx(2 * SECONDS, abs=2.0)
    assert days == [date(2026, 6, 1), date(2026, 6, 2)]  # 16:00 and 1:00 of the next day in New York


def test_the_leap_day_is_a_day_between_its_neighbours(tmp_path: Path) -> None:
    for boot, day in enumerate((28, 29), start=1):
        record(tmp_path, datetime(2028, 2, day, 22, 59, 20, tzinfo=UTC), BERLIN, boot=boot)  # 23:59 in Berlin
    days = (date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1))
    with Store.open_readonly(tmp_path) as reader:
        assert tuple(reader.days()) == days
    found = [read_day(tmp_path, day) for day in days]
    assert [day.end_s - day.start_s for day in found] == [86400.0] * 3
    assert [covered_s(day) for day in found] == pytest.approx([40.0, SECONDS, SECONDS - 40], abs=1.0)


def test_the_years_end_makes_two_raw_files_and_both_days_are_read(tmp_path: Path) -> None:
    record(tmp_path, datetime(2026, 12, 31, 23, 59, 20, tzinfo=UTC), "UTC")
    assert sorted(path.stem for path in tmp_path.glob("raw-*.db")) == ["raw-2026-12", "raw-2027-01"]
    with Store.open_readonly(tmp_path) as reader:
        start_s = datetime(2026, 12, 31, tzinfo=UTC).timestamp()
        assert len(list(reader.frames(start_s, start_s + 2 * 86400.0))) == len(FRAMES)


@pytest.mark.parametrize("slew", [-500e-6, 500e-6])
def test_a_wall_clock_that_is_corrected_slowly_moves_nothing(tmp_path: Path, slew: float) -> None:
    started = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    record(tmp_path, started, "UTC", now_s=(started.timestamp() + k * (1 + slew) for k in count()))
    found = read_day(tmp_path, date(2026, 6, 1))
    assert covered_s(found) == pytest.approx(SECONDS, abs=1.0)
    assert found.minutes[0].start_s == started.timestamp()


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0, 400 * 86400.0])
def test_a_wall_clock_that_is_set_while_recording_moves_nothing(tmp_path: Path, step_s: float) -> None:
    started = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    record(tmp_path / "steady", started, "UTC")
    stepping = (started.timestamp() + k + (step_s if k > 2 else 0.0) for k in count())
    record(tmp_path / "stepped", started, "UTC", now_s=stepping)
    days = [read_day(tmp_path / name, date(2026, 6, 1)) for name in ("steady", "stepped")]
    assert [m.start_s for m in days[0].minutes] == [m.start_s for m in days[1].minutes]
    assert covered_s(days[0]) == covered_s(days[1]) > SECONDS - 1
    assert days[0].events == days[1].events
    assert days[0].gaps == days[1].gaps
