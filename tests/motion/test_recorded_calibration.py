"""A calibration at the beginning of a recording is the one that the live calibration finds there."""

from __future__ import annotations

import numpy as np
import pytest

from angle_samples import RATE_HZ, body_orientation, random_rotation, ritual, sensor_block, swings
from tiltwise.motion.calibration.guided_calibration import GuidedCalibration
from tiltwise.motion.calibration.recorded_calibration import recorded_calibration
from tiltwise.motion.rotation import angle_between_deg, rotate
from tiltwise.types import FloatArray, Mount, OrientationBlock

Q = random_rotation(np.random.default_rng(8))


def _story(flexion: FloatArray, lateral: FloatArray | float = 0.0) -> OrientationBlock:
    t_s = np.arange(len(flexion)) / RATE_HZ
    return sensor_block(t_s, body_orientation(flexion, lateral + 0 * t_s, 0 * t_s), Q)


def _nods(starts_s: list[float], end_s: float = 40.0) -> FloatArray:
    return swings(np.arange(0, end_s, 1 / RATE_HZ), starts_s, [20.0] * len(starts_s))


@pytest.mark.parametrize("kind", ["right", "one_nod", "shake", "small", "rocking"])
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_that_of_the_live_calibration(kind: str, seed: int) -> None:
    block = ritual(np.random.default_rng(seed), kind)
    live = GuidedCalibration(Mount.HEAD, is_behind=False).process(block).mounting
    found, end_s = recorded_calibration(block, Mount.HEAD)
    assert (found is None) == (live is None)
    if found is not None and live is not None:
        for axis in np.eye(3):
            assert angle_between_deg(rotate(found.q, axis), rotate(live.q, axis)) < 2.0
        assert 7.0 < end_s < 13.0


def test_it_ends_half_a_second_after_the_third_nod() -> None:
    _, end_s = recorded_calibration(_story(_nods([4.0, 6.0, 8.0])), Mount.HEAD)
    assert end_s == pytest.approx(8.0 + 1.6 + 0.5, abs=0.4)  # a nod is over at 40 % of its way back


def test_with_two_nods_or_a_long_pause_there_is_none() -> None:
    assert recorded_calibration(_story(_nods([4.0, 6.0])), Mount.HEAD) == (None, 0.0)
    assert recorded_calibration(_story(_nods([4.0, 6.0, 25.0])), Mount.HEAD) == (None, 0.0)


def test_it_may_begin_within_the_first_minute_only() -> None:
    walk = 10.0 * np.sin(2 * np.pi * 1.0 * np.arange(0, 50, 1 / RATE_HZ))
    calm = _nods([4.0, 6.0, 8.0], 12.0)
    assert recorded_calibration(_story(np.concatenate((walk, calm))), Mount.HEAD)[0] is not None
    assert recorded_calibration(_story(np.concatenate((walk, walk, calm))), Mount.HEAD)[0] is None


def test_at_the_collar_tilts_follow_the_bows() -> None:
    t_s = np.arange(0, 30, 1 / RATE_HZ)
    bows = swings(t_s, [4.0, 7.0, 10.0], [20.0] * 3, 2.0)
    leans = swings(t_s, [14.0, 17.0, 20.0], [15.0] * 3, 2.0)
    found, end_s = recorded_calibration(_story(bows, leans), Mount.COLLAR)
    assert found is not None
    assert found.axes == "tilt"
    assert end_s > 21.0
    assert recorded_calibration(_story(bows), Mount.COLLAR) == (None, 0.0)


def test_a_recording_that_is_too_short_has_none() -> None:
    block = _story(_nods([4.0, 6.0, 8.0]))
    for n in (0, 1, 2, 100, 250):
        assert recorded_calibration(block.part(slice(n)), Mount.HEAD) == (None, 0.0)


@pytest.mark.parametrize(("start_s", "looks"), [(58.84, 127), (57.7, 72), (37.41, 76)])
def test_a_recording_that_ends_on_the_grid_is_looked_through_to_its_end(start_s: float, looks: int) -> None:
    """By rounding the grid of 0.2 s then ends a moment behind the last sample."""
    t_s = start_s + np.arange(10 * looks + 1) / 50.0
    assert np.searchsorted(t_s, np.arange(t_s[0], t_s[-1], 0.2)[-1]) == len(t_s)
    still = np.zeros(len(t_s))
    block = sensor_block(t_s, body_orientation(still, still, still), Q)
    assert recorded_calibration(block, Mount.HEAD) == (None, 0.0)
