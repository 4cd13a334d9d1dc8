"""The guided calibration on a live stream, for `tiltwise calibrate` and for a `watch` that begins without one.

Blocks of samples in; where the calibration is, and at the end how the sensors sit, out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.decode.messages import Info
from tiltwise.live.wearer.case_orientation import OFF, outward_axis
from tiltwise.motion.calibration.guided_calibration import (
    CalibrationProgress,
    CalibrationStep,
    GuidedCalibration,
)
from tiltwise.motion.calibration.guided_calibration_pair import GuidedCalibrationPair
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.types import ImuBlock, Mount, OrientationBlock

_KEEP_S = 60.0  # of samples for the picture: a whole calibration with side tilts


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """How to calibrate.

    Parameters
    ----------
    with_tilts
        Ask for side tilts too: finer axes. A sensor on the collar always asks for them.
    is_in_front
        The sensor is not behind the joint: glasses, headphones.
    face
        Case orientation: "auto", "off" or a sensor axis such as "+z" (case_orientation.py).
    """

    with_tilts: bool = False
    is_in_front: bool = False
    face: str = OFF


class LiveCalibration:
    """Streaming; begins again by itself after a refusal. `refusals` are the reasons so far.

    Parameters
    ----------
    mount
        Where the (first) sensor is worn. A board with two sensors is calibrated with the other one on the collar,
        unless this one is there.
    """

    def __init__(self, mount: Mount, options: CalibrationOptions) -> None:
        self._mount, self._options = mount, options
        self._guide: GuidedCalibration | GuidedCalibrationPair | None = (
            None  # made with the board's INFO at hand
        )
        self._orientation: dict[int, OrientationStage] = {}
        self._kept: dict[int, list[OrientationBlock]] = {}
        self.refusals: list[str] = []

    @property
    def mounting(self) -> Mounting | None:
        """How the sensor sits, None until it is known."""
        return None if self._guide is None else self._guide.progress.mounting

    @property
    def collar(self) -> Mounting | None:
        """How the second sensor sits, None without one or while it is silent."""
        return self._guide.collar if isinstance(self._guide, GuidedCalibrationPair) else None

    @property
    def lacks_collar(self) -> bool:
        """Whether it is done with two sensors, of which the collar's was silent."""
        is_pair = isinstance(self._guide, GuidedCalibrationPair)
        return is_pair and self.mounting is not None and self.collar is None

    def process(self, block: ImuBlock | OrientationBlock, info: Info | None) -> CalibrationProgress:
        """Take samples of a sensor; info is what the board said of itself."""
        guide = self._guide = self._guide or self._new_guide(info)
        if isinstance(block, ImuBlock):
            block = self._orientation.setdefault(block.sensor, OrientationStage()).process(block)
        if block.sensor and isinstance(guide, GuidedCalibration):
            return guide.progress
        self._keep(block)
        progress = guide.process(block)
        if progress.step is CalibrationStep.REFUSED:
            self.refusals.append(progress.reason)
            guide.reset()
            self._kept.clear()
        return progress

    def samples(self, sensor: int) -> OrientationBlock:
        """Return what a sensor saw during the try that counted, at most the last minute."""
        parts = self._kept[sensor]
        t_s, q, acc = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("t_s", "q_earth_from_sensor", "acc_m_s2")
        )
        return OrientationBlock(t_s, q, acc, None, sensor)

    def _keep(self, block: OrientationBlock) -> None:
        kept = self._kept.setdefault(block.sensor, [])
        if len(block.t_s):
            kept.append(block)
        while len(kept) > 1 and kept[-1].t_s[-1] - kept[0].t_s[-1] > _KEEP_S:
            kept.pop(0)

    def _new_guide(self, info: Info | None) -> GuidedCalibration | GuidedCalibrationPair:
        """Both sensors at once when the board has two: nods for the head, bows for the collar."""
        if info is not None and info.imu_count == 2 and self._mount is not Mount.COLLAR:
            return GuidedCalibrationPair(self._mount, outward=outward_axis(self._options.face, info))
        tilts = self._options.with_tilts or None
        if self._options.is_in_front:  # the case orientation of glasses and headphones is unknown
            return GuidedCalibration(self._mount, with_tilts=tilts, is_behind=False)
        return GuidedCalibration(
            self._mount, with_tilts=tilts, outward=outward_axis(self._options.face, info)
        )
