"""Builds the chain sensors -> frames -> host once, then runs it step by step.

After three crashes in a row it starts without sensors, motor, log and radio: over the cable the board can still be
asked what is wrong, and repaired.
"""

import asyncio

from tiltwise.common import wire

from . import config, drivers
from .comms import frame_store
from .comms.session_manager import CommandContext, SessionManager
from .comms.status_frames import VERSION, EventFrames, StatusFrames
from .device.board_interface import forget
from .device.health import Health
from .device.housekeeping import Housekeeping
from .sensing.sampler import Sampler
from .sensing.timebase import DeviceTime
from .storage import board_settings
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
        is_saving = self.settings.get("power") != board_settings.STREAM
        self._rate_hz = config.SAVE_RATE_HZ if is_saving else config.RATE_HZ
        self._poll_ms = config.SAVE_POLL_MS if is_saving else config.POLL_MS
        steps_ms = config.POLL_MS if board.idles else config.STEPS_MS
        self._steps_ms = config.SAVE_STEPS_MS if is_saving else steps_ms
        self.keystore = KeyStore(board.files)
        self.health = Health(board.files, board.clock, board.chip_cause, board.watchdog, board.random)
        self.haptics = Haptics(None if self.health.is_safe_mode else board.motor, board.clock)
        self.archive = self._open_archive(board)
        self.frames = frame_store.make(
            self.health.boot_id,
            board.ring_frames,
            board.minute_frames,
            config.SAMPLES_PER_FRAME,
            self.archive,
        )
        self.samplers = []
        self._events = EventFrames(self.frames, self.time, self.samplers)
        self.event = self._events.event
        self.wearer = WearerState(board.clock, self.settings, self.haptics, self.samplers, self.event)
        self.housekeeping = Housekeeping(
            board, self.settings, self.health, self.frames, self.samplers, self.wearer, self.event
        )
        self._battery = self.housekeeping.battery
        if not self.health.is_safe_mode:
            self._find_sensors(board)
        self.sessions = SessionManager(
            self._links(board), self.frames, board.clock, self._command_context(board)
        )
        self.report = StatusFrames(board, self._events, self.sessions, self._battery, self.health)
        self._start_schedule(board.clock.ticks_ms())

    def _start_schedule(self, now):
        """Let everything be due at once."""
        self._poll_at = now
        self._phase = 0
        self._look_at = now
        self._status_at = now
        self._info_at = now
        self._info_wanted = False
        self._frame_flags = 0
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
        self.health.exclude_boot_ids([row[0] for row in archive.boots()] + [archive.newest_boot])
        return archive

    def _links(self, board):
        """Return the ways to a host; in safe mode the cable only."""
        return [link for link in board.links if link.peer == "usb" or not self.health.is_safe_mode]

    def _command_context(self, board):
        """Return what the commands of a host may use."""
        return CommandContext(
            keystore=self.keystore,
            settings=self.settings,
            haptics=None if board.motor is None else self.haptics,
            on_start=self._on_start,
            tare=self.wearer.tare,
            silence=self.wearer.silence,
            reboot=self.housekeeping.reboot_soon,
            self_test=lambda part: self._self_test(board, part),
            now=self.time.now,
            random=board.random,
            is_pressed=board.button,
            log=self.event,
            device_id=board.device_id,
            model=board.model,
            version=VERSION,
            features=(0 if board.motor is None else wire.FEATURE_MOTOR)
            | (0 if board.battery_mv is None else wire.FEATURE_BATTERY)
            | (0 if self.archive is None else wire.FEATURE_FLASH_MINUTES)
            | (wire.FEATURE_SECOND_IMU if len(self.samplers) > 1 else 0)
            | (0 if board.radio is None or board.radio.tells_mtu else wire.FEATURE_ASKS_MTU),
            imus=len(self.samplers),
        )

    def _self_test(self, board, part):
        from .device import self_test  # when it is asked for, and not kept

        try:
            return self_test.run(board, self.samplers, part)
        finally:
            forget(self_test)

    def _find_sensors(self, board):
        """Make a sampler for each address that answers, and for those that should and may come later."""
        from .sensing import imu_addresses

        answering = [address for address in board.addresses if self._is_imu(board.bus, address)]
        for address in imu_addresses.assign(board.addresses, answering, self.settings):
            sampler = Sampler(
                len(self.samplers), board.bus, address, self.time, self.frames, self.event, self._rate_hz
            )
            self.samplers.append(sampler)
            if not self.settings.get("rate"):
                sampler.select(wire.RAW, config.SAMPLES_PER_FRAME)
        forget(imu_addresses)

    def _is_imu(self, bus, address):
        """Tell whether a known IMU answers; a clock chip may sit at the same address."""
        try:
            drivers.identify(bus, address)
        except OSError:
            return False
        return True

    def _on_start(self, frame_type, samples_per_frame):
        for sampler in self.samplers:
            sampler.select(frame_type, samples_per_frame)
        self._info_wanted = True

    # ---- running ----

    def step(self):
        """Do what is due now and return the milliseconds until the next step."""
        clock = self._clock
        now = clock.ticks_ms()
        has_more = self.sessions.step()
        self.health.kick_link()
        if not self._is_booted:
            self._boot()
        self._set_frame_flags()
        if clock.ticks_diff(now, self._poll_at) >= 0:
            self._poll_at = self._next_poll(now)
            self._sample()
        if clock.ticks_diff(now, self._look_at) >= 0:
            self._look_at = self._next(self._look_at, now, config.LOOK_MS)
            self.wearer.step(now, self.sessions.is_streaming, self.housekeeping.is_awake)
        wait_ms = self.haptics.step(now)
        self.housekeeping.step(now, self.sessions)
        self._report(now)
        self.health.step(now)
        if has_more:
            return 1
        return min(max(clock.ticks_diff(self._poll_at, clock.ticks_ms()), 1), wait_ms, self._steps_ms)

    def _boot(self):
        """Report why the board started, and what it found wrong."""
        self._is_booted = True
        self.event(wire.EVENT_BOOT, self.health.reset_cause)
        if self.health.problem is not None:
            self.event(wire.EVENT_FLASH_FAULT, 0)
        if self.settings.problem is not None:
            self.event(wire.EVENT_SETTINGS_BAD, 1)
        if self.health.is_safe_mode:
            self.event(wire.EVENT_SAFE_MODE, self.health.crashes)

    def _set_frame_flags(self):
        """Mark the frames that the motor shakes, and those of an empty battery."""
        flags = (wire.FLAG_MOTOR_ON if self.haptics.is_shaking else 0) | (
            wire.FLAG_LOW_BATTERY if self._battery.is_low else 0
        )
        if flags != self._frame_flags:
            self._frame_flags = flags
            for sampler in self.samplers:
                sampler.set_sticky_flags(flags)

    def _sample(self):
        if self.housekeeping.is_awake:
            for sampler in self.samplers:
                sampler.poll()
                if sampler.is_new:
                    sampler.is_new = False
                    self._info_wanted = True
                    self._remember_places()
        self.health.kick_sampling()

    def _remember_places(self):
        """Store the addresses of two sensors once both are set up; a matching WHO_AM_I alone may be a coincidence."""
        from .sensing import imu_addresses

        try:
            imu_addresses.remember(
                [sampler.address for sampler in self.samplers if sampler.is_known], self.settings
            )
        except OSError as problem:
            self.health.problem = problem
        forget(imu_addresses)

    def _report(self, now):
        clock = self._clock
        if clock.ticks_diff(now, self._status_at) >= 0:
            self._status_at = self._next(self._status_at, now, config.STATUS_MS)
            conditions = self._conditions()
            for sampler in self.samplers or (None,):
                self.report.status(sampler, conditions, self.housekeeping.is_awake)
        if self._info_wanted or clock.ticks_diff(now, self._info_at) >= 0:
            self._info_at = clock.ticks_add(now, config.INFO_MS)
            self._info_wanted = False
            for sampler in self.samplers:
                self.report.info(sampler)

    def _conditions(self):
        """Return what is wrong with the board just now, as wire.CONDITION_*; the sensors have their own."""
        return (
            (0 if self.settings.problem is None else wire.CONDITION_SETTINGS_BAD)
            | (wire.CONDITION_KEY_BAD if self.keystore.is_damaged else 0)
            | (0 if self.health.problem is None else wire.CONDITION_FLASH_BAD)
            | (wire.CONDITION_SAFE_MODE if self.health.is_safe_mode else 0)
            | (wire.CONDITION_HOST_SILENT if self.sessions.is_waiting else 0)
        )

    def _next_poll(self, now):
        phases = config.POLL_PHASES_MS
        before = phases[self._phase]
        self._phase = (self._phase + 1) % len(phases)
        return self._next(self._poll_at, now, self._poll_ms + phases[self._phase] - before)

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
