"""How long the end of a movement was held, from the trace of one excursion. Degrees and seconds.

Held is the time within a tenth of the furthest point, at least within 1.5 deg of it: heads are never still.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiltwise.types import FloatArray

NEAR_SHARE, NEAR_DEG = 0.1, 1.5  # of the furthest point
_FAR_SHARE = 0.85  # of the way: the median beyond is the furthest point, whatever trembles


def held_s(trace: Sequence[tuple[float, float]]) -> float:
    """Return how long the end of an excursion was held.

    Parameters
    ----------
    trace
        (t_s, deviation in deg, outward positive) from where the head left its neutral to where it is back.
    """
    if len(trace) < 3:
        return 0.0
    t_s, way = np.array(trace).T
    furthest = float(np.median(way[way >= _FAR_SHARE * np.max(way)]))
    limit = furthest - max(NEAR_SHARE * furthest, NEAR_DEG)
    near = np.flatnonzero(way >= limit)
    first, last = int(near[0]), int(near[-1])
    begins = _crosses_s(t_s, way, first - 1, limit) if first else float(t_s[0])
    ends = _crosses_s(t_s, way, last, limit) if last + 1 < len(t_s) else float(t_s[-1])
    return ends - begins


def _crosses_s(t_s: FloatArray, way_deg: FloatArray, k: int, limit: float) -> float:
    """Return when the way passes a limit between samples k and k + 1."""
    share = (limit - float(way_deg[k])) / float(way_deg[k + 1] - way_deg[k])
    return float(t_s[k] + share * (t_s[k + 1] - t_s[k]))
