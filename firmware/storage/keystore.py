"""The secret keys of the hosts, up to four: two files with CRC, so that a power cut or a worn page never costs them.

A file holds `changes u16 | n x (name 12 | key 32)`, or the 32 bytes alone that firmware of protocol 1 wrote. Keys are
never sent: no setting and no command reads one back. Whoever holds the board can read its flash; MicroPython has no
protection against that, and the flash may keep older copies of a file for a while.
"""

import struct

from micropython import const

from tiltwise.common.auth import KEY_SIZE, MOST_KEYS
from tiltwise.common.wire import KEY_NAME_SIZE

from .atomic_files import with_crc, without_crc

COPIES = ("key.a", "key.b")
_HEAD = const(2)
_ROW = KEY_NAME_SIZE + KEY_SIZE
_SIZES = tuple([_HEAD + n * _ROW for n in range(1, MOST_KEYS + 1)])


class KeyStore:
    """Keeps the keys; `changes` counts how often some host was added, revoked or given another key."""

    def __init__(self, files):
        self._files = files
        self.is_damaged = False  # a copy was there and could not be read, as `load` found it
        self.changes = 0

    def load(self):
        """Return [(name, key)], empty when none is set; the other copy is mended from the one that is whole."""
        copies = [self._read(name) for name in COPIES]
        data = copies[0] if copies[0] is not None else copies[1]
        if data is None:
            return []
        for name, copy in zip(COPIES, copies):
            if copy != data:
                self._mend(name, data)
        if len(data) == KEY_SIZE:
            return [(bytes(KEY_NAME_SIZE), data)]
        self.changes = struct.unpack_from("<H", data)[0]
        rows = [data[at : at + _ROW] for at in range(_HEAD, len(data), _ROW)]
        return [(row[:KEY_NAME_SIZE], row[KEY_NAME_SIZE:]) for row in rows]

    def save(self, keys, is_change=True):
        """Keep these keys from now on; ValueError for what are none, OSError from the flash."""
        if not 0 < len(keys) <= MOST_KEYS:
            raise ValueError("%d keys, expected 1 to %d" % (len(keys), MOST_KEYS))
        changes = self.changes + is_change & 0xFFFF
        data = struct.pack("<H", changes)
        for name, key in keys:
            if len(key) != KEY_SIZE or len(name) != KEY_NAME_SIZE:
                raise ValueError("key of %d bytes, expected %d" % (len(key), KEY_SIZE))
            data += name + key
        # The first copy wins when they differ: after a power cut between the two the new keys hold.
        for name in COPIES:
            self._files.replace(name, with_crc(data))
        self.changes = changes

    def forget(self):
        """Delete the keys; the second copy first, so that a cut leaves them or nothing."""
        for name in (COPIES[1], COPIES[0]):
            self._files.remove(name)

    def _read(self, name):
        data = self._files.read(name)
        body = without_crc(data)
        if body is not None and (len(body) == KEY_SIZE or len(body) in _SIZES):
            return body
        self.is_damaged = self.is_damaged or data is not None
        return None

    def _mend(self, name, data):
        try:
            self._files.replace(name, with_crc(data))
        except OSError:
            return  # a full flash: the whole copy still serves, and the next boot tries again
