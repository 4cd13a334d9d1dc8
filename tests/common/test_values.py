"""The value of a setting survives the wire, and what is neither a number nor a text is refused."""

import struct

import pytest

from tiltwise.common.values import VALUE_INT, VALUE_TEXT, pack_value, unpack_value
from tiltwise.common.wire import WireError


@pytest.mark.parametrize("value", [0, 1, -1, 2**31 - 1, -(2**31), "", "n", "neck", "collar", "Zoë"])
def test_a_value_comes_back(value):
    assert unpack_value(pack_value(value)) == value


def test_the_first_byte_says_what_it_is_and_the_length_does_not():
    assert pack_value(7) == bytes([VALUE_INT]) + struct.pack("<i", 7)
    assert pack_value("neck") == bytes([VALUE_TEXT]) + b"neck", "as long as a number"
    for data in (
        b"",
        bytes([VALUE_INT]),
        bytes([VALUE_INT]) + bytes(3),
        bytes([VALUE_INT]) + bytes(5),
        bytes([2]) + bytes(4),
    ):
        with pytest.raises(WireError, match=f"value of {len(data)} bytes is neither a number nor a text"):
            unpack_value(data)
    with pytest.raises(WireError, match="not a text in UTF-8"):
        unpack_value(bytes([VALUE_TEXT, 0xFF]))
