"""Register addresses, bits and figures of the LSM6DSOX, as the simulated part answers to them.

Source: ST datasheet LSM6DSOX (DS12814) and application note AN5272; the same figures are in ST's open lsm6dsox_reg.h.
The firmware driver has its own list on purpose: two readings of the datasheet that have to agree.
"""

from __future__ import annotations

from typing import Final

WHO_AM_I_VALUE: Final = 0x6C

FIFO_CTRL1: Final = 0x07  # watermark, low 8 bits
FIFO_CTRL2: Final = 0x08  # bit 7 STOP_ON_WTM, bit 0 watermark bit 8
FIFO_CTRL3: Final = 0x09  # batch rate: gyroscope << 4 | accelerometer
FIFO_CTRL4: Final = 0x0A  # bits 5:4 temperature batch rate, bits 2:0 mode
WHO_AM_I: Final = 0x0F
CTRL1_XL: Final = 0x10  # rate << 4 | range << 2
CTRL2_G: Final = 0x11
CTRL3_C: Final = 0x12
CTRL4_C: Final = 0x13
CTRL5_C: Final = 0x14  # bits 3:2 gyroscope self-test, bits 1:0 accelerometer self-test
CTRL6_C: Final = 0x15
CTRL7_G: Final = 0x16
CTRL9_XL: Final = 0x18
CTRL10_C: Final = 0x19
WAKE_UP_SRC: Final = 0x1B  # bit 3: woken by motion
STATUS_REG: Final = 0x1E
OUT_TEMP_L: Final = 0x20
OUTX_L_G: Final = 0x22
OUTX_L_A: Final = 0x28
OUTZ_H_A: Final = 0x2D
FIFO_STATUS1: Final = 0x3A
FIFO_STATUS2: Final = 0x3B
TAP_CFG2: Final = 0x58  # bit 7: interrupts on
WAKE_UP_THS: Final = 0x5B  # bits 5:0, 1/64 of the range
MD1_CFG: Final = 0x5E  # bit 5: wake-up on INT1
INTERNAL_FREQ_FINE: Final = 0x63
FIFO_DATA_OUT_TAG: Final = 0x78
FIFO_DATA_OUT_Z_H: Final = 0x7E

CTRL3_BDU: Final = 0x40
CTRL3_IF_INC: Final = 0x04
CTRL3_SW_RESET: Final = 0x01
CTRL4_SLEEP_G: Final = 0x40

STATUS_XLDA: Final = 0x01
STATUS_GDA: Final = 0x02
STATUS_TDA: Final = 0x04

FIFO2_WTM: Final = 0x80
FIFO2_OVR: Final = 0x40
FIFO2_FULL: Final = 0x20
FIFO2_OVR_LATCHED: Final = 0x08

MODE_BYPASS: Final = 0
MODE_FIFO: Final = 1
MODE_CONTINUOUS: Final = 6

TAG_GYR: Final = 1
TAG_ACC: Final = 2
TAG_TEMPERATURE: Final = 3

WRITABLE: Final = frozenset(
    [0x01, 0x02, *range(0x07, 0x0F), *range(0x10, 0x1A), *range(0x56, 0x60), 0x73, 0x74, 0x75]
)
DEFAULTS: Final = {CTRL3_C: 0x04, CTRL9_XL: 0xE0}

BASE_RATE_HZ: Final = 6667.0  # the oscillator; a rate code divides it
RATE_DIVIDERS: Final = {1: 512, 2: 256, 3: 128, 4: 64, 5: 32, 6: 16, 7: 8, 8: 4, 9: 2, 10: 1}
TEMPERATURE_DIVIDERS: Final = {1: 4096, 2: 512, 3: 128}  # 1.6, 12.5 and 52 Hz
FREQ_FINE_STEP: Final = 0.0015  # INTERNAL_FREQ_FINE, per count

FIFO_WORDS: Final = 512  # 3 kB
WORD_BYTES: Final = 7

GYR_MDPS_PER_COUNT: Final = {0: 8.75, 1: 17.5, 2: 35.0, 3: 70.0}  # 250, 500, 1000, 2000 deg/s
GYR_125_MDPS_PER_COUNT: Final = 4.375  # FS_125 bit
ACC_MG_PER_COUNT: Final = {0: 0.061, 1: 0.488, 2: 0.122, 3: 0.244}  # 2, 16, 4, 8 g
TEMPERATURE_COUNTS_PER_K: Final = 256  # zero is 25 degC

SELF_TEST_ACC_MG: Final = 400.0  # inside the datasheet's 50 to 1700 mg
SELF_TEST_GYR_DPS: Final = 300.0  # inside the datasheet's 150 to 700 deg/s at 2000 deg/s
