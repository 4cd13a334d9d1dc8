"""`tiltwise week|month|year` say and draw what is stored, in local days, also where the clocks change."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.history.stored_weeks import KnownDay, write_days
from command import Command, assert_one_line
from tiltwise.app.day import day_figure, load_day
from tiltwise.app.history.day_sentence import day_sentence, period_sentence
from tiltwise.app.history.period_picture import compared_figure, period_figure
from tiltwise.app.history.periods import (
    Period,
    Span,
    around,
    hour_name,
    load_period,
    parse_period,
    stretch,
)
from tiltwise.app.history.report_content import whole_summary
from tiltwise.errors import UsageError
from tiltwise.exercise.rest_tilt import RestComparison
from tiltwise.store.writer import Store

WEEK = (
    KnownDay("2026-10-12T09:00", 240, (60, 120)),
    KnownDay("2026-10-13T09:00", 240, (0, 30)),
    KnownDay("2026-10-15T23:00", 120, (50, 90)),  # over midnight
    KnownDay("2026-10-21T09:00", 300, (10, 40)),
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeks")
    write_days(folder, WEEK)
    return folder


def test_a_week_in_figures(tiltwise: Command, stored: Path) -> None:
    result = tiltwise("week", "2026-W42", "--data", stored, "--json")
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert [(day["day"], day["upright_s"] / 60) for day in found["days"]] == [
        ("2026-10-12", 240), ("2026-10-13", 240), ("2026-10-15", 60), ("2026-10-16", 60),
    ]  # fmt: skip
    shares = [day["percent_beyond_deg"]["20"] for day in found["days"]]
    assert shares == pytest.approx([25, 12.5, 10 / 60 * 100, 30 / 60 * 100], abs=1e-3)
    assert found["all"]["percent_beyond_deg"]["30"] == pytest.approx(130 / 600 * 100, abs=1e-3)
    assert found["all"]["percent_beyond_deg"]["45"] == 0
    assert found["hours"]["10"]["percent_beyond_deg"]["20"] == pytest.approx(50, abs=1e-3)  # 60 of 120 min
    assert found["sentence"].startswith(
        "You looked down (20 deg or more) for 2 h 10 min, the most (1 h 00 min) on"
    )


def test_the_week_after_is_compared_with_it_by_share(tiltwise: Command, stored: Path) -> None:
    result = tiltwise("week", "--data", stored, "--out", stored / "w.png")
    assert result.code == 0
    assert "less than the week before by share (10 % of the time" in " ".join(result.out.split())
    assert (stored / "w.png").read_bytes().startswith(b"\x89PNG")
    assert max(map(len, result.out.replace(str(stored), "").splitlines())) <= 80


@pytest.mark.parametrize("command", ["month", "year"])
def test_a_month_and_a_year_add_up_to_the_same(tiltwise: Command, stored: Path, command: str) -> None:
    result = tiltwise(command, "--data", stored, "--json")
    found = json.loads(result.out)
    assert found["all"]["upright_s"] == pytest.approx(900 * 60)
    assert found["all"]["percent_beyond_deg"]["20"] == pytest.approx(160 / 900 * 100, abs=1e-2)
    assert found["all"]["mean_deg"] == pytest.approx((160 * 30.55 + 740 * 10.55) / 900, abs=0.01)
    assert len(found["days"]) == 5
    result = tiltwise(command, "--data", stored, "--out", stored / f"{command}.pdf")
    assert (stored / f"{command}.pdf").read_bytes().startswith(b"%PDF")
    assert "days without data" in result.out


def test_two_weeks_compared(tiltwise: Command, stored: Path) -> None:
    result = tiltwise(
        "week", "2026-10-21", "--against", "2026-10-12", "--data", stored, "--out", stored / "c.svg"
    )
    assert result.code == 0
    assert "the week before by share" in " ".join(result.out.split())
    assert "<svg" in (stored / "c.svg").read_text(encoding="utf-8")
    said = tiltwise("week", "2026-10-21", "--against", "2026-W30", "--data", stored)
    assert_one_line(said, 1, "in the week of 20 July 2026", "to compare with", "2026-10-21")


def test_what_is_not_there_and_what_cannot_be_meant(tiltwise: Command, stored: Path, tmp_path: Path) -> None:
    assert_one_line(tiltwise("month", "2025-02", "--data", stored), 1, "February 2025", "2026-10-21")
    assert_one_line(tiltwise("week", "W1", "--data", stored), 2, "2026-W40")
    assert_one_line(tiltwise("year", "26", "--data", stored), 2, "expected 2026")
    assert_one_line(tiltwise("week", "--data", stored, "--out", tmp_path / "a.gif"), 2, ".png")
    assert_one_line(tiltwise("week", "--data", tmp_path / "none"), 1, "tiltwise demo")
    Store(tmp_path / "new").close()
    assert_one_line(tiltwise("year", "--data", tmp_path / "new"), 1, "nothing recorded yet")


@pytest.mark.parametrize(("start", "hours"), [("2026-03-29T00:00", 23), ("2026-10-25T00:00", 25)])
def test_days_of_a_clock_change_have_23_and_25_hours(tmp_path: Path, start: str, hours: int) -> None:
    # Bent in the minutes 120 to 180 after midnight: 03:00 to 04:00 in spring, the first 02:00 to 03:00 in autumn.
    write_days(tmp_path, [KnownDay(start, hours * 60, (120, 180))])
    day = date.fromisoformat(start[:10])
    for is_full in (True, False):
        (loaded,) = load_period(tmp_path, around(day, Span.WEEK), is_full=is_full).days
        assert loaded.date == day
        assert loaded.totals.posture_s == pytest.approx(hours * 3600)
        by_hour = {hour: round(sums.down_s / 60) for hour, sums in loaded.hours.items() if sums.down_s > 1}
        assert by_hour == {3 if hours == 23 else 2: 60}
        assert loaded.hours[2 if hours == 25 else 3].posture_s == pytest.approx(7200 if hours == 25 else 3600)
    figure = period_figure(load_period(tmp_path, around(day, Span.WEEK)), "", None)
    figure.savefig(io.BytesIO(), format="png")


def test_the_hour_that_the_clock_shows_twice_is_named_with_its_zone() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first_s = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    names = [hour_name(first_s + 3600 * k, zone) for k in range(-1, 3)]
    assert names == [
        "between 1 and 2", "between 2 and 3 (CEST)", "between 2 and 3 (CET)", "between 3 and 4",
    ]  # fmt: skip
    assert hour_name(datetime(2026, 10, 24, 21, 59, tzinfo=UTC).timestamp(), zone) == "between 23 and 24"


def test_a_long_sentence_stays_within_the_picture(tmp_path: Path) -> None:
    write_days(tmp_path, [KnownDay("2026-10-24T22:30", 600, (200, 330))])
    day = load_day(tmp_path, date(2026, 10, 25))
    said = day_sentence(tmp_path, day)
    assert len(said) > 150
    figure = day_figure(day, 25.0, sentence=said)
    figure.savefig(io.BytesIO(), format="png")
    (text,) = (each for each in figure.texts if each.get_text().startswith("You looked down"))
    box = text.get_window_extent()
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1
    (title,) = (each for each in figure.texts if each.get_text().startswith("Sunday"))
    assert title.get_window_extent().y1 <= box.y0 + 2  # pixels: of the descenders' room
    assert "most of it" not in said  # an hour of 130 min is not most of them


def test_a_year_of_single_days_and_one_minute_are_drawn(tmp_path: Path) -> None:
    write_days(
        tmp_path, [KnownDay(f"2026-{month:02d}-0{month % 9 + 1}T10:00", 1) for month in range(1, 13, 2)]
    )
    year = load_period(tmp_path, around(date(2026, 5, 1), Span.YEAR), is_full=False)
    figure = period_figure(year, "", None)
    figure.savefig(io.BytesIO(), format="png")
    for axes in figure.axes[:2]:  # the names of the months are below the cells, their shares too
        assert all(label.get_window_extent().y1 < axes.bbox.y0 for label in axes.get_xticklabels())
    full = load_period(tmp_path, year.period)
    compared_figure(full, full, "").savefig(io.BytesIO(), format="png")
    assert full.totals.worn_s == pytest.approx(year.totals.worn_s)


def test_more_days_than_a_week_keep_their_figures_and_not_their_minutes(tmp_path: Path) -> None:
    write_days(tmp_path, [KnownDay(f"2026-10-{day}T09:00", 60, (0, 2 * day)) for day in range(12, 20)])
    loaded = load_period(tmp_path, stretch(date(2026, 10, 12), date(2026, 10, 31)))
    assert [day.full.summary.minutes for day in loaded.days if day.full is not None] == [()] * 8
    whole = whole_summary(loaded)
    assert whole.percent_above_deg[20] == pytest.approx(2 * sum(range(12, 20)) / (8 * 60) * 100, abs=1e-3)
    assert (whole.worn_s, whole.longest_bout_s) == pytest.approx((8 * 3600, 2 * 19 * 60), abs=0.1)
    assert not whole.breaks


def test_what_was_estimated_of_shoulders_on_single_days_is_in_their_report(tmp_path: Path) -> None:
    write_days(tmp_path, [KnownDay(f"2026-10-{day}T09:00", 60, (0, 9)) for day in (12, 13)])
    loaded = load_period(tmp_path, stretch(date(2026, 10, 12), date(2026, 10, 13)))
    found = (2, 1, (RestComparison(5.0, 1.0),)), (3, 0, (RestComparison(4.0, 4.5),))
    days = []
    for day, (raised, crept, checks) in zip(loaded.days, found, strict=True):
        assert day.full is not None
        summary = replace(
            day.full.summary, shoulders_raised=raised, tilts_crept=crept, shoulder_checks=checks
        )
        days.append(replace(day, full=replace(day.full, summary=summary)))
    whole = whole_summary(replace(loaded, days=tuple(days)))
    assert (whole.shoulders_raised, whole.tilts_crept) == (5, 1)
    assert [check.change_deg for check in whole.shoulder_checks] == [-4.0, 0.5]


def test_periods_of_the_calendar() -> None:
    today = date(2026, 11, 30)
    assert parse_period("2026-W01", Span.WEEK).first == date(2025, 12, 29)
    assert parse_period("last", Span.MONTH, today) == around(date(2026, 10, 1), Span.MONTH)
    assert parse_period("-2", Span.YEAR, today).first == date(2024, 1, 1)
    assert parse_period("2024-02-29", Span.MONTH).last == date(2024, 2, 29)
    assert around(date(2026, 1, 1), Span.YEAR).n_days == 365
    assert around(date(2026, 3, 1), Span.MONTH).before().name == "February 2026"
    assert stretch(date(2026, 2, 1), date(2026, 2, 28)).span is Span.MONTH
    assert stretch(date(2026, 2, 1), date(2026, 2, 10)).before() == Period(
        date(2026, 1, 22), date(2026, 1, 31)
    )
    assert around(date(2026, 3, 1), Span.WEEK).within == "in the week of 23 February 2026"
    assert around(date(2026, 3, 1), Span.MONTH).within == "in March 2026"
    assert stretch(date(2026, 2, 1), date(2026, 2, 1)).within == "on Sunday, 1 February 2026"
    assert stretch(date(2026, 2, 1), date(2026, 2, 3)).within == "from 1 February 2026 to 3 February 2026"
    for first, last in ((date(2026, 2, 2), date(2026, 2, 1)), (date(1926, 2, 2), date(2026, 2, 1))):
        with pytest.raises(UsageError):
            stretch(first, last)
    for text in ("2026-W54", "2026-13", "-", "", "9" * 40):
        with pytest.raises(UsageError):
            parse_period(text, Span.WEEK if "W" in text else Span.MONTH)


def test_two_boards_at_once_make_no_year_of_twice_its_length(tmp_path: Path) -> None:
    day = KnownDay("2026-10-12T09:00", 60, (0, 15))
    write_days(tmp_path, [day])
    write_days(tmp_path, [day], device="spare")
    year = load_period(tmp_path, around(date(2026, 10, 12), Span.YEAR), is_full=False)
    assert year.totals.worn_s == pytest.approx(3600)
    assert year.totals.percent() == pytest.approx(25, abs=0.02)
    assert load_period(tmp_path, year.period).totals.worn_s == pytest.approx(3600)


def test_a_day_whose_upright_nobody_knows_gets_no_verdict(tmp_path: Path) -> None:
    write_days(
        tmp_path, [KnownDay("2026-10-12T09:00", 60, (0, 15))], info={"relative_to": "the posture at 0:03"}
    )
    (day,) = load_period(tmp_path, around(date(2026, 10, 12), Span.WEEK)).days
    assert day.full is not None
    assert day_sentence(tmp_path, day.full).startswith("No verdict: all angles are relative to")
    loaded = load_period(tmp_path, around(date(2026, 10, 12), Span.WEEK))
    assert period_sentence(loaded, None).startswith("No verdict")


def corner(path: Path) -> float:
    """Return how bright the corner of a PNG is, 0 to 1."""
    from matplotlib.image import imread

    return float(imread(path)[0, 0, :3].mean())


@pytest.mark.parametrize(
    "command", [("day", "2026-10-12"), ("week", "2026-W42"), ("month", "2026-10"), ("year", "2026")]
)
def test_every_picture_is_dark_on_demand(
    tiltwise: Command, stored: Path, tmp_path: Path, command: tuple[str, str]
) -> None:
    out = tmp_path / "picture.png"
    assert tiltwise(*command, "--data", stored, "--out", out, "--dark").code == 0
    assert corner(out) < 0.15


def test_pictures_are_light_unless_a_setting_says_dark(
    tiltwise: Command, stored: Path, tmp_path: Path
) -> None:
    command = ("year", "2026", "--data", stored, "--out", tmp_path / "picture.png")
    assert tiltwise(*command).code == 0
    assert corner(tmp_path / "picture.png") == 1
    assert tiltwise("settings", "pictures.dark", "true").code == 0
    assert tiltwise(*command).code == 0
    assert corner(tmp_path / "picture.png") < 0.15
    assert tiltwise(*command, "--light").code == 0
    assert corner(tmp_path / "picture.png") == 1
