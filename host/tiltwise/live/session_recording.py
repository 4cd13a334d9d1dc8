"""The raw recording of a live session; a disk that refuses stops nothing, and is reported once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from tiltwise.errors import os_error_line
from tiltwise.live.wearer.live_events import Calibrated, LiveWarning
from tiltwise.recording.tw_file import RecordingWriter


class NoRecording:
    """In the place of a recording where none is wanted."""

    is_kept = False
    kept = ""

    def write(self, _received_s: float, _chunk: bytes) -> list[LiveWarning]:
        """Keep nothing."""
        return []

    def write_calibration(self, _received_s: float, _calibration: Calibrated) -> list[LiveWarning]:
        """Keep nothing."""
        return []

    def write_snooze(self, _received_s: float, _seconds: int) -> list[LiveWarning]:
        """Keep nothing."""
        return []

    def sync(self) -> bool:
        """Nothing is durable."""
        return False

    def close(self) -> str:
        """Nothing can go wrong."""
        return ""


class SessionRecording(NoRecording):
    """Writes each chunk as it came."""

    is_kept = True

    def __init__(self, writer: RecordingWriter) -> None:
        self._writer = writer
        self._trouble = ""
        self.kept = f"the recording {writer.path}"

    def write(self, received_s: float, chunk: bytes) -> list[LiveWarning]:
        """Write a chunk; while the disk refuses, the writer keeps it and tries again."""
        return self._reported(lambda: self._writer.write(received_s, chunk))

    def write_calibration(self, received_s: float, calibration: Calibrated) -> list[LiveWarning]:
        """Write how the sensors sit, so that a replay knows what this session knew."""
        values: dict[str, object] = {
            name: asdict(mounting)
            for name, mounting in (("mounting", calibration.mounting), ("collar", calibration.collar))
            if mounting is not None
        }
        values["is_put_on"] = calibration.is_put_on
        return self._reported(lambda: self._writer.write_calibration(received_s, values))

    def write_snooze(self, received_s: float, seconds: int) -> list[LiveWarning]:
        """Write that alerts were silenced, so that the day built from it again has the same alerts."""
        return self._reported(lambda: self._writer.write_snooze(received_s, seconds))

    def _reported(self, write: Callable[[], None]) -> list[LiveWarning]:
        """Write; tell once that the disk refuses, and once that it is over."""
        warnings = []
        try:
            write()
        except OSError as error:
            if not self._trouble:
                self._trouble = os_error_line(error)
                warnings.append(LiveWarning(f"{self._trouble}; alerts go on, retrying"))
        if self._trouble and not self._writer.waiting_bytes:
            warnings.append(LiveWarning(f"recording again (was: {self._trouble})"))
            self._trouble = ""
        return warnings

    def sync(self) -> bool:
        """Force what was written to the disk; False when it refuses, which `write` reports."""
        try:
            self._writer.sync()
        except OSError:
            return False
        return True

    def close(self) -> str:
        """Close the file; return what could not be kept, in a line, or an empty text."""
        try:
            self._writer.close()
        except OSError as error:
            return os_error_line(error)
        return ""
