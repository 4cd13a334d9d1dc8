"""The sums of `cohort_days` on a dask cluster, for more people than one machine reads: the same query.

Each worker sums some of the files; only sums a person and day come back. The workers need tiltwise and duckdb, and
see the folder under the same path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tiltwise.errors import AppError
from tiltwise.offline.cohort.cohort_days import DaySums, PersonDay, day_sums, merged_days, minute_files

PATIENCE_S = 10.0  # for the scheduler and its first worker
_FILES = 200  # of a task: about a second of work


def person_days_on(address: str, folder: Path, patience_s: float = PATIENCE_S) -> list[PersonDay]:
    """Return the sums of the exported minutes below a folder, from the cluster whose scheduler is at `address`.

    Raises
    ------
    AppError
        Without dask, without an answer, or where a worker cannot read a file.
    """
    distributed = _distributed()
    files = [str(path.resolve()) for path in minute_files(folder)]
    parts = [files[at : at + _FILES] for at in range(0, len(files), _FILES)]
    quiet = logging.getLogger("distributed")
    before = quiet.level
    quiet.setLevel(logging.CRITICAL)  # what went wrong is told in one line, here
    try:
        return merged_days(asyncio.run(_sums(distributed, address, parts, patience_s)))
    finally:
        quiet.setLevel(before)


async def _sums(
    distributed: Any, address: str, parts: Sequence[list[str]], patience_s: float
) -> list[DaySums]:
    """Return the sums of all parts; the client is closed whatever happens.

    In this loop and not in a thread of dask's: a client that found no scheduler would be closed when it is collected,
    and where that happens while another one starts, dask waits for itself for ever.
    """
    try:
        client = distributed.Client(address, timeout=patience_s, set_as_default=False, asynchronous=True)
    except (ValueError, TypeError) as error:
        raise _no_scheduler(address, error) from error
    try:
        await _reach(client, address, patience_s)
        found: list[list[DaySums]] = await client.gather(client.map(day_sums, parts, pure=False))
    except (OSError, ImportError, distributed.KilledWorker, distributed.CancelledError) as error:
        raise AppError(
            f"the dask cluster at {address} did not finish ({_line(error)}); its workers need tiltwise with duckdb, "
            "and the same folder"
        ) from error
    finally:
        await client.close()
    return [row for rows in found for row in rows]


async def _reach(client: Any, address: str, patience_s: float) -> None:
    """Wait for the scheduler and for a first worker."""
    try:
        await client
    except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
        raise _no_scheduler(address, error) from error
    try:
        await client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError:
        raise AppError(
            f"the dask scheduler at {address} has no workers; start some with `dask worker {address}`"
        ) from None


def _no_scheduler(address: str, error: Exception) -> AppError:
    return AppError(
        f"no dask scheduler answers at {address} ({_line(error)}); start one with `dask scheduler` and name it "
        "as tcp://HOST:8786"
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise AppError("--cluster needs dask: pip install 'dask[distributed]'") from None
    return distributed
