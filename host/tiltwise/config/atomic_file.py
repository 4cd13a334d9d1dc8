"""Files that are written whole or not at all: a power cut or a full disk leaves the old file or the new one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import sqlite3

_PATIENCE_S = 60.0  # another process holds it for milliseconds


def private_folder(folder: Path) -> Path:
    """Make a folder for its owner alone, and so whatever is missing above it; OSError when it cannot be made."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def whole_file(path: Path, *, is_private: bool = False) -> Iterator[BinaryIO]:
    """Open a file to write; it gets its name, and replaces one that has it, when all of it is on the disk.

    Parameters
    ----------
    path
        Its folder must be there.
    is_private
        Only its owner may read it; otherwise whoever the umask allows.

    Raises
    ------
    OSError
        What the system refuses, naming `path`.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    mode = 0o600 if is_private else 0o666
    try:
        partial.unlink(missing_ok=True)  # of a killed run: its permissions would stay
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # the folder is not there, or the file has its name by now
            partial.unlink()


def exclusive_lock(file: Path, patience_s: float = 0.0) -> sqlite3.Connection:
    """Return an exclusive transaction on an empty SQLite file, made when absent; it ends when it is closed.

    It works alike on Linux, macOS and Windows, and the system drops it with its holder.

    Raises
    ------
    sqlite3.Error
        While another process holds it, for longer than `patience_s`.
    """
    import sqlite3  # here: most that is written needs no lock

    lock = sqlite3.connect(file, timeout=patience_s, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        lock.close()
        raise
    return lock


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a file that is read, changed and written against other processes; a second one waits.

    The lock is a file beside it.
    """
    import sqlite3

    try:
        lock = exclusive_lock(path.with_name(f".{path.name}.lock"), _PATIENCE_S)
    except sqlite3.Error as error:
        raise OSError(f"{path} cannot be locked: {error}") from error
    with contextlib.closing(lock):
        yield


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk; Windows opens no folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
