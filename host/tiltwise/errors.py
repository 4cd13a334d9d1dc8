"""Errors that end a command with one line: what was expected, what came, what to do."""

from __future__ import annotations

import errno


class AppError(Exception):
    """A failure, in one line: what was expected, what came, what to do."""

    exit_code = 1


class UsageError(AppError):
    """The command was given something it cannot use."""

    exit_code = 2


class StoppedError(AppError):
    """Ctrl-C, SIGTERM or SIGHUP ended a session; the line says what was kept, and where."""

    exit_code = 130  # 128 + SIGINT, what shells expect


def os_error_line(error: OSError) -> str:
    """Say what the system refused, about which file, and what to do."""
    advice = {
        errno.ENOSPC: "free some space and run it again",
        errno.EFBIG: "free some space or raise the limit, and run it again",
        errno.EEXIST: "name a new file, or remove the old one",
        errno.ENAMETOOLONG: "choose a shorter name",
        errno.EROFS: "choose another folder",
        errno.EACCES: "choose another folder or change its permissions",
        errno.EPERM: "choose another folder or change its permissions",
        errno.ENOENT: "check the name",
        errno.EISDIR: "name a file, not a folder",
        errno.ENOTDIR: "choose another folder",
    }.get(error.errno or 0, "")
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}{'; ' + advice if advice else ''}"
