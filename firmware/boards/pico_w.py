"""Raspberry Pi Pico W (RP2040): works, with the limits of MicroPython and the chip. IMU on GP4 (SDA), GP5 (SCL).

* No bonding: the stock build has no pairing of BTstack. It does have `cryptolib` (ports/rp2/mpconfigport.h, since
  April 2022), which tiltwise does not need.
* The Bluetooth stack queues a copy of each notification on the heap instead of refusing it, and does not look whether
  there was room (extmod/btstack/modbluetooth_btstack.c): only the window of comms/link_ble.py bounds the queue.
* One connection: while a stranger has it, the owner waits; session_manager.py makes that short. One address for the
  life of the board: it can be followed. The radio cannot be restarted, only the board.
* No charger, no PSRAM, 264 kB of memory: the ring holds a few minutes. No deep sleep that a pin ends (see rp2.py).
"""

from .rp2 import ADC_RANGE, deepsleep, read_mv  # noqa: F401  asked for through these pins

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
PLACES = 1  # extmod/btstack/btstack_config_common.h: MAX_NR_HCI_CONNECTIONS
WATCHDOG = True
MOST_FRAMES = 400
MINUTES = 30
FLASH_BLOCKS = 24
