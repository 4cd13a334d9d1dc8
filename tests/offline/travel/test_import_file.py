"""A recording of any program becomes a stored day, at the time that it states or that was given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from command import Command, assert_one_line
from tiltwise.errors import UsageError
from tiltwise.offline.travel.import_file import start_of
from tiltwise.store.reader import StoreReader


def write_phone_on_a_cap(path: Path, *, epoch_s: float = 0.0, seconds: float = 150.0) -> None:
    """Write a CSV at 50 Hz: upright and still, three nods, then 60 s bent by 35 deg, then upright."""
    t = np.arange(0, seconds, 0.02)
    flexion = np.interp(t, [0, 20, 22, 82, 84, seconds], [0, 0, 35, 35, 0, 0])
    for k in range(3):
        flexion += (
            25 * np.clip(np.sin(np.pi * (t - 5 - 3 * k) / 2), 0, None) * ((t > 5 + 3 * k) & (t < 7 + 3 * k))
        )
    angle = np.radians(flexion + 0.8 * np.sin(2 * np.pi * 0.25 * t))  # who breathes is not a table
    gyr = np.stack((np.zeros_like(t), np.gradient(angle, t), np.zeros_like(t)), axis=1)
    acc = 9.80665 * np.stack((-np.sin(angle), np.zeros_like(t), np.cos(angle)), axis=1)
    rng = np.random.default_rng(3)
    table = np.column_stack(
        (t + epoch_s, acc + rng.normal(0, 0.01, acc.shape), gyr + rng.normal(0, 0.001, gyr.shape))
    )
    names = "t_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"
    np.savetxt(path, table, fmt="%.6f", delimiter=",", header=names, comments="")


def test_a_file_becomes_a_day_at_the_time_that_is_given(tiltwise: Command, tmp_path: Path) -> None:
    path, store = tmp_path / "cap.csv", tmp_path / "store"
    write_phone_on_a_cap(path)
    assert_one_line(tiltwise("import", path, "--data", store), 2, "--start 2026-03-01T09:00")
    arguments = ("import", path, "--data", store, "--mount", "head", "--start", "2026-03-01T09:00+00:00")
    result = tiltwise(*arguments)
    assert result.code == 0, result.err
    assert "2 min 30 s" in result.out
    with StoreReader(store) as reader:
        (day,) = reader.days()
        summary = reader.day(day).summary()
    assert day == date(2026, 3, 1)
    assert summary.mount == "head"
    assert summary.minutes[0].start_s == datetime(2026, 3, 1, 9, tzinfo=UTC).timestamp()
    down_s = summary.percent_above_deg[20] / 100 * summary.posture_s
    assert down_s == pytest.approx(61, abs=4)  # s; 60 bent and the way there, and what the nods add
    assert "not stored" not in result.out
    assert tiltwise("export", tmp_path / "sto", "--as", "sto", "--data", store).code == 0
    (table,) = (tmp_path / "sto").glob("samples-*.sto")
    q = np.loadtxt(table, delimiter=",", skiprows=6, converters={0: lambda cell: float(cell.split("\t")[1])})
    tilt_deg = np.degrees(np.arccos(1 - 2 * (q[:, 1] ** 2 + q[:, 2] ** 2)))
    assert len(q) == 150 * 50
    assert np.median(tilt_deg[25 * 50 : 80 * 50]) == pytest.approx(35, abs=0.5)
    said = tiltwise(*arguments)
    assert_one_line(said, 1, "stored already", "--erase")
    assert tiltwise("data", "--erase", "2026-03-01", "--yes", "--data", store).code == 0
    again = tiltwise(*arguments)  # the store does not take again what was erased, and that is told
    assert again.code == 0
    assert "the raw samples of " in again.out
    with StoreReader(store) as reader:
        assert reader.frames(0.0, 4e9) == []


def test_a_file_with_times_of_a_clock_says_itself_when(tiltwise: Command, tmp_path: Path) -> None:
    epoch_s = datetime(2026, 5, 6, 7, 8, tzinfo=UTC).timestamp()
    write_phone_on_a_cap(tmp_path / "cap.csv", epoch_s=epoch_s, seconds=100)
    assert tiltwise("import", tmp_path / "cap.csv", "--data", tmp_path / "store").code == 0
    with StoreReader(tmp_path / "store") as reader:
        assert reader.day(date(2026, 5, 6)).summary().minutes[0].start_s == epoch_s


def test_our_own_recording_is_read_with_what_it_says(
    tiltwise: Command, demo_folder: Path, tmp_path: Path
) -> None:
    (recording,) = demo_folder.glob("*.tw")
    result = tiltwise("import", recording, "--data", tmp_path / "store")
    assert result.code == 0, result.err
    with StoreReader(demo_folder) as was, StoreReader(tmp_path / "store") as now:
        (day,) = was.days()
        assert now.days() == [day]
        a, b = was.day(day).summary(), now.day(day).summary()
    assert b.worn_s == pytest.approx(a.worn_s, abs=15)  # s; with the calibration known, its seconds count too
    assert b.mount == a.mount


def test_what_a_start_may_be() -> None:
    nine_s = datetime(2026, 3, 1, 9, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert start_of("2026-03-01T09:00", "Europe/Berlin", None, Path("f")) == nine_s
    assert start_of("2026-03-01T09:00+01:00", "UTC", 5.0, Path("f")) == nine_s
    assert start_of("", "UTC", 1.7e9, Path("f")) == 1.7e9
    for text, stated in (("", 5.0), ("", None), ("soon", 1.7e9), ("1926-01-01", None), ("9999-12-31", None)):
        with pytest.raises(UsageError):
            start_of(text, "UTC", stated, Path("f"))
