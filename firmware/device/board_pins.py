"""Which board this is, and what its pins lead to. Asked at boot; board.py forgets this module afterwards.

So nothing here may be held by what stays: a function that does holds its whole module.
"""

import sys
import time

import machine
from micropython import const

from ..storage.atomic_files import Files
from ..storage.file_block_device import FileBlocks
from . import health

_BOARDS = (  # by a word in the machine's name; the first that fits. A file `profile` on the board wins.
    ("ESP32S3", "xiao_esp32s3"),
    ("ESP32C3", "xiao_esp32c3"),
    ("Pico 2 W", "pico2_w"),
    ("Pico W", "pico_w"),
    ("xiao_ble", "xiao_nrf52840"),
)
_BOARD_FILE = const("profile")
_FLASH_LABEL = const("minutes")
_FLASH_PREFIX = const("min")


def machine_name():
    """Return what this MicroPython was built for; every port says so here, and not all have os.uname."""
    return str(sys.implementation[2])


def pins():
    """Return the module of boards/ that fits: named in the file `profile`, or known by the name of the machine."""
    name = Files().read(_BOARD_FILE)
    name = "" if name is None else str(name, "utf-8").strip()
    if not name:
        for word, fits in _BOARDS:
            if word in machine_name():
                name = fits
                break
    if not name:
        raise RuntimeError("no pins for %s: write the name of a board into the file profile" % machine_name())
    path = __name__[: __name__.find(".")] + ".boards." + name
    __import__(path)
    return sys.modules[path]


def open_bus(p):
    """Return the I2C bus on these pins, where the IMUs are; `tiltwise setup` asks there too."""
    if hasattr(p, "open_bus"):
        return p.open_bus(p)
    return machine.I2C(p.I2C, scl=machine.Pin(p.SCL), sda=machine.Pin(p.SDA), freq=400000)


def eight(data):
    """Return the first eight bytes of the chip's number, filled up with zeros."""
    return (bytes(data) + bytes(8))[:8]


def adc(p):
    """Return the input that measures the cell, None where there is none."""
    if p.BATTERY is None:
        return None
    if hasattr(p, "open_adc"):
        return p.open_adc(p)
    return machine.ADC(machine.Pin(p.BATTERY), **p.ADC_RANGE())


def cause(p):
    """Translate the chip's reset cause; a chip that tells none was switched on, or each cell change were a crash."""
    if not getattr(p, "KNOWS_RESET_CAUSE", True):
        return health.POWER_ON
    found = machine.reset_cause()
    for name, known in (
        ("PWRON_RESET", health.POWER_ON),
        ("WDT_RESET", health.WATCHDOG),
        ("DEEPSLEEP_RESET", health.WOKE),
        ("SOFT_RESET", health.SOFT),
        ("HARD_RESET", health.HARD),
    ):
        if getattr(machine, name, None) == found:
            return known
    return health.UNKNOWN


def flash(p):
    """Return the place for the minutes: a partition of its own where there is one, else files."""
    try:
        from esp32 import Partition

        found = Partition.find(Partition.TYPE_DATA, label=_FLASH_LABEL)
    except ImportError:
        found = ()
    return found[0] if found else FileBlocks(_FLASH_PREFIX, p.FLASH_BLOCKS)


def radio(p):
    """Return the radio; None when this MicroPython has none."""
    if not p.HAS_RADIO:
        return None
    try:
        import bluetooth

        from ..comms.ble_radio import Radio
    except ImportError:
        print("tiltwise: no Bluetooth in this MicroPython, the cable works")
        return None
    return Radio(bluetooth, time, p.RADIO_RESTARTS, p.PLACES)
