"""One live session: chunks of bytes in; angles, events, notices and commands for the board out.

source -> decoder -> stages (ritual, tracker, alerts) -> recording, store. The class has no clock and no event loop:
the caller (watch.py, demo.py) awaits the source, hands the chunks in and sends what comes back. UTC enters once, as
the wall time of `received_s == 0`.
"""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.config.settings import Settings
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import BoardEvent, GapReason, Info, Status
from tiltwise.errors import os_error_line
from tiltwise.exercise.set_counter import SetCounter
from tiltwise.link.commands import Acknowledger
from tiltwise.live.backfill.board_clocks import BoardClocks
from tiltwise.live.backfill.frame_requests import Backfill
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.board_status import BoardWatch
from tiltwise.live.wearer.alerts import Alerts
from tiltwise.live.wearer.case_orientation import OFF
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.live.wearer.update import LiveUpdate
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.pair_tracker import COLLAR, HEAD
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.tracker import TrackerSettings
from tiltwise.types import ImuBlock, Mount, OrientationBlock, SignalGap, Update

__all__ = ["LiveSession", "LiveUpdate"]

# An ACK counts its credits in a u16 from what is stored; over a longer hole only NOTHING_STORED goes on.
_FAR = 0xFF00
_FIT_EVERY_S = 60.0  # between two notes of how the clocks stand
_NEW_CLOCK = (GapReason.RESTART, GapReason.CLOCK)


class LiveSession:
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
        Which way the case faces, for the ritual (case_orientation.py).
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
        keeper: StoreSink | None = None,
        recorder: RecordingWriter | None = None,
        counters: tuple[SetCounter, ...] = (),
        face: str = OFF,
        commit_every_s: float = 1.0,
        fetches: bool = False,
    ) -> None:
        self._keeper, self._recorder = keeper, recorder
        self._commit_every_s, self._fitted_s = commit_every_s, 0.0
        self._committed_s = -commit_every_s  # the first frame is committed at once
        self.decoder = Decoder()
        self._board_watch = BoardWatch()
        self._times = BoardClocks(started_utc_s)
        self._stages = Pipeline(settings, mount, ZoneInfo(zone), face, counters)
        self._fetching = Backfill(self._times, self.decoder, self._stages, keeper, answers=fetches)
        self._acks = Acknowledger()
        self._t_s, self._before_s = 0.0, started_utc_s  # newest sample; UTC minus device s before this frame
        self._recording_trouble = ""
        self._newest = (0, -1)  # boot and number of the newest frame
        self._durable: dict[int, int] = {}  # boot -> what may be acknowledged
        self._freed: dict[int, int] = {}  # earlier boot -> what was acknowledged of it
        self.unsaved = ""  # after finish(): what could not be kept, in a line
        if mounting is not None:
            self._stages.begin(mounting, collar, is_put_on=is_put_on)

    @property
    def profile(self) -> TrackerSettings | None:
        """The profile in use, None while calibrating."""
        return self._stages.profile

    @property
    def alerts(self) -> Alerts:
        """What decides whether to interrupt."""
        return self._stages.alerts

    def utc_s(self, t_s: float) -> float:
        """Return the wall time (UTC s) of a device time."""
        return t_s + self._offset_s

    @property
    def _offset_s(self) -> float:
        """UTC s minus device s, as the clocks stand at the newest sample."""
        times = self._times
        if times.boot is None or not times.is_known(times.boot):
            return times.started_utc_s
        return times.utc_s(times.boot, self._t_s - self.decoder.zero_s) - self._t_s

    # ---- what comes ----

    def receive(self, received_s: float, chunk: bytes) -> LiveUpdate:
        """Take one frame or answer as it came from the source."""
        received_s = round(received_s, 3)  # as recordings keep it: what is rebuilt has the same numbers
        live = LiveUpdate()
        self._record(received_s, chunk, live)
        if self._fetching.hears_answers and chunk and not wire.is_frame(chunk):
            self._fetching.on_reply(received_s, chunk)
            self._ask(received_s, live)
            return live
        frame = self.decoder.open(chunk)
        if frame is not None and frame.is_backfill:
            self._fetching.on_late_frame(frame, received_s)
        elif frame is not None:
            self._take_live(received_s, frame, live)
        if received_s - self._committed_s >= self._commit_every_s:
            self._committed_s = received_s
            self._commit(live)
        return live

    def finish(self) -> LiveUpdate:
        """Close what is open, store it, and close the store and the recording."""
        live = LiveUpdate()
        for item in self.decoder.flush():
            self._take(item, live)
        self._store_update(self._stages.finish(live, self._offset_s))
        self._fetching.finish()
        if self._keeper is not None:
            self._note_clock(self._keeper, every_s=0.0)
        troubles = [] if self._keeper is None else [self._keeper.close()]
        if self._recorder is not None:
            try:
                self._recorder.close()
            except OSError as error:
                troubles.append(os_error_line(error))
        self.unsaved = "; ".join(trouble for trouble in troubles if trouble)
        return live

    def _record(self, received_s: float, chunk: bytes, live: LiveUpdate) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.write(received_s, chunk)
        except OSError as error:  # alerts go on; the writer keeps what it could not write and tries again
            if not self._recording_trouble:
                self._recording_trouble = os_error_line(error)
                live.warnings.append(f"{self._recording_trouble}; alerts go on, retrying")
        if self._recording_trouble and not self._recorder.waiting_bytes:
            live.warnings.append(f"recording again (was: {self._recording_trouble})")
            self._recording_trouble = ""

    def _take_live(self, received_s: float, frame: Frame, live: LiveUpdate) -> None:
        self._before_s = self._offset_s
        items = self.decoder.take(frame)
        self._keep_frame(received_s, frame)
        for item in items:
            self._take(item, live)

    def _keep_frame(self, received_s: float, frame: Frame) -> None:
        boot, seq = frame.boot, frame.seq
        self._newest = max(self._newest, (boot, seq)) if boot == self._newest[0] else (boot, seq)
        self._times.learn(frame, received_s)
        self._fetching.on_frame(frame, received_s)
        if self._keeper is not None:
            span = self._times.span(frame) if frame.has_samples else None
            utc_s = self._times.started_utc_s + received_s if span is None else span[0]
            self._keeper.add_frame(frame, utc_s, self.decoder.info)

    def _take(self, item: object, live: LiveUpdate) -> None:
        match item:
            case ImuBlock() | OrientationBlock():
                if item.sensor in (HEAD, COLLAR) and len(item.t_s):
                    if item.sensor == HEAD:
                        live.t_s = self._t_s = float(item.t_s[-1])
                    info, offset_s = self.decoder.info, self._offset_s
                    self._store_update(self._stages.process(item, live, info, offset_s))
            case SignalGap():
                self._take_gap(item, live)
            case Status():
                live.status = item
                live.warnings += self._board_watch.process(item)
            case BoardEvent():
                live.board_events.append(item)
            case Info():
                pass  # the decoder keeps it

    def _take_gap(self, gap: SignalGap, live: LiveUpdate) -> None:
        if self._fetching.hears_answers and gap.reason == GapReason.OVERFLOW:
            gap = replace(gap, reason=GapReason.LOST)  # the ledger will say what of it is gone
        live.events.append(gap)
        self._fetching.gap_opened(self._newest[0])
        if self._keeper is None or gap.sensor != HEAD:  # the day is the first sensor's
            return
        # A board that started anew has another clock: its device time goes on, but not so long as it was off.
        start_s = gap.start_s + (self._before_s if gap.reason in _NEW_CLOCK else self._offset_s)
        self._keeper.add_gap(self._newest[0], start_s, gap.end_s + self._offset_s, gap.reason)

    def _store_update(self, update: Update | None) -> None:
        if update is not None and self._keeper is not None and self._stages.profile is not None:
            self._keeper.update(update, self._stages.profile, self._offset_s)

    # ---- durable ----

    def _ask(self, received_s: float, live: LiveUpdate) -> None:
        if self._keeper is None and self._recorder is None:
            return  # what is fetched would be kept nowhere
        wanted = self._fetching.next_get(received_s, self._acks)
        if wanted is not None:
            live.commands.append(wanted)

    def _commit(self, live: LiveUpdate) -> None:
        """Make durable what came, and acknowledge that; while the disk refuses, what was durable before.

        Credits count from the newest frame, so that neither a full disk nor a lost frame stops the stream.
        """
        if self._keeper is not None:
            self._fetching.flush()
            self._note_clock(self._keeper)
            kept = self._keeper.commit()
            live.warnings += [kept.warning] if kept.warning else []
            self._durable.update(self._fetching.acknowledgeable(dict(kept.settled)))
        elif self._recorder is not None and self._is_recording_durable():
            self._durable.update(self._fetching.acknowledgeable())
        self._acknowledge(live)
        self._ask(self._committed_s, live)

    def _acknowledge(self, live: LiveUpdate) -> None:
        boot, newest = self._newest
        if newest >= 0:
            seq = self._durable.get(boot, wire.NOTHING_STORED)
            if newest - seq > _FAR:
                seq = wire.NOTHING_STORED
            live.commands.append(self._acks.ack(boot, seq, newest=newest))
        for earlier, seq in self._durable.items():
            if self._fetching.hears_answers and earlier != boot and self._freed.get(earlier) != seq:
                self._freed[earlier] = seq
                live.commands.append(self._acks.ack(earlier, seq))

    def _note_clock(self, keeper: StoreSink, every_s: float = _FIT_EVERY_S) -> None:
        """Store how the clocks stand, for what is fetched by a later run and for whoever times it again."""
        if self._committed_s - self._fitted_s < every_s:
            return
        fit = self._times.fit(self._t_s - self.decoder.zero_s)
        if fit is not None and self._times.boot is not None:
            self._fitted_s = self._committed_s
            keeper.add_clock_fit(self._times.boot, *fit)

    def _is_recording_durable(self) -> bool:
        """Force the recording to the disk; without a store nothing else is durable."""
        assert self._recorder is not None
        try:
            self._recorder.sync()
        except OSError:
            return False  # told by _record, which tries again
        return True
