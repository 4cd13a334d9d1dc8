"""Filtered windows -> smoothed: what later samples say about gravity and the gyroscope's error. Offline only.

The best estimate from all the data under the filter's own model, so there is nothing to tune. The recursion is
Bierman's ("modified Bryson-Frazier"): it gives what the Rauch-Tung-Striebel smoother gives (doi:10.2514/3.3166) and
inverts no covariance, so that it costs two products of matrices a window.
"""

from __future__ import annotations

import numpy as np

from tiltwise.motion.orientation.gravity_filter import N, Step
from tiltwise.types import FloatArray

_BATCH = 1024  # windows at a time


def smooth_offline(
    history: list[Step], x_end: FloatArray, p_end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the states (m + 1, 19) and their variances (m + 1, 19) at the borders of the m windows."""
    m = len(history)
    states, variances = np.empty((m + 1, N)), np.empty((m + 1, N))
    states[m], variances[m] = x_end, np.diag(p_end)
    later = np.zeros((N + 1, N + 1))
    for stop in range(m, 0, -_BATCH):
        start = max(stop - _BATCH, 0)
        adjoint = np.empty((stop - start, N + 1, N + 1))
        for k in range(stop - 1, start - 1, -1):
            step = history[k]
            later = np.dot(np.dot(step.closed_loop.T, later), step.closed_loop, out=adjoint[k - start])
            later += step.information
        joint = np.array([step.joint for step in history[start:stop]])
        p, x = joint[:, :N, :N], joint[:, N, :N]
        states[start:stop] = x - np.einsum("kij,kj->ki", p, adjoint[:, :N, N])
        gained = np.einsum("kij,kij->ki", p @ adjoint[:, :N, :N], p)
        variances[start:stop] = np.diagonal(p, axis1=1, axis2=2) - gained
    return states, variances
