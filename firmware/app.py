"""The firmware's main object: builds the chain sensors -> frames -> host once, then runs it step by step.

After three crashes in a row it starts without sensors, motor, log and radio: what is left is the cable, so that
the board can be asked and mended.
"""

import asyncio

from tiltwise.common import wire

from . import config, drivers
from .comms import frame_store
from .comms.session_manager import CommandContext, SessionManager
from .comms.status_frames import VERSION, StatusFrames
from .device.health import Health
from .device.housekeeping import Housekeeping
from .sensing import imu_addresses
from .sensing.sampler import Sampler
from .sensing.timebase import DeviceTime
from .storage.board_settings import Settings
from .storage.flash_log import FlashLog
from .storage.keystore import KeyStore
from .storage.minute_archive import MinuteLog
from .wearer.haptics import Haptics
from .wearer.wearer_state import WearerState


class App:
    """All of the firmware behind one `step`."""

    def __init__(self, board):
        self._clock = board.clock
        self.time = DeviceTime(board.clock)
        self.settings = Settings(board.files)
        self.keystore = KeyStore(board.files)
        self.health = Health(board.files, board.clock, board.chip_cause, board.watchdog, board.random)
        self.haptics = Haptics(None if self.health.is_safe_mode else board.motor, board.clock)
        self._has_motor = board.motor is not None
        self.archive = self._open_archive(board)
        self.outbox = frame_store.make(
            self.health.boot_id,
            board.ring_frames,
            board.minute_frames,
            config.SAMPLES_PER_FRAME,
            self.archive,
        )
        self.samplers = []
        self.desk = SessionManager(self._links(board), self.outbox, board.clock, self._tools(board))
        self.wear = WearerState(board.clock, self.settings, self.haptics, self.samplers, self.event)
        self.house = Housekeeping(board, self)
        self.report = StatusFrames(board, self)
        if not self.health.is_safe_mode:
            self._find_sensors(board)
        self.desk.tools.imus = len(self.samplers)
        now = board.clock.ticks_ms()
        self._poll_at = now
        self._phase = 0
        self._look_at = now
        self._status_at = now
        self._info_at = now
        self._info_wanted = False
        self._held = 0
        self._is_booted = False

    # ---- building ----

    def _open_archive(self, board):
        """Return the minutes in flash, None when the board has no place for them or it fails."""
        if board.flash is None or self.health.is_safe_mode:
            return None
        try:
            archive = MinuteLog(FlashLog(board.flash), board.clock)
        except OSError as problem:
            self.health.problem = problem
            return None
        self.health.avoid([row[0] for row in archive.boots()] + [archive.newest_boot])
        return archive

    def _links(self, board):
        """Return the ways to a host; in safe mode the cable only."""
        return [link for link in board.links if link.peer == "usb" or not self.health.is_safe_mode]

    def _tools(self, board):
        """Return what the commands of a host may use."""
        tools = CommandContext()
        tools.keystore = self.keystore
        tools.settings = self.settings
        tools.haptics = self.haptics if self._has_motor else None
        tools.on_start = self._on_start
        tools.tare = self.tare
        tools.reboot = self.reboot
        tools.now = self.time.now
        tools.random = board.random
        tools.log = self.event
        tools.device_id = board.device_id
        tools.model = board.model
        tools.version = VERSION
        tools.features = (
            (wire.FEATURE_MOTOR if self._has_motor else 0)
            | (wire.FEATURE_BATTERY if board.battery_mv is not None else 0)
            | (wire.FEATURE_FLASH_MINUTES if self.archive is not None else 0)
        )
        return tools

    def _find_sensors(self, board):
        """Make a sampler for each address that answers, and for those that should and may come later."""
        answering = [address for address in board.addresses if self._is_imu(board.bus, address)]
        for address in imu_addresses.places(board.addresses, answering, self.settings):
            sampler = Sampler(len(self.samplers), board.bus, address, self.time, self.outbox, self.event)
            self.samplers.append(sampler)
            if not self.settings.get("rate"):
                sampler.select(wire.RAW, config.SAMPLES_PER_FRAME)
        if len(self.samplers) > 1:
            self.desk.tools.features |= wire.FEATURE_SECOND_IMU

    def _is_imu(self, bus, address):
        """Tell whether a part is there that a driver knows; a clock chip may answer at the same address."""
        try:
            drivers.identify(bus, address)
        except OSError:
            return False
        return True

    # ---- what others ask for ----

    @property
    def is_streaming(self):
        """Tell whether a host takes live frames."""
        return self.desk.is_streaming

    @property
    def is_connected(self):
        """Tell whether anybody is at the other end of a link, proved or not."""
        return any(session.link.is_connected for session in self.desk.sessions)

    @property
    def has_key(self):
        """Tell whether a key is set."""
        return self.desk.key is not None

    def event(self, code, value, sensor=0):
        """Tell what just happened."""
        self.report.event(code, value, sensor)

    def tare(self):
        """Take neutral; the result comes as an event. False: not now."""
        return self.wear.tare()

    def reboot(self):
        """Restart, as soon as the answer to the command has gone out."""
        self.house.reboot()

    def _on_start(self, frame_type, samples_per_frame):
        for sampler in self.samplers:
            sampler.select(frame_type, samples_per_frame)
        self._info_wanted = True

    # ---- running ----

    def step(self):
        """Do what is due now and return the milliseconds until the next step."""
        clock = self._clock
        now = clock.ticks_ms()
        has_more = self.desk.step()
        self.health.linked()
        if not self._is_booted:
            self._boot()
        self._hold_flags()
        if clock.ticks_diff(now, self._poll_at) >= 0:
            self._poll_at = self._next_poll(now)
            self._sample()
        if clock.ticks_diff(now, self._look_at) >= 0:
            self._look_at = self._next(self._look_at, now, config.LOOK_MS)
            self.wear.step(now, self.is_streaming, self.house.is_awake)
        wait_ms = self.haptics.step(now)
        self.house.step(now)
        self._report(now)
        self.health.step(now)
        if has_more:
            return 1
        return min(max(clock.ticks_diff(self._poll_at, clock.ticks_ms()), 1), wait_ms, config.STEPS_MS)

    def _boot(self):
        """Tell why the board started, and what it found wrong."""
        self._is_booted = True
        self.event(wire.EVENT_BOOT, self.health.reset_cause)
        if self.health.problem is not None:
            self.event(wire.EVENT_FLASH_FAULT, 0)
        if self.settings.problem is not None:
            self.event(wire.EVENT_SETTINGS_BAD, 1)
        if self.health.is_safe_mode:
            self.event(wire.EVENT_SAFE_MODE, self.health.crashes)

    def _hold_flags(self):
        """Mark the frames that the motor shakes, and those of an empty battery."""
        flags = (wire.FLAG_MOTOR_ON if self.haptics.is_shaking else 0) | (
            wire.FLAG_LOW_BATTERY if self.house.battery.is_low else 0
        )
        if flags != self._held:
            self._held = flags
            for sampler in self.samplers:
                sampler.framer.hold(flags)

    def _sample(self):
        if self.house.is_awake:
            for sampler in self.samplers:
                sampler.poll()
                if sampler.is_new:
                    sampler.is_new = False
                    self._info_wanted = True
                    self._remember_places()
        self.health.sampled()

    def _remember_places(self):
        """Note where two sensors are, once both were set up: an identity alone may be chance."""
        try:
            imu_addresses.remember(
                [sampler.address for sampler in self.samplers if sampler.fusion], self.settings
            )
        except OSError as problem:
            self.health.problem = problem

    def _report(self, now):
        clock = self._clock
        if clock.ticks_diff(now, self._status_at) >= 0:
            self._status_at = self._next(self._status_at, now, config.STATUS_MS)
            for sampler in self.samplers:
                self.report.status(sampler)
            if not self.samplers:
                self.report.status(None)
        if self._info_wanted or clock.ticks_diff(now, self._info_at) >= 0:
            self._info_at = clock.ticks_add(now, config.INFO_MS)
            self._info_wanted = False
            for sampler in self.samplers:
                self.report.info(sampler)

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
