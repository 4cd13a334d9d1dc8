"""Two sensors, head and upper back: the neck's own angles are the difference. Degrees; after neck_angles.py.

Each sensor is calibrated on its own, so both are zero in the same neutral posture. Tilts subtract in each one's body
axes and need no common heading. Rotation is a difference of two headings that drift apart: it means something within
one movement only. The upper back is interpolated onto the head's times, both in the board's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.rotation import angle_between_deg, up_from_angles_deg
from tiltwise.types import ANGLE_COLUMNS, AngleBlock, FloatArray

# Of the upper back while the head is silent: far beyond any patience, and no growing for hours.
_KEEP_S = 60.0


@dataclass(frozen=True, slots=True)
class NeckBlock:
    """The neck at the head's sample times, n samples.

    Parameters
    ----------
    neck
        Head minus upper back where `is_relative`. Where it is not, the other sensor was silent: these are the head's
        own angles and must be called so. inclination_deg is the angle between the two "up" vectors.
    upper_back
        The upper back's angles at the same times, NaN where it was silent.
    is_relative
        (n,) bool.
    """

    neck: AngleBlock
    upper_back: AngleBlock
    is_relative: NDArray[np.bool_]


class NeckStage:
    """Streaming difference of two angle streams; whichever comes first waits for the other, up to patience_s.

    Parameters
    ----------
    max_gap_s
        The upper back is interpolated across holes up to this long, not further.
    patience_s
        A head sample that is so much older than the newest head sample is given out without the upper back.
        Any cuts give the same result as long as neither stream is later than this.
    """

    def __init__(self, *, max_gap_s: float = 0.5, patience_s: float = 1.0) -> None:
        self._max_gap_s = max_gap_s
        self._patience_s = patience_s
        self.reset()

    def reset(self) -> None:
        """Forget what is waiting."""
        self._head = _rows(None)
        self._back = _rows(None)
        self._sensors = (0, 1)

    def process(self, head: AngleBlock | None, upper_back: AngleBlock | None) -> NeckBlock:
        """Take new samples of either sensor, or of both; return the head samples that are decided now."""
        if head is not None:
            self._head = np.concatenate((self._head, _rows(head)), axis=1)
            self._sensors = (head.sensor, self._sensors[1])
        if upper_back is not None:
            self._back = np.concatenate((self._back, _rows(upper_back)), axis=1)
            self._sensors = (self._sensors[0], upper_back.sensor)
        given = self._give(self._decided())
        if not self._head.shape[1] and self._back.shape[1]:
            self._back = self._back[:, self._back[0] > self._back[0, -1] - _KEEP_S]
        return given

    def finish(self) -> NeckBlock:
        """Return what still waits, at the end of the data."""
        return self._give(self._head.shape[1])

    def _decided(self) -> int:
        """How many head samples have upper-back data after them, or have waited too long for it."""
        t = self._head[0]
        if not len(t):
            return 0
        reached = float(self._back[0, -1]) if self._back.shape[1] else -np.inf
        by_data = int(np.searchsorted(t, reached, side="right"))
        by_patience = int(np.searchsorted(t, float(t[-1]) - self._patience_s, side="left"))
        return max(by_data, by_patience)

    def _give(self, n: int) -> NeckBlock:
        """Combine the first n waiting head samples and drop what is not needed any more."""
        head, self._head = self._head[:, :n], self._head[:, n:]
        back, is_relative = _interpolated(self._back, head[0], self._max_gap_s)
        if n:
            keep = max(int(np.searchsorted(self._back[0], head[0, -1], side="right")) - 1, 0)
            self._back = self._back[:, keep:]
        neck = np.where(is_relative, _difference(head, back), head)
        return NeckBlock(
            AngleBlock.from_columns(neck, self._sensors[0]),
            AngleBlock.from_columns(back, self._sensors[1]),
            is_relative,
        )


def _interpolated(
    back: FloatArray, t_s: FloatArray, max_gap_s: float
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Upper-back rows at the head's times, NaN where no two samples close enough enclose the time."""
    rows = np.full((len(ANGLE_COLUMNS), len(t_s)), np.nan)
    rows[0] = t_s
    if not back.shape[1] or not len(t_s):
        return rows, np.zeros(len(t_s), dtype=bool)
    after = np.minimum(np.searchsorted(back[0], t_s, side="left"), back.shape[1] - 1)
    before = np.maximum(np.searchsorted(back[0], t_s, side="right") - 1, 0)
    span_s = back[0, after] - back[0, before]
    is_enclosed = (back[0, before] <= t_s) & (back[0, after] >= t_s) & (span_s <= max_gap_s)
    share = np.where(span_s > 0, (t_s - back[0, before]) / np.where(span_s > 0, span_s, 1.0), 0.0)
    low, high = back[1:, before], back[1:, after]
    step = high - low
    wrapped = ANGLE_COLUMNS.index("flexion_deg") - 1
    step[wrapped] = _wrap_deg(step[wrapped])
    rows[1:] = np.where(is_enclosed, low + share * step, np.nan)
    return rows, is_enclosed


def _difference(head: FloatArray, back: FloatArray) -> FloatArray:
    """Head minus upper back, row by row; the accelerations stay the head's."""
    neck = head.copy()
    k = {name: i for i, name in enumerate(ANGLE_COLUMNS)}
    for name in ("flexion_deg", "lateral_deg", "rotation_deg"):
        neck[k[name]] = head[k[name]] - back[k[name]]
    neck[k["flexion_deg"]] = _wrap_deg(neck[k["flexion_deg"]])
    head_up, back_up = (up_from_angles_deg(r[k["flexion_deg"]], r[k["lateral_deg"]]) for r in (head, back))
    neck[k["inclination_deg"]] = angle_between_deg(head_up, back_up)
    return neck


def _wrap_deg(angle: FloatArray) -> FloatArray:
    """Into [-180, 180)."""
    return np.mod(angle + 180.0, 360.0) - 180.0


def _rows(block: AngleBlock | None) -> FloatArray:
    """One row per field, times first."""
    if block is None:
        return np.empty((len(ANGLE_COLUMNS), 0))
    return np.stack([getattr(block, name) for name in ANGLE_COLUMNS])
