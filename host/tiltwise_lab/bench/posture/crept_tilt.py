"""`tiltwise bench posture`: upper backs that are told to have crept forward, on generated days of a collar.

The wearer's own angles say whether they had: what only the sensor shows (a slip, a coat, a slow error) is false.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tiltwise.detect.tilt_creep import TiltCreep
from tiltwise.types import BaseTiltCrept, Mount
from tiltwise_lab.bench.posture.generated_day import Day, generate_day
from tiltwise_lab.bench.posture.products import with_activity

FIRST_SEED = 500
_BASE_S, _LEAST_DEG = 600.0, 5.0  # a base is of ten minutes; so much of a creep has to be the wearer's


@dataclass(frozen=True, slots=True)
class CreepRow:
    """A day: hours, creeps told, and how many of them the wearer's own angles do not show."""

    hours: float
    told: int
    false: int


def creep_rows(n: int, hours: float = 8.0) -> Iterator[tuple[float, CreepRow]]:
    """Yield the share done and a row for each of n days, seeds and wearers from FIRST_SEED on."""
    for k in range(n):
        day = generate_day(FIRST_SEED + k, FIRST_SEED + k, Mount.COLLAR, hours)
        told = _told(day)
        false = sum(_base_deg(day, each.t_s) - _base_deg(day, each.start_s) < _LEAST_DEG for each in told)
        yield (k + 1) / n, CreepRow(hours, len(told), false)


def _told(day: Day) -> list[BaseTiltCrept]:
    creep = TiltCreep()
    return [found for block, code, _ in with_activity(day) for found in creep.process(block, code)]


def _base_deg(day: Day, at_s: float) -> float:
    """Return the lower quartile of the wearer's own angles in the ten minutes before."""
    part = (day.t_s > at_s - _BASE_S) & (day.t_s <= at_s)
    return float(np.quantile(day.true_flexion_deg[part], 0.25))
