"""The port and the board of a setup, which no other tiltwise uses until it ends: a key would be lost between two."""

from __future__ import annotations

from collections.abc import Callable

from tiltwise.config.in_use import InUse, board_in_use, port_in_use
from tiltwise.setup.setup_errors import AGAIN, SetupError


class Held:
    """What this setup holds; SetupError in a line when another tiltwise has it."""

    def __init__(self) -> None:
        self._uses: dict[str, InUse] = {}

    def port(self, path: str) -> str:
        """Hold a port and return its path."""
        trouble = f"{path}: another tiltwise (setup, or watch by cable) uses this port"
        self._hold(path, lambda: port_in_use(path), trouble)
        return path

    def board(self, device_id: bytes, port: str) -> None:
        """Hold a board, on whichever port."""
        trouble = f"{port}: another tiltwise setup works on this board"
        self._hold(device_id.hex(), lambda: board_in_use(device_id), trouble)

    def _hold(self, name: str, use: Callable[[], InUse], trouble: str) -> None:
        if name in self._uses:
            return  # a port may come back under its first name
        try:
            self._uses[name] = use()
        except OSError as error:
            raise SetupError(f"{trouble}: let it end or stop it, {AGAIN}") from error

    def release(self) -> None:
        """Let others have them."""
        while self._uses:
            self._uses.popitem()[1].release()
