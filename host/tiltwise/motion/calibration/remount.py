"""Does the sensor still sit as it did? Checks of a stored Mounting against new evidence, in degrees.

Putting it on again is judged from a new neutral or calibration, slow drift from upright walking, slipping from a
sudden lasting change between walks. Nothing is corrected here: the answers are for a person to confirm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tiltwise.motion.calibration.mounting import (
    REMOUNT_REFUSE_DEG,
    Mounting,
    remount_change_deg,
    remount_verdict,
)
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.motion.rotation import angle_between_deg, normalise
from tiltwise.types import FloatArray

DRIFT_DEG = 7.5  # walking heads differ from day to day by a few degrees; beyond this a new neutral is due
SLIP_DEG = 10.0  # as for putting it on again: the sensor sits differently


@dataclass(frozen=True, slots=True)
class RemountCheck:
    """How differently it sits, what to do, and the words for it."""

    change_deg: float
    verdict: Literal["same", "realign", "refuse"]
    text: str


def check_remount(stored: Mounting, now: Mounting) -> RemountCheck:
    """Compare the stored mounting with a new one of the same mount (a full calibration, or just a neutral).

    Raises
    ------
    CalibrationError
        If they are of different mounts: angles of a collar and of a head are different things.
    """
    if stored.mount is not now.mount:
        raise CalibrationError(
            f"stored for {stored.mount}, now worn at {now.mount}: calibrate for {now.mount}"
        )
    change_deg = remount_change_deg(stored, now)
    verdict = remount_verdict(change_deg)
    text = {
        "same": f"It sits as before ({change_deg:.0f} deg).",
        "realign": f"It sits {change_deg:.0f} deg differently: the new alignment is used once you agree.",
        "refuse": f"It sits {change_deg:.0f} deg differently, expected under {REMOUNT_REFUSE_DEG:.0f} deg: "
        "is it upside down or in another place? Put it on as before, or calibrate again.",
    }[verdict]
    return RemountCheck(change_deg, verdict, text)


def drift_deg(reference_up_body: FloatArray, now_up_body: FloatArray) -> float:
    """Return the angle in deg between two means of "up" while walking, (3,); beyond DRIFT_DEG ask for a neutral."""
    return float(angle_between_deg(reference_up_body, now_up_body))


def find_slip(walk_t_s: FloatArray, walk_up_body: FloatArray) -> float | None:
    """Return when the sensor slipped: the time of the first walk after which "up" stays SLIP_DEG or more away.

    Parameters
    ----------
    walk_t_s
        Times of the walks of a day, (k,).
    walk_up_body
        Mean up in body axes of each, (k, 3). Two walks before and two after a slip are needed to see one.
    """
    for k in range(2, len(walk_t_s) - 1):
        before = normalise(np.mean(walk_up_body[:k], axis=0))
        if np.all(angle_between_deg(walk_up_body[k:], before) >= SLIP_DEG):
            return float(walk_t_s[k])
    return None
