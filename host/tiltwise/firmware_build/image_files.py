"""Writes what an image of MicroPython is built from: the firmware as it is compiled, laid out as in a checkout.

For boards whose heap does not hold the firmware from files. The same sources give a digest, so that setup knows
whether the image on a board holds this version.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tiltwise.firmware_build.locate import board_sources, firmware_dir

BUILT = "firmware/built.py"  # only in images: which sources they hold
_MAIN = "../main.py"


def digest() -> str:
    """Return the SHA-256 of the firmware's sources as they are compiled, in hexadecimal."""
    whole = hashlib.sha256()
    for place, text in sorted(board_sources().items()):
        if place != _MAIN:
            whole.update(f"{place}\n{len(text)}\n{text}".encode())
    return whole.hexdigest()


def write_sources(folder: Path) -> Path:
    """Write sources, manifest and what a Zephyr build takes into a folder; return the manifest's path.

    OSError when the folder cannot be written.
    """
    for place, text in board_sources().items():
        if place != _MAIN:
            _write(folder / _inside(place), text)
    _write(folder / BUILT, f'SHA256 = "{digest()}"\n')
    ours = firmware_dir()
    manifest = folder / "firmware" / "manifest.py"
    shutil.copyfile(ours / "manifest.py", manifest)
    for path in sorted((ours / "zephyr").iterdir()):
        _write(folder / "firmware" / "zephyr" / path.name, path.read_text(encoding="utf-8"))
    conf = folder / "firmware" / "zephyr" / "tiltwise.conf"
    text = conf.read_text(encoding="utf-8")
    _write(conf, f'{text}\nCONFIG_MICROPY_FROZEN_MANIFEST="{manifest.resolve().as_posix()}"\n')
    return manifest


def _inside(place: str) -> str:
    """Return where a file of the board lies in a checkout."""
    if place.startswith("tiltwise/common/"):
        return f"host/{place}"
    return f"firmware/{place}" if place.startswith("tiltwise/") else place


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
