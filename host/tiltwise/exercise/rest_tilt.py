"""Tilts of the upper back at rest (s, deg) -> where it rests, and whether it rests elsewhere than before.

Held shoulders are in no signal, but a collar that they lift or push leans with them: who raises and drops them, and
then rests elsewhere, had held them. Breathing tilts a collar by 0.5 to 2 deg, so a rest is the mean of ten seconds,
two breaths or more, and stands once its halves agree and nothing in it was a movement.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import fmean, pstdev

WINDOW_S = 10.0
AGREE_DEG = 1.5  # the means of the halves of a rest: twice what breathing of 1.4 deg leaves of them
MOST_SPREAD_DEG = 2.0  # standard deviation; breathing and loose cloth, 1 deg each, make 1.4 of it
MAX_GAP_S = 0.5
# Collars of 40 simulated wearers that rest as before (seeds 0 to 39) read up to 2.3 deg elsewhere 19 times of 20; how
# they slip is itself an assumption. Other seeds: `tiltwise bench guided`.
DETECTABLE_DEG = 2.5


class RestTilt:
    """Follows one rest, sample by sample."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, t_s: float, tilt_deg: float) -> None:
        """Take a sample; one that is not a number, or a hole before it, begins the rest anew."""
        if (self._samples and t_s - self._samples[-1][0] > MAX_GAP_S) or tilt_deg != tilt_deg:
            self._samples.clear()
        if tilt_deg == tilt_deg:
            self._samples.append((t_s, tilt_deg))
        while self._samples and t_s - self._samples[0][0] > WINDOW_S:
            self._samples.popleft()

    @property
    def deg(self) -> float | None:
        """Where it rests; None as long as it has not rested for the whole window."""
        if not self._samples or self._samples[-1][0] - self._samples[0][0] < WINDOW_S - MAX_GAP_S:
            return None
        middle_s = self._samples[-1][0] - WINDOW_S / 2
        first = [deg for t_s, deg in self._samples if t_s < middle_s]
        second = [deg for t_s, deg in self._samples if t_s >= middle_s]
        if abs(fmean(first) - fmean(second)) >= AGREE_DEG or pstdev(first + second) >= MOST_SPREAD_DEG:
            return None
        return fmean(first + second)


@dataclass(frozen=True, slots=True)
class RestComparison:
    """Where the upper back rested before the shoulders were raised, and after they dropped; deg, forward +.

    None where it did not come to rest, or the sensor was off in between. What differs by less than detectable_deg is
    not to be told from breathing and from cloth that slips.
    """

    before_deg: float | None
    after_deg: float | None
    detectable_deg: float = DETECTABLE_DEG

    @property
    def change_deg(self) -> float | None:
        """How much further forward it rests after than before; None when one of them is not known."""
        if self.before_deg is None or self.after_deg is None:
            return None
        return self.after_deg - self.before_deg

    @property
    def words(self) -> str:
        """The result in a line or two."""
        change = self.change_deg
        if change is None:
            return "Not compared: ten quiet seconds are needed before the raise and after the drop."
        if abs(change) < self.detectable_deg:
            return f"No difference beyond {self.detectable_deg:g} deg, what the sensor can tell (estimated)."
        where = "back" if change < 0 else "forward"
        meaning = "had been forward" if change < 0 else "had been up, or you have sunk a little"
        return (
            f"After the drop your upper back rests {abs(change):.1f} deg further {where} than before: "
            f"the shoulders {meaning} (estimated)."
        )
