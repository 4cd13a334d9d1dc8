"""Everything around the sensor: button, LED, battery, sleep, flash log, watchdog. Mostly once a second."""

from micropython import const

from tiltwise.common import wire

from .. import config
from . import button, health, led, power
from .battery import UNKNOWN, Battery

_SETTLE_MS = const(1500)  # of dozing, before motion counts
_FIRST_SAMPLES_MS = const(300)


class Housekeeping:
    """Keeps the board. `app` is the App: samplers, wear, outbox, settings, motor, health, sessions."""

    def __init__(self, board, app):
        self._board = board
        self._app = app
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
        self._leave_at = None  # when to restart, asked for by a command
        self._was_low = False
        self.is_charging = False

    @property
    def is_awake(self):
        """Tell whether the sensors run."""
        return self.power.state == power.AWAKE

    def step(self, now):
        """Do what is due."""
        if self._button is not None:
            self._press(self._button.step(now, self._board.button()))
        if self._leave_at is not None and self._clock.ticks_diff(now, self._leave_at) >= 0:
            self.leave(health.REBOOTING)
        if self._clock.ticks_diff(now, self._slow_at) >= 0:
            self._slow_at = self._clock.ticks_add(now, config.HOUSE_MS)
            self._slow(now)
            self._shown = self._code()
        if self._led is not None:
            self._led.step(now, self._shown)

    def reboot(self):
        """Restart soon, so that an answer still gets out."""
        self._leave_at = self._clock.ticks_add(self._clock.ticks_ms(), config.REBOOT_MS)

    def leave(self, end):
        """Save what is not in flash yet and restart, or sleep deeply."""
        app = self._app
        self._leave_at = None
        app.haptics.stop()
        if end == health.SLEEPING:
            app.event(wire.EVENT_POWER, power.ASLEEP)
            self._sensors_sleep()
            self._clock.sleep_ms(_FIRST_SAMPLES_MS)
            self._has_moved()  # release the interrupt, or it wakes at once
        if app.archive is not None:
            app.archive.flush(app.outbox.minutes)
        if self._led is not None:
            self._board.led(0)
        app.health.leaving(end)
        if end == health.SLEEPING:
            self._board.deepsleep()
        else:
            self._board.reset()

    # ---- once a second ----

    def _slow(self, now):
        app = self._app
        self._look_at_battery()
        if app.archive is not None:
            app.archive.step(now, app.outbox.minutes)
            if app.archive.log.faults != self._flash_faults:
                self._flash_faults = app.archive.log.faults
                app.event(wire.EVENT_FLASH_FAULT, self._flash_faults)
        if self._board.radio is not None and self._mind_radio():
            return
        if app.health.is_safe_mode:
            return
        self.power.sleep_after_s = app.settings.get("sleep_after_s")
        before = self.power.state
        state = self.power.step(
            now,
            app.wear.worn.is_worn,
            app.is_streaming,
            app.is_connected,
            self.is_charging,
            self.battery.is_empty,
            before == power.DOZING and self._has_moved() and self._is_settled(now),
        )
        if state != before:
            self._go(state)

    def _mind_radio(self):
        """Show the battery on the radio; True when the radio is stuck for good, and the board restarts."""
        radio = self._board.radio
        if self.battery.percent != UNKNOWN:
            radio.set_battery(self.battery.percent)
        if radio.wants_reset:
            self.leave(health.REBOOTING)
        return radio.wants_reset

    def _has_moved(self):
        """Ask the interrupt pin and each sensor, for the wire may be missing, whether it was moved."""
        has_moved = self._board.has_moved is not None and bool(self._board.has_moved())
        for sampler in self._app.samplers:  # all of them: asking releases the interrupt
            has_moved = sampler.has_moved() or has_moved
        return has_moved

    def _is_settled(self, now):
        """A sensor that begins to watch takes gravity itself for a motion."""
        return self._clock.ticks_diff(now, self._dozes_since) >= _SETTLE_MS

    def _look_at_battery(self):
        board, battery = self._board, self.battery
        is_charging = board.is_charging is not None and bool(board.is_charging())
        if is_charging != self.is_charging:
            self.is_charging = is_charging
            self._app.event(wire.EVENT_CHARGING, 1 if is_charging else 0)
        self._app.wear.is_charging = is_charging
        if board.battery_mv is not None:
            battery.step(board.battery_mv(), is_charging)
        if battery.is_low != self._was_low:
            self._was_low = battery.is_low
            if battery.is_low:
                self._app.event(wire.EVENT_BATTERY_LOW, battery.percent)

    def _go(self, state):
        """Put a new state of power into practice."""
        if state == power.ASLEEP:
            self.leave(health.SLEEPING)
            return
        self._app.event(wire.EVENT_POWER, state)
        if state == power.DOZING:
            self._sensors_sleep()
            self._dozes_since = self._clock.ticks_ms()
        else:
            for sampler in self._app.samplers:
                sampler.wake()
            self._app.wear.woke()

    def _sensors_sleep(self):
        for sampler in self._app.samplers:
            sampler.sleep()

    # ---- people ----

    def _press(self, press):
        """Short: neutral. Double: half an hour of silence. Long: off."""
        if press == button.NOTHING:
            return
        app = self._app
        app.event(wire.EVENT_BUTTON, press)
        if self.power.state == power.DOZING:
            self.power.wake()
            self._go(power.AWAKE)
        if press == button.SHORT:
            app.tare()
        elif press == button.DOUBLE:
            app.wear.alone.snooze(config.SNOOZE_MS)
            app.haptics.play(wire.MOTOR_STEP)
        else:
            self.leave(health.SLEEPING)

    def _code(self):
        """Return what is most worth showing."""
        app = self._app
        if app.health.is_safe_mode:
            return led.SAFE_MODE
        if self.is_awake and any(sampler.is_lost for sampler in app.samplers):
            return led.NO_SENSOR
        if self.battery.is_low:
            return led.LOW_BATTERY
        if not app.has_key:
            return led.NO_KEY
        if not app.settings.get("led") or not self.is_awake:
            return led.DARK
        if self.is_charging:
            return led.CHARGING
        if app.wear.neutral.up is None:
            return led.NO_NEUTRAL
        return led.CONNECTED if app.is_streaming else led.ALONE
