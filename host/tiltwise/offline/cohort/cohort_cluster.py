"""The sums of `cohort_days` on a dask cluster, for more people than one machine reads: the same query.

Each worker sums some of the files; only sums a person and day come back. The workers need tiltwise and duckdb, and
see the folder under the same path.
"""

from __future__ import annotations

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
        with _client(distributed, address, patience_s) as client:
            return merged_days(_gather(distributed, client, parts, address))
    finally:
        quiet.setLevel(before)


def _client(distributed: Any, address: str, patience_s: float) -> Any:
    """Return a client whose cluster has a worker."""
    try:
        client = distributed.Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
        raise AppError(
            f"no dask scheduler answers at {address} ({_line(error)}); start one with `dask scheduler` and name it "
            "as tcp://HOST:8786"
        ) from error
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError:
        client.close()
        raise AppError(
            f"the dask scheduler at {address} has no workers; start some with `dask worker {address}`"
        ) from None
    return client


def _gather(distributed: Any, client: Any, parts: Sequence[list[str]], address: str) -> list[DaySums]:
    try:
        found: list[list[DaySums]] = client.gather(client.map(day_sums, parts, pure=False))
    except (OSError, ImportError, distributed.KilledWorker, distributed.CancelledError) as error:
        raise AppError(
            f"the dask cluster at {address} did not finish ({_line(error)}); its workers need tiltwise with duckdb, "
            "and the same folder"
        ) from error
    return [row for rows in found for row in rows]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise AppError("--cluster needs dask: pip install 'dask[distributed]'") from None
    return distributed
