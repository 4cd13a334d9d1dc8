"""Makes a live session from what is known at its start: for watch, demo, rebuild and the benches."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tiltwise.config.calibration_profiles import Calibrations
from tiltwise.config.settings import Settings
from tiltwise.exercise.set_counter import set_counters
from tiltwise.live.acknowledgements import ACK_EVERY_S
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.event_text import clock
from tiltwise.live.known_boards import KnownBoards
from tiltwise.live.live_session import LiveSession
from tiltwise.live.session_recording import SessionRecording
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.live.wearer.notices import BY_SCHEDULE
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.live.wearer.recorded_changes import RecordedChanges
from tiltwise.live.wearer.sample_batch import LIVE_S
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store
from tiltwise.types import AlertHeldBack, Mount

_PAUSE_S = 1800.0  # a program that ran so shortly before goes on where it stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """How the sensor is worn, as far as it is known at the start.

    Parameters
    ----------
    mount
        Where the sensor is worn.
    mounting, collar
        A calibration that holds, and that of a second sensor on the collar. None: the session begins with the
        guided calibration.
    is_put_on
        The calibration is from an earlier day: whether it still fits is checked in the first minutes.
    calibration
        How to calibrate.
    calibrations
        Where the calibrations of this person are looked up, by the board that is met, and kept; None: nowhere.
    asked_mount
        The place that was asked for; None takes that of the newest calibration.
    """

    mount: Mount
    mounting: Mounting | None = None
    collar: Mounting | None = None
    is_put_on: bool = False
    calibration: CalibrationOptions = field(default_factory=CalibrationOptions)
    calibrations: Calibrations | None = None
    asked_mount: Mount | None = None


def open_session(
    worn: Worn,
    *,
    started_utc_s: float,
    zone: str = "UTC",
    device: str = "",
    settings: Settings | None = None,
    store: Store | None = None,
    so_far: StoredDay | None = None,
    recorder: RecordingWriter | None = None,
    exercises: tuple[str, ...] = (),
    commit_every_s: float = ACK_EVERY_S,
    fetches: bool = False,
    batch_s: float = LIVE_S,
    changes: RecordedChanges | None = None,
    recorded_clock: tuple[float, str] | None = None,
) -> LiveSession:
    """Return a session that is ready for its first chunk.

    Parameters
    ----------
    started_utc_s : wall time of `received_s == 0`, UTC s.
    zone : IANA name of the wearer's time zone.
    device : name of the device in the store, until the device proves its own.
    store, recorder : what to keep; the session closes them. None keeps nothing.
    so_far : `day_so_far`, where the caller has read it; otherwise it is read here.
    exercises : names of the exercises to count beside the posture rule.
    commit_every_s, fetches : received time between two commits; whether the source gives the board's answers too.
    batch_s : so many seconds of samples are tracked at once; more for files.
    changes : what the session of a recording was told beside its frames.
    recorded_clock : UTC s of the recording at `received_s == 0` and its zone: quiet hours and snoozes go by these.
    """
    settings = settings or Settings()
    began_s, wearers_zone = recorded_clock or (started_utc_s, zone)
    pipeline = Pipeline(
        settings,
        worn.mount,
        ZoneInfo(wearers_zone),
        worn.calibration,
        set_counters(exercises),
        began_s - started_utc_s,
    )
    if worn.mounting is not None:
        pipeline.begin(worn.mounting, worn.collar, is_put_on=worn.is_put_on)
    if so_far is None:
        so_far = day_so_far(store, pipeline.local(started_utc_s))
    if so_far is not None:
        _go_on_with_day(pipeline, so_far, started_utc_s)
    about: dict[str, object] = {"rule": dict(settings.rule.as_stored)}
    if worn.mounting is not None and worn.mounting.relative_to_s is not None:
        about["relative_to"] = f"the posture at {clock(worn.mounting.relative_to_s)}"
    return LiveSession(
        pipeline,
        started_utc_s=started_utc_s,
        sink=None
        if store is None
        else StoreSink(store, device=device, mount=worn.mount, zone=zone, about=about),
        recording=None if recorder is None else SessionRecording(recorder),
        commit_every_s=commit_every_s,
        fetches=fetches,
        batch_s=batch_s,
        changes=changes,
        known=KnownBoards(worn.calibrations, worn.asked_mount, is_behind=not worn.calibration.is_in_front),
    )


def day_so_far(store: Store | None, local: datetime) -> StoredDay | None:
    """Return what earlier runs stored of the day of `local`; None for stories and recordings."""
    if store is None or store.origin:
        return None
    with Store.open_readonly(store.folder) as reader:
        return reader.day(local.date(), str(local.tzinfo))


def _go_on_with_day(pipeline: Pipeline, day: StoredDay, now_s: float) -> None:
    """Let the alerts that an earlier run gave today count; its first minutes are over if it ended just now."""
    today = pipeline.local(now_s).date()
    last_s = max((minute.start_s for minute in day.minutes if minute.start_s < now_s), default=-math.inf)
    given = [t_s for t_s in day.summary().alerts_s if t_s < now_s]
    faded = [e for e in day.events if isinstance(e, AlertHeldBack) and e.reason.startswith(BY_SCHEDULE)]
    pipeline.alerts.resume(len(given), today, faded_today=len(faded), is_worn_in=now_s - last_s < _PAUSE_S)
