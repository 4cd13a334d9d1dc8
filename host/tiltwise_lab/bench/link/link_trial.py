"""The whole system on a bad link: the real firmware, a link that loses packets and disconnects, and the real host.

Supervisor, run_live, LiveSession, StoreSink and Store run unmodified; only the connector is simulated
(radio/lossy_link.py). Board, link and host share one virtual time, in which the host's clock runs 35 ppm fast. The
trial logs what the board makes and drops, what the session decides, and what time it gives each frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.config.settings import AlertSetting, RuleKind, RuleSetting, Settings
from tiltwise.decode.decoder import Decoder
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.live.wearer.live_events import LiveEvents, LiveWarning
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.sim.imu.imu_errors import G_M_S2
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, FloatArray, Mount, Update
from tiltwise_lab.radio.lossy_link import Conditions, LossyBoard, LossyConnector

DRIFT = 35e-6  # of the host's clock against the board's, whose time is the true one here
STARTED_S = 1_772_000_000.0
BOOT = 7
LEAN_S, LEAN_DEG = 180.0, 35.0  # somebody leans so far forward for half of each such time
_LEANS_S, _LEFT_S, _RAMP_S = 60.0, 150.0, 2.0
_KEY = bytes(range(1, 33))
# One alert as soon as it is due: what is timed is the link.
_SETTINGS = Settings(
    rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=20.0, seconds=60.0),
    alerts=AlertSetting(first_quiet_min=0.0),
)
_TRUTH_HZ = 104
_SETTLE_S = 1200.0  # at most
_TIMED_EVERY = 16  # frames: asking for the CPU time costs more than a frame on some systems


@dataclass(slots=True)
class BoardLog:
    """What the board did: type, samples, index and time (100 us) of each frame; which ones its ring dropped."""

    made: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)


@dataclass(slots=True)
class HostLog:
    """What the session did. Ages in s are from the sample to the decision."""

    age_s: array[float] = field(default_factory=lambda: array("f"))
    compute_s: array[float] = field(default_factory=lambda: array("f"))  # CPU, of some frames
    alert_age_s: list[float] = field(default_factory=list)
    alert_true_s: list[float] = field(
        default_factory=list
    )  # from when it was truly due, if no outage hid that
    used: dict[int, float] = field(
        default_factory=dict
    )  # frame -> UTC that the session gave its first sample
    came_live: set[int] = field(default_factory=set)  # frames that were not asked for again
    back_s: list[float] = field(default_factory=list)


class LoggingSession:
    """A session, and beside it what it decided when; nothing is changed."""

    def __init__(self, session: LiveSession, now_s: Callable[[], float], log: HostLog) -> None:
        self._session, self._now_s, self.log = session, now_s, log
        self.came_back_s: float | None = None
        self._received = 0

    @property
    def decoder(self) -> Decoder:
        """The session's own."""
        return self._session.decoder

    def finish(self) -> LiveEvents:
        """Close what is open."""
        return self._session.finish()

    def receive(self, received_s: float, frame: bytes, /) -> LiveEvents:
        """Take a frame, and note what came of it."""
        self._received += 1
        is_timed = self._received % _TIMED_EVERY == 0
        began_s = time.thread_time() if is_timed else 0.0
        events = self._session.receive(received_s, frame)
        if is_timed:
            self.log.compute_s.append(time.thread_time() - began_s)
        if wire.is_frame(frame) and not (opened := read_frame(frame)).is_backfill:
            self.log.came_live.add(opened.seq)
        for event in events:
            if isinstance(event, Update) and len(event.activity):
                self._note(frame, event)
        return events

    def _note(self, frame: bytes, update: Update) -> None:
        now_s, log = self._now_s(), self.log
        if self.came_back_s is not None:
            log.back_s.append(now_s - self.came_back_s)
            self.came_back_s = None
        zero_s = self.decoder.zero_s
        log.age_s.extend((now_s - (update.angles.t_s - zero_s)).tolist())
        opened = read_frame(frame)
        log.used[opened.seq] = self._session.utc_s(opened.device_s + zero_s)
        for event in update.events:
            if isinstance(event, EpisodeAlert):
                log.alert_age_s.append(now_s - (event.t_s - zero_s))
                log.alert_true_s.append(now_s - due_s(event.t_s - zero_s))


class LinkTrial:
    """A board, the air and a host in one virtual time; used with `async with` in virtual time.

    Parameters
    ----------
    folder : of the store
    ring_frames : what the board can hold back; a second is 5.5 frames
    conditions : of the air
    """

    def __init__(self, folder: Path, *, seed: int, ring_frames: int, conditions: Conditions) -> None:
        loop = asyncio.get_running_loop()
        self.rng, self.board_log, self.host_log = random.Random(seed), BoardLog(), HostLog()
        self.sensor, self._fed = Lsm6dsox(seed=seed), 0
        self.board = LossyBoard(
            [self.sensor], self._feed_sensor, key=_KEY, boot_id=BOOT, ring_frames=ring_frames, seed=seed
        )
        self._watch_outbox()
        self.connector = LossyConnector(self.board, conditions, self.rng)
        self.supervisor = Supervisor(
            self.connector,
            [KeyedBoard(self.board.device_id, "trial", _KEY)],
            clock=lambda: loop.time() * (1 + DRIFT),
        )
        self.folder = folder
        self.store = Store(folder, min_free_bytes=0)
        upright = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)
        session = open_session(
            Worn(mount=Mount.NECK, mounting=upright),
            settings=_SETTINGS,
            started_utc_s=STARTED_S,
            device="trial",
            store=self.store,
            fetches=True,
        )
        self.session = LoggingSession(session, loop.time, self.host_log)
        self.warnings: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> LinkTrial:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self.board.live()),
            loop.create_task(run_live(self.supervisor, self.session, self._updated)),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._check()
        for task in reversed(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def forget(self) -> None:
        """Forget all notes, which grow with time."""
        self.board_log.made.clear()
        self.board_log.dropped.clear()
        self.board.fed_s.clear()
        self.session.log = self.host_log = HostLog()
        self.warnings.clear()

    def _updated(self, _received_s: float, events: LiveEvents) -> None:
        self.warnings += [event.text for event in events if isinstance(event, LiveWarning)]

    def _check(self) -> None:
        """Raise what board or host raised."""
        for task in self._tasks:
            if task.done():
                task.result()

    # ---- the board ----

    def _watch_outbox(self) -> None:
        """Note what is made and what is pushed out; nothing is changed."""
        outbox, notes = self.board.app.frames, self.board_log
        put, drop = outbox.put, outbox.main._drop_oldest

        def logged_put(
            buffer: bytearray, kind: int, flags: int, i0: int, t0: int, n: int, *rest: int
        ) -> bytearray:
            notes.made[outbox.next_seq] = (kind, n if kind in wire.SAMPLE_SIZES else 0, i0, t0)
            given: bytearray = put(buffer, kind, flags, i0, t0, n, *rest)
            return given

        def logged_drop() -> None:
            notes.dropped.add(outbox.main.seq_at(0))
            drop()

        outbox.put, outbox.main._drop_oldest = logged_put, logged_drop

    def _feed_sensor(self, to_s: float) -> None:
        """Tell the sensor how the wearer moves."""
        while self._fed <= (to_s + 1) * _TRUTH_HZ:
            t_s = np.arange(self._fed, self._fed + 5 * _TRUTH_HZ) / _TRUTH_HZ
            angle = lean_rad(t_s)
            rate = (lean_rad(t_s + 0.005) - lean_rad(t_s - 0.005)) / 0.01
            nothing = np.zeros(len(t_s))
            acc = G_M_S2 * np.stack((-np.sin(angle), nothing, np.cos(angle)), axis=1)
            self.sensor.advance(t_s, np.stack((nothing, rate, nothing), axis=1), acc)
            self._fed += len(t_s)

    # ---- the story ----

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)
        self._check()

    async def outage(self, seconds: float) -> None:
        """Lose the link with all that is in the air; nobody finds the board until it comes back."""
        self.connector.leave_range()
        await self.pass_time(seconds)
        self.connector.come_back()
        self.session.came_back_s = asyncio.get_running_loop().time()

    async def settle(self) -> int:
        """Let a healthy link deliver what is missing; return the first number that need not have arrived.

        RuntimeError when it does not come to an end.
        """
        self.connector.conditions = Conditions()
        top = int(self.board.app.frames.next_seq)
        end_s = asyncio.get_running_loop().time() + _SETTLE_S
        while not self._has_settled(top):
            if asyncio.get_running_loop().time() > end_s:
                raise RuntimeError(
                    f"frames up to {top} are not settled after {_SETTLE_S:g} s: {self.settled()}"
                )
            await self.pass_time(1.0)
        await self.pass_time(5.0)  # for the gaps, which follow when nothing is missing
        return top

    def settled(self) -> list[tuple[int, int]]:
        """Return the ranges of frames that the store has, or knows to be lost."""
        return self.store.received(f"board-{self.board.device_id.hex()}", BOOT)

    def _has_settled(self, top: int) -> bool:
        ranges = self.settled()
        return len(ranges) == 1 and ranges[0][0] == 0 and ranges[0][1] >= top - 1


def lean_rad(t_s: FloatArray) -> FloatArray:
    """Somebody who leans forward half of the time, and breathes."""
    phase = t_s % LEAN_S
    ramp = np.clip((phase - _LEANS_S) / _RAMP_S, 0, 1) * np.clip((_LEFT_S - phase) / _RAMP_S, 0, 1)
    sway_deg = 0.6 * np.sin(2 * np.pi * 0.25 * t_s) + 0.4 * np.sin(2 * np.pi * 1.1 * t_s)
    lean: FloatArray = np.radians(LEAN_DEG * ramp * ramp * (3 - 2 * ramp) + sway_deg)
    return lean


def due_s(alert_s: float) -> float:
    """Return when the alert nearest to this time was truly due: so long after the lean went beyond the limit."""
    rule = _SETTINGS.rule
    begins_s = math.floor(alert_s / LEAN_S) * LEAN_S + _LEANS_S
    t_s = begins_s + np.arange(0, _RAMP_S, 0.001)
    beyond = lean_rad(t_s) >= math.radians(rule.angle_deg)
    return float(t_s[int(np.argmax(beyond))]) + rule.seconds
