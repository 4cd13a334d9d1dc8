"""Angles (deg) and activity codes -> when it is time to move, and that the wearer has: posture shifts and breaks.

A posture shift is another mean tilt for some seconds; a break is some steps, or time without the sensor on. Both are
seen in the movement itself, nobody has to say so. Prompted shifts and breaks halved new neck pain in a year
(Waongenngarm 2021, doi:10.1016/j.apergo.2021.103484 [shift every 20 min or so, break each hour]). Causal, on a grid
of whole seconds of device time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE
from tiltwise.detect.grid import Grid
from tiltwise.types import Activity, AngleBlock, MovementDone, MovementDue, MovementKind

_STILL, _MOVING = CODE[Activity.STILL], CODE[Activity.MOVING]


@dataclass(frozen=True, slots=True)
class MovementSettings:
    """When a movement is due, and what counts as one.

    Parameters
    ----------
    shift_after_s, break_after_s
        Time without a posture shift, and without a break.
    shift_deg
        The mean tilt differs by so much: more than breathing, typing and glances move a mean.
    mean_s
        Time constant of that mean; a shift has to last about as long.
    break_s
        Of walking, lying or not wearing the sensor, in all since the last longer sitting of sitting_s.
    again_s, most_again_s
        A movement that stays due is told again after again_s, then after twice as long each time up to most_again_s:
        soon after a call that held it back, and few times to who cannot get up.
    most_unseen_s
        After a longer gap everything begins anew: nobody knows what was done in it.
    """

    shift_after_s: float = 1200.0
    break_after_s: float = 3600.0
    shift_deg: float = 6.0
    mean_s: float = 10.0
    break_s: float = 60.0
    sitting_s: float = 120.0
    again_s: float = 300.0
    most_again_s: float = 1200.0
    most_unseen_s: float = 60.0


class MovementDetector:
    """Follows one sensor, from blocks cut anywhere."""

    def __init__(self, settings: MovementSettings | None = None) -> None:
        self._settings = settings or MovementSettings()
        self._grid = Grid(1.0)
        self._tilt = np.full(2, np.nan)  # running mean of flexion and side tilt
        self._home = np.full(2, np.nan)  # where it was at the last shift
        self._last_s = np.nan
        self._away_s, self._sat_s = 0.0, 0.0  # of the break that is being taken, and of sitting since
        self._since = dict.fromkeys(MovementKind, np.nan)  # when the last one was, or sitting began
        self._told = dict.fromkeys(MovementKind, -np.inf)
        self._wait_s = dict.fromkeys(MovementKind, self._settings.again_s)  # until one is told again
        self._due: dict[MovementKind, float] = {}

    def process(self, block: AngleBlock, activity: NDArray[np.int8]) -> list[MovementDue | MovementDone]:
        """Take angles and the activity code of each sample (n,); return what is due and what was done."""
        known = np.flatnonzero(np.isfinite(block.inclination_deg))
        at = known[self._grid.pick(block.t_s[known])]
        # Without a known forward only the inclination tells of a shift.
        flexion = np.where(
            np.isfinite(block.flexion_deg[at]), block.flexion_deg[at], block.inclination_deg[at]
        )
        lateral = np.nan_to_num(block.lateral_deg[at])
        events: list[MovementDue | MovementDone] = []
        for t_s, code, tilt in zip(
            block.t_s[at].tolist(), activity[at].tolist(), np.stack((flexion, lateral), axis=1), strict=True
        ):
            events += self._step(t_s, code, tilt)
        return events

    def _step(self, t_s: float, code: int, tilt: NDArray[np.float64]) -> list[MovementDue | MovementDone]:
        s = self._settings
        passed_s = t_s - self._last_s
        self._last_s = t_s
        if not passed_s <= s.most_unseen_s:
            self._begin(t_s)
            passed_s = 0.0
        if code not in (_STILL, _MOVING):
            self._tilt[:], self._home[:] = np.nan, np.nan
            self._away_s, self._sat_s = self._away_s + passed_s, 0.0
            events = self._done(t_s, MovementKind.SHIFT)
            return events + (self._done(t_s, MovementKind.BREAK) if self._away_s >= s.break_s else [])
        self._sat_s += passed_s
        if self._sat_s >= s.sitting_s:
            self._away_s = 0.0
        if self._has_shifted(tilt, passed_s):
            return self._done(t_s, MovementKind.SHIFT)
        return self._what_is_due(t_s)

    def _begin(self, t_s: float) -> None:
        self._tilt[:], self._home[:] = np.nan, np.nan
        self._away_s = self._sat_s = 0.0
        self._since = dict.fromkeys(MovementKind, t_s)
        self._wait_s = dict.fromkeys(MovementKind, self._settings.again_s)
        self._due.clear()

    def _has_shifted(self, tilt: NDArray[np.float64], passed_s: float) -> bool:
        """Let the mean follow; tell whether it has left where it was at the last shift."""
        s = self._settings
        if np.isnan(self._tilt[0]):
            self._tilt, self._home = tilt.copy(), tilt.copy()
            return False
        self._tilt += min(passed_s / s.mean_s, 1.0) * (tilt - self._tilt)
        if float(np.max(np.abs(self._tilt - self._home))) < s.shift_deg:
            return False
        self._home = self._tilt.copy()
        return True

    def _what_is_due(self, t_s: float) -> list[MovementDue | MovementDone]:
        """A break is a shift too: while one is due, nobody is asked for the smaller thing."""
        s = self._settings
        for kind, after_s in ((MovementKind.BREAK, s.break_after_s), (MovementKind.SHIFT, s.shift_after_s)):
            if t_s - self._since[kind] >= after_s:
                self._due.setdefault(kind, t_s)
                if t_s - max(self._told.values()) < s.again_s or t_s - self._told[kind] < self._wait_s[kind]:
                    return []
                if self._told[kind] >= self._due[kind]:
                    self._wait_s[kind] = min(2 * self._wait_s[kind], s.most_again_s)
                self._told[kind] = t_s
                return [MovementDue(t_s, kind, self._since[kind])]
        return []

    def _done(self, t_s: float, kind: MovementKind) -> list[MovementDue | MovementDone]:
        self._since[kind], self._wait_s[kind] = t_s, self._settings.again_s
        due_s = self._due.pop(kind, None)
        return [] if due_s is None else [MovementDone(t_s, kind, due_s)]
