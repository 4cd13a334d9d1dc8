"""Does the sensor still sit as calibrated? Angles and activity of a live session in, one notice per event out.

Three pieces of evidence, none of them acted upon without the wearer: the first still seconds after it was put on
again, a lasting change of "up" from one walk to the next (slip), and a slow one (drift). Degrees, device seconds,
any cuts.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.grid import Grid
from tiltwise.motion.calibration.mounting import REMOUNT_REALIGN_DEG
from tiltwise.motion.calibration.remount import DRIFT_DEG, drift_deg, find_slip
from tiltwise.motion.calibration.sitting_still import SPREAD_DEG, STILL_RATE_DEG_S, STILL_S
from tiltwise.motion.rotation import angle_between_deg, normalise, up_from_angles_deg
from tiltwise.types import ACTIVITIES, Activity, AngleBlock, FloatArray

GRID_HZ = 10.0
WALK_S = 10.0  # some ten steps: bobbing averages out
WALK_MOST_S = 60.0  # a longer walk counts as several, or an hour's walk would hide a slip
PUT_ON_S = 60.0  # worn time in which somebody sits up at least once
POSTURE_DEG = 5.0  # by so much a comfortable seat differs from sitting tall
# Who walks looks some metres ahead: a few degrees down, a stair or a telephone more, and hardly ever up.
WALK_BENT_DEG = 25.0
WALK_BACK_DEG = 12.0
_NEUTRAL_WALKS = 2
_MOST_WALKS = 40  # the oldest are forgotten: half a day of walks
_WALKING, _NOT_WORN = ACTIVITIES.index(Activity.WALKING), ACTIVITIES.index(Activity.NOT_WORN)
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True)
class PlacementChange:
    """The sensor seems to sit differently by change_deg; kind is "slip", "drift", "neutral" or "put on"."""

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
        self._walks: list[tuple[float, FloatArray]] = []
        self._walk_start_s: float | None = None
        self._walk_sum, self._walk_n = np.zeros(3), 0
        self._is_neutral_checked = False
        self._is_checking = is_put_on
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
        if self._walk_start_s is not None or (self._is_checking and self._was_worn):
            return k
        matters = codes[k:] == _WALKING
        matters |= codes[k:] == _NOT_WORN if self._was_worn else codes[k:] != _NOT_WORN
        found = int(np.argmax(matters))
        return k + found if matters.any() else len(codes)

    def _step(self, t_s: float, up: FloatArray | None, rate_deg_s: float, code: int) -> list[PlacementChange]:
        step_s, self._last_s = t_s - self._last_s, t_s
        found = self._walk(t_s, up, is_walking=code == _WALKING and step_s < 1.0)
        is_worn = code != _NOT_WORN
        if is_worn and not self._was_worn:
            self._is_checking, self._least_deg, self._checked_s = True, np.inf, 0.0
            self._window.clear()
        self._was_worn = is_worn
        if self._is_checking and is_worn and code != _WALKING:
            found += self._check(t_s, up, rate_deg_s, step_s)
        return found

    def _walk(self, t_s: float, up: FloatArray | None, *, is_walking: bool) -> list[PlacementChange]:
        """Gather a walk; judge the walks of the day when one is over."""
        start_s = self._walk_start_s
        is_full = start_s is not None and t_s - start_s >= WALK_MOST_S
        found: list[PlacementChange] = []
        if start_s is not None and (not is_walking or is_full):
            if t_s - start_s >= WALK_S and self._walk_n:
                self._walks = [*self._walks[1 - _MOST_WALKS :], (start_s, normalise(self._walk_sum))]
                found = self._judge_neutral(t_s) or self._judge_walks(t_s)
            self._walk_start_s = start_s = None
        if is_walking:
            if start_s is None:
                self._walk_start_s, self._walk_sum, self._walk_n = t_s, np.zeros(3), 0
            if up is not None:
                self._walk_sum = self._walk_sum + up
                self._walk_n += 1
        return found

    def _judge_neutral(self, t_s: float) -> list[PlacementChange]:
        """Compare the first two walks with the neutral: walking upright is a reference that comes by itself."""
        if self._is_neutral_checked or len(self._walks) < _NEUTRAL_WALKS:
            return []
        self._is_neutral_checked = True
        up = normalise(np.mean([up for _, up in self._walks], axis=0))
        change = float(angle_between_deg(up, _UP))
        forward_deg = float(np.degrees(np.arctan2(-up[0], up[2])))
        if change <= (WALK_BENT_DEG if forward_deg > 0 else WALK_BACK_DEG):
            return []
        said = f"walking upright reads {change:.0f} deg away from the neutral: it was taken bent, or is stale"
        return [_notice(t_s, "neutral", change, said)]

    def _judge_walks(self, t_s: float) -> list[PlacementChange]:
        times = np.array([start for start, _ in self._walks])
        ups = np.array([up for _, up in self._walks])
        slip_s = find_slip(times, ups)
        if slip_s is not None:
            k = int(np.searchsorted(times, slip_s))
            change = drift_deg(normalise(ups[:k].mean(axis=0)), normalise(ups[k:].mean(axis=0)))
            self._walks = self._walks[k:]
            return [_notice(t_s, "slip", change, f"the sensor seems to have slipped by {change:.0f} deg")]
        if len(times) < 5:
            return []
        reference = normalise(ups[:2].mean(axis=0))
        change = min(drift_deg(reference, up) for up in ups[-3:])  # three: a slip shows itself first
        if change <= DRIFT_DEG:
            return []
        self._walks = self._walks[-3:]
        said = f"walking upright reads {change:.0f} deg differently than earlier"
        return [_notice(t_s, "drift", change, said)]

    def _check(
        self, t_s: float, up: FloatArray | None, rate_deg_s: float, step_s: float
    ) -> list[PlacementChange]:
        """Look for one still moment near the stored neutral; without any in the time given, say so."""
        if up is None or step_s > 1.0:
            self._window.clear()
            return []
        self._checked_s += step_s
        self._window.append((t_s, up, rate_deg_s))
        while t_s - self._window[0][0] > STILL_S:
            self._window.popleft()
        if t_s - self._window[0][0] >= 0.95 * STILL_S and len(self._window) * 2 > STILL_S * GRID_HZ:
            self._least_deg = min(self._least_deg, _neutral_change_deg(self._window))
        limit_deg = REMOUNT_REALIGN_DEG + POSTURE_DEG
        if self._least_deg <= limit_deg:
            self._is_checking = False
            return []
        if self._checked_s < PUT_ON_S or not np.isfinite(self._least_deg):
            return []
        self._is_checking = False
        change = self._least_deg
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
    return PlacementChange(t_s, kind, change_deg, f"{said}: put it right, or calibrate again")
