"""Turn the board's one-minute summaries into minutes of the day, where the samples themselves are lost.

A summary has the mean "up" of each ten seconds and the seconds in motion: enough for a day's angles, too little for
runs, speeds and rotation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.messages import Minute, read_minute
from tiltwise.detect.activity import is_flat
from tiltwise.motion.angles.neck_angles import angles_of_up
from tiltwise.pair_tracker import COLLAR, HEAD
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.tracker import TrackerSettings
from tiltwise.types import ACTIVITIES, Activity, FloatArray

_SLOT_S = 10.0
# Numbers from one minute to the next: five sample frames a second, STATUS every five seconds.
_USUAL_FRAMES = 312
_UNKNOWN = 255


class MinuteSummaries:
    """Keeps the summaries of a board until it is known whose samples are gone."""

    def __init__(self) -> None:
        self._noted: dict[int, dict[int, Frame]] = defaultdict(dict)  # boot -> number -> summary

    def note(self, frame: Frame) -> None:
        """Take a MINUTE frame of the head's or the collar's sensor; others are left alone."""
        if frame.frame_type == wire.MINUTE and frame.sensor in (HEAD, COLLAR):
            self._noted[frame.boot][frame.seq] = frame

    def take(
        self,
        boot: int,
        is_gone: Callable[[int], bool],
        profile: TrackerSettings,
        utc_s: Callable[[Frame], float],
        collar: TrackerSettings | None = None,
    ) -> dict[int, list[Aggregate]]:
        """Return by sensor the minutes of what is gone, and forget the summaries of this boot.

        Parameters
        ----------
        is_gone : tells of a frame's number whether the board could not keep it.
        utc_s : when a summary began.
        collar : of the second sensor; the first one's angles are then the neck's own, where both were summarised.
        """
        noted = sorted(self._noted.pop(boot, {}).values(), key=lambda n: n.seq)
        heads, backs = ([n for n in noted if n.sensor == sensor] for sensor in (HEAD, COLLAR))
        rows: dict[int, list[Aggregate]] = {HEAD: [], COLLAR: []}
        for k, this in enumerate(heads):
            gone = _gone(heads[k - 1] if k else None, this, is_gone, utc_s(this))
            minute = read_minute(this, utc_s(this))
            back = _beside(this, backs) if collar is not None else None
            back_minute = None if back is None else read_minute(back, utc_s(back))
            angles = _angles(minute, profile)
            if back_minute is not None and collar is not None:
                of_back = _angles(back_minute, collar)
                rows[COLLAR] += _rows(back_minute, gone, of_back)
                angles = _Angles(
                    angles.posture_deg - of_back.posture_deg,
                    angles.lateral_deg - of_back.lateral_deg,
                    angles.lies,
                )
            rows[HEAD] += _rows(minute, gone, angles)
        return {sensor: agg.merge_by_minute(found) for sensor, found in rows.items() if found}


def within(rows: Sequence[Aggregate], gaps_s: Sequence[tuple[float, float]]) -> list[Aggregate]:
    """Return the minutes with no more seconds than the gaps have there: numbers are not spread quite evenly.

    gaps_s are [start, end), UTC s, and may overlap; without any the rows are all there is, and stay.
    """
    if not gaps_s:
        return list(rows)
    found = []
    for row in rows:
        room_s, at_s, end_s = 0.0, row.start_s, row.start_s + agg.MINUTE_S
        for a, b in sorted(gaps_s):
            room_s += max(0.0, min(b, end_s) - max(a, at_s))
            at_s = max(at_s, b)
        share = min(room_s / row.covered_s, 1.0) if row.covered_s else 0.0
        if share:
            found.append(replace(row, activity_s=row.activity_s * share, flexion_s=row.flexion_s * share))
    return found


@dataclass(frozen=True, slots=True)
class _Angles:
    """Of the six times ten seconds of a summary: degrees, NaN without samples."""

    posture_deg: FloatArray
    lateral_deg: FloatArray
    lies: NDArray[np.bool_]


def _beside(head: Frame, backs: list[Frame]) -> Frame | None:
    """Return the second sensor's summary of the same minute."""
    near = [back for back in backs if abs(back.t0 - head.t0) < _SLOT_S / 2 / wire.TICK_S]
    return near[0] if near else None


def _gone(
    before: Frame | None, this: Frame, is_gone: Callable[[int], bool], start_s: float
) -> dict[tuple[int, float], float]:
    """Return how many seconds are gone, by ten seconds of the summary and minute of the day.

    A minute's numbers are spread evenly over it, so each stands for a fifth of a second.
    """
    n = _frames_between(before, this)
    found: dict[tuple[int, float], int] = defaultdict(int)
    for k in range(n):
        if is_gone(this.seq - n + k):
            within_s = (k + 0.5) * agg.MINUTE_S / n
            minute_s = (start_s + within_s) // agg.MINUTE_S * agg.MINUTE_S
            found[int(within_s // _SLOT_S), minute_s] += 1
    return {key: round(count * agg.MINUTE_S / n, 6) for key, count in found.items()}


def _frames_between(before: Frame | None, this: Frame) -> int:
    """Return how many numbers a minute took; the usual where the one before is not known."""
    if before is None or not 0 < this.t0 - before.t0 < 1.5 * agg.MINUTE_S / wire.TICK_S:
        return _USUAL_FRAMES
    return this.seq - before.seq


def _angles(minute: Minute, profile: TrackerSettings) -> _Angles:
    inclination_deg, flexion_deg, lateral_deg = angles_of_up(minute.up_sensor, profile.mounting)
    has_axes = profile.mounting.is_shown
    lies = is_flat(
        inclination_deg,
        flexion_deg if has_axes else None,
        lateral_deg if has_axes else None,
        settings=profile.activity,
    )
    return _Angles(flexion_deg if has_axes else inclination_deg, lateral_deg, lies)


def _rows(minute: Minute, gone: dict[tuple[int, float], float], angles: _Angles) -> list[Aggregate]:
    """Return a row for each ten seconds and minute of the day; those without samples on the board give none."""
    return [
        _row(minute, minute_s, seconds, slot, angles)
        for (slot, minute_s), seconds in gone.items()
        if np.isfinite(angles.posture_deg[slot])
    ]


def _row(minute: Minute, minute_s: float, seconds: float, slot: int, angles: _Angles) -> Aggregate:
    """Return some seconds at one angle, as far as worn; still or moving as the whole minute was."""
    posture_deg, lateral_deg = float(angles.posture_deg[slot]), float(angles.lateral_deg[slot])
    lies = bool(angles.lies[slot])
    worn_s = seconds * (1.0 if minute.worn_s == _UNKNOWN else min(minute.worn_s / 60, 1.0))
    moving_s = 0.0 if lies else min(seconds * minute.moving_s / 60, worn_s)
    activity, flexion = np.zeros(len(ACTIVITIES)), np.zeros((2, agg.N_FLEXION))
    activity[ACTIVITIES.index(Activity.NOT_WORN)] = seconds - worn_s
    activity[ACTIVITIES.index(Activity.MOVING)] = moving_s
    activity[ACTIVITIES.index(Activity.LYING if lies else Activity.STILL)] = worn_s - moving_s
    if not lies:
        column = int(agg.flexion_bin(posture_deg))
        flexion[agg.HELD, column], flexion[agg.MOVING, column] = worn_s - moving_s, moving_s
    is_posture = flexion.sum() > 0 and np.isfinite(lateral_deg)
    return Aggregate(
        start_s=minute_s,
        activity_s=activity,
        flexion_s=flexion,
        rate_s=np.zeros(agg.N_RATE),
        eva_s=np.zeros(agg.EVA_SHAPE),
        lateral_deg=(lateral_deg, lateral_deg) if is_posture else (np.nan, np.nan),
    )
