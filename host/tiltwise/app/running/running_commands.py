"""`tiltwise status`, `snooze` and `recalibrate`: ask the `watch` that runs. cli.py lists them with the others."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tiltwise.app.cli_options import DataOption, JsonOption, PersonOption
from tiltwise.config import paths


def status(data: DataOption = None, person: PersonOption = None, as_json: JsonOption = False) -> None:
    """What runs: worn, activity, angle, battery, link, and today so far."""
    from tiltwise import console
    from tiltwise.app.running.running_watch import chosen, found_running
    from tiltwise.app.running.status_view import status_json, status_table

    found = found_running(data or paths.data_folder(), person)
    if as_json:
        typer.echo(json.dumps([status_json(each) for _, each in found], indent=1))
        return
    chosen(found, is_any=True)
    for _, each in found:
        console.out.print(status_table(each), highlight=False)


def snooze(
    minutes: Annotated[
        str, typer.Argument(metavar="[MINUTES|tomorrow|off]", help="How long; off ends it.")
    ] = "30",
    data: DataOption = None,
    person: PersonOption = None,
) -> None:
    """No alerts for a while, from the computer and from the sensor."""
    from tiltwise import console
    from tiltwise.app.running.running_watch import chosen, found_running, parse_snooze
    from tiltwise.app.running.status_view import snooze_words
    from tiltwise.live.control.control_client import ask
    from tiltwise.live.control.control_messages import Asked, Question

    seconds = parse_snooze(minutes)
    place, _ = chosen(found_running(data or paths.data_folder(), person))
    now = ask(place, Question(Asked.SNOOZE, seconds))
    console.out.print(snooze_words(now), highlight=False)


def recalibrate(data: DataOption = None, person: PersonOption = None) -> None:
    """Calibrate anew in the `watch` that runs: sit tall, nod three times."""
    from tiltwise import console
    from tiltwise.app.running.running_watch import chosen, follow_calibration, found_running

    place, _ = chosen(found_running(data or paths.data_folder(), person))
    follow_calibration(place, lambda line: console.out.print(f"  {line}", highlight=False, markup=False))
