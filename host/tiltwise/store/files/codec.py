"""Frames as received become compressed columns and back; aggregates and sequence ranges become small blobs and back.

A chunk keeps every header field and every payload byte of its frames, so each frame can be built again bit for bit,
except the tag: a rebuilt frame carries a CRC-32, because the session key that made the first tag is gone.
Columns are stored as differences, byte-shuffled (all low bytes, then all next ones) and deflated: 6 bytes per sample.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import ACTIVITIES

CODEC = 1  # of chunk blobs, since v1
_MINUTE = b"\x02"  # before the blob of a minute; the first version had none, and 0x78 of zlib is there
_FIGURES = struct.Struct("<6f")  # of a minute
_BINS = struct.Struct("<HH")  # of a table: its first full bin, and how many
_N_EVA = agg.EVA_SHAPE[0] * agg.EVA_SHAPE[1]
_LEVEL = 6  # above 6 the size hardly changes
_SPLIT_US = 120_000_000  # frames further apart go into different chunks, so that a chunk covers little time
_HEADER = np.dtype(
    [
        *(("kind", "u1"), ("flags", "u1"), ("boot", "<u2"), ("seq", "<u4")),
        *(("i0", "<u4"), ("t0", "<u4"), ("count", "u1"), ("rate", "u1")),
    ]
)
_COLUMNS = (
    ("utc", "<i8"),
    ("seq", "<u4"),
    ("i0", "<u4"),
    ("t0", "<u4"),
    ("flags", "u1"),
    ("count", "u1"),
    ("rate", "u1"),
)


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as received (or rebuilt) and the UTC time of its first sample in us."""

    utc_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """One compressed run of frames of one boot, sensor and frame type."""

    boot: int
    sensor: int
    seq0: int
    seq1: int
    n_frames: int
    n_samples: int
    t0_us: int
    t1_us: int
    data: bytes


def pack_tail(frames: Sequence[StoredFrame]) -> tuple[bytes, bytes]:
    """Return the (times, frames) blobs of a tail row."""
    times = np.array([f.utc_us for f in frames], dtype="<i8").tobytes()
    return times, b"".join(struct.pack("<H", len(f.data)) + f.data for f in frames)


def unpack_tail(times: bytes, data: bytes) -> list[StoredFrame]:
    """Return the frames of a tail row."""
    frames, at = [], 0
    for utc_us in np.frombuffer(times, dtype="<i8").tolist():
        (size,) = struct.unpack_from("<H", data, at)
        frames.append(StoredFrame(utc_us, data[at + 2 : at + 2 + size]))
        at += 2 + size
    return frames


def pack_chunks(frames: Iterable[StoredFrame]) -> list[Chunk]:
    """Return chunks that hold these frames of one device, in any order, each frame once."""
    groups: dict[tuple[int, int, int], dict[int, StoredFrame]] = {}
    for stored in frames:
        frame = read_frame(stored.data)
        # Frames without samples share the numbering of their board: a place of their own keeps seq0 unique.
        place, kind = (frame.sensor, frame.frame_type) if frame.has_samples else (256, 0)
        groups.setdefault((frame.boot, place, kind), {})[frame.seq] = stored
    chunks = []
    for (boot, place, _), by_seq in sorted(groups.items()):
        ordered = [by_seq[seq] for seq in sorted(by_seq)]
        times = np.array([f.utc_us for f in ordered])
        cuts = np.flatnonzero(np.abs(np.diff(times)) > _SPLIT_US) + 1
        for part in np.split(np.arange(len(ordered)), cuts):
            chosen = ordered[part[0] : part[-1] + 1]
            chunks.append(_pack_samples(boot, place, chosen) if place < 256 else _pack_others(boot, chosen))
    return chunks


def _pack_samples(boot: int, sensor: int, frames: list[StoredFrame]) -> Chunk:
    """Compress sample frames of one type."""
    heads = np.frombuffer(b"".join(f.data[: wire.HEADER_SIZE] for f in frames), dtype=_HEADER)
    times = np.array([f.utc_us for f in frames], dtype="<i8")
    kind = int(heads["kind"][0]) & 15
    payload = b"".join(f.data[wire.HEADER_SIZE : -wire.TAG_SIZE] for f in frames)
    samples = np.frombuffer(payload, dtype="<i2").reshape(-1, wire.SAMPLE_SIZES[kind] // 2)
    parts = [_shuffled(times if name == "utc" else heads[name]) for name, _ in _COLUMNS]
    parts += [_shuffled(samples[:, k]) for k in range(samples.shape[1])]
    body = struct.pack("<BII", kind, len(frames), len(samples)) + b"".join(parts)
    seq, length_us = heads["seq"], _frame_us(times)
    return Chunk(
        boot, sensor, int(seq[0]), int(seq[-1]), len(frames), len(samples),
        int(times.min()), int(times.max()) + length_us, zlib.compress(body, _LEVEL),
    )  # fmt: skip


def _frame_us(times: NDArray[np.int64]) -> int:
    """Return about how long the last frame lasts, for the time range of the chunk."""
    return int(np.median(np.diff(times))) + 1 if len(times) > 1 else 1_000_000


def _pack_others(boot: int, frames: list[StoredFrame]) -> Chunk:
    """Compress frames without samples as they are."""
    times, data = pack_tail(frames)
    body = struct.pack("<BII", 0, len(frames), 0) + times + data
    seqs = [read_frame(f.data).seq for f in frames]
    utc = [f.utc_us for f in frames]
    return Chunk(
        boot, 256, seqs[0], seqs[-1], len(frames), 0, min(utc), max(utc) + 1, zlib.compress(body, _LEVEL)
    )


def _shuffled(column: NDArray[np.generic]) -> bytes:
    """Return differences (wrapping, hence lossless) with their bytes sorted by weight."""
    unsigned = np.ascontiguousarray(column).view(f"<u{column.dtype.itemsize}")
    step = np.diff(unsigned, prepend=unsigned.dtype.type(0))
    return np.ascontiguousarray(step.view(np.uint8).reshape(len(column), -1).T).tobytes()


def _unshuffled(data: bytes, at: int, n: int, dtype: str) -> NDArray[np.generic]:
    """Undo `_shuffled` for n values that start at byte `at`."""
    kind = np.dtype(dtype)
    table = np.frombuffer(data, np.uint8, n * kind.itemsize, at).reshape(kind.itemsize, n)
    step = np.ascontiguousarray(table.T).view(f"<u{kind.itemsize}")[:, 0]
    return np.cumsum(step, dtype=step.dtype).view(kind)


@dataclass(frozen=True, slots=True)
class Columns:
    """The frames of a sample chunk as columns: per frame (m,), and samples (n, 6 or 7) int16."""

    kind: int
    frame: dict[str, NDArray[np.generic]]
    samples: NDArray[np.int16]


def unpack_columns(data: bytes) -> Columns | None:
    """Return the columns of a chunk blob, None for one without samples."""
    body = zlib.decompress(data)
    kind, n_frames, n_samples = struct.unpack_from("<BII", body)
    if kind == 0:
        return None
    at, frame = 9, {}
    for name, dtype in _COLUMNS:
        frame[name] = _unshuffled(body, at, n_frames, dtype)
        at += n_frames * np.dtype(dtype).itemsize
    width = wire.SAMPLE_SIZES[kind] // 2
    samples = np.empty((n_samples, width), dtype=np.int16)
    for k in range(width):
        samples[:, k] = _unshuffled(body, at + 2 * k * n_samples, n_samples, "<i2")
    return Columns(kind, frame, samples)


def unpack_chunk(boot: int, data: bytes) -> list[StoredFrame]:
    """Return the frames of a chunk blob, each sealed with a CRC-32."""
    columns = unpack_columns(data)
    if columns is None:
        body = zlib.decompress(data)
        (n,) = struct.unpack_from("<I", body, 1)
        return [
            StoredFrame(f.utc_us, _resealed(f.data))
            for f in unpack_tail(body[9 : 9 + 8 * n], body[9 + 8 * n :])
        ]
    frames, at, width = [], 0, columns.samples.shape[1]
    payload = columns.samples.astype("<i2").tobytes()
    rows = zip(*(columns.frame[name].tolist() for name, _ in _COLUMNS), strict=True)
    for utc, seq, i0, t0, flags, count, rate in rows:
        size = (count & 15) * width * 2
        buffer = bytearray(wire.HEADER_SIZE + size + wire.TAG_SIZE)
        wire.pack_header_into(buffer, columns.kind, flags, boot, seq, i0, t0, count & 15, count >> 4, rate)
        buffer[wire.HEADER_SIZE : wire.HEADER_SIZE + size] = payload[at : at + size]
        at += size
        wire.seal(buffer, len(buffer))
        frames.append(StoredFrame(int(utc), bytes(buffer)))
    return frames


def _resealed(frame: bytes) -> bytes:
    buffer = bytearray(frame)
    wire.seal(buffer, len(buffer))
    return bytes(buffer)


def pack_aggregate(row: Aggregate) -> bytes:
    """Return a minute as about 300 bytes: each histogram from its first to its last full bin, in ms."""
    spans = (*row.lateral_deg, *row.rotation_deg)
    head = _FIGURES.pack(row.limit_use, row.bout_s, *spans)
    tables = (row.activity_s, *row.flexion_s, row.rate_s, row.eva_s.ravel())
    return _MINUTE + zlib.compress(head + b"".join(_pack_table(np.rint(t * 1000)) for t in tables), 1)


def unpack_aggregate(start_s: float, data: bytes) -> Aggregate:
    """Undo pack_aggregate, also of the first version: one table of both rows in bins of 1 deg, no shuffling."""
    is_first = not data.startswith(_MINUTE)
    body = zlib.decompress(data if is_first else data[1:])
    limit_use, bout_s, *spans = _FIGURES.unpack_from(body)
    flexion = (2 * agg.N_FLEXION // agg.BINS_PER_DEG,) if is_first else (agg.N_FLEXION, agg.N_FLEXION)
    sizes = (len(ACTIVITIES), *flexion, agg.N_RATE, _N_EVA)
    values = np.zeros(sum(sizes))  # all tables in one row: a report reads 20,000 minutes
    tables, at, left = [], _FIGURES.size, 0
    for size in sizes:
        first, n = _BINS.unpack_from(body, at)
        table, at, left = values[left : left + size], at + _BINS.size, left + size
        tables.append(table)
        if n:
            part = np.frombuffer(body, np.uint8, 4 * n, at)
            bins = part.tobytes() if is_first else part.reshape(4, n).T.tobytes()
            table[first : first + n] = np.frombuffer(bins, "<u4")
            at += 4 * n
    values /= 1000
    flexion_s = values[len(ACTIVITIES) : len(ACTIVITIES) + sum(flexion)]
    return Aggregate(
        start_s, tables[0], agg.in_bins(flexion_s), tables[-2], tables[-1].reshape(agg.EVA_SHAPE),
        limit_use, bout_s, (spans[0], spans[1]), (spans[2], spans[3]),
    )  # fmt: skip


def _pack_table(table_ms: NDArray[np.float64]) -> bytes:
    full = np.flatnonzero(table_ms)
    if not len(full):
        return _BINS.pack(0, 0)
    first, last = int(full[0]), int(full[-1]) + 1
    planes = table_ms[first:last].astype("<u4").view(np.uint8).reshape(-1, 4).T
    return _BINS.pack(first, last - first) + planes.tobytes()
