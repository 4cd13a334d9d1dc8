"""What the head does beside the movement that is counted: how far it goes in other planes, and whether it is bowed.

Degrees. A calibration that is off, or a sensor that slipped, may take upright for bent back: bowed is then measured
from the most upright pose that was seen, but at most the limit itself further back.
"""

from __future__ import annotations

from math import log

from tiltwise.exercise.guided.moments import Moment
from tiltwise.exercise.signals import Angle

_COLUMNS = (Angle.FLEXION, Angle.LATERAL, Angle.ROTATION)
_WELL_OUT = 0.3  # of the peak: what the head did nearer to the middle was before the movement


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
        # Of the angles of _COLUMNS, by how far out it was.
        self._spans: dict[int, list[tuple[float, float]]] = {}
        self.is_bowed = flexed_deg is None

    def look(self, moment: Moment) -> None:
        """Take any moment: it may be the most upright one."""
        if self._flexed_deg is not None and moment.flexion_deg < self._upright_deg:
            self._upright_deg = max(moment.flexion_deg, -self._flexed_deg)

    def begin(self, moment: Moment, out_deg: float) -> None:
        """Begin with an excursion."""
        self._spans = {}
        self.is_bowed = self._flexed_deg is None
        self.note(moment, out_deg)

    def note(self, moment: Moment, out_deg: float) -> None:
        """Take a moment of the way out, on which it is so far out."""
        values = [moment.angle_deg(column) for column in _COLUMNS]
        spans = self._spans.setdefault(_step(out_deg), [(value, value) for value in values])
        for k, value in enumerate(values):
            low, high = spans[k]
            spans[k] = (value if value < low else low, value if value > high else high)
        if self._flexed_deg is not None and moment.flexion_deg - self._upright_deg >= self._flexed_deg:
            self.is_bowed = True

    def exceed(self, most_deg: float, peak_deg: float) -> bool:
        """Whether the head went further than this in another plane, once it was well on its way to its peak."""
        far = [spans for step, spans in self._spans.items() if step >= _step(_WELL_OUT * peak_deg)]
        columns = zip(_COLUMNS, zip(*far, strict=True), strict=False)
        return any(
            max(high for _, high in of) - min(low for low, _ in of) > most_deg
            for angle, of in columns
            if angle is not self._angle
        )


def _step(out_deg: float) -> int:
    """The rung of a ladder with steps of a quarter on which so far out is."""
    return round(log(max(out_deg, 0.1)) / log(1.25))
