"""When was the sensor being taken off or put on? Those angles are of a hand or a table, not of a neck.

That it is not worn, or lies, is known some ten to twenty seconds after it happened. Angles beyond anatomy within that
time, and what is between them and the moment it is known, are taken back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

# Flexion of the neck ends at 80 deg (conventions.md); with a bent back a head inclines more, but not into lying.
MOST_DEG = 90.0
KNOWN_WITHIN_S = 20.0


def is_on_a_neck(t_s: FloatArray, angle_deg: FloatArray, is_away: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which samples are angles of a wearer.

    Parameters
    ----------
    t_s
        (n,) s, growing.
    angle_deg
        (n,) inclination or flexion, as it is shown.
    is_away
        (n,) whether the sensor was known to be off or lying.

    Returns
    -------
    (n,) bool, False where it was away and where it must have been on its way.
    """
    is_worn = ~is_away
    with np.errstate(invalid="ignore"):
        beyond = np.abs(angle_deg) > MOST_DEG
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_away, [False])).astype(np.int8)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        start = int(np.searchsorted(t_s, t_s[first] - KNOWN_WITHIN_S))
        if (before := np.flatnonzero(beyond[start:first])).size:
            is_worn[start + before[0] : first] = False
        stop = int(np.searchsorted(t_s, t_s[end - 1] + KNOWN_WITHIN_S))
        if (after := np.flatnonzero(beyond[end:stop])).size:
            is_worn[end : end + after[-1] + 1] = False
    return is_worn
