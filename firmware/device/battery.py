"""Battery: millivolts of one lithium cell in, percent out, smoothed and without flicker.

The curve is that of a LiPo at a light load; it is flat in the middle, where 10 mV are 3 %, so the percentage is an
estimate of +-10 points at best.
"""

from micropython import const

# (mV, percent), falling. From the usual discharge curve of a lithium-polymer cell at 0.2 C and room temperature.
CURVE = (
    (4180, 100),
    (4060, 90),
    (3980, 80),
    (3920, 70),
    (3870, 60),
    (3820, 50),
    (3790, 40),
    (3770, 30),
    (3740, 20),
    (3680, 10),
    (3450, 5),
    (3300, 0),
)
UNKNOWN = const(255)
LEAST_MV = const(2000)  # less is no battery, or no divider
MOST_MV = const(4500)
LOW_PERCENT = const(15)
LOW_UNTIL_PERCENT = const(20)
EMPTY_MV = const(3350)  # smoothed; below it the regulator of most boards drops out
_SMOOTH_ONE_IN = const(8)
_RISES_BY = const(5)  # points: without a charger the shown percentage rises only by more than this


def percent_of(mv):
    """Return what the curve says, 0 to 100."""
    above_mv, above = CURVE[0]
    if mv >= above_mv:
        return 100
    for below_mv, below in CURVE[1:]:
        if mv >= below_mv:
            return below + (above - below) * (mv - below_mv) // (above_mv - below_mv)
        above_mv, above = below_mv, below
    return 0


class Battery:
    """Follows one cell; `mv` 0 and `percent` 255 while it is not known."""

    def __init__(self):
        self._mv16 = 0  # sixteenths, so that small differences are not lost
        self.mv = 0
        self.percent = UNKNOWN
        self.is_low = False

    @property
    def is_empty(self):
        """Tell whether the board should sleep before the voltage collapses."""
        return 0 < self.mv < EMPTY_MV

    def step(self, mv, is_charging):
        """Take a measurement; one outside of what a cell can have is left out."""
        if not LEAST_MV <= mv <= MOST_MV:
            return
        if self._mv16 == 0:
            self._mv16 = 16 * mv
        else:
            self._mv16 += (16 * mv - self._mv16) // _SMOOTH_ONE_IN
        self.mv = self._mv16 >> 4
        percent = percent_of(self.mv)
        is_first = self.percent == UNKNOWN
        if is_first or percent < self.percent or is_charging or percent > self.percent + _RISES_BY:
            self.percent = percent
        if self.percent <= LOW_PERCENT:
            self.is_low = not is_charging
        elif self.percent >= LOW_UNTIL_PERCENT or is_charging:
            self.is_low = False
