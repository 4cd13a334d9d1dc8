"""Blocks of angles (deg) -> moments on a 25 Hz grid of device time, with a rotation and a rise that can be followed.

The rotation of an AngleBlock has its zero set again while the head rests; here it is an integral over the movement:
a step that the head's own speed does not explain is no movement. The rise is the vertical speed that a moment adds;
it is not known while the board's own motor shakes the sensor.
Any cut of the blocks gives the same moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE
from tiltwise.detect.grid import Grid
from tiltwise.types import Activity, AngleBlock, FloatArray

GRID_HZ = 25.0
MAX_GAP_S = 0.5
_UNWORN = CODE[Activity.NOT_WORN]
# A turn is at most as fast as the head was lately: its angle is smoothed, and so a little later than the speed.
_SLACK = 1.5
_SLACK_DEG = 0.15
_LATELY = 8  # samples


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the wearer: device s, degrees, and the vertical speed gained since the last one, m/s, or NaN."""

    t_s: float
    flexion_deg: float
    lateral_deg: float
    rotation_deg: float  # integral over the movement
    inclination_deg: float
    rise_m_s: float
    is_worn: bool

    def angle_deg(self, column: str) -> float:
        """Return the angle of an AngleBlock's column."""
        return float(getattr(self, column))


class Moments:
    """Turns blocks, cut anywhere, into moments."""

    def __init__(self) -> None:
        self._grid = Grid(GRID_HZ)
        self._last_s: float | None = None
        self._heading_deg = 0.0  # rotation as the block has it, at the last sample
        self._rotation_deg = 0.0
        self._speed_m_s = 0.0
        self._rates = np.zeros(_LATELY - 1)
        self._given_m_s = 0.0
        self._unknown = self._given_unknown = 0  # samples without an acceleration

    def process(self, block: AngleBlock, activity: NDArray[np.int8] | None = None) -> list[Moment]:
        """Return the moments of a block; `activity` has the code of each sample, (n,) int8."""
        if not len(block.t_s):
            return []
        rotation, speed = self._integrals(block)
        picked = self._grid.pick(block.t_s)
        codes = np.zeros(len(block.t_s), np.int8) if activity is None else activity
        gained = np.diff(speed[picked], prepend=self._given_m_s)
        unknown = self._unknown + np.cumsum(~np.isfinite(block.up_acc_m_s2))
        self._unknown = int(unknown[-1])
        gained[np.diff(unknown[picked], prepend=self._given_unknown) > 0] = np.nan
        if len(picked):
            self._given_m_s, self._given_unknown = float(speed[picked[-1]]), int(unknown[picked[-1]])
        angles = (block.flexion_deg, block.lateral_deg, rotation, block.inclination_deg)
        columns = [column[picked].tolist() for column in (block.t_s, *angles)]
        is_worn = (codes[picked] != _UNWORN).tolist()
        return [Moment(*values) for values in zip(*columns, gained.tolist(), is_worn, strict=True)]

    def _fastest_lately(self, rate_deg_s: FloatArray) -> FloatArray:
        """Return the greatest speed of the last samples at each sample, (n,)."""
        known = np.concatenate((self._rates, rate_deg_s))
        self._rates = known[len(known) - (_LATELY - 1) :]
        shifts = [known[k : len(known) - (_LATELY - 1) + k] for k in range(_LATELY)]
        return np.maximum.reduce(shifts)

    def _integrals(self, block: AngleBlock) -> tuple[FloatArray, FloatArray]:
        """Return rotation (deg) and vertical speed (m/s) at each sample, carried over from the blocks before."""
        first_s = float(block.t_s[0]) if self._last_s is None else self._last_s
        dt_s = np.diff(block.t_s, prepend=first_s)
        dt_s[dt_s > MAX_GAP_S] = 0.0
        steps = np.diff(block.rotation_deg, prepend=self._heading_deg)
        most = _SLACK * self._fastest_lately(block.rate_deg_s) * dt_s + _SLACK_DEG
        steps = np.where(np.isfinite(steps) & (np.abs(steps) <= most), steps, 0.0)
        gains = np.where(np.isfinite(block.up_acc_m_s2), block.up_acc_m_s2, 0.0) * dt_s
        rotation = np.cumsum(np.concatenate(([self._rotation_deg], steps)))[1:]
        speed = np.cumsum(np.concatenate(([self._speed_m_s], gains)))[1:]
        self._last_s, self._heading_deg = float(block.t_s[-1]), float(block.rotation_deg[-1])
        self._rotation_deg, self._speed_m_s = float(rotation[-1]), float(speed[-1])
        return rotation, speed
