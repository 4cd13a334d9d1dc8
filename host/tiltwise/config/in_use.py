"""What one program of this user may use at a time, as a serial port or a board: held until let go or ended."""

from __future__ import annotations

import errno
import os
import sqlite3
from hashlib import sha256

from tiltwise.config.atomic_file import exclusive_lock, private_folder
from tiltwise.config.paths import runtime_folder
from tiltwise.link.serial import SerialBytes


class InUse:
    """Holds a name from construction to `release`, by the lock of a file.

    Where that file cannot be made nothing is held: it keeps nobody from his board, and an open port has a lock of
    its own in the system.

    Raises
    ------
    OSError
        EBUSY when another program holds it.
    """

    def __init__(self, name: str) -> None:
        file = runtime_folder() / f"in-use-{sha256(os.fsencode(name)).hexdigest()[:12]}"
        self._db: sqlite3.Connection | None = None
        try:
            private_folder(file.parent)
            self._db = exclusive_lock(file)
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                raise OSError(errno.EBUSY, "in use by another tiltwise", name) from error

    def release(self) -> None:
        """Let another program have it."""
        if self._db is not None:
            self._db.close()
            self._db = None


def port_in_use(port: str) -> InUse:
    """Hold a serial port, whichever of its names it is called by; OSError as InUse."""
    return InUse(f"port {os.path.realpath(port) if os.sep in port else port.upper()}")


def board_in_use(device_id: bytes) -> InUse:
    """Hold a board, whichever port it is on; OSError as InUse."""
    return InUse(f"board {device_id.hex()}")


class SharedPort(SerialBytes):
    """An open serial port; OSError (EBUSY) while another tiltwise uses it, as setup does also between its steps."""

    def __init__(self, path: str) -> None:
        self._use = port_in_use(path)
        try:
            super().__init__(path)
        except BaseException:
            self._use.release()
            raise

    def close(self) -> None:
        """Let others open the port."""
        super().close()
        self._use.release()
