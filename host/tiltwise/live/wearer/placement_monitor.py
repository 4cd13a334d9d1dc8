"""Does the sensor still sit as calibrated? Angles and activity of a live session in, one notice per event out.

Two pieces of evidence, neither of them acted upon without the wearer: walking (common/walk_check.py, which the board
runs too), and the first still seconds after it was put on again. Degrees, device seconds, any cuts.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import walk_check
from tiltwise.common.walk_check import WalkCheck
from tiltwise.detect.grid import Grid
from tiltwise.motion.calibration.mounting import REMOUNT_REALIGN_DEG
from tiltwise.motion.calibration.sitting_still import SPREAD_DEG, STILL_RATE_DEG_S, STILL_S
from tiltwise.motion.rotation import angle_between_deg, normalise, up_from_angles_deg
from tiltwise.types import ACTIVITIES, Activity, AngleBlock, FloatArray

GRID_HZ = 10.0
PUT_ON_S = 60.0  # worn time in which somebody sits up at least once
POSTURE_DEG = 5.0  # by so much a comfortable seat differs from sitting tall
_WALKING, _NOT_WORN = ACTIVITIES.index(Activity.WALKING), ACTIVITIES.index(Activity.NOT_WORN)
_UP = np.array([0.0, 0.0, 1.0])
RIGHT = "right"  # the kind that says that what was told before is over
_SAID = {
    walk_check.NEUTRAL: (
        "neutral",
        "walking upright reads {:.0f} deg away from the neutral: it was taken bent, or is stale",
    ),
    walk_check.SLIP: ("slip", "the sensor seems to have slipped by {:.0f} deg"),
    walk_check.DRIFT: ("drift", "walking upright reads {:.0f} deg differently than earlier"),
    walk_check.RIGHT: (RIGHT, "walking upright reads as before again"),
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
        self._walks = WalkCheck()
        self._is_checking = is_put_on
        self._is_put_on_told = False
        self._window: deque[tuple[float, FloatArray, float]] = deque()
        self._least_deg, self._checked_s = np.inf, 0.0
        self._last_s = -np.inf
        self._was_worn = True

    def process(self, angles: AngleBlock, activity: NDArray[np.int8]) -> list[PlacementChange]:
        """Take angles and the activity code of each sample; return what was noticed."""
        at = self._grid.pick(angles.t_s)
        up = up_from_angles_deg(angles.flexion_deg[at], angles.lateral_deg[at])
        t_s, rate, codes = angles.t_s[at].tolist(), angles.rate_deg_s[at].tolist(), activity[at]
        has_angle = np.asarray(np.isfinite(up).all(axis=1)).tolist()
        notices: list[PlacementChange] = []
        k = 0
        while k < len(t_s):
            k = self._next(codes, k)
            if k > 0:  # what was jumped over counts as seen
                self._last_s = t_s[k - 1]
            if k < len(t_s):
                notices += self._step(t_s[k], up[k] if has_angle[k] else None, rate[k], int(codes[k]))
                k += 1
        return notices

    def _next(self, codes: NDArray[np.int8], k: int) -> int:
        """Return the next sample from k on that can matter: all while something is under way, else a change."""
        if self._walks.is_walking or (self._is_checking and self._was_worn):
            return k
        matters = codes[k:] == _WALKING
        matters |= codes[k:] == _NOT_WORN if self._was_worn else codes[k:] != _NOT_WORN
        found = int(np.argmax(matters))
        return k + found if matters.any() else len(codes)

    def _step(self, t_s: float, up: FloatArray | None, rate_deg_s: float, code: int) -> list[PlacementChange]:
        step_s, self._last_s = t_s - self._last_s, t_s
        found = self._walk(t_s, up, is_walking=code == _WALKING)
        is_worn = code != _NOT_WORN
        if is_worn and not self._was_worn:
            self._is_checking, self._least_deg, self._checked_s = True, np.inf, 0.0
            self._is_put_on_told = False
            self._window.clear()
        self._was_worn = is_worn
        if self._is_checking and is_worn and code != _WALKING:
            found += self._check(t_s, up, rate_deg_s, step_s)
        return found

    def _walk(self, t_s: float, up: FloatArray | None, *, is_walking: bool) -> list[PlacementChange]:
        """Say what a walk says when it is over."""
        found = self._walks.step(round(1000 * t_s), None if up is None else up.tolist(), is_walking)
        if found not in _SAID:
            return []
        kind, said = _SAID[found]
        change_deg = self._walks.change_deg
        return [_notice(t_s, kind, change_deg, said.format(change_deg))]

    def _check(
        self, t_s: float, up: FloatArray | None, rate_deg_s: float, step_s: float
    ) -> list[PlacementChange]:
        """Look for one still moment near the stored neutral; say so when there is none in the time given, or late."""
        if up is None or step_s > 1.0:
            self._window.clear()
            return []
        self._checked_s += step_s
        self._window.append((t_s, up, rate_deg_s))
        while t_s - self._window[0][0] > STILL_S:
            self._window.popleft()
        if t_s - self._window[0][0] >= 0.95 * STILL_S and len(self._window) * 2 > STILL_S * GRID_HZ:
            self._least_deg = min(self._least_deg, _neutral_change_deg(self._window))
        change = self._least_deg
        if change <= REMOUNT_REALIGN_DEG + POSTURE_DEG:
            self._is_checking = False
            return (
                [_notice(t_s, RIGHT, change, "the sensor has read upright")] if self._is_put_on_told else []
            )
        if self._is_put_on_told or self._checked_s < PUT_ON_S or not np.isfinite(change):
            return []
        self._is_put_on_told = True
        said = f"since the sensor was put on it has not read upright once (nearest {change:.0f} deg)"
        return [_notice(t_s, "put on", change, said)]


def _neutral_change_deg(window: deque[tuple[float, FloatArray, float]]) -> float:
    """How far a still moment is from the stored neutral; infinite when it was not still."""
    ups = np.array([up for _, up, _ in window])
    mean = normalise(ups.mean(axis=0))
    rate = float(np.sqrt(np.mean([rate**2 for _, _, rate in window])))
    if rate > STILL_RATE_DEG_S or float(np.max(angle_between_deg(ups, mean))) > SPREAD_DEG:
        return float("inf")
    return float(angle_between_deg(mean, _UP))


def _notice(t_s: float, kind: str, change_deg: float, said: str) -> PlacementChange:
    what_to_do = "alerts are given again" if kind == RIGHT else "put it right, or calibrate again"
    return PlacementChange(t_s, kind, change_deg, f"{said}: {what_to_do}")
