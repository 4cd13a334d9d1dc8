"""What follows the decoder in a live session: first the guided calibration, then tracking; and the alerts.

Blocks of samples in, what they say about the wearer out. Nothing is stored here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tiltwise.config.settings import Settings, movement_settings, rule_settings
from tiltwise.decode.messages import Info
from tiltwise.exercise.set_counter import SetCounter
from tiltwise.live.wearer.alert_delivery import AlertDelivery
from tiltwise.live.wearer.alerts import Alerts
from tiltwise.live.wearer.live_calibration import CalibrationOptions, LiveCalibration
from tiltwise.live.wearer.live_events import Calibrated, LiveEvent, LiveEvents, LiveWarning
from tiltwise.live.wearer.notices import Notice
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.live.wearer.tracking import Tracking
from tiltwise.motion.calibration.guided_calibration import CalibrationStep
from tiltwise.motion.calibration.mounting import Mounting, with_neutral
from tiltwise.pair_tracker import PairTracker
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import (
    AlertHeldBack,
    EpisodeAlert,
    Event,
    FloatArray,
    ImuBlock,
    Mount,
    MovementDue,
    OrientationBlock,
)

_NOTHING_SHOWN = (CalibrationStep.SIT_STILL, -1)
_TRIES = 3  # of a calibration beside the tracking


class Pipeline:
    """One wearer: calibrating until it is known how the sensor sits, tracking from then on.

    Parameters
    ----------
    mount
        Where the sensor is worn, for the guided calibration.
    zone
        Of the wearer, for quiet hours.
    calibration
        How to calibrate.
    counters
        Repetition counters to run beside the posture rule.
    clock_shift_s
        The wearer's clock minus the session's: of a recording that is played again.
    """

    def __init__(
        self,
        settings: Settings,
        mount: Mount,
        zone: ZoneInfo,
        calibration: CalibrationOptions,
        counters: tuple[SetCounter, ...],
        clock_shift_s: float = 0.0,
    ) -> None:
        self._clock_shift_s = clock_shift_s
        self.settings, self.zone, self._counters = settings, zone, counters
        self.alerts = Alerts(settings.alerts, settings.rule, mount)
        self.delivery = AlertDelivery(settings.alerts)
        self._mount, self._options = mount, calibration
        self._stage: LiveCalibration | Tracking = LiveCalibration(mount, calibration)
        self._again: LiveCalibration | None = None  # a calibration while the one before is in use
        self._shown = _NOTHING_SHOWN  # step and count of the calibration that went up last

    @property
    def profile(self) -> TrackerSettings | None:
        """The tracker's settings in use, None while calibrating."""
        return self._stage.profile if isinstance(self._stage, Tracking) else None

    @property
    def collar_profile(self) -> TrackerSettings | None:
        """Those of the second sensor's tracker, None without one."""
        return self._stage.collar_profile if isinstance(self._stage, Tracking) else None

    @property
    def is_calibrating(self) -> bool:
        """Whether a guided calibration is under way, the first one or one beside the calibration in use."""
        return self._again is not None or isinstance(self._stage, LiveCalibration)

    def recalibrate(self) -> bool:
        """Calibrate beside the tracking, which goes on until it is done; False while the first one is under way."""
        if not isinstance(self._stage, Tracking):
            return False
        mount = self._stage.profile.mounting.mount
        self._again, self._shown = LiveCalibration(mount, self._options), _NOTHING_SHOWN
        return True

    def sit_in_front(self) -> None:
        """Calibrate from now on for a sensor that is not behind the joint: glasses, headphones."""
        self._options = replace(self._options, is_in_front=True)

    def wear_at(self, mount: Mount) -> bool:
        """Calibrate for another place, from the start; False when it is calibrated, or for that place."""
        if not isinstance(self._stage, LiveCalibration) or mount is self._mount:
            return False
        self._mount, self._shown = mount, _NOTHING_SHOWN
        self._stage = LiveCalibration(mount, self._options)
        return True

    def calibrate_first(self, utc_offset_s: float) -> LiveEvents:
        """Stop tracking until it is known how this sensor sits."""
        closing = self.finish(utc_offset_s)
        self._stage, self._again = LiveCalibration(self._mount, self._options), None
        self._shown = _NOTHING_SHOWN
        return closing

    def change(self, calibration: Calibrated, utc_offset_s: float) -> LiveEvents:
        """Track with another calibration from now on; what is open under the one before is closed."""
        closing = self.finish(utc_offset_s)
        self._again = None
        self.begin(calibration.mounting, calibration.collar, is_put_on=calibration.is_put_on)
        return closing

    def begin(self, mounting: Mounting, collar: Mounting | None, *, is_put_on: bool) -> None:
        """Track with a calibration from now on."""
        self.alerts.mount = mounting.mount
        self.alerts.trust_neutral()
        self._stage = Tracking(
            mounting,
            collar,
            rule=rule_settings(self.settings.rule),
            movement=movement_settings(self.settings.movement),
            counters=self._counters,
            is_put_on=is_put_on,
        )

    def local(self, utc_s: float) -> datetime:
        """Return the wearer's local time at a wall time of the session."""
        return datetime.fromtimestamp(utc_s + self._clock_shift_s, tz=self.zone)

    def take_neutral(self, up_sensor: FloatArray) -> LiveEvents:
        """Take over a neutral that was taken at the board: "up" in sensor axes, (3,)."""
        if not isinstance(self._stage, Tracking):
            return ()
        try:
            mounting = with_neutral(self._stage.profile.mounting, up_sensor)
        except ValueError as error:
            return (LiveWarning(str(error)),)
        collar = self._stage.collar
        closing = self._stage.finish()
        self.begin(mounting, collar, is_put_on=False)
        return (*closing, Calibrated(mounting, collar))

    def new_tracker(self) -> Tracker | PairTracker:
        """Return a tracker like the one in use; RuntimeError while calibrating."""
        if not isinstance(self._stage, Tracking):
            raise RuntimeError("there is no tracker before the calibration: look at `profile` first")
        return self._stage.new_tracker()

    def process(
        self, block: ImuBlock | OrientationBlock, info: Info | None, utc_offset_s: float
    ) -> LiveEvents:
        """Return what a block says; utc_offset_s plus device time is UTC s."""
        if isinstance(self._stage, LiveCalibration):
            return self._calibrate(self._stage, block, info)
        events = self._with_notices(self._stage.process(block), info, utc_offset_s)
        if len(block.t_s):
            events += self._again_and_stronger(float(block.t_s[-1]), info, utc_offset_s)
        if self._again is None:
            return events
        return (*events, *self._calibrate_again(self._again, block, info, utc_offset_s))

    def finish(self, utc_offset_s: float) -> LiveEvents:
        """Close what is open."""
        if isinstance(self._stage, LiveCalibration):
            return ()
        return self._with_notices(self._stage.finish(), None, utc_offset_s)

    def _with_notices(self, events: list[LiveEvent], info: Info | None, utc_offset_s: float) -> LiveEvents:
        """Put behind each event the notice that it deserves, and where that goes."""
        found: list[LiveEvent] = []
        for event in events:
            found.append(event)
            if isinstance(event, Event | PlacementChange):
                local = self.local(event.t_s + utc_offset_s)
                notice = self.alerts.consider(event, local)
                if notice is not None:
                    found += [notice, *self.delivery.process(notice, info)]
                elif isinstance(event, EpisodeAlert | MovementDue):
                    start_s = event.start_s if isinstance(event, EpisodeAlert) else event.since_s
                    found.append(AlertHeldBack(event.t_s, start_s, self.alerts.reason))
        return tuple(found)

    def _again_and_stronger(self, t_s: float, info: Info | None, utc_offset_s: float) -> LiveEvents:
        """Give late what was held back, and again what goes on, as far as a step reaches the wearer."""
        found: list[LiveEvent] = []
        late = self.alerts.catch_up(t_s, self.local(t_s + utc_offset_s))
        if late is not None:
            found += [late, *(self.delivery.process(late, info) if isinstance(late, Notice) else ())]
        for notice in self.alerts.escalate(t_s, self.local(t_s + utc_offset_s)):
            if self.delivery.reaches(notice, info):
                found += [notice, *self.delivery.process(notice, info)]
        return tuple(found)

    def _calibrate(
        self, stage: LiveCalibration, block: ImuBlock | OrientationBlock, info: Info | None
    ) -> LiveEvents:
        """Report each change of step or count; go over to tracking when it is done."""
        progress = stage.process(block, info)
        if (progress.step, progress.count) == self._shown:
            return ()
        self._shown = (progress.step, progress.count)
        if progress.mounting is None:
            return (progress,)
        self.begin(progress.mounting, stage.collar, is_put_on=False)
        done = (progress, Calibrated(progress.mounting, stage.collar))
        return (*done, LiveWarning(progress.text)) if stage.lacks_collar else done

    def _calibrate_again(
        self,
        again: LiveCalibration,
        block: ImuBlock | OrientationBlock,
        info: Info | None,
        utc_offset_s: float,
    ) -> LiveEvents:
        """Report each change of step or count; go over to the new calibration when it is done."""
        progress = again.process(block, info)
        if (progress.step, progress.count) == self._shown:
            return ()
        self._shown = (progress.step, progress.count)
        if progress.mounting is not None:
            closing = self.finish(utc_offset_s)
            self._again = None
            self.begin(progress.mounting, again.collar, is_put_on=False)
            return (*closing, progress, Calibrated(progress.mounting, again.collar))
        if len(again.refusals) >= _TRIES:
            self._again = None
            text = f"not calibrated after {_TRIES} tries: {again.refusals[-1]}; the calibration before stays in use"
            return (progress, LiveWarning(text))
        return (progress,)
