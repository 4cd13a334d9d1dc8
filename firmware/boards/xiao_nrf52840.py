"""Seeed Studio XIAO nRF52840 Sense with MicroPython's Zephyr port: IMU (LSM6DS3TR-C) and charger on the board.

Solder a cell and a motor, nothing else. The heap of the port's image is 96 kB: the firmware does not fit from files
(firmware/README.md), it is frozen into an image built with firmware/zephyr/. One connection at a time and one address
for life; the radio does not tell the size of packets, so the host does (OP_MTU).
Pins: Zephyr boards/seeed/xiao_ble, Seeed Studio wiki XIAO nRF52840 Sense. Not tried on silicon.
"""

from .zephyr import (  # noqa: F401  asked for through these pins
    ADC_RANGE,
    IDLES,
    KNOWS_RESET_CAUSE,
    deepsleep,
    device_id,
    motor_pwm,
    open_adc,
    open_bus,
)

MODEL = b"xiao-nrf52840"
I2C = "i2c0"
SDA = None  # P0.07 and P0.27, by the devicetree
SCL = None
ADDRESSES = (0x6A, 0x6B)
MOTION = ("gpio0", 11)  # INT1 of the IMU
MOTOR = ("gpio0", 28)  # D2: gate of the motor's transistor, with a pull-down
MOTOR_PWM = ("pwm1", 0)  # led to D2 by firmware/zephyr/tiltwise.overlay
BUTTON = ("gpio0", 3)  # D1: to ground
BATTERY = ("adc", 7)  # P0.31, behind 1 MOhm and 510 kOhm
BATTERY_ENABLE = ("gpio0", 14)
CHARGING = ("gpio0", 17)  # of the charger, low while it charges
CHARGING_LEVEL = 0
LED = ("gpio0", 26)  # red
LED_OFF = 1  # lights when low
TIMER = -1
HAS_RADIO = True
RADIO_RESTARTS = False  # bt_enable works once
PLACES = 1  # CONFIG_BT_MAX_CONN as it is
WATCHDOG = True
MOST_FRAMES = 64
MINUTES = 30
FLASH_BLOCKS = 64  # of 4 kB, in the 2 MB beside the chip


def read_mv(adc):
    """Return the cell's voltage behind the divider of 1 MOhm and 510 kOhm."""
    return adc.read_uv() // 1000 * 151 // 51
