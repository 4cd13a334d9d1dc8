"""The whole tracker on what a simulated board sent: any cuts give the same angles and exactly the same events."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.detect.posture import RuleSettings
from tiltwise.motion.calibration.guided_calibration import find_guided_calibration
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.sim.board.simulation import Simulation
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import EpisodeAlert, EpisodeEnded, Event, ImuBlock, Mount, OrientationBlock, Update

STREAMS = [pytest.param(wire.ORIENT, id="orient"), pytest.param(wire.RAW, id="raw")]
ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg", "rate_deg_s", "up_acc_m_s2")
Block = ImuBlock | OrientationBlock


def joined(blocks: list[Block]) -> Block:
    names = ("t_s", "gyr_rad_s", "q_earth_from_sensor", "acc_m_s2")
    has = [n for n in names if getattr(blocks[0], n, None) is not None]
    return replace(blocks[0], **{n: np.concatenate([getattr(b, n) for b in blocks]) for n in has})


def taken(block: Block, which: np.ndarray | slice) -> Block:
    names = ("t_s", "gyr_rad_s", "q_earth_from_sensor", "acc_m_s2")
    has = [n for n in names if getattr(block, n, None) is not None]
    return replace(block, **{n: getattr(block, n)[which] for n in has})


@cache
def story(stream: int) -> tuple[Block, Mounting, Update]:
    """Four minutes with a slump and all else, with holes of 0.1, 0.8 and 5 s; the mounting; the answer in one go."""
    simulation = Simulation("demo", seed=2, minutes=4, mount=Mount.NECK, stream=stream)
    items = Decoder().feed_many([frame for _, frame in simulation])
    block = joined([i for i in items if isinstance(i, (ImuBlock, OrientationBlock))])
    oriented = OrientationStage().process(block) if isinstance(block, ImuBlock) else block
    mounting = find_guided_calibration([oriented], mount=Mount.NECK)
    lost = np.zeros(len(block.t_s), dtype=bool)
    for start_s, seconds in ((30.0, 0.1), (45.0, 0.8), (150.0, 5.0)):
        lost |= (block.t_s >= start_s) & (block.t_s < start_s + seconds)
    block = taken(block, ~lost)
    return block, mounting, tracked(block, mounting, [])


def tracked(block: Block, mounting: Mounting, cuts: list[int]) -> Update:
    """All angles, activity and events of a block cut there."""
    tracker = Tracker(TrackerSettings(mounting, rule=RuleSettings()))
    updates = [tracker.process(taken(block, slice(a, b))) for a, b in pairwise([0, *cuts, len(block.t_s)])]
    events: list[Event] = [e for u in updates for e in u.events] + tracker.finish()
    columns = {n: np.concatenate([getattr(u.angles, n) for u in updates]) for n in ("t_s", *ANGLES)}
    angles = replace(updates[0].angles, acc_norm_m_s2=np.empty(0), **columns)
    return Update(angles, np.concatenate([u.activity for u in updates]), tuple(events))


def assert_same(ours: Update, whole: Update) -> None:
    assert_same_angles(ours, whole)
    assert ours.events == whole.events


def assert_same_angles(ours: Update, whole: Update) -> None:
    np.testing.assert_array_equal(ours.angles.t_s, whole.angles.t_s)
    for name in ANGLES:  # deg, deg/s, m/s2: the contract allows 1e-9
        np.testing.assert_allclose(getattr(ours.angles, name), getattr(whole.angles, name), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ours.activity, whole.activity)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_story_has_gaps_an_alert_and_a_correction(stream: int) -> None:
    events = story(stream)[2].events
    assert {type(e).__name__ for e in events} >= {
        "SignalGap",
        "EpisodeAlert",
        "EpisodeEnded",
        "ActivityChanged",
    }
    assert any(isinstance(e, EpisodeEnded) and e.is_corrected and e.alert_s is not None for e in events)
    assert sum(isinstance(e, EpisodeAlert) for e in events) >= 1


@pytest.mark.parametrize("stream", STREAMS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), pieces=st.sampled_from([2, 7, 60, 400]))
def test_random_cuts_change_nothing(stream: int, seed: int, pieces: int) -> None:
    print(f"seed {seed}, {pieces} pieces")
    block, mounting, whole = story(stream)
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(block.t_s) + 1, pieces - 1))
    assert_same(tracked(block, mounting, cuts.tolist()), whole)


@pytest.mark.parametrize("stream", STREAMS)
def test_sample_by_sample_round_a_gap_changes_nothing(stream: int) -> None:
    block, mounting, whole = story(stream)
    first, last = np.searchsorted(block.t_s, (148.0, 157.0)).tolist()
    assert_same(tracked(block, mounting, list(range(first, last))), whole)


@pytest.mark.parametrize("stream", STREAMS)
def test_small_blocks_change_no_angle_and_no_activity(stream: int) -> None:
    block, mounting, whole = story(stream)
    assert_same_angles(tracked(block, mounting, list(range(25, len(block.t_s), 25))), whole)
