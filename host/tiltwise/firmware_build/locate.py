"""Where the firmware's files are, and how to load them under CPython.

The files are the ones that go onto a board, unmodified. Their relative imports work because they are registered as a
package; `micropython.const`, which MicroPython resolves at compile time, gets a stand-in that returns its argument.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from tiltwise import common
from tiltwise.firmware_build.fold_constants import fold
from tiltwise.firmware_build.shorten_names import shorten
from tiltwise.firmware_build.trim_unused import trim

PACKAGE = "tiltwise_firmware"
# For mpy-cross. Without line numbers the modules take 4 kB less of a board's heap; a traceback still names file and
# function, and the files as source (`mpremote mip install`) keep the numbers.
MPY_OPTIONS = ("-O3",)

IMAGE_ONLY = ("manifest.py",)  # for who builds an image
HOST_ONLY = ("frame.py",)  # of common/: a board writes frames and reads none


def firmware_dir() -> Path:
    """Return the folder with the firmware: inside an installed tiltwise, or `firmware/` of a source checkout."""
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "_firmware", here.parents[1] / "firmware"):
        if (folder / "app.py").is_file():
            return folder
    raise FileNotFoundError(f"no firmware beside {here}: install tiltwise again, or use a complete checkout")


def load_firmware() -> ModuleType:
    """Return the firmware as the package `tiltwise_firmware`; its modules import as `tiltwise_firmware.app` etc."""
    if PACKAGE in sys.modules:
        return sys.modules[PACKAGE]
    if not _has_const():
        sys.modules["micropython"] = _micropython()
    folder = firmware_dir()
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a Python package: install tiltwise again")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return package


def _has_const() -> bool:
    """Tell whether there is a module `micropython` that is one: a mere folder of that name imports too."""
    try:
        return hasattr(importlib.import_module("micropython"), "const")
    except ImportError:
        return False


def _micropython() -> ModuleType:
    """Make a stand-in for the one name that the firmware takes from MicroPython's own module."""
    module = ModuleType("micropython", "Stand-in under CPython: const(x) is x.")
    module.__dict__["const"] = lambda value: value
    module.__spec__ = importlib.util.spec_from_loader("micropython", None)
    return module


def board_files() -> dict[str, Path]:
    """Return what goes onto a board: path below /lib (main.py goes one up, into /) -> file here."""
    folder = firmware_dir()
    shared = (path for path in Path(common.__file__).parent.glob("*.py") if path.name not in HOST_ONLY)
    files = {f"tiltwise/common/{path.name}": path for path in shared}
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder).as_posix()
        if inside in IMAGE_ONLY:
            continue
        if inside == "main.py":
            files["../main.py"] = path
        elif inside.startswith("tiltwise/"):
            files[inside] = path
        else:
            files[f"firmware/{inside}"] = path
    return dict(sorted(files.items()))


def board_sources(files: Mapping[str, Path] | None = None) -> dict[str, str]:
    """Return what goes onto a board as text, with constants resolved and unused code left out.

    Parameters
    ----------
    files : path below /lib -> file here; None: board_files()
    """
    files = board_files() if files is None else files
    return dict(_shortened(tuple((place, path.read_text(encoding="utf-8")) for place, path in files.items())))


@lru_cache(maxsize=2)  # seconds of work; a setup, an image and a VM in one process want the same
def _shortened(texts: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return shorten(trim(fold(dict(texts))))


def name_inside(place: str) -> str:
    """Return what a compiled file calls itself in a traceback: its module, a text that the board holds anyway."""
    return place.rpartition("/")[2].removesuffix(".py")
