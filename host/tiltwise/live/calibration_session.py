"""A session that only calibrates: chunks in; progress, and commands for the board and its motor, out."""

from __future__ import annotations

import contextlib

from tiltwise.common import values, wire
from tiltwise.config.settings import Settings
from tiltwise.decode.decoder import Decoder
from tiltwise.link.board_identity import read_hello
from tiltwise.link.commands import Acknowledger, BoardKey, Reply, read_reply
from tiltwise.link.transport import LinkError
from tiltwise.live.acknowledgements import DecodedCounts
from tiltwise.live.haptic_cues import HapticCues
from tiltwise.live.wearer.live_calibration import CalibrationOptions, LiveCalibration
from tiltwise.live.wearer.live_events import Command, LiveEvent, LiveEvents, LiveNote
from tiltwise.live.wearer.settings_sync import BoardSettings
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import ImuBlock, Mount, OrientationBlock

TRIES = 3


class CalibrationSession:
    """Decoder and guided calibration of one source; over when done or out of tries. No clock, no print.

    Parameters
    ----------
    has_answers
        The source gives the board's answers too: its motor is asked to tick along, and it is told the result.
    is_mount_asked
        Worn at `mount` even if the board is set to another place.
    settings
        The wearer's, which the board is told with the result.
    """

    def __init__(
        self,
        mount: Mount,
        options: CalibrationOptions | None = None,
        *,
        has_answers: bool = False,
        is_mount_asked: bool = True,
        settings: Settings | None = None,
    ) -> None:
        self.mount, self._options = mount, options or CalibrationOptions()
        self._is_mount_asked = is_mount_asked
        self.calibration = LiveCalibration(mount, self._options)
        # The calibration averages over seconds, and the motor ticks at its steps: leaving the shaken samples out
        # would cost more than the shaking does.
        self.decoder = Decoder(max_without_info=None, keeps_shaken=True)
        self._frames = DecodedCounts(self.decoder)
        self._cues = HapticCues() if has_answers else None
        # A neutral that was taken at the board before is older than what is made here.
        self._board = BoardSettings(
            settings or Settings(), lambda _up: [], lambda _key, _text: [], lambda _is_doubted: (False, [])
        )
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
        """Whether the board has yet to answer a command to its motor, or to be told the result."""
        return self._cues is not None and (self._cues.is_waiting or self._board.is_busy)

    def _on_answer(self, answer: bytes) -> LiveEvents:
        """Learn which board this is and where it is worn; go on telling it the result."""
        reply = read_reply(answer)
        if reply.opcode == wire.OP_HELLO:
            with contextlib.suppress(LinkError):  # of another version, in a recording
                self.device = read_hello(reply.body).name or self.device
            is_asked = self._is_mount_asked or self._cues is None
            return () if is_asked else (Command(Acknowledger().get_value(BoardKey.MOUNT)),)
        if self._board.is_busy:
            return tuple(self._board.on_reply(reply))
        return self._wear_at(reply) if reply.opcode == wire.OP_GETCFG and reply.is_ok else ()

    def _wear_at(self, reply: Reply) -> LiveEvents:
        """Calibrate for the place that the board is set to, from the start."""
        with contextlib.suppress(ValueError):  # a board that is not set says nothing
            mount = Mount(values.unpack_value(reply.body))
            if mount is not self.mount and not self.is_over:
                self.mount = mount
                self.calibration = LiveCalibration(mount, self._options)
                return (LiveNote(f"worn at {mount.value}, as the board is set"),)
        return ()

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take a frame or an answer; return the progress after each block of samples, and commands."""
        if chunk and not wire.is_frame(chunk):
            if self._cues is not None:
                self._cues.hear(chunk)
            return self._on_answer(chunk)
        acks, items = self._frames.feed(received_s, chunk)
        events: list[LiveEvent] = [*acks]
        for item in items:
            if isinstance(item, ImuBlock | OrientationBlock) and not self.is_over:
                progress = self.calibration.process(item, self.decoder.info)
                events.append(progress)
                if self._cues is not None:
                    events += map(Command, self._cues.commands(progress, self.decoder.info))
                    events += self._board.begin(self.mounting) if self.mounting is not None else []
        return tuple(events)
