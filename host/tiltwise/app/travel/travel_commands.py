"""`tiltwise export` and `tiltwise import`: stored days to files that science takes, and files to stored days."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise.app.cli_options import (
    ColumnsOption,
    DataOption,
    MountOption,
    NeutralOption,
    PersonOption,
    RateOption,
    UnitsOption,
    UpOption,
    chosen_mount,
    chosen_reading,
    chosen_settings,
)
from tiltwise.config import paths
from tiltwise.text import counted, printable

if TYPE_CHECKING:
    from tiltwise.offline.travel.export_days import Exported

_MOST_NOTES = 12


def _said(done: Exported, folder: Path) -> str:
    line = f"{counted(done.written, 'file')} written to {printable(str(folder), 300)}"
    line += f", {done.there} were there and are kept" if done.there else ""
    line += f"; without raw samples: {counted(done.without_samples, 'day')}" if done.without_samples else ""
    return line + (
        f"; of {counted(done.damaged, 'day')} some raw samples are damaged in the store and left out"
        if done.damaged
        else ""
    )


def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; what is there is kept.")],
    kind: Annotated[
        str, typer.Option("--as", metavar="FORMAT", help="csv, parquet, motion-bids, sto or digest.")
    ] = "csv",
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day; all without.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day.")] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="csv, parquet: every sample too, 25 to 70 MB a day.")
    ] = False,
    data: DataOption = None,
    person: PersonOption = None,
) -> None:
    """Stored days as files for other programs; goes on where it was stopped."""
    from tiltwise import console
    from tiltwise.app.day import parse_day, say_where_simulated
    from tiltwise.errors import AppError, UsageError
    from tiltwise.offline.travel.export_days import ExportRequest, Format, export_days, first_and_last

    if kind not in [*Format]:
        raise UsageError(f"--as {kind!r}: expected one of {', '.join(Format)}")
    store = paths.person_folder(data or paths.data_folder(), person)
    say_where_simulated(store)
    days = first_and_last(store)
    if days is None:
        raise AppError(f"{store}: nothing recorded yet; run `tiltwise watch` or `tiltwise demo` first")
    request = ExportRequest(
        store, folder, Format(kind), parse_day(first) if first else days[0], parse_day(last) if last else days[1],
        person or "", samples,
    )  # fmt: skip
    with console.progress_bar(f"exporting as {kind}") as show:
        done = export_days(request, show)
    if not done.written + done.there:
        raise AppError(
            f"nothing to export from {request.first} to {request.last}"
            + (": no raw samples are kept of these days" if done.without_samples else "")
        )
    console.out.print(_said(done, folder), highlight=False, soft_wrap=True)


def import_(
    what: Annotated[Path, typer.Argument(help="Folder that export wrote as parquet, or any IMU file.")],
    start: Annotated[
        str, typer.Option("--start", metavar="TIME", help="When a file begins, e.g. 2026-03-01T09:00.")
    ] = "",
    mount: MountOption = None,
    neutral: NeutralOption = None,
    neutral_up: UpOption = "",
    columns: ColumnsOption = "",
    units: UnitsOption = "",
    rate: RateOption = None,
    data: DataOption = None,
    person: PersonOption = None,
) -> None:
    """Days from elsewhere into the store: exported ones, or a recording of any program."""
    from tiltwise import console
    from tiltwise.config.time_zone import local_zone_name
    from tiltwise.live.event_text import lasting
    from tiltwise.offline.travel.import_file import ImportRequest, import_file

    store = paths.person_folder(data or paths.data_folder(), person)
    if what.is_dir():
        _import_folder(what, store)
        return
    request = ImportRequest(
        file=what, store=store, settings=chosen_settings(), zone=local_zone_name(), start=start,
        mount=chosen_mount(mount), neutral=neutral, neutral_up=neutral_up,
        reading=chosen_reading(columns, units, rate),
    )  # fmt: skip
    with console.progress_bar(f"importing {printable(what.name, 40)}") as show:
        done = import_file(request, show)
    console.out.print(f"{lasting(done.duration_s)} are in {printable(str(store), 300)} now", highlight=False)
    for note in done.notes[:_MOST_NOTES]:
        console.out.print(printable(note, 300), style="dim", highlight=False)


def _import_folder(folder: Path, store: Path) -> None:
    from tiltwise import console
    from tiltwise.errors import AppError
    from tiltwise.offline.travel.import_days import find_days, import_days

    files = find_days(folder)
    if not files:
        raise AppError(
            f"{folder}: no days in it, expected files such as minutes-2026-03-01.parquet from "
            "`tiltwise export --as parquet`"
        )
    with console.progress_bar("importing days") as show:
        done = import_days(files, store, show)
    where = printable(str(store), 300)
    line = f"{counted(len(done.days), 'day')} in {where} now" if done.days else f"nothing new in {where}"
    if done.there:
        kept = ", ".join(map(str, done.there[:5]))
        line += f"; {counted(len(done.there), 'day')} with data before, left alone: {kept}"
    console.out.print(line, highlight=False, soft_wrap=True)
