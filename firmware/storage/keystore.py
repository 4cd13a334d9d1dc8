"""The board's 32-byte secret: two files with CRC, so that a power cut or a worn page never costs the key.

The key is never sent: no setting and no command reads it back. Whoever holds the board can read its flash;
MicroPython has no protection against that.
"""

from .atomic_files import with_crc, without_crc

SIZE = 32
COPIES = ("key.a", "key.b")


class KeyStore:
    """Keeps one key."""

    def __init__(self, files):
        self._files = files
        self.is_damaged = False  # a copy was there and could not be read, as `load` found it

    def load(self):
        """Return the key, None when none is set; the other copy is mended from the one that is whole."""
        copies = [self._read(name) for name in COPIES]
        key = copies[0] if copies[0] is not None else copies[1]
        if key is not None:
            for name, copy in zip(COPIES, copies):
                if copy != key:
                    self._mend(name, key)
        return key

    def save(self, key):
        """Keep a key from now on; ValueError for a key of another length, OSError from the flash."""
        if len(key) != SIZE:
            raise ValueError("key of %d bytes, expected %d" % (len(key), SIZE))
        # The first copy wins when they differ: after a power cut between the two the new key holds.
        for name in COPIES:
            self._files.replace(name, with_crc(key))

    def forget(self):
        """Delete the key; the second copy first, so that a cut leaves the key or nothing."""
        for name in (COPIES[1], COPIES[0]):
            self._files.remove(name)

    def _read(self, name):
        data = self._files.read(name)
        key = without_crc(data)
        if key is not None and len(key) == SIZE:
            return key
        self.is_damaged = self.is_damaged or data is not None
        return None

    def _mend(self, name, key):
        try:
            self._files.replace(name, with_crc(key))
        except OSError:
            return  # a full flash: the whole copy still serves, and the next boot tries again
