"""MicroPython's `os` as the Zephyr port has it: no uname, and random bytes only in an image that has a generator."""

from os_base import *  # noqa: F403
from zephyr_image import IS_OURS

for _name in ("uname",) if IS_OURS else ("uname", "urandom"):
    if _name in globals():
        del globals()[_name]
