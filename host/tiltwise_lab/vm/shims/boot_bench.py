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

builtins.open = os.as_on_a_board(builtins.open)


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
