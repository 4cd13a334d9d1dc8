"""One live session: chunks of bytes in; events for the display, the store and the board out.

source -> decoder -> pipeline (calibration, tracking, alerts) -> recording, store. The class has no clock and no
event loop: run.py awaits the source, hands the chunks in and sends the commands back. UTC enters once, as the wall
time of `received_s == 0`. `open_session` makes one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.decoder import RESTART_S, Decoder, Item
from tiltwise.decode.messages import BoardEvent, GapReason, Status
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.live.acknowledgements import ACK_EVERY_S, Acknowledgements
from tiltwise.live.backfill.board_clocks import BoardClocks
from tiltwise.live.backfill.calibrating_gap import CalibratingGap
from tiltwise.live.backfill.device_time import DeviceTime
from tiltwise.live.backfill.frame_requests import Backfill
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.board_status import BoardWatch
from tiltwise.live.haptic_cues import HapticCues
from tiltwise.live.known_boards import KnownBoards
from tiltwise.live.no_store import NoStore
from tiltwise.live.session_recording import NoRecording
from tiltwise.live.wearer.alerts import Alerts, Notice
from tiltwise.live.wearer.live_events import Calibrated, Command, LiveEvent, LiveEvents, LiveNote, LiveWarning
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.live.wearer.recorded_changes import RecordedChanges
from tiltwise.live.wearer.sample_batch import LIVE_S, SampleBatch
from tiltwise.live.wearer.shared_state import SharedState
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.pair_tracker import COLLAR, HEAD
from tiltwise.tracker import TrackerSettings
from tiltwise.types import (
    AlertHeldBack,
    FloatArray,
    ImuBlock,
    Mount,
    NoticeGiven,
    OrientationBlock,
    SignalGap,
    Update,
)

_FIT_EVERY_S = 60.0  # between two notes of how the clocks stand


class LiveSession:
    """Runs everything after the source, one chunk at a time.

    Parameters
    ----------
    pipeline
        What the samples mean for the wearer.
    started_utc_s
        Wall time of `received_s == 0`, UTC s.
    sink, recording
        The store as this session sees it, and where each chunk is written as it came; None keeps nothing.
    commit_every_s
        Received time between two commits.
    fetches
        The source gives the board's answers too (a Supervisor): what is missing is asked for again.
    known
        Finds the calibration of the board that is met, and keeps one that is made.
    batch_s
        So many seconds of samples are tracked at once: more for files, whose alerts nobody waits for.
    changes : what the session of a recording was told beside its frames.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        started_utc_s: float,
        sink: StoreSink | None = None,
        recording: NoRecording | None = None,
        commit_every_s: float = ACK_EVERY_S,
        fetches: bool = False,
        known: KnownBoards | None = None,
        batch_s: float = LIVE_S,
        changes: RecordedChanges | None = None,
    ) -> None:
        self.decoder = Decoder()
        self._changes = changes or RecordedChanges()
        self._batch, self._received_s = SampleBatch(batch_s), 0.0
        self._recording = recording or NoRecording()
        self._sink = sink or NoStore()
        self._has_store = sink is not None
        self._board_watch = BoardWatch()
        self._clocks = BoardClocks(started_utc_s)
        self._pipeline = pipeline
        self._known = known or KnownBoards()
        self._backfill = Backfill(self._clocks, self.decoder, pipeline, sink, answers=fetches)
        self._acks = Acknowledgements(commit_every_s)
        self._shared = SharedState(pipeline, self._on_neutral, self._on_mount, self._known.note_name)
        self._cues = HapticCues() if fetches else None
        self._time, self._fitted_s = DeviceTime(self._clocks, self.decoder), 0.0
        self._uncalibrated = CalibratingGap(self._sink.add_gap)
        self._durable: dict[int, int] = {}  # boot -> what may be acknowledged
        self.unsaved = ""  # after finish(): what could not be kept, in a line
        self.kept = ""  # after finish(): how much was kept, and where

    @property
    def profile(self) -> TrackerSettings | None:
        """The tracker's settings in use, None while calibrating."""
        return self._pipeline.profile

    @property
    def alerts(self) -> Alerts:
        """What decides whether to interrupt."""
        return self._pipeline.alerts

    def received_at(self, event: LiveEvent) -> float:
        """Return when that was received which an event is about: with batches before the newest chunk."""
        return self._batch.received_at(getattr(event, "t_s", math.inf), self._received_s)

    def utc_s(self, t_s: float) -> float:
        """Return the wall time (UTC s) of a device time."""
        return self._time.utc_s(t_s)

    @property
    def is_calibrating(self) -> bool:
        """Whether a guided calibration is under way, the first one or one beside the calibration in use."""
        return self._pipeline.is_calibrating

    def recalibrate(self) -> bool:
        """Begin the guided calibration anew, beside the one in use; False while the first one is under way."""
        return self._pipeline.recalibrate()

    def adopt(self, calibration: Calibrated) -> LiveEvents:
        """Track with this calibration from now on; nothing happens when it is the one in use."""
        profile, collar = self._pipeline.profile, self._pipeline.collar_profile
        now = (profile and profile.mounting, collar and collar.mounting)
        if now == (calibration.mounting, calibration.collar):
            return ()
        waited = self._track_waiting()
        self._sink.wear_at(calibration.mounting.mount)
        closing = self._pipeline.change(calibration, self._time.offset_s)
        stored = self._store(closing, profile, self._time.offset_s)
        return (*waited, *stored, *self._recording.write_calibration(self._received_s, calibration))

    def _meet_board(self) -> LiveEvents:
        """Use the calibration of a board that has said who it is; another board is another sensor."""
        is_first = not self._known.board
        if not self._known.is_news(self._backfill.board) or (is_first and self._pipeline.profile is not None):
            return ()
        found, notes = self._known.find()
        if found is not None:
            if not found.is_behind:
                self._pipeline.sit_in_front()
            return (*notes, *self.adopt(Calibrated(found.mounting, found.collar, is_put_on=True)))
        profile = self._pipeline.profile
        closing = () if is_first else self._pipeline.calibrate_first(self._time.offset_s)
        return (*notes, *self._store(closing, profile, self._time.offset_s))

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take one frame or answer as it came from the source; return what it meant."""
        received_s = round(received_s, 3)  # as recordings keep it: what is rebuilt has the same numbers
        told, noted = self._changes.tell(self, chunk), self._recording.write(received_s, chunk)
        events: list[LiveEvent] = [*told, *noted]
        self._received_s = received_s
        if self._backfill.hears_answers and chunk and not wire.is_frame(chunk):
            self._backfill.on_reply(received_s, chunk)
            if self._cues is not None:
                self._cues.hear(chunk)
            answers = self._shared.on_answer(chunk, self._local(received_s))
            answers += self._keep_calibrations(received_s, answers)
            return (*events, *answers, *self._meet_board(), *self._ask(received_s))
        frame = self.decoder.open(chunk)
        if frame is not None and frame.is_backfill:
            self._backfill.on_late_frame(frame, received_s)
        elif frame is not None:
            events += self._take_live(received_s, frame)
        events += self._keep_calibrations(received_s, events)
        events += self._shared.on_change()
        if self._acks.is_due(received_s):
            events += [*self._track_waiting(), *self._commit()]
        return tuple(events)

    def _keep_calibrations(self, received_s: float, events: Sequence[LiveEvent]) -> list[LiveEvent]:
        """Keep each calibration that was made: in the recording, and for other days."""
        found: list[LiveEvent] = []
        for event in events:
            if isinstance(event, Calibrated):
                found += self._recording.write_calibration(received_s, event)
                found += self._known.keep(event)
        return found

    def finish(self) -> LiveEvents:
        """Close what is open, store it, and close the store and the recording."""
        events = [event for item in self.decoder.flush() for event in self._take(item)]
        events += self._track_waiting()
        profile = self._pipeline.profile
        events += self._store(self._pipeline.finish(self._time.offset_s), profile, self._time.offset_s)
        self._backfill.finish()
        self._note_clock(every_s=0.0)
        troubles = (self._sink.close(), self._recording.close())
        self.unsaved = "; ".join(trouble for trouble in troubles if trouble)
        self.kept = " and ".join(filter(None, (self._sink.kept, self._recording.kept)))
        return tuple(events)

    def _take_live(self, received_s: float, frame: Frame) -> list[LiveEvent]:
        zero_s, offset_s = self.decoder.zero_s, self._time.offset_s
        items = self.decoder.take(frame)
        # A restarted board has another clock: nothing here says how long it was off.
        if self.decoder.zero_s != zero_s:
            self._time.restart(frame, offset_s, RESTART_S / 2)
        self._keep_frame(received_s, frame)
        events = self._pipeline.delivery.on_frame(received_s, frame)
        return events + [event for item in items for event in self._take(item)]

    def _keep_frame(self, received_s: float, frame: Frame) -> None:
        self._acks.note(frame)
        self._clocks.learn(frame, received_s)
        self._backfill.on_frame(frame, received_s)
        span = self._clocks.span(frame) if frame.has_samples else None
        utc_s = self._clocks.started_utc_s + received_s if span is None else span[0]
        self._sink.add_frame(frame, utc_s, self.decoder.info)

    def _take(self, item: Item) -> LiveEvents:
        match item:
            case ImuBlock() | OrientationBlock() if item.sensor in (HEAD, COLLAR) and len(item.t_s):
                return tuple(
                    event for block in self._batch.add(item, self._received_s) for event in self._track(block)
                )
            case SignalGap():
                return (*self._track_waiting(), self._take_gap(item))
            case Status():
                return (item, *map(LiveWarning, self._board_watch.process(item)))
            case BoardEvent():
                local = self._pipeline.local(item.t_s + self._time.offset_s)
                return self._shared.on_board_event(item, local)
        return ()  # Info: the decoder keeps it

    def _track(self, block: ImuBlock | OrientationBlock) -> LiveEvents:
        """Hand samples to the pipeline, and stage what it says."""
        if block.sensor == HEAD:
            self._time.newest_s = float(block.t_s[-1])
        offset_s = self._time.offset_at(float(block.t_s[0]))
        if block.sensor == HEAD:
            boot, is_known = self._acks.newest[0], self._pipeline.profile is not None
            self._uncalibrated.note(boot, block.t_s, offset_s, is_over=is_known)
        profile = self._pipeline.profile
        found = self._pipeline.process(block, self.decoder.info, offset_s)
        return (*self._store(found, profile, offset_s), *self._tick(found))

    def _track_waiting(self) -> LiveEvents:
        return tuple(event for block in self._batch.take() for event in self._track(block))

    def _tick(self, events: LiveEvents) -> list[Command]:
        """Let the board's motor tick along with a calibration, whose samples are then taken shaken as they are."""
        if self._cues is None:
            return []
        self.decoder.keeps_shaken = self._pipeline.is_calibrating
        info, steps = self.decoder.info, [e for e in events if isinstance(e, CalibrationProgress)]
        return [Command(data) for step in steps for data in self._cues.commands(step, info)]

    def _take_gap(self, gap: SignalGap) -> SignalGap:
        if self._backfill.hears_answers and gap.reason == GapReason.OVERFLOW:
            gap = replace(gap, reason=GapReason.LOST)  # the ledger will say what of it is gone
        boot = self._acks.newest[0]
        self._backfill.gap_opened(boot)
        start_s, end_s = self.utc_s(gap.start_s), self.utc_s(gap.end_s)
        if gap.sensor == HEAD:  # the day is the first sensor's
            self._uncalibrated.end()  # what is missing has a gap of its own
            self._sink.add_gap(boot, start_s, end_s, gap.reason)
        if gap.start_s >= self._time.earlier_until_s:
            return gap
        # Over a restart the device time goes on, but not for so long as the board was off.
        return replace(gap, start_s=gap.end_s - max(end_s - start_s, 0.0))

    def _store(self, events: LiveEvents, profile: TrackerSettings | None, offset_s: float) -> LiveEvents:
        """Stage the updates among events, which were tracked with this profile; return all of them."""
        for event in events:
            if isinstance(event, Update) and profile is not None:
                kept, cut = self._time.split_at_restart(event)
                self._sink.update(kept, profile, offset_s)
                for episode in cut:
                    self._sink.add_cut(episode, self._time.offset_at(episode.end_s))
            elif isinstance(event, AlertHeldBack):
                self._sink.add_told(event, offset_s)
            elif isinstance(event, Notice):
                self._sink.add_told(NoticeGiven(event.t_s, event.stored_level, event.text), offset_s)
        return events

    def keep_exercise(self, record: ExerciseRecord, *, is_over: bool = False) -> None:
        """Store what was done of a guided exercise so far; when it is over, its repetitions are the day's too."""
        self._sink.add_exercise(record, self._time.offset_at(record.start_s), is_over=is_over)

    def snooze(self, received_s: float, seconds: int) -> LiveEvents:
        """Interrupt nobody for so long, here and at the board; 0 ends a snooze."""
        noted = self._recording.write_snooze(received_s, seconds)
        return (*noted, *self._shared.snooze(self._local(received_s), seconds))

    def snooze_left_s(self, received_s: float) -> int:
        """Return how many seconds of a snooze are left."""
        return self.alerts.snooze_s(self._local(received_s))

    def _local(self, received_s: float) -> datetime:
        return self._pipeline.local(self._clocks.started_utc_s + received_s)

    def _on_neutral(self, up_sensor: FloatArray) -> LiveEvents:
        """The wearer took neutral at the board."""
        before = self._pipeline.profile
        return self._store(self._pipeline.take_neutral(up_sensor), before, self._time.offset_s)

    def _on_mount(self, mount: Mount) -> LiveEvents:
        """The board says where it is worn."""
        if self._known.asked_mount is not None or not self._pipeline.wear_at(mount):
            return ()
        self._sink.wear_at(mount)
        return (LiveNote(f"worn at {mount.value}, as the board is set"),)

    def _ask(self, received_s: float) -> list[Command]:
        """Ask for the oldest missing frames, where they would be kept."""
        is_kept = self._has_store or self._recording.is_kept
        wanted = self._backfill.next_get(received_s, self._acks.commands) if is_kept else None
        return [] if wanted is None else [Command(wanted)]

    def _commit(self) -> list[LiveEvent]:
        """Make durable what came, and acknowledge that; while the disk refuses, what was durable before."""
        self._backfill.flush()
        self._note_clock()
        kept = self._sink.commit()
        if self._has_store:
            self._durable.update(self._backfill.acknowledgeable(dict(kept.settled)))
        elif self._recording.sync():
            self._durable.update(self._backfill.acknowledgeable())
        earlier = self._acks.earlier(self._durable) if self._backfill.hears_answers else []
        return [
            *([LiveWarning(kept.warning)] if kept.warning else []),
            *self._acks.present(self._durable),
            *earlier,
            *self._ask(self._acks.last_s),
        ]

    def _note_clock(self, every_s: float = _FIT_EVERY_S) -> None:
        """Store how the clocks stand, for what a later run fetches and for whoever computes the times again."""
        if self._acks.last_s - self._fitted_s < every_s:
            return
        fit = self._time.fit()
        if fit is not None and self._clocks.boot is not None:
            self._fitted_s = self._acks.last_s
            self._sink.add_clock_fit(self._clocks.boot, *fit)
