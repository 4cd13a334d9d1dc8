"""A realistic synthetic day for the report's tests and for looking at pictures."""

from datetime import UTC, datetime

import numpy as np

from tiltwise.report.day_summary import DaySummary, Gap, summarise_day
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.types import ACTIVITIES, Activity, EpisodeEnded, Mount, PostureKind, RepCompleted, Side

DAY_S = datetime(2026, 2, 24, tzinfo=UTC).timestamp()
CODE = {activity: k for k, activity in enumerate(ACTIVITIES)}


def synthetic_day(hours: float = 9.5, mount: Mount = Mount.NECK, *, start_hour: float = 7.5) -> DaySummary:
    """Return a desk day: slow sinking, reading spells, phone looks, a lunch walk, a nap, a lost hour, exercises."""
    rng = np.random.default_rng(7)
    n = int(hours * 3600 * 10)
    t = DAY_S + start_hour * 3600 + np.arange(n) / 10
    k = np.arange(n) / n
    angle = (
        11
        + 5 * np.sin(2 * np.pi * 4 * k)
        + 2.5 * np.sin(2 * np.pi * 0.2 * np.arange(n) / 10)
        + rng.normal(size=n)
    )
    angle += 3 * np.interp(
        np.arange(n), np.arange(0, n + 900, 900), rng.normal(size=len(range(0, n + 900, 900)))
    )
    activity = np.full(n, CODE[Activity.STILL], dtype=np.int8)
    episodes = []
    for at in (0.06, 0.14, 0.27, 0.33, 0.62, 0.78, 0.93):
        length = int(rng.uniform(400, 2200) * min(hours / 9.5, 1) * 1.5) + 300
        first = int(at * n)
        angle[first : first + length] += 26
        start, end = float(t[first]), float(t[min(first + length, n - 1)])
        alert = start + 30 if end - start > 30 else None
        episodes.append(EpisodeEnded(end, PostureKind.FORWARD_FLEXION, start, end, 45.0, alert))
    for at, share, what in (
        (0.2, 0.02, Activity.MOVING),
        (0.42, 0.045, Activity.WALKING),
        (0.52, 0.03, Activity.LYING),
    ):
        activity[int(at * n) : int((at + share) * n)] = CODE[what]
    activity[int(0.7 * n) : int(0.73 * n)] = CODE[Activity.NOT_WORN]
    keep = ~((k > 0.465) & (k < 0.52))
    gap = Gap(float(t[int(0.465 * n)]), float(t[int(0.52 * n)]), "disconnected")
    accumulator = ExposureAccumulator(ExposureSettings(mount=mount))
    rows = accumulator.process(t[keep], angle[keep], activity[keep]) + accumulator.finish()
    peaks = [float(t[int(0.85 * n)]) + 6 * j for j in range(8)]
    reps = [RepCompleted(p, "side_tilt", Side.LEFT, p - 2, p, p + 2, 34.0, 1.0) for p in peaks]
    return summarise_day(
        rows,
        start_s=DAY_S,
        end_s=DAY_S + 86400,
        mount=mount,
        episodes=episodes,
        alerts_s=[e.alert_s for e in episodes if e.alert_s is not None],
        reps=reps,
        gaps=[gap],
    )
