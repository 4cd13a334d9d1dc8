"""What all ESP32 boards share: reading the cell in millivolts, and deep sleep until motion or the button."""

import machine


def read_mv(adc):
    """Return the cell's voltage behind two equal resistors, by the chip's own calibration."""
    return adc.read_uv() // 500


def deepsleep(board):
    """Switch off; comes back as a start with the cause DEEPSLEEP. Where no pin can wake it, the reset button does."""
    import esp32

    pins = board.pins
    if pins.MOTION is not None:
        motion = machine.Pin(pins.MOTION, machine.Pin.IN, machine.Pin.PULL_DOWN)
        if hasattr(esp32, "wake_on_ext1"):
            esp32.wake_on_ext1((motion,), esp32.WAKEUP_ANY_HIGH)
        elif hasattr(esp32, "wake_on_gpio"):  # C3, C6
            esp32.wake_on_gpio((motion,), esp32.WAKEUP_ANY_HIGH)
    if pins.BUTTON is not None and hasattr(esp32, "wake_on_ext0"):
        button = machine.Pin(pins.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        esp32.wake_on_ext0(button, esp32.WAKEUP_ALL_LOW)
    machine.deepsleep()
