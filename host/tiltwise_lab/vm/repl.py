"""A MicroPython prompt on a pseudo-terminal: a board for mpremote without a board."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import threading
import tty
from pathlib import Path
from types import TracebackType

from tiltwise_lab.vm.vm_install import micropython_module, node_program

_HERE = Path(__file__).parent


class ReplBoard:
    """A prompt; `port` is the terminal to connect to, `flash` the folder that it keeps its files in."""

    def __init__(self, flash: Path) -> None:
        self.flash = flash
        flash.mkdir(parents=True, exist_ok=True)
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        command = [str(node_program()), str(_HERE / "repl.mjs"), str(micropython_module()), str(flash)]
        self._process = subprocess.Popen(
            [*command, str(_HERE / "shims")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._stop_read, self._stop_write = os.pipe()
        self._relay = threading.Thread(target=self._run, daemon=True)
        self._relay.start()

    def _run(self) -> None:
        """Carry bytes between the terminal and the prompt."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        into, out = self._process.stdin.fileno(), self._process.stdout.fileno()
        while True:
            ready = select.select([self._ours, out, self._stop_read], [], [])[0]
            if self._stop_read in ready:
                return
            if self._ours in ready:
                os.write(into, os.read(self._ours, 4096))
            if out in ready:
                data = os.read(out, 4096)
                if not data:
                    return
                os.write(self._ours, data)

    def close(self) -> None:
        """Switch it off; its files are in `flash` afterwards."""
        os.write(self._stop_write, b"x")
        self._relay.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        for end in (self._ours, self._theirs, self._stop_read, self._stop_write):
            os.close(end)

    def __enter__(self) -> ReplBoard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
