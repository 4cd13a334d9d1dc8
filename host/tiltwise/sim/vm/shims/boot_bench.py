"""What the bench changes before any firmware runs: `asyncio.run` is missing, errno numbers are a browser's.

`asyncio.run` returns at once and the task goes on: inside MicroPython code the VM can neither wait nor collect
garbage.
An exception that ends the task reaches the bench as a crash with its traceback.
"""

import asyncio
import builtins
import io
import os
import sys

import _bench

_ERRNOS = {44: 2, 20: 17, 31: 21, 54: 20, 55: 39}  # of emscripten -> of a board


def _as_on_a_board(function):
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except OSError as problem:
            raise OSError(_ERRNOS.get(problem.errno, problem.errno)) from None

    return call


builtins.open = _as_on_a_board(builtins.open)
for _name in ("stat", "mkdir", "remove", "unlink", "rmdir", "rename", "listdir", "ilistdir", "chdir"):
    if hasattr(os, _name):
        setattr(os, _name, _as_on_a_board(getattr(os, _name)))


async def _reporting(task):
    try:
        await task
    except BaseException as problem:  # noqa: BLE001
        text = io.StringIO()
        sys.print_exception(problem, text)
        _bench.crashed(text.getvalue())


def _run(task):
    asyncio.create_task(_reporting(task))


asyncio.run = _run
