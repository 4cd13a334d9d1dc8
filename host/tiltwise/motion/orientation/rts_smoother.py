"""Filtered windows -> smoothed: what later samples say about gravity and the gyroscope's error. Offline only.

This is the Rauch-Tung-Striebel smoother (doi:10.2514/3.3166): the best estimate from all the data under the
filter's own model, so there is nothing to tune.
"""

from __future__ import annotations

import numpy as np

from tiltwise.motion.orientation.gravity_filter import Step
from tiltwise.types import FloatArray


def smooth_offline(history: list[Step]) -> tuple[FloatArray, FloatArray]:
    """Return the states (m + 1, 18) and their variances (m + 1, 18) at the borders of the m windows."""
    from scipy.linalg.lapack import dposv  # here: a live session has no use for the 0.15 s it takes to load

    m, size = len(history), len(history[0].x)
    states, variances = np.empty((m + 1, size)), np.empty((m + 1, size))
    x, p = history[-1].x_end, history[-1].p_end
    states[m], variances[m] = x, np.diag(p)
    for k in range(m - 1, -1, -1):
        step = history[k]
        gain = dposv(step.p_end, step.transition @ step.p)[1]
        x = step.x + (x - step.x_end) @ gain
        p = step.p + gain.T @ (p - step.p_end) @ gain
        states[k], variances[k] = x, np.diag(p)
    return states, variances
