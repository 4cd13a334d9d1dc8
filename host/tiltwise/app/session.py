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

from tiltwise.app.alerts import Alerts, Notice
from tiltwise.app.analyze import rule_settings
from tiltwise.app.keeper import Keeper
from tiltwise.app.settings import Settings
from tiltwise.detect.reps import RepCounter
from tiltwise.link.clock import ClockMap
from tiltwise.link.commands import Acknowledger
from tiltwise.link.decoder import Decoder
from tiltwise.link.messages import BoardEvent, Info, Status
from tiltwise.link.recording import RecordingWriter
from tiltwise.motion.mounting import Mounting
from tiltwise.motion.orientation import OrientationStage
from tiltwise.motion.ritual import CalibrationRitual, RitualProgress, RitualStep
from tiltwise.tracker import Profile, Tracker
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
        self._orientation = OrientationStage()
        self._ritual = CalibrationRitual(mount)
        self._step = (RitualStep.SIT_STILL, -1)
        self._tracker: Tracker | None = None
        self._acks = Acknowledger()
        self._t_s = 0.0
        self._recording_trouble = ""
        if mounting is not None:
            self._begin(mounting)

    @property
    def profile(self) -> Profile | None:
        """The profile in use, None while calibrating."""
        return None if self._tracker is None else self._tracker.profile

    def receive(self, received_s: float, frame: bytes) -> LiveUpdate:
        """Take one frame as it came from the source."""
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
        if self._keeper is not None:
            live.warnings += [w for w in (self._keeper.close(),) if w]
        if self._recorder is not None:
            try:
                self._recorder.close()
            except OSError as error:
                live.warnings.append(str(error))
        return live

    def utc_s(self, t_s: float) -> float:
        """Return the wall time (UTC s) of a device time."""
        return t_s + self._offset_s

    @property
    def _offset_s(self) -> float:
        """UTC s minus device s, as the clocks stand at the newest sample."""
        late_s = self._clock.to_received_s(self._t_s) - self._t_s if self._clock.is_ready else 0.0
        return self._started_utc_s + late_s

    def _begin(self, mounting: Mounting) -> None:
        self._tracker = Tracker(Profile(mounting, rule=rule_settings(self._settings.rule)))

    def _record(self, received_s: float, frame: bytes, live: LiveUpdate) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.write(received_s, frame)
            self._recording_trouble = ""
        except OSError as error:  # alerts go on; the writer keeps what it could not write and tries again
            if str(error) != self._recording_trouble:
                self._recording_trouble = str(error)
                live.warnings.append(str(error))

    def _keep_frame(self, received_s: float, frame: bytes) -> None:
        if self._keeper is not None:
            self._keeper.frame(frame, self._started_utc_s + received_s, self.decoder.info)

    def _take(self, item: object, received_s: float, live: LiveUpdate) -> None:
        match item:
            case ImuBlock() | OrientationBlock():
                if item.sensor == 0 and len(item.t_s):
                    self._clock.update(float(item.t_s[-1]), received_s)
                    live.t_s = self._t_s = float(item.t_s[-1])
                    self._process(item, live)
            case SignalGap():
                live.events.append(item)
                if self._keeper is not None:
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
        live.angles = update.angles
        if len(update.activity):
            live.posture_deg = float(self._tracker.profile.posture_angle_deg(update.angles)[-1])
            live.activity = ACTIVITIES[int(update.activity[-1])]

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
        oriented = self._orientation.process(block) if isinstance(block, ImuBlock) else block
        progress = self._ritual.process(oriented)
        if (progress.step, progress.count) != self._step:
            self._step = (progress.step, progress.count)
            live.ritual = progress
        if progress.mounting is not None:
            live.mounting = progress.mounting
            self._begin(progress.mounting)
        elif progress.is_over:
            self._ritual.reset()

    def _commit(self, live: LiveUpdate) -> None:
        if self._keeper is not None:
            kept = self._keeper.commit()
            live.warnings += [kept.warning] if kept.warning else []
            live.commands += [self._acks.ack(boot, seq) for boot, seq in kept.settled]
            return
        durable = self.decoder.acknowledgeable()
        if durable is not None:
            live.commands.append(self._acks.ack(*durable))


def _no_samples() -> AngleBlock:
    none = np.empty(0)
    return AngleBlock(none, none, none, none, none, none, none, none)
