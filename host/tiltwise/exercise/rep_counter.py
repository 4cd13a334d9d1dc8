"""Angles (deg) -> repetitions of an exercise: start, peak, end, hold, side; partial ones apart.

One angle is followed on a 25 Hz grid of device time by the state machine of rep_phases.py. The neutral adapts while
the wearer rests: nobody comes back to the same place, and a six-axis heading drifts.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import CODE
from tiltwise.detect.grid import Grid
from tiltwise.exercise.rep_phases import TRANSITIONS, Phase, SampleCue
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import Activity, AngleBlock, FloatArray, RepCompleted, Side

GRID_HZ = 25.0
_NOT_EXERCISING = (CODE[Activity.WALKING], CODE[Activity.NOT_WORN])
# A first sample further from the calibrated neutral than this is a position of its own (lying).
_PLAUSIBLE_NEUTRAL_DEG = 15.0


@dataclass(frozen=True, slots=True)
class RepSettings:
    """What separates a repetition from a fidget.

    Parameters
    ----------
    range_deg
        The person's own range for this movement, if measured; until then the median of the peaks so far.
    range_share
        A repetition reaches at least this share of the range.
    shortest_s, longest_s
        Shorter excursions are jerks; longer ones are a new posture.
    """

    range_deg: float | None = None
    range_share: float = 0.25
    shortest_s: float = 0.3
    longest_s: float = 60.0
    quiet_deg_s: float = 4.0
    neutral_s: float = 2.0  # time constant with which the neutral follows a resting head
    near_deg: float = 10.0  # people come back to neutral within 5 deg, and a heading drifts by a few
    settle_s: float = 1.0  # a rest this long gives the first neutral
    new_rest_s: float = (
        15.0  # a rest away from neutral is a new one after this: longer than any hold asked for
    )
    top_share: float = 0.9  # the hold is the time above this share of the peak
    # A movement begins where its speed passes this share of its greatest: the usual mark of onset. What came
    # before, a slow sway say, is none of it.
    onset_share: float = 0.1
    onset_s: float = 10.0  # so far back from where the head is clearly away the onset is looked for
    return_share: float = 0.4  # back below this share of the peak, the repetition is over
    drop_share: float = 0.25
    pair_s: float = 15.0  # the second half of a pair follows within this time
    max_gap_s: float = 0.5
    forget_s: float = 5.0  # after a longer gap the neutral is unknown


class RepCounter:
    """Counts the repetitions of one exercise, from blocks cut anywhere.

    Parameters
    ----------
    exercise
        The name that the events carry.
    signal
        How a repetition looks; `EXERCISES[name].signal`.
    settings
        Thresholds.
    """

    def __init__(self, exercise: str, signal: Signal, settings: RepSettings | None = None) -> None:
        self.exercise, self.signal = exercise, signal
        self.settings = settings or RepSettings()
        self.phase = Phase.REST
        self._grid = Grid(GRID_HZ)
        self._t_s: float | None = None
        self._dt_s = 0.0
        self._angle_deg = 0.0
        self._speed_deg_s = 0.0
        self._neutral_deg = 0.0
        self._sign = 1.0
        self._trough_deg = 0.0
        self._trough_s = 0.0
        self._peaks: list[float] = []
        # At rest.
        self._speeds: deque[tuple[float, float]] = deque(maxlen=round(self.settings.onset_s * GRID_HZ))
        # The excursion under way: deviations from neutral, outward positive, and the speeds up to half of its peak.
        self._trace: list[tuple[float, float]] = []
        self._approach: list[tuple[float, float]] = []
        self._start_s = self._peak_s = 0.0
        self._peak_deg = self._low_deg = 0.0
        self._is_bowed = False
        self._turn_deg = (0.0, 0.0)  # least and most rotation during the excursion
        self._is_settled = False
        self._quiet_s = 0.0
        self._pairs = _Pairs(self.settings.pair_s)

    @property
    def least_deg(self) -> float:
        """The smallest excursion that counts, from the exercise and the person's range."""
        s = self.settings
        range_deg = (
            s.range_deg if s.range_deg is not None else (median(self._peaks[-5:]) if self._peaks else 0.0)
        )
        return max(self.signal.least_deg, s.range_share * range_deg)

    @property
    def deviation_deg(self) -> float:
        """How far the head is from its neutral now, on the side it went to."""
        return self._sign * (self._angle_deg - self._neutral_deg)

    @property
    def rested_s(self) -> float:
        """How long the head has been quiet between two repetitions."""
        return self._quiet_s if self.phase is Phase.REST else 0.0

    @property
    def held_s(self) -> float:
        """How long the head has been held near its peak in the repetition under way."""
        return self._hold_s() if self._trace else 0.0

    def process(self, block: AngleBlock, activity: NDArray[np.int8] | None = None) -> list[RepCompleted]:
        """Return the repetitions completed in this block, given the activity codes (n,) int8 of its samples.

        Samples with an unknown angle, of a walking wearer, of a sensor that is not worn, of a bowed head (where the
        exercise is done upright) or of a wearer who does not lie (where it is done lying) are left out.
        """
        angle = getattr(block, self.signal.angle.value)
        use = np.isfinite(angle)
        if activity is not None:
            use &= ~np.isin(activity, _NOT_EXERCISING)
        if self.signal.upright_deg is not None:
            use &= np.abs(block.flexion_deg) <= self.signal.upright_deg
        if self.signal.lying_deg is not None:
            use &= block.inclination_deg >= self.signal.lying_deg
        at = np.flatnonzero(use)
        at = at[self._grid.pick(block.t_s[at])]
        bowed = np.ones(len(at), dtype=bool)
        if self.signal.flexed_deg is not None:
            bowed = block.flexion_deg[at] >= self.signal.flexed_deg
        columns = (block.t_s[at], angle[at], block.rotation_deg[at], bowed)
        found: list[RepCompleted] = []
        for sample in zip(*(column.tolist() for column in columns), strict=True):
            found += self._step(*sample)
        return found

    def _step(self, t_s: float, angle_deg: float, rotation_deg: float, is_bowed: bool) -> list[RepCompleted]:
        is_lost = self._advance(t_s, angle_deg)
        if self.phase is Phase.REST:
            self._rest(t_s)
        else:
            self._trace.append((t_s, self.deviation_deg))
            self._approach.append((t_s, self._speed_deg_s))
            self._is_bowed |= is_bowed and self.deviation_deg >= self.settings.top_share * self._peak_deg
            self._turn_deg = min(self._turn_deg[0], rotation_deg), max(self._turn_deg[1], rotation_deg)
        seen = SampleCue.LOST if is_lost else self._look(t_s)
        following = TRANSITIONS.get((self.phase, seen), self.phase)
        done: list[RepCompleted] = []
        if following is Phase.OUT and self.phase is Phase.REST:
            self._begin(t_s, rotation_deg)
        elif following is Phase.REST and self.phase is not Phase.REST:
            done = self._finish(t_s, seen)
        self.phase = following
        if self.phase is not Phase.REST:
            self._follow()
        return done

    def _advance(self, t_s: float, angle_deg: float) -> bool:
        """Take the sample in; return whether the past is of no use any more."""
        if self._t_s is None:
            # Zero is the calibrated neutral, and for turns the last rest; lying is a position of its own.
            self._is_settled = self._is_upright_zero or abs(angle_deg) <= _PLAUSIBLE_NEUTRAL_DEG
        gap_s = 0.0 if self._t_s is None else t_s - self._t_s
        is_lost = gap_s > self.settings.max_gap_s
        if gap_s > 0.0 and not is_lost:
            # 0.1 s of smoothing: the angles are low-passed already
            weight = gap_s / (gap_s + 0.1)
            self._speed_deg_s += weight * ((angle_deg - self._angle_deg) / gap_s - self._speed_deg_s)
        if is_lost:
            self._speed_deg_s = self._quiet_s = 0.0
            self._speeds.clear()
            if gap_s > self.settings.forget_s:
                self._forget(t_s)
        self._dt_s = 0.0 if is_lost else gap_s  # nobody knows that the head was quiet in a hole
        self._t_s, self._angle_deg = t_s, angle_deg
        return is_lost or (self.phase is not Phase.REST and t_s - self._start_s > self.settings.longest_s)

    @property
    def _is_upright_zero(self) -> bool:
        """Nobody rests with the head on a shoulder: a side tilt without a past begins at the calibrated neutral."""
        return self.signal.angle is Angle.LATERAL

    def _forget(self, t_s: float) -> None:
        """The neutral of before the hole may be another one now; the next rest, or the calibration, gives it."""
        self._trough_s = t_s
        self._is_settled = self._is_upright_zero
        if self._is_settled:
            self._neutral_deg = self._trough_deg = 0.0

    def _rest(self, t_s: float) -> None:
        """Let the neutral follow a quiet head, and remember where the next movement would start from."""
        self._follow_neutral()
        deviation = self._angle_deg - self._neutral_deg
        sign = {Way.PLUS: 1.0, Way.MINUS: -1.0}.get(self.signal.way, -1.0 if deviation < 0 else 1.0)
        if sign != self._sign:
            self._sign, self._trough_deg = sign, 0.0
        outward = max(sign * deviation, 0.0)
        self._trough_deg = min(self._trough_deg, outward)
        if outward <= self._trough_deg + 0.25 * self._leave_deg:
            self._trough_s = t_s
            self._speeds.clear()
        self._speeds.append((t_s, self._speed_deg_s))

    def _follow_neutral(self) -> None:
        """Slowly when close; at once when there is none yet, or after a long rest elsewhere."""
        s = self.settings
        is_quiet = abs(self._speed_deg_s) < s.quiet_deg_s
        self._quiet_s = self._quiet_s + self._dt_s if is_quiet else 0.0
        away_deg = self._angle_deg - self._neutral_deg
        if not self._is_settled or self._quiet_s >= s.new_rest_s:
            self._neutral_deg = self._angle_deg
            self._is_settled |= self._quiet_s >= s.settle_s
        elif is_quiet and abs(away_deg) < s.near_deg:
            self._neutral_deg += min(self._dt_s / s.neutral_s, 1.0) * away_deg

    @property
    def _leave_deg(self) -> float:
        return 0.5 * self.signal.least_deg

    def _look(self, t_s: float) -> SampleCue:
        """Name the sample in the words of the table."""
        s, deviation = self.settings, self.deviation_deg
        if self.phase is Phase.REST:
            return SampleCue.LEFT if deviation - self._trough_deg >= self._leave_deg else SampleCue.NOTHING
        least = self.signal.least_deg
        step = max(s.drop_share * self._peak_deg, least / 3)
        if deviation <= max(s.return_share * self._peak_deg, 0.375 * least) and t_s > self._peak_s:
            return SampleCue.RETURNED
        if self.phase is Phase.BACK:
            return SampleCue.ROSE if deviation >= self._low_deg + step else SampleCue.NOTHING
        if deviation <= self._peak_deg - step:
            return SampleCue.DROPPED
        if self.phase is Phase.HOLD:
            return SampleCue.ROSE if self._speed_deg_s * self._sign > 2 * s.quiet_deg_s else SampleCue.NOTHING
        return (
            SampleCue.SETTLED
            if abs(self._speed_deg_s) < s.quiet_deg_s and deviation >= least
            else SampleCue.NOTHING
        )

    def _begin(self, t_s: float, rotation_deg: float) -> None:
        self._start_s = self._trough_s
        self._turn_deg = rotation_deg, rotation_deg
        self._peak_deg = self._low_deg = self.deviation_deg
        self._peak_s = t_s
        self._trace = [(t_s, self.deviation_deg)]
        self._approach = list(self._speeds)
        self._is_bowed = False

    def _follow(self) -> None:
        """Keep the peak, and the lowest point since the way back began."""
        t_s, deviation = self._trace[-1]
        if deviation > self._peak_deg:
            self._peak_deg, self._peak_s = deviation, t_s
        self._low_deg = min(self._low_deg, deviation) if self.phase is Phase.BACK else deviation

    def _finish(self, t_s: float, seen: SampleCue) -> list[RepCompleted]:
        """The excursion is over: count it, or not, and rest."""
        reps = self._judge(t_s) if seen is SampleCue.RETURNED else []
        if seen is SampleCue.LOST and self._dt_s > 0.0:  # too long for a repetition, and no hole: a posture
            self._neutral_deg = self._angle_deg
        self._trace = []
        self._trough_deg = max(self.deviation_deg, 0.0)
        self._trough_s = t_s
        return self._pairs.join(reps) if self.signal.way is Way.PAIR else reps

    def _judge(self, t_s: float) -> list[RepCompleted]:
        size = self._peak_deg - self._trough_deg
        least = self.least_deg
        start_s = self._onset_s()
        if size < 0.5 * least or t_s - start_s < self.settings.shortest_s:
            return []
        if self.signal.turn_share is not None and np.ptp(self._turn_deg) > self.signal.turn_share * size:
            return []
        is_partial = size < least or (self.signal.flexed_deg is not None and not self._is_bowed)
        if size >= least:
            self._peaks.append(self._peak_deg)
        side = Side.NONE
        if self.signal.way is Way.EITHER or self.signal.way is Way.PAIR:
            side = Side.RIGHT if self._sign > 0 else Side.LEFT
        peak_s, peak_deg, hold_s = self._peak_s, self._peak_deg, self._hold_s()
        return [RepCompleted(t_s, self.exercise, side, start_s, peak_s, t_s, peak_deg, hold_s, is_partial)]

    def _onset_s(self) -> float:
        """The last time before half of the peak at which the head was slow against its greatest speed so far."""
        half_s = next(t for t, deviation in self._trace if deviation >= 0.5 * self._peak_deg)
        way = [(t, self._sign * speed) for t, speed in self._approach if t <= half_s]
        limit = self.settings.onset_share * max(speed for _, speed in way)
        return max((t for t, speed in way if speed <= limit), default=self._start_s)

    def _hold_s(self) -> float:
        """Time from first to last sample near the peak."""
        trace: FloatArray = np.array(self._trace)
        near = trace[trace[:, 1] >= self.settings.top_share * self._peak_deg, 0]
        return float(near[-1] - near[0]) if len(near) else 0.0


class _Pairs:
    """Joins a movement to the minus side (here LEFT) with the one to the plus side that follows within pair_s."""

    def __init__(self, pair_s: float) -> None:
        self._pair_s = pair_s
        self._first: RepCompleted | None = None

    def join(self, halves: list[RepCompleted]) -> list[RepCompleted]:
        """Return what these halves complete; a first half without a second is a partial repetition."""
        done = []
        for half in halves:
            first = self._first
            is_late = first is not None and half.start_s - first.end_s > self._pair_s
            if first is not None and (half.side is Side.LEFT or is_late):
                done.append(replace(first, t_s=half.t_s, side=Side.NONE, is_partial=True))
                first = None
            if half.side is Side.LEFT:
                first = half
            elif first is not None:
                is_partial = first.is_partial or half.is_partial
                whole = replace(first, t_s=half.t_s, end_s=half.end_s, side=Side.NONE, is_partial=is_partial)
                done.append(whole)
                first = None
            self._first = first
        return done
