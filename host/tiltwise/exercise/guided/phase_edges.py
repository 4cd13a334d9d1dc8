"""When a movement between two phases began and ended, as the angle shows it."""

from __future__ import annotations

import numpy as np

from tiltwise.exercise.guided.moments import GRID_HZ
from tiltwise.types import FloatArray

MOVED_DEG = 1.5
_START_S, _SMOOTH = 0.4, 9  # the beginning of a sink; moments that its trace is smoothed over


def edges(times: FloatArray, way: FloatArray, end_deg: float) -> tuple[float, float]:
    """Return when (s) the head had gone a tenth and nine tenths of its way (n,) in deg.

    The beginning twice if it did not move.
    """
    start_deg = float(np.median(way[: max(round(_START_S * GRID_HZ), 1)]))
    gone = end_deg - start_deg
    if abs(gone) < MOVED_DEG or len(way) < _SMOOTH:
        return float(times[0]), float(times[0])
    padded = np.pad(way, _SMOOTH // 2, mode="edge")
    share = (np.convolve(padded, np.ones(_SMOOTH) / _SMOOTH, mode="valid") - start_deg) / gone
    half = int(np.argmax(share >= 0.5))
    begins = np.flatnonzero(share[: half + 1] <= 0.1)
    arrives = np.flatnonzero(share[half:] >= 0.9)
    return (
        float(times[begins[-1]]) if len(begins) else float(times[0]),
        float(times[half + arrives[0]]) if len(arrives) else float(times[-1]),
    )
