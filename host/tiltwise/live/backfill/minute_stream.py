"""The minutes of one stored session: of the angle that the rule judges and, with two sensors, of the upper back."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from tiltwise.pair_tracker import COLLAR, HEAD, PairUpdate
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.store.writer import Store
from tiltwise.tracker import TrackerSettings
from tiltwise.types import ActivityChanged, Mount, SignalGap, Update


class _SensorMinutes:
    """Minutes of one stream of samples in order."""

    def __init__(self, mount: Mount, zone: ZoneInfo) -> None:
        settings = ExposureSettings(mount=mount, next_day_s=partial(next_day_s, zone))
        self._exposure = ExposureAccumulator(settings)
        self._last_utc_s = -math.inf  # of the newest sample

    def add(self, store: Store, session: int, sensor: int, update: Update, angle_of: TrackerSettings,
            utc_offset_s: float) -> None:  # fmt: skip
        """Count the samples of an update; its changes of activity may be ahead of them (with two sensors)."""
        angles = update.angles
        # The clock map learns, so its offset may fall by more than a sample's time: the day never runs back.
        offset_s = max(utc_offset_s, self._last_utc_s - float(angles.t_s[0]))
        utc_s = angles.t_s + offset_s
        self._last_utc_s = float(utc_s[-1])
        rows = self._exposure.process(
            utc_s,
            angle_of.posture_angle_deg(angles),
            update.activity,
            lateral_deg=angles.lateral_deg,
            rotation_deg=angles.rotation_deg,
            rate_deg_s=angles.rate_deg_s,
            inclination_deg=angles.inclination_deg,
            changes=[_moved(e, offset_s) for e in update.events if isinstance(e, ActivityChanged)],
        )
        store.put_aggregates(session, rows, sensor)

    def stage(self, store: Store, session: int, sensor: int, *, is_end: bool) -> None:
        rows = self._exposure.finish() if is_end else self._exposure.snapshot()
        store.put_aggregates(session, rows, sensor)


def next_day_s(zone: ZoneInfo, utc_s: float) -> float:
    """Return when the local day after that of utc_s begins, UTC s; days have 23 to 25 hours."""
    day = datetime.fromtimestamp(utc_s, zone).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _moved(change: ActivityChanged, offset_s: float) -> ActivityChanged:
    """Return it with UTC times."""
    since_s = None if change.since_s is None else change.since_s + offset_s
    return replace(change, t_s=change.t_s + offset_s, since_s=since_s)


class MinuteStream:
    """Stages the events and minutes of one session: what came live, or what came late of a boot.

    Parameters
    ----------
    session
        Its number in the store. Two sessions never share a stream, so that no second is in two of them.
    mount
        Where the first sensor is worn.
    zone
        IANA name of the wearer's time zone: no spell is longer than its day.
    """

    def __init__(self, session: int, mount: Mount, zone: str) -> None:
        self.session, self._mount, self._zone = session, mount, ZoneInfo(zone)
        self._sensors: dict[int, _SensorMinutes] = {}

    def add(self, store: Store, update: Update, profile: TrackerSettings, utc_offset_s: float) -> None:
        """Stage the events and minutes of an update; device times plus the offset are UTC s."""
        events = [event for event in update.events if not isinstance(event, SignalGap)]
        store.put_events(self.session, events, utc_offset_s)
        judged: Update | None = update
        back: Update | None = None
        if isinstance(update, PairUpdate):  # what the rule judges is what is kept: the neck's own angle
            judged, back = update.judged, update.upper_back
            if judged is not None:
                judged = replace(judged, events=update.events)
        for sensor, part in ((HEAD, judged), (COLLAR, back)):
            if part is not None and len(part.angles.t_s):
                mount = Mount.COLLAR if sensor == COLLAR else self._mount
                minutes = self._sensors.setdefault(sensor, _SensorMinutes(mount, self._zone))
                minutes.add(store, self.session, sensor, part, profile, utc_offset_s)

    def stage(self, store: Store, *, is_end: bool) -> None:
        """Stage the open minutes as they stand, so that a crash costs a second of them and no more."""
        for sensor, minutes in self._sensors.items():
            minutes.stage(store, self.session, sensor, is_end=is_end)
