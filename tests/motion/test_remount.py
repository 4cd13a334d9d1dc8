"""Putting it on again, drifting and slipping are noticed at the stated angles."""

import numpy as np
import pytest

from angle_samples import about
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes
from tiltwise.motion.calibration.remount import check_remount
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
