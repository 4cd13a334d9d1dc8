"""Device time finds its place on the host's clock."""

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import Frame, read_frame
from tiltwise.link.clock_sync import BootClock, ClockMap


def orient_frame(seq: int, device_s: float) -> Frame:
    """Ten samples at 50 Hz from this device time on."""
    frame = bytearray(wire.frame_size(wire.ORIENT, 10))
    ticks = round(device_s / wire.TICK_S)
    wire.pack_header_into(frame, wire.ORIENT, 0, 7, seq, 10 * seq, ticks, 10, 0, wire.RATES_HZ.index(50.0))
    return read_frame(bytes(frame))


def test_drift_and_radio_delay_are_followed_within_20_ms():
    rng = np.random.default_rng(11)
    clock, errors = ClockMap(), []
    drift = 40e-6
    for device_s in np.arange(0, 3600, 0.2):
        true_s = 5000 + device_s * (1 + drift)
        # 30 ms connection interval, and now and then a host that is busy for half a second
        late_s = rng.uniform(0.002, 0.032) + (rng.uniform(0, 0.5) if rng.random() < 0.05 else 0)
        clock.update(device_s, true_s + late_s)
        errors.append(clock.to_received_s(device_s) - true_s)
    assert np.percentile(np.abs(errors[1500:]), 95) < 0.015  # s: the bar of the fault catalogue
    assert np.abs(errors).max() < 0.6  # s: never worse than the delay of the first frame
    assert clock.drift_ppm == pytest.approx(40, abs=10)


def test_later_frames_do_not_change_what_was_said_before():
    frames = [(0.0, 100.01), (1.0, 101.02), (31.0, 131.01), (62.0, 162.02), (95.0, 195.01)]
    clock, said = ClockMap(), []
    for device_s, received_s in frames:
        clock.update(device_s, received_s)
        said.append(clock.to_received_s(device_s))
    again = ClockMap()
    for device_s, received_s in frames[:3]:
        again.update(device_s, received_s)
    assert again.to_received_s(31.0) == said[2]


def test_without_a_frame_there_is_no_answer():
    clock = ClockMap()
    assert not clock.is_ready
    with pytest.raises(ValueError, match="no live frame"):
        clock.to_received_s(1.0)


def test_answers_take_off_what_even_the_fastest_frame_is_late_by():
    rng = np.random.default_rng(5)
    clock, errors, drift = BootClock(), [], 35e-6
    for k in range(3 * 3600 * 5):
        device_s = 0.2 * k
        true_s = 5000 + device_s * (1 + drift)
        if k % 300 == 0:
            for _ in range(8 if k % 3000 == 0 else 1):  # as at a connect, and each minute
                there_s, back_s = 0.004 + rng.exponential(0.015, 2)
                came = round((device_s + there_s) * 1e4) & 0xFFFFFFFF
                clock.learn_ping(true_s, came, came + 3, true_s + there_s + 3e-4 + back_s)
        late_s = 0.04 + rng.exponential(0.015)  # FIFO, batch and air: never less than 40 ms
        clock.learn(orient_frame(k, device_s), true_s + 0.2 + late_s)
        errors.append(clock.to_received_s(device_s) - true_s)
    assert np.percentile(np.abs(errors), 95) < 0.015  # s: the bar of the fault catalogue
    assert abs(np.median(errors)) < 0.01


def test_answers_alone_are_enough_and_ticks_may_wrap():
    clock = BootClock()
    last = (1 << 32) - 5
    clock.learn_ping(10.0, last, last + 2, 10.0202)
    clock.learn_ping(11.0, (last + 10_000) & 0xFFFFFFFF, (last + 10_002) & 0xFFFFFFFF, 11.0202)
    start_s, _ = clock.device_span(orient_frame(0, ((last + 20_000) & 0xFFFFFFFF) / 1e4))
    assert start_s == pytest.approx((last + 20_000) / 1e4)
    assert clock.to_received_s(start_s) == pytest.approx(12.01, abs=1e-3)


def test_a_clock_that_goes_back_is_learnt_anew():
    clock = BootClock()
    for k in range(1000):
        clock.learn(orient_frame(k, 500 + 0.2 * k), 0.2 * k + 0.21)
    clock.learn(orient_frame(1000, 1.0), 260.2)
    assert clock.to_received_s(1.0) == pytest.approx(260.0, abs=0.01)


def test_before_anything_is_live_what_was_known_holds():
    clock = BootClock()
    assert not clock.is_ready
    clock.fix(100.0, 50.0, 1 + 1e-4)
    assert clock.is_ready
    assert clock.to_received_s(1100.0) == pytest.approx(1050.1)
    clock.learn(orient_frame(0, 1200.0), 2000.2)
    assert clock.to_received_s(1200.0) == pytest.approx(2000.0)
