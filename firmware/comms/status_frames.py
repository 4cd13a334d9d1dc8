"""Frames about the board itself: STATUS, INFO and EVENT."""

from micropython import const

from tiltwise.common import wire

from ..sensing.framer import RATE_CODES

VERSION = (0, 1, 0)
_MEASURE_EVERY = const(12)  # a minute; a collection takes 26 ms on a Pico


class EventFrames:
    """Writes frames about the board into one buffer, and EVENT by itself."""

    def __init__(self, frames, time, samplers):
        self.frames = frames
        self.time = time
        self.samplers = samplers
        self.buffer = frames.main.lend_buffer()

    def put(self, frame_type, sensor, flags=0):
        """Number the frame whose body is in `buffer`, and keep it until the host has stored it."""
        index, codes = 0, RATE_CODES
        if sensor < len(self.samplers):
            index, codes = self.samplers[sensor].samples >> 1, self.samplers[sensor].rate_codes
        self.buffer = self.frames.put(
            self.buffer, frame_type, flags, index, self.time.now(), 0, sensor, codes[wire.ORIENT]
        )

    def event(self, code, value, sensor=0):
        """Report what just happened: wire.EVENT_*, and a value that depends on it."""
        wire.pack_body_into(self.buffer, wire.EVENT, code, 0, min(value, 0x7FFFFFFF))
        self.put(wire.EVENT, sensor)


class StatusFrames:
    """Writes STATUS and INFO, which describe the board and one sensor."""

    def __init__(self, board, events, sessions, battery, health):
        self._board = board
        self._out = events
        self._sessions = sessions
        self._battery = battery
        self._health = health
        self._frames = events.frames
        self._ring = events.frames.main
        self._until_measured = self._free = 0
        self._least_free = 0  # bytes of heap; 0: not known
        self._saturated = [0, 0]  # of each sensor, as reported last

    def status(self, sampler, conditions, is_awake):
        """Report how the board and one sensor (None: there is none) are doing.

        `conditions` are those of the board, wire.CONDITION_*. A sensor that sleeps is not looked at: `is_awake`.
        """
        self._measure_heap()
        uptime_s = self._out.time.now() // 10000
        # First of what the sensor tells: a bus error here counts in the rest.
        temperature_cdeg = 0 if sampler is None else sampler.temperature_cdeg()
        flags = wire.FLAG_LOW_BATTERY if self._battery.is_low else 0
        if sampler is not None:
            conditions |= self._sensor_conditions(sampler, is_awake)
            if sampler.is_lost and is_awake:
                flags |= wire.FLAG_SENSOR_FAULT
        self._pack_status(sampler, uptime_s, temperature_cdeg, conditions)
        if sampler is None:
            self._out.put(wire.STATUS, 0)
        else:
            self._out.put(wire.STATUS, sampler.index, flags)

    def _measure_heap(self):
        """Measure now and then, for a collection comes before."""
        self._until_measured -= 1
        if self._until_measured > 0:
            return
        self._until_measured = _MEASURE_EVERY
        self._free = free = self._board.mem_free()
        if free < self._least_free or not self._least_free:
            self._least_free = free

    def _sensor_conditions(self, sampler, is_awake):
        """Return what is wrong with one sensor, as wire.CONDITION_*."""
        found = 0
        if sampler.is_lost and is_awake:
            if sampler.is_stuck:
                found = wire.CONDITION_SENSOR_STUCK
            else:
                found = wire.CONDITION_SENSOR_LOST if sampler.is_known else wire.CONDITION_SENSOR_MISSING
        if sampler.driver is not None and sampler.driver.warning:
            found |= wire.CONDITION_POOR_SENSOR
        if sampler.saturated != self._saturated[sampler.index]:
            self._saturated[sampler.index] = sampler.saturated
            found |= wire.CONDITION_SATURATED
        return found

    def _pack_status(self, sampler, uptime_s, temperature_cdeg, conditions):
        """Write the body; the temperature comes as the sensor gave it."""
        bias = (0.0, 0.0, 0.0) if sampler is None else sampler.bias()
        sessions, ring = self._sessions, self._ring
        wire.pack_status_into(
            self._out.buffer,
            uptime_s=uptime_s,
            battery_mv=self._battery.mv,
            battery_percent=self._battery.percent,
            reset_cause=self._health.reset_cause,
            temperature_cdeg=min(max(temperature_cdeg, -32768), 32767),
            ring_used_frames=_u16(ring.used),
            ring_size_frames=_u16(ring.capacity),
            free_heap_bytes=self._free,
            bus_faults=0 if sampler is None else _u16(sampler.faults),
            fifo_overflows=0 if sampler is None else _u16(sampler.overflows),
            saturated_samples=0 if sampler is None else _u16(sampler.saturated),
            send_retries=_u16(sessions.retries),
            lost_frames=self._frames.lost,
            gyr_bias_x=int(bias[0] * 1e5),
            gyr_bias_y=int(bias[1] * 1e5),
            gyr_bias_z=int(bias[2] * 1e5),
            conditions=conditions,
            least_free_heap_bytes=self._least_free,
            stuck_restarts=0 if sampler is None else _u16(sampler.restarts),
            wrong_proofs=_u16(sessions.wrong_proofs),
            hostile_commands=_u16(sessions.hostile),
            unproved_peers=_u16(sessions.dropped),
            refused_hosts=_u16(sessions.refused),
            link_stalls=_u16(sessions.stalls),
            radio_restarts=_u16(sessions.radio_restarts),
            flash_faults=_u16(self._frames.flash_faults),
        )

    def info(self, sampler):
        """Report what is needed to read the sample frames of one sensor; nothing while it never answered."""
        driver = sampler.driver
        if not sampler.is_known:
            return
        imu_rate_hz = sampler.rate_hz()
        wire.pack_body_into(
            self._out.buffer,
            wire.INFO,
            wire.MINOR,
            wire.LEAST_HOST_MINOR,
            driver.kind,
            len(self._out.samplers),
            self._sessions.features(),
            VERSION[0],
            VERSION[1],
            VERSION[2],
            self._sessions.state(),
            imu_rate_hz,
            imu_rate_hz / 2,
            driver.gyr_rad_s_per_count,
            driver.acc_m_s2_per_count,
            wire.ORIENT_ACC_M_S2_PER_COUNT,
            driver.gyr_range_dps,
            driver.acc_range_g,
            self._frames.oldest(),
            self._frames.next_seq,
            self._frames.boot,
            self._board.model,
        )
        self._out.put(wire.INFO, sampler.index)


def _u16(value):
    return min(value, 65535)
