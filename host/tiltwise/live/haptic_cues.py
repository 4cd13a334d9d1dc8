"""Ticks of the board's motor during a calibration, because somebody who sits tall does not see the screen.

The firmware has the patterns and their limits (firmware/wearer/haptics.py).
"""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.decode.messages import Info
from tiltwise.link.commands import Acknowledger, Pattern
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep

_PATTERNS = {
    CalibrationStep.NOD: Pattern.STEP,
    CalibrationStep.TILT: Pattern.STEP,
    CalibrationStep.DONE: Pattern.DONE,
    CalibrationStep.REFUSED: Pattern.ERROR,
}


class HapticCues:
    """Steps of the calibration in, commands for the motor out, if the board says that it has one.

    Sitting still gets no tick, and neither do counted movements: the motor would shake the sensor while it should be
    still, or during the next movement. After a refusal, its pattern says that the next try begins.
    """

    def __init__(self) -> None:
        self._commands = Acknowledger()
        self._step: CalibrationStep | None = None
        self._unanswered = 0

    @property
    def is_waiting(self) -> bool:
        """Whether the board has yet to answer a command."""
        return self._unanswered > 0

    def commands(self, progress: CalibrationProgress, info: Info | None) -> list[bytes]:
        """Return what to send for where the calibration now is; info is what the board reported about itself."""
        if info is None or progress.step is self._step:
            return []
        self._step = progress.step
        pattern = _PATTERNS.get(progress.step)
        if pattern is None or not info.features & wire.FEATURE_MOTOR:
            return []
        self._unanswered += 1
        return [self._commands.motor(pattern)]

    def hear(self, answer: bytes) -> None:
        """Take an answer of the board."""
        if wire.open_command(answer)[1] == wire.OP_MOTOR | wire.REPLY:
            self._unanswered -= 1
