"""Putting it on again, drifting and slipping are noticed at the stated angles."""

import numpy as np
import pytest

from angle_samples import about
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes
from tiltwise.motion.calibration.remount import check_remount, drift_deg, find_slip
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.motion.rotation import rotate
from tiltwise.types import FloatArray, Mount

UP, LEFT = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def _mounting(q: FloatArray, mount: Mount = Mount.HEAD) -> Mounting:
    return mounting_from_axes(rotate(q, UP), rotate(q, LEFT), mount=mount, axes="nod")


@pytest.mark.parametrize(
    ("degrees", "verdict", "words"), [(3, "same", "as before"), (15, "realign", "once you agree")]
)
def test_a_small_change_is_named_and_nothing_is_changed_silently(
    degrees: float, verdict: str, words: str
) -> None:
    found = check_remount(_mounting(about((1, 0, 0), 0.0)), _mounting(about((1, 0, 0), degrees)))
    assert found.verdict == verdict
    assert words in found.text


def test_upside_down_is_refused_with_the_question() -> None:
    found = check_remount(_mounting(about((1, 0, 0), 0.0)), _mounting(about((1, 0, 0), 180.0)))
    assert found.verdict == "refuse"
    assert "upside down" in found.text


def test_another_mount_is_refused() -> None:
    q = about((1, 0, 0), 0.0)
    with pytest.raises(CalibrationError, match="stored for collar, now worn at head"):
        check_remount(_mounting(q, Mount.COLLAR), _mounting(q))


def test_drift_is_the_angle_between_two_walking_references() -> None:
    forward, back = _walks([11.0, 2.0])
    assert drift_deg(back, forward) == pytest.approx(9.0, abs=1e-9)


def _walks(leans_deg: list[float]) -> FloatArray:
    return np.stack([rotate(about((0, 1, 0), lean), UP) for lean in leans_deg])


def test_a_lasting_jump_is_a_slip() -> None:
    times = np.arange(6) * 1800.0
    assert find_slip(times, _walks([2, 4, 3, 17, 18, 16])) == times[3]
    # Two walks before it and two after it are enough, and no fewer.
    assert find_slip(times[:4], _walks([2, 4, 17, 18])) == times[2]
    assert find_slip(times[:3], _walks([2, 17, 18])) is None
    assert find_slip(times[:3], _walks([2, 4, 17])) is None


@pytest.mark.parametrize("leans", [[2, 4, 3, 5, 1, 4], [2, 4, 30, 3, 4, 2], [1, 3, 5, 7, 9, 11], [2, 20], []])
def test_variation_one_odd_walk_slow_drift_and_too_few_are_no_slip(leans: list[float]) -> None:
    walks = _walks([float(x) for x in leans]) if leans else np.empty((0, 3))
    assert find_slip(np.arange(len(leans)) * 1800.0, walks) is None
