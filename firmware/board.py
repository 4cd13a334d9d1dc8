"""The real board as app.py wants it: pins, sizes, clock, memory, boot counter. `machine` is only here.

Before it: main.py. After it: app.py.
"""

import gc
import time

import machine

from .boards import xiao_esp32s3 as profile
from .link import Link

_BOOT_FILE = "boot_id"
_FRAME_BYTES = 180  # a frame and its bookkeeping
_SHARE_FOR_FRAMES = 4  # tenths of the free memory


class Board:
    """What is soldered, behind the names that app.py uses."""

    def __init__(self):
        self.clock = time
        self.model = profile.MODEL
        self.addresses = profile.ADDRESSES
        self.bus = machine.I2C(
            profile.I2C, scl=machine.Pin(profile.SCL), sda=machine.Pin(profile.SDA), freq=400000
        )
        self.link = Link()  # no transport in this version: frames are kept until one is
        self.reset_cause = machine.reset_cause()
        self.boot_id = _next_boot_id()
        gc.collect()
        room = gc.mem_free() * _SHARE_FOR_FRAMES // 10 // _FRAME_BYTES
        self.ring_frames = max(32, min(room, profile.MOST_FRAMES))
        self.minute_frames = profile.MINUTES

    def mem_free(self):
        """Return the free heap in bytes."""
        return gc.mem_free()


def _next_boot_id():
    """Count the boots in a file, written beside and renamed so that a power cut leaves the old or the new one."""
    import os

    try:
        with open(_BOOT_FILE) as file:
            boot_id = (int(file.read()) + 1) & 0xFFFF
    except (OSError, ValueError):
        boot_id = 1
    with open(_BOOT_FILE + ".new", "w") as file:
        file.write(str(boot_id))
    os.rename(_BOOT_FILE + ".new", _BOOT_FILE)
    return boot_id
