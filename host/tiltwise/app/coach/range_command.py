"""`tiltwise rom` and `tiltwise progress`: six directions, left against right, and change over weeks.

Nothing is called more or less unless it exceeds what measuring makes of it, learned from the person's own repeats.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from tiltwise.app.coach.exercise_command import ExerciseOptions, run_exercises, store_folder, stored_tests
from tiltwise.config.address import parse_address
from tiltwise.config.time_zone import local_zone_name
from tiltwise.errors import AppError
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.range_progress import (
    Change,
    RangeTest,
    changes,
    detectable_change,
    range_tests,
    side_lines,
)
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.exercise.rest_tilt import RestComparison
from tiltwise.offline.picture_file import check_picture_path, save_figure
from tiltwise.report import plots_exercise
from tiltwise.store.files.schema import CORE_NAME
from tiltwise.store.writer import Store
from tiltwise.text import printable
from tiltwise.types import Mount

_NEWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressOptions:
    """What the command line asks for: place, pictures, whose store, and whether the simulated one."""

    mount: Mount | None = None
    out: Path | None = None
    rose: Path | None = None
    data: Path | None = None
    person: str | None = None
    is_simulated: bool = False
    as_json: bool = False


def run_range_test(
    options: ExerciseOptions,
    console: Console,
    answer: Callable[[str], bool] | None,
    out: Path | None,
) -> None:
    """Measure, and show each direction with its error band; AppError when nothing was measured."""
    check_picture_path(out)
    records = run_exercises(options, console, answer)
    scheme = parse_address(options.address).scheme
    now = range_tests(records)
    if not now:
        raise AppError("no direction was measured twice: run it again, and come back to the middle each time")
    tests = stored_tests(options.data, options.person, scheme) or now
    console.print(range_table(now[-1], tests), highlight=False)
    for line in side_lines(now[-1].range_deg, tests):
        console.print(line, highlight=False)
    if out is not None:
        limits = {direction: detectable_change(tests, direction).deg for direction in Direction}
        save_figure(plots_exercise.rose(tests, title="Range of motion", limits_deg=limits), out)
        console.print(f"plot: {printable(str(out), 300)}", highlight=False, soft_wrap=True)


def range_table(test: RangeTest, tests: list[RangeTest]) -> Table:
    """Return the ranges of a test, each with what measuring makes of it."""
    table = _table(
        f"range of motion, sensor at {test.mount}", ("direction", "range", "smallest change that can be told")
    )
    for direction, value in test.range_deg.items():
        known = detectable_change(tests, direction)
        learned = (
            f"learned from {known.repeats} repeats" if known.repeats else "a usual one: repeat the test today"
        )
        table.add_row(str(direction), f"{value:.0f} deg", f"{known.deg:.0f} deg, {learned}")
    return table


def show_progress(options: ProgressOptions, console: Console) -> None:
    """Show how ranges changed and what was done; AppError when there is nothing yet."""
    for path in (options.out, options.rose):
        check_picture_path(path)
    folder = store_folder(options.data, options.person, "sim" if options.is_simulated else "")
    if not (folder / CORE_NAME).is_file():
        raise AppError(f"no exercises in {folder} yet: run `tiltwise rom` or `tiltwise exercise` first")
    with Store.open_readonly(folder) as reader:
        records = reader.exercises()
    tests = range_tests(records, options.mount)
    found = changes(tests)
    if options.as_json:
        console.print_json(json.dumps(_as_dict(tests, found, records)))
        return
    if not records:
        raise AppError(f"no exercises in {folder} yet: run `tiltwise rom` or `tiltwise exercise` first")
    zone = ZoneInfo(local_zone_name())
    if found:
        console.print(change_table(found, tests[-1].mount), highlight=False)
        for line in side_lines(tests[-1].range_deg, tests):
            console.print(line, highlight=False)
    else:
        console.print("no range of motion yet: `tiltwise rom` measures it", highlight=False)
    console.print(done_table(records, zone), highlight=False)
    _draw(options, tests, found, zone, console)


def change_table(found: list[Change], mount: Mount) -> Table:
    """Return the change of each direction from the first test to the newest."""
    table = _table(f"range of motion, sensor at {mount}", ("direction", "first", "newest", "tests", ""))
    for change in found:
        words = change.words if change.tests > 1 else "one test only"
        table.add_row(
            str(change.direction), f"{change.first_deg:.0f} deg", f"{change.newest_deg:.0f} deg",
            str(change.tests), words,
        )  # fmt: skip
    return table


def done_table(records: list[ExerciseRecord], zone: ZoneInfo) -> Table:
    """Return the newest sessions, a line for each."""
    by_session: dict[tuple[date, str], list[ExerciseRecord]] = {}
    for record in records:
        day = datetime.fromtimestamp(record.start_s, UTC).astimezone(zone).date()
        by_session.setdefault((day, record.session or record.exercise), []).append(record)
    table = _table("exercises done", ("day", "what", "repetitions"))
    for (day, name), some in list(by_session.items())[-_NEWEST:]:
        stopped = "" if all(record.is_complete for record in some) else " (part of it stopped)"
        table.add_row(str(day), name, f"{sum(record.n for record in some)}{stopped}")
    return table


def _draw(
    options: ProgressOptions, tests: list[RangeTest], found: list[Change], zone: ZoneInfo, console: Console
) -> None:
    wanted = [path for path in (options.out, options.rose) if path is not None]
    if wanted and not tests:
        raise AppError("there is nothing to draw: no range of motion was measured yet; run `tiltwise rom`")
    if options.out is not None:
        save_figure(plots_exercise.progress(tests, found, zone), options.out)
    if options.rose is not None:
        limits = {change.direction: change.detectable.deg for change in found}
        save_figure(plots_exercise.rose(tests, title="Range of motion", limits_deg=limits), options.rose)
    for path in wanted:
        console.print(f"plot: {printable(str(path), 300)}", highlight=False, soft_wrap=True)


def _as_dict(tests: list[RangeTest], found: list[Change], records: list[ExerciseRecord]) -> dict[str, object]:
    return {
        "tests": [
            {"start_s": test.start_s, "mount": test.mount, "range_deg": dict(test.range_deg)}
            for test in tests
        ],
        "changes": [
            {
                "direction": change.direction,
                "change_deg": change.change_deg,
                "smallest_detectable_deg": change.detectable.deg,
                "repeats": change.detectable.repeats,
                "is_clear": change.is_clear,
            }
            for change in found
        ],
        "exercises": [
            {
                "start_s": record.start_s,
                "exercise": record.exercise,
                "repetitions": record.n,
                **({} if record.compared is None else {"compared": _compared(record.compared)}),
            }
            for record in records
        ],
    }


def _compared(found: RestComparison) -> dict[str, object]:
    return {
        "before_deg": found.before_deg,
        "after_deg": found.after_deg,
        "change_deg": found.change_deg,
        "smallest_detectable_deg": found.detectable_deg,
        "is_estimated": True,
    }


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table
