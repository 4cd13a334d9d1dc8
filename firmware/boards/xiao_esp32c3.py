"""Seeed Studio XIAO ESP32C3: no PSRAM, charger on board; IMU breakout on D4 (SDA) and D5 (SCL).

Limits: about 100 kB of heap once the radio runs, so the ring holds a minute or two of samples and the minutes go to
flash sooner. There is no LED that a program can switch. Only GPIO 0 to 5 wake it: motion and button are there.
"""

from .esp32 import ADC_RANGE, deepsleep, read_mv  # noqa: F401  asked for through these pins

MODEL = b"xiao-esp32c3"
I2C = 0
SDA = 6
SCL = 7
ADDRESSES = (0x6A, 0x6B, 0x68, 0x69)
MOTION = 5  # D3: INT1 of the IMU
MOTOR = 10  # D10
BUTTON = 3  # D1: to ground
BATTERY = 4  # D2: middle of two equal resistors (220 kOhm) across the cell; D0 must be high at reset
CHARGING = None
CHARGING_LEVEL = 0
LED = None
LED_OFF = 1
TIMER = 0
HAS_RADIO = True
RADIO_RESTARTS = True
PLACES = 4  # connections of the stack
WATCHDOG = True
MOST_FRAMES = 300
MINUTES = 30
FLASH_BLOCKS = 32
