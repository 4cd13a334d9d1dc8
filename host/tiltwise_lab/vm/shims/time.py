"""MicroPython's own `time`, with ticks in microseconds of the virtual clock: the VM knows milliseconds only."""

import sys

_path = sys.path[:]
sys.path.clear()  # so that the next line finds the built-in module, not this file
from time import *  # noqa: E402, F403

sys.path.extend(_path)

import _bench  # noqa: E402

ticks_us = _bench.ticks_us
ticks_ms = _bench.ticks_ms
ticks_cpu = _bench.ticks_us
sleep_us = _bench.sleep_us


def sleep_ms(ms):
    """Let the virtual time pass."""
    _bench.sleep_us(ms * 1000)


def sleep(seconds):
    """Let the virtual time pass."""
    _bench.sleep_us(int(seconds * 1000000))


def time():
    """Seconds since the virtual power-on: a board without a clock set."""
    return _bench.seconds()
