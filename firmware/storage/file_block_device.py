"""A block device made of small files, for boards whose flash has no partition of its own for the log.

It looks like esp32.Partition: blocks that are erased to 0xFF and then written once, byte after byte. One file a
block, because littlefs copies everything that follows a change in a file; a block is only ever appended to. A minute
costs 3.2 pages and 0.6 erases (littlefs copies the unfinished last block when a file is opened again; measured on the
rp2 port), 31 ms on average with interrupts off, and littlefs spreads its pages over the flash.
"""

import os

from micropython import const

BLOCK_BYTES = const(4096)
_GET_COUNT = const(4)
_GET_SIZE = const(5)
_ERASE = const(6)


class FileBlocks:
    """`count` blocks in files named `prefix` and the number of the block."""

    def __init__(self, prefix, count):
        self._prefix = prefix
        self._count = count

    def _path(self, block):
        return "%s%02d" % (self._prefix, block)

    def readblocks(self, block, buffer, offset=0):
        """Fill the buffer from a place in a block; what was never written is 0xFF."""
        n = 0
        try:
            with open(self._path(block), "rb") as file:
                file.seek(offset)
                n = file.readinto(buffer)
        except OSError:
            n = 0  # never written
        for k in range(n, len(buffer)):
            buffer[k] = 0xFF

    def writeblocks(self, block, buffer, offset=0):
        """Write at a place that was erased; OSError when the flash is full."""
        path = self._path(block)
        size = self._size(path)
        with open(path, "ab") as file:
            if size > offset:
                raise OSError(22, "block %d is written up to %d, asked for %d" % (block, size, offset))
            file.write(b"\xff" * (offset - size))
            file.write(buffer)

    def ioctl(self, operation, block):
        """Tell count and size of the blocks, or erase one."""
        if operation == _GET_COUNT:
            return self._count
        if operation == _GET_SIZE:
            return BLOCK_BYTES
        if operation == _ERASE:
            try:
                os.remove(self._path(block))
            except OSError:
                return 0  # it was empty
        return 0

    def _size(self, path):
        try:
            return os.stat(path)[6]
        except OSError:
            return 0
