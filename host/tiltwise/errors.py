"""Errors that end a command with one line: what was expected, what came, what to do."""

from __future__ import annotations

import errno
import re

_NUMBER = re.compile(r"\[(?:Errno|WinError) -?\d+\] ")  # means nothing to a person


class AppError(Exception):
    """A failure, in one line: what was expected, what came, what to do."""

    exit_code = 1


class UsageError(AppError):
    """The command was given something it cannot use."""

    exit_code = 2


class StoppedError(AppError):
    """Ctrl-C, SIGTERM or SIGHUP ended a session; the line says what was kept, and where."""

    exit_code = 130  # 128 + SIGINT, what shells expect


def reason_of(error: Exception) -> str:
    """Return what went wrong in words: of the system's errors neither number nor file, of others their own line."""
    return getattr(error, "strerror", None) or _NUMBER.sub("", str(error))


def os_error_line(error: Exception) -> str:
    """Say what the system refused, about which file, and what to do; of any other error its own line."""
    if not isinstance(error, OSError):
        return str(error)
    advice = {
        errno.ENOSPC: "free some space and run it again",
        errno.EFBIG: "free some space or raise the limit, and run it again",
        errno.EEXIST: "name a new file, or remove the old one",
        errno.ENAMETOOLONG: "choose a shorter name",
        errno.EROFS: "make that disk writable or choose another folder",
        errno.EIO: "check that the disk is still there",
        errno.EACCES: "choose another folder or change its permissions",
        errno.EPERM: "choose another folder or change its permissions",
        errno.ENOENT: "check the name",
        errno.EISDIR: "name a file, not a folder",
        errno.ENOTDIR: "choose another folder",
    }.get(error.errno or 0, "")
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{reason_of(error)}{'; ' + advice if advice else ''}"
