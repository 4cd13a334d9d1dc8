"""What boards of MicroPython's Zephyr port share: parts by the names of the devicetree, and what that port lacks.

Read in ports/zephyr of MicroPython 1.29 (machine_i2c.c, machine_pin.c, machine_pwm.c, machine_adc.c, machine_timer.c,
modmachine.c), not tried on silicon. Pins are (port, number), a bus is a name, PWM is (device, channel); speed and
pins of the bus are fixed when the image is built. There is no number of the chip, no cause of a reset, no deep sleep;
random numbers, watchdog and PWM at the motor's pin only in an image built with firmware/zephyr/.
"""

import os
import time

import machine

IDLES = True  # while asyncio waits
KNOWS_RESET_CAUSE = False  # reset_cause() prints a warning and returns 42
_ID_FILE = "id"
_ID_BYTES = 8
_NAP_MS = 200
_MOTOR_HZ = 8000  # P0.28 is for signals below 10 kHz (nRF52840 Product Specification, pin assignments)


def ADC_RANGE():  # noqa: N802  of the pins, as the constants are
    """Return nothing: the devicetree sets gain and reference."""
    return {}


def open_bus(p):
    """Return the I2C bus: scl, sda and freq raise NotImplementedError here."""
    return machine.I2C(p.I2C)


def open_adc(p):
    """Return the input that measures the cell, None in an image without ADC; its divider is let to ground first."""
    if not hasattr(machine, "ADC"):
        return None
    machine.Pin(p.BATTERY_ENABLE, machine.Pin.OUT, value=0)  # for good: high, the cell would be on the input
    return machine.ADC(p.BATTERY)


def motor_pwm(p):
    """Return what has duty_u16: PWM where the image leads one to the pin, else the pin, which is on or off."""
    try:
        return _Pwm(machine.PWM(p.MOTOR_PWM, freq=_MOTOR_HZ, duty_ns=0))
    except ValueError:  # "device not found": the image of micropython.org has no PWM at this pin
        return _Switch(machine.Pin(p.MOTOR, machine.Pin.OUT, value=0))


class _Pwm:
    """PWM by duty_ns: below 15.3 kHz the port's duty_u16 overflows 32 bits and gives another duty."""

    def __init__(self, pwm):
        self._pwm = pwm

    def duty_u16(self, duty):
        """Be on for duty / 65535 of the time."""
        self._pwm.duty_ns(duty * 1907 // 1000)  # of 125000; less than 2**30 on the way


class _Switch:
    """A pin as PWM of two steps: every strength but 0 is full."""

    def __init__(self, pin):
        self._pin = pin

    def duty_u16(self, duty):
        """Be on, or off for 0."""
        self._pin(1 if duty else 0)


def device_id(files):
    """Return the number of this board, made at its first start: the port has no unique_id."""
    found = files.read(_ID_FILE)
    if found is None or len(found) != _ID_BYTES:
        found = os.urandom(_ID_BYTES)
        files.replace(_ID_FILE, found)
    return found


def deepsleep(board):
    """Wait for motion or the button with the radio silent, then start anew; Zephyr idles by itself meanwhile."""
    from .pin_wait import wait_and_reset

    wait_and_reset(board, _nap)


def _nap():
    time.sleep_ms(_NAP_MS)
