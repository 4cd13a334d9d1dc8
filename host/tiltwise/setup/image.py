"""`tiltwise setup --image`: what an image or a ROM partition with the firmware in it is made from, and how.

For boards whose heap does not hold the firmware from files. Only files here are written; no board is asked.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tiltwise.firmware_build.image_files import BUILT, write_sources
from tiltwise.setup.compile import MAIN, stage
from tiltwise.setup.setup_errors import SetupError
from tiltwise.setup.tools import Tools

_ZEPHYR = "west build -b xiao_ble/nrf52840/sense MICROPYTHON/ports/zephyr --"


def write_image(folder: Path, tools: Tools) -> str:
    """Write the files and return what to do with them; SetupError when the folder or mpy-cross refuses."""
    if folder.exists() and any(folder.iterdir()) and not (folder / BUILT).exists():
        raise SetupError(
            f"{folder} has other files in it: name an empty folder, or one of an earlier --image"
        )
    try:
        manifest = write_sources(folder).resolve()
        _write_rom(folder, tools)
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be written ({error.strerror or error}): name another folder"
        ) from None
    zephyr = manifest.parent / "zephyr"
    rom = (folder / "rom").resolve()
    return "\n".join(
        (
            f"wrote {folder}",
            "MICROPYTHON is a checkout of MicroPython 1.29, set up to build the port.",
            "XIAO nRF52840 Sense, frozen; then copy zephyr.uf2 onto its drive:",
            f"  {_ZEPHYR} \\",
            f"    -DEXTRA_CONF_FILE={zephyr / 'tiltwise.conf'} \\",
            f"    -DEXTRA_DTC_OVERLAY_FILE={zephyr / 'tiltwise.overlay'}",
            "ESP32-C3, frozen (others the same way: ESP32_GENERIC_S3, rp2's RPI_PICO_W):",
            "  make -C MICROPYTHON/ports/esp32 BOARD=ESP32_GENERIC_C3 \\",
            f"    FROZEN_MANIFEST={manifest}",
            "a board with a ROM partition (`mpremote romfs query` tells):",
            f"  mpremote romfs --no-mpy -o {folder / 'tiltwise.romfs'} build {rom}",
            f"  mpremote romfs deploy {folder / 'tiltwise.romfs'}",
            "then `tiltwise setup`: it finds the firmware there, and brings the rest",
        )
    )


def _write_rom(folder: Path, tools: Tools) -> None:
    """Write the compiled files as they lie in a ROM partition."""
    rom = folder / "rom"
    shutil.rmtree(rom, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="tiltwise-image-") as place:
        for file in stage(Path(place), "", tools):
            if file.target != MAIN:
                target = rom / file.target
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.path, target)
    shutil.copyfile(folder / BUILT, rom / "lib" / BUILT)
