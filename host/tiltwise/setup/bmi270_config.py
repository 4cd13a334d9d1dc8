"""Gives a BMI270 what it does not work without: 8 kB of configuration from Bosch, its maker, as a file on the board.

tiltwise does not ship them (decision 0016). They come from the package `bmi270`, which is only read, never run, or
from a file of the person's.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tiltwise.firmware_build.locate import PACKAGE, load_firmware
from tiltwise.setup.compile import Staged
from tiltwise.setup.mpremote_board import Board, Imu
from tiltwise.setup.setup_errors import AGAIN, SetupError
from tiltwise.text import printable

PART = "BMI270"
SIZE = 8192
# The array bmi270_config_file of bmi270.c in Bosch's BMI270_SensorAPI (BSD-3-Clause), unchanged at commit 41129fc.
# PyPI's bmi270 0.4.3 and micropython-bmi270 0.1.0 hold the same bytes.
BOSCH_SHA256 = "2d75e68e343a13ff99be98261dfbd99d9e8c6f267da9e3c5aeb883276ad178db"
EXTRA = "bmi270"  # of tiltwise, and the name of the package that it brings
INSTALL = f"pip install {EXTRA}"
_ADVICE = ": run tiltwise setup again"  # of the driver, to whoever sees its words elsewhere
_MOST_BYTES = 4_000_000  # Bosch's bmi270.c has a tenth of it
_LIST = re.compile(
    r"[\[{]([^\[\]{}]*)[\]}]"
)  # the innermost ones only: a list of numbers holds no other list


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a BMI270 is to be given, and where it is from."""

    data: bytes
    origin: str

    @property
    def sha256(self) -> str:
        """The hash that tells one version from another."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def is_known(self) -> bool:
        """Whether these are the bytes that the driver was written for."""
        return self.sha256 == BOSCH_SHA256


def configuration(path: Path | None) -> Configuration | None:
    """Return what this computer has: the file if one is named, else the package; None when there is neither.

    Raises
    ------
    SetupError
        A file without a configuration in it, or a package that holds other bytes than Bosch's.
    """
    return from_package() if path is None else from_file(path)


def from_file(path: Path) -> Configuration:
    """Read a file of 8192 bytes, or the one list of 8192 numbers in a source file of C or Python."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unfit(path, f"{path.stat().st_size} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"--imu-file {printable(str(path), 60)}: {error.strerror}") from None
    found = b"" if b"\0" in data else _numbers(path, data.decode("utf-8", errors="replace"))
    if not found and len(data) != SIZE:
        raise _unfit(
            path, f"{len(data)} bytes" + ("" if b"\0" in data else f" without a list of {SIZE} numbers")
        )
    return Configuration(found or data, printable(path.name, 30))


def from_package() -> Configuration | None:
    """Read the list out of the package `bmi270`, if it is there; its other modules want hardware and stay alone."""
    spec = importlib.util.find_spec(EXTRA)
    for folder in () if spec is None else spec.submodule_search_locations or ():
        path = Path(folder) / "config_file.py"
        if path.is_file():
            found = from_file(path)
            if not found.is_known:
                raise SetupError(
                    f"the installed package {EXTRA} holds other bytes (SHA-256 {found.sha256[:8]}...) than Bosch's "
                    f"({BOSCH_SHA256[:8]}...): pip install bmi270==0.4.3, or name a file with --imu-file"
                )
            return Configuration(found.data, f"the package {_version()}")
    return None


def where_from(path: Path | None) -> str:
    """Say for the plan where the bytes would come from."""
    found = configuration(path)
    if found is None:
        return f"this computer has none: {INSTALL}, or --imu-file"
    return f"from {found.origin}"


def fit(board: Board, path: Path | None, folder: Path) -> Iterator[str]:
    """Ask which IMUs answer; give a BMI270 its configuration and let it start with it once."""
    imus = board.imus()
    ours = [imu for imu in imus if imu.name == PART]
    if ours:
        yield f"{PART} at {ours[0].address:#04x}"
        origin = yield from _give(board, configuration(path), ours[0], folder)
        for imu in board.imus(start=[PART]):
            if imu.name == PART and imu.problem:
                why = imu.problem.removesuffix(_ADVICE)
                raise SetupError(
                    f"{board.port}: the {PART} at {imu.address:#04x} does not start with {origin}: {why}; "
                    f"check its wires, or name another file with --imu-file, {AGAIN}"
                )
        yield f"{_said(imus)}; it starts with {origin}"
        return
    yield _said(imus) + ("" if path is None else f"; --imu-file is for a {PART} and was not needed")


def _give(board: Board, found: Configuration | None, imu: Imu, folder: Path) -> Generator[str, None, str]:
    """Copy the configuration unless it is there already, and return where it is from."""
    place = _place()
    there = board.file(place)
    if found is None:
        if there is None or there[0] != SIZE:
            raise SetupError(
                f"{board.port}: the {PART} at {imu.address:#04x} needs 8 kB of configuration from its maker Bosch, "
                f"which tiltwise does not ship: {INSTALL}, or get bmi270.c from Bosch's BMI270_SensorAPI on GitHub "
                f"and name it with --imu-file, {AGAIN}"
            )
        return "what the board already had"
    if not found.is_known:
        yield f"{found.origin}: unknown version (SHA-256 {found.sha256[:8]}...), the part decides"
    if there != (SIZE, found.sha256):
        path = folder / place
        path.write_bytes(found.data)
        board.copy([Staged(place, path, SIZE, found.sha256)])
        yield f"copied {place}"
        if board.file(place) != (SIZE, found.sha256):
            raise SetupError(f"{board.port}: {place} arrived damaged: take another cable or port, {AGAIN}")
    return found.origin


def _said(imus: Sequence[Imu]) -> str:
    """Name the parts that answer."""
    if not imus:
        return "none answers yet: look at 3V3, GND, SDA and SCL; going on"
    return ", ".join(
        f"{imu.name} at {imu.address:#04x}" if imu.name else printable(imu.problem, 160) for imu in imus
    )


def _numbers(path: Path, text: str) -> bytes:
    """Return the list of 8192 numbers in a text, empty without one; Bosch's where there are several."""
    lists = []
    for body in _LIST.findall(text):
        words = body.rstrip().rstrip(",").split(",")
        if len(words) == SIZE:
            try:
                lists.append(bytes(int(word, 0) for word in words))
            except ValueError:
                raise _unfit(path, "a list with something else than numbers from 0 to 255") from None
    known = [data for data in lists if hashlib.sha256(data).hexdigest() == BOSCH_SHA256]
    if len(set(lists)) > 1 and not known:
        raise _unfit(path, f"{len(lists)} lists of {SIZE} numbers")
    return (known or lists or [b""])[0]


def _unfit(path: Path, what: str) -> SetupError:
    return SetupError(
        f"--imu-file {printable(path.name, 60)}: {what}, expected the {SIZE} bytes of Bosch's configuration: "
        "bmi270.c of its BMI270_SensorAPI, or a .bin"
    )


def _version() -> str:
    try:
        return f"{EXTRA} {metadata.version(EXTRA)}"
    except metadata.PackageNotFoundError:
        return EXTRA


def _place() -> str:
    """Return the name that the driver looks for."""
    load_firmware()
    return str(importlib.import_module(f"{PACKAGE}.drivers.bmi270").CONFIG_FILE)
