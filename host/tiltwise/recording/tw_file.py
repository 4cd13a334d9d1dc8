"""Our own recordings (`.tw`): a JSON line as header, then the board's frames and answers as they came.

Each record is `u32 received_ms + frame or answer`, COBS-encoded and ended by a zero byte. A reader skips damage to
the next zero byte, so a torn tail or a bad block costs only the records it hits.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from cobs import cobs

from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder, Item
from tiltwise.decode.frame_table import Tagger, parse_frames
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock
from tiltwise.version import __version__

FORMAT = "tiltwise recording"
FORMAT_VERSION = 1
_CALIBRATION = b"{calibration}"  # begins a record that is neither a frame nor an answer
_OF_CALIBRATION = ("mounting", "collar", "is_put_on")
_SNOOZE = b"{snooze}"
_LONGEST_SNOOZE_S = 86_400
_FLUSH_S = 1.0  # of received time: what a kill -9 can cost
_MAX_HEADER = 1 << 16  # bytes; a longer first line is not ours
_BATCH = 4096  # frames decoded at a time: 13 minutes, a few MB


class RecordingError(ValueError):
    """This file is not a recording that this version reads."""


class RecordingWriter:
    """Append frames, and the board's answers, to a new recording.

    Everything is handed to the operating system each second of received time, and forced to the disk by sync()
    and close(). When the disk is full one OSError names the file; what was written stays readable, and writing
    can go on when there is room again.

    Parameters
    ----------
    path
        A file that does not exist yet; by custom it ends in `.tw`.
    header
        What to say about the recording: created_utc, address, mount, mounting, notes and the like (JSON values).
        Format, wire and tiltwise versions are added.
    start_s
        received_s that counts as zero; None: that of the first frame.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: Mapping[str, object], *, start_s: float | None = None
    ) -> None:
        self.path = Path(path)
        first_line = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "wire_version": wire.VERSION,
            "tiltwise_version": __version__,
        }
        line = json.dumps(first_line | dict(header), ensure_ascii=True, allow_nan=False).encode() + b"\n"
        if len(line) > _MAX_HEADER:
            raise ValueError(
                f"recording header of {len(line)} bytes, at most {_MAX_HEADER}: shorten the notes"
            )
        self._pending = bytearray(line)
        self._start_s = start_s
        self._flushed_s = start_s or 0.0
        self._file = open(self.path, "xb", buffering=0, opener=_private)  # noqa: SIM115  closed by close()
        try:
            self.flush()
        except OSError:
            self._file.close()
            raise

    def write(self, received_s: float, frame: bytes) -> None:
        """Append a frame or an answer; received_s is any growing clock, of which only differences are kept."""
        if self._start_s is None:
            self._start_s = self._flushed_s = received_s
        received_ms = round((received_s - self._start_s) * 1000) & 0xFFFFFFFF
        self._pending += cobs.encode(struct.pack("<I", received_ms) + frame) + b"\0"
        if received_s - self._flushed_s >= _FLUSH_S:
            self._flushed_s = received_s
            self.flush()

    def write_calibration(self, received_s: float, calibration: Mapping[str, object]) -> None:
        """Append a calibration that is used from now on: `mounting` and `collar` as in a header, and `is_put_on`."""
        self.write(received_s, _CALIBRATION + json.dumps(calibration, allow_nan=False).encode())

    def write_snooze(self, received_s: float, seconds: int) -> None:
        """Append that alerts are silenced from now on for so long; 0: not any more."""
        self.write(received_s, _SNOOZE + json.dumps(seconds).encode())

    @property
    def waiting_bytes(self) -> int:
        """What the system has not taken yet: about a second, more when the disk refuses."""
        return len(self._pending)

    def flush(self) -> None:
        """Hand everything to the operating system: from here on a crash of this program costs nothing."""
        try:
            while self._pending:
                del self._pending[: self._file.write(self._pending)]
        except OSError as error:
            raise OSError(
                error.errno, f"cannot write the recording ({error.strerror})", str(self.path)
            ) from error

    def sync(self) -> None:
        """Force everything to the disk: from here on a power cut costs nothing, and frames may be acknowledged."""
        self.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Force everything to the disk and close the file; closing twice is fine."""
        if self._file.closed:
            return
        try:
            self.sync()
        finally:
            self._file.close()

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recording file holds: frames as received, received_s (m,) from 0, and what was not readable.

    answers: (frames before it, received_s, bytes) of what the board answered, which tells what is missing.
    calibrations: (frames before it, values with the keys of a header) of those that came into use meanwhile.
    snoozes: (frames before it, received_s, s) of times without alerts that were asked for meanwhile; 0 s ends one.
    """

    header: Mapping[str, object]
    received_s: FloatArray
    frames: list[bytes]
    damaged_records: int
    is_torn: bool  # the last record is cut off, as after a power cut
    first_s: float = 0.0  # received_s of the first frame on the clock that the writer was told the zero of
    answers: tuple[tuple[int, float, bytes], ...] = ()
    calibrations: tuple[tuple[int, Mapping[str, object]], ...] = ()
    snoozes: tuple[tuple[int, float, int], ...] = ()

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """Yield (received_s on the writer's clock, frame or answer) in the order in which they came."""
        times, at = (self.received_s + self.first_s).tolist(), 0
        for before, received_s, answer in (*self.answers, (len(self.frames), 0.0, b"")):
            yield from zip(times[at:before], self.frames[at:before], strict=True)
            at = before
            if answer:
                yield received_s, answer


@dataclass(frozen=True, slots=True)
class _Note:
    """A record of ours: how many frames and records stand before it, and how long it is after the last, s."""

    kind: bytes
    frames: int
    records: int
    since_s: float
    value: Any


def _private(name: str, flags: int) -> int:
    """Let only its owner read a recording: it shows somebody's movements."""
    return os.open(name, flags, 0o600)


def read_frames(path: str | os.PathLike[str]) -> Recording:
    """Return header and frames of a recording; damaged records are left out and counted.

    Raises
    ------
    RecordingError
        When it is no recording, or one of a later format.
    OSError
        When it cannot be read.
    """
    with Path(path).open("rb") as file:
        line = file.readline(_MAX_HEADER)
        header = _parse_header(line, Path(path))
        *pieces, tail = file.read().split(b"\0")
    records = [_decode_record(piece) for piece in pieces if piece]
    good = [record for record in records if record is not None]
    notes, good = _split_notes(good)
    received_ms = np.frombuffer(b"".join([record[:4] for record in good]), dtype="<u4").astype(np.int64)
    # Times of arrival only grow, so a step back is the wrap after 50 days.
    times_s = (
        received_ms[:1].sum() + np.cumsum(np.diff(received_ms, prepend=received_ms[:1]) % (1 << 32))
    ) / 1000
    is_frame = np.array([wire.is_frame(record[4:]) for record in good], dtype=bool)
    frame_s = times_s[is_frame]
    first_s = float(frame_s[0]) if len(frame_s) else 0.0
    before = np.cumsum(is_frame)
    return Recording(
        header=header,
        received_s=frame_s - first_s,
        frames=[good[k][4:] for k in np.flatnonzero(is_frame)],
        damaged_records=len(records) - len(good) - len(notes),
        is_torn=bool(tail),
        first_s=first_s,
        answers=tuple((int(before[k]), float(times_s[k]), good[k][4:]) for k in np.flatnonzero(~is_frame)),
        calibrations=_calibrations(notes),
        snoozes=_snoozes(notes, times_s),
    )


def read_recording(
    path: str | os.PathLike[str], tagger: Tagger | None = None
) -> Iterator[ImuBlock | OrientationBlock]:
    """Yield the samples of a recording in the order of the device, backfilled ones where they belong.

    Examples
    --------
    ``for block in read_recording("2026-01-05.tw"): update = tracker.process(block)``
    """
    for item in read_items(path, tagger):
        if isinstance(item, (ImuBlock, OrientationBlock)):
            yield item


def read_items(path: str | os.PathLike[str], tagger: Tagger | None = None) -> Iterator[Item]:
    """Yield all that a recording says, gaps and messages too, in the order of the device."""
    frames = in_device_order(read_frames(path).frames, tagger)
    decoder = Decoder(tagger, max_without_info=None)
    for first in range(0, len(frames), _BATCH):
        yield from decoder.feed_many(frames[first : first + _BATCH])
    yield from decoder.flush()


def in_device_order(frames: list[bytes], tagger: Tagger | None = None) -> list[bytes]:
    """Return the good frames sorted by boot and sequence number; both wrap, so they count from the first seen."""
    table, _ = parse_frames(frames, tagger)
    if not table.frames:
        return []
    boot = (table.boot - table.boot[0] + (1 << 15)) % (1 << 16)
    seq = np.empty(len(boot), dtype=np.int64)
    for value in np.unique(boot):
        rows = boot == value
        seq[rows] = (table.seq[rows] - table.seq[rows][0] + (1 << 31)) % (1 << 32)
    return table.take(np.lexsort((seq, boot))).frames


def _parse_header(line: bytes, path: Path) -> dict[str, object]:
    """Return the first line's values; RecordingError when it is not the first line of a recording."""
    if not line:
        raise RecordingError(f"{path}: the file is empty, expected a tiltwise recording")
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise RecordingError(f"{path}: not a tiltwise recording (its first line does not say so)")
    version = header.get("format_version")
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"{path}: recording format {version}, this version reads {FORMAT_VERSION}: update tiltwise"
        )
    return header


def _split_notes(records: list[bytes]) -> tuple[list[_Note], list[bytes]]:
    """Return what was noted between the records and can be read, and the other records."""
    notes: list[_Note] = []
    others: list[bytes] = []
    n_frames = 0
    for record in records:
        kind = next((kind for kind in (_CALIBRATION, _SNOOZE) if record.startswith(kind, 4)), b"")
        if not kind:
            others.append(record)
            n_frames += wire.is_frame(record[4:])
            continue
        with contextlib.suppress(ValueError, RecursionError):  # damaged as a frame may be: left out
            value = json.loads(record[4 + len(kind) :])
            after_ms = others[-1][:4] if others else bytes(4)
            since_ms = int.from_bytes(record[:4], "little") - int.from_bytes(after_ms, "little")
            since_s = ((since_ms + (1 << 31)) % (1 << 32) - (1 << 31)) / 1000
            notes.append(_Note(kind, n_frames, len(others), since_s, value))
    return notes, others


def _calibrations(notes: list[_Note]) -> tuple[tuple[int, Mapping[str, object]], ...]:
    return tuple(
        (note.frames, {k: note.value[k] for k in _OF_CALIBRATION if k in note.value})
        for note in notes
        if note.kind == _CALIBRATION and isinstance(note.value, dict)
    )


def _snoozes(notes: list[_Note], times_s: FloatArray) -> tuple[tuple[int, float, int], ...]:
    starts_s = np.concatenate(([0.0], times_s))  # of the record before each
    return tuple(
        (note.frames, float(starts_s[note.records]) + note.since_s, note.value)
        for note in notes
        if note.kind == _SNOOZE and isinstance(note.value, int) and 0 <= note.value <= _LONGEST_SNOOZE_S
    )


def _decode_record(piece: bytes) -> bytes | None:
    """Return the bytes of a record, None when it is damaged."""
    try:
        record = cobs.decode(piece)
    except cobs.DecodeError:
        return None
    return record if len(record) > 4 else None
