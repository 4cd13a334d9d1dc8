"""The beginning of a recording -> a guided calibration in it, or none, without going through it live.

The steps, limits and refusals are those of guided_calibration.py: still for 3 s, nods, and tilts where they are
needed. Here all samples are there at once, so that most beginnings are passed over at a glance.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tiltwise.motion.calibration.alignment import AMPLITUDE_DEG, calibrate
from tiltwise.motion.calibration.excursions import ExcursionCounter
from tiltwise.motion.calibration.guided_calibration import STILL_TIMEOUT_S, movements_are_over
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.sitting_still import (
    SPREAD_DEG,
    STILL_RATE_DEG_S,
    STILL_S,
    CalibrationError,
    neutral_up,
)
from tiltwise.motion.rotation import angle_between_deg, conjugate, multiply, up_in_sensor
from tiltwise.types import FloatArray, Mount, OrientationBlock

_LEAST_S = 2.9  # of the 3 s: a little is lost at both ends
_LOOK_S = 0.2
_QUICK_DEG_S = 15.0  # nobody who sits still for a calibration moves so fast
_LATEST_S = 60.0  # a calibration stands at the beginning
_OUTLIERS = 1  # of the looks in 3 s: 95 % of the samples lie within the spread


def recorded_calibration(oriented: OrientationBlock, mount: Mount) -> tuple[Mounting | None, float]:
    """Return the mounting that a calibration at the beginning of a recording shows, and when it ended (s).

    Parameters
    ----------
    oriented : the recording, n finite samples.
    mount : the place on the body.
    """
    for first in _stills(oriented):
        t_s = oriented.t_s
        last = int(np.searchsorted(t_s, t_s[first] + _LEAST_S, side="right"))
        still = oriented.part(slice(first, last))
        try:
            up, _ = neutral_up(still, mount)
        except CalibrationError:
            continue
        parts, end = [still], last - 1
        for _ in range(2 if mount is Mount.COLLAR else 1):
            begin, end = end, _end_of_movements(oriented, end, up, AMPLITUDE_DEG[mount])
            parts.append(oriented.part(slice(begin, end + 1)))
        try:  # in a file anything may sit anywhere
            return calibrate(*parts, mount=mount, is_behind=False), float(t_s[end])
        except CalibrationError:
            return None, 0.0
    return None, 0.0


def _stills(oriented: OrientationBlock) -> Iterator[int]:
    """Yield where 3 s of sitting still may begin, from the first seconds without a quick movement on."""
    t_s = oriented.t_s
    if len(t_s) < 2:
        return
    grid_s = np.arange(t_s[0], min(t_s[-1], t_s[0] + _LATEST_S + STILL_TIMEOUT_S + STILL_S), _LOOK_S)
    # By rounding the last look can lie behind the last sample.
    at = np.minimum(np.searchsorted(t_s, grid_s), len(t_s) - 1)
    n = int(_LEAST_S / _LOOK_S)
    if len(grid_s) <= n:
        return
    q = oriented.q_earth_from_sensor[at]
    up = up_in_sensor(q)
    is_quick = angle_between_deg(up[1:], up[:-1]) > _QUICK_DEG_S * _LOOK_S
    rests = np.flatnonzero(~np.lib.stride_tricks.sliding_window_view(is_quick, n).any(axis=1))
    if not len(rests) or grid_s[rests[0]] - t_s[0] > _LATEST_S:
        return
    windows = np.lib.stride_tricks.sliding_window_view(up, n + 1, axis=0).transpose(0, 2, 1)
    apart = np.sort(angle_between_deg(windows, windows.mean(axis=1, keepdims=True)), axis=1)
    turn = np.sum(multiply(q[1:], conjugate(q[:-1]))[:, 1:] ** 2, axis=1) * 4 / _LOOK_S**2
    rate_deg_s = np.degrees(np.sqrt(np.lib.stride_tricks.sliding_window_view(turn, n).mean(axis=1)))
    may_be = (apart[:, -1 - _OUTLIERS] < SPREAD_DEG) & (rate_deg_s < STILL_RATE_DEG_S)
    for k in np.flatnonzero(may_be[rests[0] :]) + rests[0]:
        if grid_s[k] - grid_s[rests[0]] > STILL_TIMEOUT_S:
            return
        yield int(at[k])


def _end_of_movements(oriented: OrientationBlock, first: int, up: FloatArray, out_deg: float) -> int:
    """Return the index at which three nods or tilts after `first` are over, or no more come."""
    counter, count, since_s = ExcursionCounter(out_deg), 0, float(oriented.t_s[first])
    for k in range(first, len(oriented.t_s), 500):
        t_s = oriented.t_s[k : k + 500]
        angle = angle_between_deg(up_in_sensor(oriented.q_earth_from_sensor[k : k + 500]), up)
        for i, (t, a) in enumerate(zip(t_s.tolist(), angle.tolist(), strict=True)):
            if counter.step(t, a) is not None:
                count, since_s = count + 1, t
            if movements_are_over(count, t - since_s, is_out=counter.is_out):
                return k + i
    return len(oriented.t_s) - 1
