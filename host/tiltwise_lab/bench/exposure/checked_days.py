"""Random days as raw samples, put through the program and recomputed by day_checker.py; the largest differences.

Each day has bouts at random angles and lengths, breathing, fast movements, walking, lying, the sensor off, jitter of
the stamps and gaps. Angles in degrees, times in s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tiltwise.report.day_summary import DaySummary, summarise_day
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.types import Mount
from tiltwise_lab.bench.exposure.day_checker import Array, CheckedFigures, Codes, check_day

RATE_HZ = 12.5
_START_S = 1_770_000_000.0
_HOURS = (0.5, 3.0)


@dataclass(frozen=True, slots=True)
class Differences:
    """Program minus checker, the largest of a day: s, points, deg, deg, s, share of the holding time, points."""

    activity_s: float
    share_points: float
    percentile_deg: float
    mean_deg: float
    longest_s: float
    holding_use: float
    eva_points: float


def random_day(seed: int) -> tuple[Array, Array, Codes]:
    """Return t_s, angle_deg and activity code of a random day, each (n,)."""
    rng = np.random.default_rng(seed)
    n = int(rng.uniform(*_HOURS) * 3600 * RATE_HZ)
    step = rng.normal(1 / RATE_HZ, 0.1 / RATE_HZ * rng.random(), n).clip(0.2 / RATE_HZ)
    for at in rng.integers(0, n, int(rng.integers(0, 8))):
        step[at] = rng.choice([0.3, 0.7, 5.0, 300.0, 3000.0])
    t_s = np.round(_START_S + np.cumsum(step) + rng.integers(0, 86_400), 6)
    angle = np.full(n, rng.uniform(-5, 15))
    code = (rng.random(n // 500 + 1) < 0.3).astype(np.int8).repeat(500)[:n]
    at = 0
    while at < n:
        length = int(rng.exponential(rng.choice([4.0, 30.0, 300.0])) * RATE_HZ) + 1
        angle[at : at + length] = rng.normal(rng.choice([0.0, 12.0, 22.0, 40.0, 70.0]), 6)
        if rng.random() < 0.05:
            code[at : at + length] = rng.integers(2, 5)
        at += length
    smooth = np.convolve(angle, np.ones(7) / 7, "same")
    return t_s, smooth + 1.5 * np.sin(2 * np.pi * 0.25 * t_s) + rng.normal(0, 0.4, n), code


def summary_of(t_s: Array, angle_deg: Array, code: Codes) -> DaySummary:
    """Return what the program makes of the samples."""
    exposure = ExposureAccumulator(ExposureSettings(mount=Mount.HEAD))
    rows = exposure.process(t_s, angle_deg, code) + exposure.finish()
    return summarise_day(
        rows, start_s=float(t_s[0]) - 86_400, end_s=float(t_s[-1]) + 86_400, mount=Mount.HEAD
    )


def differences(day: DaySummary, checked: CheckedFigures) -> Differences:
    """Return how far the program is from the checker."""
    assert day.total is not None
    shares = np.array(list(day.percent_above_deg.values()))
    return Differences(
        float(np.abs(day.total.activity_s - checked.activity_s).max()),
        float(np.abs(shares - checked.percent).max()),
        float(np.abs(np.array(day.percentiles_deg) - checked.percentiles_deg).max()),
        abs(day.mean_deg - checked.mean_deg),
        abs(day.longest_bout_s - checked.longest_s),
        abs(day.limit_use - checked.holding_use),
        float(np.abs(day.eva_percent - checked.eva_percent).max()),
    )


def random_rows(days: int, first_seed: int = 1) -> Iterator[tuple[float, Differences]]:
    """Yield the share done and the differences of each day."""
    for k in range(days):
        samples = random_day(first_seed + k)
        yield (k + 1) / days, differences(summary_of(*samples), check_day(*samples))
