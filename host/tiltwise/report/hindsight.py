"""Activity codes as they are known half a minute later: times in s, angles in deg, codes in and better codes out.

That somebody walks, lies or has taken the sensor off is known some seconds after it began, and until then a table or
a pillow would count as a posture. Samples wait here until nothing can be learnt about them any more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiltwise.common.rule import BEYOND_ANATOMY_DEG
from tiltwise.types import ACTIVITIES, Activity, ActivityChanged, FloatArray

# Lying is known 10 s late. Not worn is known 17 s after a sensor lies still; its way to the table takes some seconds
# before that, and its orientation some to settle there.
HOLD_S = 30.0
_SAME_TILT_DEG = 1.5
CodeArray = NDArray[np.int8]
_CODE = {activity: code for code, activity in enumerate(ACTIVITIES)}
_NOT_WORN = _CODE[Activity.NOT_WORN]
_POSTURE = (_CODE[Activity.STILL], _CODE[Activity.MOVING])
_AWAY = (Activity.LYING, Activity.NOT_WORN)


class Hindsight:
    """Holds samples back for HOLD_S and corrects their activity; where the data was cut does not matter.

    Corrected are the seconds from the beginning of walking, lying or not being worn until it was known, and the way
    of a sensor from a neck to a table or back, where its angle was beyond anatomy.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._columns: FloatArray = np.empty((0, 0))
        self._code: CodeArray = np.empty(0, np.int8)
        self._inclination_deg: FloatArray = np.empty(0)
        self._ahead: list[ActivityChanged] = []  # of samples that have not come yet
        self._back_s = -np.inf  # since when the sensor is worn upright again
        self._is_away = False

    def process(
        self,
        columns: FloatArray,
        code: CodeArray,
        inclination_deg: FloatArray,
        changes: Sequence[ActivityChanged] = (),
    ) -> tuple[FloatArray, CodeArray]:
        """Take samples, and return those about which all is known now.

        Parameters
        ----------
        columns
            (k, n): times in s in the first row, not decreasing; the others are handed on.
        code
            (n,) index into ACTIVITIES, as known at the time.
        inclination_deg
            (n,) deg, NaN where unknown.
        changes
            What the activity detector said, times on the same axis; it may be ahead of the samples.
        """
        self._columns = np.concatenate((self._columns.reshape(len(columns), -1), columns), axis=1)
        self._code = np.concatenate((self._code, code.astype(np.int8)))
        self._inclination_deg = np.concatenate((self._inclination_deg, inclination_deg))
        t_s = self._columns[0]
        self._ahead = sorted([*self._ahead, *changes], key=lambda change: change.t_s)
        while len(t_s) and self._ahead and self._ahead[0].t_s <= t_s[-1]:
            self._learn(self._ahead.pop(0))
        self._put_on(np.inf)
        return self._release(int(np.searchsorted(t_s, t_s[-1] - HOLD_S)) if len(t_s) else 0)

    def finish(self) -> tuple[FloatArray, CodeArray]:
        """Return the samples that still wait, (k, m) and (m,), and forget everything."""
        for change in self._ahead:
            self._learn(change)
        rest = self._columns, self._code
        self.reset()
        return rest

    def _release(self, n: int) -> tuple[FloatArray, CodeArray]:
        settled = self._columns[:, :n], self._code[:n]
        self._columns, self._code = self._columns[:, n:], self._code[n:]
        self._inclination_deg = self._inclination_deg[n:]
        return settled

    def _learn(self, change: ActivityChanged) -> None:
        """Let what is known since t_s count since it began."""
        t_s = self._columns[0]
        end = int(np.searchsorted(t_s, change.t_s))
        is_away = change.activity in _AWAY
        self._put_on(change.t_s)
        if change.since_s is not None:
            start = int(np.searchsorted(t_s, max(change.since_s, change.t_s - HOLD_S)))
            if change.activity is Activity.NOT_WORN:
                start = self._laid_down(int(np.searchsorted(t_s, change.t_s - HOLD_S)), start, end)
            self._recode(start, end, _CODE[change.activity], change.activity is Activity.NOT_WORN)
        if is_away:
            first = int(np.searchsorted(t_s, change.t_s - HOLD_S))
            beyond = np.flatnonzero(self._is_beyond(first, end) & np.isin(self._code[first:end], _POSTURE))
            if len(beyond):
                self._recode(first + int(beyond[0]), end, _NOT_WORN, False)
        self._back_s = change.t_s if self._is_away and not is_away else self._back_s
        self._is_away = is_away

    def _put_on(self, until_s: float) -> None:
        """Until the last angle beyond anatomy after it was put on, a sensor was still on its way."""
        t_s = self._columns[0]
        first, last = np.searchsorted(t_s, (self._back_s, min(self._back_s + HOLD_S, until_s)))
        beyond = np.flatnonzero(self._is_beyond(first, last))
        if len(beyond):
            self._recode(int(first), int(first + beyond[-1]) + 1, _NOT_WORN, False)

    def _laid_down(self, first: int, start: int, end: int) -> int:
        """Return since when, from `first` on, it had the tilt in which it lay still in [start, end).

        An orientation takes some seconds to settle after a sensor was put on a table.
        """
        if start >= end:
            return start
        away = np.abs(self._inclination_deg[first:start] - np.median(self._inclination_deg[start:end]))
        moved = np.flatnonzero(~(away < _SAME_TILT_DEG))
        return first + int(moved[-1]) + 1 if len(moved) else first

    def _is_beyond(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which of the samples [first, last) have an angle beyond anatomy; an unknown one has not."""
        return np.abs(np.nan_to_num(self._inclination_deg[first:last])) > BEYOND_ANATOMY_DEG

    def _recode(self, start: int, end: int, code: int, is_certain: bool) -> None:
        """Give samples [start, end) another activity: those of a posture, or all of them."""
        part = self._code[start:end]
        part[np.isin(part, _POSTURE) | is_certain] = code


def known_later(
    t_s: FloatArray, code: CodeArray, inclination_deg: FloatArray, changes: Sequence[ActivityChanged]
) -> CodeArray:
    """Return the corrected codes (n,) of a whole recording: t_s (n,) s, inclination_deg (n,) deg as in Hindsight."""
    hindsight = Hindsight()
    settled = hindsight.process(t_s[None], code, inclination_deg, changes)[1]
    return np.concatenate((settled, hindsight.finish()[1]))
