"""What a running `watch` may be asked, and what it answers, as dataclasses that become one JSON object in a line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from msgspec import Meta

LONGEST_LINE = 65_536  # bytes of a question or an answer
LONGEST_SNOOZE_S = 86_400


class Asked(Enum):
    """What may be asked for."""

    STATUS = "status"
    SNOOZE = "snooze"  # interrupt nobody for `seconds`; 0 ends a snooze
    RECALIBRATE = "recalibrate"


@dataclass(frozen=True, slots=True)
class Question:
    """One line to a running `watch`; `secret` is needed where it listens at a port."""

    ask: Asked
    seconds: Annotated[int, Meta(ge=0, le=LONGEST_SNOOZE_S)] = 0
    secret: str = ""


@dataclass(frozen=True, slots=True)
class RunningStatus:
    """What runs, and how the wearer and the sensor are now.

    Parameters
    ----------
    process
        Its process id.
    since_utc_s
        When it was started, UTC s.
    address, person, folder, origin
        The source; whose days, "" for nobody in particular; their folder, "" when nothing is stored; "simulated" or
        "replayed" when they are not the wearer's own.
    link
        How the connection is, in words.
    activity
        Value of an Activity, "" before the first samples.
    posture_deg, side_deg, upper_back_deg
        The newest angles by the rule's name for them, None while they are not known.
    last_sample_s
        How long ago the newest samples came, s; None before the first.
    battery_percent, is_charging
        None when the board does not say.
    alerts, held_back
        Given, and not given, since it was started.
    snooze_left_s
        0 when alerts are given.
    is_calibrating, calibration_step, calibration
        Whether a guided calibration is under way; a CalibrationStep, and in words where it is or how the last one
        ended, both "" before the first.
    """

    process: int
    since_utc_s: float
    address: str
    person: str
    folder: str
    origin: str
    link: str
    activity: str = ""
    posture_deg: float | None = None
    side_deg: float | None = None
    upper_back_deg: float | None = None
    last_sample_s: float | None = None
    battery_percent: int | None = None
    is_charging: bool | None = None
    alerts: int = 0
    held_back: int = 0
    snooze_left_s: int = 0
    is_calibrating: bool = False
    calibration_step: str = ""
    calibration: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One line back: the status after what was asked for is done, or in `error` why it was not."""

    status: RunningStatus | None = None
    error: str = ""
