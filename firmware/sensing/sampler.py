"""One IMU: drains its FIFO, runs the fusion, fills frames; survives a sensor that goes away and comes back.

Runs every config.POLL_MS. A part that samples at 200 Hz is averaged in pairs, so that all that follows runs at
about 104 Hz. A hole in the samples is never hidden: the sample index jumps by the number lost, the frame that
follows carries FLAG_DISCONTINUITY, and the fusion doubts its tilt, but keeps what it learnt about the bias. A
sensor that was started anew because it gave the same sample again and again stays lost until its samples change:
what it says before that moves nothing and goes nowhere.
"""

from array import array

from micropython import const

from tiltwise.common import wire
from tiltwise.common.fusion import Fusion

from .. import config, drivers
from ..drivers.part import DEG
from .framer import Framer
from .minute_summary import Minute
from .timebase import Timebase

_SATURATED = const(32767)
_UP_EVERY = const(5)  # orientations between two looks at "up": about 10 Hz
_MOVING_RAD_S = const(
    0.26  # mean over a second of |x| + |y| + |z|: 15 deg/s, above breathing and the bias of a good part
)
_CHANGES = const(10)  # of the samples of a sensor that was stuck, until it is trusted again
_RATE_STEP = const(0.001)  # of the measured rate, before the fusion is told


class Sampler:
    """Sensor number `index`. `log(code, value, sensor)` takes events.

    `address` is one address, or a sequence of those where the sensor may turn up.
    """

    def __init__(self, index, bus, address, time, frames, log):
        self.index = index
        self._addresses = (address,) if isinstance(address, int) else tuple(address)
        self.address = self._addresses[0]
        self.driver = None
        self.fusion = None
        self.timebase = Timebase()
        self.framer = Framer(frames, index, config.SAMPLES_PER_FRAME)
        self.minute = Minute(frames, index)
        self.samples = 0  # taken since boot, lost ones included: the index of the next sample
        self.problem = None  # the last OSError, for people at the REPL
        self.faults = 0
        self.overflows = 0
        self.saturated = 0
        self.restarts = 0  # because it gave the same sample again and again
        self.is_stuck = False  # given up for that reason, and not back yet
        self.is_new = False  # a part was found that INFO does not know yet; whoever tells clears it
        self.taps = None  # an object with sample(ax, ay, az), when somebody wants to know of taps
        self._bus = bus
        self._time = time
        self._log = log
        self._counts = array("h", [0] * (6 * 17))
        self._merge = 1  # samples of the part that make one of ours
        self._half = array("h", [0] * 6)  # the first of a pair, and its time
        self._half_t = 0
        self._has_half = False
        self._unread = 0  # samples that the timebase knows of and that were not read yet
        self._is_up = False  # configured and sampling
        self._is_asleep = False
        self._steps = None  # what is left of the configuration
        self._faults_in_a_row = 0
        self._lost_at = None  # when the sensor was given up, until it is trusted again
        self._retry_at = 0
        self._fresh_at = 0  # when samples last came
        self._is_emptied = False
        self._total = 0  # of the six counts of the last sample
        self._same = 0  # samples in a row with that total
        self._stuck = 0  # times in a row that it had to be started anew for that
        self._untrusted_samples = 0  # samples that still have to change before any counts
        self._until_up = _UP_EVERY
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0

    @property
    def is_lost(self):
        """Tell whether there is no sensor to read."""
        return self.fusion is None or self._lost_at is not None

    @property
    def rate_codes(self):
        """Codes of the nominal rate by frame type, as wire.RATES_HZ numbers them."""
        return self.framer.rate_codes

    def set_sticky_flags(self, flags):
        """Set these flags on every frame that has a sample from now on, until others are set."""
        self.framer.set_sticky_flags(flags)

    def rate_hz(self):
        """Return the measured rate of the samples, after averaging."""
        return 1e4 / (self.timebase.period * self._merge)

    def poll(self):
        """Read what is there; never raises."""
        if self._is_asleep:
            return
        now = self._time.now()
        try:
            if self._is_up:
                self._drain(now)
                self._faults_in_a_row = 0
            elif now >= self._retry_at:
                self._bring_up(now)
        except OSError as problem:
            self._fault(now, problem)

    def select(self, frame_type, samples_per_frame):
        """From now on send this."""
        self.framer.select(frame_type, samples_per_frame)

    def temperature_cdeg(self):
        """Return the temperature in 0.01 degC, 0 while the sensor does not answer."""
        try:
            return self.driver.temperature_cdeg() if self._is_up else 0
        except OSError as problem:
            self._fault(self._time.now(), problem)
            return 0

    def self_test(self):
        """Return whether accelerometer and gyroscope are fine, None without a sensor; it takes up to two seconds."""
        if not self._is_up:
            return None
        try:
            return self.driver.self_test()
        except OSError as problem:
            self._fault(self._time.now(), problem)
            return None
        finally:
            self._start_anew()

    # ---- sleep ----

    def sleep(self):
        """Let the sensor wait for motion, at low power, until `wake`."""
        self.framer.close()
        try:
            if self._is_up:
                self.driver.wake_on_motion()
        except OSError as problem:
            self._fault(self._time.now(), problem)
        self._is_asleep = True

    def has_moved(self):
        """Tell whether a sleeping sensor was moved since the last call; a bus that fails says no."""
        try:
            return self._is_asleep and not self.is_lost and self.driver.has_moved()
        except OSError as problem:
            self._fault(self._time.now(), problem)
            return False

    def wake(self):
        """Sample again from the next poll on; the index jumps over the time slept."""
        self._is_asleep = False
        self._start_anew()

    def _start_anew(self):
        self.framer.flag_next(wire.FLAG_DISCONTINUITY)
        self._is_up = False
        self._steps = None
        if self._lost_at is None:
            self._retry_at = 0

    # ---- faults ----

    def _fault(self, now, problem):
        """Count a bus error; after some in a row the sensor is lost."""
        if self.driver is not None or not isinstance(self.problem, drivers.UnknownPartError):
            self.problem = problem  # a foreign part says more than the places where nothing is
        self.faults += 1
        self._faults_in_a_row += 1
        if not self._is_up:
            self._steps = None
            self._retry_at = now + config.RETRY_MS * 10
        if self._lost_at is not None and not self._is_up:
            return  # given up already
        if self.fusion is None or self._faults_in_a_row >= config.FAULTS_IN_A_ROW:
            self._give_up(now, wire.EVENT_BUS_FAULT, self.faults, config.RETRY_MS)

    def _give_up(self, now, code, value, retry_ms):
        """Say why, and try to bring the sensor back later."""
        if self._lost_at is None:
            self._lost_at = now
        self.is_stuck = code == wire.EVENT_STUCK
        self._is_up = False
        self._steps = None
        self._retry_at = now + retry_ms * 10
        self.framer.flag_next(wire.FLAG_DISCONTINUITY | wire.FLAG_SENSOR_FAULT)
        self._log(code, value, self.index)

    def _bring_up(self, now):
        """Find and configure the sensor, for the first time or again; what needs a wait goes on in a later poll."""
        if self._steps is None:
            self._find()
            self._steps = iter(self.driver.steps())
        for ms in self._steps:
            self._retry_at = now + ms * 10
            return
        self._steps = None
        now = self._time.now()
        driver = self.driver
        if self.fusion is None:
            self._make_fusion(driver)
            self.timebase.start(now, driver.rate_hz, driver.knows_rate)
            self.minute.begin(now, self.samples >> 1)
        if not self._untrusted_samples:
            self._is_back(now)
        self._is_up = True
        self._has_half = False
        self._unread = 0
        self._faults_in_a_row = 0
        self._fresh_at = now

    def _is_back(self, now):
        """Trust the sensor, and tell if it was lost."""
        self.is_stuck = False
        if self._lost_at is not None:
            self._log(wire.EVENT_BUS_OK, (now - self._lost_at) // 10, self.index)
            self._lost_at = None

    def _find(self):
        """Look for the sensor; another part than before takes its place."""
        self._addresses = self._addresses[1:] + self._addresses[:1]
        address = self._addresses[-1]
        driver = drivers.find(
            self._bus,
            address,
            self._time.clock,
            config.GYR_RANGE_DPS,
            config.ACC_RANGE_G,
            config.RATE_HZ,
        )
        self._addresses = (address,)  # from now on it is expected where it was found
        self.address = address
        if self.driver is not None and driver.name == self.driver.name:
            return
        self.driver = driver
        self.fusion = None
        if driver.warning:
            print("tiltwise:", driver.warning)
            self._log(wire.EVENT_POOR_SENSOR, driver.who, self.index)

    def _make_fusion(self, driver):
        self._merge = 2 if driver.nominal_hz > 150 else 1
        self.is_new = True
        # Counts go in as they are: small integers need no memory on a board, floats do.
        self.fusion = Fusion(
            driver.rate_hz / self._merge,
            driver.gyr_rad_s_per_count,
            driver.acc_m_s2_per_count,
            2,
            driver.zero_rate_dps * DEG,
        )
        self.framer.describe(driver.nominal_hz // self._merge, driver.acc_m_s2_per_count)

    # ---- samples ----

    def _drain(self, now):
        driver = self.driver
        waiting = driver.waiting()
        fresh = waiting - self._unread
        if fresh <= 0:
            if driver.overflowed and not self._is_emptied:
                self._is_emptied = True  # the driver threw all away: the next samples are yet to come
                self._fresh_at = now
            if now - self._fresh_at > config.STALL_MS * 10:
                self._stalled(now)
            return
        self._is_emptied = False
        self._fresh_at = now
        lost = self.timebase.observe(now, fresh, driver.overflowed)
        self._unread = waiting
        if lost or driver.overflowed:
            self._hole(lost)
        while self._unread and self._is_up:
            n = min(self._unread, driver.burst)
            done = driver.read_fifo(self._counts, n)
            self._unread -= n
            self._process(done)
            if done < n:
                self._skip(n - done)
        if self._same > config.STUCK_MS * driver.nominal_hz // (1000 * self._merge):
            self._on_stuck(now)

    def _stalled(self, now):
        """Act on a sensor that answers but does not sample: it lost its power, or its bus lines are stuck."""
        self.faults += 1
        self._give_up(now, wire.EVENT_BUS_FAULT, self.faults, config.RETRY_MS)

    def _on_stuck(self, now):
        """Act on a sensor that gives the same sample again and again; later each time it happens in a row."""
        self.faults += 1
        retry_ms = min(config.RETRY_MS << min(self._stuck, 16), config.STUCK_LONGEST_MS)
        self._stuck += 1
        self.restarts += 1
        self._untrusted_samples = _CHANGES
        self._give_up(now, wire.EVENT_STUCK, self._same, retry_ms)
        self._same = 0

    def _hole(self, lost):
        """Account for samples that were lost before the ones about to be read."""
        if self.driver.overflowed:
            self.driver.overflowed = False
            self.overflows += 1
            self._log(wire.EVENT_FIFO_OVERFLOW, lost, self.index)
        if lost:
            self._skip(lost)

    def _skip(self, lost):
        """Jump over lost samples of the part."""
        self.framer.flag_next(wire.FLAG_DISCONTINUITY)
        self.samples += (lost + 1) // self._merge if self._merge > 1 else lost
        self._has_half = False
        self.fusion.doubt()

    def _process(self, n):
        """Take n samples from the counts."""
        next_time = self.timebase.next
        for k in range(0, 6 * n, 6):
            t = next_time()
            if self._merge == 1:
                self._take(k, t)
            elif self._has_half:
                self._average(k)
                self._take(k, (self._half_t + t) >> 1)
            else:
                for i in range(6):
                    self._half[i] = self._counts[k + i]
                self._half_t = t
                self._has_half = True

    def _average(self, k):
        """Put the mean of a pair at position k; it is rounded up and down in turn, so that no bias comes of it."""
        counts = self._counts
        half = self._half
        up = self.samples & 1
        for i in range(6):
            counts[k + i] = (counts[k + i] + half[i] + up) >> 1
        self._has_half = False

    def _take(self, k, t):
        """Use the sample at position k of the counts, taken at t."""
        counts = self._counts
        framer = self.framer
        fusion = self.fusion
        gx, gy, gz = counts[k], counts[k + 1], counts[k + 2]
        ax, ay, az = counts[k + 3], counts[k + 4], counts[k + 5]
        self._watch(gx, gy, gz, ax, ay, az)
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
                self._slow(t, fusion.q)
        self.samples += 1

    def _prove(self):
        """Pass over a sample of a sensor that was stuck; after enough of them that changed, trust it."""
        self.samples += 1
        self._begin_second()
        if self._same == 0:
            self._untrusted_samples -= 1
            if not self._untrusted_samples:
                self.fusion.doubt()
                self._is_back(self._time.now())

    def _watch(self, gx, gy, gz, ax, ay, az):
        """Look for motion, for counts at the end of the range, and for counts that do not change at all."""
        motion = abs(gx) + abs(gy) + abs(gz)
        self._second_motion += motion
        self._second_samples += 1
        total = gx + gy + gz + ax + ay + az
        if total == self._total:
            self._same += 1
        else:
            self._total = total
            self._same = 0
        # The two sums spare the six comparisons of almost every sample.
        if motion < _SATURATED and abs(ax) + abs(ay) + abs(az) < _SATURATED:
            return
        if max(abs(gx), abs(gy), abs(gz), abs(ax), abs(ay), abs(az)) >= _SATURATED:
            self._second_saturated += 1

    def _slow(self, t, q):
        """Do what needs doing ten times a second, once a second and once a minute."""
        self.minute.add_up(t, q)
        if self._second_samples >= self.fusion.rate_hz:
            self._end_second()
        if t - self.minute.started_at >= config.MINUTE_MS * 10:
            self.minute.end(t, self.samples >> 1, self.framer.rate_codes[wire.ORIENT])

    def _end_second(self):
        limit = _MOVING_RAD_S / self.driver.gyr_rad_s_per_count * self._second_samples
        self.minute.add_second(self._second_samples, self._second_motion > limit)
        if self._second_saturated:
            self.saturated += self._second_saturated
            self._log(wire.EVENT_SATURATED, self._second_saturated, self.index)
        if self._same == 0:
            self._stuck = 0
        rate_hz = self.rate_hz()
        if abs(rate_hz - self.fusion.rate_hz) > _RATE_STEP * rate_hz:
            self.fusion.set_rate(rate_hz)  # parts without a trim register are off by a percent and more
        self._begin_second()

    def _begin_second(self):
        self._second_samples = 0
        self._second_motion = 0
        self._second_saturated = 0
