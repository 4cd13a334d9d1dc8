"""Small files that are either the old or the new one, never half of each.

The first line of defence against a power cut is here, the second is the CRC in each file.
"""

import binascii
import os
import struct

from micropython import const

_NEW = const(".new")


class Files:
    """A folder of small files; `folder` ends in a slash or is empty."""

    def __init__(self, folder=""):
        self._folder = folder

    def read(self, name):
        """Return the bytes of a file, None when there is none or it cannot be read."""
        try:
            with open(self._folder + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def replace(self, name, data):
        """Write a file beside the old one, then let it take its place; OSError when the flash refuses."""
        path = self._folder + name
        with open(path + _NEW, "wb") as file:
            file.write(data)
        if hasattr(os, "sync"):
            os.sync()
        os.rename(path + _NEW, path)

    def free_kb(self):
        """Return the kilobytes that are free, None where the port does not tell."""
        if not hasattr(os, "statvfs"):
            return None
        about = os.statvfs(self._folder or os.getcwd())
        return about[0] * about[3] // 1024

    def remove(self, name):
        """Delete a file; one that is not there is fine."""
        for path in (self._folder + name, self._folder + name + _NEW):
            try:
                os.remove(path)
            except OSError:
                continue


def with_crc(data):
    """Return the data with its CRC-32 behind it."""
    return bytes(data) + struct.pack("<I", binascii.crc32(data) & 0xFFFFFFFF)


def without_crc(data):
    """Return what with_crc was given, None for anything else."""
    if data is None or len(data) < 4:
        return None
    body = data[:-4]
    return body if struct.unpack("<I", data[-4:])[0] == binascii.crc32(body) & 0xFFFFFFFF else None
