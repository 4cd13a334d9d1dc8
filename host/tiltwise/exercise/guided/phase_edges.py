"""When a movement between two phases began and ended, as the angle shows it once the phase is over.

A smooth stroke between two levels is fitted to all of the phase at once: a threshold on the way would take the sway
of a head for the beginning of a small step. Strokes of people have least jerk (Flash and Hogan 1985, J Neurosci 5,
1688-1703): x^3 (10 - 15 x + 6 x^2) of the way at the share x of the time. Seconds and degrees.
"""

from __future__ import annotations

import numpy as np

from tiltwise.types import FloatArray

MOVED_DEG = 1.5
_START_S = 0.4  # the beginning of a sink
_LEAST_S = 0.4  # that a stroke takes
_STAYED_S = 0.5  # at the new end before the phase is over, at least
_TENTH = 0.2466  # of the time of a stroke, when a tenth of its way is covered
_BEGIN_STEP_S, _LASTS_STEP = 0.1, 1.12  # of the first search
_FINER = np.linspace(-1.0, 1.0, 11)  # of these steps, in the second one
_THINNED = 3  # of the moments, in the first one


def edges(times: FloatArray, way: FloatArray, end_deg: float) -> tuple[float, float]:
    """Return when (s) the head had gone a tenth and nine tenths of its way (n,) in deg.

    The beginning twice if it did not move.
    """
    t_s = times - times[0]
    gone = end_deg - float(np.median(way[t_s <= _START_S]))
    if abs(gone) < MOVED_DEG or t_s[-1] < 2 * _LEAST_S + _STAYED_S:
        return float(times[0]), float(times[0])
    begin_s, lasts_s = _stroke(t_s, np.sign(gone) * way)
    first_s = float(times[0]) + begin_s
    return first_s + _TENTH * lasts_s, first_s + (1.0 - _TENTH) * lasts_s


def _stroke(t_s: FloatArray, way: FloatArray) -> tuple[float, float]:
    """Return when the stroke that fits best begins and how long it lasts: coarsely, and then finely about that."""
    most_s = t_s[-1] - _STAYED_S
    begins = np.arange(0.0, most_s - _LEAST_S, _BEGIN_STEP_S)
    lasts = _LEAST_S * _LASTS_STEP ** np.arange(np.log(most_s / _LEAST_S) / np.log(_LASTS_STEP))
    begin, last = _best(t_s[::_THINNED], way[::_THINNED], begins, lasts)
    return _best(t_s, way, begin + _FINER * _BEGIN_STEP_S, last * _LASTS_STEP**_FINER)


def _best(t_s: FloatArray, way: FloatArray, begins: FloatArray, lasts: FloatArray) -> tuple[float, float]:
    """Return the begin and length, of all pairs within the phase, whose upward stroke explains the way (n,) best."""
    pairs = np.array(
        [(b, each) for b in begins for each in lasts if b + each <= t_s[-1] - _STAYED_S]
        or [(begins[0], lasts[0])]
    )
    x = np.clip((t_s - pairs[:, :1]) / pairs[:, 1:], 0.0, 1.0)
    stroke = x**3 * (10 - 15 * x + 6 * x * x)
    stroke -= stroke.mean(axis=1, keepdims=True)
    along = stroke @ way
    explained = np.sign(along) * along**2 / np.maximum((stroke**2).sum(axis=1), 1e-9)
    begin_s, lasts_s = pairs[int(np.argmax(explained))].tolist()
    return begin_s, lasts_s
