"""What all ESP32 boards share: reading the cell in millivolts, and deep sleep until motion or the button."""

import machine

_LOOK_MS = 3600000  # where no pin can wake it


def ADC_RANGE():  # noqa: N802  of the pins, as the constants are
    """Return how to read up to 2.1 V: at 0 dB the input ends at 1 V, and any cell would look empty."""
    return {"atten": machine.ADC.ATTN_11DB}


def read_mv(adc):
    """Return the cell's voltage behind two equal resistors, by the chip's own calibration."""
    return adc.read_uv() // 500


def deepsleep(board):
    """Switch off; comes back as a start with the cause DEEPSLEEP.

    A C3 can be woken by a pin since `esp32.wake_on_gpio` (MicroPython b4ab3a893c, June 2025). With an older one it
    looks once an hour, for it would sleep for ever.
    """
    import esp32

    pins = board.pins
    can_wake = False
    if pins.MOTION is not None:
        motion = machine.Pin(pins.MOTION, machine.Pin.IN, machine.Pin.PULL_DOWN)
        if hasattr(esp32, "wake_on_ext1"):
            esp32.wake_on_ext1((motion,), esp32.WAKEUP_ANY_HIGH)
            can_wake = True
        elif hasattr(esp32, "wake_on_gpio"):  # C3, C6
            esp32.wake_on_gpio((motion,), esp32.WAKEUP_ANY_HIGH)
            can_wake = True
    if pins.BUTTON is not None and hasattr(esp32, "wake_on_ext0"):
        button = machine.Pin(pins.BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        esp32.wake_on_ext0(button, esp32.WAKEUP_ALL_LOW)
        can_wake = True
    if can_wake:
        machine.deepsleep()
    else:
        machine.deepsleep(_LOOK_MS)
