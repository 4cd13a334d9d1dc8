"""docs/protocol.md says what common/wire.py does."""

import re
import struct
from pathlib import Path

import pytest

from tiltwise.common import wire

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
CODES = {"u8": "B", "u16": "H", "u32": "I", "i8": "b", "i16": "h", "i32": "i", "f32": "f"}


def rows(title):
    """The cells of the rows below a header row that starts with this title."""
    table = re.search(rf"^\| {re.escape(title)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table, title
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[1].splitlines()]


def body(section):
    """The struct codes of a table of fields in order."""
    text = PAGE.split(f"### {section}: fields in order")[1]
    codes = ""
    for line in re.findall(r"^\| .*", text, re.MULTILINE)[1:]:
        if line.startswith("| field"):
            break
        if not line.startswith("|---"):
            kind = line.split("|")[2].strip()
            count, _, name = kind.rpartition(" x ")
            codes += "16s" if kind == "16 bytes" else CODES[name] * int(count or 1)
        if line.startswith(("| model", "| gyroscope bias")):
            break
    return codes


def expanded(layout):
    return re.sub(r"(\d+)([a-rt-z])", lambda m: m[2] * int(m[1]), layout.lstrip("<"))


def test_header_table_has_the_offsets_of_the_header():
    offset = 0
    sizes = [struct.calcsize("<" + code) for code in wire.HEADER[1:]]
    for (at, size, _), expected in zip(rows("offset"), sizes, strict=True):
        assert (int(at), int(size)) == (offset, expected)
        offset += expected
    assert offset == wire.HEADER_SIZE


def test_type_table_has_every_type_with_its_number_and_size():
    table = rows("type")
    assert {row[1]: int(row[0]) for row in table} == {
        name: getattr(wire, name) for name in ("ORIENT", "RAW", "EVENT", "STATUS", "MINUTE", "INFO")
    }
    for number, _, payload, size, _ in table:
        for n in (1, 10, 15):
            per_sample = re.fullmatch(r"(\d+) n", payload)
            told = int(per_sample[1]) * n if per_sample else int(payload)
            assert told == wire.body_size(int(number), n)
            least, _, more = size.partition(" + ")
            assert int(least) + (int(more.removesuffix(" n")) * n if more else 0) == wire.frame_size(
                int(number), n
            )


@pytest.mark.parametrize(("title", "prefix"), [("bit", "FLAG_"), ("code", "EVENT_"), ("opcode", "OP_")])
def test_numbered_tables_have_every_constant(title, prefix):
    told = {row[1]: int(row[0], 0) for row in rows(title)}
    defined = {
        name: value
        for name, value in vars(wire).items()
        if name.startswith(prefix) and isinstance(value, int)
    }
    assert told == defined


def test_rate_table_has_every_rate():
    told = {int(code): 0.0 if hz == "told by INFO" else float(hz) for code, hz in rows("rate code")}
    assert told == dict(enumerate(wire.RATES_HZ))


def test_info_and_status_fields_have_the_types_of_the_payload():
    assert body("INFO") == expanded(wire.INFO_BODY)
    assert body("STATUS") == expanded(wire.STATUS_BODY)


def test_minute_event_and_command_layouts_are_those_described():
    assert wire.MINUTE_BODY == "<HBBBx18b"
    assert wire.EVENT_BODY == "<BxHi"
    assert wire.COMMAND_HEADER == "<BBI"
    assert (wire.REPLY, wire.STATUS_OK, wire.STATUS_UNSUPPORTED, wire.STATUS_BAD_ARGUMENT) == (0x80, 0, 1, 2)
    assert wire.VERSION == 1
