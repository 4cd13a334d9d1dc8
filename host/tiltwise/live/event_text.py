"""Events in words, one short line each: for `watch`, the demo and logs."""

from __future__ import annotations

from dataclasses import dataclass

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.detect.posture_rules import HABITS
from tiltwise.live.wearer.live_events import LiveEvent, LiveEvents, LiveNote, LiveWarning, SensorBuzzed
from tiltwise.live.wearer.notices import Notice, NoticeLevel, Urgency
from tiltwise.live.wearer.notices import lasting as lasting
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.text import counted, printable
from tiltwise.types import (
    Activity,
    ActivityChanged,
    AlertHeldBack,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    MovementDue,
    PostureKind,
    RepCompleted,
    ShouldersRaised,
    Side,
    SignalGap,
    StepPrompt,
)

KINDS = {habit.kind: habit.words for habit in HABITS}
# Of a board, without a line: a boot and a host's coming and going show as a connection, wearing as an activity, and
# a button by what it does.
SILENT = {
    wire.EVENT_BOOT,
    wire.EVENT_WORN,
    wire.EVENT_BUTTON,
    wire.EVENT_HOST_OPEN,
}
_CLOSED = {
    wire.CLOSED_LOST: None,  # it shows as a connection
    wire.CLOSED_BY_HOST: None,
    wire.CLOSED_TAKEN_OVER: ("faint", "another program had taken the board over"),
    wire.CLOSED_NEW_KEY: ("warn", "the board was given a new key"),
}
_POWER = {
    0: "the board is awake",
    1: "the board dozes: nobody moves it",
    2: "the board goes to sleep: move it to wake it",
}
_NEUTRAL = {
    0: ("warn", "the board took no neutral: it moved, or its sensor was silent; sit still and try again"),
    1: ("good", "the board took this posture as its neutral"),
    2: ("warn", "the board doubts its neutral: walking reads differently; put it right, or calibrate again"),
    3: ("good", "the board does not doubt its neutral any more: walking reads as before"),
}
ACTIVITIES = {
    Activity.STILL: "sitting or standing",
    Activity.MOVING: "moving about",
    Activity.WALKING: "walking",
    Activity.LYING: "lying down (or the sensor is)",
    Activity.NOT_WORN: "sensor not worn",
}


def clock(t_s: float) -> str:
    """Return seconds as m:ss, or h:mm:ss from an hour on."""
    minutes, seconds = divmod(int(t_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def lines_of(events: LiveEvents) -> list[tuple[str, str]]:
    """Return (style, line) for each event that is worth a line.

    Styles: "plain", "begin", "alert", "good", "count", "faint", "warn".
    """
    told = _Told(
        {(event.level, event.t_s) for event in events if isinstance(event, Notice)},
        {event.t_s: event.reason for event in events if isinstance(event, AlertHeldBack)},
    )
    lines = (_line(event, told) for event in events)
    return [line for line in lines if line is not None]


@dataclass(frozen=True, slots=True)
class _Told:
    """The notices that were given, and by time the reasons of those that were not."""

    notices: set[tuple[NoticeLevel, float]]
    reasons: dict[float, str]


def _line(event: LiveEvent, told: _Told) -> tuple[str, str] | None:
    match event:
        case Notice() | MovementDue():
            return _notice(event, told)
        case CalibrationProgress():
            return _calibration(event)
        case EpisodeStarted() | EpisodeAlert() | EpisodeEnded():
            return _episode(event, told)
        case SensorBuzzed() | ShouldersRaised():
            return _sign(event)
        case ActivityChanged():
            return "faint", ACTIVITIES[event.activity]
        case RepCompleted() | StepPrompt():
            return ("count", _rep(event)) if isinstance(event, RepCompleted) else ("plain", event.text)
        case SignalGap():
            whose = " from the second sensor" if event.sensor else ""
            return "warn", f"no samples{whose} for {event.end_s - event.start_s:.1f} s ({event.reason})"
        case BoardEvent():
            return _board(event)
        case LiveNote() | LiveWarning() | PlacementChange():
            return "faint" if isinstance(event, LiveNote) else "warn", printable(event.text, 400)
    return None


def _sign(event: SensorBuzzed | ShouldersRaised) -> tuple[str, str]:
    if isinstance(event, SensorBuzzed):
        return "alert", "the sensor buzzed"
    return "faint", f"{KINDS[PostureKind.SHOULDERS_RAISED]}: up by {100 * event.rise_m:.0f} cm (estimated)"


def _calibration(progress: CalibrationProgress) -> tuple[str, str]:
    if progress.step is CalibrationStep.DONE and progress.mounting is not None:
        notes = (f"calibrated (quality {100 * progress.mounting.quality:.0f} %)", *progress.mounting.notes)
        return "good", "; ".join(notes)
    if progress.step is CalibrationStep.REFUSED:
        return "warn", f"calibration refused: {progress.reason}"
    if progress.count:
        return "plain", f"calibrating: {progress.count} of 3"
    return "plain", f"calibrating: {progress.text}"


def _notice(notice: Notice | MovementDue, told: _Told) -> tuple[str, str] | None:
    """An alert's first line is its episode's, unless it comes late, and a placement's its own."""
    match notice:
        case MovementDue() if notice.t_s in told.reasons:
            return "faint", f"time to move, not told: {told.reasons[notice.t_s]}"
        case Notice(level=NoticeLevel.ALERT, is_repeated=True):
            return "alert", "still held: told again, " + (
                "by two long buzzes" if notice.urgency is Urgency.PATTERN else "stronger"
            )
        case Notice(is_late=True):
            return "alert", f"{notice.title.lower()}: {notice.text}"
        case Notice(level=NoticeLevel.MOVEMENT):
            return "begin", f"{notice.title.lower()}: {notice.text}"
        case Notice(level=NoticeLevel.MOVED):
            return "good", notice.text
    return None


def _episode(event: EpisodeStarted | EpisodeAlert | EpisodeEnded, told: _Told) -> tuple[str, str] | None:
    kind = KINDS[event.kind]
    match event:
        case EpisodeStarted():
            return "begin", f"{kind} begins ({event.angle_deg:.0f} deg)"
        case EpisodeAlert():
            what = "ALERT" if (NoticeLevel.ALERT, event.t_s) in told.notices else "alert held back"
            why = f": {told.reasons[event.t_s]}" if event.t_s in told.reasons else ""
            held_s = event.loaded_s or event.t_s - event.start_s  # stored by version 0.1: without
            return "alert", f"{what} after {lasting(held_s)} of {kind} ({event.angle_deg:.0f} deg){why}"
    lasted = f"{lasting(event.end_s - event.start_s)}, up to {event.peak_deg:.0f} deg"
    if event.alert_s is None:
        return "faint", f"{kind} ends, before an alert ({lasted})"
    if not event.is_corrected:
        return "faint", f"{kind} ends with the data ({lasted})"
    thanks = ", thank you" if (NoticeLevel.THANKS, event.t_s) in told.notices else ""
    return "good", f"corrected after {lasted}{thanks}"


def _rep(rep: RepCompleted) -> str:
    side = "" if rep.side is Side.NONE else f" {rep.side.value}"
    partial = ", partial" if rep.is_partial else ""
    name = rep.exercise.replace("_", " ")
    return f"{name}{side}: {abs(rep.peak_deg):.0f} deg, held {rep.hold_s:.1f} s{partial}"


def _board(event: BoardEvent) -> tuple[str, str] | None:
    """Return style and line for what a board says of itself; None for what the wearer did or sees anyway."""
    if event.code in SILENT:
        return None
    if event.code == wire.EVENT_HOST_CLOSED:
        return _CLOSED.get(event.value, ("faint", f"the board ended a connection ({event.value})"))
    lines = _of_sensor_and_wearer(event.value) | _of_power_and_link(event.value)
    newer = f"the board reports event {event.code} ({event.value}): newer than this program"
    return lines.get(event.code, ("warn", newer))


def _of_sensor_and_wearer(value: int) -> dict[int, tuple[str, str]]:
    return {
        wire.EVENT_BUS_FAULT: ("warn", f"the board cannot reach its sensor (fault {value})"),
        wire.EVENT_BUS_OK: ("good", f"the board's sensor is back after {value / 1000:.1f} s"),
        wire.EVENT_FIFO_OVERFLOW: ("warn", f"the board was too late: {counted(value, 'sample')} lost"),
        wire.EVENT_SATURATED: ("warn", f"{counted(value, 'sample')} beyond the sensor's range"),
        wire.EVENT_SETTINGS_BAD: (
            "warn",
            "the board's settings were damaged: it uses defaults until they are set again",
        ),
        wire.EVENT_SAFE_MODE: (
            "warn",
            f"the board crashed {counted(value, 'time')} in a row and runs without sensors: run tiltwise setup",
        ),
        wire.EVENT_NEUTRAL: _NEUTRAL.get(value, ("faint", "the board says something of its neutral")),
        wire.EVENT_ALERT: ("alert", f"the board alerted by itself ({value} deg)"),
        wire.EVENT_CORRECTED: ("good", f"corrected after the board's own alert (up to {value} deg)"),
        wire.EVENT_STUCK: (
            "warn",
            f"the sensor gave the same values {counted(value, 'time')} in a row: it is restarted",
        ),
        wire.EVENT_POOR_SENSOR: ("warn", "the sensor is a part that works and is a poor choice"),
    }


def _of_power_and_link(value: int) -> dict[int, tuple[str, str]]:
    return {
        wire.EVENT_POWER: ("faint", _POWER.get(value, "the board changed its power state")),
        wire.EVENT_BATTERY_LOW: ("warn", f"the board's battery is at {value} %: charge it"),
        wire.EVENT_CHARGING: ("faint", "the board is charging" if value else "the board is off its charger"),
        wire.EVENT_FLASH_FAULT: (
            "warn",
            f"the board's memory for minutes has {counted(value, 'damaged place')}"
            if value
            else "the board cannot write its files: settings and boots are not kept",
        ),
        wire.EVENT_AUTH_FAILED: (
            "warn",
            f"somebody failed to prove the board's key ({value} since it started)",
        ),
        wire.EVENT_HOSTILE: (
            "warn",
            f"the board was sent {counted(value, 'command')} not of this computer since it started",
        ),
        wire.EVENT_LINK_STALL: ("warn", f"a connection to the board stood still ({value} since it started)"),
        wire.EVENT_RADIO_RESTART: ("warn", f"the board restarted its radio ({value} since it started)"),
    }
