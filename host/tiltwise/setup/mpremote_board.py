"""One board at the end of a USB cable, through mpremote: what it is, what lies on it, and the few ways to change it.

Every call is a program of its own on a freshly restarted interpreter, so nothing depends on the call before.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.link.serial import Port
from tiltwise.setup import board_scripts as programs
from tiltwise.setup.compile import ARCHITECTURES, HIDING, MAIN, MAIN_NEW, ROOTS, Staged
from tiltwise.setup.setup_errors import AGAIN, SetupError, explain
from tiltwise.setup.tools import Result, Tools

LEAST_VERSION = (1, 24, 0)  # the first whose mpremote, hashlib and asyncio the firmware was written for
ANSWER_S = 25.0  # mpremote itself gives up after 10 s, twice; then nobody is there
# 115200 baud through the raw REPL moves about 5 kB/s; slower than this is no copying any more.
LEAST_BYTES_PER_S = 1000.0
STOP_MARK = "from firmware.app import"  # our main.py, of whatever version


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """What a board says about itself. Sizes in bytes, -1 unknown.

    `built`: SHA-256 of the firmware that is part of its image or ROM partition, "unknown" of one that does not tell,
    empty without.
    """

    name: str
    version: tuple[int, ...]
    platform: str
    machine: str
    architecture: str
    bytecode: int
    heap: int
    has: frozenset[str]
    unique_id: str
    built: str = ""

    @property
    def version_text(self) -> str:
        """Version as people write it."""
        return ".".join(str(part) for part in self.version)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Our files on the board (path -> size, SHA-256), what hides them, and the free bytes (-1 unknown)."""

    files: Mapping[str, tuple[int, str]]
    hiding: tuple[str, ...]
    free: int
    block: int


@dataclass(frozen=True, slots=True)
class Imu:
    """A part that answered: empty name for one that no driver knows; a problem is the driver's own words."""

    address: int
    name: str
    problem: str


class Board:
    """A board on a serial port. `scratch` is a folder for the programs that run on it."""

    def __init__(
        self, port: str, tools: Tools, scratch: Path, list_ports: Callable[[], Sequence[Port]]
    ) -> None:
        self.port = port
        self._tools = tools
        self._scratch = scratch
        self._list_ports = list_ports

    def identify(self) -> BoardFacts:
        """Ask what the board is; SetupError when no MicroPython answers."""
        answer = _mapping(self._ask("asking what it is", programs.program(programs.IDENTIFY)))
        number = int(answer["mpy"])
        index = number >> 10 & 15
        return BoardFacts(
            name=str(answer["name"]),
            version=tuple(int(part) for part in answer["version"]),
            platform=str(answer["platform"]),
            machine=str(answer["machine"]),
            architecture=ARCHITECTURES[index] if index < len(ARCHITECTURES) else "",
            bytecode=number & 0xFF,
            heap=int(answer["heap"]),
            has=frozenset(answer["has"]),
            unique_id=str(answer["unique_id"]),
            built=str(answer["built"]),
        )

    def inventory(self) -> Inventory:
        """Hash our files on the board."""
        text = programs.program(programs.INVENTORY, roots=[*ROOTS, MAIN, MAIN_NEW], hiding=list(HIDING))
        *files, end = self._run("comparing files", text, timeout_s=120)
        facts = _mapping(end)
        return Inventory(
            {path: (int(size), str(sha256)) for path, (size, sha256) in files},
            tuple(facts["hiding"]),
            int(facts["free"]),
            int(facts["block"]),
        )

    def file(self, path: str) -> tuple[int, str] | None:
        """Return size and SHA-256 of one file, None when it is not there."""
        text = programs.program(programs.INVENTORY, roots=[path], hiding=[])
        *files, _ = self._run("looking for a file", text)
        return (int(files[0][1][0]), str(files[0][1][1])) if files else None

    def imus(self, start: Sequence[str] = ()) -> list[Imu]:
        """Ask on the profile's pins which IMUs answer, with the firmware's own drivers; let the named ones start."""
        text = programs.program(programs.IMUS, options=driver_options(), start=list(start))
        *found, _ = self._run("asking for IMUs", text)
        return [Imu(int(address), str(name), str(problem)) for address, name, problem in found]

    def stop(self) -> tuple[bool, str]:
        """Take main.py away; return whether there was one, and the name under which a foreign one is kept."""
        answer = _mapping(self._ask("stopping what runs", programs.program(programs.STOP, ours=STOP_MARK)))
        return bool(answer["stopped"]), str(answer["kept"])

    def prepare(self, remove: Sequence[str], folders: Sequence[str]) -> None:
        """Make folders, delete files that do not belong there any more."""
        text = programs.program(
            programs.PREPARE, remove=list(remove), folders=list(folders), roots=list(ROOTS)
        )
        self._ask("making folders", text)

    def copy(self, files: Sequence[Staged]) -> None:
        """Copy files to their places; interrupted, some are old, one may be torn, and the next run mends it."""
        command = [*self._tools.mpremote, "connect", self.port]
        for k, file in enumerate(files):
            command += ["+"] if k else []
            command += ["fs", "cp", str(file.path), f":{file.target}"]
        timeout_s = ANSWER_S + sum(file.size for file in files) / LEAST_BYTES_PER_S + 2.0 * len(files)
        self._checked(self._tools.run(command, timeout_s), "copying files")

    def install(self, main: Staged) -> None:
        """Copy main.py beside its place, and rename it when its hash is right."""
        self.copy([replace(main, target=MAIN_NEW)])
        text = programs.program(programs.INSTALL, new=MAIN_NEW, place=MAIN, sha256=main.sha256)
        if not self._ask("installing main.py", text):
            raise SetupError(f"{self.port}: main.py arrived damaged: take another cable or port, {AGAIN}")

    def load(self, names: Sequence[str], board: str | None = None) -> int:
        """Import modules on the board and return the heap left (-1 unknown); SetupError names the one that fails.

        `board` is the profile to choose for good; None: what the firmware finds by itself.
        """
        text = programs.program(programs.LOAD, modules=list(names), board=board or "")
        answer = self._ask("loading the firmware", text)
        if isinstance(answer, list):
            name, kind, text = answer
            if name == "profile":
                raise SetupError(f"{self.port}: no profile for this board ({text}): choose one with --board")
            raise SetupError(
                f"{self.port}: {name} does not load on this board: {kind}: {text}; "
                "it needs a MicroPython of micropython.org for this very board"
            )
        return int(answer)

    def restart(self) -> None:
        """Restart the chip; the port goes away for a moment."""
        self._checked(
            self._tools.run([*self._tools.mpremote, "connect", self.port, "reset"], ANSWER_S), "restarting"
        )

    def is_openable(self) -> bool | None:
        """Tell whether this user may open the port; None when there is none of that name in the file system."""
        if not Path(self.port).exists():
            return None
        return os.access(self.port, os.R_OK | os.W_OK)

    # ---- one program ----

    def _ask(self, doing: str, text: str) -> Any:
        return self._run(doing, text)[-1]

    def _run(self, doing: str, text: str, timeout_s: float | None = None) -> list[Any]:
        """Run a program on the board and return what it told: at least one thing."""
        path = self._scratch / "program.py"
        path.write_text(text, encoding="utf-8")
        result = self._tools.run(
            [*self._tools.mpremote, "connect", self.port, "run", str(path)], timeout_s or ANSWER_S
        )
        self._checked(result, doing)
        told = programs.answers(result.text)
        if not told:
            raise self._trouble(result.text or "could not enter raw repl", doing)
        return told

    def _checked(self, result: Result, doing: str) -> None:
        if result.code is None:
            raise self._trouble(result.text + "\ntimeout waiting for the board", doing)
        # mpremote ends with 0 after some errors of a lost port
        if result.code != 0 or re.search(r"^(Traceback|mpremote: )", result.text, re.MULTILINE):
            raise self._trouble(result.text, doing)

    def _trouble(self, output: str, doing: str) -> SetupError:
        return explain(output, self.port, doing, self._list_ports(), self.is_openable())


def driver_options() -> list[int]:
    """Return what the firmware asks of a driver: gyroscope range, accelerometer range, rate."""
    load_firmware()
    config = importlib.import_module(f"{PACKAGE}.config")
    return [config.GYR_RANGE_DPS, config.ACC_RANGE_G, config.RATE_HZ]


def _mapping(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise SetupError("the board answered something else than asked: unplug it, plug it in, run it again")
    return answer
