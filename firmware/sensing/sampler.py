"""One IMU: finds and configures it, reads it every config.POLL_MS, brings it back when it fails.

The FIFO is read by fifo_reader.py, the samples go through sample_path.py. A sensor counts as lost after some bus
errors in a row, when it gives no samples, or when it gives the same sample again and again (it is stuck).
"""

from tiltwise.common import wire

from .. import config, drivers
from .double_tap import DoubleTap
from .fifo_reader import FifoReader
from .sample_path import SamplePath


class Sampler:
    """Sensor number `index`. `log(code, value, sensor)` takes events.

    `address` is one address, or a sequence of those where the sensor may turn up.
    """

    def __init__(self, index, bus, address, time, frames, log, rate_hz=config.RATE_HZ):
        self.index = index
        self._bus = bus
        self._time = time
        self._log = log
        self._rate_hz = rate_hz
        self._addresses = (address,) if isinstance(address, int) else tuple(address)
        self.address = self._addresses[0]
        self.driver = None
        self.fifo = FifoReader(index, log)
        self.path = SamplePath(index, frames, log, self.fifo.rate_hz, self._on_trusted)
        self.problem = None  # the last OSError, for people at the REPL
        self.faults = 0
        self.restarts = 0  # because it gave the same sample again and again
        self.is_stuck = False  # given up for that reason, and not back yet
        self.is_new = False  # a part was found that INFO does not describe yet; the reader clears it
        self._is_up = False  # configured and sampling
        self._is_asleep = False
        self._steps = None  # what is left of the configuration
        self._faults_in_a_row = 0
        self._lost_at = None  # when the sensor was given up, until it is trusted again
        self._retry_at = 0

    # ---- what others ask ----

    @property
    def is_lost(self):
        """Tell whether there is no sensor to read."""
        return self.path.fusion is None or self._lost_at is not None

    @property
    def is_known(self):
        """Tell whether a part was configured since boot, so that its scales are known."""
        return self.path.fusion is not None

    @property
    def samples(self):
        """Return how many samples came since boot, lost ones included: the index of the next one."""
        return self.path.samples

    @property
    def saturated(self):
        """Return how many samples were at the end of a range."""
        return self.path.saturated

    @property
    def overflows(self):
        """Return how often the FIFO overflowed."""
        return self.fifo.overflows

    @property
    def rate_codes(self):
        """Codes of the nominal rate by frame type, as wire.RATES_HZ numbers them."""
        return self.path.framer.rate_codes

    def rate_hz(self):
        """Return the measured rate of the samples, after averaging."""
        return self.fifo.rate_hz()

    def bias(self):
        """Return the gyroscope bias as three floats, rad/s; zeros while nothing is known."""
        return (0.0, 0.0, 0.0) if self.path.fusion is None else self.path.fusion.bias

    def up_into(self, up):
        """Write "up" in sensor axes into three floats; only while the sensor is not lost."""
        self.path.fusion.up_into(up)

    def swing(self):
        """Return the mean squared horizontal acceleration of the last two seconds, (m/s2)2 of one axis."""
        return self.path.fusion.filter.swing

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

    # ---- what others set ----

    def select(self, frame_type, samples_per_frame):
        """From now on make frames of this type and length."""
        self.path.framer.select(frame_type, samples_per_frame)

    def set_sticky_flags(self, flags):
        """Set these flags on every frame that has a sample from now on, until others are set."""
        self.path.framer.set_sticky_flags(flags)

    def set_worn(self, is_worn):
        """Note for the summary of the minute whether the board is worn; None: not known."""
        self.path.minute.is_worn = is_worn

    def count_alert(self):
        """Note for the summary of the minute that the board gave an alert by itself."""
        self.path.minute.alerts += 1

    def watch_taps(self, is_wanted):
        """Look for double taps, or stop; return True once after each one."""
        path = self.path
        if not is_wanted:
            path.taps = None
        elif path.taps is None:
            path.taps = DoubleTap(self.driver.acc_m_s2_per_count)
        elif path.taps.has_double:
            path.taps.has_double = False
            return True
        return False

    def forget_taps(self):
        """Begin to look for taps anew: what was felt was no finger."""
        if self.path.taps is not None:
            self.path.taps.forget()

    # ---- reading ----

    def poll(self):
        """Read what is there; never raises."""
        if self._is_asleep:
            return
        now = self._time.now()
        try:
            if self._is_up:
                self._read(now)
                self._faults_in_a_row = 0
            elif now >= self._retry_at:
                self._bring_up(now)
        except OSError as problem:
            self._fault(now, problem)

    def _read(self, now):
        if not self.fifo.drain(now, self.driver, self.path):
            # It answers but does not sample: it lost its power, or its bus lines are stuck.
            self.faults += 1
            self._give_up(now, wire.EVENT_BUS_FAULT, self.faults, config.RETRY_MS)
        elif self.path.same > config.STUCK_MS * self.driver.nominal_hz // (1000 * self.fifo.merge):
            self._on_stuck(now)

    def _on_stuck(self, now):
        """Act on a sensor that gives the same sample again and again; later each time it happens in a row."""
        path = self.path
        self.faults += 1
        retry_ms = min(config.RETRY_MS << min(path.stuck_in_a_row, 16), config.STUCK_LONGEST_MS)
        self.restarts += 1
        self._give_up(now, wire.EVENT_STUCK, path.same, retry_ms)
        path.distrust()

    # ---- sleep ----

    def sleep(self):
        """Let the sensor wait for motion, at low power, until `wake`."""
        self.path.framer.close()
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
        self.path.framer.flag_next(wire.FLAG_DISCONTINUITY)
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
        if self.path.fusion is None or self._faults_in_a_row >= config.FAULTS_IN_A_ROW:
            self._give_up(now, wire.EVENT_BUS_FAULT, self.faults, config.RETRY_MS)

    def _give_up(self, now, code, value, retry_ms):
        """Say why, and try to bring the sensor back later."""
        if self._lost_at is None:
            self._lost_at = now
        self.is_stuck = code == wire.EVENT_STUCK
        self._is_up = False
        self._steps = None
        self._retry_at = now + retry_ms * 10
        self.path.framer.flag_next(wire.FLAG_DISCONTINUITY | wire.FLAG_SENSOR_FAULT)
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
        self._on_configured(self._time.now())

    def _on_configured(self, now):
        """Begin to sample with a part that has just been configured."""
        driver, path = self.driver, self.path
        if path.fusion is None:
            self.fifo.merge = 2 if driver.nominal_hz > 150 else 1
            path.start(driver, self.fifo.merge)
            self.is_new = True
            self.fifo.timebase.start(now, driver.rate_hz, driver.knows_rate)
            path.begin_minute(now)
        if path.is_trusted:
            self._is_back(now)
        self._is_up = True
        self.fifo.start(now)
        self._faults_in_a_row = 0

    def _on_trusted(self):
        self._is_back(self._time.now())

    def _is_back(self, now):
        """Trust the sensor, and report it if it was lost."""
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
            self._rate_hz,
        )
        self._addresses = (address,)  # from now on it is expected where it was found
        self.address = address
        if self.driver is not None and driver.name == self.driver.name:
            return
        self.driver = driver
        self.path.fusion = None
        if driver.warning:
            print("tiltwise:", driver.warning)
            self._log(wire.EVENT_POOR_SENSOR, driver.who, self.index)
