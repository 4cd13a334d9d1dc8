"""What Pico W and Pico 2 W share: the cell's voltage at VSYS, and sleep without deep sleep.

`machine.deepsleep` of this port cannot wake by a pin, so the board waits in short light sleeps with the radio off
(about 1.5 mA by the data sheet) and starts anew when a pin says so.
"""

import machine

_NAP_MS = 200


def read_mv(adc):
    """Return the voltage at VSYS: a third of it is on the ADC pin, 3.3 V is full scale."""
    return adc.read_u16() * 9900 // 65535


def deepsleep(board):
    """Wait for motion or the button with everything off, then start anew."""
    pins = board.pins
    motion = None
    button = None
    if pins.MOTION is not None:
        motion = machine.Pin(pins.MOTION, machine.Pin.IN, machine.Pin.PULL_DOWN)
    if pins.BUTTON is not None:
        button = machine.Pin(pins.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
    if board.radio is not None:
        board.radio.ble.active(False)
    while not ((motion is not None and motion()) or (button is not None and not button())):
        if board.watchdog is not None:
            board.watchdog()
        machine.lightsleep(_NAP_MS)
    machine.reset()
