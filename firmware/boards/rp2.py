"""What Pico W and Pico 2 W share: the cell's voltage at VSYS, and sleep without deep sleep.

`machine.deepsleep` of this port cannot wake by a pin, so the board waits with the radio off and starts anew when a
pin says so. `machine.lightsleep` would be 1.5 mA by the data sheet, but on a Pico W it has returned at once since
MicroPython 1.24 (micropython issues 16181 and 17204, open): then the rest of each nap is an ordinary wait, and "off"
takes a good part of what "on" takes. Who wants it off for days pulls the cell.
"""

import time

import machine

from .pin_wait import wait_and_reset

_NAP_MS = 200


def ADC_RANGE():  # noqa: N802  of the pins, as the constants are
    """Return nothing: the range is fixed."""
    return {}


def read_mv(adc):
    """Return the voltage at VSYS: a third of it is on the ADC pin, 3.3 V is full scale."""
    return adc.read_u16() * 9900 // 65535


def deepsleep(board):
    """Wait for motion or the button with everything off, then start anew."""
    wait_and_reset(board, _nap)


def _nap():
    began = time.ticks_ms()
    machine.lightsleep(_NAP_MS)
    left_ms = _NAP_MS - time.ticks_diff(time.ticks_ms(), began)
    if left_ms > 0:
        time.sleep_ms(left_ms)
