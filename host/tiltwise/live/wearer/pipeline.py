"""What follows the decoder in a live session: ritual or tracker, counters, fit of the sensor, alerts.

Blocks of samples in, what they say about the wearer out. Nothing is stored here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tiltwise.config.settings import Settings, rule_settings
from tiltwise.decode.messages import Info
from tiltwise.exercise.set_counter import SetCounter
from tiltwise.live.wearer.alerts import Alerts, Notice, is_quiet
from tiltwise.live.wearer.case_orientation import outward_axis
from tiltwise.live.wearer.placement_monitor import FitNotice, PlacementMonitor
from tiltwise.live.wearer.update import LiveUpdate
from tiltwise.motion.calibration.guided_calibration import CalibrationStep, GuidedCalibration
from tiltwise.motion.calibration.guided_calibration_pair import GuidedCalibrationPair
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.pair_tracker import COLLAR, HEAD, PairTracker, PairUpdate
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import (
    ACTIVITIES,
    Event,
    ImuBlock,
    Mount,
    OrientationBlock,
    SignalGap,
    Update,
)


class Pipeline:
    """One wearer's ritual, tracker, counters and alerts.

    Parameters
    ----------
    mount
        Where the sensor is worn, used for the ritual.
    zone
        Of the wearer, for quiet hours.
    face
        Which way the case faces, for the ritual (case_orientation.py).
    counters
        Repetition counters to run beside the posture rule.
    """

    def __init__(
        self, settings: Settings, mount: Mount, zone: ZoneInfo, face: str, counters: tuple[SetCounter, ...]
    ) -> None:
        self._settings, self._mount, self._zone, self._face = settings, mount, zone, face
        self._counters = counters
        self.alerts = Alerts(settings.alerts)
        self._orientations = {HEAD: OrientationStage(), COLLAR: OrientationStage()}
        self._ritual: GuidedCalibration | GuidedCalibrationPair | None = None
        self._step = (CalibrationStep.SIT_STILL, -1)
        self._worn: tuple[Mounting, Mounting | None] | None = None
        self._tracker: Tracker | PairTracker | None = None
        self._fits: dict[int, PlacementMonitor] = {}

    @property
    def profile(self) -> TrackerSettings | None:
        """The profile in use, None while calibrating."""
        return None if self._tracker is None else self._tracker.profile

    def begin(self, mounting: Mounting, collar: Mounting | None, *, is_put_on: bool) -> None:
        """Track with a calibration from now on."""
        self._worn = mounting, collar if mounting.is_shown else None
        self._tracker = self.new_tracker()
        if mounting.is_shown:  # an assumed forward is no reference to judge a slip by
            sensors = (HEAD,) if self._worn[1] is None else (HEAD, COLLAR)
            self._fits = {sensor: PlacementMonitor(is_put_on=is_put_on) for sensor in sensors}

    def new_tracker(self) -> Tracker | PairTracker:
        """Return a tracker like the one in use; only once there is one."""
        assert self._worn is not None
        mounting, collar = self._worn
        rule = rule_settings(self._settings.rule)
        if collar is None:
            return Tracker(TrackerSettings(mounting, rule=rule))
        return PairTracker(TrackerSettings(mounting, rule=rule), TrackerSettings(collar, rule=rule))

    def process(
        self, block: ImuBlock | OrientationBlock, live: LiveUpdate, info: Info | None, utc_offset_s: float
    ) -> Update | None:
        """Enter what a block says into `live`; return what is to be stored, None while calibrating.

        utc_offset_s plus device time is UTC s.
        """
        if self._tracker is None:
            self._calibrate(block, live, info)
            return None
        update = self._tracker.process(block)
        # Gaps have been told by the decoder, with their reasons.
        events: list[Event] = [event for event in update.events if not isinstance(event, SignalGap)]
        for counter in self._counters:
            events += counter.process(update.angles, update.activity)
        self._tell(events, live, utc_offset_s)
        if len(update.activity):
            live.angles = update.angles
            live.posture_deg = float(self._tracker.profile.posture_angle_deg(update.angles)[-1])
            live.activity = ACTIVITIES[int(update.activity[-1])]
            self._check_fit(HEAD, update, live, utc_offset_s)
        if isinstance(update, PairUpdate):
            self._tell_pair(update, live, utc_offset_s)
        return replace(update, events=tuple(events))

    def finish(self, live: LiveUpdate, utc_offset_s: float) -> Update | None:
        """Close what is open."""
        if self._tracker is None:
            return None
        events = list(self._tracker.finish())
        self._tell(events, live, utc_offset_s)
        return Update.without_samples(events)

    def _tell(self, events: list[Event], live: LiveUpdate, utc_offset_s: float) -> None:
        for event in events:
            live.events.append(event)
            notice = self.alerts.consider(event, self._local(event.t_s + utc_offset_s))
            if notice is not None:
                live.notices.append(notice)

    def _local(self, utc_s: float) -> datetime:
        return datetime.fromtimestamp(utc_s, tz=self._zone)

    def _tell_pair(self, update: PairUpdate, live: LiveUpdate, utc_offset_s: float) -> None:
        """With two sensors the rule goes by the neck's own angle, and the upper back is shown beside it."""
        live.posture_deg = None
        if update.neck is not None and len(update.neck.neck.t_s):
            live.posture_deg = float(update.neck.neck.flexion_deg[-1])
        live.warnings += [note.text for note in update.notes]
        if update.upper_back is not None and len(update.upper_back.activity):
            live.upper_back_deg = float(update.upper_back.angles.flexion_deg[-1])
            self._check_fit(COLLAR, update.upper_back, live, utc_offset_s)

    def _check_fit(self, sensor: int, update: Update, live: LiveUpdate, utc_offset_s: float) -> None:
        """Say once when a sensor seems to sit differently; nothing is corrected."""
        if sensor not in self._fits:
            return
        for found in self._fits[sensor].process(update.angles, update.activity):
            live.warnings.append(("collar: " if sensor == COLLAR else "") + found.text)
            if not is_quiet(self._settings.alerts, self._local(found.t_s + utc_offset_s).time()):
                live.notices.append(_fit_notice(found))

    def _calibrate(self, block: ImuBlock | OrientationBlock, live: LiveUpdate, info: Info | None) -> None:
        ritual = self._ritual = self._ritual or self._new_ritual(info)
        if block.sensor == COLLAR and not isinstance(ritual, GuidedCalibrationPair):
            return
        stage = self._orientations[block.sensor]
        progress = ritual.process(stage.process(block) if isinstance(block, ImuBlock) else block)
        if (progress.step, progress.count) != self._step:
            self._step = (progress.step, progress.count)
            live.ritual = progress
        if progress.mounting is not None:
            live.mounting = progress.mounting
            collar = ritual.collar if isinstance(ritual, GuidedCalibrationPair) else None
            if isinstance(ritual, GuidedCalibrationPair) and collar is None:
                live.warnings.append(progress.text)
            self.begin(progress.mounting, collar, is_put_on=False)
        elif progress.is_over:
            ritual.reset()

    def _new_ritual(self, info: Info | None) -> GuidedCalibration | GuidedCalibrationPair:
        """Both sensors at once when the board has two: nods for the head, bows for the collar."""
        outward = outward_axis(self._face, info)
        if info is not None and info.imu_count == 2 and self._mount is not Mount.COLLAR:
            return GuidedCalibrationPair(self._mount, outward=outward)
        return GuidedCalibration(self._mount, outward=outward)


def _fit_notice(found: FitNotice) -> Notice:
    return Notice(found.t_s, "fit", "Check the sensor", f"{found.text[0].upper()}{found.text[1:]}.")
