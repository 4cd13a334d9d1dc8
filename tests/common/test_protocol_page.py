"""docs/protocol.md says what the code does: every table, size, offset and formula on the page is compared."""

import hashlib
import hmac
import importlib
import re
import struct
from pathlib import Path

import pytest

from golden import frames
from tiltwise.common import auth, wire
from tiltwise.firmware_build.locate import load_firmware

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
PREFIXES = (
    "OP_",
    "STATUS_",
    "EVENT_",
    "FLAG_",
    "FEATURE_",
    "STATE_",
    "WISH_",
    "CLOSED_",
    "UUID_",
    "IMU_",
    "CONDITION_",
    "MOTOR_",
    "SELFTEST_",
)
TYPES = ("ORIENT", "RAW", "EVENT", "STATUS", "MINUTE", "INFO")


def constants():
    """Return name -> value of the numbers that wire.py gives to things."""
    return {
        name: value
        for name, value in vars(wire).items()
        if isinstance(value, int) and (name.startswith(PREFIXES) or name in TYPES)
    }


def rows():
    """Return name -> number of the rows `| `NAME` | number | ...` of the page."""
    found = re.findall(r"^\| `([A-Z0-9_]+)` \| (0x[0-9a-f]+|\d+) \|", PAGE, re.MULTILINE)
    assert len(dict(found)) == len(found), "a name stands in two tables"
    return {name: int(number, 0) for name, number in found}


def test_page_lists_every_number_of_the_code_and_no_other():
    assert rows() == constants()


def test_structs_on_the_page_are_those_of_the_code_with_their_sizes():
    found = re.findall(r"^\| `?([A-Z0-9_]+)`? \| `(<[^`]+)` \| (\d+) \|", PAGE, re.MULTILINE)
    bodies = {f"{kind}_BODY" if kind in TYPES else kind: (body, int(size)) for kind, body, size in found}
    wanted = {
        name: (body, struct.calcsize(body)) for name, body in vars(wire).items() if name.endswith("_BODY")
    }
    assert bodies == wanted


def test_page_names_the_fields_of_status_in_their_order():
    (row,) = re.findall(r"^\| STATUS \| `<.*$", PAGE, re.MULTILINE)
    assert tuple(re.findall(r"`([a-z_]+)`", row)) == wire.STATUS_FIELDS


def test_header_table_gives_offsets_and_sizes_of_the_header():
    table = re.findall(r"^\| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    offset = 0
    for at, size in table:
        assert int(at) == offset
        offset += int(size)
    assert offset == wire.HEADER_SIZE == struct.calcsize(wire.HEADER)
    assert [int(size) for _, size in table] == [struct.calcsize("<" + code) for code in "BBHIIIBB"]


def test_page_gives_the_rates():
    assert "Rates by code, Hz: " + ", ".join(f"{rate:g}" for rate in wire.RATES_HZ) + "." in FLAT


def test_formulas_on_the_page_give_what_the_code_gives():
    key, device = bytes(range(32)), b"deviceid"
    host_nonce, board_nonce = b"n" * 16, b"m" * 16
    assert "said protocol u8 | device id 8 | wishes u8 | host nonce 16 | board nonce 16" in FLAT
    said = bytes([wire.PROTOCOL]) + device + b"\2" + host_nonce + board_nonce
    shared = auth.Handshake(key, device, 2, host_nonce, board_nonce)
    assert 'HMAC-SHA256(key, "D" | said), first 8 bytes' in FLAT
    assert shared.board_proof() == hmac.new(key, b"D" + said, hashlib.sha256).digest()[:8]
    assert 'HMAC-SHA256(key, "H" | said), first 16 bytes' in FLAT
    assert shared.host_proof() == hmac.new(key, b"H" + said, hashlib.sha256).digest()[:16]
    assert "HMAC-SHA256(key, name | host nonce | board nonce)" in FLAT
    names = re.search(r"with the names ((?:`\w+`,? ?)+)", FLAT)
    for name in re.findall(r"`(\w+)`", names.group(1)):
        wanted = hmac.new(key, name.encode() + host_nonce + board_nonce, hashlib.sha256).digest()
        assert shared.session_key(name.encode()) == wanted
    assert '**The next key.** HMAC-SHA256(key, "next")' in FLAT
    assert auth.next_key(key) == hmac.new(key, b"next", hashlib.sha256).digest()
    assert 'HMAC-SHA256(next key, "check"), first 8 bytes' in FLAT
    assert auth.key_check(key) == hmac.new(key, b"check", hashlib.sha256).digest()[:8]


def test_sealed_packets_on_the_page_are_those_of_the_code():
    assert f"frame 0x{wire.SEALED_FRAME:02x} | number u32 |" in FLAT
    assert f"command, reply 0x{wire.SEALED_COMMAND:02x} | counter u32 |" in FLAT
    assert wire.is_frame(bytes([wire.SEALED_FRAME]))
    assert not wire.is_frame(bytes([wire.SEALED_COMMAND]))
    assert wire.SEALED_COMMAND < wire.LEAST_REQUEST_ID


def test_uuids_follow_the_pattern_on_the_page():
    pattern = re.search(r"`uuid128\(short\)` is `([^`]+)`", FLAT).group(1)
    for short in (wire.UUID_SERVICE, wire.UUID_DATA):
        filled = pattern.replace("SSSS", f"{short:04x}").replace("VV", f"{wire.PROTOCOL:02x}")
        assert filled == wire.uuid128(short)
    assert wire.uuid128(wire.UUID_SERVICE) in PAGE


@pytest.mark.parametrize(
    ("words", "module", "name", "value"),
    [
        ("has proved nothing 5 s after connecting", "comms.host_session", "PROOF_MS", 5000),
        ("takes nothing for 2 s is sent away", "comms.link_ble", "STALL_MS", 2000),
        ("silent on the cable for 12 s", "comms.link_usb", "SILENCE_MS", 12000),
        ("Four places for peers", "comms.ble_radio", "PLACES", 4),
        ("with 64 credits", "config", "CREDITS", 64),
    ],
)
def test_times_on_the_page_are_those_of_the_firmware(words, module, name, value):
    load_firmware()
    assert words in FLAT
    assert getattr(importlib.import_module(f"tiltwise_firmware.{module}"), name) == value


def test_minor_and_smallest_payloads_on_the_page_are_those_of_the_code():
    assert f"describes version {wire.PROTOCOL}, minor {wire.MINOR}." in FLAT
    assert f"up to {wire.MAX_FRAME} bytes a frame" in FLAT
    least = ", ".join(f"{kind} {wire.LEAST_BODY_SIZES[getattr(wire, kind)]}" for kind in TYPES[2:])
    assert f"Smallest payloads (minor 0): {least} bytes." in FLAT


def test_sizes_in_the_text_are_those_of_the_code():
    assert f"at most {wire.MAX_COMMAND} bytes" in FLAT
    assert f"request ids from 0x{wire.LEAST_REQUEST_ID:02x} on" in FLAT
    assert wire.is_frame(frames.orient(1))
    assert not any(wire.is_frame(bytes([k])) for k in range(wire.LEAST_REQUEST_ID, 256))


def test_the_threat_table_names_tests_that_there_are():
    threats = [
        line.split("|")[1:-1]
        for line in PAGE.partition("## Threats")[2].splitlines()
        if line.startswith("| ")
    ]
    written = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert len(threats) > 10
    for who, _, stopped_by, named in threats[1:]:
        names = re.findall(r"`(test_\w+)`", named)
        assert names or stopped_by.strip().startswith("nothing:"), who
        assert [name for name in names if f"def {name}(" not in written] == [], who
