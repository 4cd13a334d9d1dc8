"""One IMU: drains its FIFO, runs the fusion, fills frames; survives a sensor that goes away and comes back.

Before it: drivers/. After it: framer.py, minute.py and the events that `log` takes. Runs every config.POLL_MS.
A hole in the samples is never hidden: the sample index jumps by the number lost, the frame that follows carries
FLAG_DISCONTINUITY, and the fusion doubts its tilt, but keeps what it learnt about the bias.
"""

from array import array

from tiltwise.common import wire
from tiltwise.common.fusion import Fusion

from . import config, drivers
from .framer import RATE_CODES, Framer
from .minute import Minute
from .timebase import Timebase

_SATURATED = 32767
_UP_EVERY = 10  # samples between two looks at "up": about 10 Hz
_MOVING_RAD_S = (
    0.26  # mean over a second of |x| + |y| + |z|: 15 deg/s, above breathing and the bias of a good part
)


class Sampler:
    """Sensor number `index` at one bus address. `log(code, value, sensor)` takes events."""

    def __init__(self, index, bus, address, time, outbox, log):
        self.index = index
        self.address = address
        self.driver = None
        self.fusion = None
        self.timebase = Timebase()
        self.framer = Framer(outbox, index, config.SAMPLES_PER_FRAME)
        self.minute = Minute(outbox, index)
        self.samples = 0  # taken since boot, lost ones included: the index of the next sample
        self.problem = None  # the last OSError, for people at the REPL
        self.taps = None  # an object with sample(ax, ay, az), when somebody wants to know of taps
        self.faults = 0
        self.overflows = 0
        self.saturated = 0
        self._bus = bus
        self._time = time
        self._log = log
        self._counts = array("h", [0] * (6 * 17))
        self._owed = 0  # samples that the timebase knows of and that were not read yet
        self._faults_in_a_row = 0
        self._lost_at = None  # when the sensor was given up
        self._is_asleep = False  # slept, and has to be configured anew
        self._retry_at = 0
        self._fresh_at = 0  # when samples last came
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0

    @property
    def is_lost(self):
        """Tell whether there is no sensor to read."""
        return self.fusion is None or self._lost_at is not None or self._is_asleep

    def poll(self):
        """Read what is there; never raises."""
        now = self._time.now()
        try:
            if not self.is_lost:
                self._drain(now)
                self._faults_in_a_row = 0
            elif now >= self._retry_at:
                self._bring_up(now)
        except OSError as problem:
            self.problem = problem
            self._fault(now)

    def select(self, frame_type, samples_per_frame):
        """From now on send this."""
        self.framer.select(frame_type, samples_per_frame)

    def temperature_cdeg(self):
        """Return the temperature in 0.01 degC, 0 while the sensor does not answer."""
        try:
            return 0 if self.is_lost else self.driver.temperature_cdeg()
        except OSError:
            self._fault(self._time.now())
            return 0

    def sleep(self):
        """Let the sensor wait for motion, at low power; the caller polls no more until `wake`."""
        try:
            if not self.is_lost:
                self.driver.wake_on_motion()
        except OSError as problem:
            self.problem = problem
            self._fault(self._time.now())

    def has_moved(self):
        """Tell whether a sleeping sensor was moved since the last call; a bus that fails says no."""
        try:
            return not self.is_lost and self.driver.has_moved()
        except OSError as problem:
            self.problem = problem
            self._fault(self._time.now())
            return False

    def wake(self):
        """Sample again from the next poll on; the index jumps over the time slept."""
        self.framer.flag_next(wire.FLAG_DISCONTINUITY)
        self._is_asleep = True
        self._retry_at = 0

    # ---- faults ----

    def _fault(self, now):
        """Count a bus error; after some in a row the sensor is lost."""
        self.faults += 1
        self._faults_in_a_row += 1
        if self.is_lost:
            self._retry_at = now + config.RETRY_MS * 10
            if self._lost_at is None:  # it was not there at boot
                self._give_up(now)
        elif self._faults_in_a_row >= config.FAULTS_IN_A_ROW:
            self._give_up(now)

    def _give_up(self, now):
        self._lost_at = now
        self._retry_at = now + config.RETRY_MS * 10
        self.framer.flag_next(wire.FLAG_DISCONTINUITY | wire.FLAG_SENSOR_FAULT)
        self._log(wire.EVENT_BUS_FAULT, self.faults, self.index)

    def _bring_up(self, now):
        """Find and configure the sensor, for the first time or again."""
        if self.driver is None:
            self.driver = drivers.find(self._bus, self.address, config.GYR_RANGE_DPS, config.ACC_RANGE_G)
        self.driver.configure()
        now = self._time.now()
        if self.fusion is None:
            driver = self.driver
            # Counts go in as they are: small integers need no memory on a board, floats do.
            self.fusion = Fusion(driver.rate_hz, driver.gyr_rad_s_per_count, driver.acc_m_s2_per_count)
            self.framer.set_acc_scale(driver.acc_m_s2_per_count)
            self.timebase.start(now, self.driver.rate_hz)
            self.minute.begin(now, 0)
        if self._lost_at is not None:
            self._log(wire.EVENT_BUS_OK, (now - self._lost_at) // 10, self.index)
            self._lost_at = None
        self._is_asleep = False
        self._owed = 0
        self._faults_in_a_row = 0
        self._fresh_at = now

    # ---- samples ----

    def _drain(self, now):
        waiting = self.driver.waiting()
        fresh = waiting - self._owed
        if fresh <= 0:
            if now - self._fresh_at > config.STALL_MS * 10:
                self._stalled(now)
            return
        self._fresh_at = now
        lost = self.timebase.observe(now, fresh, self.driver.overflowed)
        self._owed = waiting
        if lost or self.driver.overflowed:
            self._hole(lost)
        while self._owed:
            n = min(self._owed, self.driver.burst)
            done = self.driver.read_fifo(self._counts, n)
            self._owed -= n
            self._process(done)
            if done < n:
                self._skip(n - done)

    def _stalled(self, now):
        """Act on a sensor that answers but does not sample: it lost its power, or its bus lines are stuck."""
        self.faults += 1
        self._give_up(now)

    def _hole(self, lost):
        """Account for samples that were lost before the ones about to be read."""
        if self.driver.overflowed:
            self.driver.overflowed = False
            self.overflows += 1
            self._log(wire.EVENT_FIFO_OVERFLOW, lost, self.index)
        if lost:
            self._skip(lost)

    def _skip(self, lost):
        """Jump over lost samples."""
        self.framer.flag_next(wire.FLAG_DISCONTINUITY)
        self.samples += lost
        self.fusion.doubt()

    def _process(self, n):
        """Take n samples from the counts."""
        counts = self._counts
        framer = self.framer
        is_raw = framer.frame_type == wire.RAW
        update = self.fusion.update
        q = self.fusion.q
        taps = self.taps
        for k in range(0, 6 * n, 6):
            gx, gy, gz = counts[k], counts[k + 1], counts[k + 2]
            ax, ay, az = counts[k + 3], counts[k + 4], counts[k + 5]
            self._watch(gx, gy, gz, ax, ay, az)
            update(gx, gy, gz, ax, ay, az)
            if taps is not None:
                taps.sample(ax, ay, az)
            t = self.timebase.next()
            if is_raw:
                framer.add_raw(self.samples, t, counts, k)
            elif not self.samples & 1:
                framer.add_orient(self.samples >> 1, t, q, ax, ay, az)
            if self.samples % _UP_EVERY == 0:
                self._slow(t, q)
            self.samples += 1

    def _watch(self, gx, gy, gz, ax, ay, az):
        """Look for motion and for counts at the end of the range."""
        motion = abs(gx) + abs(gy) + abs(gz)
        self._second_motion += motion
        self._second_samples += 1
        # The two sums spare the six comparisons of almost every sample.
        if motion < _SATURATED and abs(ax) + abs(ay) + abs(az) < _SATURATED:
            return
        if max(abs(gx), abs(gy), abs(gz), abs(ax), abs(ay), abs(az)) >= _SATURATED:
            self._second_saturated += 1

    def _slow(self, t, q):
        """Do what needs doing ten times a second, once a second and once a minute."""
        self.minute.add_up(t, q)
        if self._second_samples >= self.driver.rate_hz:
            self._end_second()
        if t - self.minute.started_at >= config.MINUTE_MS * 10:
            self.minute.end(t, self.samples >> 1, RATE_CODES[wire.ORIENT])

    def _end_second(self):
        limit = _MOVING_RAD_S / self.driver.gyr_rad_s_per_count * self._second_samples
        self.minute.add_second(self._second_samples, self._second_motion > limit)
        if self._second_saturated:
            self.saturated += self._second_saturated
            self._log(wire.EVENT_SATURATED, self._second_saturated, self.index)
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0
