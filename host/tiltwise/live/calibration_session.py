"""A calibration on a live source: prompts, ticks of the motor, and the mounting that comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tiltwise.decode.decoder import Decoder
from tiltwise.link.commands import Acknowledger
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

TRIES = 3


ACK_EVERY_S = 1.0  # received time; the board waits for acknowledgements


_KEEP_S = 60.0  # of samples for the picture: a whole ritual with side tilts


@dataclass(slots=True)
class CalibrationSession:
    """Decoder, orientation and ritual of a session that only calibrates; frames in, progress out.

    It has no clock and prints nothing. `refusals` are the reasons so far; it is over when done or out of tries.
    """

    mount: Mount
    with_tilts: bool = False
    is_in_front: bool = False
    face: str = OFF
    # The ritual means over seconds, and the motor ticks at its steps: a hole there would cost more than the shaking.
    decoder: Decoder = field(default_factory=lambda: Decoder(max_without_info=None, keeps_shaken=True))
    refusals: list[str] = field(default_factory=list)
    _ritual: GuidedCalibration | GuidedCalibrationPair | None = None
    _stages: dict[int, OrientationStage] = field(default_factory=dict)
    _kept: dict[int, list[OrientationBlock]] = field(default_factory=dict)
    _acked_s: float = -np.inf
    _acks: Acknowledger = field(default_factory=Acknowledger)

    def receive(self, frame: bytes) -> list[CalibrationProgress]:
        """Take a frame; return each change of step or count, and the newest progress as the last."""
        told: list[CalibrationProgress] = []
        for item in self.decoder.feed(frame):
            if isinstance(item, (ImuBlock, OrientationBlock)) and not self.is_over:
                told.append(self._process(item))
        return told

    @property
    def is_over(self) -> bool:
        """Whether it is calibrated or out of tries."""
        return self.mounting is not None or len(self.refusals) >= TRIES

    @property
    def mounting(self) -> Mounting | None:
        """What was found, or None."""
        return None if self._ritual is None else self._ritual.progress.mounting

    @property
    def collar(self) -> Mounting | None:
        """What was found for the second sensor."""
        return self._ritual.collar if isinstance(self._ritual, GuidedCalibrationPair) else None

    def samples(self, sensor: int) -> OrientationBlock:
        """Return what a sensor saw during the try that counted."""
        parts = self._kept[sensor]
        columns = (
            np.concatenate([getattr(p, n) for p in parts]) for n in ("t_s", "q_earth_from_sensor", "acc_m_s2")
        )
        t_s, q, acc = columns
        return OrientationBlock(t_s, q, acc, None, sensor)

    def acknowledge(self, received_s: float) -> list[bytes]:
        """Return the command that lets the board go on, when it is time."""
        durable = self.decoder.acknowledgeable()
        if durable is None or received_s - self._acked_s < ACK_EVERY_S:
            return []
        self._acked_s = received_s
        return [self._acks.ack(*durable)]

    def _process(self, block: ImuBlock | OrientationBlock) -> CalibrationProgress:
        ritual = self._ritual = self._ritual or self._new_ritual()
        if isinstance(block, ImuBlock):
            block = self._stages.setdefault(block.sensor, OrientationStage()).process(block)
        kept = self._kept.setdefault(block.sensor, [])
        kept.append(block)
        while len(kept) > 1 and block.t_s[-1] - kept[0].t_s[-1] > _KEEP_S:
            kept.pop(0)
        if block.sensor and isinstance(ritual, GuidedCalibration):
            return ritual.progress
        progress = ritual.process(block)
        if progress.step is CalibrationStep.REFUSED:
            self.refusals.append(progress.reason)
            ritual.reset()
            self._kept.clear()
        return progress

    def _new_ritual(self) -> GuidedCalibration | GuidedCalibrationPair:
        info = self.decoder.info
        if info is not None and info.imu_count == 2 and self.mount is not Mount.COLLAR:
            return GuidedCalibrationPair(self.mount, outward=outward_axis(self.face, info))
        tilts = self.with_tilts or None
        if self.is_in_front:  # which way glasses and headphones face nobody has said
            return GuidedCalibration(self.mount, with_tilts=tilts, is_behind=False)
        return GuidedCalibration(self.mount, with_tilts=tilts, outward=outward_axis(self.face, info))
