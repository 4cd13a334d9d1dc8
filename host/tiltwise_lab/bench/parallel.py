"""Runs the parts of a bench in processes of their own, and tells how far all of them are."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Show = Callable[[float], None]

_POLL_S = 0.3
_PARTS = 16  # of many short jobs
_shares: Any = None  # of all jobs, in the memory that the processes share


def run_in_processes(
    work: Callable[[Job, Show], Result],
    jobs: Sequence[Job],
    show: Show,
    *,
    weights: Sequence[float],
    processes: int | None = None,
    done: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Do `work(job, show)` for each job and return the results in order; with one process here, without another.

    Parameters
    ----------
    work : a function at the top of a module; calls its `show` with the share of its job that is done
    show : gets the share of all, by weight
    weights : how long each job takes, in any unit
    processes : at most; None: one for each core that this process may use
    done : gets each result as soon as it is there
    """
    n = min(processes or _cores(), len(jobs))
    total = sum(weights)
    if n == 1:
        before, results = 0.0, []
        for job, weight in zip(jobs, weights, strict=True):
            results.append(work(job, lambda share, b=before, w=weight: show((b + share * w) / total)))  # type: ignore[misc]
            done(results[-1])
            before += weight
        return results
    context = multiprocessing.get_context("spawn")
    shares = context.Array("d", len(jobs), lock=False)
    with context.Pool(n, _begin, (shares,)) as pool:
        waiting = [pool.apply_async(_do, (work, k, job)) for k, job in enumerate(jobs)]
        running = list(waiting)
        while running:
            running[-1].wait(_POLL_S)
            for result in [each for each in running if each.ready()]:
                done(result.get())  # an error of one ends them all
                running.remove(result)
            show(sum(share * weight for share, weight in zip(shares, weights, strict=True)) / total)
        return [result.get() for result in waiting]


def run_each(work: Callable[[Job], Result], jobs: Sequence[Job], show: Show) -> list[Result]:
    """Do `work(job)` for each of many short jobs, a part at a time; results come in the order of the parts."""
    parts = [part for k in range(_PARTS) if (part := jobs[k::_PARTS])]
    found = run_in_processes(partial(_all, work), parts, show, weights=[float(len(part)) for part in parts])
    return [result for results in found for result in results]


def _all(work: Callable[[Job], Result], part: Sequence[Job], show: Show) -> list[Result]:
    results = []
    for k, job in enumerate(part):
        results.append(work(job))
        show((k + 1) / len(part))
    return results


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(shares: Any) -> None:
    global _shares
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us


def _do(work: Callable[[Job, Show], Result], k: int, job: Job) -> Result:
    def show(share: float) -> None:
        _shares[k] = share

    result = work(job, show)
    show(1.0)
    return result
