"""Orientation of a whole recording -> what its movements are read from: tilt in two directions and turn, deg.

On an even grid, between gaps, without tremor and without the drift of the heading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray

GRID_HZ = 50.0
_RESTING_DEG_S = 3.0


@dataclass(frozen=True, slots=True)
class Movements:
    """What a head did: t_s (n,), up_sensor (n, 3) the unit "up" in sensor axes, right_turn_deg (n,) unwrapped."""

    t_s: FloatArray
    up_sensor: FloatArray
    right_turn_deg: FloatArray

    def part(self, of: slice) -> Movements:
        """Return some of the samples."""
        return Movements(self.t_s[of], self.up_sensor[of], self.right_turn_deg[of])


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch without gaps, on the grid: the tilt from the pole in two directions (n, 2) and the turn, deg."""

    t_s: FloatArray
    tilt_deg: FloatArray
    turn_deg: FloatArray


def pole_and_basis(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the usual "up" (3,) and two directions across it, (2, 3)."""
    pole = unit(np.median(up, axis=0))
    side = unit(np.cross(pole, np.eye(3)[int(np.argmin(np.abs(pole)))]))
    return pole, np.stack((side, np.cross(pole, side)))


def split_stretches(
    movements: Movements, pole: FloatArray, basis: FloatArray, *, smooth_s: float, max_gap_s: float
) -> Iterator[Stretch]:
    """Yield the recording (n samples, rad and s) between its gaps, on an even grid (m,), without tremor."""
    t_s = movements.t_s
    gaps = np.flatnonzero(np.diff(t_s) > max_gap_s) + 1
    window = smoothing_window(smooth_s)
    across = movements.up_sensor @ basis.T
    sine = np.sqrt(np.sum(across**2, axis=1))
    angle = np.degrees(np.arctan2(sine, movements.up_sensor @ pole))
    tilt = across * (angle / np.maximum(sine, 1e-12))[:, None]
    for part in np.split(np.arange(len(t_s)), gaps):
        if len(part) < 2 or t_s[part[-1]] - t_s[part[0]] < smooth_s:
            continue
        grid = np.arange(t_s[part[0]], t_s[part[-1]], 1.0 / GRID_HZ)
        columns = (tilt[part, 0], tilt[part, 1], movements.right_turn_deg[part])
        x, y, turn = (smooth(np.interp(grid, t_s[part], column), window) for column in columns)
        yield Stretch(grid, np.stack((x, y), axis=1), turn - _drift_deg_s(turn) * (grid - grid[0]))


def _drift_deg_s(turn_deg: FloatArray) -> float:
    """Return how fast a heading drifts, from the moments in which the head rests."""
    rate = np.diff(turn_deg) * GRID_HZ
    quiet = rate[np.abs(rate) < _RESTING_DEG_S]
    return float(np.median(quiet)) if len(quiet) >= GRID_HZ else 0.0


def smoothing_window(lasting_s: float) -> FloatArray:
    """Return the weights (m,) of a moving mean that lasts so many s."""
    window = np.hanning(round(lasting_s * GRID_HZ) + 2)[1:-1]
    share: FloatArray = window / window.sum()
    return share


def smooth(column: FloatArray, window: FloatArray) -> FloatArray:
    """Return a column (n,), in its own unit (rad, deg), as the mean under the window (m,)."""
    half = len(window) // 2
    padded = np.pad(column, (half, len(window) - 1 - half), mode="edge")
    return np.convolve(padded, window, mode="valid")


def unit(vector: FloatArray) -> FloatArray:
    """Return a vector (3,) at length 1, without unit; one of no length as it is."""
    length = float(np.sqrt(vector @ vector))
    return vector / length if length > 0 else vector
