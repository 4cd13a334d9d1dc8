"""Raspberry Pi Pico W (RP2040): works, with the limits of MicroPython and the chip. IMU on GP4 (SDA), GP5 (SCL).

* No encryption and no bonding: the stock build has neither BTstack's pairing nor `cryptolib`. Frames and commands are
  authenticated all the same, but whoever listens nearby can read them.
* The Bluetooth stack queues a copy of each notification on the heap instead of refusing it, so only our own limit
  (credits, few frames a step) bounds the queue; long dropouts cost memory first.
* One address for the life of the board: it can be followed. The radio cannot be restarted, only the board.
* No charger, no PSRAM, 264 kB of memory: the ring holds a few minutes. No deep sleep that a pin ends (see rp2.py).
"""

from .rp2 import deepsleep, read_mv  # noqa: F401  asked for through these pins

MODEL = b"pico-w"
I2C = 0
SDA = 4
SCL = 5
ADDRESSES = (0x6A, 0x6B, 0x68, 0x69)
MOTION = 6  # INT1 of the IMU
MOTOR = 7
BUTTON = 8  # to ground
BATTERY = None  # GP29 measures VSYS, but the radio's SPI has that pin too: reading it breaks the radio
CHARGING = None
CHARGING_LEVEL = 0
LED = "LED"  # on the radio chip
LED_OFF = 0
TIMER = -1
HAS_RADIO = True
RADIO_RESTARTS = False
WATCHDOG = True
MOST_FRAMES = 400
MINUTES = 30
FLASH_BLOCKS = 24
