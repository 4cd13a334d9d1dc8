"""Angles (deg) and activity codes -> episodes of a posture held too long: started, alert due, ended.

An episode is one posture however often the head comes up for a moment: it begins at the limit, and once it has been
alerted of it ends only when the angle stays below the exit angle for the time of a correction (3 s). A dip shorter
than that begins no new episode, so what follows it gets no alert of its own; `repeat_s` alerts again while it lasts.

The decision is common/dose.py or common/rule.py, the same code that the board runs, stepped on a 10 Hz grid of
device time in integer milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import dose, rule
from tiltwise.detect.activity import CODE, HAS_LEFT
from tiltwise.detect.grid import Grid, IndexArray
from tiltwise.types import (
    Activity,
    AngleBlock,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    FloatArray,
    PostureKind,
)

GRID_HZ = 10.0
HYSTERESIS_DEG = 5.0
# ISO 11226 calls a posture static from 4 s on; shorter ones are movements and are not announced.
STATIC_S = 4.0
_STATIC_MS = round(1000 * STATIC_S)
_UNKNOWN = CODE[Activity.NOT_WORN]

EpisodeEvent = EpisodeStarted | EpisodeAlert | EpisodeEnded
Signal = Callable[[AngleBlock, NDArray[np.int8]], FloatArray]


class PostureRule(Protocol):
    """What "too long" means for a posture."""

    def to_rule(self, kind: PostureKind, /) -> rule.SustainedRule:
        """Return the stepped rule; raise ValueError when the numbers contradict each other."""
        ...


@dataclass(frozen=True, slots=True)
class DoseSettings:
    """Too long by dose, as ISO 11226 has it (common/dose.py); recovery_s and max_gap_s as in RuleSettings."""

    recovery_s: float = 3.0
    max_gap_s: float = 3.0

    def to_rule(self, kind: PostureKind) -> dose.DoseRule:
        """Return the stepped rule: with the limits of the head, or of the trunk for the upper back."""
        limits = dose.TRUNK if kind is PostureKind.UPPER_BACK_FORWARD_TILT else dose.HEAD
        return dose.DoseRule(limits, *(round(1000 * s) for s in (self.recovery_s, self.max_gap_s)))


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Too long by the simple rule: an angle for a time.

    Parameters
    ----------
    angle_deg
        An episode begins at this angle.
    exit_deg
        It is corrected below this angle; None: 5 deg below `angle_deg`.
    seconds
        The alert is due when it has lasted this long.
    recovery_s
        A correction counts when it lasts this long.
    max_gap_s
        Longest hole in the data that an episode survives: one in which no correction can hide.
    repeat_s
        While an alerted episode lasts, so long after each alert it is due again; 0: one alert an episode.
    """

    angle_deg: float = 20.0
    exit_deg: float | None = None
    seconds: float = 60.0
    recovery_s: float = 3.0
    max_gap_s: float = 3.0
    repeat_s: float = 0.0

    def to_rule(self, _kind: PostureKind | None = None) -> rule.SustainedRule:
        """Return the stepped rule, for any posture; raise ValueError when the numbers contradict each other."""
        if not 0.0 < self.angle_deg <= 90.0:
            raise ValueError(f"rule angle {self.angle_deg} deg: expected more than 0 and at most 90")
        if not 1.0 <= self.seconds <= 7200.0:
            raise ValueError(f"rule time {self.seconds} s: expected 1 to 7200")
        exit_deg = self.angle_deg - HYSTERESIS_DEG if self.exit_deg is None else self.exit_deg
        times_ms = (round(1000 * s) for s in (self.seconds, self.recovery_s, self.max_gap_s))
        return rule.SustainedRule(self.angle_deg, exit_deg, *times_ms)


class PostureDetector:
    """Sustained forward flexion (head, neck) or upper-back forward tilt (collar) from blocks cut anywhere.

    Parameters
    ----------
    kind
        What the episodes are called.
    settings
        The rule.
    has_axes
        Whether "forward" is known (Mounting.has_direction); otherwise any inclination counts.
    signal
        Gives the angle of a habit (posture_rules.py) in place of the forward bend.
    """

    def __init__(
        self,
        kind: PostureKind,
        settings: PostureRule | None = None,
        *,
        has_axes: bool = True,
        signal: Signal | None = None,
    ) -> None:
        self._kind, self._signal = kind, signal
        self._rule = (settings or DoseSettings()).to_rule(kind)
        self._has_axes = has_axes
        self._grid = Grid(GRID_HZ)
        self._announce_ms = _STATIC_MS
        if not isinstance(self._rule, dose.DoseRule):
            self._announce_ms = min(_STATIC_MS, self._rule.dwell_ms)
        self._is_announced = False
        self._is_due = False
        self._alert_s: float | None = None  # of the open episode, the first
        self._latest_alert_ms = 0
        self._repeat_ms = round(1000 * settings.repeat_s) if isinstance(settings, RuleSettings) else 0
        self._last_ms = 0

    @property
    def filled(self) -> float:
        """How near the next alert is: 1 when it is due or was given."""
        return float(self._rule.filled)

    def process(self, block: AngleBlock, activity: NDArray[np.int8] | None = None) -> list[EpisodeEvent]:
        """Return what happened in this block.

        Parameters
        ----------
        block
            Angles in deg.
        activity
            Code of each sample (n,) from ActivityDetector; None: worn and seated throughout.
        """
        at = self._grid.pick(block.t_s)
        if not len(at):
            return []
        t_ms = np.rint(block.t_s[at] * 1000.0).astype(np.int64)
        angle_deg = self._angle_deg(block, activity, at)
        self._last_ms = int(t_ms[-1])
        return self._run(t_ms, angle_deg)

    def finish(self) -> list[EpisodeEvent]:
        """Close an open episode at its last sample."""
        if self._rule.close() != rule.INTERRUPTED:
            return []
        return self._ended(self._last_ms, is_corrected=False)

    def _angle_deg(self, block: AngleBlock, activity: NDArray[np.int8] | None, at: IndexArray) -> FloatArray:
        if self._signal is not None and activity is not None:
            return self._signal(block, activity)[at]
        angle_deg = (block.flexion_deg if self._has_axes else block.inclination_deg)[at]
        if activity is None:
            return angle_deg
        code = activity[at]
        angle_deg = np.where(HAS_LEFT[code], np.minimum(angle_deg, self._rule.exit_deg - 1.0), angle_deg)
        is_none = (code == _UNKNOWN) | (block.inclination_deg[at] > rule.BEYOND_ANATOMY_DEG)
        return np.where(is_none, np.nan, angle_deg)

    def _run(self, t_ms: NDArray[np.int64], angle_deg: FloatArray) -> list[EpisodeEvent]:
        """Step the rule; while nothing below the limit can matter, jump over it."""
        events: list[EpisodeEvent] = []
        high_at = np.flatnonzero(angle_deg >= self._rule.enter_deg)
        times, angles = t_ms.tolist(), angle_deg.tolist()
        k = 0
        while k < len(times):
            if self._rule.is_idle:
                following = np.searchsorted(high_at, k)
                if following == len(high_at):
                    break
                k = int(high_at[following])
            events += self._step(times[k], angles[k])
            k += 1
        return events

    def _step(self, t_ms: int, angle_deg: float) -> list[EpisodeEvent]:
        result = self._rule.step(t_ms, angle_deg)
        if result == rule.NOTHING and self._is_announced and not self._is_due and not self._repeat_ms:
            return []
        if result in (rule.ENDED, rule.INTERRUPTED):
            return self._ended(t_ms, is_corrected=result == rule.ENDED)
        if result == rule.STARTED:
            self._is_announced = self._is_due = False
            self._alert_s = None
        self._is_due |= result == rule.ALERT
        # Upright there may be a dose left, but no episode.
        if not self._rule.is_open or self._rule.start_ms is None or not angle_deg >= self._rule.exit_deg:
            return []
        t_s, start_s = t_ms / 1000.0, self._rule.start_ms / 1000.0
        events: list[EpisodeEvent] = []
        if not self._is_announced and t_ms - self._rule.start_ms >= self._announce_ms:
            self._is_announced = True
            events.append(EpisodeStarted(t_s, self._kind, start_s, angle_deg))
        is_again = self._alert_s is not None and 0 < self._repeat_ms <= t_ms - self._latest_alert_ms
        if self._is_due or is_again:
            self._alert_s = t_s if self._is_due else self._alert_s
            self._is_due, self._latest_alert_ms = False, t_ms
            events.append(EpisodeAlert(t_s, self._kind, start_s, angle_deg, self._rule.loaded_ms / 1000.0))
        return events

    def _ended(self, t_ms: int, *, is_corrected: bool) -> list[EpisodeEvent]:
        """The end of an announced episode; others were movements."""
        held = self._rule
        if not self._is_announced or held.start_ms is None or held.end_ms is None:
            return []
        self._is_announced = False
        start_s, end_s, peak_deg = held.start_ms / 1000.0, held.end_ms / 1000.0, float(held.peak_deg or 0.0)
        return [
            EpisodeEnded(t_ms / 1000.0, self._kind, start_s, end_s, peak_deg, self._alert_s, is_corrected)
        ]
