"""Frames about the board itself: STATUS, INFO and EVENT.

Before it: app.py, which knows when. After it: outbox.py.
"""

from tiltwise.common import wire

from .framer import RATE_CODES

VERSION = (0, 1, 0)
_MINOR = 0
_LEAST_HOST_MINOR = 0
_BATTERY_UNKNOWN = 255
_STATE_OPEN = 0  # no key set


class Report:
    """Writes the frames that describe board and sensors."""

    def __init__(self, board, outbox, samplers, time, session):
        self._board = board
        self._outbox = outbox
        self._samplers = samplers
        self._time = time
        self._session = session
        self._buffer = outbox.main.spare()

    def _put(self, frame_type, sensor, flags=0):
        index = self._samplers[sensor].samples >> 1 if sensor < len(self._samplers) else 0
        self._buffer = self._outbox.put(
            self._buffer, frame_type, flags, index, self._time.now(), 0, sensor, RATE_CODES[wire.ORIENT]
        )

    def event(self, code, value, sensor=0):
        """Tell what just happened."""
        wire.pack_body_into(self._buffer, wire.EVENT, code, 0, min(value, 0x7FFFFFFF))
        self._put(wire.EVENT, sensor)

    def status(self, sampler):
        """Tell how the board and one sensor are doing."""
        bias = sampler.fusion.bias if sampler.fusion else (0.0, 0.0, 0.0)
        outbox = self._outbox
        wire.pack_body_into(
            self._buffer,
            wire.STATUS,
            self._time.now() // 10000,
            0,
            _BATTERY_UNKNOWN,
            self._board.reset_cause,
            min(max(sampler.temperature_cdeg(), -32768), 32767),
            _u16(outbox.main.used),
            _u16(outbox.main.capacity),
            self._board.mem_free(),
            _u16(sampler.faults),
            _u16(sampler.overflows),
            _u16(sampler.saturated),
            _u16(self._session.retries),
            outbox.main.lost + outbox.minutes.lost,
            int(bias[0] * 1e5),
            int(bias[1] * 1e5),
            int(bias[2] * 1e5),
        )
        self._put(wire.STATUS, sampler.index, wire.FLAG_SENSOR_FAULT if sampler.is_lost else 0)

    def info(self, sampler):
        """Tell what is needed to read the sample frames of one sensor; nothing while it never answered."""
        driver = sampler.driver
        if sampler.fusion is None:
            return
        imu_rate_hz = 1e4 / sampler.timebase.period
        wire.pack_body_into(
            self._buffer,
            wire.INFO,
            _MINOR,
            _LEAST_HOST_MINOR,
            driver.kind,
            len(self._samplers),
            0,
            VERSION[0],
            VERSION[1],
            VERSION[2],
            _STATE_OPEN,
            imu_rate_hz,
            imu_rate_hz / 2,
            driver.gyr_rad_s_per_count,
            driver.acc_m_s2_per_count,
            wire.ORIENT_ACC_M_S2_PER_COUNT,
            driver.gyr_range_dps,
            driver.acc_range_g,
            self._outbox.oldest(),
            self._outbox.next_seq,
            self._outbox.boot,
            self._board.model,
        )
        self._put(wire.INFO, sampler.index)


def _u16(value):
    return min(value, 65535)
