"""A day's figures from its raw samples, computed a second time: it shares no code and no threshold with the program.

What is recomputed, and from where the definitions are: docs/algorithms.md, "Exposure". A sample stands for the time
until the next one, for at most half a second. Upright is still (0) or moving (1); walking (2), lying (3) and not worn
(4) enter no angle figure. Whole seconds by their mean angle make runs; a second that is upright for less than half of
it breaks one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
LONGEST_STEP_S = 0.5
LIMITS_DEG = (15.0, 20.0, 30.0, 45.0, 60.0)
SPELL_DEG = 20.0
EVA_DEG = (0.0, 10.0, 20.0, 30.0, 45.0, 60.0)
EVA_S = (3, 7, 15, 31, 63, 127)
NOT_WORN = 4


@dataclass(frozen=True, slots=True)
class CheckedFigures:
    """Seconds by activity (5,), percent beyond LIMITS_DEG, P10/P50/P90 in deg, longest spell in s, EVA in percent."""

    activity_s: Array
    percent: Array
    percentiles_deg: Array
    mean_deg: float
    longest_s: int
    holding_use: float
    eva_percent: Array


def check_day(t_s: Array, angle_deg: Array, code: Codes) -> CheckedFigures:
    """Return the figures of samples (n,) in order of time."""
    step = np.diff(t_s)
    lasts = np.where(step <= LONGEST_STEP_S, step, 0.0)
    angle, activity = angle_deg[:-1], code[:-1]
    by_activity = np.array([lasts[activity == k].sum() for k in range(5)])
    is_upright = activity <= 1
    upright, weight = angle[is_upright], lasts[is_upright]
    total = weight.sum()
    percent = np.array([weight[upright >= limit].sum() / total * 100 for limit in LIMITS_DEG])
    means, seconds = _mean_of_seconds(t_s[:-1], angle, lasts * is_upright)
    runs = _runs(seconds, means)
    spells = _lengths(seconds, means >= SPELL_DEG)
    return CheckedFigures(
        by_activity,
        percent,
        _percentiles(upright, weight),
        float((upright * weight).sum() / total),
        max(spells, default=0),
        _holding_use(seconds, means),
        runs / max(runs.sum(), 1e-9) * 100,
    )


def _percentiles(values: Array, weight: Array) -> Array:
    """Return P10, P50 and P90: the angle below which that share of the time lies."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weight[order]) / weight.sum()
    return np.array([values[order][np.searchsorted(below, p)] for p in (0.1, 0.5, 0.9)])


def _mean_of_seconds(t_s: Array, angle: Array, weight: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return mean angle and number of each whole second that is upright for half of it or more."""
    second = np.floor(t_s + 1e-9).astype(np.int64)
    first = int(second[0])
    upright = np.bincount(second - first, weights=weight)
    moment = np.bincount(second - first, weights=weight * angle)
    known = np.flatnonzero(upright >= 0.5 - 1e-9)
    return moment[known] / upright[known], known + first


def _lengths(seconds: npt.NDArray[np.int64], is_in: npt.NDArray[np.bool_]) -> list[int]:
    """Return how long each run of neighbouring seconds in a state is."""
    lengths, length, before = [], 0, -2
    for second, inside in zip(seconds.tolist(), is_in.tolist(), strict=True):
        if not inside or second != before + 1:
            lengths.append(length)
            length = 0
        length += inside
        before = second
    return [each for each in (*lengths, length) if each]


def _runs(seconds: npt.NDArray[np.int64], means: Array) -> Array:
    """Return seconds (7, 7) by class of angle and of how long the run in it lasted."""
    table = np.zeros((7, 7))
    kind = np.searchsorted(EVA_DEG, means, side="right")
    breaks = np.flatnonzero((np.diff(kind) != 0) | (np.diff(seconds) != 1)) + 1
    for run in np.split(np.arange(len(kind)), breaks):
        if len(run):
            table[kind[run[0]], np.searchsorted(EVA_S, len(run), side="right")] += len(run)
    return table


def _holding_use(seconds: npt.NDArray[np.int64], means: Array) -> float:
    """Return the largest share of ISO 11226's holding time (head) that a run from 25 deg on had used, from 5 s on."""
    allowed_s = 60 * np.interp(means, [25.0, 85.0], [8.0, 1.0])
    most, use, length, before = 0.0, 0.0, 0, -2
    for second, mean, allowed in zip(seconds.tolist(), means.tolist(), allowed_s.tolist(), strict=True):
        if mean < 25.0 or second != before + 1:
            use, length = 0.0, 0
        if mean >= 25.0:
            use, length = use + 1 / allowed, length + 1
            if length > 4:
                most = max(most, use)
        before = second
    return most
