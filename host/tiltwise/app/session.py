"""One live session: chunks of bytes in; angles, events, notices and commands for the board out.

source -> decoder -> (calibration ritual, then tracker) -> alerts, recording, store. The class has no clock and no
event loop: the caller (watch.py, demo.py) awaits the source, hands the chunks in and sends what comes back. UTC
enters once, as the wall time of `received_s == 0`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from tiltwise.app.alerts import Alerts, Notice, is_quiet
from tiltwise.app.analyze import rule_settings
from tiltwise.app.errors import os_error_line
from tiltwise.app.fit import FitNotice, FitWatch
from tiltwise.app.keeper import Keeper
from tiltwise.app.settings import Settings
from tiltwise.common import wire
from tiltwise.detect.reps import RepCounter
from tiltwise.link.clock import ClockMap
from tiltwise.link.commands import Acknowledger
from tiltwise.link.decoder import Decoder
from tiltwise.link.messages import BoardEvent, Info, Status
from tiltwise.link.recording import RecordingWriter
from tiltwise.motion.mounting import Mounting
from tiltwise.motion.orientation import OrientationStage
from tiltwise.motion.ritual import CalibrationRitual, RitualProgress, RitualStep
from tiltwise.motion.ritual_pair import PairRitual
from tiltwise.tracker import Profile, Tracker
from tiltwise.tracker_pair import COLLAR, HEAD, PairTracker, PairUpdate
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    AngleBlock,
    Event,
    ImuBlock,
    Mount,
    OrientationBlock,
    SignalGap,
    Update,
)


@dataclass(slots=True)
class LiveUpdate:
    """What one chunk brought. Times are device s; `commands` go back to the board."""

    t_s: float = 0.0
    angles: AngleBlock | None = None
    posture_deg: float | None = None  # the newest angle that the rule goes by
    upper_back_deg: float | None = None  # with a second sensor on the collar: its newest forward tilt
    activity: Activity | None = None
    events: list[Event] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    ritual: RitualProgress | None = None
    mounting: Mounting | None = None  # the one just calibrated
    status: Status | None = None
    board_events: list[BoardEvent] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)


class Session:
    """Runs everything after the source, one chunk at a time.

    Parameters
    ----------
    mount
        Where the sensor is worn, used when there is no mounting yet.
    mounting
        A calibration that holds, or None: the session begins with the ritual.
    collar
        The calibration of the second sensor, beside `mounting`.
    is_put_on
        The calibration is from an earlier day: whether it still fits is checked in the first minutes.
    started_utc_s
        Wall time of `received_s == 0`.
    counters
        Repetition counters to run beside the posture rule.
    commit_every_s
        Received time between two commits.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        mount: Mount,
        mounting: Mounting | None,
        started_utc_s: float,
        zone: str,
        collar: Mounting | None = None,
        is_put_on: bool = False,
        keeper: Keeper | None = None,
        recorder: RecordingWriter | None = None,
        counters: tuple[RepCounter, ...] = (),
        commit_every_s: float = 1.0,
    ) -> None:
        self._settings, self._mount = settings, mount
        self._keeper, self._recorder, self._counters = keeper, recorder, counters
        self._started_utc_s, self._zone = started_utc_s, ZoneInfo(zone)
        self._commit_every_s, self._committed_s = commit_every_s, 0.0
        self.decoder = Decoder()
        self.alerts = Alerts(settings.alerts)
        self._clock = ClockMap()
        self._orientations = {HEAD: OrientationStage(), COLLAR: OrientationStage()}
        self._ritual: CalibrationRitual | PairRitual | None = None
        self._step = (RitualStep.SIT_STILL, -1)
        self._tracker: Tracker | PairTracker | None = None
        self._fits: dict[int, FitWatch] = {}
        self._acks = Acknowledger()
        self._t_s = 0.0
        self._recording_trouble = ""
        self._newest = (0, -1)  # boot and number of the newest frame
        self._durable: dict[int, int] = {}  # boot -> what may be acknowledged
        self.unsaved = ""  # after finish(): what could not be kept, in a line
        if mounting is not None:
            self._begin(mounting, collar, is_put_on=is_put_on)

    @property
    def profile(self) -> Profile | None:
        """The profile in use, None while calibrating."""
        return None if self._tracker is None else self._tracker.profile

    def receive(self, received_s: float, frame: bytes) -> LiveUpdate:
        """Take one frame as it came from the source."""
        received_s = round(received_s, 3)  # as recordings keep it: what is rebuilt has the same numbers
        live = LiveUpdate()
        self._record(received_s, frame, live)
        bad_before = sum(self.decoder.stats.bad.values())
        items = self.decoder.feed(frame)
        if sum(self.decoder.stats.bad.values()) == bad_before:
            self._keep_frame(received_s, frame)
        for item in items:
            self._take(item, received_s, live)
        if received_s - self._committed_s >= self._commit_every_s:
            self._committed_s = received_s
            self._commit(live)
        return live

    def finish(self) -> LiveUpdate:
        """Close what is open, store it, and close the store and the recording."""
        live = LiveUpdate()
        for item in self.decoder.flush():
            self._take(item, self._committed_s, live)
        if self._tracker is not None:
            closing = Update(_no_samples(), np.empty(0, np.int8), tuple(self._tracker.finish()))
            self._hand_on(closing, live)
        troubles = [] if self._keeper is None else [self._keeper.close()]
        if self._recorder is not None:
            try:
                self._recorder.close()
            except OSError as error:
                troubles.append(os_error_line(error))
        self.unsaved = "; ".join(trouble for trouble in troubles if trouble)
        return live

    def utc_s(self, t_s: float) -> float:
        """Return the wall time (UTC s) of a device time."""
        return t_s + self._offset_s

    @property
    def _offset_s(self) -> float:
        """UTC s minus device s, as the clocks stand at the newest sample."""
        late_s = self._clock.to_received_s(self._t_s) - self._t_s if self._clock.is_ready else 0.0
        return self._started_utc_s + late_s

    def _begin(self, mounting: Mounting, collar: Mounting | None, *, is_put_on: bool) -> None:
        rule = rule_settings(self._settings.rule)
        profile = Profile(mounting, rule=rule)
        is_pair = collar is not None and mounting.is_shown
        self._tracker = Tracker(profile)
        if collar is not None and is_pair:
            self._tracker = PairTracker(profile, Profile(collar, rule=rule))
        if mounting.is_shown:  # an assumed forward is no reference to judge a slip by
            self._fits = {s: FitWatch(is_put_on=is_put_on) for s in (HEAD, COLLAR)[: 1 + is_pair]}

    def _record(self, received_s: float, frame: bytes, live: LiveUpdate) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.write(received_s, frame)
        except OSError as error:  # alerts go on; the writer keeps what it could not write and tries again
            if not self._recording_trouble:
                self._recording_trouble = os_error_line(error)
                live.warnings.append(f"{self._recording_trouble}; alerts go on, retrying")
        if self._recording_trouble and not self._recorder.waiting_bytes:
            live.warnings.append(f"recording again (was: {self._recording_trouble})")
            self._recording_trouble = ""

    def _keep_frame(self, received_s: float, frame: bytes) -> None:
        boot, seq = wire.unpack_header(frame)[2:4]
        self._newest = max(self._newest, (boot, seq)) if boot == self._newest[0] else (boot, seq)
        if self._keeper is not None:
            self._keeper.frame(frame, self._started_utc_s + received_s, self.decoder.info)

    def _take(self, item: object, received_s: float, live: LiveUpdate) -> None:
        match item:
            case ImuBlock() | OrientationBlock():
                if item.sensor in (HEAD, COLLAR) and len(item.t_s):
                    if item.sensor == HEAD:
                        self._clock.update(float(item.t_s[-1]), received_s)
                        live.t_s = self._t_s = float(item.t_s[-1])
                    self._process(item, live)
            case SignalGap():
                live.events.append(item)
                if self._keeper is not None and item.sensor == HEAD:  # the day is the first sensor's
                    self._keeper.gap(item, self._offset_s)
            case Status():
                live.status = item
            case BoardEvent():
                live.board_events.append(item)
            case Info():
                pass  # the decoder keeps it

    def _process(self, block: ImuBlock | OrientationBlock, live: LiveUpdate) -> None:
        if self._tracker is None:
            self._calibrate(block, live)
            return
        update = self._tracker.process(block)
        events = [
            e for e in update.events if not isinstance(e, SignalGap)
        ]  # the decoder has told them, with reasons
        for counter in self._counters:
            events += counter.process(update.angles, update.activity)
        self._hand_on(replace(update, events=tuple(events)), live)
        if len(update.activity):
            live.angles = update.angles
            live.posture_deg = float(self._tracker.profile.posture_angle_deg(update.angles)[-1])
            live.activity = ACTIVITIES[int(update.activity[-1])]
            self._check_fit(HEAD, update, live)
        if isinstance(update, PairUpdate):
            self._tell_pair(update, live)

    def _tell_pair(self, update: PairUpdate, live: LiveUpdate) -> None:
        """With two sensors the rule goes by the neck's own angle, and the upper back is shown beside it."""
        live.posture_deg = None
        if update.neck is not None and len(update.neck.neck.t_s):
            live.posture_deg = float(update.neck.neck.flexion_deg[-1])
        live.warnings += [note.text for note in update.notes]
        if update.upper_back is not None and len(update.upper_back.activity):
            live.upper_back_deg = float(update.upper_back.angles.flexion_deg[-1])
            self._check_fit(COLLAR, update.upper_back, live)

    def _check_fit(self, sensor: int, update: Update, live: LiveUpdate) -> None:
        """Say once when a sensor seems to sit differently; nothing is corrected."""
        if sensor not in self._fits:
            return
        for found in self._fits[sensor].process(update.angles, update.activity):
            live.warnings.append(("collar: " if sensor == COLLAR else "") + found.text)
            live.notices += self._fit_notice(found)

    def _fit_notice(self, found: FitNotice) -> list[Notice]:
        local = datetime.fromtimestamp(self.utc_s(found.t_s), tz=self._zone)
        if is_quiet(self._settings.alerts, local.time()):
            return []
        return [Notice(found.t_s, "fit", "Check the sensor", f"{found.text[0].upper()}{found.text[1:]}.")]

    def _hand_on(self, update: Update, live: LiveUpdate) -> None:
        assert self._tracker is not None
        if self._keeper is not None:
            self._keeper.update(update, self._tracker.profile, self._offset_s)
        for event in update.events:
            live.events.append(event)
            local = datetime.fromtimestamp(self.utc_s(event.t_s), tz=self._zone)
            notice = self.alerts.consider(event, local)
            if notice is not None:
                live.notices.append(notice)

    def _calibrate(self, block: ImuBlock | OrientationBlock, live: LiveUpdate) -> None:
        ritual = self._ritual = self._ritual or self._new_ritual()
        if block.sensor == COLLAR and not isinstance(ritual, PairRitual):
            return
        stage = self._orientations[block.sensor]
        progress = ritual.process(stage.process(block) if isinstance(block, ImuBlock) else block)
        if (progress.step, progress.count) != self._step:
            self._step = (progress.step, progress.count)
            live.ritual = progress
        if progress.mounting is not None:
            live.mounting = progress.mounting
            collar = ritual.collar if isinstance(ritual, PairRitual) else None
            if isinstance(ritual, PairRitual) and collar is None:
                live.warnings.append(progress.text)
            self._begin(progress.mounting, collar, is_put_on=False)
        elif progress.is_over:
            ritual.reset()

    def _new_ritual(self) -> CalibrationRitual | PairRitual:
        """Both sensors at once when the board has two: nods for the head, bows for the collar."""
        info = self.decoder.info
        if info is not None and info.imu_count == 2 and self._mount is not Mount.COLLAR:
            return PairRitual(self._mount)
        return CalibrationRitual(self._mount)

    def _commit(self, live: LiveUpdate) -> None:
        """Make durable what came, and acknowledge that; while the disk refuses, what was durable before.

        Credits count from the newest frame, so that neither a full disk nor a lost frame stops the stream.
        """
        if self._keeper is not None:
            kept = self._keeper.commit()
            live.warnings += [kept.warning] if kept.warning else []
            self._durable.update(kept.settled)
        elif (durable := self.decoder.acknowledgeable()) is not None:
            self._durable[durable[0]] = durable[1]
        boot, newest = self._newest
        if boot in self._durable:
            live.commands.append(self._acks.ack(boot, self._durable[boot], newest=newest))


def _no_samples() -> AngleBlock:
    none = np.empty(0)
    return AngleBlock(none, none, none, none, none, none, none, none)
