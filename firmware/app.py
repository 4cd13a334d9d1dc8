"""The firmware's main object: builds the chain sensors -> frames -> host once, then runs it step by step.

Before it: main.py (on a board) or the simulator, with a board object. After it: nothing; `step` is called for ever.
A board object has
    clock        ticks_us(), ticks_ms(), ticks_diff(), sleep_ms()
    bus          readfrom_mem_into(address, register, buffer), writeto_mem(address, register, buffer); OSError
    link         as link.py
    addresses    where IMUs may be; the first has to be there, others are used when they answer at boot
    boot_id      u16, one more at each boot      reset_cause  small int      model  16 bytes at most
    ring_frames, minute_frames  how many frames to keep      mem_free()  bytes, 0 unknown
"""

import asyncio

from tiltwise.common import wire

from . import config
from .outbox import Outbox
from .report import Report
from .sampler import Sampler
from .session import Session
from .timebase import DeviceTime


class App:
    """All of the firmware behind one `step`."""

    def __init__(self, board, tagger=None):
        self._clock = board.clock
        self.time = DeviceTime(board.clock)
        self.outbox = Outbox(board.boot_id, board.ring_frames, board.minute_frames, config.SAMPLES_PER_FRAME)
        self.samplers = []
        self.session = Session(board.link, self.outbox, self._on_start, tagger)
        self.report = Report(board, self.outbox, self.samplers, self.time, self.session)
        self._reset_cause = board.reset_cause
        self._find_sensors(board)
        now = board.clock.ticks_ms()
        self._poll_at = now
        self._phase = 0
        self._status_at = now
        self._info_at = now
        self._info_wanted = False
        self._is_booted = False

    def _find_sensors(self, board):
        """Make a sampler for the first address, and for each other one that answers."""
        for address in board.addresses:
            sampler = Sampler(
                len(self.samplers), board.bus, address, self.time, self.outbox, self.report.event
            )
            if not self.samplers or self._answers(board.bus, address):
                self.samplers.append(sampler)

    def _answers(self, bus, address):
        try:
            bus.readfrom_mem_into(address, 0x0F, bytearray(1))
        except OSError:
            return False
        return True

    def _on_start(self, frame_type, samples_per_frame):
        for sampler in self.samplers:
            sampler.select(frame_type, samples_per_frame)
        self._info_wanted = True

    def step(self):
        """Do what is due now and return the milliseconds until the next step."""
        clock = self._clock
        now = clock.ticks_ms()
        has_more = self.session.step()
        if not self._is_booted:
            self._is_booted = True
            self.report.event(wire.EVENT_BOOT, self._reset_cause)
        if clock.ticks_diff(now, self._poll_at) >= 0:
            self._poll_at = self._next_poll(now)
            for sampler in self.samplers:
                sampler.poll()
        if clock.ticks_diff(now, self._status_at) >= 0:
            self._status_at = self._next(self._status_at, now, config.STATUS_MS)
            for sampler in self.samplers:
                self.report.status(sampler)
        if self._info_wanted or clock.ticks_diff(now, self._info_at) >= 0:
            self._info_at = clock.ticks_add(now, config.INFO_MS)
            self._info_wanted = False
            for sampler in self.samplers:
                self.report.info(sampler)
        if has_more:
            return 1
        return min(max(clock.ticks_diff(self._poll_at, clock.ticks_ms()), 1), config.STEPS_MS)

    def _next_poll(self, now):
        phases = config.POLL_PHASES_MS
        before = phases[self._phase]
        self._phase = (self._phase + 1) % len(phases)
        return self._next(self._poll_at, now, config.POLL_MS + phases[self._phase] - before)

    def _next(self, due, now, period_ms):
        """Return the next due time on the same grid, or from now on when a whole period was missed."""
        due = self._clock.ticks_add(due, period_ms)
        return due if self._clock.ticks_diff(due, now) > 0 else self._clock.ticks_add(now, period_ms)


async def _run(app):
    while True:
        await asyncio.sleep_ms(app.step())


def run(board):
    """Run the firmware on a board for ever."""
    asyncio.run(_run(App(board)))
