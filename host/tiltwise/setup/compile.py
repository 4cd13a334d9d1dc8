"""Compiles the firmware for one board into a staging folder: what shall lie where, with sizes and hashes.

main.py stays source, because MicroPython starts only that. The name inside a compiled file is that of its module,
not its place on this computer, so that the same firmware gives the same hashes everywhere.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tiltwise.firmware_build.locate import MPY_OPTIONS, board_files, board_sources, name_inside
from tiltwise.setup.setup_errors import SetupError, last_line
from tiltwise.setup.tools import Tools

# Places on the board are relative to the folder it starts in: / on most ports, /flash on some.
MAIN = "main.py"
MAIN_NEW = "main.new"  # until all of it has arrived
ROOTS = ("lib/firmware", "lib/tiltwise")
# What MicroPython would import instead of ours, because it looks there before lib.
HIDING = tuple(f"{name}{end}" for name in ("firmware", "tiltwise") for end in ("", ".py", ".mpy"))
STARTED = ("firmware.app", "firmware.device.board")  # what main.py imports; the rest comes with them
# sys.implementation._mpy >> 10 & 15 -> what mpy-cross calls it; "" has no native code, which we do not use anyway.
ARCHITECTURES = (
    "", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
    "rv32imc", "rv64imc",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staged:
    """One file: its place on the board, where it waits here, bytes and SHA-256."""

    target: str
    path: Path
    size: int
    sha256: str


def stage(folder: Path, architecture: str, tools: Tools) -> list[Staged]:
    """Compile all files of the firmware into a folder; SetupError when mpy-cross refuses one."""
    folder.mkdir(parents=True, exist_ok=True)
    files = board_files()
    return [
        _stage_one(folder, place, files[place], text, architecture, tools)
        for place, text in board_sources(files).items()
    ]


def folders(staged: list[Staged]) -> list[str]:
    """Return the folders that the files need on the board, the upper ones first."""
    needed = {parent for file in staged for parent in PurePosixPath(file.target).parents}
    return sorted(str(folder) for folder in needed if str(folder) != ".")


def bytecode_version(staged: list[Staged]) -> int:
    """Return the version of the compiled files, which the board must be able to read."""
    return next(file.path.read_bytes()[1] for file in staged if file.target != MAIN)


def _stage_one(folder: Path, place: str, source: Path, text: str, architecture: str, tools: Tools) -> Staged:
    if place == "../main.py":
        path = folder / "main.py"
        shutil.copyfile(source, path)
        return _facts(MAIN, path)
    compiled = place.removesuffix(".py") + ".mpy"
    path = folder / compiled
    path.parent.mkdir(parents=True, exist_ok=True)
    march = [f"-march={architecture}"] if architecture else []
    folded = path.with_suffix(".py")
    folded.write_text(text, encoding="utf-8")
    command = [*tools.mpy_cross, *MPY_OPTIONS, *march, "-s", name_inside(place), "-o", str(path), str(folded)]
    result = tools.run(command, timeout_s=60)
    if result.code != 0:
        raise SetupError(
            f"{place}: mpy-cross cannot compile it: {last_line(result.text)}; reinstall tiltwise"
        )
    return _facts(f"lib/{compiled}", path)


def _facts(target: str, path: Path) -> Staged:
    data = path.read_bytes()
    return Staged(target, path, len(data), hashlib.sha256(data).hexdigest())
