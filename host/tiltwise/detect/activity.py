"""Angles (deg) and accelerations (m/s^2) -> what the wearer is doing: still, moving, walking, lying, not worn.

Every figure is a running mean square at 25 Hz, every decision a latch with hysteresis at 5 Hz, both on grids of
device time (grid.py). An answer is given when it is known: walking after 2 s of it, not worn after 15 s without a
human ripple.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.grid import BoolArray, Grid, IndexArray, Latch
from tiltwise.detect.movement_features import MovementFeatures, Stillness
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, AngleBlock, FloatArray

FEATURE_HZ = 25.0  # steps have harmonics up to 8 Hz; every source sends at least 25 Hz
DECISION_HZ = 5.0
CODE = {activity: np.int8(code) for code, activity in enumerate(ACTIVITIES)}
# By code: who walks or lies has left the seated posture, whatever the angle says.
HAS_LEFT: BoolArray = np.array([a in (Activity.WALKING, Activity.LYING) for a in ACTIVITIES])


@dataclass(frozen=True, slots=True)
class ActivitySettings:
    """Thresholds, reasoned from bodies rather than fitted to recordings."""

    window_s: float = 1.5  # about three steps
    # Steps come at 1.4-2.5 Hz. A slow shuffle lifts the head by 7 mm amplitude at 1.4 Hz: 0.38 m/s^2 rms.
    step_low_hz: float = 1.2
    step_high_hz: float = 3.0
    walk_on_m_s2: float = 0.4
    walk_off_m_s2: float = 0.25
    walk_share: float = 0.25  # of the power of the vertical acceleration: steps are periodic, bumps are broad
    # Steps lift a head more than its own nodding could: it turns about the neck's base, 0.2 m below, and a tenth of
    # the turning is lost in the low-passes.
    walk_lever_m: float = 0.22
    walk_lever_off_m: float = 0.10
    # A bouncing knee lifts a seated trunk by 0.5 m/s^2 rms, and only lifts it. Steps so weak have to swing the head
    # too (of walking people 99 % by 0.85 of the lift or more), and with the head bent only clear ones are walking.
    walk_clear_m_s2: float = 0.7
    walk_swing: float = 0.5
    walk_bent_deg: float = 20.0
    walk_on_s: float = 2.0
    walk_off_s: float = 1.5  # who sits down to read gets an alert late by this and the window
    # Typing and reading turn the head by 2-5 deg/s rms, looking around by more than 20.
    move_on_deg_s: float = 20.0
    move_off_deg_s: float = 10.0
    move_on_s: float = 1.0
    move_off_s: float = 2.0
    # A head on a pillow and an armrest is 45 deg back; nobody sits like that for long. On a side, a shoulder's width.
    lie_back_deg: float = 45.0
    lie_side_deg: float = 60.0
    # Bent further than this one lies face down, or over something on the floor: who lies, stays for minutes.
    lie_prone_deg: float = 80.0
    lie_prone_s: float = 120.0
    lie_margin_deg: float = 15.0
    lie_on_s: float = 10.0
    lie_off_s: float = 3.0
    # Breathing and pulse tilt a worn sensor by more than 0.05 deg in 2 s; on a table there is noise of 0.01 deg.
    motionless_deg: float = 0.05
    motionless_lag_s: float = 2.0
    off_body_s: float = 15.0
    off_body_lying_s: float = 120.0  # a head on a pillow hardly moves
    on_body_s: float = 5.0  # a bump against the table is not a person
    max_gap_s: float = 0.5


def is_flat(
    inclination_deg: FloatArray,
    flexion_deg: FloatArray | None,
    lateral_deg: FloatArray | None,
    *,
    settings: ActivitySettings,
    margin_deg: float = 0.0,
) -> BoolArray:
    """Tell (n,) whether the neck lies: on the back, on a side, or face down; bending forward is not lying.

    Without flexion and lateral tilt (None) only the inclination can tell.
    """
    flat: BoolArray = inclination_deg > settings.lie_prone_deg - margin_deg
    if flexion_deg is not None and lateral_deg is not None:
        flat |= (flexion_deg < margin_deg - settings.lie_back_deg) & (
            inclination_deg > settings.lie_back_deg - margin_deg
        )
        flat |= np.abs(lateral_deg) > settings.lie_side_deg - margin_deg
    return flat


class ActivityDetector:
    """Activity of each sample, causal, from blocks cut anywhere.

    Parameters
    ----------
    settings
        Thresholds.
    has_axes
        Whether flexion_deg and lateral_deg are known (Mounting.has_direction); otherwise lying is found from
        inclination_deg alone.
    """

    def __init__(self, settings: ActivitySettings | None = None, *, has_axes: bool = True) -> None:
        self._settings = s = settings or ActivitySettings()
        self._has_axes = has_axes
        self._feature_grid, self._decision_grid = Grid(FEATURE_HZ), Grid(DECISION_HZ)
        self._features = MovementFeatures(
            FEATURE_HZ, s.window_s, (s.step_low_hz, s.step_high_hz), s.max_gap_s
        )
        self._stillness = Stillness(s.motionless_deg, round(s.motionless_lag_s * DECISION_HZ))
        self._walk = Latch(s.walk_on_s, s.walk_off_s)
        self._move = Latch(s.move_on_s, s.move_off_s)
        self._lie = Latch(s.lie_on_s, s.lie_off_s)
        self._lie_prone = Latch(s.lie_prone_s, s.lie_off_s)
        self._lateral_deg = 0.0  # the last one that was defined
        self._off_body = Latch(s.off_body_s, s.on_body_s)
        self._off_body_lying = Latch(s.off_body_lying_s, s.on_body_s)
        self._last_s = -np.inf
        self._code: np.int8 | None = None

    def process(self, block: AngleBlock) -> tuple[NDArray[np.int8], list[ActivityChanged]]:
        """Return the activity code (an index into ACTIVITIES) of each sample, (n,) int8, and the changes."""
        known = (
            np.isfinite(block.inclination_deg)
            & np.isfinite(block.rate_deg_s)
            & np.isfinite(block.up_acc_m_s2)
        )
        known_at = np.flatnonzero(known)
        picked = known_at[self._feature_grid.pick(block.t_s[known_at])]
        decided = self._decision_grid.pick(block.t_s[picked])
        features = self._features.process(block, picked)[:, decided]
        at = picked[decided]
        t = block.t_s[at]
        # A grid may leave out up to one of its periods before a sample that has no gap before it.
        fresh = np.diff(t, prepend=self._last_s) > self._settings.max_gap_s + 1.0 / DECISION_HZ
        codes, since = self._decide(block, at, fresh, features)
        self._last_s = float(t[-1]) if len(t) else self._last_s
        return self._spread(len(block.t_s), at, t, codes, since)

    def _decide(
        self, block: AngleBlock, at: IndexArray, fresh: BoolArray, features: FloatArray
    ) -> tuple[NDArray[np.int8], FloatArray]:
        """Return the code (m,) at each decision and since when that has been so, s; NaN where it began just now."""
        s = self._settings
        t = block.t_s[at]
        rate = features[3]
        walks = self._walk.process(
            t, self._is_step(block, at, features), self._is_no_step(block, at, features), fresh
        )
        moves = self._move.process(t, rate > s.move_on_deg_s**2, rate < s.move_off_deg_s**2, fresh)
        lies = self._lies(block, at, rate < s.move_on_deg_s**2, fresh)
        still = self._stillness.process(block, at, fresh)
        off_body = self._off_body.process(t, still, ~still, fresh) & ~lies
        off_body |= self._off_body_lying.process(t, still, ~still, fresh)
        is_so = [off_body, lies, walks, moves]
        # Still since it was the same as a moment before.
        began = (
            self._off_body.since_s - s.motionless_lag_s,
            self._lie.since_s,
            self._walk.since_s - s.window_s / 2,
        )
        codes = (Activity.NOT_WORN, Activity.LYING, Activity.WALKING, Activity.MOVING)
        return (
            np.select(is_so, [CODE[a] for a in codes], CODE[Activity.STILL]),
            np.select(is_so[:3], began, np.nan),
        )

    def _is_step(self, block: AngleBlock, at: IndexArray, features: FloatArray) -> BoolArray:
        """Whether the vertical acceleration is that of steps: strong, periodic, and not the head's own nodding."""
        s = self._settings
        walk, vertical, across, _, turning, _ = features
        is_clear = walk > s.walk_clear_m_s2**2
        is_upright = block.inclination_deg[at] < s.walk_bent_deg
        is_weak = (walk > s.walk_on_m_s2**2) & (across > s.walk_swing**2 * walk) & is_upright
        return np.asarray(
            (is_clear | is_weak) & (walk > s.walk_share * vertical) & (walk > s.walk_lever_m**2 * turning)
        )

    def _is_no_step(self, block: AngleBlock, at: IndexArray, features: FloatArray) -> BoolArray:
        """Whether the steps have ended: nothing lifts the head, or no more than its nodding or a knee does."""
        s = self._settings
        walk, turning, now = features[0], features[4], features[5]
        is_bent = block.inclination_deg[at] > s.walk_bent_deg
        least = np.where(is_bent, s.walk_on_m_s2, s.walk_off_m_s2)
        return np.asarray((np.minimum(now, walk) < least**2) | (walk < s.walk_lever_off_m**2 * turning))

    def _lies(self, block: AngleBlock, at: IndexArray, is_calm: BoolArray, fresh: BoolArray) -> BoolArray:
        t = block.t_s[at]
        flat, upright = (
            self._is_flat(block, at, 0.0),
            ~self._is_flat(block, at, self._settings.lie_margin_deg),
        )
        is_prone = flat & self._is_bent_forward(block, at)
        lies = self._lie.process(t, flat & ~is_prone & is_calm, upright, fresh)
        return np.asarray(lies | self._lie_prone.process(t, flat & is_calm, upright, fresh))

    def _is_bent_forward(self, block: AngleBlock, at: IndexArray) -> BoolArray:
        """Whether the head hangs forward and not to a side; where that is not defined, the way it got there tells."""
        if not self._has_axes:
            return np.zeros(len(at), dtype=bool)
        lateral = np.concatenate(([self._lateral_deg], block.lateral_deg[at]))
        known = lateral[np.maximum.accumulate(np.where(np.isfinite(lateral), np.arange(len(lateral)), 0))][1:]
        self._lateral_deg = float(known[-1]) if len(known) else self._lateral_deg
        return np.asarray(
            (block.flexion_deg[at] > self._settings.lie_back_deg)
            & (np.abs(known) < self._settings.lie_back_deg)
        )

    def _is_flat(self, block: AngleBlock, at: IndexArray, margin_deg: float) -> BoolArray:
        return is_flat(
            block.inclination_deg[at],
            block.flexion_deg[at] if self._has_axes else None,
            block.lateral_deg[at] if self._has_axes else None,
            settings=self._settings,
            margin_deg=margin_deg,
        )

    def _spread(
        self, n: int, at: IndexArray, t: FloatArray, codes: NDArray[np.int8], since: FloatArray
    ) -> tuple[NDArray[np.int8], list[ActivityChanged]]:
        """Give every sample the latest decision, and list the changes."""
        first = self._code
        known = np.concatenate(([CODE[Activity.STILL] if first is None else first], codes)).astype(np.int8)
        changes = np.flatnonzero(np.diff(known) != 0)
        if first is None and len(codes):
            changes = np.union1d([0], changes)
        if len(codes):
            self._code = codes[-1]
        events = [
            ActivityChanged(
                float(t[k]),
                ACTIVITIES[codes[k]],
                None if np.isnan(since[k]) else min(float(since[k]), float(t[k])),
            )
            for k in changes
        ]
        return np.repeat(known, np.diff(np.concatenate(([0], at, [n])))), events
