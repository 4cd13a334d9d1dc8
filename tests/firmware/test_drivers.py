"""Every driver on the register model of its part."""

import importlib
from array import array

import numpy as np
import pytest

from sim.imu_parts import KINDS, mpu6500, on_bus, put_config, steady
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimBus, SimClock
from tiltwise.sim.imu import bmi270_model as bmi_model
from tiltwise.sim.imu import icm42688_model as icm_model
from tiltwise.sim.imu import lsm6ds3trc_model as trc_model
from tiltwise.sim.imu.bmi270_model import STAND_IN_CONFIG, Bmi270
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.mpu6050_model import Mpu6050

load_firmware()
drivers = importlib.import_module("tiltwise_firmware.drivers")

GYR = np.array([0.3, -0.2, 0.1])  # rad/s
ACC = np.array([1.0, -2.0, 9.0])  # m/s2
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def configuration_is_there(tmp_path, monkeypatch):
    put_config(tmp_path)
    monkeypatch.chdir(tmp_path)


def driver_for(kind, bus, clock, rate_hz=104, gyr_range=1000, acc_range=4):
    return drivers.find(bus, kind.address, clock, gyr_range, acc_range, rate_hz)


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
    return np.array(rows).reshape(-1, 6)


@every_kind
def test_part_is_found_by_address_and_identity(kind):
    _, bus, clock = on_bus(kind)
    driver = driver_for(kind, bus, clock)
    assert (driver.name, driver.kind) == (kind.name, kind.wire_kind)


@every_kind
@pytest.mark.parametrize(("rate_hz", "times"), [(104, 1), (208, 2)])
@pytest.mark.parametrize("ranges", [(250, 2), (1000, 4), (2000, 16)])
def test_samples_times_scale_are_the_truth(kind, rate_hz, times, ranges):
    _, bus, clock = on_bus(kind, ImuErrors.none(), gyr=GYR, acc=ACC)
    driver = driver_for(kind, bus, clock, rate_hz, *ranges)
    driver.configure()
    read_all(driver)  # the ICM's FIFO may begin with an invalid sample
    clock.sleep_ms(190)
    rows = read_all(driver)
    assert len(rows) == pytest.approx(0.19 * kind.rate_hz * times, abs=2)
    # Half a count of rounding, and one more where the driver takes out a leak between axes.
    gyr = rows[:, :3] * driver.gyr_rad_s_per_count
    assert np.abs(gyr - GYR).max() <= 1.6 * driver.gyr_rad_s_per_count
    acc = rows[:, 3:] * driver.acc_m_s2_per_count
    assert np.abs(acc - ACC).max() <= 0.5 * driver.acc_m_s2_per_count + 1e-9


@every_kind
def test_temperature_is_in_hundredths_of_a_degree(kind):
    _, bus, clock = on_bus(kind, ImuErrors.none(), temperature_c=31.5)
    driver = driver_for(kind, bus, clock)
    driver.configure()
    clock.sleep_ms(100)
    assert driver.temperature_cdeg() == pytest.approx(3150, abs=2)  # cdeg; a count is 0.3 to 0.8 cdeg


@every_kind
def test_overflow_is_noticed_and_the_next_samples_are_right(kind):
    _, bus, clock = on_bus(kind, ImuErrors.none(), gyr=GYR, acc=ACC)
    driver = driver_for(kind, bus, clock)
    driver.configure()
    clock.sleep_ms(int(1000 * (kind.fifo_samples + 30) / kind.rate_hz))
    assert driver.waiting() <= kind.fifo_samples
    assert driver.overflowed
    read_all(driver)
    driver.overflowed = False
    clock.sleep_ms(50)
    rows = read_all(driver)
    assert len(rows) >= 4
    assert np.abs(rows[:, 3:] * driver.acc_m_s2_per_count - ACC).max() <= driver.acc_m_s2_per_count
    clock.sleep_ms(50)
    driver.waiting()
    assert not driver.overflowed


@every_kind
def test_fifo_just_short_of_full_loses_nothing(kind):
    _, bus, clock = on_bus(kind, ImuErrors.none())
    driver = driver_for(kind, bus, clock)
    driver.configure()
    read_all(driver)
    clock.sleep_ms(int(1000 * (kind.fifo_samples - 5) / kind.rate_hz))
    assert len(read_all(driver)) == pytest.approx(kind.fifo_samples - 5, abs=2)
    assert not driver.overflowed


with_self_test = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.has_self_test], ids=lambda kind: kind.name
)


@with_self_test
def test_self_test_passes_a_good_part_and_leaves_it_sampling(kind):
    _, bus, clock = on_bus(kind, seed=3, seconds=60.0)
    driver = driver_for(kind, bus, clock)
    assert driver.self_test() == (True, True)
    assert driver.is_configured()
    clock.sleep_ms(200)
    assert driver.waiting() > 15


@with_self_test
@pytest.mark.parametrize("axis", range(6))
def test_self_test_fails_a_part_with_a_dead_axis(kind, axis):
    part, bus, clock = on_bus(kind, seed=3, seconds=60.0)
    part.self_test_response = np.ones(6)
    part.self_test_response[axis] = 0.0
    assert driver_for(kind, bus, clock).self_test() == (axis < 3, axis >= 3)


@every_kind
def test_sleeping_part_gives_no_samples_and_is_not_configured(kind):
    _, bus, clock = on_bus(kind)
    driver = driver_for(kind, bus, clock)
    driver.configure()
    read_all(driver)
    driver.sleep()
    clock.sleep_ms(500)
    assert driver.waiting() <= 1
    assert not driver.is_configured()


@every_kind
@pytest.mark.parametrize(("push_m_s2", "wakes"), [(0.2, False), (2.0, True)])
def test_part_wakes_by_motion_and_not_by_breathing(kind, push_m_s2, wakes):
    part = kind.make(errors=ImuErrors.none())
    t = np.arange(0, 20, 0.005)
    acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1))
    acc[t > 10, 0] = push_m_s2
    part.advance(t, np.zeros((len(t), 3)), acc)
    clock = SimClock()
    bus = SimBus(clock, {kind.address: part})
    driver = driver_for(kind, bus, clock)
    driver.configure()
    driver.wake_on_motion()
    clock.sleep_ms(1000)
    driver.has_moved()  # what switching over stirred up
    clock.sleep_ms(6000)
    assert (part.int1, driver.has_moved()) == (False, False)
    clock.sleep_ms(5000)
    part.run_to(clock.us / 1e6)
    assert part.int1 == wakes
    assert driver.has_moved() == wakes
    assert not part.int1
    driver.configure()
    clock.sleep_ms(200)
    assert driver.waiting() > 15


LATCHED = {  # the data sheets' register and bits that hold INT1 up until it is read; the models hold it in any case
    "LSM6DSOX": (0x56, 0x01),
    "LSM6DS3TR-C": (0x58, 0x81),
    "BMI270": (0x55, 0x01),
    "ICM-42688-P": (0x14, 0x07),
    "MPU-6050": (0x37, 0x20),
    "MPU-6500": (0x37, 0x20),
    "LSM6DSV16X": (0x56, 0x01),
    "ICM-45686": (0x18, 0x03),
}
ZERO_RATE_DPS = {  # what a gyroscope at rest may show, by the data sheets, never less than the models make of them
    "LSM6DSOX": 1.0,
    "LSM6DS3TR-C": 3.0,
    "BMI270": 1.0,
    "ICM-42688-P": 1.0,
    "MPU-6050": 7.0,
    "MPU-6500": 7.0,
    "LSM6DSV16X": 1.0,
    "ICM-45686": 0.5,
}


@every_kind
def test_interrupt_of_a_movement_is_held_until_it_is_read(kind):
    part, bus, clock = on_bus(kind)
    driver = driver_for(kind, bus, clock)
    driver.wake_on_motion()
    register, bits = LATCHED[kind.name]
    assert part.read(register, 1)[0] & bits == bits


@every_kind
def test_rate_at_rest_is_the_data_sheets(kind):
    part, bus, clock = on_bus(kind)
    assert driver_for(kind, bus, clock).zero_rate_dps == ZERO_RATE_DPS[kind.name]
    assert part.figures.zero_rate_dps <= ZERO_RATE_DPS[kind.name]


@every_kind
@pytest.mark.parametrize("level", [0x00, 0xFF], ids=["low", "high"])
def test_data_line_held_is_an_oserror_and_no_samples(kind, level, monkeypatch):
    part, bus, clock = on_bus(kind)
    driver = driver_for(kind, bus, clock)
    monkeypatch.setattr(part, "read", lambda _register, n: bytes([level]) * n)
    with pytest.raises(OSError, match=r"wiring|accept"):
        driver.configure()
    if level:
        with pytest.raises(OSError, match="impossible FIFO"):
            driver.waiting()


@every_kind
def test_every_single_transfer_of_the_configuration_may_fail(kind):
    """Whichever transfer fails, configuring again works."""
    _, bus, clock = on_bus(kind, seconds=100.0)
    driver = driver_for(kind, bus, clock)
    before = bus.transfers
    driver.configure()
    transfers = bus.transfers - before
    for failing in sorted({*range(min(transfers, 12)), *range(max(transfers - 12, 0), transfers)}):
        counted = bus.transfers
        transfer = bus._transfer

        def fail_once(address, n, transfer=transfer, at=counted + failing):
            bus.fail_next = int(bus.transfers == at)
            return transfer(address, n)

        bus._transfer = fail_once
        with pytest.raises(OSError, match="not acknowledged"):
            driver.configure()
        bus._transfer = transfer
        driver.configure()
        assert driver.is_configured()
        clock.sleep_ms(100)
        assert driver.waiting() >= 8


@every_kind
def test_read_that_was_torn_in_the_middle_is_put_right(kind):
    """Somebody took seven bytes out of the FIFO: what comes after are whole samples again."""
    part, bus, clock = on_bus(kind, ImuErrors.none(), gyr=GYR, acc=ACC)
    driver = driver_for(kind, bus, clock)
    driver.configure()
    clock.sleep_ms(200)
    n = driver.waiting()
    read = part.read

    def tear(register, size):
        if size > 40:
            read(register, 14)  # one word with a tag, and a bit more than a sample without
            raise OSError(19, "lost arbitration")
        return read(register, size)

    part.read = tear
    with pytest.raises(OSError, match="arbitration"):
        driver.read_fifo(array("h", [0] * 6 * (driver.burst + 1)), min(n, driver.burst))
    del part.read
    for _ in range(4):
        read_all(driver)
        clock.sleep_ms(60)
    rows = read_all(driver)
    assert len(rows) >= 5
    assert np.abs(rows[:, 3:] * driver.acc_m_s2_per_count - ACC).max() <= driver.acc_m_s2_per_count


@pytest.mark.parametrize("address", [0x68, 0x6A])
def test_foreign_part_is_refused_with_what_it_said_and_what_was_expected(address):
    part = Mpu6050(who_am_i=0x42)
    clock = SimClock()
    bus = SimBus(clock, {address: part})
    with pytest.raises(
        drivers.UnknownPartError, match=r"says WHO_AM_I 0x.. .*, expected 0x.. .*: check the sensor"
    ):
        drivers.find(bus, address, clock, 1000, 4, 104)


# ---- what is special about one of them ----


def test_lsm6dsv_fuses_in_the_chip_beside_the_samples():
    """Held at 30 deg about y: both vectors of the part say so, and the samples still come, complete and in order."""
    tilt = np.radians(30)
    acc = G_M_S2 * np.array([-np.sin(tilt), 0.0, np.cos(tilt)])
    kind = next(kind for kind in KINDS if kind.name == "LSM6DSV16X")
    _, bus, clock = on_bus(kind, ImuErrors.none(), acc=acc)
    driver = driver_for(kind, bus, clock)
    driver.fuse()
    driver.configure()
    clock.sleep_ms(400)
    n = driver.waiting()
    rows = read_all(driver)
    assert 44 <= n == len(rows) <= 49  # 120 Hz
    assert np.abs(rows[:, 3:] * driver.acc_m_s2_per_count - acc).max() <= driver.acc_m_s2_per_count
    # A count of gravity is 0.061 mg, 0.0035 deg; a half has 11 bits: 0.03 deg of the angle at 0.26.
    assert np.array(driver.gravity) * 0.061e-3 * G_M_S2 == pytest.approx(acc, abs=0.002)
    half = importlib.import_module("tiltwise_firmware.drivers.lsm6dsv").half
    x, y, z = (half(bits) for bits in driver.game)
    assert (x, z) == (pytest.approx(0, abs=1e-4), pytest.approx(0, abs=1e-4))
    assert 2 * np.degrees(np.arcsin(y)) == pytest.approx(30, abs=0.03)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 0.2588, -6.1e-5, 3e-7])
def test_half_precision_is_read_as_numpy_reads_it(value):
    half = importlib.import_module("tiltwise_firmware.drivers.lsm6dsv").half
    bits = np.float16(value)
    assert half(int(bits.view(np.uint16))) == float(bits)


def test_icm45686_says_that_it_cannot_test_itself():
    kind = next(kind for kind in KINDS if kind.name == "ICM-45686")
    _, bus, clock = on_bus(kind)
    assert driver_for(kind, bus, clock).self_test() == (None, None)


def test_bmi270_without_its_configuration_says_what_to_do(tmp_path):
    (tmp_path / "bmi270_config.bin").unlink()
    kind = KINDS[2]
    _, bus, clock = on_bus(kind)
    with pytest.raises(OSError, match=r"bmi270_config.bin is not here: run tiltwise setup"):
        driver_for(kind, bus, clock).configure()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (STAND_IN_CONFIG[:5000], "has 5000 bytes, expected 8192"),
        (STAND_IN_CONFIG + b"\n", "has more bytes, expected 8192"),
        (STAND_IN_CONFIG[:4000] + b"?" + STAND_IN_CONFIG[4001:], "does not accept"),
        (b"", "has 0 bytes"),
    ],
)
def test_bmi270_with_a_damaged_configuration_says_so(tmp_path, data, message):
    (tmp_path / "bmi270_config.bin").write_bytes(data)
    kind = KINDS[2]
    _, bus, clock = on_bus(kind)
    with pytest.raises(OSError, match=message):
        driver_for(kind, bus, clock).configure()


def load(part, pieces, awake=b"\0"):
    """Give the model these (place, bytes) and return its INTERNAL_STATUS."""
    clock = SimClock(round(0.1e6))
    bus = SimBus(clock, {0x68: part})
    bus.writeto_mem(0x68, bmi_model.PWR_CONF, awake)
    clock.sleep_ms(1)
    bus.writeto_mem(0x68, bmi_model.INIT_CTRL, b"\0")
    for at, data in pieces:
        bus.writeto_mem(0x68, bmi_model.INIT_ADDR_0, bytes((at // 2 & 15, at // 2 >> 4)))
        bus.writeto_mem(0x68, bmi_model.INIT_DATA, data)
    bus.writeto_mem(0x68, bmi_model.INIT_CTRL, b"\1")
    clock.sleep_ms(25)
    return bus.readfrom_mem(0x68, bmi_model.INTERNAL_STATUS, 1)[0]


PIECES = [(at, STAND_IN_CONFIG[at : at + 256]) for at in range(0, 8192, 256)]


def test_bmi270_model_takes_the_whole_configuration_in_order_only():
    assert load(steadied(), PIECES) == 1
    for wrong in (
        PIECES[:-1],
        PIECES[:-1] + [(7936, STAND_IN_CONFIG[7936:-2])],
        PIECES[1:],
        [PIECES[1], PIECES[0], *PIECES[2:]],
        PIECES[:5] + PIECES[6:],
        [(0, data) for _, data in PIECES],
        [*PIECES, (8190, b"ab")],
    ):
        assert load(steadied(), wrong) == 2
    assert load(steadied(), PIECES, awake=b"\1") == 2


def steadied():
    part = Bmi270(errors=ImuErrors.none())
    steady(part, 1.0)
    return part


def test_bmi270_is_configured_in_pieces_that_leave_the_bus_free():
    kind = KINDS[2]
    _, bus, clock = on_bus(kind)
    driver = driver_for(kind, bus, clock)
    longest_ms, before_us = 0.0, clock.us
    for ms in driver.steps():
        longest_ms = max(longest_ms, (clock.us - before_us) / 1000)
        clock.sleep_ms(ms)
        before_us = clock.us
    assert longest_ms < 26  # a kilobyte at 400 kHz


def test_bmi270_leak_between_axes_is_taken_out():
    kind = KINDS[2]
    part = Bmi270(errors=ImuErrors.none())
    steady(part, 5, gyr=(0.0, 0.0, 10.0))
    clock = SimClock()
    driver = driver_for(kind, SimBus(clock, {kind.address: part}), clock)
    driver.configure()
    clock.sleep_ms(100)
    rows = read_all(driver)
    assert np.abs(rows[:, 0]).max() <= 1  # 6/512 of 18775 counts would be 220


def test_icm_registers_of_other_banks_are_always_left_again():
    kind = KINDS[3]
    part, bus, clock = on_bus(kind, seconds=60.0)
    driver = driver_for(kind, bus, clock)
    driver.configure()
    driver.wake_on_motion()
    driver.self_test()
    assert part.read(icm_model.REG_BANK_SEL, 1) == b"\0"


def test_icm_packets_without_both_sensors_are_passed_over():
    kind = KINDS[3]
    part, bus, clock = on_bus(kind, ImuErrors.none())
    driver = driver_for(kind, bus, clock)
    driver.configure()
    clock.sleep_ms(100)
    part.fifo.clear()
    good = bytes((0x68, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0))
    only_acc = bytes((0x48, *good[1:]))
    invalid = bytes((0x68, 1, 0, 2, 0, 3, 0, 0, 0x80, 0, 0x80, 0, 0x80, 0, 0, 0))
    part.fifo.push(good + only_acc + invalid + good)
    counts = array("h", [0] * 102)
    assert driver.read_fifo(counts, 4) == 2
    assert list(counts[:12]) == [4, 5, 6, 1, 2, 3] * 2


def test_lsm6ds3trc_pattern_that_is_off_for_a_moment_costs_nothing():
    kind = KINDS[1]
    part, bus, clock = on_bus(kind, ImuErrors.none())
    driver = driver_for(kind, bus, clock)
    driver.configure()
    clock.sleep_ms(200)
    n = driver.waiting()
    read = part.read
    part.read = lambda register, size: (
        read(register, size)[:2] + b"\x02\x00" if register == trc_model.FIFO_STATUS1 else read(register, size)
    )
    assert driver.waiting() >= n
    assert not driver.overflowed


@pytest.mark.parametrize(("rate_hz", "acc_range", "acc_rms_mg"), [(104, 4, 2.0), (52, 16, 3.0)])
def test_lsm6ds3trc_samples_in_its_frugal_mode_with_that_modes_noise(rate_hz, acc_range, acc_rms_mg):
    kind = KINDS[1]
    part, bus, clock = on_bus(kind, seconds=60.0)
    driver = driver_for(kind, bus, clock, rate_hz, acc_range=acc_range)
    driver.configure()
    driver.self_test()  # which wants high performance, and ends in our own configuration again
    assert part.read(0x15, 2) == b"\x10\x80"  # CTRL6_C.XL_HM_MODE, CTRL7_G.G_HM_MODE
    rows = []
    for _ in range(60):
        clock.sleep_ms(500)
        rows.append(read_all(driver))
    spread = np.concatenate(rows).std(axis=0)
    gyr_mdps = np.degrees(spread[:3] * driver.gyr_rad_s_per_count) * 1000
    acc_mg = spread[3:] * driver.acc_m_s2_per_count / G_M_S2 * 1000
    assert gyr_mdps == pytest.approx(75.0, rel=0.15)
    assert acc_mg == pytest.approx(acc_rms_mg, rel=0.1)


@pytest.mark.parametrize(
    ("who", "name", "is_genuine"),
    [
        (0x68, "MPU-6050", True),
        (0x98, "MPU-6050", False),
        (0x72, "MPU-6050", False),
        (0x70, "MPU-6500", False),
    ],
)
def test_mpu6050_warns_and_tells_imitations(who, name, is_genuine):
    clock = SimClock()
    bus = SimBus(clock, {0x68: Mpu6050(who_am_i=who)})
    driver = drivers.find(bus, 0x68, clock, 1000, 4, 104)
    assert driver.name == name
    assert "poor choice" in driver.warning
    assert ("not a genuine MPU-6050" in driver.warning) == (not is_genuine)


def test_good_parts_warn_of_nothing():
    for kind in KINDS[:4]:
        _, bus, clock = on_bus(kind)
        assert driver_for(kind, bus, clock).warning is None


def test_imitation_without_factory_values_is_tested_by_whether_it_moves():
    kind = KINDS[5]
    part = mpu6500()
    part._set_codes = lambda: None
    part.power_cycle()
    steady(part, 60)
    clock = SimClock()
    driver = driver_for(kind, SimBus(clock, {kind.address: part}), clock)
    assert driver.self_test() == (True, True)
    part.self_test_response = np.array([1.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    assert driver.self_test() == (True, False)
