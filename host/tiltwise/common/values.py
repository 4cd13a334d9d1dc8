"""The value of a setting as GETCFG and SETCFG carry it: a number or a text."""

import struct

from tiltwise.common.wire import WireError

VALUE_INT = 0  # i32
VALUE_TEXT = 1  # UTF-8


def pack_value(value):
    """Return the bytes of a setting, an int or a text."""
    if isinstance(value, str):
        return bytes([VALUE_TEXT]) + value.encode()
    return struct.pack("<Bi", VALUE_INT, value)


def unpack_value(data):
    """Return the int or text of these bytes; raise WireError."""
    if len(data) == 5 and data[0] == VALUE_INT:
        return struct.unpack("<i", data[1:])[0]
    if data and data[0] == VALUE_TEXT:
        try:
            return str(data[1:], "utf-8")
        except ValueError:  # UnicodeError, which MicroPython may not name
            raise WireError("value is not a text in UTF-8") from None
    raise WireError("value of %d bytes is neither a number nor a text" % len(data))
