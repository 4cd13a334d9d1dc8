"""Away from neutral and back: the excursions in a short trace of tilt, with hysteresis. Degrees and seconds.

Used by alignment.py to count nods and by guided_calibration.py to count them live; the repetition counter of
exercises is exercise/rep_counter.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiltwise.types import FloatArray

BACK_SHARE = 0.4  # of its peak: people seldom come back exactly between two nods
RISE_SHARE = 0.75  # of out_deg, above the lowest point since: the rest of a way back is not a new excursion


@dataclass(frozen=True, slots=True)
class Excursion:
    """One movement away from neutral and back; sign +1 or -1, peak_deg positive."""

    sign: int
    start_s: float
    end_s: float
    peak_deg: float

    def flipped(self) -> Excursion:
        """The same seen about the opposite axis."""
        return replace(self, sign=-self.sign)


class ExcursionCounter:
    """Streaming: out beyond out_deg, over when back under 40 % of the peak; the next has to rise again."""

    def __init__(self, out_deg: float) -> None:
        self._out_deg = out_deg
        self._sign = 0
        self._last_sign = 1
        self._lowest_deg = 0.0
        self._start_s = 0.0
        self._peak_deg = 0.0

    @property
    def is_out(self) -> bool:
        """Whether an excursion is going on."""
        return self._sign != 0

    def step(self, t_s: float, angle_deg: float) -> Excursion | None:
        """Take one sample; return the excursion that it completes."""
        if self._sign == 0:
            self._lowest_deg = max(0.0, min(self._lowest_deg, angle_deg * self._last_sign))
            rise_deg = abs(angle_deg) - (self._lowest_deg if angle_deg * self._last_sign > 0 else 0.0)
            if abs(angle_deg) >= self._out_deg and rise_deg >= RISE_SHARE * self._out_deg:
                self._sign, self._start_s, self._peak_deg = (1 if angle_deg > 0 else -1), t_s, abs(angle_deg)
            return None
        along_deg = angle_deg * self._sign
        self._peak_deg = max(self._peak_deg, along_deg)
        if along_deg >= BACK_SHARE * self._peak_deg:
            return None
        done = Excursion(self._sign, self._start_s, t_s, self._peak_deg)
        self._last_sign, self._lowest_deg, self._sign = self._sign, max(0.0, along_deg), 0
        return done


def find_excursions(t_s: FloatArray, angle_deg: FloatArray, out_deg: float) -> tuple[Excursion, ...]:
    """Return the completed excursions of a short trace, angle_deg (n,) at t_s (n,)."""
    counter = ExcursionCounter(out_deg)
    steps = (counter.step(t, a) for t, a in zip(t_s.tolist(), angle_deg.tolist(), strict=True))
    return tuple(e for e in steps if e is not None)
