"""Blocks of a collar (deg, m/s2) -> brisk raises of the shoulders that no drop has followed; always an estimate.

A raise lifts the collar by 2 to 4 cm within a second and tilts it little; who straightens up lifts it too, by no more
than the tilt explains. Whether the shoulders are still up nothing says: there was no fall that would have matched.
Causal, on a grid of 25 Hz; only while somebody sits or stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE
from tiltwise.detect.grid import Grid
from tiltwise.detect.vertical_speed import VerticalSpeed
from tiltwise.types import Activity, AngleBlock, ShouldersRaised

GRID_HZ = 25.0
_STILL = CODE[Activity.STILL]


class Shoulders(Enum):
    """Where the shoulders are, as far as it is known."""

    RESTING = auto()
    RISING = auto()
    RAISED = auto()


class Shown(Enum):
    """What a sample shows."""

    ROSE = auto()  # upward, fast enough
    SETTLED = auto()  # the rise is over, and was one of shoulders
    FAILED = auto()  # the rise is over, and was not
    FELL = auto()  # by half of the rise or more
    LEFT = auto()  # another posture, another activity, a gap
    STAYED = auto()  # for as long as it is looked at
    NOTHING = auto()


# A pair that is not listed stays where it is.
TRANSITIONS = {
    (Shoulders.RESTING, Shown.ROSE): Shoulders.RISING,
    (Shoulders.RISING, Shown.SETTLED): Shoulders.RAISED,
    (Shoulders.RISING, Shown.FAILED): Shoulders.RESTING,
    (Shoulders.RISING, Shown.LEFT): Shoulders.RESTING,
    (Shoulders.RAISED, Shown.FELL): Shoulders.RESTING,
    (Shoulders.RAISED, Shown.LEFT): Shoulders.RESTING,
    (Shoulders.RAISED, Shown.STAYED): Shoulders.RESTING,
}


@dataclass(frozen=True, slots=True)
class RaiseSettings:
    """What a raise looks like, and how long no drop has to follow."""

    least_m_s: float = 0.018  # 2 cm in 1.5 s peaks at 25 mm/s
    end_share: float = 0.25  # of the greatest speed of the rise: below, it is over
    longest_s: float = 1.5
    brisk_m_s: float = 0.03  # of the greatest speed: 2 cm in 1.2 s
    from_quiet_s: float = 0.6  # since the last quiet, at most: a speed that is known for longer has drifted
    least_m: float = 0.015
    most_m: float = 0.06  # shoulders rise by 2 to 4 cm; more is standing up
    matching_share: float = 0.5  # of the rise: a fall of so much is its drop
    without_drop_s: float = 30.0
    most_tilt_deg: float = 8.0  # from before the rise to after it: shoulders lean a collar back by 2 to 6
    most_shift_deg: float = 12.0  # after it: more is another posture, in which a drop may hide
    trunk_m: float = 0.5  # hips to C7: how far straightening up lifts the collar
    max_gap_s: float = 0.5


class ShoulderRaise:
    """Follows one collar, from blocks cut anywhere."""

    def __init__(self, settings: RaiseSettings | None = None) -> None:
        self._s = settings or RaiseSettings()
        self._grid = Grid(GRID_HZ)
        self._last_s = -np.inf
        self._restart()

    def _restart(self) -> None:
        self.state = Shoulders.RESTING
        self._speed = VerticalSpeed()
        self._quiet_at_s = -np.inf
        self._rest_deg = self._up_deg = self._start_s = self._up_s = 0.0
        self._fastest_m_s = self._way_m = self._risen_m = 0.0

    def process(self, block: AngleBlock, activity: NDArray[np.int8]) -> list[ShouldersRaised]:
        """Take angles (deg) and the activity code of each sample, (n,); return raises that no drop followed."""
        at = self._grid.pick(block.t_s)
        rows = (block.t_s[at], block.up_acc_m_s2[at], block.flexion_deg[at], activity[at] == _STILL)
        found: list[ShouldersRaised] = []
        for t_s, acc, tilt_deg, is_still in zip(*(row.tolist() for row in rows), strict=True):
            found += self._step(t_s, acc, tilt_deg, is_still)
        return found

    def _step(self, t_s: float, acc: float, tilt_deg: float, is_still: bool) -> list[ShouldersRaised]:
        dt_s, self._last_s = t_s - self._last_s, t_s
        if not is_still or not dt_s <= self._s.max_gap_s or tilt_deg != tilt_deg:
            if self.state is not Shoulders.RESTING or not is_still:
                self._restart()
            return []
        self._speed.step(acc, dt_s)
        self._way_m += self._speed.m_s * dt_s
        seen = self._look(t_s, tilt_deg)
        following = TRANSITIONS.get((self.state, seen), self.state)
        if following is Shoulders.RISING and self.state is Shoulders.RESTING:
            self._start_s, self._fastest_m_s, self._way_m = t_s, 0.0, 0.0
        elif seen is Shown.SETTLED:
            self._up_s, self._up_deg, self._risen_m = t_s, tilt_deg, self._way_m
        elif self.state is Shoulders.RESTING and self._speed.is_quiet:
            self._rest_deg, self._quiet_at_s = tilt_deg, t_s
        self.state = following
        return [ShouldersRaised(t_s, self._start_s, self._risen_m)] if seen is Shown.STAYED else []

    def _look(self, t_s: float, tilt_deg: float) -> Shown:
        s, speed = self._s, self._speed.m_s
        match self.state:
            case Shoulders.RESTING:
                return Shown.ROSE if speed >= s.least_m_s else Shown.NOTHING
            case Shoulders.RISING:
                self._fastest_m_s = max(self._fastest_m_s, speed)
                if speed > s.end_share * self._fastest_m_s:
                    return Shown.NOTHING
                return Shown.SETTLED if self._is_of_shoulders(t_s, tilt_deg) else Shown.FAILED
        has_gone = self._way_m > self._risen_m + s.most_m  # further up than shoulders go
        if has_gone or abs(tilt_deg - self._up_deg) > s.most_shift_deg:
            return Shown.LEFT
        if self._way_m <= (1.0 - s.matching_share) * self._risen_m:
            return Shown.FELL
        return Shown.STAYED if t_s - self._up_s >= s.without_drop_s else Shown.NOTHING

    def _is_of_shoulders(self, t_s: float, tilt_deg: float) -> bool:
        """Whether a rise that is over was brisk, of the size of shoulders, and more than the tilt explains."""
        s = self._s
        straightened_m = s.trunk_m * (cos(radians(tilt_deg)) - cos(radians(self._rest_deg)))
        is_known = self._start_s - self._quiet_at_s <= s.from_quiet_s
        is_brisk = t_s - self._start_s <= s.longest_s and self._fastest_m_s >= s.brisk_m_s
        is_upright = abs(tilt_deg - self._rest_deg) <= s.most_tilt_deg
        return (
            is_known
            and is_brisk
            and is_upright
            and s.least_m <= self._way_m - max(straightened_m, 0.0)
            and self._way_m <= s.most_m
        )
