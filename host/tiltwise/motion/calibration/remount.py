"""Does the sensor still sit as it did? Checks of a stored Mounting against new evidence, in degrees.

Putting it on again is judged here from a new neutral or calibration, in a day by common/placement_check.py. Nothing
is corrected: the answers are for a person to confirm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tiltwise.motion.calibration.mounting import (
    REMOUNT_REFUSE_DEG,
    Mounting,
    remount_change_deg,
    remount_verdict,
)
from tiltwise.motion.calibration.sitting_still import CalibrationError


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
