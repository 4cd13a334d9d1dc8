"""Guided calibration of two sensors at once: sit still, bow head and upper back together, lean both to the sides.

One GuidedCalibration per sensor on its own stream; the pair is done when both are. Device time; a sensor without
samples is named, not waited for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tiltwise.motion.calibration.guided_calibration import (
    CalibrationProgress,
    CalibrationStep,
    GuidedCalibration,
)
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import FloatArray, Mount, OrientationBlock

SILENT_S = 3.0  # without samples for this long, a sensor counts as not there
_ORDER = (CalibrationStep.SIT_STILL, CalibrationStep.NOD, CalibrationStep.TILT, CalibrationStep.DONE)
_NAMES = ("head sensor", "collar sensor")
_LEAN = "Lean head and upper back to one side together and come up again, three times."
_BOW = "Bow head and upper back together and come up again, slowly, three times."


class GuidedCalibrationPair:
    """Like GuidedCalibration, for sensor 0 (head or neck) and sensor 1 (collar).

    When done, `progress.mounting` is the head's and `collar` the collar's, or None if that sensor was silent.
    The feel for "behind the joint" is not used: bowing turns the head about the hips as well.
    """

    def __init__(self, mount: Mount, *, with_tilts: bool = True, outward: FloatArray | None = None) -> None:
        self._both = (
            GuidedCalibration(mount, with_tilts=with_tilts, is_behind=False, outward=outward),
            GuidedCalibration(Mount.COLLAR, with_tilts=with_tilts, outward=outward),
        )
        self.reset()

    def reset(self) -> None:
        """Begin again with sitting still."""
        for each in self._both:
            each.reset()
        self.collar: Mounting | None = None
        self._last_s = [-np.inf, -np.inf]
        self._first_s: float | None = None
        self._progress = self._both[0].progress

    @property
    def progress(self) -> CalibrationProgress:
        """Where the two are together."""
        return self._progress

    def process(self, block: OrientationBlock) -> CalibrationProgress:
        """Take samples of either sensor."""
        if self._progress.is_over or block.sensor not in (0, 1) or not len(block.t_s):
            return self._progress
        self._first_s = float(block.t_s[0]) if self._first_s is None else self._first_s
        self._last_s[block.sensor] = float(block.t_s[-1])
        self._both[block.sensor].process(block)
        self._progress = self._together()
        return self._progress

    def _together(self) -> CalibrationProgress:
        both = [each.progress for each in self._both]
        for name, one in zip(_NAMES, both, strict=True):
            if one.step is CalibrationStep.REFUSED:
                reason = f"{name}: {one.reason}"
                return replace(one, reason=reason, text=f"Not calibrated: {reason}")
        silent = self._silent()
        if silent == 0 and both[1].step is CalibrationStep.DONE:
            reason = f"{_NAMES[0]}: no samples from it: check its cable"
            return CalibrationProgress(CalibrationStep.REFUSED, f"Not calibrated: {reason}", reason=reason)
        head, back = both
        if silent == 1 and head.step is CalibrationStep.DONE:
            text = "Calibrated with the head sensor alone: the collar sensor sends nothing."
            return replace(head, text=text)
        behind = min(both, key=lambda one: (_ORDER.index(one.step), one.count))
        if behind.step is not CalibrationStep.DONE:
            text = {CalibrationStep.NOD: _BOW, CalibrationStep.TILT: _LEAN}.get(behind.step, behind.text)
            return replace(behind, text=text, mounting=None)
        self.collar = back.mounting
        assert head.mounting is not None
        assert back.mounting is not None
        head_percent, back_percent = 100 * head.mounting.quality, 100 * back.mounting.quality
        text = f"Calibrated, quality {head_percent:.0f} % (head) and {back_percent:.0f} % (collar)."
        return replace(head, text=text)

    def _silent(self) -> int | None:
        """Which sensor has sent nothing while the other went on."""
        assert self._first_s is not None
        last_s = [max(last, self._first_s) for last in self._last_s]
        if max(last_s) - min(last_s) <= SILENT_S:
            return None
        return int(np.argmin(last_s))
