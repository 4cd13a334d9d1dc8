"""A received frame, opened once: its bytes and the fields of its header by name.

The board only writes frames (wire.py), so this file is not on it.
"""

import struct

from tiltwise.common.wire import (
    BODIES,
    FLAG_AUTHENTICATED,
    FLAG_BACKFILL,
    HEADER,
    HEADER_SIZE,
    LEAST_BODY_SIZES,
    MAX_FRAME,
    MAX_SAMPLES,
    RATES_HZ,
    SAMPLE_SIZES,
    TAG_SIZE,
    TICK_S,
    VERSION,
    WireError,
    check_tag,
    frame_size,
)


class Frame:
    """One frame as received. `seq`, `i0` and `t0` wrap at 2**32; wire.py says what each field means."""

    __slots__ = ("boot", "data", "flags", "frame_type", "i0", "n", "rate_code", "sensor", "seq", "t0")

    def __init__(self, data: bytes, header: "tuple[int, ...]") -> None:
        self.data = data
        (
            self.frame_type,
            self.flags,
            self.boot,
            self.seq,
            self.i0,
            self.t0,
            self.n,
            self.sensor,
            self.rate_code,
        ) = header

    @property
    def has_samples(self) -> bool:
        """Tell whether this is an ORIENT or RAW frame."""
        return self.frame_type in SAMPLE_SIZES

    @property
    def is_backfill(self) -> bool:
        """Tell whether the board sent it again on request."""
        return bool(self.flags & FLAG_BACKFILL)

    @property
    def rate_hz(self) -> float:
        """Return the nominal sample rate, 0.0 where only INFO tells it."""
        return RATES_HZ[self.rate_code]

    @property
    def device_s(self) -> float:
        """Return the device time of the first sample in s; it wraps after 119 h."""
        return self.t0 * TICK_S

    def body(self):
        """Return the payload of an EVENT, STATUS, MINUTE or INFO frame; what an older minor lacks is 0."""
        return unpack_body(self.data, self.frame_type)


def read_frame(data: bytes) -> Frame:
    """Return a frame that was checked before, as from the store; WireError when it has no header of this version."""
    return Frame(data, unpack_header(data))


def unpack_header(frame):
    """Return (type, flags, boot, seq, i0, t0, n, sensor, rate_code) of a frame, without checking the tag."""
    if len(frame) < HEADER_SIZE + TAG_SIZE:
        raise WireError("frame of %d bytes, the shortest has %d" % (len(frame), HEADER_SIZE + TAG_SIZE))
    kind, flags, boot, seq, i0, t0, count, rate_code = struct.unpack_from(HEADER, frame, 0)
    if kind >> 4 != VERSION:
        raise WireError("frame version %d, this side reads %d: update tiltwise" % (kind >> 4, VERSION))
    return kind & 15, flags, boot, seq, i0, t0, count & 15, count >> 4, rate_code


def open_frame(frame, tagger=None):
    """Return the header of a frame whose version, type, length, rate code and tag are right; raise WireError."""
    header = unpack_header(frame)
    frame_type, flags, n, rate_code = header[0], header[1], header[6], header[8]
    if frame_type in SAMPLE_SIZES:
        if not 1 <= n <= MAX_SAMPLES:
            raise WireError("sample frame with %d samples, expected 1 to %d" % (n, MAX_SAMPLES))
    elif frame_type not in BODIES:
        raise WireError("frame type %d is not known to this version: update tiltwise" % frame_type)
    least, most = frame_sizes(frame_type, n)
    if not least <= len(frame) <= most:
        expected = "%d" % least if least == most else "%d to %d" % (least, most)
        raise WireError("frame of %d bytes, expected %s" % (len(frame), expected))
    if rate_code >= len(RATES_HZ):
        raise WireError("rate code %d is not known to this version: update tiltwise" % rate_code)
    if tagger is not None and not flags & FLAG_AUTHENTICATED:
        raise WireError("frame without an authentication tag on a link that has a key")
    check_tag(frame, tagger, bool(flags & FLAG_AUTHENTICATED))
    return header


def frame_sizes(frame_type, n=0):
    """Return the fewest and most bytes that a frame of this type and any minor of this version may have."""
    if frame_type in SAMPLE_SIZES:
        size = frame_size(frame_type, n)
        return size, size
    return HEADER_SIZE + LEAST_BODY_SIZES[frame_type] + TAG_SIZE, MAX_FRAME


def unpack_body(frame, frame_type):
    """Return the payload of an EVENT, STATUS, MINUTE or INFO frame as a tuple; what an older minor lacks is 0."""
    missing = frame_size(frame_type) - len(frame)
    if missing > 0:
        frame = bytes(memoryview(frame)[: len(frame) - TAG_SIZE]) + bytes(missing)
    return struct.unpack_from(BODIES[frame_type], frame, HEADER_SIZE)
