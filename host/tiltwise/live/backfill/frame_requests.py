"""Request missing frames again, route late ones into the store, and say what may be acknowledged."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Mapping

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.sequencer import MissingRange
from tiltwise.link.board_identity import read_hello
from tiltwise.link.commands import Acknowledger, read_reply
from tiltwise.link.transport import LinkError
from tiltwise.live.backfill.board_clocks import BoardClocks
from tiltwise.live.backfill.frame_ledger import FrameLedger, Loss, read_boots
from tiltwise.live.backfill.late_tracking import LateTracker
from tiltwise.live.backfill.minute_summaries import MinuteSummaries, within
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.tracker import TrackerSettings
from tiltwise.types import Update

# The stored clock fit of an older boot is not used: the ticks may have wrapped.
_LONG_AGO_S = 30 * 24 * 3600.0


class Backfill:
    """Fetches what is missing of one board.

    Parameters
    ----------
    clocks, decoder, pipeline, sink
        Those of the live session; without a sink nothing late is kept.
    answers
        The source gives the board's replies too: what is missing can be asked for.
    """

    def __init__(
        self,
        clocks: BoardClocks,
        decoder: Decoder,
        pipeline: Pipeline,
        sink: StoreSink | None,
        *,
        answers: bool,
    ) -> None:
        self._clocks, self._decoder, self._pipeline, self._sink = clocks, decoder, pipeline, sink
        self._ledger = FrameLedger() if answers else None
        self._known: dict[int, list[tuple[int, int]]] = {}  # boot -> frames stored by earlier runs
        self._ended_s: dict[int, float | None] = {}  # boot -> when their last samples ended
        self._stored_until_s: float | None = (
            None  # end of the last samples of any boot that earlier runs stored
        )
        self._whole: set[int] = set()  # boots of which nothing is left to be fetched
        self.board = ""  # name of the board, once it has said who it is
        self._off_closed: set[int] = set()  # boots before which it is known how long the board was off
        self._unplaced: dict[int, list[Frame]] = {}  # late frames of a boot whose clock is not known
        self._late: dict[int, LateTracker] = {}
        self._infos: dict[int, Frame] = {}  # newest INFO frame of each sensor
        self._summaries = MinuteSummaries()
        self._gone_s: dict[int, list[tuple[float, float]]] = defaultdict(list)  # boot -> [start, end) UTC s

    @property
    def hears_answers(self) -> bool:
        """Tell whether replies of the board come through this session."""
        return self._ledger is not None

    # ---- frames ----

    def on_frame(self, frame: Frame, received_s: float) -> None:
        """Enter a checked frame, live or late."""
        if frame.frame_type == wire.INFO:
            self._infos[frame.sensor] = frame
        if frame.frame_type == wire.MINUTE:
            self._summaries.note(frame)
        if self._ledger is not None:
            span_s = self._clocks.span(frame) if frame.has_samples else None
            self._ledger.on_frame(frame, span_s, received_s)

    def on_late_frame(self, frame: Frame, received_s: float) -> None:
        """Keep a checked frame that was asked for again."""
        if self._ledger is None:
            self._decoder.forget_missing(MissingRange(frame.boot, frame.seq, frame.seq))
        self.on_frame(frame, received_s)
        if self._sink is None:
            return
        if self._clocks.is_known(frame.boot):
            self._keep(self._sink, frame)
        else:
            self._unplaced.setdefault(frame.boot, []).append(frame)

    def _keep(self, sink: StoreSink, frame: Frame) -> None:
        span_s = self._clocks.span(frame)
        assert span_s is not None
        if sink.add_frame(frame, span_s[0], self._decoder.info, is_backfill=True):
            self._late.setdefault(frame.boot, LateTracker(self._pipeline)).add(frame)

    def gap_opened(self, boot: int) -> None:
        """Something of this boot is missing again."""
        self._whole.discard(boot)

    # ---- replies ----

    def on_reply(self, received_s: float, data: bytes) -> None:
        """Take a reply of the board."""
        assert self._ledger is not None
        reply = read_reply(data)
        match reply.opcode:
            case wire.OP_HELLO:
                self._on_hello(reply.body)
            case wire.OP_PING if reply.is_ok:
                self._clocks.on_ping(reply.body, received_s)
            case wire.OP_BOOTS if reply.is_ok:
                self._on_boots(self._ledger, reply.body, received_s)
            case wire.OP_GET if not reply.is_ok:
                self._lose(self._ledger.on_get_refused(), received_s)
            case wire.OP_GET_DONE if reply.is_ok:
                self._on_get_done(self._ledger, reply.body, received_s)

    def _on_hello(self, body: bytes) -> None:
        with contextlib.suppress(LinkError):  # of another version, in a recording: its clock cannot be asked
            hello = read_hello(body)
            self._clocks.on_hello(hello)
            self.board = hello.name or self.board
            if self._sink is not None and hello.name and self._sink.rename(hello.name):
                self._stored_until_s = self._sink.ended_s()
        self._look_up(self._clocks.asked)  # before its live frames come: BOOTS is answered after them

    def _on_boots(self, ledger: FrameLedger, body: bytes, received_s: float) -> None:
        """Compare what the board holds with what is stored; what it dropped before we met it is no gap of ours."""
        boots = [boot for boot, _, _ in read_boots(body)]
        for boot in boots:
            self._look_up(boot)
            self._whole.discard(boot)  # what it still has from before is yet to be fetched
        fresh = [boot for boot in boots if ledger.boot(boot).floor is None]
        self._lose(ledger.on_boots(body, self._known, self._ended_s), received_s)
        for boot in fresh:
            self._fix(boot, received_s)
            floor = ledger.boot(boot).floor
            is_new = not self._known.get(boot)
            if self._sink is not None and floor and is_new and boot == ledger.present:
                self._sink.mark_lost(boot, 0, floor - 1, self._clocks.started_utc_s + received_s)

    def _on_get_done(self, ledger: FrameLedger, body: bytes, received_s: float) -> None:
        try:
            boot, losses = ledger.on_get_done(body)
        except wire.WireError:
            return  # without a reply the ledger asks again
        self._lose(losses, received_s)
        self._place(boot)

    def _look_up(self, boot: int | None) -> None:
        """Learn once what earlier runs of the program stored of a boot, and until when."""
        if self._sink is None or boot is None or boot in self._known:
            return
        self._known[boot] = self._sink.received_ranges([boot]).get(boot, [])
        self._ended_s[boot] = self._sink.ended_s(boot) if self._known[boot] else None

    def _fix(self, boot: int, received_s: float) -> None:
        """Place a boot by the clock fit in the store, until live frames give a better one."""
        fit = None if self._sink is None else self._sink.clock_fit(boot)
        if fit is not None and self._clocks.started_utc_s + received_s - fit[1] < _LONG_AGO_S:
            self._clocks.fix(boot, *fit)

    def _lose(self, losses: list[Loss], received_s: float) -> None:
        """Store which frames are gone for good."""
        if self._sink is None:
            return
        for loss in losses:
            self._sink.mark_lost(loss.boot, loss.first, loss.last, self._clocks.started_utc_s + received_s)
            self._whole.discard(loss.boot)

    def _place(self, boot: int) -> None:
        """Give the late frames of an earlier boot their time: it ended when the present boot began, or before."""
        if boot not in self._unplaced or self._sink is None or self._ledger is None:
            return
        present = self._ledger.present
        if present is None or not self._clocks.is_known(present):
            return
        frames = self._unplaced.pop(boot)
        self._clocks.fix(boot, max(frame.device_s for frame in frames), self._clocks.utc_s(present, 0.0))
        for frame in frames:
            self._keep(self._sink, frame)

    # ---- before and after a commit ----

    def flush(self) -> None:
        """Process what came late, and close the gaps of boots that are whole."""
        if self._sink is None:
            return
        for boot, late in self._late.items():
            if late.is_waiting:
                self._track(boot, late, self._settled(boot))
        if self._ledger is not None:
            self._close_gaps(self._sink, self._ledger)

    def finish(self) -> None:
        """Process all that is left."""
        for boot in [*self._unplaced]:
            self._place(boot)
        for boot, late in self._late.items():
            self._track(boot, late, None)
            late.finish(lambda *args, boot=boot: self._keep_update(boot, *args))

    def _track(self, boot: int, late: LateTracker, upto: int | None) -> None:
        infos = [self._infos[sensor] for sensor in sorted(self._infos)]
        late.process(upto, infos, lambda *args: self._keep_update(boot, *args))

    def _keep_update(self, boot: int, update: Update, profile: TrackerSettings, zero_s: float) -> None:
        assert self._sink is not None
        at_s = float(update.angles.t_s[-1]) if len(update.angles.t_s) else zero_s
        self._sink.add_late_update(boot, update, profile, self._clocks.utc_s(boot, at_s - zero_s) - at_s)

    def _settled(self, boot: int) -> int:
        """Return the last number before the first frame that may still come; -1: none is."""
        settled = self._came_without_holes(boot)
        return -1 if settled is None else settled

    def _close_gaps(self, sink: StoreSink, ledger: FrameLedger) -> None:
        """When all of a boot was fetched, its gaps are what is gone for good, and nothing else."""
        for boot in ledger.boots:
            if boot in self._whole or not ledger.is_whole(boot):
                continue
            self._whole.add(boot)
            if boot in self._late:  # what follows is live again: an episode that reaches to here ends here
                self._late[boot].finish(lambda *args, boot=boot: self._keep_update(boot, *args))
            sink.close_boot(boot)
            for loss in ledger.gaps(boot):
                if loss.start_s is not None and loss.end_s is not None:
                    sink.add_overflow_gap(boot, loss.start_s, loss.end_s)
                    self._gone_s[boot].append((loss.start_s, loss.end_s))
            self._close_off_gap(boot, sink, ledger)
            self._summarise(boot, sink, ledger)

    def _close_off_gap(self, boot: int, sink: StoreSink, ledger: FrameLedger) -> None:
        """From the last samples of the boot before to the first ones of this one, the board was off or full."""
        ranges = ledger.boot(boot)
        first_s, _ = ranges.samples_span()
        is_settled = ranges.floor is not None and first_s is not None and self._clocks.is_known(boot)
        if not is_settled or first_s is None or boot in self._off_closed or self._known.get(boot):
            return
        self._off_closed.add(boot)
        ends_s = [ledger.boot(other).samples_span()[1] for other in ledger.boots if other != boot]
        before_s = [
            end_s for end_s in (*ends_s, self._stored_until_s) if end_s is not None and end_s <= first_s
        ]
        if before_s and first_s - max(before_s) < _LONG_AGO_S:
            sink.add_off_gap(boot, max(before_s), self._clocks.utc_s(boot, 0.0), first_s)
            self._gone_s[boot].append((max(before_s), first_s))

    def _summarise(self, boot: int, sink: StoreSink, ledger: FrameLedger) -> None:
        """Let the board's summaries stand for samples that are gone."""
        profile = self._pipeline.profile
        if profile is None or not self._clocks.is_known(boot):
            self._whole.discard(boot)  # again, when it can be placed and judged
            return
        rows = self._summaries.take(
            boot,
            lambda seq: ledger.is_gone(boot, seq),
            profile,
            lambda frame: self._clocks.utc_s(boot, self._clocks.device_s(frame)),
            self._pipeline.collar_profile,
        )
        sink.add_coarse_minutes(boot, {k: within(found, self._gone_s[boot]) for k, found in rows.items()})

    # ---- what may be acknowledged, what to ask for ----

    def acknowledgeable(self, stored: Mapping[int, int] | None = None) -> dict[int, int]:
        """Return by boot the last number that may be acknowledged: no frame up to it is still needed from the board.

        Parameters
        ----------
        stored : by boot what the store has committed without a hole. None: there is no store, and whatever came of
            the present boot is kept.
        """
        found = {}
        boots = [*stored] if stored is not None else [b for b in (self._clocks.boot,) if b is not None]
        for boot in boots:
            came = self._came_without_holes(boot)
            if stored is not None and self._ledger is None:
                found[boot] = stored[boot]
            elif came is not None and boot not in self._unplaced:
                found[boot] = came if stored is None else min(stored[boot], came)
        return found

    def _came_without_holes(self, boot: int) -> int | None:
        """Return the last number before the first frame of a boot that may still come."""
        if self._ledger is not None:
            return self._ledger.boot(boot).settled()
        present = self._decoder.acknowledgeable()
        return present[1] if present is not None and present[0] == boot else None

    def next_get(self, received_s: float, acks: Acknowledger) -> bytes | None:
        """Return the command that asks for the oldest missing range, one at a time."""
        wanted = None if self._ledger is None else self._ledger.next_get(received_s)
        return None if wanted is None else acks.get(*wanted)
