"""The board interface, with every optional part absent.

A part that is not fitted is None, and everything works without it.
"""

import sys


def forget(module):
    """Give the memory of a module back that nothing holds: a function of it that is kept keeps all of it."""
    package, _, name = module.__name__.rpartition(".")
    sys.modules.pop(module.__name__, None)
    delattr(sys.modules[package], name)


class BoardInterface:
    """Attributes and their defaults."""

    clock = None  # ticks_us(), ticks_ms(), ticks_add(), ticks_diff(), sleep_ms(): MicroPython's time
    # readfrom_mem_into(address, register, buffer), writeto_mem(address, register, buffer); OSError
    bus = None
    addresses = (0x6A, 0x6B)  # where IMUs may be; one that comes later is looked for at the first
    links = ()  # comms/link.py
    radio = None  # comms/ble_radio.py, when some of the links are its connections
    files = None  # storage/atomic_files.py
    flash = None  # for the minutes: readblocks, writeblocks, ioctl as esp32.Partition
    motor = None  # set(duty 0..65535); it switches itself off after 2 s
    led = None  # led(1) is light
    button = None  # button() is True while pressed
    battery_mv = None  # battery_mv() in millivolts
    is_charging = None  # is_charging() is True while a charger feeds the cell
    has_moved = None  # has_moved() is True once after the motion interrupt of the IMU
    watchdog = None  # watchdog() feeds it
    chip_cause = 0  # why the chip started, as device/health.py numbers it
    idles = False  # the processor sleeps while the loop waits, so each look at the link costs current
    ring_frames = 64  # frames to keep
    minute_frames = 60  # one-minute summaries to keep in memory
    model = b"unknown"  # 16 bytes at most
    device_id = bytes(8)

    def mem_free(self):
        """Return the free heap in bytes, 0 when that is not known."""
        return 0

    def random(self, n):
        """Return n bytes that nobody can guess."""
        raise NotImplementedError("this board has no source of randomness: no host can prove itself")

    def reset(self):
        """Start anew."""

    def deepsleep(self):
        """Switch off until motion or the button; comes back by starting anew."""
