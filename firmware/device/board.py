"""The board interface on real hardware: sizes, clock, memory, links, and the parts on its pins.

`machine` is only here, in board_pins.py and in boards/.
"""

import gc
import os
import select
import sys
import time

import machine
import micropython
from micropython import const

from .. import config
from ..comms import frame_store
from ..comms.link_usb import UsbLink
from ..storage.atomic_files import Files
from . import health
from .board_interface import BoardInterface, forget

_MOTOR_HZ = const(20000)  # above what ears hear
_FAILSAFE_MS = const(2000)
# The longest that all these chips can; an erase of flash takes 0.4 s at worst (W25Q16).
_WATCHDOG_MS = const(8000)
_RELEASE_MS = const(30000)  # a button that is held longer is stuck
_PAUSE_MS = const(100)


def restart():
    """Start the chip anew."""
    machine.reset()


class Motor:
    """PWM on the motor's transistor; a timer stops it when nobody did for 2 s, so a stalled loop shakes nobody.

    On an ESP32 the timer's callback is scheduled into the VM (ports/esp32/machine_timer.c, mp_sched_schedule): while
    the VM is stuck in C, only the watchdog stops the motor, after 8 s.
    """

    def __init__(self, p):
        if hasattr(p, "motor_pwm"):
            self._pwm = p.motor_pwm(p)
        else:
            pin = machine.Pin(p.MOTOR, machine.Pin.OUT, value=0)
            self._pwm = machine.PWM(pin, freq=_MOTOR_HZ, duty_u16=0)
        self._timer = machine.Timer(p.TIMER)

    def set(self, duty):
        """Vibrate at 0 (off) to 65535."""
        self._timer.deinit()
        self._pwm.duty_u16(duty)
        if duty:
            self._timer.init(mode=machine.Timer.ONE_SHOT, period=_FAILSAFE_MS, callback=self._stop)

    def _stop(self, _timer):
        self._pwm.duty_u16(0)


class Board(BoardInterface):
    """The parts on this board's pins."""

    clock = time

    def __init__(self):
        if not hasattr(os, "urandom"):
            raise RuntimeError(
                "no random numbers in this MicroPython (os.urandom), so no host could be proved: build an image with "
                "firmware/zephyr/tiltwise.conf"
            )
        from . import board_pins

        self.pins = p = board_pins.pins()
        self.model = p.MODEL
        self.addresses = p.ADDRESSES
        self.bus = board_pins.open_bus(p)
        self.files = Files()
        self.device_id = (
            p.device_id(self.files) if hasattr(p, "device_id") else board_pins.eight(machine.unique_id())
        )
        self.chip_cause = board_pins.cause(p)
        self._fit_pins(p, board_pins.adc(p))
        self.flash = board_pins.flash(p)
        if not health.will_be_safe(self.files, self.chip_cause):
            self.radio = board_pins.radio(p)  # before anything large
        self.links = (_cable(),) + (() if self.radio is None else self.radio.links)
        has_watchdog = p.WATCHDOG and hasattr(machine, "WDT")
        self.watchdog = machine.WDT(timeout=_WATCHDOG_MS).feed if has_watchdog else None
        self.ring_frames = frame_store.frames_that_fit(
            self.mem_free(), config.SAMPLES_PER_FRAME, p.MOST_FRAMES
        )
        self.minute_frames = p.MINUTES
        self.idles = hasattr(p, "IDLES")
        forget(board_pins)

    def _fit_pins(self, p, adc):
        """Make what the pins name; what they do not name stays None."""
        if p.MOTOR is not None:
            self.motor = Motor(p)
        if p.LED is not None:
            led = machine.Pin(p.LED, machine.Pin.OUT, value=p.LED_OFF)
            self.led = lambda value: led(value ^ p.LED_OFF)
        if p.BUTTON is not None:
            button = machine.Pin(p.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
            self.button = lambda: not button()
        if p.CHARGING is not None:
            charging = machine.Pin(p.CHARGING, machine.Pin.IN, machine.Pin.PULL_UP)
            self.is_charging = lambda: charging() == p.CHARGING_LEVEL
        if adc is not None:
            self.battery_mv = lambda: p.read_mv(adc)
        if p.MOTION is not None:
            self._motion = machine.Pin(p.MOTION, machine.Pin.IN, machine.Pin.PULL_DOWN)
            self.has_moved = self._motion  # latched high by the IMU until it is set up anew

    def mem_free(self):
        """Return the free heap in bytes, after a collection: garbage that nobody has collected yet is no shortage.

        On an ESP32 this counts what the heap may still grow by, PSRAM included.
        """
        gc.collect()
        return gc.mem_free()

    def random(self, n):
        """Return bytes of the chip's generator, which is true noise while the radio is on."""
        return os.urandom(n)

    def reset(self):
        """Start anew."""
        self._off()
        machine.reset()

    def deepsleep(self):
        """Switch off; motion or the button start the board anew."""
        self._wait_for_release()
        self._off()
        self.pins.deepsleep(self)

    def _wait_for_release(self):
        """Wait until the finger that switched the board off has left the button, or it would wake it at once."""
        began = time.ticks_ms()
        while self.button is not None and self.button():
            if time.ticks_diff(time.ticks_ms(), began) > _RELEASE_MS:
                return
            if self.watchdog is not None:
                self.watchdog()
            time.sleep_ms(20)

    def _off(self):
        for link in self.links:
            link.disconnect()
        if self.motor is not None:
            self.motor.set(0)


class _Keyboard:
    """What comes in over USB. Packets may hold a Ctrl-C, so MicroPython must not act on it; mpremote's own way of
    getting in, a Return and a Ctrl-C after a pause while no host is in session, works where the prompt is open."""

    def __init__(self):
        self.link = None
        self._last_at = time.ticks_ms()
        self._n = 0  # bytes since the last pause
        self._was_return = False

    def readinto(self, buffer):
        """Read one byte."""
        n = sys.stdin.buffer.readinto(buffer)
        now = time.ticks_ms()
        if time.ticks_diff(now, self._last_at) > _PAUSE_MS:
            self._n = 0
        self._last_at = now
        self._n += 1
        if self._n == 2 and self._was_return and buffer[0] == 3 and self._may_interrupt():
            raise KeyboardInterrupt
        self._was_return = self._n == 1 and buffer[0] == 13
        return n

    def _may_interrupt(self):
        return self.link.is_prompt_open and not self.link.is_connected


def _asked(stream, event):
    """Return a function that tells whether a stream is ready; unlike poll, ipoll makes no lists."""
    poller = select.poll()
    poller.register(stream, event)

    def is_ready():
        for _ in poller.ipoll(0):
            return True
        return False

    return is_ready


def _cable():
    """Return the USB link; it has the port to itself until main.py ends."""
    keyboard = _Keyboard()
    can_read = _asked(sys.stdin, select.POLLIN)
    can_write = _asked(sys.stdout, select.POLLOUT)
    keyboard.link = UsbLink(keyboard, sys.stdout.buffer, time, can_read, can_write)
    micropython.kbd_intr(-1)
    return keyboard.link
