"""The live ritual: says what it waits for, counts, ends by itself, and does not care where the stream is cut."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angle_samples import RATE_HZ, body_orientation, random_rotation, ritual, sensor_block, swings
from tiltwise.motion.calibration.guided_calibration import (
    CalibrationProgress,
    CalibrationStep,
    GuidedCalibration,
    find_guided_calibration,
)
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.types import FloatArray, Mount, OrientationBlock


def _cut(block: OrientationBlock, edges: list[int]) -> list[OrientationBlock]:
    marks = [0, *edges, len(block.t_s)]
    return [
        OrientationBlock(block.t_s[a:b], block.q_earth_from_sensor[a:b], block.acc_m_s2[a:b])
        for a, b in pairwise(marks)
    ]


def _steps(block: OrientationBlock, n: int = 5, **settings_: bool) -> list[CalibrationProgress]:
    made = GuidedCalibration(Mount.HEAD, **settings_)
    return [made.process(part) for part in _cut(block, list(range(n, len(block.t_s), n)))]


def test_it_walks_through_its_steps_and_ends_by_itself_in_ten_seconds() -> None:
    block = ritual(np.random.default_rng(1))
    progress = _steps(block)
    order = list(dict.fromkeys(p.step for p in progress))
    assert order == [CalibrationStep.SIT_STILL, CalibrationStep.NOD, CalibrationStep.DONE]
    assert sorted({p.count for p in progress}) == [0, 1, 2, 3]
    still = [p.still_s for p in progress if p.step is CalibrationStep.SIT_STILL]
    assert still == sorted(still)
    assert isinstance(progress[-1].mounting, Mounting)
    done_s = block.t_s[5 * next(k for k, p in enumerate(progress) if p.is_over)]
    assert done_s < 12  # 4 s still, three nods of up to 2.4 s, and the settling


@settings(max_examples=40)
@given(st.lists(st.integers(0, 999), max_size=60).map(sorted))
def test_any_cuts_give_the_same_mounting(edges: list[int]) -> None:
    block = ritual(np.random.default_rng(3))
    assert find_guided_calibration(_cut(block, edges), mount=Mount.HEAD) == find_guided_calibration(
        [block], mount=Mount.HEAD
    )


def test_a_refusal_says_why_and_reset_allows_another_try() -> None:
    made = GuidedCalibration(Mount.HEAD)
    refused = made.process(ritual(np.random.default_rng(2), "sideways"))
    assert refused.step is CalibrationStep.REFUSED
    assert "sideways" in refused.reason
    assert "sideways" in refused.text
    made.reset()
    assert made.process(ritual(np.random.default_rng(2))).mounting is not None


def test_moving_for_half_a_minute_is_refused_with_the_measured_spread() -> None:
    t_s = np.arange(0, 40, 1 / RATE_HZ)
    q = body_orientation(8 * np.sin(3 * t_s), np.zeros_like(t_s), np.zeros_like(t_s))
    with pytest.raises(CalibrationError, match="moved while sitting still"):
        find_guided_calibration(
            [sensor_block(t_s, q, random_rotation(np.random.default_rng(1)))], mount=Mount.HEAD
        )


def test_one_nod_and_then_nothing_is_refused_after_a_while() -> None:
    t_s = np.arange(0, 40, 1 / RATE_HZ)
    q = body_orientation(swings(t_s, [4.0], [20.0]), np.zeros_like(t_s), np.zeros_like(t_s))
    with pytest.raises(CalibrationError, match="only 1 nod seen"):
        find_guided_calibration(
            [sensor_block(t_s, q, random_rotation(np.random.default_rng(1)))], mount=Mount.HEAD
        )


def test_a_lost_signal_begins_anew() -> None:
    block = ritual(np.random.default_rng(1))
    late = OrientationBlock(block.t_s + 30.0, block.q_earth_from_sensor, block.acc_m_s2)
    first = _cut(block, [300])[0]
    made = GuidedCalibration(Mount.HEAD)
    assert made.process(first).step is CalibrationStep.NOD
    assert made.process(_cut(late, [50])[0]).step is CalibrationStep.SIT_STILL
    assert made.process(_cut(late, [50])[1]).mounting is not None


def _with_tilts(q: FloatArray, tilts: list[float]) -> OrientationBlock:
    t_s = np.arange(0, 40, 1 / RATE_HZ)
    flexion = swings(t_s, [4.0, 6.0, 8.0], [20.0] * 3)
    lateral = swings(t_s, [13.0 + 2 * k for k in range(len(tilts))], tilts)
    return sensor_block(t_s, body_orientation(flexion, lateral, np.zeros_like(t_s)), q)


def test_it_asks_for_tilts_when_told_to() -> None:
    q = random_rotation(np.random.default_rng(8))
    progress = _steps(_with_tilts(q, [20.0, -20.0, 20.0]), with_tilts=True)
    assert CalibrationStep.TILT in {p.step for p in progress}
    assert progress[-1].mounting is not None
    assert progress[-1].mounting.axes == "tilt"


def test_without_tilts_when_asked_for_it_is_refused() -> None:
    progress = _steps(_with_tilts(random_rotation(np.random.default_rng(8)), []), with_tilts=True)
    assert progress[-1].step is CalibrationStep.REFUSED
    assert "tilt" in progress[-1].reason


def test_the_collar_is_asked_to_bow() -> None:
    made = GuidedCalibration(Mount.COLLAR)
    nodding = made.process(_cut(ritual(np.random.default_rng(1)), [200])[0])
    assert nodding.step is CalibrationStep.NOD
    assert "Bow your upper back" in nodding.text


def test_a_stream_that_ends_early_says_what_was_missing() -> None:
    with pytest.raises(CalibrationError, match="samples end while waiting"):
        find_guided_calibration(_cut(ritual(np.random.default_rng(1)), [100])[:1], mount=Mount.HEAD)
