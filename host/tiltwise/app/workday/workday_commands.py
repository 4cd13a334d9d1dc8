"""`tiltwise why`, `settings` and `service`: read the options, call one function, print. cli.py lists them."""

from __future__ import annotations

from textwrap import wrap
from typing import Annotated

import typer

from tiltwise.app.cli_options import DataOption, PersonOption
from tiltwise.config import paths

_UNDER_THE_TEXT = " " * 11  # where the texts of `why` begin, behind a clock or a label


def why(
    time: Annotated[
        str | None,
        typer.Argument(metavar="[HH:MM]", help="When; without, all alerts and silences of the day."),
    ] = None,
    day: Annotated[
        str | None, typer.Option(help="YYYY-MM-DD, today, yesterday or -2 (default: newest).")
    ] = None,
    data: DataOption = None,
    person: PersonOption = None,
) -> None:
    """Why there was an alert then, or why there was none."""
    from tiltwise import console
    from tiltwise.app.day import folder_with_days
    from tiltwise.app.workday.why import explain

    folder, said = folder_with_days(data, paths.data_folder())
    if said:
        console.out.print(said, style="dim", highlight=False, soft_wrap=True)
    for style, line in explain(paths.person_folder(folder, person), time, day):
        for row in wrap(line, console.out.width, subsequent_indent=_UNDER_THE_TEXT):
            console.out.print(row, style=style, highlight=False, markup=False)


def settings(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="For instance alerts.most_a_day.")
    ] = None,
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="Its new value.")] = None,
) -> None:
    """The settings file, with what each line means; with NAME and VALUE it changes one."""
    from tiltwise.app import exit_status
    from tiltwise.app.workday.settings_view import changed, shown

    path = paths.settings_file()
    with exit_status.wrong_use():
        lines = shown(path) if name is None else changed(path, name, value)
    for line in lines:
        typer.echo(line)  # the file as it is


def service(
    action: Annotated[str, typer.Argument(metavar="install|remove|status")] = "status",
    address: Annotated[str, typer.Option(help="What to watch, as for `tiltwise watch`.")] = "ble:",
) -> None:
    """`tiltwise watch` in the background, from log-in on (a systemd user service)."""
    from tiltwise import console
    from tiltwise.app.workday.service import act

    for line in act(action, address):
        console.out.print(line, highlight=False, markup=False, soft_wrap=True)
