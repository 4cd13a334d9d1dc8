"""One live session: chunks of bytes in; angles, events, notices and commands for the board out.

source -> decoder -> (calibration ritual, then tracker) -> alerts, recording, store. The class has no clock and no
event loop: the caller (watch.py, demo.py) awaits the source, hands the chunks in and sends what comes back. UTC
enters once, as the wall time of `received_s == 0`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from tiltwise.app.alerts import Alerts, Notice, is_quiet
from tiltwise.app.analyze import rule_settings
from tiltwise.app.errors import os_error_line
from tiltwise.app.facing import OFF, outward_axis
from tiltwise.app.fit import FitNotice, FitWatch
from tiltwise.app.keeper import Keeper
from tiltwise.app.ledger import BootClock, Ledger, Loss
from tiltwise.app.settings import Settings
from tiltwise.common import wire
from tiltwise.detect.reps import RepCounter
from tiltwise.link.clock import ClockMap
from tiltwise.link.commands import Acknowledger
from tiltwise.link.decoder import Decoder
from tiltwise.link.messages import BoardEvent, GapReason, Info, Status
from tiltwise.link.ordering import MissingRange
from tiltwise.link.peer import device_id_of
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

# An ACK counts its credits in a u16 from what is stored; over a longer hole only NOTHING_STORED goes on.
_FAR = 0xFF00


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
    face
        Which way the case faces, for the ritual (facing.py).
    commit_every_s
        Received time between two commits.
    fetches
        The source gives the board's answers too (a Supervisor): what is missing is asked for again.
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
        face: str = OFF,
        commit_every_s: float = 1.0,
        fetches: bool = False,
    ) -> None:
        self._settings, self._mount, self._face = settings, mount, face
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
        self._ledger = Ledger() if fetches else None
        self._whole: set[int] = set()  # boots of which nothing is left to be fetched
        self._freed: dict[int, int] = {}  # earlier boot -> what was acknowledged of it
        self._clocks: dict[int, BootClock] = {}
        self._unplaced: dict[int, list[bytes]] = {}  # backfill of a boot whose clock is not known
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
        if self._ledger is not None and frame and not wire.is_frame(frame):
            self._hear(received_s, frame, live)
            return live
        self._record(received_s, frame, live)
        if len(frame) > 1 and frame[1] & wire.FLAG_BACKFILL and self._backfill(received_s, frame):
            self._commit_in_time(received_s, live)
            return live
        bad_before = sum(self.decoder.stats.bad.values())
        items = self.decoder.feed(frame)
        if sum(self.decoder.stats.bad.values()) == bad_before:
            self._keep_frame(received_s, frame)
        for item in items:
            self._take(item, received_s, live)
        self._commit_in_time(received_s, live)
        return live

    def _commit_in_time(self, received_s: float, live: LiveUpdate) -> None:
        if received_s - self._committed_s >= self._commit_every_s:
            self._committed_s = received_s
            self._commit(live)

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
        clock = self._clocks.setdefault(boot, BootClock())
        clock.learn(frame, received_s)
        if self._ledger is not None:
            self._ledger.note(boot, seq, self._sample_span(frame), received_s)
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
                if self._ledger is not None and item.reason == GapReason.OVERFLOW:
                    item = replace(item, reason=GapReason.LOST)  # the ledger will say what of it is gone
                live.events.append(item)
                self._whole.discard(self._newest[0])
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
        outward = outward_axis(self._face, info)
        if info is not None and info.imu_count == 2 and self._mount is not Mount.COLLAR:
            return PairRitual(self._mount, outward=outward)
        return CalibrationRitual(self._mount, outward=outward)

    # ---- what comes later ----

    def _span(self, frame: bytes) -> tuple[float, float] | None:
        """Return the time of a frame in UTC s, None when the clock of its boot is not known."""
        clock = self._clocks.get(wire.unpack_header(frame)[2])
        if clock is None or not clock.is_ready:
            return None
        start_s, end_s = clock.span(frame)
        return self._started_utc_s + start_s, self._started_utc_s + end_s

    def _sample_span(self, frame: bytes) -> tuple[float, float] | None:
        return self._span(frame) if frame[0] & 15 in wire.SAMPLE_SIZES else None

    def _backfill(self, received_s: float, frame: bytes) -> bool:
        """Keep a frame that was asked for again: for the store, not for detectors and clock. False for a bad one."""
        try:
            boot, seq = wire.open_frame(frame)[2:4]
        except wire.WireError:
            return False  # the decoder counts it
        self.decoder.forget_missing(MissingRange(boot, seq, seq))
        span = self._span(frame)
        if self._ledger is not None:
            self._ledger.note(boot, seq, self._sample_span(frame), received_s)
        if self._keeper is None:
            return True
        if span is None:
            self._unplaced.setdefault(boot, []).append(frame)
        else:
            self._keeper.frame(frame, span[0], self.decoder.info, is_backfill=True)
        return True

    def _hear(self, received_s: float, data: bytes, live: LiveUpdate) -> None:
        """Take an answer of the board."""
        assert self._ledger is not None
        _, opcode, _, answer = wire.open_command(data)
        status, body = answer[0], answer[1:]
        match opcode & ~wire.REPLY:
            case wire.OP_HELLO if self._keeper is not None and (device := device_id_of(body)):
                self._keeper.rename(f"board-{device.hex()}")
            case wire.OP_BOOTS if status == wire.STATUS_OK:
                boots = [row[0] for row in struct.iter_unpack("<HII", body[: len(body) // 10 * 10])]
                known = {} if self._keeper is None else self._keeper.known(boots)
                fresh = [boot for boot in boots if self._ledger.book(boot).floor is None]
                self._lose(self._ledger.told_boots(body, known), received_s)
                self._begin_boots(fresh, known, received_s)
            case wire.OP_GET if status != wire.STATUS_OK:
                self._lose(self._ledger.refused(), received_s)
            case wire.OP_GET_DONE if status == wire.STATUS_OK:
                boot, losses = self._ledger.done(body)
                self._lose(losses, received_s)
                self._place(boot)
        self._ask(received_s, live)

    def _begin_boots(
        self, boots: list[int], known: dict[int, list[tuple[int, int]]], received_s: float
    ) -> None:
        """What a board dropped before we ever met it is not expected, and no gap of ours."""
        assert self._ledger is not None
        for boot in boots:
            floor = self._ledger.book(boot).floor
            if self._keeper is not None and floor and not known.get(boot) and boot == self._ledger.present:
                self._keeper.lost(boot, 0, floor - 1, self._started_utc_s + received_s)

    def _lose(self, losses: list[Loss], received_s: float) -> None:
        """Settle frames that are gone for good, each with its gap and reason."""
        for loss in losses:
            self.decoder.forget_missing(MissingRange(loss.boot, loss.first, loss.last))
            if self._keeper is None:
                continue
            self._keeper.lost(loss.boot, loss.first, loss.last, self._started_utc_s + received_s)
            self._whole.discard(loss.boot)

    def _close_gaps(self, keeper: Keeper) -> None:
        """When all of a boot was fetched, its gaps are what is gone for good, and nothing else."""
        assert self._ledger is not None
        for boot in self._ledger.boots:
            if boot in self._whole or not self._ledger.is_whole(boot):
                continue
            self._whole.add(boot)
            keeper.whole(boot)
            for loss in self._ledger.gaps(boot):
                if loss.start_s is not None and loss.end_s is not None:
                    keeper.gone(boot, loss.start_s, loss.end_s)

    def _place(self, boot: int) -> None:
        """Give the backfill of an earlier boot its time: it ended when the present boot began, or before."""
        if boot not in self._unplaced or self._keeper is None or self._ledger is None:
            return
        present = self._clocks.get(-1 if self._ledger.present is None else self._ledger.present)
        if present is None or not present.is_ready:
            return
        frames = self._unplaced.pop(boot)
        began_s = self._started_utc_s + present.began_s()
        last_s = max(wire.unpack_header(frame)[5] for frame in frames) * wire.TICK_S
        for frame in frames:
            utc_s = began_s - last_s + wire.unpack_header(frame)[5] * wire.TICK_S
            self._keeper.frame(frame, utc_s, None, is_backfill=True)

    def _ask(self, received_s: float, live: LiveUpdate) -> None:
        """Ask for the oldest missing range, one at a time."""
        if self._ledger is None or (self._keeper is None and self._recorder is None):
            return
        wanted = self._ledger.next_get(received_s)
        if wanted is not None:
            live.commands.append(self._acks.get(*wanted))

    # ---- durable ----

    def _commit(self, live: LiveUpdate) -> None:
        """Make durable what came, and acknowledge that; while the disk refuses, what was durable before.

        Credits count from the newest frame, so that neither a full disk nor a lost frame stops the stream.
        """
        if self._keeper is not None:
            if self._ledger is not None:
                self._close_gaps(self._keeper)
            kept = self._keeper.commit()
            live.warnings += [kept.warning] if kept.warning else []
            self._durable.update(self._limited(dict(kept.settled)))
        elif self._recorder is not None and self._is_recording_durable():
            durable = self.decoder.acknowledgeable()
            self._durable.update(self._limited({} if durable is None else dict([durable])))
        boot, newest = self._newest
        if newest >= 0:
            seq = self._durable.get(boot, wire.NOTHING_STORED)
            if newest - seq > _FAR:
                seq = wire.NOTHING_STORED
            live.commands.append(self._acks.ack(boot, seq, newest=newest))
        for earlier, seq in self._durable.items():
            if self._ledger is not None and earlier != boot and self._freed.get(earlier) != seq:
                self._freed[earlier] = seq
                live.commands.append(self._acks.ack(earlier, seq))
        self._ask(self._committed_s, live)

    def _limited(self, settled: dict[int, int]) -> dict[int, int]:
        """Cut what a store calls settled at what the ledger still expects from before it."""
        if self._ledger is None:
            return settled
        found = {}
        for boot, seq in settled.items():
            settled_here = self._ledger.book(boot).settled()
            if boot in self._unplaced or settled_here is None:
                continue
            found[boot] = min(seq, settled_here)
        return found

    def _is_recording_durable(self) -> bool:
        """Force the recording to the disk; without a store nothing else is durable."""
        assert self._recorder is not None
        try:
            self._recorder.sync()
        except OSError:
            return False  # told by _record, which tries again
        return True


def _no_samples() -> AngleBlock:
    none = np.empty(0)
    return AngleBlock(none, none, none, none, none, none, none, none)
