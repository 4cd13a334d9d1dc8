"""The LSM6DS driver on the register model of the part."""

import importlib
from array import array

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimBus, SimClock
from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

load_firmware()
drivers = importlib.import_module("tiltwise_firmware.drivers")

GYR = np.array([0.3, -0.2, 0.1])  # rad/s
ACC = np.array([1.0, -2.0, 9.0])  # m/s2


def bench(errors=None, who_am_i=reg.WHO_AM_I_VALUE, seconds=20.0):
    """A bus with one part, which turns and accelerates steadily."""
    part = Lsm6dsox(errors=errors or ImuErrors.none())
    part.who_am_i = who_am_i
    part.power_cycle()
    t = np.arange(0, seconds, 0.005)
    part.advance(t, np.tile(GYR, (len(t), 1)), np.tile(ACC, (len(t), 1)))
    clock = SimClock()
    return SimBus(clock, {0x6A: part}), clock, part


def read_all(driver):
    """Read what waits; (n, 6) counts."""
    counts = array("h", [0] * 6 * (driver.burst + 1))
    rows = []
    left = driver.waiting()
    while left:
        n = min(left, driver.burst)
        done = driver.read_fifo(counts, n)
        rows += [list(counts[6 * k : 6 * k + 6]) for k in range(done)]
        left -= n
    return np.array(rows)


@pytest.mark.parametrize(("who", "name"), [(0x6C, "LSM6DSOX"), (0x6B, "LSM6DSR")])
def test_parts_of_the_family_are_found_by_identity(who, name):
    bus, clock, _ = bench(who_am_i=who)
    assert drivers.find(bus, 0x6A, clock, 1000, 4, 104).name == name


def test_foreign_part_is_refused_with_what_it_said_and_what_was_expected():
    bus, clock, _ = bench(who_am_i=0x33)
    with pytest.raises(
        drivers.UnknownPartError, match=r"0x6a says WHO_AM_I 0x33 .*, expected 0x6c .* check the sensor"
    ):
        drivers.find(bus, 0x6A, clock, 1000, 4, 104)


def test_nobody_at_the_address_is_an_oserror():
    bus, clock, _ = bench()
    with pytest.raises(OSError, match="nothing at 0x6b"):
        drivers.find(bus, 0x6B, clock, 1000, 4, 104)


@pytest.mark.parametrize("gyr_range", [125, 250, 500, 1000, 2000])
@pytest.mark.parametrize("acc_range", [2, 4, 8, 16])
def test_samples_times_scale_are_the_truth_in_every_range(gyr_range, acc_range):
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, gyr_range, acc_range, 104)
    driver.configure()
    clock.sleep_ms(1000)
    rows = read_all(driver)
    assert len(rows) == pytest.approx(104, abs=1)
    # Half a count of rounding.
    assert (
        np.abs(rows[:, :3] * driver.gyr_rad_s_per_count - GYR).max() <= driver.gyr_rad_s_per_count / 2 + 1e-9
    )
    assert np.abs(rows[:, 3:] * driver.acc_m_s2_per_count - ACC).max() <= driver.acc_m_s2_per_count / 2 + 1e-9


@pytest.mark.parametrize("error", [-0.03, 0.0, 0.03])
def test_rate_comes_from_the_trim_register(error):
    bus, clock, _ = bench(ImuErrors.none(error))
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    driver.configure()
    assert driver.rate_hz == pytest.approx(104.17 * (1 + error), rel=0.0008)  # half a trim step


def test_sample_cut_in_two_by_a_burst_is_put_together():
    bus, clock, part = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    driver.configure()
    clock.sleep_ms(500)
    assert driver.waiting() > 30
    part.read(
        reg.FIFO_DATA_OUT_TAG, 7
    )  # somebody took a gyroscope word: bursts now begin with an accelerometer word
    counts = array("h", [0] * 6 * (driver.burst + 1))
    done = [driver.read_fifo(counts, 4) for _ in range(3)]
    assert done == [3, 4, 4]  # the torn slot is dropped once
    assert counts[0] * driver.gyr_rad_s_per_count == pytest.approx(GYR[0], abs=driver.gyr_rad_s_per_count)
    assert counts[5] * driver.acc_m_s2_per_count == pytest.approx(ACC[2], abs=driver.acc_m_s2_per_count)


def test_temperature_words_in_the_fifo_are_passed_over():
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    driver.configure()
    bus.writeto_mem(0x6A, reg.FIFO_CTRL4, b"\x26")
    clock.sleep_ms(400)
    rows = read_all(driver)
    assert np.ptp(rows[:, :3], axis=0).max() == 0


def test_overflow_is_noticed():
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    driver.configure()
    clock.sleep_ms(3000)
    assert driver.waiting() == 256
    assert driver.overflowed


def test_temperature_is_in_hundredths_of_a_degree():
    bus, clock, part = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    part.temperature_c = 31.5
    driver.configure()
    clock.sleep_ms(100)
    assert driver.temperature_cdeg() == pytest.approx(3150, abs=1)


def test_self_test_passes_a_good_part_and_fails_a_dead_axis(monkeypatch):
    bus, clock, _ = bench(seconds=30.0)
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    assert driver.self_test() == (True, True)
    assert driver.is_configured()
    monkeypatch.setattr(reg, "SELF_TEST_GYR_DPS", 0.0)
    assert driver.self_test() == (True, False)


def test_sleeping_part_gives_no_samples():
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    driver.configure()
    driver.sleep()
    clock.sleep_ms(500)
    assert driver.waiting() == 0
    assert not driver.is_configured()


def test_impossible_fifo_level_is_a_bus_fault(monkeypatch):
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    monkeypatch.setattr(Lsm6dsox, "read", lambda _part, _register, n: b"\xff" * n)  # data line stuck high
    with pytest.raises(OSError, match="impossible FIFO level"):
        driver.waiting()


def test_part_that_does_not_keep_settings_is_a_bus_fault(monkeypatch):
    bus, clock, _ = bench()
    driver = drivers.find(bus, 0x6A, clock, 1000, 4, 104)
    monkeypatch.setattr(Lsm6dsox, "read", lambda _part, _register, n: bytes(n))  # data line stuck low
    with pytest.raises(OSError, match="does not keep its settings"):
        driver.configure()


def test_kind_is_told_for_info_frames():
    bus, clock, _ = bench()
    assert drivers.find(bus, 0x6A, clock, 1000, 4, 104).kind == wire.IMU_LSM6DSOX
