"""The upkeep of the board, mostly once a second: button, LED, battery, sleep, minutes to flash."""

from micropython import const

from tiltwise.common import wire

from .. import config
from ..storage.board_settings import LOG
from . import button, health, led, power
from .battery import Battery

_SETTLE_MS = const(1500)  # of dozing, before motion counts
_FIRST_SAMPLES_MS = const(300)


class Housekeeping:
    """Looks after the board; `log(code, value)` takes events."""

    def __init__(self, board, settings, health, frames, samplers, wearer, log):
        self._board = board
        self._settings = settings
        self._health = health
        self._frames = frames
        self._samplers = samplers
        self._wearer = wearer
        self._log = log
        self._clock = board.clock
        now = board.clock.ticks_ms()
        self.battery = Battery()
        # Something has to wake it again.
        self.power = power.Power(board.clock, board.has_moved is not None or board.button is not None)
        self._led = None if board.led is None else led.Led(board.led, board.clock)
        self._button = None if board.button is None else button.Button(board.clock, board.button())
        self._slow_at = now
        self._shown = led.DARK
        self._dozes_since = now
        self._flash_faults = 0
        self._reboot_at = None  # when to restart, asked for by a command
        self._was_low = False
        self._radio_until = board.clock.ticks_add(now, config.RADIO_ON_MS)
        self.is_charging = False

    @property
    def is_awake(self):
        """Tell whether the sensors run."""
        return self.power.state == power.AWAKE

    def step(self, now, sessions):
        """Do what is due."""
        if self._button is not None:
            self._press(self._button.step(now, self._board.button()))
        if self._reboot_at is not None and self._clock.ticks_diff(now, self._reboot_at) >= 0:
            self.shut_down(health.REBOOTING)
        if self._clock.ticks_diff(now, self._slow_at) >= 0:
            self._slow_at = self._clock.ticks_add(now, config.HOUSE_MS)
            self._slow(now, sessions)
            self._shown = self._code(sessions)
        if self._led is not None:
            self._led.step(now, self._shown)

    def reboot_soon(self):
        """Restart after config.REBOOT_MS, so that the answer to the command still goes out."""
        self._reboot_at = self._clock.ticks_add(self._clock.ticks_ms(), config.REBOOT_MS)

    def shut_down(self, reason):
        """Save what is not in flash yet, then restart (health.REBOOTING) or sleep deeply (health.SLEEPING)."""
        self._reboot_at = None
        self._wearer.stop_motor()
        if reason == health.SLEEPING:
            self._log(wire.EVENT_POWER, power.ASLEEP)
            self._sensors_sleep()
            self._clock.sleep_ms(_FIRST_SAMPLES_MS)
            self._has_moved()  # release the interrupt, or it wakes at once
        self._frames.flush()
        if self._led is not None:
            self._board.led(0)
        self._health.leaving(reason)
        if reason == health.SLEEPING:
            self._board.deepsleep()
        else:
            self._board.reset()

    # ---- once a second ----

    def _slow(self, now, sessions):
        self._look_at_battery()
        self._frames.step(now)
        if self._frames.flash_faults != self._flash_faults:
            self._flash_faults = self._frames.flash_faults
            self._log(wire.EVENT_FLASH_FAULT, self._flash_faults)
        if self._board.radio is not None and self._check_radio(now, sessions.is_connected):
            return
        if self._health.is_safe_mode:
            return
        self.power.sleep_after_s = self._settings.get("sleep_after_s")
        before = self.power.state
        state = self.power.step(
            now,
            self._wearer.is_worn,
            sessions.is_streaming,
            sessions.is_connected,
            self.is_charging,
            self.battery.is_empty,
            before == power.DOZING and self._has_moved() and self._is_settled(now),
        )
        if state != before:
            self._enter(state)

    def _check_radio(self, now, is_connected):
        """Let the radio be quiet while nobody wants it; restart the board when it is stuck for good, True then."""
        radio = self._board.radio
        radio.set_quiet(
            self._settings.get("power") == LOG
            and not (self.is_charging or is_connected)
            and self._clock.ticks_diff(self._radio_until, now) <= 0
        )
        if radio.wants_reset:
            self.shut_down(health.REBOOTING)
        return radio.wants_reset

    def _has_moved(self):
        """Tell whether the board was moved; each sensor is asked too, for the interrupt wire may be missing."""
        has_moved = self._board.has_moved is not None and bool(self._board.has_moved())
        for sampler in self._samplers:  # all of them: asking releases the interrupt
            has_moved = sampler.has_moved() or has_moved
        return has_moved

    def _is_settled(self, now):
        """Just after arming, the motion interrupt fires on gravity alone."""
        return self._clock.ticks_diff(now, self._dozes_since) >= _SETTLE_MS

    def _look_at_battery(self):
        board, battery = self._board, self.battery
        is_charging = board.is_charging is not None and bool(board.is_charging())
        if is_charging != self.is_charging:
            self.is_charging = is_charging
            self._log(wire.EVENT_CHARGING, 1 if is_charging else 0)
        self._wearer.is_charging = is_charging
        if board.battery_mv is not None:
            battery.step(board.battery_mv(), is_charging)
        if battery.is_low != self._was_low:
            self._was_low = battery.is_low
            if battery.is_low:
                self._log(wire.EVENT_BATTERY_LOW, battery.percent)

    def _enter(self, state):
        """Act on a new state of power."""
        if state == power.ASLEEP:
            self.shut_down(health.SLEEPING)
            return
        self._log(wire.EVENT_POWER, state)
        if state == power.DOZING:
            self._sensors_sleep()
            self._dozes_since = self._clock.ticks_ms()
        else:
            for sampler in self._samplers:
                sampler.wake()
            self._wearer.woke()

    def _sensors_sleep(self):
        for sampler in self._samplers:
            sampler.sleep()

    # ---- people ----

    def _press(self, press):
        """Short: neutral. Double: half an hour of silence. Long: off."""
        if press == button.NOTHING:
            return
        self._log(wire.EVENT_BUTTON, press)
        self._radio_until = self._clock.ticks_add(self._clock.ticks_ms(), config.RADIO_ON_MS)
        if self.power.state == power.DOZING:
            self.power.wake()
            self._enter(power.AWAKE)
        if press == button.SHORT:
            self._wearer.tare()
        elif press == button.DOUBLE:
            self._wearer.snooze(config.SNOOZE_MS)
        else:
            self.shut_down(health.SLEEPING)

    def _code(self, sessions):
        """Return the LED code that matters most."""
        if self._health.is_safe_mode:
            return led.SAFE_MODE
        if self.is_awake and any(sampler.is_lost for sampler in self._samplers):
            return led.NO_SENSOR
        if self.battery.is_low:
            return led.LOW_BATTERY
        if not sessions.keys:
            return led.NO_KEY
        if not self._settings.get("led") or not self.is_awake:
            return led.DARK
        if self.is_charging:
            return led.CHARGING
        if not self._wearer.has_neutral:
            return led.NO_NEUTRAL
        return led.CONNECTED if sessions.is_streaming else led.ALONE
