"""Packing and decoding a file gives back its times and values."""

import numpy as np
import pytest

from tiltwise.common import auth, wire
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Info
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.types import ImuBlock, SignalGap

RNG = np.random.default_rng(5)


def signals(n):
    return RNG.normal(0, 1.5, (n, 3)), RNG.normal(0, 2, (n, 3)) + [0, 0, 9.8]


def decoded(frames, tagger=None):
    decoder = Decoder(tagger)
    items = decoder.feed_many(frames) + decoder.flush()
    blocks = [item for item in items if isinstance(item, ImuBlock)]
    gaps = [item for item in items if isinstance(item, SignalGap)]
    joined = [np.concatenate([getattr(b, name) for b in blocks]) for name in ("t_s", "gyr_rad_s", "acc_m_s2")]
    info = next(item for item in items if isinstance(item, Info))
    return *joined, gaps, info, decoder.stats


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100 / 3, 104.0, 286.0])
@pytest.mark.parametrize("n", [1, 9, 10, 11, 4003])
def test_round_trip_keeps_times_within_100_us_and_values_within_half_a_count(rate_hz, n):
    t_s = 3.00004 + np.arange(n) / rate_hz
    gyr, acc = signals(n)
    t_back, gyr_back, acc_back, gaps, info, stats = decoded(pack_imu_frames(t_s, gyr, acc, rate_hz=rate_hz))
    assert np.abs(t_back - t_s).max() <= 1e-4  # s: half a tick, and the period measured with ticks
    # half a count, and 1 % of it for the rounding of count times scale
    assert np.abs(gyr_back - gyr).max() <= 0.505 * info.gyr_rad_s_per_count
    assert np.abs(acc_back - acc).max() <= 0.505 * info.acc_m_s2_per_count
    assert gaps == []
    assert stats.samples == n


def test_quantisation_of_a_usual_recording_is_far_below_sensor_noise():
    gyr, acc = signals(5000)
    info = decoded(pack_imu_frames(np.arange(5000) / 50, gyr, acc, rate_hz=50.0))[4]
    assert info.gyr_rad_s_per_count < 4e-4  # rad/s; consumer gyroscopes have about 1e-3 at 50 Hz
    assert info.acc_m_s2_per_count < 1e-3  # m/s2; consumer accelerometers have about 1e-2


def test_rate_a_little_off_the_nominal_one_keeps_times_within_100_us():
    # 300 ppm: what the clocks of two good devices differ by; files give the rate of their median step.
    t_s = np.arange(6000) / (50.0 * 1.0003)
    t_back = decoded(pack_imu_frames(t_s, *signals(6000), rate_hz=50.0))[0]
    assert np.abs(t_back - t_s).max() <= 1e-4


def test_uneven_times_make_shorter_frames_and_stay_within_tolerance():
    t_s = np.cumsum(RNG.uniform(0.012, 0.028, 3000))
    t_back, gyr_back, *_ = decoded(pack_imu_frames(t_s, *signals(3000), rate_hz=50.0))
    assert len(gyr_back) == 3000
    # 0.2 ms grid tolerance, half a tick, and a period measured on stamps that are up to 8 ms early or late
    assert np.abs(t_back - t_s).max() <= 1e-3
    assert np.all(np.diff(t_back) > 0)


def test_missing_samples_come_back_as_one_gap_with_its_length():
    t_s = np.arange(1000) / 50
    keep = np.r_[0:403, 437:1000]
    gyr, acc = signals(len(keep))
    t_back, *_, gaps, _, _ = decoded(pack_imu_frames(t_s[keep], gyr, acc, rate_hz=50.0))
    assert np.abs(t_back - t_s[keep]).max() <= 1e-4
    assert [(round(gap.start_s, 3), round(gap.end_s, 3), str(gap.reason)) for gap in gaps] == [
        (8.06, 8.74, "device")
    ]


def test_times_beyond_the_wrap_of_t0_go_on():
    t_s = (2**32 - 5000) * wire.TICK_S + np.arange(200) / 50
    t_back = decoded(pack_imu_frames(t_s, *signals(200), rate_hz=50.0))[0]
    assert np.abs(t_back - t_s).max() <= 1e-4


def test_signed_frames_need_the_key():
    tagger = auth.Tagger(bytes(range(32)))
    frames = pack_imu_frames(np.arange(30) / 50, *signals(30), rate_hz=50.0, tagger=tagger)
    assert len(decoded(frames, tagger)[0]) == 30
    without = Decoder()
    assert without.feed_many(frames) == []
    assert sum(without.stats.bad.values()) == len(frames)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t_s": np.array([0.0, 0.02, 0.02])}, "grow"),
        ({"t_s": np.array([-1.0, 0.0, 0.02])}, "begin at 0"),
        ({"t_s": np.array([0.0, np.nan, 0.04])}, "not finite"),
        ({"t_s": np.zeros(0)}, "expected t_s"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"samples_per_frame": 16}, "samples_per_frame"),
    ],
)
def test_wrong_arguments_are_told(change, message):
    gyr, acc = signals(3)
    arguments = {"t_s": np.arange(3) / 50, "gyr_rad_s": gyr, "acc_m_s2": acc, "rate_hz": 50.0} | change
    with pytest.raises(ValueError, match=message):
        pack_imu_frames(**arguments)
