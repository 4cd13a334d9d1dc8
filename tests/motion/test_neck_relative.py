"""Head minus upper back is the neck, sample by sample, however the two streams arrive."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from angle_samples import RATE_HZ, body_orientation, random_rotation, sensor_block, sway
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.angles.neck_relative import NeckBlock, NeckStage
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.rotation import rotate
from tiltwise.types import AngleBlock, FloatArray, Mount

NAMES = tuple(field.name for field in fields(AngleBlock))[:-1]


def _angles(
    t_s: FloatArray, flexion: FloatArray, lateral: FloatArray, turn: FloatArray, seed: int
) -> AngleBlock:
    """What a sensor mounted anyhow shows; its heading starts anywhere."""
    q = random_rotation(np.random.default_rng(seed))
    mounting = mounting_from_axes(
        rotate(q, np.array([0.0, 0.0, 1.0])),
        rotate(q, np.array([0.0, 1.0, 0.0])),
        mount=Mount.HEAD,
        axes="nod",
    )
    return AnglesStage(mounting).process(
        sensor_block(t_s, body_orientation(flexion, lateral, turn + 77 * seed), q)
    )


def _pair(seconds: float = 20.0) -> tuple[AngleBlock, AngleBlock]:
    """Head at 50 Hz; the upper back at 52 Hz, bending by 12 deg while the head bends by 30."""
    rng = np.random.default_rng(3)
    t_head, t_back = np.arange(0, seconds, 1 / RATE_HZ), np.arange(0, seconds, 1 / 52.0)
    lean = sway(np.concatenate((t_head, t_back)), rng, 6.0)
    head = _angles(t_head, 30 + lean[: len(t_head)], 0 * t_head, 0 * t_head, 1)
    back = _angles(t_back, 12 + lean[len(t_head) :], 0 * t_back, 0 * t_back, 2)
    return head, back


def _slice(block: AngleBlock, first: int, last: int) -> AngleBlock:
    return AngleBlock(*(getattr(block, name)[first:last] for name in NAMES), sensor=block.sensor)


def _after(block: AngleBlock, end_s: float) -> AngleBlock:
    return _slice(block, 0, int(np.searchsorted(block.t_s, end_s)))


def _joined(parts: list[NeckBlock], name: str = "flexion_deg") -> FloatArray:
    return np.concatenate([getattr(part.neck, name) for part in parts])


def test_a_leaning_trunk_is_no_neck_flexion() -> None:
    head, back = _pair()
    stage = NeckStage()
    parts = [stage.process(head, back), stage.finish()]
    relative = np.concatenate([part.is_relative for part in parts])
    assert np.count_nonzero(~relative) <= 1  # only what lies after the last upper-back sample
    # deg: each side is filtered at its own rate, 50 and 52 Hz.
    np.testing.assert_allclose(_joined(parts)[relative][50:], 18.0, atol=0.05)


def test_relative_inclination_is_the_angle_between_the_two_up_vectors() -> None:
    t_s = np.arange(0, 5, 1 / RATE_HZ)
    still = np.zeros_like(t_s)
    head, back = _angles(t_s, still + 40, still, still, 1), _angles(t_s, still + 10, still, still, 2)
    neck = NeckStage().process(head, back).neck
    np.testing.assert_allclose(neck.inclination_deg, 30.0, atol=1e-6)
    np.testing.assert_allclose(neck.lateral_deg, 0.0, atol=1e-6)


def test_a_heading_difference_of_the_two_sensors_does_not_matter() -> None:
    t_s = np.arange(0, 30, 1 / RATE_HZ)
    still = np.zeros_like(t_s)
    head, back = _angles(t_s, still + 25, still, 3 * t_s, 1), _angles(t_s, still + 5, still, -2 * t_s, 2)
    np.testing.assert_allclose(NeckStage().process(head, back).neck.flexion_deg, 20.0, atol=1e-6)


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=10, max_size=80), st.integers(3, 30))
def test_any_cuts_and_order_within_the_patience_give_the_same(turns: list[bool], n: int) -> None:
    head, back = _pair(6.0)
    stage, parts, at = NeckStage(patience_s=2.0), [], {True: 0, False: 0}
    blocks = {True: head, False: back}
    for is_head in turns:
        block, first = blocks[is_head], at[is_head]
        ahead_s = first / RATE_HZ - at[not is_head] / RATE_HZ
        if first < len(block.t_s) and ahead_s < 1.0:
            part = _slice(block, first, first + n)
            parts.append(stage.process(part if is_head else None, None if is_head else part))
            at[is_head] = first + n
    rest = [_slice(blocks[k], at[k], len(blocks[k].t_s)) for k in (True, False)]
    parts += [stage.process(rest[0], rest[1]), stage.finish()]
    whole = NeckStage(patience_s=2.0)
    expected = [whole.process(head, back), whole.finish()]
    for name in NAMES:
        np.testing.assert_allclose(
            _joined(parts, name), _joined(expected, name), rtol=0, atol=1e-9, err_msg=name
        )


def test_a_silent_upper_back_degrades_to_the_head_alone_and_says_so() -> None:
    head, back = _pair()
    stage = NeckStage()
    first = stage.process(_after(head, 10.0), _after(back, 10.0))
    alone = stage.process(_slice(head, 500, 1000), None)
    assert first.is_relative.all()
    assert not alone.is_relative[5:].any()
    inside = np.isin(head.t_s, alone.neck.t_s)
    np.testing.assert_array_equal(alone.neck.flexion_deg[5:], head.flexion_deg[inside][5:])
    assert np.isnan(alone.upper_back.flexion_deg[5:]).all()
    assert alone.neck.t_s[-1] >= head.t_s[-1] - 1.05  # held back by the patience, no longer


def test_a_hole_in_the_upper_back_is_not_bridged() -> None:
    head, back = _pair()
    holed = AngleBlock(
        *(np.delete(getattr(back, name), np.s_[520:624]) for name in NAMES), sensor=1
    )  # 10 s to 12 s
    block = NeckStage().process(head, holed)
    missing = block.neck.t_s[~block.is_relative]
    assert missing[0] == pytest.approx(10.0, abs=0.05)
    assert missing[-1] == pytest.approx(12.0, abs=0.05)


def test_an_upper_back_alone_gives_nothing_and_does_not_pile_up() -> None:
    _, back = _pair(200.0)
    stage = NeckStage()
    for first in range(0, len(back.t_s), 520):
        assert len(stage.process(None, _slice(back, first, first + 520)).neck.t_s) == 0
    assert stage._back.shape[1] < 62 * 52
