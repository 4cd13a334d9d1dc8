"""Decides whether a port and a board can be used, before anything is touched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tiltwise.link.serial import Port
from tiltwise.setup.compile import Staged
from tiltwise.setup.mpremote_board import LEAST_VERSION, BoardFacts, Inventory
from tiltwise.setup.setup_errors import AGAIN, SetupError, seen

# From files the firmware takes 138 kB in the VM (`tiltwise bench firmware`); a fresh Pico W has about 190 free, an
# ESP32-C3 150 to 170 before the radio takes its part.
LEAST_HEAP = 175_000
IMAGE = "build an image for it: tiltwise setup --image FOLDER writes what that takes and says how"


def choose_port(wanted: str, ports: Sequence[Port]) -> str:
    """Return the port to use; SetupError when it is not clear which."""
    if wanted:
        return wanted
    likely = [port.path for port in ports if port.maker]
    if len(likely) == 1:
        return likely[0]
    if likely:
        raise SetupError(f"{len(likely)} boards are plugged in: name one with --port; {seen(ports)}")
    if ports:
        raise SetupError(
            f"no port has a board maker that is known: name it with --port if it is one of these; {seen(ports)}"
        )
    raise SetupError(seen(ports))


def check_facts(facts: BoardFacts, port: str) -> None:
    """Refuse what the firmware cannot run on."""
    newest = (
        "put the newest from micropython.org/download onto it (a blank or old ESP32: --micropython FILE.bin)"
    )
    if facts.name != "micropython":
        raise SetupError(
            f"{port}: this board runs {facts.name} {facts.version_text}, expected MicroPython: {newest}"
        )
    if facts.version < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise SetupError(
            f"{port}: MicroPython {facts.version_text} is too old, expected {least} or newer: {newest}"
        )
    missing = sorted({"machine", "hashlib", "asyncio"} - facts.has)
    if missing:
        raise SetupError(f"{port}: this MicroPython lacks {', '.join(missing)}: {newest}")
    if "random" not in facts.has:
        raise SetupError(
            f"{port}: this MicroPython has no random numbers (os.urandom), so no host could be proved: {IMAGE}"
        )
    if not facts.built and 0 <= facts.heap < LEAST_HEAP:
        raise SetupError(
            f"{port}: {facts.heap // 1000} kB of memory, from files the firmware wants {LEAST_HEAP // 1000}: {IMAGE}"
        )


def check_built(facts: BoardFacts, wanted: str, port: str) -> None:
    """Refuse firmware in an image that is not this version: files beside it would not be what runs."""
    if facts.built != wanted:
        said = "one that does not say which" if facts.built == "unknown" else "another version"
        raise SetupError(f"{port}: the image on this board has the firmware built in, {said}: {IMAGE}")


def check_room(files: Sequence[Staged], old: Sequence[str], inventory: Inventory, port: str) -> None:
    """Refuse before the first byte is written when the flash has no room for all."""
    if inventory.free < 0:
        return  # this board does not tell; a full flash is then found while copying
    blocks = [(math.ceil(file.size / inventory.block), file.target) for file in files]
    freed = [inventory.files[path][0] for path in {*old, *(t for _, t in blocks)} if path in inventory.files]
    need = inventory.block * sum(n for n, _ in blocks)
    room = inventory.free + inventory.block * sum(math.ceil(size / inventory.block) for size in freed)
    if need > room:
        raise SetupError(
            f"{port}: the board's flash is full: {need // 1000} kB needed, {room // 1000} kB free: delete your own "
            f"files on it (mpremote connect {port} ls), {AGAIN}"
        )
