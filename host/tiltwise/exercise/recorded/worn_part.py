"""A recording of an exercise -> the part of it in which the sensor was worn, between putting on and taking off.

In the hand a sensor turns about any axis and further than a body does. So the part is looked for in which "up" stays
near one direction; it is taken if what lies outside goes far beyond the movements of the set that is found inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tiltwise.exercise.recorded.movement_signal import Movements, unit
from tiltwise.exercise.recorded.set_search import FoundSet
from tiltwise.types import FloatArray

# From the middle; most exercises stay within the first, bends within the last.
_LIMITS_DEG = (40.0, 60.0, 100.0)
_BEYOND = 1.5  # usual movements of the set: so far goes none of its own
_PLACES = 5  # parts of the recording whose middle may be the worn one: it may lie on a table for long
_SAME_PLACE_DEG = 45.0
_ARRIVED_DEG = 15.0  # from the middle: the sensor is on
_LEAST_S = 5.0
_NEARLY = 0.9  # as strong as the strongest: the narrower part has less of the handling
_A_SET = 2  # movements like those of the set outside the part belong to it
_AS_STRONG = 0.7  # of the set in the whole recording, which takes some of the handling for repetitions


def worn_part(movements: Movements, find: Callable[[Movements], FoundSet], *, is_turn: bool) -> slice:
    """Return the samples between putting on and taking off; all of them where nothing speaks of it.

    Parameters
    ----------
    movements : n samples.
    find : what looks for the set in a part of them.
    is_turn : whether its size is one of turns, which does not tilt "up".
    """
    everything, parts = slice(0, len(movements.t_s)), list(_parts(movements))
    if not parts:
        return everything
    found = [(find(movements.part(part)), part, limit_deg) for part, limit_deg in parts]
    known = [
        (limit_deg, one.strength, part)
        for one, part, limit_deg in found
        if one.strength and (is_turn or limit_deg >= _BEYOND * one.typical_deg)
    ]
    if not known:
        return everything
    strongest = max(strength for _, strength, _ in known)
    _, strength, part = min((one for one in known if one[1] >= _NEARLY * strongest), key=lambda one: one[0])
    whole, t_s = find(movements), movements.t_s
    outside = [at for at in whole.alike_s if not t_s[part.start] <= at <= t_s[part.stop - 1]]
    is_weaker = strength < whole.strength and len(outside) >= _A_SET
    return everything if is_weaker or strength < _AS_STRONG * whole.strength else part


def _parts(movements: Movements) -> Iterator[tuple[slice, float]]:
    """Yield the longest parts within each limit of each middle, other than the whole, and the limit (deg)."""
    if not len(movements.t_s):
        return
    seen: set[tuple[int, int]] = {(0, len(movements.t_s))}
    for pole in _poles(movements.up_sensor):
        away_deg = np.degrees(np.arccos(np.clip(movements.up_sensor @ pole, -1.0, 1.0)))
        for limit_deg in _LIMITS_DEG:
            first, last = _longest(movements.t_s, away_deg, limit_deg)
            if (first, last) in seen or movements.t_s[last - 1] - movements.t_s[first] < _LEAST_S:
                continue
            seen.add((first, last))
            yield slice(first, last), limit_deg


def _poles(up: FloatArray) -> list[FloatArray]:
    poles: list[FloatArray] = []
    for part in (up, *np.array_split(up, min(_PLACES, len(up)))):
        pole = unit(np.median(part, axis=0))
        if all(pole @ other < np.cos(np.radians(_SAME_PLACE_DEG)) for other in poles):
            poles.append(pole)
    return poles


def _longest(t_s: FloatArray, away_deg: FloatArray, limit_deg: float) -> tuple[int, int]:
    """Return the longest stretch [first, last) within the limit, from the sensor's arrival to its leaving."""
    far = np.flatnonzero(away_deg >= limit_deg)
    edges = np.concatenate(([-1], far, [len(t_s)]))
    firsts, lasts = edges[:-1] + 1, edges[1:]
    at = int(np.argmax(t_s[np.maximum(lasts - 1, 0)] - t_s[np.minimum(firsts, len(t_s) - 1)]))
    first, last = int(firsts[at]), int(lasts[at])
    near = np.flatnonzero(away_deg[first:last] < _ARRIVED_DEG)
    if not len(near):
        return first, max(last, first + 1)
    begin = first + int(near[0]) if first > 0 else 0
    end = first + int(near[-1]) + 1 if last < len(t_s) else last
    return begin, end
