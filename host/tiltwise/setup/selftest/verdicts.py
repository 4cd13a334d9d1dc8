"""What a self-test may find, and the limits: numbers in, pass or fail with what to check out. No board is asked here.

Limits are wide on purpose: a part that is wired wrongly or broken is far outside, and one that is merely poor is not
refused. Sources stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tiltwise.types import FloatArray

G_M_S2 = 9.80665
# Zero-g offset: 40 mg typical of the LSM6DS3TR-C (DS12232), 80 mg at most of an MPU-6050 (PS-MPU-6000A).
MOST_OFFSET_M_S2 = 0.10 * G_M_S2
MOST_SCALE_ERROR = 0.04  # 3 % is the MPU-6050's limit
MOST_ACC_NOISE_M_S2 = 0.10  # ten times what 90 ug per root Hz are at 104 Hz
MOST_GYR_NOISE_RAD_S = 0.01  # 0.6 deg/s, ten times what 7 mdps per root Hz are
MOST_ZERO_RATE_RAD_S = 0.35  # 20 deg/s: the MPU-6050's limit
LEAST_SHAKE = 3.0  # times the noise at rest that a motor makes of the acceleration
EMPTY_MV, LOW_MV, FULL_MV = 2500, 3400, 4350  # of a lithium cell; below the first there is none
SIDES = ("+x", "-x", "+y", "-y", "+z", "-z")
IMU_ADDRESSES = (0x6A, 0x6B, 0x68, 0x69)


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "pass"
    FAIL = "FAIL"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Check:
    """One part: what was found, and what to do about it (empty when it passed)."""

    part: str
    verdict: Verdict
    found: str
    todo: str = ""


def passed(part: str, found: str) -> Check:
    """Return a check that passed."""
    return Check(part, Verdict.PASS, found)


def failed(part: str, found: str, todo: str) -> Check:
    """Return a check that failed, with what to look at."""
    return Check(part, Verdict.FAIL, found, todo)


def skipped(part: str, found: str) -> Check:
    """Return a check that could not be made."""
    return Check(part, Verdict.SKIP, found)


def judge_bus(addresses: bytes) -> Check:
    """Judge who answers on the I2C bus."""
    found = ", ".join(f"0x{address:02x}" for address in addresses)
    if any(address in IMU_ADDRESSES for address in addresses):
        return passed("bus", found)
    return failed(
        "bus",
        f"{found or 'nobody'} answers, expected an IMU at 0x6a, 0x6b, 0x68 or 0x69",
        "check 3V3 and GND of the IMU, then whether SDA and SCL are swapped, then for a cold joint",
    )


def judge_imu(answer: bytes) -> Check:
    """Judge what the part says of itself: 0 failed, 1 fine, 2 not known."""
    names = ("accelerometer", "gyroscope")
    broken = [name for name, value in zip(names, answer, strict=True) if value == 0]
    if broken:
        return failed(
            "IMU self-test",
            f"{' and '.join(broken)} failed",
            "keep it still and try again; twice: replace the IMU",
        )
    if 2 in answer:
        return skipped("IMU self-test", "this part tests itself with its maker's program only")
    return passed("IMU self-test", "accelerometer and gyroscope answer")


def judge_noise(gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> Check:
    """Judge a still sensor by the standard deviation of each axis and the mean of the gyroscope; (n, 3) each."""
    gyr, acc = float(gyr_rad_s.std(axis=0).max()), float(acc_m_s2.std(axis=0).max())
    zero = float(np.abs(gyr_rad_s.mean(axis=0)).max())
    found = (
        f"gyroscope {np.degrees(gyr):.2f} deg/s, zero rate {np.degrees(zero):.1f} deg/s, "
        f"accelerometer {acc:.3f} m/s2"
    )
    if gyr > MOST_GYR_NOISE_RAD_S or acc > MOST_ACC_NOISE_M_S2:
        return failed("noise", found, "was it still? then check GND and 3V3, or replace the IMU")
    if zero > MOST_ZERO_RATE_RAD_S:
        return failed(
            "noise", found, "the gyroscope is far off: keep it still and try again; twice: replace the IMU"
        )
    return passed("noise", found)


def judge_gravity(ups: Mapping[str, FloatArray]) -> Check:
    """Judge the mean acceleration (3,) m/s2 in each position, by the side that was up."""
    missing = [side for side in SIDES if side not in ups]
    if missing:
        return failed(
            "gravity",
            f"{len(ups)} of 6 positions seen, not {', '.join(missing)}",
            "turn it so that each side faces up for two seconds; a side that never counts: that axis is dead",
        )
    worst_offset = worst_scale = 0.0
    for axis, name in enumerate("xyz"):
        plus, minus = float(ups[f"+{name}"][axis]), float(ups[f"-{name}"][axis])
        worst_offset = max(worst_offset, abs(plus + minus) / 2)
        worst_scale = max(worst_scale, abs((plus - minus) / 2 / G_M_S2 - 1))
    found = f"six positions; offset {worst_offset / G_M_S2 * 1000:.0f} mg, scale {100 * worst_scale:.1f} % at worst"
    if worst_offset > MOST_OFFSET_M_S2 or worst_scale > MOST_SCALE_ERROR:
        return failed("gravity", found, "do it again on a flat table; twice: replace the IMU")
    return passed("gravity", found)


def judge_battery(millivolts: int | None) -> Check:
    """Judge the voltage that STATUS tells, 0 when it is none of a cell; None: the board measures none."""
    if millivolts is None:
        return skipped("battery", "this board measures none")
    found = f"{millivolts / 1000:.2f} V" if millivolts else "no voltage of a cell"
    if millivolts < EMPTY_MV:
        return failed(
            "battery", found, "no cell, or a broken wire: check BAT+ and BAT-, and the divider's resistors"
        )
    if millivolts < LOW_MV:
        return failed("battery", found, "the cell is empty: charge it over USB for an hour and try again")
    if millivolts > FULL_MV:
        return failed(
            "battery", found, "more than a cell can have: the two resistors of the divider are not equal"
        )
    return passed("battery", found)


def judge_motor(quiet_m_s2: float, shaken_m_s2: float) -> Check:
    """Judge by how much more the acceleration scatters while the motor should run."""
    found = f"acceleration scatters {shaken_m_s2:.3f} m/s2 with it, {quiet_m_s2:.3f} without"
    if shaken_m_s2 >= LEAST_SHAKE * quiet_m_s2:
        return passed("motor", found)
    return failed(
        "motor",
        found,
        "it does not shake: is the cell on? check the motor's wires, the diode's band at cell +, the gate's wire",
    )


def judge_flash(free_kb: int | None) -> Check:
    """Judge a file that was written and read; None: it did not come back."""
    if free_kb is None:
        return failed(
            "flash",
            "a file could not be written and read",
            "delete your own files on the board; else erase and flash it",
        )
    return passed("flash", "a file is written and read" + ("" if free_kb < 0 else f", {free_kb} kB free"))


def judge_radio(answer: bytes | None) -> Check:
    """Judge SELFTEST_RADIO; None: no radio in this MicroPython."""
    if answer is None:
        return skipped("radio", "this MicroPython has no Bluetooth, or the board is in safe mode")
    restarts = int.from_bytes(answer[1:3], "little")
    if not answer[0]:
        return failed(
            "radio",
            "it does not start",
            "unplug the board for ten seconds; twice: put MicroPython on it anew",
        )
    return passed("radio", f"runs, {restarts} restarts since boot")


def judge_button(was_pressed: bool | None) -> Check:
    """Judge a button that should have been pressed; None: none is fitted."""
    if was_pressed is None:
        return skipped("button", "none fitted: a double tap does the same")
    if was_pressed:
        return passed("button", "pressed and seen")
    return failed(
        "button",
        "no press was seen",
        "check its wires: one to its pin, one to GND; optional, a double tap does the same",
    )
