"""Device time finds its place on the host's clock."""

import numpy as np
import pytest

from tiltwise.link.clock import ClockMap


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
