"""A file played as if it were a board: our recordings as they were received, other IMU files packed into frames.

`replay:FILE?speed=8` gives the frames at eight times the pace of the recording, speed 0 as fast as they are taken.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from tiltwise.common import wire
from tiltwise.decode.frame_table import headers
from tiltwise.link.source import Chunk
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.recording.imu_file import ReadOptions, load_imu
from tiltwise.recording.tw_file import read_frames
from tiltwise.text import counted
from tiltwise.types import FloatArray

_YIELD_CHUNKS = 64  # at full speed other tasks get a turn after this many chunks


@dataclass(frozen=True, slots=True)
class TimedFrames:
    """Frames with their times of arrival (m,), the notes about the file, and a recording's header.

    calibrations, snoozes and answers are those of the recording, each with how many frames came before it
    (`Recording`); the header's calibration is the first. Where the header has none it has the last of them.
    first_s is when the first frame came, in received s of the recording; it counts as zero here.
    """

    received_s: FloatArray
    frames: list[bytes]
    notes: tuple[str, ...] = ()
    header: Mapping[str, object] = field(default_factory=dict)
    calibrations: tuple[tuple[int, Mapping[str, object]], ...] = ()
    snoozes: tuple[tuple[int, float, int], ...] = ()
    answers: tuple[tuple[int, float, bytes], ...] = ()
    first_s: float = 0.0


def load_tape(path: str | os.PathLike[str], options: ReadOptions | None = None) -> TimedFrames:
    """Read a `.tw` or any other IMU file as frames; options say how the columns of another program's are read.

    Raises
    ------
    ImuFileError, RecordingError, OSError
        When the file cannot be used; one line says why.
    """
    path = Path(path)
    if path.suffix.lower() != ".tw":
        return _tape_of_samples(path, options)
    recording = read_frames(path)
    notes = []
    if recording.damaged_records:
        notes.append(f"{counted(recording.damaged_records, 'damaged record')} left out")
    if recording.is_torn:
        notes.append("the last record is cut off and left out")
    header, calibrations = dict(recording.header), recording.calibrations
    if isinstance(header.get("mounting"), dict):
        began = {key: header[key] for key in ("mounting", "collar") if key in header}
        calibrations = ((0, began | {"is_put_on": True}), *calibrations)
    elif (
        "mounting" not in header and calibrations
    ):  # for what looks at all of it, the one made meanwhile is as good
        header |= calibrations[-1][1]
        mounting = header.get("mounting")
        if isinstance(mounting, dict):
            header["mount"] = mounting.get("mount", header.get("mount"))
    first_s = recording.first_s
    return TimedFrames(
        recording.received_s,
        recording.frames,
        tuple(notes),
        header,
        calibrations,
        tuple((before, at_s - first_s, seconds) for before, at_s, seconds in recording.snoozes),
        tuple((before, max(at_s - first_s, 0.0), answer) for before, at_s, answer in recording.answers),
        first_s,
    )


def _tape_of_samples(path: Path, options: ReadOptions | None) -> TimedFrames:
    """Pack an IMU file; a frame arrives when its last sample has been taken."""
    imu = load_imu(path, options=options)
    frames = pack_imu_frames(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2, rate_hz=imu.rate_hz)
    n = (headers(frames)["count"] & wire.MAX_SAMPLES).astype(np.int64)
    last = np.maximum(np.cumsum(n) - 1, 0)  # the INFO frame holds none and comes with the first sample
    return TimedFrames(imu.t_s[last] - imu.t_s[0], frames, imu.notes)


class ReplaySource:
    """A Source that plays a file and ends with it; commands are ignored, for a file does not answer.

    Parameters
    ----------
    path
        File to play.
    speed
        Factor on the pace; 0 is as fast as possible.
    options
        How the columns of another program's file are read.
    clock, sleep
        Monotonic seconds and a pause; tests give their own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        speed: float = 1.0,
        options: ReadOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if speed < 0:
            raise ValueError(f"speed is {speed}, expected 0 (as fast as possible) or more")
        self._path = Path(path)
        self._speed = speed
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._tape: TimedFrames | None = None
        self.gives_answers = False  # what the board answered too, as a live board does

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about the file; empty before it is entered."""
        return () if self._tape is None else self._tape.notes

    @property
    def duration_s(self) -> float:
        """Length of the file at speed 1, for progress bars; 0 before it is entered."""
        return (
            0.0 if self._tape is None or not len(self._tape.received_s) else float(self._tape.received_s[-1])
        )

    async def __aenter__(self) -> ReplaySource:
        self._tape = await asyncio.to_thread(load_tape, self._path, self._options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tape = None

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Give the frames at their pace; Chunk.received_s is the time in the recording, whatever the speed."""
        if self._tape is None:
            raise RuntimeError("the source is not open: use it with `async with`")
        start_s = self._clock()
        for k, (received_s, chunk) in enumerate(self._chunks(self._tape)):
            if self._speed > 0:
                wait_s = received_s / self._speed - (self._clock() - start_s)
                if wait_s > 0:
                    await self._sleep(wait_s)
            if k % _YIELD_CHUNKS == 0:
                await self._sleep(0)
            yield Chunk(received_s, chunk)

    def _chunks(self, tape: TimedFrames) -> Iterator[tuple[float, bytes]]:
        """Yield frames, and answers where they are wanted, in the order in which they came."""
        times, at = tape.received_s.tolist(), 0
        for before, received_s, answer in tape.answers if self.gives_answers else ():
            yield from zip(times[at:before], tape.frames[at:before], strict=True)
            at = before
            yield received_s, answer
        yield from zip(times[at:], tape.frames[at:], strict=True)

    async def send(self, _command: bytes, /) -> None:
        """Ignore a command: a file does not answer."""
