"""Seeed Studio XIAO ESP32S3 (reference board): 8 MB PSRAM, charger on board; IMU breakout on D4 (SDA) and D5 (SCL).

The silk-screen numbers are not the chip's: D0 is GPIO 1, D1 2, D2 3, D3 4, D4 5, D5 6. All wiring: hardware/wiring.
The charger's own LED cannot be read, so CHARGING wants a wire of its own; without it the board does not know.
"""

from .esp32 import ADC_RANGE, deepsleep, read_mv  # noqa: F401  asked for through these pins

MODEL = b"xiao-esp32s3"
I2C = 0
SDA = 5
SCL = 6
ADDRESSES = (0x6A, 0x6B, 0x68, 0x69)
MOTION = 4  # D3: INT1 of the IMU, wakes from deep sleep
MOTOR = 3  # D2: gate of the motor's transistor, with a pull-down
BUTTON = 2  # D1: to ground, wakes from deep sleep
BATTERY = 1  # D0: middle of two equal resistors (220 kOhm) across the cell
CHARGING = None
CHARGING_LEVEL = 0
LED = 21
LED_OFF = 1  # lights when low
TIMER = 0
HAS_RADIO = True
RADIO_RESTARTS = True
PLACES = 4  # connections of the stack
WATCHDOG = True
MOST_FRAMES = 20000  # 4 MB of the PSRAM: an hour at 52 Hz
MINUTES = 240  # in memory; older ones are in flash
FLASH_BLOCKS = 64  # of 4 kB: 90 hours of one sensor
