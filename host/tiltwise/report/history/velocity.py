"""Angles become the two angular velocities that are published for posture; they differ by half, so both are named.

deg/s, from AngleBlocks; acausal only in that each value needs the sample before. Fan et al. 2021,
doi:10.3390/s21165527: the median of one shift was 33 by one definition and 16 by the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.report.angle_summary import durations_s
from tiltwise.types import FloatArray

_LEAST_S = 1.0  # of valid time


@dataclass(frozen=True, slots=True)
class Velocities:
    """(P10, P50, P90) in deg/s by both definitions, NaN without valid time."""

    generalized_deg_s: tuple[float, float, float]
    inclination_deg_s: tuple[float, float, float]


def velocities(
    t_s: FloatArray,
    inclination_deg: FloatArray,
    flexion_deg: FloatArray,
    lateral_deg: FloatArray,
    use: NDArray[np.bool_] | None = None,
) -> Velocities:
    """Return both velocities of samples (n,), weighted by time; `use` (n,) leaves samples out.

    The generalized velocity is the turn of the direction of gravity from sample to sample; it needs flexion and side
    tilt. The inclination velocity is the change of the one angle to the neutral posture.
    """
    step = durations_s(t_s)[:-1] if len(t_s) else t_s
    with np.errstate(invalid="ignore", divide="ignore"):
        up = _up(np.radians(flexion_deg), np.radians(lateral_deg))
        chord = np.sqrt(np.sum(np.diff(up, axis=0) ** 2, axis=1))
        turned = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0.0, 1.0))) / step
        changed = np.abs(np.diff(inclination_deg)) / step
    valid = step > 0 if use is None else (step > 0) & use[1:] & use[:-1]
    return Velocities(_percentiles(turned, step, valid), _percentiles(changed, step, valid))


def _up(flexion: FloatArray, lateral: FloatArray) -> FloatArray:
    """Return "up" (n, 3) in body axes: x back, y to the side, z up (motion/angles/neck_angles.py)."""
    return np.stack(
        (-np.cos(lateral) * np.sin(flexion), np.sin(lateral), np.cos(lateral) * np.cos(flexion)), axis=-1
    )


def _percentiles(
    values: FloatArray, weight_s: FloatArray, valid: NDArray[np.bool_]
) -> tuple[float, float, float]:
    valid = valid & np.isfinite(values)
    values, weight_s = values[valid], weight_s[valid]
    if weight_s.sum() < _LEAST_S:
        return (np.nan, np.nan, np.nan)
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weight_s[order]) - weight_s[order] / 2
    p10, p50, p90 = np.interp((0.1, 0.5, 0.9), middle / weight_s.sum(), values[order]).tolist()
    return p10, p50, p90
