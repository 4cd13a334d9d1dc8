"""Started by MicroPython after boot; lies in / on the board.

Whatever goes wrong is noted and followed by a restart; health.py counts, and the third crash in a row starts with the
cable only. If even that fails, or the files are incomplete, this ends at MicroPython's own prompt on USB: mpremote
and `tiltwise setup` can always mend the board.
"""

import gc
import sys
import time

import micropython
from micropython import const

_TRACE = const("crash.txt")
_WAIT_MS = const(2000)  # so that Ctrl-C on USB gets in between two crashes


def _let_go():
    """Free what the run held: the loop still has its task, and that has the whole firmware."""
    import asyncio

    asyncio.new_event_loop()
    gc.collect()


def _note(problem):
    """Count a crash and keep its trace; return how many came in a row before, 99 when that cannot be known."""
    try:
        _let_go()  # or a crash for want of memory could not be written down
        from firmware.device import health
        from firmware.storage.atomic_files import Files

        if isinstance(problem, KeyboardInterrupt):
            return health.note_end(Files(), True)
        crashes = health.note_end(Files(), False)
        with open(_TRACE, "w") as file:
            sys.print_exception(problem, file)
        return crashes
    except MemoryError:
        return 0  # not even this much is left: the watchdog's kind of end, which the next start counts too
    except Exception as another:  # noqa: BLE001  nothing may keep the board from its prompt
        sys.print_exception(another)
        return 99


def main():
    """Run the firmware; come back only to leave the prompt to a person."""
    try:
        from firmware.app import run
        from firmware.device.board import Board

        run(Board())
    except KeyboardInterrupt as problem:
        micropython.kbd_intr(3)
        _note(problem)
        print("tiltwise stopped: Ctrl-D starts it again, and so does the watchdog after 8 s")
    except Exception as problem:  # noqa: BLE001  a crash in a pocket has nobody to look at it
        micropython.kbd_intr(3)
        sys.print_exception(problem)
        if _note(problem) > 3:
            print("tiltwise crashed too often: run tiltwise setup")
            return
        from firmware.device.board import restart

        time.sleep_ms(_WAIT_MS)
        restart()


main()
