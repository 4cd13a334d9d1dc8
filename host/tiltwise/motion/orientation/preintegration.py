"""Strapdown rows -> windows of 0.25 to 1.5 s with the integrals that the gravity filter works on.

A window ends at a border of the 0.25 s grid once the sensor has turned by 0.15 rad, after 1.5 s in any case, and
before and after a gap; so calm hours cost little and fast motion is followed closely. Where it ends depends on the
samples alone, never on how they were cut into blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.motion.orientation.strapdown import StrapdownRows
from tiltwise.types import FloatArray

GAP_S = 0.25  # longer steps than this are not integrated as if the rate had been a straight line

# Columns of what is integrated over a window, and of the weights it is integrated with.
N_SUMS, N_WEIGHTS = 20, 5


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How closely the filter follows: a window ends at a border of the grid, after enough turning or cells."""

    grid_s: float = 0.25  # a quarter of the time that a voluntary movement takes
    # 1.5 s, in which gravity drifts by 0.03 deg when calm, far below the filter's own uncertainty.
    most_cells: int = 6
    turn_rad: float = 0.15  # 9 deg: a gyroscope wrong by 0.3 % is then wrong by 0.03 deg


# A smoother knows what comes after, so that it loses nothing with long windows.
OFFLINE_WINDOWS = WindowSettings(grid_s=1.5, most_cells=1, turn_rad=0.3)


@dataclass(slots=True)  # not frozen: one is made per window, and freezing costs as much as the integrals
class Window:
    """Integrals over one window; `duration_s` long, or one step across a gap.

    lever (3, 12): rotation in frame I per gyroscope error [b_j, M_j0, M_j1, M_j2] (rad per rad/s, rad).
    velocity_m_s (3,), path_m (3,): first and second integral of the specific force in frame I.
    acc_mean, gyr_mean: means in sensor axes. gyr_sd, acc_sd: RMS deviation (length) from them.
    rate2_s: integral of |rate|^2. acc2_mean: mean of |specific force|^2. turn_error2: sum of squared errors, rad^2.
    lacks_m_s: velocity that is missing where the accelerometer stood at the end of its range.
    """

    duration_s: float
    is_gap: bool
    lever: FloatArray
    velocity_m_s: FloatArray
    path_m: FloatArray
    acc_mean: tuple[float, float, float]
    gyr_mean: tuple[float, float, float]
    gyr_sd: float
    acc_sd: float
    rate2_s: float
    acc2_mean: float
    turn_error2: float
    lacks_m_s: float
    force_end_m_s2: FloatArray


@dataclass(frozen=True, slots=True)
class SumRows:
    """Per sample: values (n, 20) and weights (n, 5), so that one small matrix product integrates a whole window."""

    values: FloatArray
    weights: FloatArray


def sum_rows(rows: StrapdownRows, t_start_s: float) -> SumRows:
    """Return the rows that `integrate` sums; times are taken from t_start_s."""
    n = len(rows.t_s)
    values, weights = np.empty((n, N_SUMS)), np.empty((n, N_WEIGHTS))
    h = rows.step_s
    safe = np.where(h > 0, h, 1.0)
    turn, acc = rows.turn_rad, rows.acc_m_s2
    values[:, :9] = rows.columns
    values[:, 9:12] = rows.force_m_s2
    values[:, 12:15] = acc
    values[:, 15] = (turn[:, 0] ** 2 + turn[:, 1] ** 2 + turn[:, 2] ** 2) / safe**2
    values[:, 16] = acc[:, 0] ** 2 + acc[:, 1] ** 2 + acc[:, 2] ** 2
    values[:, 17] = rows.turn_error_rad**2 / safe
    weights[:, 0] = h
    weights[:, 1:4] = turn
    weights[:, 4] = h * (rows.t_s - h / 2 - t_start_s)
    values[:, 18] = rows.force_lacks_m_s2
    values[:, 19] = 1.0
    return SumRows(values, weights)


def integrate(
    rows: StrapdownRows, sums: SumRows, start: int, stop: int, t_start_s: float, is_gap: bool
) -> Window:
    """Return the window of the rows [start, stop)."""
    total = sums.values[start:stop].T @ sums.weights[start:stop]
    end_s = float(rows.t_s[stop - 1]) - t_start_s
    duration, *turn = total[19, :4].tolist()
    ax, ay, az, rate2, acc2, error2, lacks = total[12:19, 0].tolist()
    per_s = 1 / duration if duration > 0 else 0.0
    ax, ay, az, acc2 = ax * per_s, ay * per_s, az * per_s, acc2 * per_s
    gx, gy, gz = (angle * per_s for angle in turn)
    velocity = total[9:12, 0]
    return Window(
        duration,
        is_gap,
        total[:9, :4].reshape(3, 12),
        velocity,
        end_s * velocity - total[9:12, 4],
        (ax, ay, az),
        (gx, gy, gz),
        max(rate2 * per_s - gx * gx - gy * gy - gz * gz, 0.0) ** 0.5,
        max(acc2 - ax * ax - ay * ay - az * az, 0.0) ** 0.5,
        rate2,
        acc2,
        error2,
        lacks,
        rows.force_end_m_s2[stop - 1],
    )


class WindowCutter:
    """Finds where windows end, among rows that begin at the start of a window."""

    def __init__(self, t_start_s: float, settings: WindowSettings) -> None:
        self._t_start_s = t_start_s
        self._settings = settings

    def cut(self, rows: StrapdownRows) -> list[tuple[int, int, bool]]:
        """Return (start, stop, is_gap) of the finished windows; the rest of the rows belongs to the open one."""
        n = len(rows.t_s)
        grid = np.floor((rows.t_s - self._t_start_s) / self._settings.grid_s)
        is_gap = rows.step_s > GAP_S
        borders = np.flatnonzero((grid[1:] != grid[:-1]) | is_gap[1:] | is_gap[:-1]) + 1
        edges = np.concatenate(([0], borders)) if n else np.empty(0, dtype=np.intp)
        if len(edges) < 2:
            return []
        turn = rows.turn_rad
        angle = np.sqrt(turn[:, 0] ** 2 + turn[:, 1] ** 2 + turn[:, 2] ** 2)
        travelled = np.add.reduceat(angle, edges)[:-1]
        return _merge(edges.tolist(), travelled.tolist(), is_gap.tolist(), self._settings)


def _merge(
    edges: list[int], travelled: list[float], is_gap: list[bool], settings: WindowSettings
) -> list[tuple[int, int, bool]]:
    """Join calm grid cells to windows."""
    windows: list[tuple[int, int, bool]] = []
    start, cells, angle = 0, 0, 0.0
    for stop, turned in zip(edges[1:], travelled, strict=True):
        cells, angle = cells + 1, angle + turned
        gap_here = is_gap[start]
        if gap_here or is_gap[stop] or cells == settings.most_cells or angle > settings.turn_rad:
            windows.append((start, stop, gap_here))
            start, cells, angle = stop, 0, 0.0
    return windows
