"""One MicroPython VM: start it, let its virtual time pass, run code in it, answer what its shims ask.

Beside it: host.mjs, the other end of the pipe. The VM runs only inside `resume`; it is idle in between, and
`due_us` says when it wants to go on.
"""

from __future__ import annotations

import base64
import json
import math
import os
import select
import struct
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from tiltwise.firmware_build.locate import board_files
from tiltwise_lab.vm.vm_install import micropython_module, node_program

HERE = Path(__file__).parent
_CALL, _ASK, _IDLE, _DONE, _LINE, _CRASH = 1, 2, 3, 4, 5, 6
_HEAD = struct.Struct("<IBd")
_CALL_HEAD = struct.Struct("<BII")
LONGEST_STEP_US = 60e6  # a VM that runs longer than this without a pause hangs in a busy wait
_ZEPHYR = "zephyr_"
HANGS_S = 30.0  # real time without a word

# A device: kind, two numbers, bytes in -> errno, bytes out
Device = Callable[[int, int, bytes], tuple[int, bytes]]


class VmError(RuntimeError):
    """Code in the VM raised; the text is MicroPython's."""


def firmware_on_board() -> dict[str, bytes]:
    """Return path on the board -> content, of the whole firmware."""
    files = {}
    for name, path in board_files().items():
        files["/main.py" if name == "../main.py" else f"/lib/{name}"] = path.read_bytes()
    return files


class Port(StrEnum):
    """Whose names, refusals and limits the board's modules have."""

    PLAIN = "esp32 and rp2"
    ZEPHYR = "zephyr, as the port builds it"
    ZEPHYR_OURS = "zephyr, built with firmware/zephyr"


def shims(port: Port = Port.PLAIN) -> dict[str, bytes]:
    """Return what stands in for the modules of a board, path -> content."""
    found = {path.name: path.read_bytes() for path in sorted((HERE / "shims").glob("*.py"))}
    others = {name: found.pop(name) for name in tuple(found) if name.startswith(_ZEPHYR)}
    if port is not Port.PLAIN:
        for name, content in others.items():
            place = name.removeprefix(_ZEPHYR)
            found[place.replace(".py", "_base.py")] = found[place]
            found[place] = content
        found["zephyr_image.py"] = b"IS_OURS = %r\n" % (port is Port.ZEPHYR_OURS)
    return {f"/bench/{name}": content for name, content in found.items()}


class Vm:
    """A MicroPython process on a virtual clock.

    Parameters
    ----------
    files : path -> content, what lies in its flash
    rom : image of a ROM partition, mounted at /rom; modules in it run from there and take no heap for their code
    port : whose `machine`, `bluetooth` and `os` it has
    heap_bytes : size of the first heap; it grows by itself, so this is no limit
    watches_heap : collect garbage before each step, and note what `heap_peaks` returns
    now_us : virtual time at power-on
    ticks_offset : where MicroPython's wrapping ticks stand at time 0
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        rom: bytes = b"",
        port: Port = Port.PLAIN,
        heap_bytes: int = 131072,
        watches_heap: bool = False,
        now_us: float = 0.0,
        ticks_offset: int = 0,
    ) -> None:
        self.now_us = now_us
        self.due_us = math.inf
        self.lines: list[str] = []  # printed so far
        self.crash: str | None = None  # traceback that ended the firmware
        self.devices: dict[int, Device] = {}
        self.ask: Callable[[Any], Any] = lambda _: None
        config = {
            "mjs": str(micropython_module()),
            "heap": heap_bytes,
            "watches_heap": watches_heap,
            "romfs": base64.b64encode(rom).decode(),
            "files": {
                path: base64.b64encode(data).decode() for path, data in (dict(files) | shims(port)).items()
            },
            "path": ["/bench"],
            "ticks_offset": ticks_offset,
            "now_us": now_us,
        }
        self._start(config)
        try:
            self._serve()
            if self.crash:
                raise VmError(self.crash)
        except VmError:
            self.close()
            raise

    def _start(self, config: dict[str, Any]) -> None:
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(config, file)
        self._config = Path(file.name)
        self._process = subprocess.Popen(
            [str(node_program()), str(HERE / "host.mjs"), str(self._config), str(to_read), str(from_write)],
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        self._out = to_write
        self._in = from_read
        self._came = bytearray()

    # ---- time ----

    def resume(self, now_us: float, orders: list[dict[str, Any]] | None = None) -> None:
        """Let the VM go on at this time, with orders to do first, until it is idle again."""
        self.now_us = max(self.now_us, now_us)
        self._reply(json.dumps(orders).encode() if orders else b"")
        self._serve()

    def run_to(self, end_us: float) -> None:
        """Fire all timers that are due up to a time."""
        while self.due_us <= end_us:
            self.resume(self.due_us)

    # ---- orders ----

    def run(self, code: str) -> list[str]:
        """Run code in the VM's __main__ and return the lines it printed; raise VmError."""
        before = len(self.lines)
        self._done: dict[str, Any] = {}
        self.resume(self.now_us, [{"do": "run", "code": code}])
        if self._done["error"]:
            raise VmError(self._done["error"])
        return self.lines[before:]

    def value(self, expression: str) -> Any:
        """Return the value of an expression, a number or what JSON can say."""
        return json.loads(self.run(f"import json\nprint(json.dumps({expression}))")[-1])

    def event(self, event: int, data: str) -> dict[str, Any]:
        """Return the order that calls the event handler of a shim."""
        return {"do": "event", "event": event, "data": data}

    def files(self) -> dict[str, bytes]:
        """Return what lies in the flash now."""
        self.resume(self.now_us, [{"do": "files"}])
        return {path: base64.b64decode(text) for path, text in self._done["files"].items()}

    def heap_in_use(self) -> int:
        """Return the bytes in use after a garbage collection, which the VM does only between two runs."""
        self.run("import gc\ngc.collect()")
        self.run("gc.collect()")
        return int(self.value("gc.mem_alloc()"))

    def heap_peaks(self) -> tuple[int, int]:
        """Return the most bytes in use after a collection, and the most that one step added, since the last call."""
        self.resume(self.now_us, [{"do": "heap"}])
        return int(self._done["live"]), int(self._done["step"])

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._config.unlink(missing_ok=True)

    def __enter__(self) -> Vm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the pipe ----

    def _reply(self, payload: bytes) -> None:
        os.write(self._out, struct.pack("<Id", len(payload), self.now_us) + payload)

    def _read(self, n: int) -> bytes:
        """Return n bytes from the pipe; raise VmError when the VM hangs or is gone."""
        while len(self._came) < n:
            if not select.select([self._in], [], [], HANGS_S)[0]:
                raise VmError(f"the VM has run for {HANGS_S:g} s without a pause: an endless loop")
            data = os.read(self._in, 65536)
            if not data:
                raise VmError(f"the VM ended unexpectedly; it printed last: {self.lines[-5:]}")
            self._came += data
        taken = bytes(self._came[:n])
        del self._came[:n]
        return taken

    def _serve(self) -> None:
        """Answer until the VM is idle."""
        started_us = self.now_us
        while True:
            n, op, self.now_us = _HEAD.unpack(self._read(_HEAD.size))
            payload = self._read(n)
            if op == _IDLE:
                (self.due_us,) = struct.unpack("<d", payload)
                return
            if self.now_us - started_us > LONGEST_STEP_US:
                raise VmError("the VM ran for a virtual minute without a pause")
            self._reply(self._answer(op, payload))

    def _answer(self, op: int, payload: bytes) -> bytes:
        if op == _CALL:
            kind, a, b = _CALL_HEAD.unpack_from(payload)
            errno, data = self.devices[kind](a, b, payload[_CALL_HEAD.size :])
            return struct.pack("<h", errno) + data
        text = payload.decode()
        if op == _ASK:
            return json.dumps(self.ask(json.loads(text))).encode()
        if op == _LINE:
            self.lines.extend(text.splitlines())
        elif op == _CRASH:
            self.crash = text
        elif op == _DONE:
            self._done = json.loads(text)
        return b""
