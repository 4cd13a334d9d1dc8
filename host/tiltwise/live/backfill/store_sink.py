"""Write the frames, minutes, events and gaps of a live session into the store, once a second.

A store that refuses never stops the stream: it is reported once and retried at each commit; what waits stays staged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.messages import GapReason, Info, read_event, read_minute
from tiltwise.errors import os_error_line
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.live.backfill.minute_stream import MinuteStream
from tiltwise.report.aggregate import MINUTE_S, Aggregate
from tiltwise.store.overview import COARSE_SOURCE
from tiltwise.store.stored_samples import REPLAYED
from tiltwise.store.writer import Store, StoreError
from tiltwise.text import counted
from tiltwise.tracker import TrackerSettings
from tiltwise.types import AlertHeldBack, AlertsAlone, EpisodeEnded, Mount, NoticeGiven, Update

# A frame without samples (STATUS, an event) leaves no gap, but frames end by the part's nominal rate: ten samples at
# 52 Hz, and a part that is off by 5 %.
_LEAST_GAP_S = 0.01
_START_S = 3.0  # from power-on to the first sample, at most


@dataclass(frozen=True, slots=True)
class Kept:
    """What a commit made durable: (boot, last sequence number) of each boot, and a warning or an empty text."""

    settled: tuple[tuple[int, int], ...] = ()
    warning: str = ""


class StoreSink:
    """The store as one session of one device sees it.

    Parameters
    ----------
    store
        An open store; closed by `close`.
    device
        Name of the device, from the address until the device proves its own.
    zone
        IANA name of the wearer's time zone.
    about
        Kept with each session: the rule in force, by which its day is drawn, and what its angles are relative to.
    """

    def __init__(
        self, store: Store, *, device: str, mount: Mount, zone: str, about: Mapping[str, object] | None = None
    ) -> None:
        self._about = dict(about or {})
        self._store, self._device, self._mount, self._zone = store, device, mount, zone
        self._sessions: dict[int, int] = {}  # boot -> session number
        self._live: MinuteStream | None = None  # of the present boot
        self._ended: list[MinuteStream] = []  # live ones of earlier boots
        self._exercises: dict[float, tuple[int, float]] = {}  # by device s of the beginning
        self._late: dict[int, MinuteStream] = {}  # boot -> minutes of what came late
        self._trouble = ""
        self.recoveries = list(store.reports)

    def rename(self, device: str) -> bool:
        """Take the name that the device has proved, for the sessions that begin from now on; tell if it is new.

        A recording that is played again is another day, not more of the board's own.
        """
        if device == self._device or self._store.origin == REPLAYED:
            return False
        self._device = device
        self._end_live()
        self._ended += self._late.values()
        self._sessions.clear()
        self._late.clear()
        return True

    def wear_at(self, mount: Mount) -> None:
        """The sensor is worn in another place; sessions that begin from now on say so."""
        self._mount = mount

    def received_ranges(self, boots: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
        """Return the settled ranges of frames of these boots, as far as the store can be read."""
        try:
            return {boot: self._store.received(self._device, boot) for boot in boots}
        except StoreError:
            return {}

    def clock_fit(self, boot: int) -> tuple[float, float, float] | None:
        """Return (device s, UTC s, rate) as an earlier run of the program left them for this boot."""
        try:
            return self._store.clock_fit(self._device, boot)
        except StoreError:
            return None

    def ended_s(self, boot: int | None = None) -> float | None:
        """Return when the last samples of this boot, or of any, ended that an earlier run stored, UTC s."""
        try:
            with self._store.open_readonly(self._store.folder) as reader:
                return reader.last_s(self._device, boot)
        except StoreError:
            return None

    def add_frame(self, frame: Frame, utc_s: float, info: Info | None, *, is_backfill: bool = False) -> bool:
        """Stage a checked frame and tell whether it is new; the first one of a boot opens a session."""
        session = self._of(frame.boot, utc_s, info)
        if not is_backfill and (self._live is None or self._live.session != session):
            self._begin_live(session)
        is_new = bool(self._store.append(session, [frame], [utc_s]))
        if is_new and frame.frame_type == wire.EVENT:
            event = read_event(frame, frame.device_s)
            self._store.put_events(session, [event], utc_s - event.t_s)
        elif is_new and frame.frame_type == wire.MINUTE and frame.sensor == 0:
            self._add_alerts(session, frame, utc_s if is_backfill else utc_s - MINUTE_S)
        return is_new

    def _add_alerts(self, session: int, frame: Frame, start_s: float) -> None:
        """Stage how many alerts the board alone gave in a minute from start_s, UTC s."""
        minute = read_minute(frame, frame.device_s)
        if minute.alerts:
            alone = AlertsAlone(minute.t_s, minute.alerts)
            self._store.put_events(session, [alone], start_s - alone.t_s)

    def add_told(self, event: AlertHeldBack | NoticeGiven, utc_offset_s: float) -> None:
        """Stage what the wearer was told, or why not."""
        if self._live is not None and self._live.session is not None:
            self._store.put_events(self._live.session, [event], utc_offset_s)

    def add_cut(self, event: EpisodeEnded, utc_offset_s: float) -> None:
        """Stage an episode of the boot before the present one."""
        if self._ended:
            self._store.put_events(self._ended[-1].session, [event], utc_offset_s)

    def add_exercise(self, record: ExerciseRecord, utc_offset_s: float, *, is_over: bool) -> None:
        """Stage what was done of an exercise so far; when it is over, its repetitions are the day's too."""
        if self._live is None or self._live.session is None:
            return
        # The clocks learn meanwhile: an exercise keeps the session and the beginning it was first stored with.
        session, offset_s = self._exercises.setdefault(record.start_s, (self._live.session, utc_offset_s))
        self._store.put_exercise(session, record, offset_s)
        if is_over:
            self._store.put_events(session, record.reps_at(record.start_s), offset_s)

    def add_clock_fit(self, boot: int, device_s: float, utc_s: float, rate: float) -> None:
        """Stage the present clock fit of a boot."""
        if boot in self._sessions:
            self._store.put_clock_fit(self._sessions[boot], device_s, utc_s, rate)

    def mark_lost(self, boot: int, first: int, last: int, utc_s: float) -> None:
        """Stage that the board no longer has these frames."""
        self._store.mark_lost(self._of(boot, utc_s, None), first, last)

    def add_overflow_gap(self, boot: int, start_s: float, end_s: float) -> None:
        """Stage a gap [start_s, end_s) UTC s whose frames the board dropped: its ring was full."""
        if end_s - start_s >= _LEAST_GAP_S:
            self._store.put_gap(self._of(boot, start_s, None), start_s, end_s, GapReason.OVERFLOW)

    def close_boot(self, boot: int) -> None:
        """Stage that everything of a boot was fetched: its gaps of lost frames are closed."""
        if boot in self._sessions:
            self._store.close_gaps(self._sessions[boot], GapReason.LOST)

    def add_off_gap(self, boot: int, ended_s: float, boot_s: float, first_s: float) -> None:
        """Stage that the board was off [ended_s, boot_s), and had no room for its samples until first_s, UTC s.

        It replaces the gap that was seen live, before it was known what the board still had.
        """
        self._store.close_gaps(self._of(boot, first_s, None), GapReason.RESTART)
        boot_s = min(max(boot_s, ended_s), first_s)
        if first_s - boot_s < _START_S:
            boot_s = first_s
        self.add_gap(boot, ended_s, boot_s, GapReason.RESTART)
        self.add_gap(boot, boot_s, first_s, GapReason.OVERFLOW)

    def _begin_live(self, session: int) -> None:
        """Let live minutes go into this session; one that ended for a moment (boots alternate) goes on."""
        self._end_live()
        known = [stream for stream in self._ended if stream.session == session]
        self._ended = [stream for stream in self._ended if stream.session != session]
        self._live = known[0] if known else MinuteStream(session, self._mount, self._zone)

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stage(self._store, is_end=False)
            self._ended.append(self._live)
        self._live = None

    def _streams(self) -> list[MinuteStream]:
        return [*([] if self._live is None else [self._live]), *self._late.values()]

    def _of(self, boot: int, utc_s: float, info: Info | None) -> int:
        if boot not in self._sessions:
            self._sessions[boot] = self._begin(boot, utc_s, {} if info is None else asdict(info))
        return self._sessions[boot]

    def _begin(self, boot: int, utc_s: float, info: Mapping[str, object]) -> int:
        return self._store.begin_session(
            self._device,
            boot,
            zone=self._zone,
            mount=self._mount,
            started_s=utc_s,
            info={**info, **self._about},
        )

    def update(self, update: Update, profile: TrackerSettings, utc_offset_s: float) -> None:
        """Stage the events and minutes of a live update; device times plus the offset are UTC s."""
        if self._live is not None:
            self._live.add(self._store, update, profile, utc_offset_s)

    def add_late_update(
        self, boot: int, update: Update, profile: TrackerSettings, utc_offset_s: float
    ) -> None:
        """Stage the events and minutes of what came late, in a session beside the live one."""
        if boot not in self._late:
            if not len(update.angles.t_s):
                return
            started_s = float(update.angles.t_s[0]) + utc_offset_s
            session = self._begin(boot, started_s, {"source": "late"})
            self._late[boot] = MinuteStream(session, self._mount, self._zone)
        self._late[boot].add(self._store, update, profile, utc_offset_s)

    def add_coarse_minutes(self, boot: int, by_sensor: Mapping[int, Sequence[Aggregate]]) -> None:
        """Stage minutes that are known by the board's own summaries only, in a session that says so."""
        starts_s = [row.start_s for rows in by_sensor.values() for row in rows]
        if starts_s:
            session = self._begin(boot, min(starts_s), {"source": COARSE_SOURCE})
            for sensor, rows in by_sensor.items():
                self._store.put_aggregates(session, rows, sensor)

    def add_gap(self, boot: int, start_s: float, end_s: float, reason: str) -> None:
        """Stage a stretch [start_s, end_s) UTC s without samples."""
        if boot in self._sessions and end_s > start_s:
            self._store.put_gap(self._sessions[boot], start_s, end_s, reason)

    def commit(self) -> Kept:
        """Write what is staged; a refusal becomes a warning, reported once until the store works again."""
        for stream in self._streams():
            stream.stage(self._store, is_end=False)
        try:
            done = self._store.commit()
        except StoreError as error:
            return Kept(warning=self._report_once(f"not stored: {error}; alerts go on, retrying"))
        settled = {session: seq for session, seq in done.settled.items() if seq is not None}
        acks = tuple((boot, settled[s]) for boot, s in self._sessions.items() if s in settled)
        found = self._store.reports[len(self.recoveries) :]
        self.recoveries += found
        return Kept(acks, "; ".join(filter(None, [*found, self._report_once(done.warning or "")])))

    def close(self) -> str:
        """Finish the open minutes, commit and close; return a warning or an empty text."""
        for stream in (*self._streams(), *self._ended):
            stream.stage(self._store, is_end=True)
        try:
            self._store.close()
        except OSError as error:
            return f"some of it could not be stored or kept: {os_error_line(error)}"
        return ""

    @property
    def kept(self) -> str:
        """How many frames this session stored, and where."""
        return f"{counted(self._store.n_stored, 'frame')} in {self._store.folder}"

    def _report_once(self, trouble: str) -> str:
        """Return a trouble when it is new, and a line when it is over."""
        if trouble == self._trouble:
            return ""
        was, self._trouble = self._trouble, trouble
        return trouble or (f"storing again (was: {was})" if was else "")
