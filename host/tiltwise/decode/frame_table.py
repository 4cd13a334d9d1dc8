"""Check many received frames at once and lay their headers out as columns.

Frames that are whole and ours become a FrameTable; the rest is counted by reason. The checks are those of
frame.open_frame, written for arrays.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.common.frame import Frame, frame_sizes, open_frame

IntArray = NDArray[np.int64]

HEADER_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("flags", "u1"),
        ("boot", "<u2"),
        ("seq", "<u4"),
        ("i0", "<u4"),
        ("t0", "<u4"),
        ("count", "u1"),
        ("rate_code", "u1"),
    ]
)
# CRC-32 of any message followed by its own CRC and four zero bytes: one pass checks a frame without slicing it.
_RESIDUE = zlib.crc32(struct.pack("<II", zlib.crc32(b""), 0))
_SMALLEST = wire.HEADER_SIZE + wire.TAG_SIZE


class Tagger(Protocol):
    """What checks authentication tags; common/auth.py has one."""

    def tag(self, message: Any) -> bytes: ...

    def check(self, message: Any, tag: Any) -> bool: ...


@dataclass(frozen=True, slots=True)
class FrameTable:
    """Checked frames and their headers, one row each: int64 columns (m,)."""

    frames: list[bytes]
    frame_type: IntArray
    flags: IntArray
    boot: IntArray
    seq: IntArray
    i0: IntArray
    t0: IntArray
    n: IntArray
    sensor: IntArray
    rate_code: IntArray

    def take(self, rows: IntArray) -> FrameTable:
        """Return the table of these rows, (m,) counts from 0, in this order."""
        if len(rows) and bool(np.all(rows[1:] - rows[:-1] == 1)):  # nearly always, and then nothing is copied
            piece = slice(int(rows[0]), int(rows[-1]) + 1)
            return FrameTable(self.frames[piece], *(getattr(self, name)[piece] for name in _COLUMNS))
        return FrameTable(
            [self.frames[row] for row in rows.tolist()],
            *(getattr(self, name)[rows] for name in _COLUMNS),
        )

    def joined(self, after: FrameTable) -> FrameTable:
        """Return these rows and then those of another table."""
        if not self.frames:
            return after
        columns = (np.concatenate((getattr(self, name), getattr(after, name))) for name in _COLUMNS)
        return FrameTable(self.frames + after.frames, *columns)

    def frame(self, row: int) -> Frame:
        """Return one row as a Frame."""
        return Frame(self.frames[row], tuple(int(getattr(self, name)[row]) for name in _COLUMNS))


_COLUMNS = ("frame_type", "flags", "boot", "seq", "i0", "t0", "n", "sensor", "rate_code")


def no_frames() -> FrameTable:
    """Return a table without rows."""
    return parse_frames([])[0]


def one_frame(frame: Frame) -> FrameTable:
    """Return the table of a frame that was checked before."""
    return FrameTable([frame.data], *(np.array([getattr(frame, name)]) for name in _COLUMNS))


def _why_bad(frame: bytes, tagger: Tagger | None) -> str | None:
    """Say in a few words what open_frame has against a frame."""
    try:
        flags = open_frame(frame, tagger)[1]
    except wire.WireError as error:
        # Only the words before the first number: the reasons are counted, and must stay few.
        words = str(error).split(":")[0].split(",")[0].split()
        return " ".join(word for word in words if not any(c.isdigit() for c in word))
    if flags & wire.FLAG_ENCRYPTED:
        return "encrypted frame"
    return None


def _expected_sizes() -> tuple[IntArray, IntArray]:
    """Return the least and largest frame size by type << 4 | n, both 0 where there is no such frame."""
    sizes = np.zeros((2, 256), dtype=np.int64)
    for frame_type in wire.BODIES:
        sizes[:, frame_type << 4 : (frame_type << 4) + 16] = np.transpose([frame_sizes(frame_type)])
    for frame_type in wire.SAMPLE_SIZES:
        for n in range(1, wire.MAX_SAMPLES + 1):
            sizes[:, frame_type << 4 | n] = frame_sizes(frame_type, n)
    return sizes[0], sizes[1]


_LEAST, _MOST = _expected_sizes()


def _is_good(frames: Sequence[bytes], sizes: IntArray, head: NDArray[np.void]) -> NDArray[np.bool_]:
    """Check version, type, size, rate code and CRC of frames without authentication, all at once."""
    crc = np.fromiter(map(zlib.crc32, frames), dtype=np.uint32, count=len(frames))
    tails = np.frombuffer(b"".join([frame[-4:] for frame in frames]), dtype="<u4")
    shape = (head["kind"].astype(np.int64) & 15) << 4 | (head["count"] & 15)
    return (
        (crc == _RESIDUE)
        & (tails == 0)
        & (head["kind"] >> 4 == wire.VERSION)
        & (_LEAST[shape] <= sizes)
        & (sizes <= _MOST[shape])
        & (head["rate_code"] < len(wire.RATES_HZ))
        & (head["flags"] & (wire.FLAG_AUTHENTICATED | wire.FLAG_ENCRYPTED) == 0)
    )


def headers(frames: Sequence[bytes]) -> NDArray[np.void]:
    """Return the headers (m,) of frames that are long enough to have one, in HEADER_DTYPE, unchecked."""
    return np.frombuffer(b"".join([frame[: wire.HEADER_SIZE] for frame in frames]), dtype=HEADER_DTYPE)


def parse_frames(frames: Sequence[bytes], tagger: Tagger | None = None) -> tuple[FrameTable, Counter[str]]:
    """Return the good frames as a table, and how many were bad for which reason. Never raises on bytes."""
    bad: Counter[str] = Counter()
    long_enough = [frame for frame in frames if len(frame) >= _SMALLEST]
    if len(long_enough) < len(frames):
        bad["frame too short"] = len(frames) - len(long_enough)
    head = headers(long_enough)
    sizes = np.fromiter(map(len, long_enough), dtype=np.int64, count=len(long_enough))
    good = _is_good(long_enough, sizes, head) if tagger is None else np.zeros(len(long_enough), dtype=bool)
    for row in np.flatnonzero(~good).tolist():
        reason = _why_bad(long_enough[row], tagger)
        if reason is None:
            good[row] = True
        else:
            bad[reason] += 1
    kept = long_enough if good.all() else [long_enough[row] for row in np.flatnonzero(good).tolist()]
    return _table(kept, head[good]), bad


def _table(frames: list[bytes], head: NDArray[np.void]) -> FrameTable:
    """Spread the packed header fields into columns."""
    wide = {name: head[name].astype(np.int64) for name in HEADER_DTYPE.names or ()}
    return FrameTable(
        frames=frames,
        frame_type=wide["kind"] & 15,
        flags=wide["flags"],
        boot=wide["boot"],
        seq=wide["seq"],
        i0=wide["i0"],
        t0=wide["t0"],
        n=wide["count"] & 15,
        sensor=wide["count"] >> 4,
        rate_code=wide["rate_code"],
    )
