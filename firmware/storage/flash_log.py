"""One-minute summaries in flash: what the host has not stored yet survives hours of absence and a reboot.

Blocks are used round and round; the oldest is erased when the newest is full.

    block   header 16: magic, number of the page since the first (u32), its complement, CRC-32; then records
    record  48: kind u8, reserved u8, 42 bytes, CRC-32. MINUTE: header and payload of the frame as it was numbered.
            ACK: boot u16, seq u32: the host has stored this boot up to here

A record is written once into erased flash and never changed, so a power cut tears at most the one being written: its
CRC is wrong, its place is skipped. A torn header makes the block an empty one. The number of a page tells how often
each block was erased: page // blocks.
"""

import binascii
import struct

from micropython import const

MINUTE = const(1)
ACK = const(2)
RECORD = const(48)
PAYLOAD = const(42)  # a MINUTE frame without its tag
HEAD = const(16)
_MAGIC = const(0x314D5754)  # "TWM1"
_LAYOUT = const("<III")
_MOST_COPIED = const(5)  # records: what more would hold is missing elsewhere


class FlashLog:
    """Appends records and reads them back, oldest first; positions count records from the oldest page held."""

    def __init__(self, device):
        self._device = device
        self.blocks = device.ioctl(4, 0)
        self.block_bytes = device.ioctl(5, 0)
        self.per_block = (self.block_bytes - HEAD) // RECORD
        self._one = bytearray(RECORD)
        self._head = bytearray(HEAD)
        self._copied = _MOST_COPIED
        while self.per_block % self._copied:
            self._copied -= 1
        self._copy = bytearray(self._copied * RECORD)  # of the records read last: reading goes in order
        self._copy_of = -1  # position of the first of them
        # Blocks and records that could not be written, or were damaged when the board started.
        self.faults = 0
        self.dropped = 0  # records that an erase took, stored or not
        self.page = 0  # number of the page being filled; 0: none yet
        self._used = self.per_block  # records in it
        self._pages = [0] * self.blocks  # by block; 0: empty
        self._find()

    # ---- where things are ----

    def _find(self):
        """Look at every block's header, then find the end of the newest page."""
        for block in range(self.blocks):
            self._pages[block] = self._page_of(block)
        self.page = max(self._pages)
        self._count_damage()
        for block in range(self.blocks):  # what lies more than one round back is left over from another life
            if self._pages[block] + self.blocks <= self.page:
                self._pages[block] = 0
        if self.page:
            self._used = 0
            for slot in range(self.per_block):
                if not self._is_blank(self.page, slot):
                    self._used = slot + 1

    def _count_damage(self):
        """Count the blocks that should hold a page and hold something else.

        Pages go round in order, so the newest tells which page each block should hold. Without any page there is
        only the mark to go by: what else lies there may be of another firmware.
        """
        for block in range(self.blocks):
            if self._pages[block]:
                continue
            self._device.readblocks(block, self._head, 0)
            if self.page:
                was_used = self.page - (self.page - block) % self.blocks > 0
            else:
                was_used = struct.unpack_from("<I", self._head, 0)[0] == _MAGIC
            if was_used and any(byte != 0xFF for byte in self._head):
                self.faults += 1

    def _page_of(self, block):
        """Return the number of the page in a block, 0 when its header is no header."""
        self._device.readblocks(block, self._head, 0)
        magic, page, inverse = struct.unpack_from(_LAYOUT, self._head, 0)
        is_whole = (
            magic == _MAGIC
            and page ^ inverse == 0xFFFFFFFF
            and struct.unpack_from("<I", self._head, 12)[0] == binascii.crc32(self._head[:12]) & 0xFFFFFFFF
        )
        return page if is_whole and page % self.blocks == block else 0

    def _is_blank(self, page, slot):
        self._device.readblocks(page % self.blocks, self._one, HEAD + slot * RECORD)
        return all(byte == 0xFF for byte in self._one)

    @property
    def wear(self):
        """How often each block was erased, at most."""
        return self.page // self.blocks + 1

    # ---- reading ----

    def start(self):
        """Return the position of the oldest record."""
        held = [page for page in self._pages if page]
        return min(held) * self.per_block if held else self.end()

    def end(self):
        """Return the position after the newest record."""
        return self.page * self.per_block + self._used

    def note_damage(self, position):
        """Count a record that `read` found not whole, unless nothing was ever written there."""
        page, slot = divmod(position, self.per_block)
        if page and self._pages[page % self.blocks] == page and not self._is_blank(page, slot):
            self.faults += 1

    def read(self, position, buffer):
        """Put the payload of a record into the buffer and return its kind; 0 when there is none that is whole."""
        page, slot = divmod(position, self.per_block)
        if not page or self._pages[page % self.blocks] != page:
            return 0
        within = slot % self._copied
        if self._copy_of != position - within:
            self._device.readblocks(page % self.blocks, self._copy, HEAD + (slot - within) * RECORD)
            self._copy_of = position - within
        begin = within * RECORD
        end = begin + RECORD - 4
        view = memoryview(self._copy)
        if struct.unpack_from("<I", view, end)[0] != binascii.crc32(view[begin:end]) & 0xFFFFFFFF:
            return 0
        buffer[:PAYLOAD] = view[begin + 2 : end]
        return view[begin]

    # ---- writing ----

    def append(self, kind, payload):
        """Write a record and return True; False when the flash refuses, which is counted."""
        self._copy_of = -1
        try:
            if self._used >= self.per_block:
                self._next_page()
            one = self._one
            one[0] = kind
            one[1] = 0
            one[2 : 2 + PAYLOAD] = payload
            struct.pack_into(
                "<I", one, RECORD - 4, binascii.crc32(memoryview(one)[: RECORD - 4]) & 0xFFFFFFFF
            )
            slot = self._used
            self._used += 1  # its place is spent, whatever happens
            self._device.writeblocks(self.page % self.blocks, one, HEAD + slot * RECORD)
        except OSError:
            self.faults += 1
            return False
        return True

    def _next_page(self):
        """Erase the block with the oldest page and begin a new one there; a block that fails is passed over."""
        page = self.page + 1
        block = page % self.blocks
        if self._pages[block]:
            self.dropped += self.per_block
        self._pages[block] = 0
        self.page = page
        self._used = self.per_block
        self._device.ioctl(6, block)
        struct.pack_into(_LAYOUT, self._head, 0, _MAGIC, page, page ^ 0xFFFFFFFF)
        struct.pack_into("<I", self._head, 12, binascii.crc32(self._head[:12]) & 0xFFFFFFFF)
        self._device.writeblocks(block, self._head, 0)
        self._pages[block] = page
        self._used = 0
