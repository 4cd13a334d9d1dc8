"""The samples of one IMU in; orientation, finished frames and one-minute summaries out.

Counts go through the fusion as they are: small integers need no memory on a board. A sensor that gave the same sample
again and again is not trusted until its samples change: what it says before that moves nothing and goes nowhere.
"""

from micropython import const

from tiltwise.common import wire
from tiltwise.common.fusion import Fusion

from .. import config
from ..drivers.part import DEG
from .framer import Framer
from .minute_summary import Minute

_SATURATED = const(32767)
_LEAST = const(-32767)
_UP_EVERY = const(5)  # orientations between two looks at "up": about 10 Hz
# Mean over a second of |x| + |y| + |z|: 15 deg/s, above breathing and the bias of a good part.
_MOVING_RAD_S = const(0.26)
_CHANGES = const(10)  # of the samples of a sensor that was stuck, until it is trusted again
_RATE_STEP = const(0.001)  # of the measured rate, before the fusion is told


class SamplePath:
    """What happens to each sample of sensor `index`. `log(code, value, sensor)` takes events.

    `rate_hz()` returns the measured rate; `on_trusted()` is called when a sensor that was stuck is trusted again.
    """

    def __init__(self, index, frames, log, rate_hz, on_trusted):
        self.fusion = None
        self.framer = Framer(frames, index, config.SAMPLES_PER_FRAME)
        self.minute = Minute(frames, index)
        self.samples = 0  # taken since boot, lost ones included: the index of the next sample
        self.saturated = 0
        self.taps = None  # a DoubleTap while somebody wants to know of taps
        self.same = 0  # samples in a row whose six counts add up to the same
        self.stuck_in_a_row = 0  # times that the sensor had to be restarted for that
        self._index = index
        self._log = log
        self._rate_hz = rate_hz
        self._on_trusted = on_trusted
        self._gyr_rad_s_per_count = 1.0
        self._total = 0  # of the six counts of the last sample
        self._untrusted_samples = 0  # that still have to change before any counts
        self._until_up = _UP_EVERY
        self._up = [0, 0, 0]
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0

    @property
    def is_trusted(self):
        """Tell whether samples count: a sensor that was stuck has to change first."""
        return not self._untrusted_samples

    def start(self, driver, merge):
        """Begin with a part whose `merge` samples make one of ours."""
        self._gyr_rad_s_per_count = driver.gyr_rad_s_per_count
        self.fusion = Fusion(
            driver.rate_hz / merge,
            driver.gyr_rad_s_per_count,
            driver.acc_m_s2_per_count,
            2,
            driver.zero_rate_dps * DEG,
        )
        self.framer.describe(driver.nominal_hz // merge, driver.acc_m_s2_per_count)

    def begin_minute(self, now):
        """Start a minute here."""
        self.minute.begin(now, self.samples >> 1)

    def skip(self, samples):
        """Jump over samples that were lost."""
        self.framer.flag_next(wire.FLAG_DISCONTINUITY)
        self.samples += samples
        self.fusion.doubt()

    def distrust(self):
        """Take no sample for good until enough of them have changed."""
        self.stuck_in_a_row += 1
        self._untrusted_samples = _CHANGES
        self.same = 0

    def take(self, counts, k, t):
        """Use the sample at position k of the counts, taken at t."""
        framer = self.framer
        fusion = self.fusion
        gx, gy, gz = counts[k], counts[k + 1], counts[k + 2]
        ax, ay, az = counts[k + 3], counts[k + 4], counts[k + 5]
        # Motion, counts that do not change at all, counts at the end of the range. A call of abs is slow on a board.
        motion = (gx if gx > 0 else -gx) + (gy if gy > 0 else -gy) + (gz if gz > 0 else -gz)
        self._second_motion += motion
        self._second_samples += 1
        total = gx + gy + gz + ax + ay + az
        if total == self._total:
            self.same += 1
        else:
            self._total = total
            self.same = 0
        if not (
            motion < _SATURATED
            and _LEAST < ax < _SATURATED
            and _LEAST < ay < _SATURATED
            and _LEAST < az < _SATURATED
        ):
            self._count_saturated(counts, k)
        if self._untrusted_samples:
            self._prove()
            return
        fusion.update(gx, gy, gz, ax, ay, az)
        if self.taps is not None:
            self.taps.sample(ax, ay, az)
        if framer.frame_type == wire.RAW:
            framer.add_raw(self.samples, t, counts, k)
        if fusion.is_current:
            if framer.frame_type == wire.ORIENT:
                framer.add_orient(self.samples >> 1, t, fusion.fixed, ax, ay, az)
            self._until_up -= 1
            if self._until_up <= 0:
                self._until_up = _UP_EVERY
                self._look_up(t)
        self.samples += 1

    def _prove(self):
        """Pass over a sample of a sensor that was stuck; after enough of them that changed, trust it."""
        self.samples += 1
        self._begin_second()
        if self.same == 0:
            self._untrusted_samples -= 1
            if not self._untrusted_samples:
                self.fusion.doubt()
                self._on_trusted()

    def _count_saturated(self, counts, k):
        """Look whether it is so: the sum of the rates says little."""
        if any(abs(counts[i]) >= _SATURATED for i in range(k, k + 6)):
            self._second_saturated += 1

    def _look_up(self, t):
        """Do what needs doing ten times a second, once a second and once a minute."""
        self.fusion.up_counts_into(self._up)
        self.minute.add_up(t, self._up)
        if self._second_samples >= self.fusion.rate_hz:
            self._end_second()
        if t - self.minute.started_at >= config.MINUTE_MS * 10:
            self.minute.end(t, self.samples >> 1, self.framer.rate_codes[wire.ORIENT])

    def _end_second(self):
        limit = _MOVING_RAD_S / self._gyr_rad_s_per_count * self._second_samples
        self.minute.add_second(self._second_samples, self._second_motion > limit)
        if self._second_saturated:
            self.saturated += self._second_saturated
            self._log(wire.EVENT_SATURATED, self._second_saturated, self._index)
        if self.same == 0:
            self.stuck_in_a_row = 0
        rate_hz = self._rate_hz()
        if abs(rate_hz - self.fusion.rate_hz) > _RATE_STEP * rate_hz:
            self.fusion.set_rate(rate_hz)  # parts without a trim register are off by a percent and more
        self._begin_second()

    def _begin_second(self):
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0
