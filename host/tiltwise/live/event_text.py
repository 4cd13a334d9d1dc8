"""Events in words, one short line each: for the demo's story, for `watch` without a terminal, for logs."""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.live_session import LiveUpdate
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.text import printable
from tiltwise.types import (
    Activity,
    ActivityChanged,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    Event,
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


def lines_of(live: LiveUpdate) -> list[tuple[str, str]]:
    """Return (style, line) for everything in an update that is worth a line.

    Styles: "plain", "begin", "alert", "good", "count", "faint", "warn".
    """
    lines = [] if live.ritual is None else [_ritual(live.ritual)]
    alerts = {notice.t_s for notice in live.notices if notice.level == "alert"}
    thanks = {notice.t_s for notice in live.notices if notice.level == "thanks"}
    for event in live.events:
        line = _event(event, alerts, thanks)
        if line is not None:
            lines.append(line)
    lines += [("warn", _board(event)) for event in live.board_events if event.code != wire.EVENT_BOOT]
    lines += [("warn", printable(warning, 400)) for warning in live.warnings]
    return lines


def _ritual(progress: CalibrationProgress) -> tuple[str, str]:
    if progress.step is CalibrationStep.DONE and progress.mounting is not None:
        notes = (f"calibrated (quality {progress.mounting.quality:.2f})", *progress.mounting.notes)
        return "good", "; ".join(notes)
    if progress.step is CalibrationStep.REFUSED:
        return "warn", f"calibration refused: {progress.reason}"
    if progress.count:
        return "plain", f"calibrating: {progress.count} of 3"
    return "plain", f"calibrating: {progress.text}"


def _event(event: Event, alerts: set[float], thanks: set[float]) -> tuple[str, str] | None:
    match event:
        case EpisodeStarted():
            return "begin", f"{KINDS[event.kind]} begins ({event.angle_deg:.0f} deg)"
        case EpisodeAlert():
            held_s = event.t_s - event.start_s
            told = "ALERT" if event.t_s in alerts else "alert held back"
            return "alert", f"{told} after {held_s:.0f} s of {KINDS[event.kind]} ({event.angle_deg:.0f} deg)"
        case EpisodeEnded(alert_s=alert_s) if alert_s is not None:
            lasted = f"{event.end_s - event.start_s:.0f} s, up to {event.peak_deg:.0f} deg"
            if not event.is_corrected:
                return "faint", f"{KINDS[event.kind]} ends with the data ({lasted})"
            return "good", f"corrected after {lasted}{', thank you' if event.t_s in thanks else ''}"
        case ActivityChanged():
            return "faint", ACTIVITIES[event.activity]
        case RepCompleted():
            return "count", _rep(event)
        case StepPrompt():
            return "plain", event.text
        case SignalGap():
            whose = " from the second sensor" if event.sensor else ""
            return "warn", f"no samples{whose} for {event.end_s - event.start_s:.1f} s ({event.reason})"
    return None


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
        wire.EVENT_STUCK: f"the sensor gave the same values {event.value} times in a row: it is started anew",
        wire.EVENT_POOR_SENSOR: "the sensor is a part that works and is a poor choice",
        wire.EVENT_AUTH_FAILED: f"somebody failed to prove the board's key ({event.value} since it started)",
        wire.EVENT_HOSTILE: f"the board was sent {event.value} commands that were not ours since it started",
        wire.EVENT_LINK_STALL: f"a connection to the board stood still ({event.value} since it started)",
        wire.EVENT_RADIO_RESTART: f"the board started its radio anew ({event.value} since it started)",
    }
    return words.get(event.code, f"the board reports event {event.code} ({event.value})")
