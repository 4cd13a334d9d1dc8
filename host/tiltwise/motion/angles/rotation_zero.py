"""Turning about the vertical, one movement at a time: a heading that drifts becomes a rotation that starts at zero.

Six axes have no north, so only the change within a movement means something. The zero follows the heading whenever
the wearer rests near it, and stays where it was while a turn is held. Causal and cut-safe. Degrees and seconds.
Used by AnglesStage (neck_angles.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray

STILL_DEG_S = 5.0  # a resting head trembles at 1 to 3 deg/s
REST_S = 1.0  # a rest this long is a neutral moment, if it is near the zero
NEAR_DEG = 10.0  # people return to straight ahead within about 5 deg, and drift adds a few
NEW_DIRECTION_S = (
    20.0  # a rest this long is the new straight ahead (the chair turned); longer than a held stretch
)


class RotationZero:
    """Streaming rotation within a movement; see the module's first lines for the rule."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again: the next sample is zero."""
        self._zero_deg: float | None = None
        self._still_since_s: float | None = None
        self._is_following = False
        self._is_decided = False

    def process(self, t_s: FloatArray, heading_deg: FloatArray, speed_deg_s: FloatArray) -> FloatArray:
        """Return the rotation (n,) in deg from an unwrapped heading (n,) and a smoothed speed (n,), gap-free."""
        rotation = np.empty_like(heading_deg)
        if not len(t_s):
            return rotation
        if self._zero_deg is None:
            self._zero_deg = float(heading_deg[0])
        is_still = speed_deg_s < STILL_DEG_S
        if not is_still[0]:
            self._leave()
        done = 0
        for start, stop in self._rests(t_s, is_still):
            if start:
                self._leave()
            rotation[done:start] = heading_deg[done:start] - self._zero_deg
            self._rest(t_s[start:stop], heading_deg[start:stop], rotation[start:stop])
            done = stop
        rotation[done:] = heading_deg[done:] - self._zero_deg
        if not is_still[-1]:
            self._leave()
        return rotation

    def _rests(self, t_s: FloatArray, is_still: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Index ranges of still samples that may matter: long enough, or reaching over the ends of the block."""
        edges = np.flatnonzero(is_still[1:] != is_still[:-1]) + 1
        starts, stops = np.r_[0, edges], np.r_[edges, len(t_s)]
        since_s = t_s[starts]
        if is_still[0] and self._still_since_s is not None:
            since_s[0] = self._still_since_s
        matters = is_still[starts] & ((t_s[stops - 1] - since_s >= REST_S) | (stops == len(t_s)))
        return list(zip(starts[matters].tolist(), stops[matters].tolist(), strict=True))

    def _rest(self, t_s: FloatArray, heading_deg: FloatArray, rotation: FloatArray) -> None:
        """Go through one still stretch; write its rotation in place."""
        if self._still_since_s is None:
            self._still_since_s = float(t_s[0])
        assert self._zero_deg is not None
        resting_s = t_s - self._still_since_s
        n, first = len(t_s), 0 if self._is_following else len(t_s)
        if not self._is_decided:
            rested = int(np.searchsorted(resting_s, REST_S))
            if rested < n:
                self._is_decided = True
                self._is_following = abs(float(heading_deg[rested]) - self._zero_deg) <= NEAR_DEG
                first = rested if self._is_following else n
        if not self._is_following:
            first = int(np.searchsorted(resting_s, NEW_DIRECTION_S))
            self._is_following = first < n
        rotation[:first] = heading_deg[:first] - self._zero_deg
        rotation[first:] = 0.0
        if self._is_following:
            self._zero_deg = float(heading_deg[-1])

    def _leave(self) -> None:
        """The rest is over."""
        self._still_since_s = None
        self._is_following = self._is_decided = False
