"""A session that only calibrates: chunks in; progress, and commands for the board and its motor, out."""

from __future__ import annotations

import contextlib

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.link.board_identity import read_hello
from tiltwise.link.commands import read_reply
from tiltwise.link.transport import LinkError
from tiltwise.live.acknowledgements import DecodedCounts
from tiltwise.live.haptic_cues import HapticCues
from tiltwise.live.wearer.live_calibration import CalibrationOptions, LiveCalibration
from tiltwise.live.wearer.live_events import Command, LiveEvent, LiveEvents
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import ImuBlock, Mount, OrientationBlock

TRIES = 3


class CalibrationSession:
    """Decoder and guided calibration of one source; over when done or out of tries. No clock, no print.

    Parameters
    ----------
    has_answers
        The source gives the board's answers too: its motor is asked to tick along.
    """

    def __init__(
        self, mount: Mount, options: CalibrationOptions | None = None, *, has_answers: bool = False
    ) -> None:
        self.mount = mount
        self.calibration = LiveCalibration(mount, options or CalibrationOptions())
        # The calibration averages over seconds, and the motor ticks at its steps: leaving the shaken samples out
        # would cost more than the shaking does.
        self.decoder = Decoder(max_without_info=None, keeps_shaken=True)
        self._frames = DecodedCounts(self.decoder)
        self._cues = HapticCues() if has_answers else None
        self.device: str | None = None  # name of the board, once it has said who it is

    @property
    def mounting(self) -> Mounting | None:
        """How the sensor sits, None until it is known."""
        return self.calibration.mounting

    @property
    def refusals(self) -> list[str]:
        """Why the tries so far failed."""
        return self.calibration.refusals

    @property
    def is_over(self) -> bool:
        """Whether it is calibrated or out of tries."""
        return self.mounting is not None or len(self.refusals) >= TRIES

    @property
    def is_waiting(self) -> bool:
        """Whether the board has yet to answer a command to its motor."""
        return self._cues is not None and self._cues.is_waiting

    def _meet_board(self, answer: bytes) -> None:
        """Learn which board this is."""
        reply = read_reply(answer)
        if reply.opcode == wire.OP_HELLO:
            with contextlib.suppress(LinkError):  # of another version, in a recording
                self.device = read_hello(reply.body).name or self.device

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take a frame or an answer; return the progress after each block of samples, and commands."""
        if chunk and not wire.is_frame(chunk):
            self._meet_board(chunk)
            if self._cues is not None:
                self._cues.hear(chunk)
            return ()
        acks, items = self._frames.feed(received_s, chunk)
        events: list[LiveEvent] = [*acks]
        for item in items:
            if isinstance(item, ImuBlock | OrientationBlock) and not self.is_over:
                progress = self.calibration.process(item, self.decoder.info)
                events.append(progress)
                if self._cues is not None:
                    events += map(Command, self._cues.commands(progress, self.decoder.info))
        return tuple(events)
