"""Angle blocks made up for tests, and cutting them anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from tiltwise.types import AngleBlock, FloatArray

RATE_HZ = 50.0
COLUMNS = (
    "t_s",
    "inclination_deg",
    "flexion_deg",
    "lateral_deg",
    "rotation_deg",
    "rate_deg_s",
    "up_acc_m_s2",
    "acc_norm_m_s2",
)


def times(seconds: float, rate_hz: float = RATE_HZ, start_s: float = 0.0) -> FloatArray:
    """Sample times (n,)."""
    return start_s + np.arange(round(seconds * rate_hz)) / rate_hz


def angle_block(
    t_s: FloatArray,
    *,
    flexion_deg: FloatArray | float = 0.0,
    lateral_deg: FloatArray | float = 0.0,
    rotation_deg: FloatArray | float = 0.0,
    up_acc_m_s2: FloatArray | float = 0.0,
    ripple_deg: float = 0.5,
) -> AngleBlock:
    """A neck that breathes: what is given, plus a ripple of 0.25 Hz on flexion; the rest follows from it."""
    one = np.ones(len(t_s))
    flexion = flexion_deg * one + ripple_deg * np.sin(2 * np.pi * 0.25 * t_s)
    lateral, rotation = lateral_deg * one, rotation_deg * one
    up_z = np.cos(np.radians(lateral)) * np.cos(np.radians(flexion))
    inclination = np.degrees(np.arccos(np.clip(up_z, -1.0, 1.0)))
    turned = [np.gradient(a, t_s) if len(t_s) > 1 else 0 * one for a in (flexion, lateral, rotation)]
    rate = np.sqrt(sum(r * r for r in turned))
    up = up_acc_m_s2 * one
    return AngleBlock(t_s, inclination, flexion, lateral, rotation, rate, up, 9.81 + up)


def part(block: AngleBlock, start: int, stop: int) -> AngleBlock:
    """Samples start to stop of a block."""
    return AngleBlock(*(getattr(block, name)[start:stop] for name in COLUMNS), sensor=block.sensor)


def cut(block: AngleBlock, at: list[int]) -> Iterator[AngleBlock]:
    """The block in pieces, cut before each sample of `at` (which may repeat: empty pieces)."""
    edges = [0, *sorted(min(a, len(block.t_s)) for a in at), len(block.t_s)]
    for start, stop in pairwise(edges):
        yield part(block, start, stop)


def without(block: AngleBlock, start_s: float, stop_s: float) -> AngleBlock:
    """The block with a hole of time in it."""
    keep = (block.t_s < start_s) | (block.t_s >= stop_s)
    return AngleBlock(*(getattr(block, name)[keep] for name in COLUMNS))
