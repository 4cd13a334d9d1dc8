"""Raspberry Pi Pico 2 W (RP2350): as pico_w.py, which states the limits, with twice the memory; the same pins.

No encryption with stock firmware here either, and the same unbounded queue in the Bluetooth stack, bounded by us.
"""

MODEL = b"pico-2-w"
MOST_FRAMES = 1000
MINUTES = 60
FLASH_BLOCKS = 48
