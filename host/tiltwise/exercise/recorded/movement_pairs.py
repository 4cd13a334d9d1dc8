"""Movements to one side and the other -> repetitions that are made of both."""

from __future__ import annotations

from dataclasses import replace

from tiltwise.types import RepCompleted, Side

_PAIR_S = 15.0  # the second half of a pair follows within three breaths


def paired(reps: list[RepCompleted], first: float | None) -> list[RepCompleted]:
    """Join each movement to the first side with the one to the other that follows; single ones are partial.

    Without known sides the first movement of the recording shows which comes first.
    """
    if not reps:
        return []
    opening = reps[0].side if first is None else (Side.RIGHT if first > 0 else Side.LEFT)
    done: list[RepCompleted] = []
    held: RepCompleted | None = None
    for rep in reps:
        if held is not None and (rep.side is opening or rep.start_s - held.end_s > _PAIR_S):
            done.append(replace(held, side=Side.NONE, is_partial=True))
            held = None
        if rep.side is opening:
            held = rep
        elif held is not None:
            is_partial = held.is_partial or rep.is_partial
            done.append(replace(held, t_s=rep.t_s, end_s=rep.end_s, side=Side.NONE, is_partial=is_partial))
            held = None
    if held is not None:
        done.append(replace(held, side=Side.NONE, is_partial=True))
    return done
