"""Commands to the board and its replies, packed and read: the host's side of the table in docs/protocol.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from tiltwise.common import values, wire

CREDITS = 64  # frames the board may have on the way beyond the last acknowledgement


class Pattern(IntEnum):
    """What the board's motor can play."""

    STOP = wire.MOTOR_STOP
    ALERT = wire.MOTOR_ALERT
    CORRECTED = wire.MOTOR_CORRECTED
    STEP = wire.MOTOR_STEP
    DONE = wire.MOTOR_DONE
    ERROR = wire.MOTOR_ERROR
    NOTED = wire.MOTOR_NOTED


class BoardKey(IntEnum):
    """The settings of a board, by their rows in firmware/storage/board_settings.py, where each is explained."""

    NAME = 0
    MOUNT = 1
    RULE_DEG = 2
    RULE_S = 3
    RECOVERY_S = 4
    MOTOR_STRENGTH = 5
    ALONE_AFTER_S = 6
    ALONE = 7
    RATE = 8
    SLEEP_AFTER_S = 9
    DOUBLE_TAP = 10
    LED = 11
    NEUTRAL_X = 12
    NEUTRAL_Y = 13
    NEUTRAL_Z = 14
    IMUS = 15
    IMU_A = 16
    IMU_B = 17
    HYSTERESIS_DEG = 18
    MIN_GAP_S = 19
    FORWARD_X = 20
    FORWARD_Y = 21
    FORWARD_Z = 22
    NEUTRAL_NEW = 23
    BY_DOSE = 24
    FIRST_QUIET_S = 25
    MOST_A_DAY = 26
    PERCENT = 27
    POWER = 28
    NEUTRAL_DOUBTED = 29


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the board: to a command of ours, or a GET_DONE that nobody waits for."""

    request_id: int
    opcode: int  # without wire.REPLY
    status: int
    body: bytes
    about: int = 0  # counter of the command that it answers; 0 outside a session

    @property
    def is_ok(self) -> bool:
        """Tell whether the board did what it was asked for."""
        return self.status == wire.STATUS_OK

    def pack(self) -> bytes:
        """Return the reply with a checksum, as recordings hold it."""
        answer = bytes([self.status]) + self.body
        return bytes(wire.pack_command(self.request_id, self.opcode | wire.REPLY, 0, answer))


def read_reply(data: bytes) -> Reply:
    """Return the reply in these bytes, with a checksum; WireError when there is none."""
    request_id, opcode, _, answer = wire.open_command(data)
    return as_reply(request_id, opcode, answer)


def as_reply(request_id: int, opcode: int, answer: bytes, *, about: int = 0) -> Reply:
    """Return the parts of an opened packet as a reply; WireError when it is a command."""
    if not opcode & wire.REPLY or not answer:
        raise wire.WireError("not a reply")
    return Reply(request_id, opcode & ~wire.REPLY, answer[0], bytes(answer[1:]), about)


class Acknowledger:
    """Numbers the acknowledgements of one connection."""

    def __init__(self) -> None:
        self._request_id = 0

    def ack(self, boot: int, seq: int, *, newest: int | None = None) -> bytes:
        """Return the command that lets the board forget the frames of this boot up to seq.

        With the newest frame received, credits count from there: a stream goes on over a hole or a full disk.
        wire.NOTHING_STORED as seq lets the board forget nothing and go on.
        """
        ahead = 0 if newest is None or seq == wire.NOTHING_STORED else max(newest - seq, 0)
        payload = struct.pack("<HIH", boot, seq & 0xFFFFFFFF, min(ahead + CREDITS, 0xFFFF))
        return self._pack(wire.OP_ACK, payload)

    def get(self, boot: int, first: int, last: int) -> bytes:
        """Return the command that asks for frames again, first and last included."""
        return self._pack(wire.OP_GET, struct.pack("<HII", boot, first, last))

    def motor(self, pattern: Pattern, strength: int = 0) -> bytes:
        """Return the command that plays a pattern; strength 1 to 5, 0 as set on the board."""
        return self._pack(wire.OP_MOTOR, bytes([pattern, strength]))

    def get_value(self, key: BoardKey) -> bytes:
        """Return the command that reads a setting."""
        return self._pack(wire.OP_GETCFG, bytes([key]))

    def set_value(self, key: BoardKey, value: int | str) -> bytes:
        """Return the command that sets a setting."""
        return self._pack(wire.OP_SETCFG, bytes([key]) + values.pack_value(value))

    def take_neutral(self) -> bytes:
        """Return the command that lets the board take the wearer's neutral; EVENT_NEUTRAL tells how it went."""
        return self._pack(wire.OP_TARE, b"")

    def restart(self) -> bytes:
        """Return the command that restarts the board."""
        return self._pack(wire.OP_REBOOT, b"")

    def silence(self, snooze_s: int | None, quiet_in_s: int, quiet_for_s: int) -> bytes:
        """Return the command with the times of silence; snooze_s None: the board's own stays."""
        snooze_s = wire.SNOOZE_STAYS if snooze_s is None else snooze_s
        return self._pack(wire.OP_SILENCE, struct.pack("<IiI", snooze_s, quiet_in_s, quiet_for_s))

    def _pack(self, opcode: int, payload: bytes) -> bytes:
        self._request_id = (self._request_id + 1) & 0xFF
        return bytes(wire.pack_command(self._request_id, opcode, 0, payload))
