"""Ticks of the board's motor beside the words of a calibration: who sits tall sees no screen.

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
    """Steps of the ritual in, commands for the motor out, if the board says that it has one.

    Sitting still gets none, and neither do counted movements: the motor would shake what is to be still, or the next
    movement. After a refusal its pattern says that the next try begins.
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
        """Return what to send for where the ritual now is; info is what the board said of itself."""
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
