"""`tiltwise day`: the stored day as a picture and figures, and clear words where there is none."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from command import Command, assert_one_line
from tiltwise.app.day import day_table, load_day, parse_day
from tiltwise.errors import UsageError
from tiltwise.report.exposure import ExposureAccumulator
from tiltwise.store.writer import Store
from tiltwise.types import Mount, ShouldersRaised


def test_the_demo_day_is_drawn_and_summed_up(tiltwise: Command, demo_folder: Path, tmp_path: Path) -> None:
    result = tiltwise("day", "--data", demo_folder, "--out", tmp_path / "day.png")
    assert (result.code, result.err) == (0, "")
    assert (tmp_path / "day.png").read_bytes().startswith(b"\x89PNG")
    rows = dict(line.split("  ", 1) for line in result.out.splitlines() if "  " in line)
    assert rows["alerts"].strip() == "1"
    assert rows["exercise repetitions"].strip() == "10"
    assert "plot: " in result.out


def test_the_picture_has_the_name_of_the_day_by_default(tiltwise: Command, demo_folder: Path) -> None:
    day = load_day(demo_folder, None).day
    assert tiltwise("day", "--data", demo_folder).code == 0
    assert Path(f"tiltwise-{day}.png").exists()


def test_a_day_without_data_names_the_nearest_one(tiltwise: Command, demo_folder: Path) -> None:
    newest = load_day(demo_folder, None).day
    assert_one_line(tiltwise("day", "2020-02-29", "--data", demo_folder), 1, "2020-02-29", str(newest))
    assert not list(Path().glob("*.png"))


def test_no_store_at_all_says_what_to_run(tiltwise: Command, home: Path) -> None:
    assert_one_line(tiltwise("day"), 1, str(home), "tiltwise demo")
    assert not home.exists(), "reading must not make a store"


def test_an_empty_store_says_what_to_run(tiltwise: Command, tmp_path: Path) -> None:
    Store(tmp_path / "new").close()
    assert_one_line(tiltwise("day", "--data", tmp_path / "new"), 1, "nothing recorded yet", "tiltwise watch")


def test_no_angle_is_minus_zero(demo_folder: Path) -> None:
    day = load_day(demo_folder, None)
    day = replace(day, summary=replace(day.summary, percentiles_deg=(-0.3, -0.0, 12.0)))
    console = Console(width=80)
    with console.capture() as said:
        console.print(day_table(day))
    assert "0 / 0 / 12 deg" in said.get()
    assert "-0" not in said.get().replace(str(day.day), "")


def test_a_store_that_is_none_is_told(tiltwise: Command, tmp_path: Path) -> None:
    (tmp_path / "core.db").write_bytes(b"this was never a database" * 400)
    assert_one_line(tiltwise("day", "--data", tmp_path), 1, "core.db")


def test_dates() -> None:
    assert parse_day("2024-02-29") == date(2024, 2, 29)
    for text in ("2023-02-29", "", "29.2.2024", "9" * 50):
        with pytest.raises(UsageError, match="expected YYYY-MM-DD"):
            parse_day(text)


def test_days_can_be_named_from_today() -> None:
    today = date(2026, 3, 1)
    assert parse_day("today", today) == today
    assert parse_day("yesterday", today) == date(2026, 2, 28)
    assert parse_day("-1", today) == date(2026, 2, 28)
    assert parse_day("-30", today) == date(2026, 1, 30)


def test_minus_one_is_a_day_on_the_command_line(tiltwise: Command, demo_folder: Path) -> None:
    for word in ("-1", "yesterday"):
        assert_one_line(tiltwise("day", word, "--data", demo_folder), 1, "nothing was recorded on 20")
    assert_one_line(tiltwise("day", "--nonsense", "--data", demo_folder), 2, "--nonsense", "yesterday")


def test_the_demo_is_found_before_there_is_a_day_of_ones_own(tiltwise: Command, demo_folder: Path) -> None:
    shutil.copytree(demo_folder, Path("tiltwise-demo") / "20260105-100000")
    result = tiltwise("day")
    assert (result.code, result.err) == (0, "")
    said = " ".join(result.out.split())
    assert "nothing of your own is stored yet: this is the demo in tiltwise-demo/20260105-100000" in said


def test_shoulders_that_went_up_and_stayed_are_counted_as_an_estimate(
    tiltwise: Command, tmp_path: Path
) -> None:
    start_s = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()
    with Store(tmp_path, min_free_bytes=0) as store:
        row = store.begin_session("board", 1, zone="UTC", mount=Mount.COLLAR, started_s=start_s)
        t_s = start_s + np.arange(0, 600.0, 0.2)
        minutes = ExposureAccumulator()
        rows = minutes.process(t_s, np.full(len(t_s), 5.0), np.zeros(len(t_s), np.int8))
        store.put_aggregates(row, [*rows, *minutes.finish()], 0)
        store.put_events(
            row, [ShouldersRaised(240.0, 209.0, 0.03), ShouldersRaised(500.0, 469.0, 0.02)], start_s
        )
        store.commit()
    shown = tiltwise("day", "--data", tmp_path, "--out", tmp_path / "day.png").out
    assert re.search(r"shoulders raised +2 times without a drop \(estimated\)", shown)
