"""Names of people, boards, ports and folders are other people's bytes: no terminal, file or picture obeys them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.test_data import MAY, fill
from command import Command, Result
from tiltwise.app.tables import scan_report
from tiltwise.common import wire
from tiltwise.config import sensor_keys
from tiltwise.config import sensor_keys as keys_module
from tiltwise.config.calibration_profiles import profile_path
from tiltwise.config.paths import data_folder
from tiltwise.config.sensor_keys import KeyStore
from tiltwise.config.settings import RuleSetting
from tiltwise.console import SafeConsole
from tiltwise.link import ble, serial
from tiltwise.link.ble import Advertisement
from tiltwise.link.board_identity import KeyedBoard, read_hello
from tiltwise.link.serial import Port
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.setup import firmware_cable
from tiltwise.text import safe_name
from tiltwise.types import Mount
from tiltwise_lab.bench.storage.killed_host import frames_of

HOSTILE = {
    "html": "<script>alert(1)</script>--><b>",
    "markup": "[red]x[/] [/] :smile:",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x08",
    "traversal": "../../../../etc/cron.d/x",
    "windows": "..\\..\\CON:",
    "formula": "=cmd|' /C calc'!A0",
    "long": "n" * 10_000,
    "right to left": "\u202egpj.exe\u202d\u2066",
    "lines": "one\ntwo\r\nalert held back\x85three\u2028four",
    "math": "$\\frac{1}{$ \\input{x} %s {0}",
    "nothing": "",
}
names = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
CELL = re.compile(r"-?[0-9]+\.[0-9]+|nan")
EVERYTHING = "=" + "".join(
    HOSTILE[kind] for kind in ("html", "markup", "escapes", "right to left", "lines", "math")
)
few = pytest.mark.parametrize(
    "name", [EVERYTHING, HOSTILE["traversal"], HOSTILE["long"]], ids=["all", "../", "long"]
)


def assert_clean(text: str) -> None:
    """Fail when a character steers a terminal, or when somebody's name makes lines without end."""
    for line in text.split("\n"):
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") for c in line), repr(line)
    assert len(text) < 20_000


def assert_clean_result(result: Result) -> None:
    assert_clean(result.out)
    assert_clean(result.err)
    assert "defect" not in result.err, result.err


def outside(folder: Path, allowed: Path) -> list[Path]:
    """Return what was written into `folder` beside `allowed`."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(allowed)]


@names
def test_a_name_becomes_one_plain_file_name(name: str) -> None:
    plain = safe_name(name)
    assert 1 <= len(plain) <= 60
    assert set(plain) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert not plain.startswith((".", "-"))
    assert profile_path(Path("p"), name, name) == Path("p") / "profiles" / plain / f"{plain}.json"


@names
def test_the_console_obeys_nothing_that_it_shows(name: str) -> None:
    said = io.StringIO()
    console = SafeConsole(
        file=said, markup=False, emoji=False, width=80, force_terminal=True, color_system=None
    )
    console.print(name, highlight=False)
    assert_clean(said.getvalue())


@few
def test_a_persons_name_in_calibrate_and_watch(
    tiltwise: Command, home: Path, tmp_path: Path, name: str
) -> None:
    address = "sim:calibration?seed=3&speed=0&mount=head"
    out = tmp_path / "picture.svg"
    made = tiltwise("calibrate", address, "--person", name, "--out", out)
    assert_clean_result(made)
    assert made.code == 0, made.err
    assert outside(tmp_path, home) == [out]
    root = ElementTree.parse(out).getroot()
    assert not [element for element in root.iter() if str(element.tag).endswith("script")]
    watched = tiltwise("watch", "sim:upright?seed=3&speed=0&minutes=0.5&mount=head", "--person", name)
    assert_clean_result(watched)
    assert watched.code == 0, watched.err
    assert outside(tmp_path, home) == [out]


@names
def test_the_name_of_a_device_in_the_store(tiltwise: Command, home: Path, tmp_path: Path, name: str) -> None:
    fill(home, [MAY], device=name)
    for command in (("data",), ("day", "--out", str(tmp_path / "day.svg")), ("doctor",)):
        result = tiltwise(*command)
        assert_clean_result(result)
    result = tiltwise("data", "--json")
    assert_clean(result.out)
    assert json.loads(result.out)["devices"] == [name]
    assert "<script" not in (tmp_path / "day.svg").read_text(encoding="utf-8")


@names
def test_the_name_of_a_board_that_has_a_key(
    tiltwise: Command, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(keys_module, "system_keyring", lambda: None)
    KeyStore(data_folder() / "keys.json").save(KeyedBoard(b"b" * 8, name, bytes(32)))
    (board,) = sensor_keys.known_boards()
    assert_clean(board.name)
    assert len(board.name) <= 40
    result = tiltwise("watch", f"ble:x{name}")
    assert result.code in (1, 2)
    assert_clean_result(result)
    assert result.err.count("\n") == 1


@names
def test_what_is_near_may_call_itself_as_it_likes(
    tiltwise: Command, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def discover(_seconds: float) -> list[Advertisement]:
        return [Advertisement(name, -50)]

    async def refuse(_seconds: float) -> list[Advertisement]:
        raise ble.BluetoothError(f"Bluetooth is not usable here ({name}): switch it on")

    port = Port(
        **{
            field: name
            for field in Port.__dataclass_fields__
            if Port.__dataclass_fields__[field].type == "str"
        }
    )
    monkeypatch.setattr(serial, "ports", lambda: [port])
    for found in (discover, refuse):
        monkeypatch.setattr(ble, "discover", found)
        for command in ("scan", "doctor"):
            assert_clean_result(tiltwise(command))
    said = io.StringIO()
    SafeConsole(file=said, width=80, markup=False).print(
        scan_report([port], [Advertisement(name, -50)], name)
    )
    assert_clean(said.getvalue())


@pytest.mark.skipif(os.name != "posix", reason="other systems refuse such names themselves")
def test_the_folder_of_the_data(tiltwise: Command, tmp_path: Path) -> None:
    folder = tmp_path / EVERYTHING.replace("/", "-")
    fill(folder, [MAY])
    for command in (
        ("data",),
        ("data", "--keep-raw", "3", "--yes"),
        ("data", "--erase", "2026-05-30"),  # the question, which nobody answers
        ("day",),
        ("doctor",),
        ("calibrate", "sim:calibration?seed=3&speed=0&mount=head", "--out", str(folder / "c.png")),
    ):
        result = tiltwise(*command, "--data", folder)
        assert_clean_result(result)


def test_the_model_that_a_board_claims_to_be() -> None:
    body = struct.pack(wire.HELLO_BODY, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 0, b"\x1b[2J\x07<b>x")
    assert_clean(firmware_cable.described(read_hello(body + b"deviceid")))


def recording(path: Path, header: Mapping[str, object]) -> Path:
    usual = recording_header(
        started=datetime.fromtimestamp(MAY, UTC), address="serial:x", device="clip", zone="UTC", mount=Mount.NECK,
        rule=RuleSetting(),
    )  # fmt: skip
    with RecordingWriter(path, {**usual, **header}, start_s=0.0) as writer:
        for k, frame in enumerate(frames_of(1, 6.0)):
            writer.write(0.2 * k, frame)
    return path


def assert_survived(tiltwise: Command, path: Path) -> None:
    for command in (("data", "--rebuild", path, "--yes"), ("data",), ("analyze", path)):
        result = tiltwise(*command)
        assert_clean_result(result)
        assert result.err.count("\n") <= 1


@few
def test_what_a_recording_from_somebody_else_says_about_itself(
    tiltwise: Command, home: Path, tmp_path: Path, name: str
) -> None:
    path = recording(
        tmp_path / "a.tw",
        {"device": name, "address": name, "exercises": [name], "created_utc": name, name: name},
    )
    assert_survived(tiltwise, path)
    result = tiltwise("analyze", path, "--angles", tmp_path / "angles.csv")
    assert result.code == 0, result.err
    with (tmp_path / "angles.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["t_s", "inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg"]
    assert len(rows) == 300
    assert all(CELL.fullmatch(cell) for row in rows for cell in row), (
        "numbers, and nothing that is calculated"
    )
    assert set(outside(tmp_path, home)) == {path, tmp_path / "angles.csv"}


def test_a_recording_from_somebody_else_with_an_unknown_time_zone(tiltwise: Command, tmp_path: Path) -> None:
    for kind in ("html", "traversal", "lines", "long", "nothing"):
        assert_survived(
            tiltwise, recording(tmp_path / f"{kind}.tw".replace(" ", ""), {"zone": HOSTILE[kind]})
        )
