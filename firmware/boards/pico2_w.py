"""Raspberry Pi Pico 2 W (RP2350): as pico_w.py, which states the limits, with twice the memory; the same pins.

The same single connection and the same unbounded queue in the Bluetooth stack, bounded by us.
"""

from .pico_w import (  # noqa: F401  the same board in everything that is wired
    ADC_RANGE,
    ADDRESSES,
    BATTERY,
    BUTTON,
    CHARGING,
    CHARGING_LEVEL,
    HAS_RADIO,
    I2C,
    LED,
    LED_OFF,
    MOTION,
    MOTOR,
    PLACES,
    RADIO_RESTARTS,
    SCL,
    SDA,
    TIMER,
    WATCHDOG,
    deepsleep,
    read_mv,
)

MODEL = b"pico-2-w"
MOST_FRAMES = 1000
MINUTES = 60
FLASH_BLOCKS = 48
