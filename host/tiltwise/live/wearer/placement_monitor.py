"""Does the sensor still sit as calibrated? Angles and activity of a live session in, one notice per event out.

The check is common/placement_check.py, which the board runs too; nothing is acted upon without the wearer. Degrees,
device seconds, any cuts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import placement_check
from tiltwise.common.placement_check import PlacementCheck
from tiltwise.detect.grid import Grid, IndexArray
from tiltwise.motion.rotation import up_from_angles_deg
from tiltwise.types import ACTIVITIES, Activity, AngleBlock, FloatArray

GRID_HZ = 10.0
_WALKING, _NOT_WORN = ACTIVITIES.index(Activity.WALKING), ACTIVITIES.index(Activity.NOT_WORN)
RIGHT = "right"  # the kind that says that what was told before is over
_WHAT_TO_DO = ": put it right, or calibrate again"
_SAID = {
    placement_check.NEUTRAL: (
        "neutral",
        "walking upright reads {:.0f} deg away from the neutral: it was taken bent, or is stale"
        + _WHAT_TO_DO,
    ),
    placement_check.SLIP: ("slip", "the sensor seems to have slipped by {:.0f} deg" + _WHAT_TO_DO),
    placement_check.DRIFT: (
        "drift",
        "walking upright reads {:.0f} deg differently than earlier" + _WHAT_TO_DO,
    ),
    placement_check.PUT_ON: (
        "put on",
        "since the sensor was put on it has not read upright once (nearest {:.0f} deg)" + _WHAT_TO_DO,
    ),
    placement_check.RIGHT: (RIGHT, "the sensor reads upright as before: alerts are given again"),
}


@dataclass(frozen=True, slots=True)
class PlacementChange:
    """The sensor seems to sit differently by change_deg: "slip", "drift", "neutral" or "put on"; or not: RIGHT."""

    t_s: float
    kind: str
    change_deg: float
    text: str


class PlacementMonitor:
    """Streaming; feed it every update of one sensor.

    Parameters
    ----------
    is_put_on
        The session begins with a stored calibration: check it as after putting on.
    """

    def __init__(self, *, is_put_on: bool = False) -> None:
        self._grid = Grid(GRID_HZ)
        self._check = PlacementCheck()
        self._was_worn = True
        if is_put_on:
            self._check.put_on()

    def process(self, angles: AngleBlock, activity: NDArray[np.int8]) -> list[PlacementChange]:
        """Take angles and the activity code of each sample; return what was noticed."""
        at = self._grid.pick(angles.t_s)
        up = _up(angles, at)
        t_s, ups, codes = angles.t_s[at].tolist(), up.tolist(), activity[at]
        has_angle = np.asarray(np.isfinite(up).all(axis=1)).tolist()
        notices: list[PlacementChange] = []
        k = self._next(codes, 0)
        while k < len(t_s):
            notices += self._step(t_s[k], ups[k] if has_angle[k] else None, int(codes[k]))
            k = self._next(codes, k + 1)
        return notices

    def _next(self, codes: NDArray[np.int8], k: int) -> int:
        """Return the next sample from k on that can matter: all while something is under way, else a change."""
        if self._check.is_busy and self._was_worn:
            return k
        matters = codes[k:] == _WALKING
        matters |= codes[k:] == _NOT_WORN if self._was_worn else codes[k:] != _NOT_WORN
        return k + int(np.argmax(matters)) if matters.any() else len(codes)

    def _step(self, t_s: float, up: list[float] | None, code: int) -> list[PlacementChange]:
        is_worn = code != _NOT_WORN
        if is_worn and not self._was_worn:
            self._check.put_on()
        self._was_worn = is_worn
        found = self._check.step(round(1000 * t_s), up if is_worn else None, code == _WALKING)
        if found not in _SAID:
            return []
        change_deg = self._check.change_deg
        kind, said = _SAID[found]
        return [PlacementChange(t_s, kind, change_deg, said.format(change_deg))]


def _up(angles: AngleBlock, at: IndexArray) -> FloatArray:
    """Return "up" in body axes, (n, 3); steep, where no direction is known, as far away as it is, and forward."""
    flexion_deg, lateral_deg = angles.flexion_deg[at], angles.lateral_deg[at]
    is_known = np.isfinite(flexion_deg) & np.isfinite(lateral_deg)
    return up_from_angles_deg(
        np.where(is_known, flexion_deg, angles.inclination_deg[at]), np.where(is_known, lateral_deg, 0.0)
    )
