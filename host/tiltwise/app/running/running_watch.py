"""Finds the `watch` that is meant, and follows what it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tiltwise.config.calibration_profiles import DEFAULT_PERSON
from tiltwise.errors import AppError, UsageError
from tiltwise.live.control.control_client import ask, running
from tiltwise.live.control.control_messages import LONGEST_SNOOZE_S, Asked, Question, RunningStatus
from tiltwise.live.control.control_place import ControlPlace, NobodyAnswersError
from tiltwise.motion.calibration.guided_calibration import CalibrationStep
from tiltwise.text import printable

Found = tuple[ControlPlace, RunningStatus]
_POLL_S = 0.3
_SILENT_S = 10.0  # without samples: the sensor is away
_NOTHING_RUNS = "nothing runs here: start the daily program with `tiltwise watch`"


def found_running(data: Path, person: str | None) -> list[Found]:
    """Return each `watch` that runs with this data folder, of one person if one is named."""
    found = running(data)
    return found if person is None else [each for each in found if _name(each) == person]


def chosen(found: Sequence[Found], *, is_any: bool = False) -> Found:
    """Return the `watch` that is meant: the wearer's own before a simulated one, the default person's before others.

    AppError when none runs, or when it is not clear which is meant, unless any will do.
    """
    if not found:
        raise AppError(_NOTHING_RUNS)
    own = [each for each in found if not each[1].origin] or found
    mine = [each for each in own if _name(each) == DEFAULT_PERSON] or own
    if len(mine) > 1 and not is_any:
        names = ", ".join(sorted({printable(_name(each), 30) for each in mine}))
        raise AppError(
            f"{len(mine)} run here, of {names}: say whose with --person NAME, or where with --data"
        )
    return mine[0]


def parse_snooze(text: str) -> int:
    """Return seconds: of minutes, until midnight for "tomorrow", 0 for "off"; UsageError for anything else."""
    if text.lower() == "off":
        return 0
    if text.lower() == "tomorrow":
        now = datetime.now().astimezone()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return min(math.ceil((midnight - now).total_seconds()), LONGEST_SNOOZE_S)
    try:
        seconds = round(60 * float(text))
    except (ValueError, OverflowError):
        seconds = 0
    if not 1 <= seconds <= LONGEST_SNOOZE_S:
        raise UsageError(
            f"snooze {printable(text, 30)!r}: expected minutes, more than 0 and at most {LONGEST_SNOOZE_S // 60}, "
            "tomorrow or off"
        )
    return seconds


def follow_calibration(place: ControlPlace, say: Callable[[str], None]) -> None:
    """Ask for a calibration and say where it is until it is over.

    AppError when it is refused, when no samples come, or when the program ends.
    """
    now, said = ask(place, Question(Asked.RECALIBRATE)), ""
    say("calibrating anew; the calibration before stays in use until it is done")
    while True:
        if now.calibration not in ("", said):
            said = now.calibration
            say(said)
        if not now.is_calibrating:
            break
        if now.last_sample_s is not None and now.last_sample_s > _SILENT_S:
            raise AppError(
                f"no samples for {now.last_sample_s:.0f} s ({now.link}): the calibration goes on when they come"
            )
        time.sleep(_POLL_S)
        try:
            now = ask(place, Question(Asked.STATUS))
        except NobodyAnswersError:
            raise AppError("tiltwise watch ended before the calibration did") from None
    if now.calibration_step != CalibrationStep.DONE:
        raise AppError(f"{said}; the calibration before stays in use")


def _name(found: Found) -> str:
    return found[1].person or DEFAULT_PERSON
