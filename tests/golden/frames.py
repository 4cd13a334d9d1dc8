"""The inputs of the golden frames and commands, packed by the same calls as on the board; runs in MicroPython too.

`frames.json` beside this file holds their bytes in hex, with the handshake of protocol 1. It was written once by
version 1 of wire.py and checked by hand against the offsets in its docstring; a change of it is a change of the
protocol. `minor_0.json` holds the frames with a body as the first boards sent them, which must stay readable.
"""

import struct

from tiltwise.common import auth, wire
from tiltwise.common.values import pack_value

KEY = bytes(range(32))

STATUS_MINOR_0 = (3661, 3987, 81, 1, -512, 12, 4000, 123456, 1, 2, 3, 4, 5, 100, -200, 300)
STATUS = STATUS_MINOR_0 + (0x0123, 98765, 6, 7, 8, 9, 10, 11, 12, 65535)
MINUTE = (6240, 12, 60, 1) + tuple(range(-9, 9))
VERSIONS_AND_STATE = (2, 1, wire.IMU_LSM6DSOX, 2, 0x8001, 1, 2, 3, 4)
INFO = VERSIONS_AND_STATE + (104.0, 52.0, 0.001, 0.002, 0.003, 500, 4, 7, 70_000, 9, b"xiao-s3")
BODIES = {
    "event": (wire.EVENT, (wire.EVENT_BUS_OK, 0, -70_000)),
    "status": (wire.STATUS, STATUS),
    "minute": (wire.MINUTE, MINUTE),
    "info": (wire.INFO, INFO),
}
HELLO = (1, 2, 1, wire.STATE_OPEN, 0x1F, 1, 2, 3, 2, 70_000, 7, 70_001, b"xiao-s3")
COMMANDS = {
    "start": (1, wire.OP_START, 1, b"\x01\x0a"),
    "stop": (2, wire.OP_STOP, 2, b""),
    "ack": (3, wire.OP_ACK, 0xFFFFFFFF, b"\x07\x00\xff\xff\xff\xff\x40\x00"),
    "get": (255, wire.OP_GET, 4, b"\x07\x00\x00\x00\x00\x00\x40\x00\x00\x00"),
    "auth1": (0x20, wire.OP_AUTH1, 1, bytes(range(16)) + bytes([3])),
    "auth1_reply": (
        0x20,
        wire.OP_AUTH1 | wire.REPLY,
        1,
        bytes([wire.STATUS_OK]) + bytes(range(16)) + struct.pack("<IB", 70_000, 1) + bytes(range(16, 32)),
    ),
    "hello_reply": (
        0x21,
        wire.OP_HELLO | wire.REPLY,
        2,
        bytes([wire.STATUS_OK]) + struct.pack(wire.HELLO_BODY, *HELLO) + b"deviceid",
    ),
    "setcfg_text": (0x22, wire.OP_SETCFG, 3, b"\x00" + pack_value("Zo\u00eb")),
    "setcfg_int": (0x22, wire.OP_SETCFG, 3, b"\x02" + pack_value(-25)),
    "get_done": (
        4,
        wire.OP_GET_DONE | wire.REPLY,
        5,
        bytes([wire.STATUS_OK]) + struct.pack(wire.GET_DONE_BODY, 7, 0, 70_000, 1) + struct.pack("<II", 5, 9),
    ),
    "reply": (3, wire.OP_ACK | wire.REPLY, 0xFFFFFFFF, bytes([wire.STATUS_OK])),
}


def orient(n, **header):
    """Return an unsealed ORIENT frame of n samples."""
    buffer = bytearray(wire.frame_size(wire.ORIENT, n))
    values = {
        "flags": 0,
        "boot": 7,
        "seq": 70_000,
        "i0": 700_000,
        "t0": 134_615_385,
        "sensor": 0,
        "rate_code": 6,
    }
    values.update(header)
    wire.pack_header_into(buffer, wire.ORIENT, n=n, **values)
    for k in range(n):
        wire.pack_orient_into(buffer, k, 32767 - k, -k, 1000 + k, -32767, 8192, -8192 - k, 100 * k)
    return buffer


def raw(n, **header):
    """Return an unsealed RAW frame of n samples."""
    buffer = bytearray(wire.frame_size(wire.RAW, n))
    values = {"flags": 0, "boot": 7, "seq": 5, "i0": 50, "t0": 4807, "sensor": 1, "rate_code": 8}
    values.update(header)
    wire.pack_header_into(buffer, wire.RAW, n=n, **values)
    for k in range(n):
        wire.pack_raw_into(buffer, k, -32768, 32767, k, -k, 4096, 1 - k)
    return buffer


def body(frame_type, values):
    """Return an unsealed EVENT, STATUS, MINUTE or INFO frame."""
    buffer = bytearray(wire.frame_size(frame_type))
    wire.pack_header_into(buffer, frame_type, wire.FLAG_LOW_BATTERY, 65_535, 9, 90, 900, 0, 0, 0)
    wire.pack_body_into(buffer, frame_type, *values)
    return buffer


def unsealed():
    """Return the golden frames before they are sealed, by name."""
    frames = {
        "orient_10": orient(10),
        "orient_1_last_numbers": orient(
            1, flags=0x3F, boot=65_535, seq=2**32 - 1, i0=2**32 - 1, t0=2**32 - 1, sensor=15
        ),
        "orient_1_wrapped": orient(1, boot=65_536, seq=2**32, i0=2**32 + 1, t0=2**32 + 2),
        "orient_15_backfill": orient(15, flags=wire.FLAG_BACKFILL),
        "raw_10": raw(10),
    }
    for name, (frame_type, values) in BODIES.items():
        frames[name] = body(frame_type, values)
    return frames


def golden():
    """Return all golden frames and commands, name -> bytes, each with a checksum and with an authentication tag."""
    made = {}
    for way, tagger in (("crc", None), ("hmac", auth.Tagger(KEY))):
        for name, frame in unsealed().items():
            wire.seal(frame, len(frame), tagger)
            made[f"frame {name} {way}"] = bytes(frame)
        for name, values in COMMANDS.items():
            made[f"command {name} {way}"] = wire.pack_command(*values, tagger)
    return made
