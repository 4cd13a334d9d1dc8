"""Asks a running `watch`, from another program."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec

from tiltwise.errors import AppError
from tiltwise.live.control.control_messages import LONGEST_LINE, Answer, Asked, Question, RunningStatus
from tiltwise.live.control.control_place import CALL_LIMIT_S, ControlPlace, NobodyAnswersError, places_in
from tiltwise.stored_values import convert


def ask(place: ControlPlace, question: Question) -> RunningStatus:
    """Ask, and return the status once it is done.

    Raises
    ------
    NobodyAnswersError
        When no program is there.
    AppError
        When the program refuses, with its reason, or does not answer in time.
    """
    connection, secret = place.call()
    line = msgspec.json.encode(replace(question, secret=secret)) + b"\n"
    try:
        with connection, connection.makefile("rwb") as file:
            file.write(line)
            file.flush()
            said = file.readline(LONGEST_LINE)
    except TimeoutError:
        raise AppError(
            f"the running tiltwise has not answered for {CALL_LIMIT_S:.0f} s: it is stopped with Ctrl-Z, hangs, "
            "or the computer is very busy; what was asked may still be done"
        ) from None
    except ConnectionError as error:
        raise NobodyAnswersError("it ended while it was asked") from error
    if not said:
        raise NobodyAnswersError("it ended while it was asked")
    try:
        answer = convert(json.loads(said), Answer)
    except ValueError as error:
        raise AppError(
            f"the running tiltwise is of another version ({error}): stop it and start it again"
        ) from None
    if answer.status is None:
        raise AppError(answer.error)
    return answer.status


def running(data: Path) -> list[tuple[ControlPlace, RunningStatus]]:
    """Return each `watch` that runs with a store in this data folder, and its status."""
    found = []
    for place in places_in(data):
        try:
            found.append((place, ask(place, Question(Asked.STATUS))))
        except NobodyAnswersError:
            continue  # killed: its file is removed by the next one
    return found
