"""Head and collar together: the neck is their difference, either may fail, and cuts do not matter."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tiltwise.decode.decoder import Decoder
from tiltwise.detect.posture import RuleSettings
from tiltwise.motion.calibration.guided_calibration import CalibrationStep
from tiltwise.motion.calibration.guided_calibration_pair import GuidedCalibrationPair
from tiltwise.motion.calibration.mounting import mounting_from_axes, mounting_from_up
from tiltwise.pair_tracker import PairTracker, PairUpdate
from tiltwise.sim.board.simulation import Simulation
from tiltwise.tracker import TrackerSettings, part_of
from tiltwise.types import (
    EpisodeAlert,
    EpisodeEnded,
    Event,
    ImuBlock,
    Mount,
    OrientationBlock,
    PostureKind,
    SignalGap,
)

COLLAR_ADDRESS, HEAD_ADDRESS = 0x6B, 0x6A
RULE = RuleSettings(20.0, 15.0, 30.0)
Block = ImuBlock | OrientationBlock


def blocks_of(simulation: Simulation, faults: dict[float, tuple[str, int]] | None = None) -> list[Block]:
    """Return the samples of both sensors as they came; faults are bus calls at virtual times."""
    decoder, waiting = Decoder(), sorted((faults or {}).items())
    found: list[Block] = []
    for virtual_s, frame in simulation:
        while waiting and virtual_s >= waiting[0][0]:
            _, (call, address) = waiting.pop(0)
            getattr(simulation.board.bus, call)(address)
        found += [item for item in decoder.feed(frame) if isinstance(item, (ImuBlock, OrientationBlock))]
    return found


def calibrated(blocks: list[Block]) -> tuple[PairTracker, list[Block]]:
    """Return the tracker that the ritual gives and the blocks after it."""
    ritual = GuidedCalibrationPair(Mount.HEAD)
    for k, block in enumerate(blocks):
        assert isinstance(block, OrientationBlock)
        progress = ritual.process(block)
        if progress.mounting is not None:
            assert ritual.collar is not None
            return PairTracker(
                TrackerSettings(progress.mounting, RULE), TrackerSettings(ritual.collar, RULE)
            ), blocks[k + 1 :]
        assert progress.step is not CalibrationStep.REFUSED, progress.reason
    raise AssertionError("the ritual did not end")


def run(tracker: PairTracker, blocks: list[Block]) -> tuple[list[PairUpdate], list[Event]]:
    updates = [tracker.process(block) for block in blocks]
    return updates, [e for u in updates for e in u.events] + tracker.finish()


def neck_of(updates: list[PairUpdate]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    necks = [u.neck for u in updates if u.neck is not None]
    columns = (
        [n.neck.t_s for n in necks],
        [n.neck.flexion_deg for n in necks],
        [n.upper_back.flexion_deg for n in necks],
        [n.is_relative for n in necks],
    )
    t_s, neck, back, is_relative = (np.concatenate(column) for column in columns)
    return t_s, neck, back, is_relative


@pytest.fixture(scope="module")
def slouch() -> tuple[Simulation, PairTracker, list[Block]]:
    simulation = Simulation("slouch", seed=2, minutes=2.5, mount=Mount.HEAD, two_sensors=True)
    return simulation, *calibrated(blocks_of(simulation))


@pytest.fixture(scope="module")
def phone() -> tuple[Simulation, PairTracker, list[Block]]:
    simulation = Simulation("phone", seed=5, minutes=2.0, mount=Mount.HEAD, two_sensors=True)
    return simulation, *calibrated(blocks_of(simulation))


@pytest.mark.parametrize("story", ["slouch", "phone"])
def test_neck_and_upper_back_are_within_three_degrees_of_the_truth(
    story: str, request: pytest.FixtureRequest
) -> None:
    """3 deg RMSE is the issue's goal on real data; simulated wearers show 1.0 to 2.3 (skin moves under the parts)."""
    simulation, tracker, blocks = request.getfixturevalue(story)
    updates, _ = run(tracker, blocks)
    t_s, neck, back, is_relative = neck_of(updates)
    truth = simulation.wearer.motion(t_s, Mount.HEAD)
    good = truth.is_worn & is_relative
    assert np.count_nonzero(good) > 0.5 * len(t_s)
    assert np.sqrt(np.mean((neck - truth.neck_flexion_deg)[good] ** 2)) < 3.0
    assert np.sqrt(np.mean((back - truth.upper_back_tilt_deg)[good] ** 2)) < 3.0


def test_a_slump_is_the_upper_backs_and_a_phone_is_the_necks(
    slouch: tuple[Simulation, PairTracker, list[Block]], phone: tuple[Simulation, PairTracker, list[Block]]
) -> None:
    """In the slump trunk 32 and head 42 deg lean forward, so the neck bends by 10 only."""
    _, tracker, blocks = slouch
    _, events = run(tracker, blocks)
    assert {e.kind for e in events if isinstance(e, EpisodeAlert)} == {PostureKind.UPPER_BACK_FORWARD_TILT}
    _, tracker, blocks = phone
    _, events = run(tracker, blocks)
    assert {e.kind for e in events if isinstance(e, EpisodeAlert)} == {PostureKind.FORWARD_FLEXION}


def test_cuts_and_order_of_arrival_change_nothing(
    slouch: tuple[Simulation, PairTracker, list[Block]],
) -> None:
    _, tracker, blocks = slouch
    blocks = blocks[: len(blocks) * 2 // 3]
    whole, events = run(tracker, blocks)
    assert any(isinstance(event, EpisodeAlert) for event in events)
    rng = np.random.default_rng(5)
    cut: list[Block] = []
    for block in blocks:
        edges = sorted({0, len(block.t_s), *rng.integers(0, len(block.t_s) + 1, 2).tolist()})
        cut += [part_of(block, slice(a, b)) for a, b in pairwise(edges)]
    late = sorted(cut, key=lambda block: block.t_s[-1] + (0.6 if block.sensor else 0.0))
    parts, again = run(tracker, late)

    def key(event: Event) -> tuple[float, str]:
        return event.t_s, repr(event)

    assert sorted(events, key=key) == sorted(again, key=key)
    for one, other in zip(neck_of(whole), neck_of(parts), strict=True):
        n = min(len(one), len(other))  # the last second may still wait
        assert n > 0.95 * len(one)
        np.testing.assert_allclose(one[:n], other[:n], atol=1e-9)


def test_without_the_collar_the_head_goes_on_and_says_so() -> None:
    simulation = Simulation("slouch", seed=2, minutes=2.5, mount=Mount.HEAD, two_sensors=True)
    faults = {60.0: ("unplug", COLLAR_ADDRESS), 110.0: ("plug", COLLAR_ADDRESS)}
    updates, events = run(*calibrated(blocks_of(simulation, faults)))
    notes = [note for update in updates for note in update.notes]
    assert [note.text.split(":")[0] for note in notes] == [
        "the collar sensor is silent",
        "the collar sensor is there",
    ]
    assert notes[0].t_s == pytest.approx(63.0, abs=0.5)  # 3 s of patience
    assert notes[1].t_s == pytest.approx(110.5, abs=1.0)  # the board looks for it twice a second
    t_s, neck, _, is_relative = neck_of(updates)
    assert not is_relative[(t_s > 61) & (t_s < 109)].any()
    assert is_relative[t_s > 112].all()
    truth = simulation.wearer.motion(t_s, Mount.HEAD)
    alone = (t_s > 64) & (t_s < 109)
    assert np.sqrt(np.mean((neck - truth.flexion_deg)[alone] ** 2)) < 3.0  # the head's own, deg
    gaps = [e for e in events if isinstance(e, SignalGap)]
    assert [gap.sensor for gap in gaps] == [1]
    ended = [e for e in events if isinstance(e, EpisodeEnded) and e.kind is PostureKind.FORWARD_FLEXION]
    # The slump counted for the head while it was alone; its episode ends, uncorrected, when the meaning changes.
    assert all(not e.is_corrected for e in ended if e.end_s > 109)


def test_without_the_head_the_collar_goes_on_and_says_so() -> None:
    simulation = Simulation("slouch", seed=2, minutes=2.5, mount=Mount.HEAD, two_sensors=True)
    faults = {30.0: ("unplug", HEAD_ADDRESS), 140.0: ("plug", HEAD_ADDRESS)}
    updates, events = run(*calibrated(blocks_of(simulation, faults)))
    notes = [note.text for update in updates for note in update.notes]
    assert "the head sensor is silent: only the upper back is watched until it is back" in notes
    assert "the head sensor is back" in notes
    alerts = [e for e in events if isinstance(e, EpisodeAlert) and 30 < e.t_s < 140]
    assert {e.kind for e in alerts} == {PostureKind.UPPER_BACK_FORWARD_TILT}


def test_a_restarted_board_begins_afresh(slouch: tuple[Simulation, PairTracker, list[Block]]) -> None:
    _, tracker, blocks = slouch
    first, _ = run(tracker, blocks[:200])
    shifted = [replace(block, t_s=block.t_s - 1000.0) for block in blocks[:200]]
    tracker_updates = [tracker.process(block) for block in (*blocks[:200], *shifted)]
    tracker.finish()
    t_s, neck, _, _ = neck_of(tracker_updates)
    t_first, neck_first, _, _ = neck_of(first)
    fresh = t_s < 0
    n = min(np.count_nonzero(fresh), len(t_first))
    np.testing.assert_allclose(neck[fresh][:n], neck_first[:n], atol=1e-9)


def test_two_sensors_need_forward_on_both() -> None:
    up = np.array([0.0, 0.0, 1.0])
    full = TrackerSettings(mounting_from_axes(up, np.array([0.0, 1.0, 0.0]), mount=Mount.HEAD, axes="nod"))
    with pytest.raises(ValueError, match="collar sensor does not know forward"):
        PairTracker(full, TrackerSettings(mounting_from_up(up, mount=Mount.COLLAR)))


def test_the_ritual_goes_on_without_a_silent_collar() -> None:
    simulation = Simulation("upright", seed=2, minutes=0.5, mount=Mount.HEAD, two_sensors=True)
    ritual = GuidedCalibrationPair(Mount.HEAD)
    for block in blocks_of(simulation):
        if block.sensor == 0:
            assert isinstance(block, OrientationBlock)
            ritual.process(block)
    assert ritual.progress.mounting is not None
    assert ritual.collar is None
    assert "collar sensor sends nothing" in ritual.progress.text


def test_the_ritual_names_a_silent_head() -> None:
    simulation = Simulation("upright", seed=2, minutes=0.5, mount=Mount.HEAD, two_sensors=True)
    ritual = GuidedCalibrationPair(Mount.HEAD)
    for block in blocks_of(simulation):
        if block.sensor == 1:
            assert isinstance(block, OrientationBlock)
            ritual.process(block)
    assert ritual.progress.step is CalibrationStep.REFUSED
    assert "head sensor: no samples" in ritual.progress.reason
