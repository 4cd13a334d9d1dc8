"""Sleep without deep sleep, where no pin ends one: wait until motion or the button say so, then reset."""

import machine


def wait_and_reset(board, nap):
    """Call `nap` again and again, each some 200 ms, until a pin says so; the watchdog is fed, the radio is off."""
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
        nap()
    machine.reset()
