"""Events in words, one short line each: for `watch`, the demo and logs."""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import LiveEvent, LiveEvents, LiveNote, LiveWarning
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.text import printable
from tiltwise.types import (
    Activity,
    ActivityChanged,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    PostureKind,
    RepCompleted,
    Side,
    SignalGap,
    StepPrompt,
)

KINDS = {
    PostureKind.FORWARD_FLEXION: "looking down",
    PostureKind.UPPER_BACK_FORWARD_TILT: "upper back tilted forward",
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
    notices = {(event.level, event.t_s) for event in events if isinstance(event, Notice)}
    lines = (_line(event, notices) for event in events)
    return [line for line in lines if line is not None]


def _line(event: LiveEvent, notices: set[tuple[NoticeLevel, float]]) -> tuple[str, str] | None:
    match event:
        case CalibrationProgress():
            return _calibration(event)
        case EpisodeStarted() | EpisodeAlert() | EpisodeEnded():
            return _episode(event, notices)
        case ActivityChanged():
            return "faint", ACTIVITIES[event.activity]
        case RepCompleted():
            return "count", _rep(event)
        case StepPrompt():
            return "plain", event.text
        case SignalGap():
            whose = " from the second sensor" if event.sensor else ""
            return "warn", f"no samples{whose} for {event.end_s - event.start_s:.1f} s ({event.reason})"
        case BoardEvent() if event.code != wire.EVENT_BOOT:
            return "warn", _board(event)
        case LiveNote():
            return "faint", printable(event.text, 400)
        case LiveWarning() | PlacementChange():
            return "warn", printable(event.text, 400)
    return None


def _calibration(progress: CalibrationProgress) -> tuple[str, str]:
    if progress.step is CalibrationStep.DONE and progress.mounting is not None:
        notes = (f"calibrated (quality {progress.mounting.quality:.2f})", *progress.mounting.notes)
        return "good", "; ".join(notes)
    if progress.step is CalibrationStep.REFUSED:
        return "warn", f"calibration refused: {progress.reason}"
    if progress.count:
        return "plain", f"calibrating: {progress.count} of 3"
    return "plain", f"calibrating: {progress.text}"


def _episode(
    event: EpisodeStarted | EpisodeAlert | EpisodeEnded, notices: set[tuple[NoticeLevel, float]]
) -> tuple[str, str] | None:
    kind = KINDS[event.kind]
    match event:
        case EpisodeStarted():
            return "begin", f"{kind} begins ({event.angle_deg:.0f} deg)"
        case EpisodeAlert():
            what = "ALERT" if (NoticeLevel.ALERT, event.t_s) in notices else "alert held back"
            return (
                "alert",
                f"{what} after {event.t_s - event.start_s:.0f} s of {kind} ({event.angle_deg:.0f} deg)",
            )
    if event.alert_s is None:
        return None
    lasted = f"{event.end_s - event.start_s:.0f} s, up to {event.peak_deg:.0f} deg"
    if not event.is_corrected:
        return "faint", f"{kind} ends with the data ({lasted})"
    thanks = ", thank you" if (NoticeLevel.THANKS, event.t_s) in notices else ""
    return "good", f"corrected after {lasted}{thanks}"


def _rep(rep: RepCompleted) -> str:
    side = "" if rep.side is Side.NONE else f" {rep.side.value}"
    partial = ", partial" if rep.is_partial else ""
    name = rep.exercise.replace("_", " ")
    return f"{name}{side}: {abs(rep.peak_deg):.0f} deg, held {rep.hold_s:.1f} s{partial}"


def _board(event: BoardEvent) -> str:
    words = {
        wire.EVENT_BUS_FAULT: f"the board cannot reach its sensor (fault {event.value})",
        wire.EVENT_BUS_OK: f"the board's sensor is back after {event.value / 1000:.1f} s",
        wire.EVENT_FIFO_OVERFLOW: f"the board was too late: {event.value} samples lost",
        wire.EVENT_SATURATED: f"{event.value} samples beyond the sensor's range",
        wire.EVENT_SETTINGS_BAD: "the board's settings were damaged: it uses defaults until they are set again",
        wire.EVENT_SAFE_MODE: f"the board crashed {event.value} times in a row and runs without sensors: "
        "run tiltwise setup",
        wire.EVENT_FLASH_FAULT: f"the board's memory for minutes has {event.value} damaged places"
        if event.value
        else "the board cannot write its files: settings and boots are not kept",
        wire.EVENT_STUCK: f"the sensor gave the same values {event.value} times in a row: it is restarted",
        wire.EVENT_POOR_SENSOR: "the sensor is a part that works and is a poor choice",
        wire.EVENT_AUTH_FAILED: f"somebody failed to prove the board's key ({event.value} since it started)",
        wire.EVENT_HOSTILE: f"the board was sent {event.value} commands that were not ours since it started",
        wire.EVENT_LINK_STALL: f"a connection to the board stood still ({event.value} since it started)",
        wire.EVENT_RADIO_RESTART: f"the board restarted its radio ({event.value} since it started)",
    }
    return words.get(event.code, f"the board reports event {event.code} ({event.value})")
