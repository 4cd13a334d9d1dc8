"""`tiltwise week`, `month` and `year`: one sentence, a table, a picture; or two of them compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise.app.cli_options import (
    DarkOption,
    DataOption,
    JsonOption,
    PersonOption,
    PictureOption,
    chosen_settings,
    is_dark,
)
from tiltwise.config import paths
from tiltwise.text import printable

if TYPE_CHECKING:
    from tiltwise.app.history.periods import Loaded

AgainstOption = Annotated[
    str | None,
    typer.Option("--against", metavar="PERIOD", help="Compare with another one, in the picture too."),
]


def day(
    date: Annotated[
        str | None, typer.Argument(help="YYYY-MM-DD, today, yesterday or -2; the newest day without.")
    ] = None,
    data: DataOption = None,
    out: PictureOption = None,
    dark: DarkOption = None,
    person: PersonOption = None,
    figures: Annotated[
        bool, typer.Option("--figures", help="All exposure figures, each with its source.")
    ] = False,
) -> None:
    """Plot and figures of a stored day."""
    from tiltwise import console
    from tiltwise.app.day import day_table, draw_day, folder_with_days
    from tiltwise.app.history.day_sentence import day_sentence
    from tiltwise.app.history.figure_table import figure_table

    folder, said = folder_with_days(data, paths.data_folder())
    folder = paths.person_folder(folder, person)
    loaded, path, sentence = draw_day(
        folder, date, out, chosen_settings().rule, day_sentence, dark=is_dark(dark)
    )
    if said:
        console.out.print(said, style="dim", highlight=False, soft_wrap=True)
    console.out.print(sentence, style="bold", highlight=False)
    console.out.print(day_table(loaded), highlight=False)
    if figures:
        console.out.print(figure_table(loaded.summary), highlight=False)
    console.out.print(f"plot: {printable(str(path), 300)}", highlight=False, soft_wrap=True)


def week(
    when: Annotated[
        str | None, typer.Argument(help="2026-W40, a day in it, this, last or -2; the newest without.")
    ] = None,
    against: AgainstOption = None,
    data: DataOption = None,
    out: PictureOption = None,
    dark: DarkOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """A stored week: a day after the other, on one clock."""
    _show("week", when, against, data, (out, dark), person, as_json)


def month(
    when: Annotated[
        str | None, typer.Argument(help="2026-10, a day in it, this, last or -2; the newest without.")
    ] = None,
    against: AgainstOption = None,
    data: DataOption = None,
    out: PictureOption = None,
    dark: DarkOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """A stored month: its days, and in which hours the neck was bent."""
    _show("month", when, against, data, (out, dark), person, as_json)


def year(
    when: Annotated[
        str | None, typer.Argument(help="2026, a day in it, this, last or -2; the newest without.")
    ] = None,
    against: AgainstOption = None,
    data: DataOption = None,
    out: PictureOption = None,
    dark: DarkOption = None,
    person: PersonOption = None,
    as_json: JsonOption = False,
) -> None:
    """A stored year: a calendar of its days, and its months by hour."""
    _show("year", when, against, data, (out, dark), person, as_json)


def _draw(loaded: Loaded, before: Loaded | None, sentence: str, path: Path, dark: bool | None) -> None:
    from tiltwise.app.history.period_picture import compared_figure, period_figure
    from tiltwise.offline.picture_file import save_figure

    if before is not None:
        figure = compared_figure(loaded, before, sentence)
    else:
        limit_deg = chosen_settings().rule.limit_deg(loaded.mount)
        figure = period_figure(loaded, sentence, limit_deg)
    save_figure(figure, path, dark=is_dark(dark))


def _show(
    what: str,
    when: str | None,
    against: str | None,
    data: Path | None,
    picture: tuple[Path | None, bool | None],
    person: str | None,
    as_json: bool,
) -> None:
    from tiltwise import console
    from tiltwise.app.day import folder_with_days
    from tiltwise.app.history.day_sentence import period_before, period_sentence
    from tiltwise.app.history.period_table import notes, period_json, period_table
    from tiltwise.app.history.periods import Span, around, load_period, newest_day, parse_period
    from tiltwise.errors import AppError
    from tiltwise.offline.picture_file import check_picture_path

    out, dark = picture
    check_picture_path(out)
    span = Span(what)
    chosen = None if when is None else parse_period(when, span)
    other = None if against is None else parse_period(against, span)
    folder, said = folder_with_days(data, paths.data_folder())
    folder = paths.person_folder(folder, person)
    newest = newest_day(folder)
    period = chosen or around(newest, span)
    is_full = span is not Span.YEAR or other is not None
    loaded = load_period(folder, period, is_full=is_full)
    if not loaded.days:
        raise AppError(f"nothing was recorded {period.within}; the newest data is of {newest}")
    before = period_before(folder, period, other, is_full=other is not None)
    if other is not None and before is None:
        raise AppError(
            f"nothing was recorded {other.within}, to compare with; the newest data is of {newest}"
        )
    sentence = period_sentence(loaded, before)
    if as_json:
        typer.echo(json.dumps(period_json(loaded, sentence), indent=1))
        return
    path = out or Path(f"tiltwise-{period.file_name}.png")
    _draw(loaded, before if other is not None else None, sentence, path, dark)
    if said:
        console.out.print(said, style="dim", highlight=False, soft_wrap=True)
    console.out.print(sentence, style="bold", highlight=False)
    console.out.print(period_table(loaded), highlight=False)
    for line in notes(loaded):
        console.out.print(line, style="dim", highlight=False)
    console.out.print(f"plot: {printable(str(path), 300)}", highlight=False, soft_wrap=True)
