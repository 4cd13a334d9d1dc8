"""Where a running `watch` can be asked: a Unix socket, or on Windows a port of this computer and a secret in a file.

One place for each store, in the folder of the system that is emptied at logout. Its name is made of hashes, because
the path of a socket has room for about 100 bytes and a data folder may have any path. Only its owner can open it
(0600 in 0700); a port is open to everybody on the computer, so that there each question carries the secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tiltwise.config.atomic_file import whole_file
from tiltwise.config.paths import runtime_folder

_HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX")
# A busy computer makes a program late by seconds: 3 s were too few for a dozen questions at once on two cores.
CALL_LIMIT_S = 15.0


class NobodyAnswersError(OSError):
    """No program is there: none was started, or it was killed and left its file behind."""


class PlaceTakenError(OSError):
    """A program that runs is asked here already."""


@dataclass(frozen=True, slots=True)
class ControlPlace:
    """Where to ask the `watch` of one store; `is_socket` is False where there are no Unix sockets."""

    path: Path
    is_socket: bool = _HAS_UNIX_SOCKETS

    def call(self, limit_s: float = CALL_LIMIT_S) -> tuple[socket.socket, str]:
        """Return a connection and the secret to send with each question; NobodyAnswersError when nobody is there."""
        try:
            if not _is_private(self.path.parent):
                raise FileNotFoundError(self.path.parent)
            if self.is_socket:
                called = socket.socket(socket.AF_UNIX)
                called.settimeout(limit_s)
                return _connected(called, str(self.path)), ""
            note = json.loads(self.path.read_bytes())
            return socket.create_connection(("127.0.0.1", int(note["port"])), limit_s), str(note["secret"])
        except (FileNotFoundError, ConnectionRefusedError, ValueError, KeyError, TypeError) as error:
            raise NobodyAnswersError(f"nobody answers at {self.path}") from error

    def listen(self) -> tuple[socket.socket, str]:
        """Return a listening socket and the secret to ask for; what a killed program left behind is removed.

        Raises
        ------
        PlaceTakenError
            When another program answers here.
        OSError
            When the system refuses.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(self.path.parent):
            raise PermissionError(f"{self.path.parent} is not a folder of yours alone")
        with contextlib.suppress(NobodyAnswersError):
            self.call()[0].close()
            raise PlaceTakenError("another tiltwise with the same store answers already")
        self.path.unlink(missing_ok=True)
        if self.is_socket:
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(self.path))
            self.path.chmod(0o600)
            listening.listen()
            return listening, ""
        listening = socket.create_server(("127.0.0.1", 0))
        secret = secrets.token_hex(16)
        with whole_file(self.path, is_private=True) as file:
            file.write(json.dumps({"port": listening.getsockname()[1], "secret": secret}).encode())
        return listening, secret

    def leave(self) -> None:
        """Remove what shows the way here."""
        self.path.unlink(missing_ok=True)


def place_of(data: Path, store: Path, *, is_socket: bool = _HAS_UNIX_SOCKETS) -> ControlPlace:
    """Return where the `watch` that keeps `store`, in the data folder `data`, is asked."""
    name = f"{_hash(data)}-{_hash(store)}{'.sock' if is_socket else '.json'}"
    return ControlPlace(runtime_folder() / name, is_socket)


def places_in(data: Path) -> list[ControlPlace]:
    """Return where programs with a store in this data folder, or with this store, may answer."""
    names = (f"{_hash(data)}-*", f"*-{_hash(data)}.*")
    return [ControlPlace(path) for path in sorted({p for name in names for p in runtime_folder().glob(name)})]


def _hash(folder: Path) -> str:
    return sha256(os.fsencode(folder.expanduser().resolve())).hexdigest()[:12]


def _is_private(folder: Path) -> bool:
    """Tell whether a folder is ours and closed to others; on Windows the user's folders are."""
    if not hasattr(os, "geteuid"):
        return folder.is_dir()
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _connected(called: socket.socket, path: str) -> socket.socket:
    try:
        called.connect(path)
    except OSError:
        called.close()
        raise
    return called
