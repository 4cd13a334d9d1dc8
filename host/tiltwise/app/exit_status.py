"""One-line errors and exit codes: 2 for wrong use, 1 for anything else, 0 when all went well."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from tiltwise.config.address import AddressError
from tiltwise.errors import AppError, StoppedError, UsageError, os_error_line
from tiltwise.text import as_typed, printable

# Typer keeps its own copy of click; this is its class of wrong-use errors, whatever the copy is called.
_USAGE_ERRORS: tuple[type[Exception], ...] = tuple(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ in ("UsageError", "ClickException")
)
INTERRUPTED = StoppedError.exit_code
_LONGEST_LINE = 1000  # characters; a path may have 4096
_DEBUG = "TILTWISE_DEBUG"  # set to anything, it lets defects show where they are


@contextmanager
def wrong_use() -> Iterator[None]:
    """Turn a ValueError about something given on the command line into wrong use."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from error


def run(call: Callable[[], object]) -> int:
    """Call, and turn what is expected to go wrong into one line on stderr and an exit code."""
    try:
        code = call()
    except _USAGE_ERRORS as error:
        return _tell(_usage_text(error), 2, hint=True)
    except (typer.Exit, typer.Abort) as leaving:
        # Older versions of typer make an Abort of Ctrl-C, newer ones return its code.
        is_stopped = isinstance(leaving.__cause__, KeyboardInterrupt)
        code = INTERRUPTED if is_stopped else getattr(leaving, "exit_code", 1)
    except (AppError, AddressError) as error:
        return _tell(str(error), getattr(error, "exit_code", UsageError.exit_code))
    except BrokenPipeError:
        # `tiltwise ... | head` is not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (OSError, ValueError) as error:
        # The rooms' own errors (files, recordings, calibration, settings) are ValueErrors.
        return _tell(os_error_line(error), 1)
    except Exception as error:
        if _DEBUG in os.environ:
            raise
        what = f"{type(error).__name__}: {error}"
        return _tell(f"a defect in tiltwise ({what}): please report it; {_DEBUG}=1 shows where", 1)
    if code == INTERRUPTED:
        return _tell("stopped", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _usage_text(error: Exception) -> str:
    format_message = getattr(error, "format_message", None)
    return (format_message() if callable(format_message) else str(error)) or "wrong use"


def _tell(message: str, code: int, *, hint: bool = False) -> int:
    line = as_typed(printable(" ".join(message.split()), _LONGEST_LINE))
    print(f"tiltwise: {line}{as_typed(' (see tiltwise --help)') if hint else ''}", file=sys.stderr)
    return code
