"""Blocks of a collar (deg) -> an upper back that has crept forward since somebody last got up; always an estimate.

The base is the lower quartile of ten minutes: who bends over the desk and comes up again for a quarter of the time
keeps it. What counts is how far it is from the most upright one since the wearer last walked, lay or took the sensor
off. A clip that slips slowly looks the same, and so does a step that stays. Causal, on a grid of whole seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import quantiles

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE
from tiltwise.detect.grid import Grid
from tiltwise.types import Activity, AngleBlock, BaseTiltCrept

_STILL, _MOVING = CODE[Activity.STILL], CODE[Activity.MOVING]


@dataclass(frozen=True, slots=True)
class CreepSettings:
    """What a base is, and how far it creeps before it is told; it is told anew once half of that is undone."""

    window_s: float = 600.0
    least_known: float = 0.8  # of the window in which somebody sat or stood still
    every_s: float = 10.0
    crept_deg: float = 8.0
    most_unseen_s: float = 60.0


class TiltCreep:
    """Follows one collar, from blocks cut anywhere."""

    def __init__(self, settings: CreepSettings | None = None) -> None:
        self._s = settings or CreepSettings()
        self._grid = Grid(1.0)
        self._last_s = -np.inf
        self._begin(-np.inf)

    def _begin(self, t_s: float) -> None:
        """Whoever has got up has another base."""
        self._begun_s = self._looked_s = t_s
        self._tilts: deque[tuple[float, float]] = deque()
        self._upright: tuple[float, float] | None = None  # since when, and how far forward
        self._is_told = False

    def process(self, block: AngleBlock, activity: NDArray[np.int8]) -> list[BaseTiltCrept]:
        """Take angles (deg) and the activity code of each sample, (n,); return when the base has crept forward."""
        at = self._grid.pick(block.t_s)
        found: list[BaseTiltCrept] = []
        rows = zip(block.t_s[at].tolist(), block.flexion_deg[at].tolist(), activity[at].tolist(), strict=True)
        for t_s, tilt_deg, code in rows:
            found += self._step(t_s, tilt_deg, code)
        return found

    def _step(self, t_s: float, tilt_deg: float, code: int) -> list[BaseTiltCrept]:
        s, passed_s = self._s, t_s - self._last_s
        self._last_s = t_s
        if code not in (_STILL, _MOVING) or not passed_s <= s.most_unseen_s:
            self._begin(t_s)
            return []
        if code == _STILL and tilt_deg == tilt_deg:
            self._tilts.append((t_s, tilt_deg))
        while self._tilts and self._tilts[0][0] <= t_s - s.window_s:
            self._tilts.popleft()
        is_known = t_s - self._begun_s >= s.window_s and len(self._tilts) >= s.least_known * s.window_s
        if not is_known or t_s - self._looked_s < s.every_s:
            return []
        self._looked_s = t_s
        return self._look(t_s, quantiles((deg for _, deg in self._tilts), n=4)[0])

    def _look(self, t_s: float, base_deg: float) -> list[BaseTiltCrept]:
        if self._upright is None or base_deg < self._upright[1]:
            self._upright = (t_s, base_deg)
        since_s, upright_deg = self._upright
        crept_deg = base_deg - upright_deg
        if crept_deg < self._s.crept_deg / 2:
            self._is_told = False
        is_too_near = t_s - since_s < self._s.window_s  # the two bases share samples
        if self._is_told or is_too_near or crept_deg < self._s.crept_deg:
            return []
        self._is_told = True
        return [BaseTiltCrept(t_s, since_s, crept_deg)]
