"""Turn the board's one-minute summaries into minutes of the day, where the samples themselves are lost.

A summary has the mean "up" of each ten seconds and the seconds in motion: enough for a day's angles, too little for
runs, speeds and rotation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.messages import Minute, read_minute
from tiltwise.detect.activity import is_flat
from tiltwise.motion.angles.neck_angles import angles_of_up
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.tracker import TrackerSettings
from tiltwise.types import ACTIVITIES, Activity

_SLOTS, _SLOT_S = 6, 10.0
# Numbers from one minute to the next: five sample frames a second, STATUS every five seconds.
_USUAL_FRAMES = 312
_UNKNOWN = 255


class MinuteSummaries:
    """Keeps the summaries of a board until it is known whose samples are gone."""

    def __init__(self) -> None:
        self._noted: dict[int, dict[int, Frame]] = defaultdict(dict)  # boot -> number -> summary

    def note(self, frame: Frame) -> None:
        """Take a MINUTE frame of the first sensor; others are left alone."""
        if frame.frame_type == wire.MINUTE and frame.sensor == 0:
            self._noted[frame.boot][frame.seq] = frame

    def take(
        self,
        boot: int,
        is_gone: Callable[[int], bool],
        profile: TrackerSettings,
        utc_s: Callable[[Frame], float],
    ) -> list[Aggregate]:
        """Return minutes of what is gone, and forget the summaries of this boot.

        Parameters
        ----------
        is_gone : tells of a frame's number whether the board could not keep it.
        utc_s : when a summary began.
        """
        rows: list[Aggregate] = []
        noted = sorted(self._noted.pop(boot, {}).values(), key=lambda n: n.seq)
        for k, this in enumerate(noted):
            first = this.seq - _frames_between(noted[k - 1] if k else None, this)
            middles = [first + (this.seq - first) * (slot + 0.5) / _SLOTS for slot in range(_SLOTS)]
            gone = [slot for slot, at in enumerate(middles) if is_gone(int(at))]
            if gone:
                rows += _rows(read_minute(this, utc_s(this)), gone, profile)
        return agg.merge_by_minute(rows)


def _frames_between(before: Frame | None, this: Frame) -> int:
    """Return how many numbers a minute took; the usual where the one before is not known."""
    if before is None or not 0 < this.t0 - before.t0 < 1.5 * agg.MINUTE_S / wire.TICK_S:
        return _USUAL_FRAMES
    return this.seq - before.seq


def _rows(minute: Minute, slots: Iterable[int], profile: TrackerSettings) -> list[Aggregate]:
    """Return a row for each slot; those without samples on the board give none."""
    inclination_deg, flexion_deg, lateral_deg = angles_of_up(
        minute.up_sensor, profile.mounting, profile.angles
    )
    has_axes = profile.mounting.is_shown
    posture_deg = flexion_deg if has_axes else inclination_deg
    lies = is_flat(
        inclination_deg,
        flexion_deg if has_axes else None,
        lateral_deg if has_axes else None,
        settings=profile.activity,
    )
    return [
        _row(minute, slot, float(posture_deg[slot]), float(lateral_deg[slot]), lies=bool(lies[slot]))
        for slot in slots
        if np.isfinite(posture_deg[slot])
    ]


def _row(minute: Minute, slot: int, posture_deg: float, lateral_deg: float, *, lies: bool) -> Aggregate:
    """Return ten seconds at one angle, as far as worn; still or moving as the whole minute was."""
    worn_s = _SLOT_S * (1.0 if minute.worn_s == _UNKNOWN else min(minute.worn_s / 60, 1.0))
    moving_s = 0.0 if lies else min(_SLOT_S * minute.moving_s / 60, worn_s)
    activity, flexion = np.zeros(len(ACTIVITIES)), np.zeros((2, agg.N_FLEXION))
    activity[ACTIVITIES.index(Activity.NOT_WORN)] = _SLOT_S - worn_s
    activity[ACTIVITIES.index(Activity.MOVING)] = moving_s
    activity[ACTIVITIES.index(Activity.LYING if lies else Activity.STILL)] = worn_s - moving_s
    if not lies:
        column = int(np.clip(np.floor(posture_deg), agg.FLEXION_MIN_DEG, agg.FLEXION_MAX_DEG - 1))
        column -= agg.FLEXION_MIN_DEG
        flexion[agg.HELD, column], flexion[agg.MOVING, column] = worn_s - moving_s, moving_s
    is_posture = flexion.sum() > 0 and np.isfinite(lateral_deg)
    middle_s = minute.t_s + (slot + 0.5) * _SLOT_S
    return Aggregate(
        start_s=middle_s // agg.MINUTE_S * agg.MINUTE_S,
        activity_s=activity,
        flexion_s=flexion,
        rate_s=np.zeros(agg.N_RATE),
        eva_s=np.zeros(agg.EVA_SHAPE),
        lateral_deg=(lateral_deg, lateral_deg) if is_posture else (np.nan, np.nan),
    )
