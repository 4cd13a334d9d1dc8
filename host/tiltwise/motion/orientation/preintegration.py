"""Strapdown table -> windows of 0.25 to 3 s with the integrals that the gravity filter works on.

A window ends at a border of the 0.25 s grid once the sensor has turned by 0.15 rad, after 1.5 s in any case (offline
3 s, but in the first half minute), and before and after a gap; so calm hours cost little and fast motion is followed
closely.
Where it ends depends on the samples alone, never on how they were cut into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiltwise.motion.orientation import strapdown
from tiltwise.motion.rotation import rotate_rows
from tiltwise.types import FloatArray

GAP_S = 0.25  # longer steps than this are not integrated as if the rate had been a straight line


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How closely the filter follows: a window ends at a border of the grid, after enough turning or cells."""

    grid_s: float = 0.25  # a quarter of the time that a voluntary movement takes
    # 1.5 s: each window's end corrects, and of 3 s the corrections are so large that a table does not look still.
    most_cells: int = 6
    # As long as the gyroscope's bias may be a large one, which turns frame I by degrees in seconds.
    first_s: float = 30.0
    first_cells: int = 6
    turn_rad: float = 0.15  # 9 deg: a gyroscope wrong by 0.3 % is then wrong by 0.03 deg


# A smoother knows what comes after, so that it loses nothing with long windows.
OFFLINE_WINDOWS = WindowSettings(grid_s=1.5, most_cells=2, first_cells=1, turn_rad=0.3)


@dataclass(slots=True)  # not frozen: one is made per window, and freezing costs as much as the integrals
class Window:
    """Integrals over one window; `duration_s` long, or one step across a gap.

    velocity_m_s, path_m: first and second integral of the specific force in frame I. acc_mean, gyr_mean: means in
    sensor axes. gyr_sd, acc_sd: RMS deviation (length) from them. rate2_s: integral of |rate|^2. acc2_mean: mean of
    |specific force|^2. turn_error2: sum of squared errors, rad^2. lacks_m_s: velocity that is missing where the
    accelerometer stood at the end of its range.
    """

    is_gap: bool
    duration_s: float
    gyr_sd: float
    acc_sd: float
    rate2_s: float
    acc2_mean: float
    turn_error2: float
    lacks_m_s: float
    velocity_m_s: list[float]
    path_m: list[float]
    acc_mean: list[float]
    gyr_mean: list[float]
    force_end_m_s2: list[float]


@dataclass(frozen=True, slots=True)
class Windows:
    """Some windows one after the other, m of them.

    each: what there is of one at a time. The others hold all of them, for what is done with all at once: duration_s,
    rate2_s, turn_error2, lacks_m_s (m,) as in Window. lever (m, 3, 12): rotation in frame I per gyroscope error
    [b_j, M_j0, M_j1, M_j2] (rad per rad/s, rad). jerk, jerk_path (m, 3): first and second integral of the force's
    change in sensor axes, turned into frame I, m/s^2 and m/s: what a delay of 1 s takes from velocity and path.
    """

    each: list[Window]
    duration_s: FloatArray
    rate2_s: FloatArray
    turn_error2: FloatArray
    lacks_m_s: FloatArray
    lever: FloatArray
    jerk: FloatArray
    jerk_path: FloatArray


def integrate(table: FloatArray, cuts: Sequence[tuple[int, int, bool]], t_start_s: float) -> Windows:
    """Return the windows [start, stop) of a strapdown table (rows, n) in SI units; times from t_start_s, s."""
    m = len(cuts)
    values, weights = table[strapdown.VALUES], table[strapdown.WEIGHTS].T
    total = np.empty((m, len(values), weights.shape[1]))
    for out, (start, stop, _) in zip(total, cuts, strict=True):
        np.dot(values[:, start:stop], weights[start:stop], out=out)
    last = np.array([stop - 1 for _, stop, _ in cuts], dtype=np.intp)
    duration = total[:, strapdown.ONE, 0]
    velocity = total[:, strapdown.FORCE, 0]
    jerk = total[:, strapdown.JERK, 0]
    end = (table[strapdown.TIME, last] - t_start_s)[:, None]
    path, jerk_path = end * velocity - total[:, strapdown.FORCE, 4], end * jerk - total[:, strapdown.JERK, 4]
    per_s = 1 / np.where(duration > 0, duration, 1.0)
    acc = total[:, strapdown.ACC, 0] * per_s[:, None]
    gyr = total[:, strapdown.ONE, 1:4] * per_s[:, None]
    rate2, acc2 = total[:, strapdown.RATE2, 0], total[:, strapdown.ACC2, 0] * per_s
    gyr_sd = np.sqrt(np.maximum(rate2 * per_s - np.sum(gyr * gyr, axis=1), 0.0))
    acc_sd = np.sqrt(np.maximum(acc2 - np.sum(acc * acc, axis=1), 0.0))
    error2, lacks = total[:, strapdown.ERROR2, 0], total[:, strapdown.LACKS, 0]
    lever = total[:, strapdown.MATRIX, :4].reshape(m, 3, 12)
    columns = (duration, gyr_sd, acc_sd, rate2, acc2, error2, lacks, velocity, path, acc, gyr)
    force_end = rotate_rows(table[strapdown.QUATERNION, last], table[strapdown.ACC, last])
    lists = [column.tolist() for column in (*columns, force_end.T)]
    gaps = [is_gap for _, _, is_gap in cuts]
    each = [Window(*one) for one in zip(gaps, *lists, strict=True)]
    return Windows(each, duration, rate2, error2, lacks, lever, jerk, jerk_path)


class WindowCutter:
    """Finds where windows end, among samples that begin at the start of a window."""

    def __init__(self, t_start_s: float, settings: WindowSettings) -> None:
        self._t_start_s = t_start_s
        self._settings = settings

    def cut(self, table: FloatArray) -> list[tuple[int, int, bool]]:
        """Return (start, stop, is_gap) of the finished windows of a strapdown table (rows, n), times in s."""
        grid = np.floor((table[strapdown.TIME] - self._t_start_s) / self._settings.grid_s)
        is_gap = table[strapdown.STEP] > GAP_S
        borders = np.flatnonzero((grid[1:] != grid[:-1]) | is_gap[1:] | is_gap[:-1]) + 1
        if not len(borders):
            return []
        edges = np.concatenate(([0], borders))
        x, y, z = table[strapdown.TURN]
        travelled = np.add.reduceat(np.sqrt(x * x + y * y + z * z), edges)[:-1]
        s = self._settings
        most = np.where(grid[edges] < s.first_s / s.grid_s, s.first_cells, s.most_cells)
        return _merge(edges.tolist(), travelled.tolist(), is_gap[edges].tolist(), most.tolist(), s.turn_rad)


def _merge(
    edges: list[int], travelled: list[float], is_gap: list[bool], most: list[int], turn_rad: float
) -> list[tuple[int, int, bool]]:
    """Join calm grid cells to windows; at the edges: whether there is a gap, and the most cells of a window."""
    windows: list[tuple[int, int, bool]] = []
    start, gap_here, cells, angle = 0, is_gap[0], 0, 0.0
    for stop, turned, gap_there, many in zip(edges[1:], travelled, is_gap[1:], most[1:], strict=True):
        cells, angle = cells + 1, angle + turned
        if gap_here or gap_there or cells >= many or angle > turn_rad:
            windows.append((start, stop, gap_here))
            start, gap_here, cells, angle = stop, gap_there, 0, 0.0
    return windows
