"""One block of samples in (SI, sensor axes), angles in degrees, activity and events out: motion, then detect.

Time is the device time of the samples, holes are found by their stamps, and where the data was cut does not
matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.activity import ActivityDetector, ActivitySettings
from tiltwise.detect.movement import MovementDetector, MovementSettings
from tiltwise.detect.posture import DoseSettings, PostureDetector, PostureRule
from tiltwise.detect.posture_rules import habits_at, main_posture
from tiltwise.motion.angles.neck_angles import AnglesSettings, AnglesStage
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.types import (
    ANGLE_COLUMNS,
    ActivityChanged,
    AngleBlock,
    Event,
    FloatArray,
    ImuBlock,
    Mount,
    OrientationBlock,
    PostureKind,
    SignalGap,
    Update,
)

MAX_GAP_S = 0.5  # a longer hole is a gap: a nod fits into it


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """What the tracker has to know about a wearer: where the sensor sits and what "too long" means."""

    mounting: Mounting
    rule: PostureRule = field(default_factory=DoseSettings)
    angles: AnglesSettings = field(default_factory=AnglesSettings)
    activity: ActivitySettings = field(default_factory=ActivitySettings)
    has_habits: bool = False  # whether the other habits of detect/posture_rules.py are watched too
    movement: MovementSettings | None = None  # when to move; None: nobody asks

    @property
    def mount(self) -> Mount:
        """Where the sensor is worn."""
        return self.mounting.mount

    @property
    def kind(self) -> PostureKind:
        """The sustained posture that a sensor in this place can see."""
        return main_posture(self.mount)

    def posture_angle_deg(self, angles: AngleBlock) -> FloatArray:
        """Return the angle (n,) that rule and exposure go by: flexion, or inclination while forward is not shown."""
        return angles.flexion_deg if self.mounting.is_shown else angles.inclination_deg


class Tracker:
    """The whole chain after the decoder for one sensor (index 0); other sensors' blocks give empty updates.

    Example
    -------
    >>> tracker = Tracker(TrackerSettings(mounting))                                  # doctest: +SKIP
    >>> for block in blocks:                                                    # doctest: +SKIP
    ...     update = tracker.process(block)
    >>> closing = tracker.finish()                                              # doctest: +SKIP
    """

    def __init__(self, profile: TrackerSettings) -> None:
        self.profile = profile
        self._restart()

    @property
    def filled(self) -> float:
        """How near the next alert for the main posture is: 1 when it is due or was given."""
        return self._posture.filled

    def process(self, block: ImuBlock | OrientationBlock) -> Update:
        """Return the angles and activity of each sample of the block, and the events in order of time.

        A time that goes back (the board started again) closes what is open and begins afresh.
        """
        if block.sensor != 0:
            block = part_of(block, slice(0, 0))
        back = np.flatnonzero(np.diff(block.t_s, prepend=self._last_s) < 0)
        if not len(back):
            return self._process(block)
        updates = []
        for start, stop in zip([0, *back], [*back, len(block.t_s)], strict=True):
            if start in back:
                updates.append(Update.without_samples(self.finish()))
            updates.append(self._process(part_of(block, slice(start, stop))))
        return joined(updates)

    def finish(self) -> list[Event]:
        """Close what is open, at the last sample, and begin afresh."""
        events: list[Event] = [e for each in (self._posture, *self._habits) for e in each.finish()]
        self._restart()
        return events

    def _restart(self) -> None:
        has_axes = self.profile.mounting.is_shown
        self._orientation = OrientationStage()
        self._angles = AnglesStage(self.profile.mounting, self.profile.angles)
        self._activity = ActivityDetector(self.profile.activity, has_axes=has_axes)
        self._posture = PostureDetector(self.profile.kind, self.profile.rule, has_axes=has_axes)
        habits = habits_at(self.profile.mount) if self.profile.has_habits and has_axes else ()
        self._habits = [
            PostureDetector(habit.kind, habit.rule, signal=habit.signal) for habit in habits if habit.signal
        ]
        self._signs = [habit.detector() for habit in habits if habit.detector]
        movement = self.profile.movement
        self._movement = None if movement is None else MovementDetector(movement)
        self._last_s = -np.inf

    def _process(self, block: ImuBlock | OrientationBlock) -> Update:
        """Times do not go back here."""
        if not len(block.t_s):
            return Update.without_samples()
        gaps = self._gaps(block)
        oriented = self._orientation.process(block) if isinstance(block, ImuBlock) else block
        angles = self._angles.process(oriented)
        activity, changes = self._activity.process(angles)
        found: list[Event] = [*gaps, *changes]
        for detector in (self._posture, *self._habits):
            found += detector.process(angles, activity)
        for sign in self._signs:
            found += sign.process(angles, activity)
        if self._movement is not None:
            found += self._movement.process(angles, activity)
        return Update(angles, activity, in_order(found))

    def _gaps(self, block: ImuBlock | OrientationBlock) -> list[SignalGap]:
        before = self._last_s if np.isfinite(self._last_s) else block.t_s[0]
        times = np.concatenate(([before], block.t_s))
        self._last_s = float(times[-1])
        found = np.flatnonzero(np.diff(times) > MAX_GAP_S)
        return [
            SignalGap(float(times[k + 1]), float(times[k]), float(times[k + 1]), "no samples") for k in found
        ]


def track(profile: TrackerSettings, blocks: Iterable[ImuBlock | OrientationBlock]) -> Iterator[Update]:
    """Yield an update for each block, and one without samples that closes what is open."""
    tracker = Tracker(profile)
    for block in blocks:
        yield tracker.process(block)
    yield Update.without_samples(tracker.finish())


def in_order(events: list[Event]) -> tuple[Event, ...]:
    """By time; at the same time first the gap, then the activity, then what follows from it."""
    rank = {SignalGap: 0, ActivityChanged: 1}
    return tuple(sorted(events, key=lambda event: (event.t_s, rank.get(type(event), 2))))


def part_of(block: ImuBlock | OrientationBlock, part: slice) -> ImuBlock | OrientationBlock:
    """Return some samples of a block."""
    gyr = None if block.gyr_rad_s is None else block.gyr_rad_s[part]
    if isinstance(block, ImuBlock):
        return replace(
            block, t_s=block.t_s[part], gyr_rad_s=block.gyr_rad_s[part], acc_m_s2=block.acc_m_s2[part]
        )
    q = block.q_earth_from_sensor[part]
    return replace(
        block, t_s=block.t_s[part], q_earth_from_sensor=q, acc_m_s2=block.acc_m_s2[part], gyr_rad_s=gyr
    )


def joined(updates: list[Update]) -> Update:
    """Several updates as one."""
    columns = (np.concatenate([getattr(u.angles, name) for u in updates]) for name in ANGLE_COLUMNS)
    activity: NDArray[np.int8] = np.concatenate([u.activity for u in updates])
    return Update(
        AngleBlock.from_columns(columns), activity, tuple(event for u in updates for event in u.events)
    )
