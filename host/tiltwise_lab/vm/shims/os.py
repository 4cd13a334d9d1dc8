"""MicroPython's own `os` with what a board adds: random bytes, and errno numbers of a board, not of a browser."""

import sys

_path = sys.path[:]
sys.path.clear()  # so that the next line finds the built-in module, not this file
import os as _os  # noqa: E402
from os import *  # noqa: E402, F403

sys.path.extend(_path)

import random as _random  # noqa: E402

_ERRNOS = {44: 2, 20: 17, 31: 21, 54: 20, 55: 39}  # of emscripten -> of a board
_generator = _random.getrandbits
_plain_stat = _os.stat


def as_on_a_board(function):
    """Return the function with its errno numbers translated."""

    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except OSError as problem:
            raise OSError(_ERRNOS.get(problem.errno, problem.errno)) from None

    return call


def stat(path):
    """Return what is known of a file; the empty path is the present folder, as on a board."""
    return _stat(path or ".")


def urandom(n):
    """Return n bytes: the same ones in every run of the bench."""
    return bytes([_generator(8) for _ in range(n)])


_stat = as_on_a_board(_plain_stat)
for _name in ("mkdir", "remove", "unlink", "rmdir", "rename", "listdir", "ilistdir", "chdir"):
    if hasattr(_os, _name):
        globals()[_name] = as_on_a_board(getattr(_os, _name))
