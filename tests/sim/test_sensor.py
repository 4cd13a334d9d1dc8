"""The register model of the LSM6DSOX against facts of its datasheet (DS12814)."""

import struct

import numpy as np
import pytest

from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

RATE_104 = 0x40


def still(seconds, gyr=(0.0, 0.0, 0.0), acc=(0.0, 0.0, G_M_S2)):
    """Truth of a sensor that does not move."""
    t = np.arange(0, seconds + 0.005, 0.005)
    return t, np.tile(gyr, (len(t), 1)), np.tile(acc, (len(t), 1))


def sampling(
    seconds=10.0,
    errors=None,
    gyr=(0.0, 0.0, 0.0),
    acc=(0.0, 0.0, G_M_S2),
    ctrl2=RATE_104,
    ctrl1=RATE_104 | 0x08,
):
    """A part at 104 Hz, 4 g, with both sensors batched in a continuous FIFO."""
    part = Lsm6dsox(errors=errors or ImuErrors.none())
    part.advance(*still(seconds, gyr, acc))
    part.write(reg.FIFO_CTRL3, b"\x44")
    part.write(reg.CTRL1_XL, bytes([ctrl1]))
    part.write(reg.CTRL2_G, bytes([ctrl2]))
    part.write(reg.FIFO_CTRL4, b"\x06")
    return part


def level(part):
    low, high = part.read(reg.FIFO_STATUS1, 2)
    return low | (high & 3) << 8


def words(part, n):
    data = part.read(reg.FIFO_DATA_OUT_TAG, 7 * n)
    return [data[k : k + 7] for k in range(0, 7 * n, 7)]


def test_identity_and_defaults_are_those_of_the_datasheet():
    part = Lsm6dsox()
    assert part.read(reg.WHO_AM_I, 1) == b"\x6c"
    assert part.read(reg.CTRL3_C, 1) == b"\x04"  # IF_INC set, everything else clear
    assert part.read(reg.CTRL1_XL, 2) == b"\x00\x00"  # powered down


def test_powered_down_part_samples_nothing():
    part = Lsm6dsox()
    part.advance(*still(1))
    part.run_to(1)
    assert level(part) == 0
    assert part.read(reg.STATUS_REG, 1) == b"\x00"


def test_read_only_registers_ignore_writes():
    part = Lsm6dsox()
    part.write(reg.WHO_AM_I, b"\x00")
    assert part.read(reg.WHO_AM_I, 1) == b"\x6c"


def test_software_reset_clears_settings_and_itself():
    part = sampling()
    part.run_to(1)
    part.write(reg.CTRL3_C, b"\x01")
    assert part.read(reg.CTRL3_C, 1) == b"\x04"
    assert part.read(reg.CTRL1_XL, 1) == b"\x00"
    assert level(part) == 0


def test_multiple_reads_stay_on_the_register_without_if_inc():
    part = Lsm6dsox()
    part.write(reg.CTRL3_C, b"\x00")
    assert part.read(reg.WHO_AM_I, 3) == b"\x6c\x6c\x6c"


@pytest.mark.parametrize(
    ("code", "hz"), [(1, 13.02), (2, 26.04), (3, 52.09), (4, 104.17), (5, 208.3), (7, 833.4)]
)
def test_output_rate_follows_the_rate_code(code, hz):
    part = sampling(ctrl1=code << 4 | 0x08, ctrl2=code << 4)
    part.write(reg.FIFO_CTRL3, bytes([code << 4 | code]))
    seconds = 2.0 if hz < 110 else 0.25  # fewer than 512 words
    part.run_to(seconds)
    assert level(part) / 2 == pytest.approx(hz * seconds, abs=1.01)


@pytest.mark.parametrize("error", [-0.03, 0.03])
def test_output_rate_error_shows_in_sample_count_and_trim_register(error):
    part = sampling(errors=ImuErrors.none(error))
    part.run_to(2)
    assert level(part) / 2 == pytest.approx(2 * 104.17 * (1 + error), abs=1.01)
    (trim,) = struct.unpack("b", part.read(reg.INTERNAL_FREQ_FINE, 1))
    assert trim * 0.0015 == pytest.approx(error, abs=0.0008)  # half a step


@pytest.mark.parametrize(("bits", "mg"), [(0x00, 0.061), (0x08, 0.122), (0x0C, 0.244), (0x04, 0.488)])
def test_accelerometer_scale_follows_the_range(bits, mg):
    part = sampling(ctrl1=RATE_104 | bits)
    part.run_to(0.5)
    (z,) = struct.unpack("<h", part.read(reg.OUTZ_H_A - 1, 2))
    assert z * mg == pytest.approx(1000, abs=mg)


@pytest.mark.parametrize(
    ("bits", "mdps"), [(0x02, 4.375), (0x00, 8.75), (0x04, 17.5), (0x08, 35.0), (0x0C, 70.0)]
)
def test_gyroscope_scale_follows_the_range(bits, mdps):
    part = sampling(gyr=(np.radians(100), 0, 0), ctrl2=RATE_104 | bits)
    part.run_to(0.5)
    (x,) = struct.unpack("<h", part.read(reg.OUTX_L_G, 2))
    assert x * mdps == pytest.approx(100e3, abs=mdps)


def test_counts_saturate_at_16_bits():
    part = sampling(gyr=(np.radians(400), np.radians(-400), 0), acc=(50.0, -50.0, 0.0))
    part.run_to(0.5)
    assert struct.unpack("<6h", part.read(reg.OUTX_L_G, 12)) == (32767, -32768, 0, 32767, -32768, 0)


def test_new_data_bits_clear_when_the_high_bytes_are_read():
    part = sampling()
    part.run_to(0.5)
    assert part.read(reg.STATUS_REG, 1)[0] & 3 == 3
    part.read(reg.OUTX_L_G, 6)
    assert part.read(reg.STATUS_REG, 1)[0] & 3 == reg.STATUS_XLDA
    part.read(reg.OUTX_L_A, 6)
    assert part.read(reg.STATUS_REG, 1)[0] & 3 == 0


def test_fifo_words_carry_tag_slot_counter_and_even_parity():
    part = sampling()
    part.run_to(0.5)
    tags = [word[0] for word in words(part, 16)]
    assert [tag >> 3 for tag in tags] == [1, 2] * 8
    counters = [tag >> 1 & 3 for tag in tags]
    assert counters[::2] == counters[1::2]
    assert np.all(np.diff(counters[::2]) % 4 == 1)
    assert all(tag.bit_count() % 2 == 0 for tag in tags)


def test_fifo_words_hold_what_the_output_registers_hold():
    part = sampling(gyr=(0.5, -0.25, 0.1), acc=(1.0, 2.0, 9.0))
    part.run_to(0.5)
    gyr, acc = words(part, level(part))[-2:]
    assert gyr[1:] + acc[1:] == part.read(reg.OUTX_L_G, 12)


def test_reading_rounds_from_7e_back_to_78_and_empties_the_fifo():
    part = sampling()
    part.run_to(0.5)
    n = level(part)
    assert len(part.read(reg.FIFO_DATA_OUT_TAG, 7 * (n - 1))) == 7 * (n - 1)
    assert level(part) == 1
    part.read(reg.FIFO_DATA_OUT_TAG, 1)
    assert level(part) == 1  # a word leaves with its last byte
    part.read(reg.FIFO_DATA_OUT_TAG + 1, 6)
    assert level(part) == 0
    assert part.read(reg.FIFO_DATA_OUT_TAG, 7) == bytes(7)


def test_continuous_fifo_keeps_the_newest_512_words_and_latches_the_overrun():
    part = sampling(errors=ImuErrors.none())
    part.run_to(5)  # 1040 words
    low, flags = part.read(reg.FIFO_STATUS1, 2)
    assert low | (flags & 3) << 8 == 512
    assert flags & reg.FIFO2_OVR
    assert flags & reg.FIFO2_OVR_LATCHED
    newest = words(part, 512)[-1]
    assert newest[1:] == part.read(reg.OUTX_L_A, 6)
    flags = part.read(reg.FIFO_STATUS2, 1)[0]
    assert not flags & (reg.FIFO2_OVR | reg.FIFO2_OVR_LATCHED)  # cleared by the read before


def test_fifo_mode_stops_when_full_and_bypass_empties_it():
    part = sampling()
    part.write(reg.FIFO_CTRL4, b"\x01")
    part.run_to(5)
    first = words(part, 512)[0][0] >> 1 & 3
    assert first == 1  # slot 1 is still there
    part.run_to(6)
    assert level(part) > 0
    part.write(reg.FIFO_CTRL4, b"\x00")
    assert level(part) == 0


def test_watermark_flag_rises_at_its_level():
    part = sampling()
    part.write(reg.FIFO_CTRL1, b"\x14")
    part.run_to(9.5 / 104.17)
    assert not part.read(reg.FIFO_STATUS2, 1)[0] & reg.FIFO2_WTM
    part.run_to(10.5 / 104.17)
    assert level(part) == 20
    assert part.read(reg.FIFO_STATUS2, 1)[0] & reg.FIFO2_WTM


def test_temperature_has_256_counts_per_kelvin_from_25_degrees_and_can_be_batched():
    part = sampling()
    part.temperature_c = 35.0
    part.write(reg.FIFO_CTRL4, b"\x26")  # 12.5 Hz
    part.run_to(2)
    assert struct.unpack("<h", part.read(reg.OUT_TEMP_L, 2)) == (2560,)
    batched = [word for word in words(part, level(part)) if word[0] >> 3 == reg.TAG_TEMPERATURE]
    assert len(batched) == pytest.approx(2 * 13.02, abs=1)
    assert struct.unpack("<h", batched[0][1:3]) == (2560,)


def test_gyroscope_sleep_bit_stops_it_alone():
    part = sampling()
    part.write(reg.CTRL4_C, b"\x40")
    part.run_to(1)
    assert {word[0] >> 3 for word in words(part, level(part))} == {reg.TAG_ACC}


def test_self_test_moves_the_outputs_within_the_datasheet_limits():
    part = sampling(ctrl2=RATE_104 | 0x0C)
    part.run_to(0.5)
    before = np.array(struct.unpack("<6h", part.read(reg.OUTX_L_G, 12)))
    part.write(reg.CTRL5_C, b"\x05")
    part.run_to(1.0)
    change = np.array(struct.unpack("<6h", part.read(reg.OUTX_L_G, 12))) - before
    assert np.all((change[:3] * 0.070 >= 150) & (change[:3] * 0.070 <= 700))  # deg/s
    assert np.all((change[3:] * 0.122 >= 50) & (change[3:] * 0.122 <= 1700))  # mg


def test_noise_has_the_density_of_the_datasheet():
    errors = ImuErrors.individual(1)
    part = sampling(200.0, errors=errors)
    rows = []
    for k in range(1, 201):
        part.run_to(float(k))
        rows += [struct.unpack("<3h", word[1:]) for word in words(part, level(part))]
    gyr = np.array(rows[0::2]) * 8.75e-3  # deg/s
    acc = np.array(rows[1::2]) * 0.122  # mg
    # White noise of density d sampled at f has the deviation d * sqrt(f / 2); differences take the drift out.
    bandwidth = np.sqrt(104.17 * (1 + errors.rate_error) / 2)
    # 3 %: 20 000 samples give 0.5 %, rounding of counts and the bias walk the rest.
    assert np.diff(gyr, axis=0).std(axis=0) / np.sqrt(2) == pytest.approx(3.8e-3 * bandwidth, rel=0.03)
    assert np.diff(acc, axis=0).std(axis=0) / np.sqrt(2) == pytest.approx(0.070 * bandwidth, rel=0.03)


def test_individuals_spread_as_the_datasheet_says():
    parts = [ImuErrors.individual(seed) for seed in range(400)]
    zero_rate = np.degrees([p.gyr_bias_rad_s for p in parts])
    zero_g = np.array([p.acc_bias_m_s2 for p in parts]) / G_M_S2 * 1e3
    # 1200 draws: the deviation is known to 2 %, 8 % is four times that.
    assert zero_rate.std() == pytest.approx(1.0, rel=0.08)  # deg/s
    assert zero_g.std() == pytest.approx(20.0, rel=0.08)  # mg
    assert max(abs(p.rate_error) for p in parts) <= 0.04


def test_temperature_shifts_the_zero_by_the_parts_coefficients():
    errors = ImuErrors.individual(2)
    means = []
    for celsius in (25.0, 45.0):
        part = Lsm6dsox(seed=5, errors=errors, temperature_c=celsius)
        part.advance(*still(2.4))
        part.write(reg.FIFO_CTRL3, b"\x44")
        part.write(reg.CTRL1_XL, b"\x48\x40")
        part.write(reg.FIFO_CTRL4, b"\x06")
        part.run_to(2.4)
        rows = [struct.unpack("<3h", word[1:]) for word in words(part, level(part))[::2]]
        means.append(np.mean(rows, axis=0) * np.radians(8.75e-3))
    # The same seed gives the same noise, so only rounding (0.15 mrad/s a count, averaged) is left.
    assert means[1] - means[0] == pytest.approx(20 * errors.gyr_bias_rad_s_per_k, abs=5e-5)


@pytest.mark.parametrize("cuts", [(3.0,), (0.5, 0.505, 1.7, 3.0), tuple(np.arange(0.1, 3.01, 0.1))])
def test_how_the_truth_is_cut_does_not_show(cuts):
    t = np.arange(0, 3.0501, 0.005)
    gyr = np.stack((np.sin(t), np.cos(3 * t), t * 0.1), axis=1)
    acc = np.stack((np.sin(2 * t), t, 9.8 - t), axis=1)

    def fifo_bytes(pieces):
        part = Lsm6dsox(seed=4)
        data, told = b"", 0
        for k, until in enumerate(pieces):
            end = int(np.searchsorted(t, until + 0.05))
            part.advance(t[told:end], gyr[told:end], acc[told:end])
            told = end
            if k == 0:
                part.write(reg.FIFO_CTRL3, b"\x44")
                part.write(reg.CTRL1_XL, b"\x48\x48")
                part.write(reg.FIFO_CTRL4, b"\x06")
            part.run_to(until)
            data += part.read(reg.FIFO_DATA_OUT_TAG, 7 * level(part))
        return data

    # 3 s are more than the FIFO holds, so the reference is cut too.
    assert fifo_bytes(cuts if len(cuts) > 1 else (1.0, 3.0)) == fifo_bytes((2.0, 3.0))


def test_asking_beyond_the_known_truth_is_refused():
    part = sampling(1.0)
    with pytest.raises(ValueError, match="call advance first"):
        part.run_to(2.0)


def test_truth_that_goes_back_in_time_is_refused():
    part = Lsm6dsox()
    part.advance(*still(1))
    with pytest.raises(ValueError, match="expected rising times"):
        part.advance(*still(1))


def test_power_cycle_forgets_the_settings():
    part = sampling()
    part.run_to(1)
    part.power_cycle()
    assert part.read(reg.CTRL1_XL, 2) == b"\x00\x00"
    assert level(part) == 0
