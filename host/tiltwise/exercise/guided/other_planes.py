"""What the head does beside the movement that is counted: how far it goes in other planes, and whether it is bowed.

Degrees. A calibration that is off, or a sensor that slipped, may take upright for bent back: bowed is then measured
from the most upright pose that was seen, but at most the limit itself further back.
"""

from __future__ import annotations

from tiltwise.exercise.guided.moments import Moment
from tiltwise.exercise.signals import Angle

_COLUMNS = (Angle.FLEXION, Angle.LATERAL, Angle.ROTATION)


class OtherPlanes:
    """Follows one excursion after the other.

    Parameters
    ----------
    angle
        The one that is counted.
    flexed_deg
        The head has to be bowed this far; None: it need not be.
    """

    def __init__(self, angle: Angle, flexed_deg: float | None) -> None:
        self._angle, self._flexed_deg = angle, flexed_deg
        self._upright_deg = 0.0
        self._spans = [(0.0, 0.0)] * 3
        self.is_bowed = flexed_deg is None

    def look(self, moment: Moment) -> None:
        """Take any moment: it may be the most upright one."""
        if self._flexed_deg is not None and moment.flexion_deg < self._upright_deg:
            self._upright_deg = max(moment.flexion_deg, -self._flexed_deg)

    def begin(self, moment: Moment) -> None:
        """Begin with an excursion."""
        self._spans = [(value, value) for value in map(moment.angle_deg, _COLUMNS)]
        self.is_bowed = self._flexed_deg is None
        self.note(moment)

    def note(self, moment: Moment) -> None:
        """Take a moment of the way out."""
        values = map(moment.angle_deg, _COLUMNS)
        self._spans = [
            (min(low, each), max(high, each)) for (low, high), each in zip(self._spans, values, strict=True)
        ]
        if self._flexed_deg is not None and moment.flexion_deg - self._upright_deg >= self._flexed_deg:
            self.is_bowed = True

    def exceed(self, most_deg: float) -> bool:
        """Whether the head went further than this in another plane."""
        pairs = zip(_COLUMNS, self._spans, strict=True)
        return any(high - low > most_deg for angle, (low, high) in pairs if angle is not self._angle)
