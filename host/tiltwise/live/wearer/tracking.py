"""A calibrated wearer: blocks of samples to angles, detected events and doubts about the sensor's placement."""

from __future__ import annotations

from dataclasses import replace

from tiltwise.detect.movement import MovementSettings
from tiltwise.detect.posture import PostureRule
from tiltwise.exercise.set_counter import SetCounter
from tiltwise.live.wearer.live_events import LiveEvent, LiveWarning, PostureMeasured, UpperBackMeasured
from tiltwise.live.wearer.placement_monitor import PlacementChange, PlacementMonitor
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.pair_tracker import COLLAR, HEAD, PairTracker, PairUpdate
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import Event, ImuBlock, OrientationBlock, SignalGap, Update


class Tracking:
    """Tracker, repetition counters and placement monitors of one wearer.

    Parameters
    ----------
    mounting, collar
        How the sensors sit; `collar` None: there is one sensor.
    rule
        When a posture has lasted too long.
    movement
        When to suggest movement; None: never.
    counters
        Repetition counters to run beside the posture rule.
    is_put_on
        The calibration is from an earlier day: whether it still fits is checked in the first minutes.
    """

    def __init__(
        self,
        mounting: Mounting,
        collar: Mounting | None,
        *,
        rule: PostureRule,
        movement: MovementSettings | None = None,
        counters: tuple[SetCounter, ...],
        is_put_on: bool,
    ) -> None:
        self._mounting, self._rule, self._movement = mounting, rule, movement
        self._counters = counters
        self._collar = collar if mounting.is_shown else None
        self._tracker = self.new_tracker()
        sensors = (HEAD,) if self._collar is None else (HEAD, COLLAR)
        is_judged = mounting.is_shown  # an assumed forward is no reference to judge a slip by
        self._monitors = {sensor: PlacementMonitor(is_put_on=is_put_on) for sensor in sensors if is_judged}

    @property
    def profile(self) -> TrackerSettings:
        """The tracker's settings in use."""
        return self._tracker.profile

    @property
    def collar(self) -> Mounting | None:
        """How the second sensor sits, None without one."""
        return self._collar

    @property
    def collar_profile(self) -> TrackerSettings | None:
        """Those of the second sensor's tracker, None without one."""
        return self._tracker.collar if isinstance(self._tracker, PairTracker) else None

    def new_tracker(self) -> Tracker | PairTracker:
        """Return a tracker like the one in use, for samples that come late."""
        settings = TrackerSettings(self._mounting, rule=self._rule, has_habits=True, movement=self._movement)
        if self._collar is None:
            return Tracker(settings)
        return PairTracker(settings, TrackerSettings(self._collar, rule=self._rule))

    def process(self, block: ImuBlock | OrientationBlock) -> list[LiveEvent]:
        """Return what a block says: its Update first, then what was found in it."""
        update = self._tracker.process(block)
        # Gaps have been reported by the decoder, with their reasons.
        events: list[Event] = [event for event in update.events if not isinstance(event, SignalGap)]
        for counter in self._counters:
            events += counter.process(update.angles, update.activity)
        found: list[LiveEvent] = [replace(update, events=tuple(events))]
        if len(update.activity):  # a doubt about the neutral comes before any alert
            found += self._placement(HEAD, update)
        found += events
        if isinstance(update, PairUpdate):
            return found + self._pair(update)
        if len(update.activity):
            angle_deg = float(self.profile.posture_angle_deg(update.angles)[-1])
            found.append(PostureMeasured(float(update.angles.t_s[-1]), angle_deg, self._tracker.filled))
        return found

    def finish(self) -> list[LiveEvent]:
        """Close what is open."""
        if isinstance(self._tracker, PairTracker):
            update: Update = self._tracker.finish_update()
        else:
            update = Update.without_samples(self._tracker.finish())
        return [update, *update.events]

    def _pair(self, update: PairUpdate) -> list[LiveEvent]:
        """With two sensors the rule goes by the neck's own angle, and the upper back is shown beside it."""
        found: list[LiveEvent] = [LiveWarning(note.text) for note in update.notes]
        if update.neck is not None and len(update.neck.neck.t_s):
            neck = update.neck.neck
            filled = self._tracker.filled
            found.append(PostureMeasured(float(neck.t_s[-1]), float(neck.flexion_deg[-1]), filled))
        back = update.upper_back
        if back is not None and len(back.activity):
            tilt_deg = float(back.angles.flexion_deg[-1])
            found.append(UpperBackMeasured(float(back.angles.t_s[-1]), tilt_deg))
            found += self._placement(COLLAR, back)
        return found

    def _placement(self, sensor: int, update: Update) -> list[PlacementChange]:
        """Report once when a sensor seems to sit differently; nothing is corrected."""
        if sensor not in self._monitors:
            return []
        changes = self._monitors[sensor].process(update.angles, update.activity)
        if sensor == HEAD:
            return changes
        return [replace(change, text=f"collar: {change.text}") for change in changes]
