"""Two files with the same lines: what damage costs one of them, the other still says.

A line is CRC-32 and JSON and begins with a number that never comes again. So the lines of both files are put together
by their numbers, whichever file they can be read in and however far each of them goes.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiltwise.config.atomic_file import whole_file

BEGUN = "begun"  # what this line and those behind it say is all; with the number of lines written with it
_BEGINS = re.compile(rb"[0-9a-f]{0,8}$|[0-9a-f]{8} ")


@dataclass(slots=True)
class _File:
    """One of the two: what waits to be written, and the descriptor while it is open."""

    path: Path
    pending: bytearray = field(default_factory=bytearray)
    descriptor: int = -1
    is_damaged: bool = False
    is_torn: bool = False
    size: int = 0

    def write(self, *, is_durable: bool) -> None:
        if self.descriptor < 0:
            self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while self.pending:
            del self.pending[: os.write(self.descriptor, self.pending)]
        if is_durable:
            os.fsync(self.descriptor)

    def replace(self) -> None:
        """Let what waits be all of the file."""
        with whole_file(self.path, is_private=True) as file:
            file.write(self.pending)
        self.pending.clear()
        self.close()

    @property
    def is_whole(self) -> bool:
        return not self.is_damaged and not self.is_torn

    def is_in_place(self) -> bool:
        if self.descriptor < 0:
            return True
        mine, there = os.fstat(self.descriptor), self.path.stat()
        return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def read(self) -> dict[int, list[Any]]:
        """Return the lines by number and without it; OSError when that is refused."""
        data = self.path.read_bytes()
        self.size = len(data)
        *lines, torn = data.split(b"\n")
        found: dict[int, list[Any]] = {}
        for line in lines:
            try:
                crc32, text = line[:8], line[9:]
                if int(crc32, 16) != zlib.crc32(text):
                    raise ValueError("checksum")
                number, *values = json.loads(text)
                if isinstance(number, str):  # as it was with one file
                    number, values = len(found), [number, *values]
                found[number] = values
            except (ValueError, TypeError):
                self.is_damaged = True
        # A kill leaves the beginning of a line, nothing else; and a file is never empty.
        self.is_damaged |= not found or not _BEGINS.match(torn)
        self.is_torn = bool(torn)
        return found


class TwinLog:
    """Lines are added with `put` and handed to the system by `flush`; `rewrite` begins anew.

    Attributes
    ----------
    lines : what was read, in order, without the numbers.
    is_new : neither file was there.
    missing : how many lines neither file says.
    is_in_doubt : there may be lines that neither file says, and nobody knows how many: both end too early.
    mended : names of damaged files whose lines the other one says.
    is_rewrite_due : the files differ or end within a line: write them anew before adding to them.
    size : bytes in the first file since it was begun.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read what is there; OSError when that is refused."""
        self._files = [_File(path) for path in paths]
        there = [file for file in self._files if file.path.exists()]
        read = [file.read() for file in there]
        found = {number: line for each in read for number, line in each.items()}
        self.is_new = not there
        begun = max((n for n, line in found.items() if line[:1] == [BEGUN]), default=None)
        first = min(found, default=0) - 1 if begun is None else begun
        self._next = max(found, default=-1) + 1
        self.lines = [found[n] for n in sorted(found) if n >= first]
        self.missing = 0 if self.is_new else self._next - first - len(self.lines)
        self.is_in_doubt = self._is_in_doubt(there)
        damaged = [file.path.name for file in there if file.is_damaged]
        self.mended = [] if self.missing or self.is_in_doubt else damaged
        is_alike = len(there) == len(self._files) and all(each.keys() == read[0].keys() for each in read)
        self.is_rewrite_due = bool(damaged) or not is_alike or any(file.is_torn for file in there)
        self.size = there[0].size if there else 0
        self._is_urgent = False

    def _is_in_doubt(self, there: Sequence[_File]) -> bool:
        """Tell whether more is wrong than one file with damage or the beginning of a line, as a kill leaves it."""
        if len(there) == 1:  # a kill leaves one file only where nothing was added yet
            _, *n_begun = self.lines[0] if self.lines else [BEGUN]
            return there[0].is_damaged or (bool(n_begun) and n_begun != [len(self.lines) - 1])
        if any(file.is_damaged for file in there):
            return not any(
                one.is_whole and one.size >= other.size for one, other in zip(there, there[::-1], strict=True)
            )
        return bool(there) and all(file.is_torn for file in there)

    def put(self, record: Sequence[object], *, is_urgent: bool = False) -> None:
        """Add a line; an urgent one is forced to the disk by the next `flush`."""
        text = json.dumps([self._next, *record], separators=(",", ":")).encode()
        self._next += 1
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        self.size += len(line)
        for file in self._files:
            file.pending += line
        self._is_urgent = self._is_urgent or is_urgent

    def flush(self, *, is_durable: bool = False) -> None:
        """Hand the lines to the system, and force them to the disk if asked; OSError keeps what is not written."""
        for file in self._files:
            file.write(is_durable=is_durable or self._is_urgent)
        self._is_urgent = False

    def rewrite(self, records: Iterable[Sequence[object]]) -> None:
        """Let these be all lines, each file replaced in one go; OSError keeps what is not written."""
        for file in self._files:
            file.pending.clear()
        self.size = 0
        records = list(records)
        self.put([BEGUN, len(records)])
        for record in records:
            self.put(record)
        for file in self._files:
            file.replace()
        self.is_rewrite_due = False

    def check_places(self) -> None:
        """Raise FileNotFoundError when a file that is written has lost its name."""
        for file in self._files:
            if not file.is_in_place():
                raise FileNotFoundError(errno.ENOENT, "deleted or moved", str(file.path))

    def close(self) -> None:
        """Close the files; the next line opens them again."""
        for file in self._files:
            file.close()
