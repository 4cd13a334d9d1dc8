"""What is asked for again: the ledger of a board's frames, its answers, and where late frames go."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.sequencer import MissingRange
from tiltwise.link.board_identity import read_hello
from tiltwise.link.commands import Acknowledger
from tiltwise.link.transport import LinkError
from tiltwise.live.backfill.board_clocks import BoardClocks
from tiltwise.live.backfill.frame_ledger import FrameLedger, Loss, read_boots
from tiltwise.live.backfill.late_tracking import LateTracker
from tiltwise.live.backfill.minute_summaries import MinuteSummaries
from tiltwise.live.backfill.store_sink import StoreSink
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.tracker import TrackerSettings
from tiltwise.types import Update

# An earlier boot than this is not placed by its last fit: the ticks may have wrapped.
_LONG_AGO = 30 * 24 * 3600.0


class Backfill:
    """The late half of a session.

    Parameters
    ----------
    answers
        The source gives the board's answers too: what is missing can be asked for.
    """

    def __init__(
        self,
        times: BoardClocks,
        decoder: Decoder,
        stages: Pipeline,
        keeper: StoreSink | None,
        *,
        answers: bool,
    ) -> None:
        self._times, self._decoder, self._stages, self._keeper = times, decoder, stages, keeper
        self._ledger = FrameLedger() if answers else None
        self._known: dict[int, list[tuple[int, int]]] = {}  # boot -> frames stored by earlier runs
        self._ended_s: dict[int, float | None] = {}  # boot -> when their last samples ended
        self._whole: set[int] = set()  # boots of which nothing is left to be fetched
        self._unplaced: dict[int, list[bytes]] = {}  # backfill of a boot whose clock is not known
        self._late: dict[int, LateTracker] = {}
        self._infos: dict[int, bytes] = {}  # newest INFO frame of each sensor
        self._summaries = MinuteSummaries()

    @property
    def hears_answers(self) -> bool:
        """Tell whether answers of the board come through this session."""
        return self._ledger is not None

    # ---- frames ----

    def note(self, frame: bytes, received_s: float) -> None:
        """Enter a checked frame, live or late."""
        kind, _, boot, seq, _, _, _, sensor, _ = wire.unpack_header(frame)
        if kind == wire.INFO:
            self._infos[sensor] = frame
        if kind == wire.MINUTE:
            self._summaries.note(frame)
        if self._ledger is not None:
            span = self._times.span(frame) if kind in wire.SAMPLE_SIZES else None
            self._ledger.note(boot, seq, span, received_s)

    def backfill(self, frame: bytes, received_s: float) -> bool:
        """Keep a frame that was asked for again; False for a bad one, which the decoder counts."""
        try:
            boot, seq = wire.open_frame(frame)[2:4]
        except wire.WireError:
            return False
        self._decoder.forget_missing(MissingRange(boot, seq, seq))
        self.note(frame, received_s)
        if self._keeper is None:
            return True
        if not self._times.is_known(boot):
            self._unplaced.setdefault(boot, []).append(frame)
        else:
            self._keep(boot, frame)
        return True

    def _keep(self, boot: int, frame: bytes) -> None:
        assert self._keeper is not None
        span = self._times.span(frame)
        assert span is not None
        if self._keeper.frame(frame, span[0], self._decoder.info, is_backfill=True):
            self._late.setdefault(boot, LateTracker(self._stages)).add(frame)

    def gap_opened(self, boot: int) -> None:
        """Something of this boot is missing again."""
        self._whole.discard(boot)

    # ---- answers ----

    def hear(self, received_s: float, data: bytes) -> None:
        """Take an answer of the board."""
        assert self._ledger is not None
        _, opcode, _, answer = wire.open_command(data)
        status, body = answer[0], answer[1:]
        match opcode & ~wire.REPLY:
            case wire.OP_HELLO:
                self._hear_hello(body)
            case wire.OP_PING if status == wire.STATUS_OK:
                self._times.hear_ping(body, received_s)
            case wire.OP_BOOTS if status == wire.STATUS_OK:
                self._hear_boots(body, received_s)
            case wire.OP_GET if status != wire.STATUS_OK:
                self._lose(self._ledger.refused(), received_s)
            case wire.OP_GET_DONE if status == wire.STATUS_OK:
                self._hear_done(body, received_s)

    def _hear_hello(self, body: bytes) -> None:
        with contextlib.suppress(LinkError):  # of another version, in a recording: its clock cannot be asked
            hello = read_hello(body)
            self._times.hear_hello(hello)
            if self._keeper is not None and hello.device_id:
                self._keeper.rename(f"board-{hello.device_id.hex()}")
        self._look_up(self._times.asked)  # before its live frames come: BOOTS is answered after them

    def _hear_boots(self, body: bytes, received_s: float) -> None:
        """Compare what the board holds with what is stored; what it dropped before we met it is no gap of ours."""
        assert self._ledger is not None
        boots = [boot for boot, _, _ in read_boots(body)]
        for boot in boots:
            self._look_up(boot)
        fresh = [boot for boot in boots if self._ledger.book(boot).floor is None]
        self._lose(self._ledger.told_boots(body, self._known, self._ended_s), received_s)
        for boot in fresh:
            self._fix(boot, received_s)
            floor = self._ledger.book(boot).floor
            is_new = not self._known.get(boot)
            if self._keeper is not None and floor and is_new and boot == self._ledger.present:
                self._keeper.lost(boot, 0, floor - 1, self._times.started_utc_s + received_s)

    def _hear_done(self, body: bytes, received_s: float) -> None:
        assert self._ledger is not None
        try:
            boot, losses = self._ledger.done(body)
        except wire.WireError:
            return  # without an answer the ledger asks again
        self._lose(losses, received_s)
        self._place(boot)

    def _look_up(self, boot: int | None) -> None:
        """Learn once what earlier runs of the program stored of a boot, and until when."""
        if self._keeper is None or boot is None or boot in self._known:
            return
        self._known[boot] = self._keeper.known([boot]).get(boot, [])
        self._ended_s[boot] = self._keeper.ended_s(boot) if self._known[boot] else None

    def _fix(self, boot: int, received_s: float) -> None:
        """Place a boot by what the store knows of its clock, until live frames know better."""
        fit = None if self._keeper is None else self._keeper.clock_fit(boot)
        if fit is not None and self._times.started_utc_s + received_s - fit[1] < _LONG_AGO:
            self._times.fix(boot, *fit)

    def _lose(self, losses: list[Loss], received_s: float) -> None:
        """Settle frames that are gone for good, each with its gap and reason."""
        for loss in losses:
            self._decoder.forget_missing(MissingRange(loss.boot, loss.first, loss.last))
            if self._keeper is None:
                continue
            self._keeper.lost(loss.boot, loss.first, loss.last, self._times.started_utc_s + received_s)
            self._whole.discard(loss.boot)

    def _place(self, boot: int) -> None:
        """Give the backfill of an earlier boot its time: it ended when the present boot began, or before."""
        if boot not in self._unplaced or self._keeper is None or self._ledger is None:
            return
        present = self._ledger.present
        if present is None or not self._times.is_known(present):
            return
        frames = self._unplaced.pop(boot)
        last_s = max(wire.unpack_header(frame)[5] for frame in frames) * wire.TICK_S
        self._times.fix(boot, last_s, self._times.utc_s(present, 0.0))
        for frame in frames:
            self._keep(boot, frame)

    # ---- before and after a commit ----

    def settle(self) -> None:
        """Take in what came late, and close the gaps of boots that are whole."""
        if self._keeper is None:
            return
        for boot, late in self._late.items():
            if late.is_waiting:
                self._digest(boot, late, self._settled(boot))
        if self._ledger is not None:
            self._close_gaps(self._keeper, self._ledger)

    def finish(self) -> None:
        """Take in all that is left."""
        for boot in [*self._unplaced]:
            self._place(boot)
        for boot, late in self._late.items():
            self._digest(boot, late, None)
            late.finish(lambda *args, boot=boot: self._keep_late(boot, *args))

    def _digest(self, boot: int, late: LateTracker, upto: int | None) -> None:
        infos = [self._infos[sensor] for sensor in sorted(self._infos)]
        late.digest(upto, infos, lambda *args: self._keep_late(boot, *args))

    def _keep_late(self, boot: int, update: Update, profile: TrackerSettings, zero_s: float) -> None:
        assert self._keeper is not None
        at_s = float(update.angles.t_s[-1]) if len(update.angles.t_s) else zero_s
        self._keeper.late(boot, update, profile, self._times.utc_s(boot, at_s - zero_s) - at_s)

    def _settled(self, boot: int) -> int | None:
        """Return the last number before the first frame that may still come; -1: none is."""
        if self._ledger is not None:
            settled = self._ledger.book(boot).settled()
        else:
            present = self._decoder.acknowledgeable()
            settled = present[1] if present is not None and present[0] == boot else None
        return -1 if settled is None else settled

    def _close_gaps(self, keeper: StoreSink, ledger: FrameLedger) -> None:
        """When all of a boot was fetched, its gaps are what is gone for good, and nothing else."""
        for boot in ledger.boots:
            if boot in self._whole or not ledger.is_whole(boot):
                continue
            self._whole.add(boot)
            keeper.whole(boot)
            for loss in ledger.gaps(boot):
                if loss.start_s is not None and loss.end_s is not None:
                    keeper.gone(boot, loss.start_s, loss.end_s)
            self._summarise(boot, keeper, ledger)

    def _summarise(self, boot: int, keeper: StoreSink, ledger: FrameLedger) -> None:
        """Let the board's summaries stand for samples that are gone."""
        profile = self._stages.profile
        if profile is None or not self._times.is_known(boot):
            self._whole.discard(boot)  # again, when it can be placed and judged
            return
        rows = self._summaries.take(
            boot,
            lambda seq: ledger.is_gone(boot, seq),
            profile,
            lambda frame: self._times.utc_s(boot, self._times.device_s(frame)),
        )
        keeper.coarse(boot, rows)

    def limited(self, settled: Mapping[int, int]) -> dict[int, int]:
        """Cut what a store calls settled at what the ledger still expects from before it."""
        if self._ledger is None:
            return dict(settled)
        found = {}
        for boot, seq in settled.items():
            settled_here = self._ledger.book(boot).settled()
            if boot in self._unplaced or settled_here is None:
                continue
            found[boot] = min(seq, settled_here)
        return found

    def next_get(self, received_s: float, acks: Acknowledger) -> bytes | None:
        """Return the command that asks for the oldest missing range, one at a time."""
        wanted = None if self._ledger is None else self._ledger.next_get(received_s)
        return None if wanted is None else acks.get(*wanted)
