"""Collects the samples of one sensor into ORIENT or RAW frames.

A frame holds samples without a hole: at a hole or a change of type the frame begun is closed as it is. `i0` counts
samples at the frame's own rate: ORIENT carries every second sample of the IMU, RAW all of them.
"""

from micropython import const

from tiltwise.common import wire

_START = const(-32768)  # of int16
_END = const(32768)
RATE_CODES = {wire.ORIENT: 6, wire.RAW: 8}  # 52 and 104 Hz, until a part says otherwise
# Nominal Hz of the samples -> rate codes of ORIENT, which has every second one, and RAW.
_CODES_BY_HZ = {104: (6, 8), 100: (5, 7), 120: (11, 12), 52: (4, 6), 50: (3, 5), 60: (13, 11)}


class Framer:
    """One frame in the making."""

    def __init__(self, frames, sensor, samples_per_frame):
        self._frames = frames
        self._sensor = sensor
        self._buffer = frames.main.lend_buffer()
        self._n = 0
        self._i0 = 0
        self._t0 = 0
        self._flags = 0
        self._sticky_flags = 0
        self._acc_scale = 1 << 14
        self.rate_codes = RATE_CODES
        self.frame_type = wire.ORIENT
        self.samples_per_frame = samples_per_frame

    def describe(self, nominal_hz, acc_m_s2_per_count):
        """Take the nominal rate of RAW samples and the scale of the acceleration counts given to add_orient."""
        orient, raw = _CODES_BY_HZ[nominal_hz]
        self.rate_codes = {wire.ORIENT: orient, wire.RAW: raw}
        self._acc_scale = int(acc_m_s2_per_count / wire.ORIENT_ACC_M_S2_PER_COUNT * 16384 + 0.5)

    def select(self, frame_type, samples_per_frame):
        """From now on make frames of this type and length."""
        self.close()
        self.frame_type = frame_type
        self.samples_per_frame = samples_per_frame

    def flag_next(self, flags):
        """Set these flags on the frame that begins next."""
        self.close()
        self._flags |= flags

    def set_sticky_flags(self, flags):
        """Set these flags on every frame that has a sample from now on, until others are set."""
        self._flags |= flags | self._sticky_flags
        self._sticky_flags = flags

    def add_orient(self, index, t, q, ax, ay, az):
        """Add a quaternion in the fusion's integers and an acceleration in the sensor's counts; integers only."""
        if self._n == 0:
            self._i0 = index
            self._t0 = t
        # 1 is 2**29 in the fusion and 32767 on the wire.
        w, x, y, z = q
        w = w + 8192 >> 14
        w -= w + 16384 >> 15
        x = x + 8192 >> 14
        x -= x + 16384 >> 15
        y = y + 8192 >> 14
        y -= y + 16384 >> 15
        z = z + 8192 >> 14
        z -= z + 16384 >> 15
        scale = self._acc_scale
        ax = ax * scale + 8192 >> 14
        ay = ay * scale + 8192 >> 14
        az = az * scale + 8192 >> 14
        if not (
            _START <= w < _END
            and _START <= x < _END
            and _START <= y < _END
            and _START <= z < _END
            and _START <= ax < _END
            and _START <= ay < _END
            and _START <= az < _END
        ):
            w, x, y, z, ax, ay, az = _clipped(w, x, y, z, ax, ay, az)
        wire.pack_orient_into(self._buffer, self._n, w, x, y, z, ax, ay, az)
        self._added()

    def add_raw(self, index, t, counts, k):
        """Add the six counts from position k on."""
        if self._n == 0:
            self._i0 = index
            self._t0 = t
        wire.pack_raw_into(
            self._buffer,
            self._n,
            counts[k],
            counts[k + 1],
            counts[k + 2],
            counts[k + 3],
            counts[k + 4],
            counts[k + 5],
        )
        self._added()

    def _added(self):
        self._n += 1
        if self._n >= self.samples_per_frame:
            self.close()

    def close(self):
        """Hand over the frame as far as it is filled."""
        if self._n:
            self._buffer = self._frames.put(
                self._buffer,
                self.frame_type,
                self._flags,
                self._i0,
                self._t0,
                self._n,
                self._sensor,
                self.rate_codes[self.frame_type],
            )
            self._n = 0
            self._flags = self._sticky_flags


def _clipped(*values):
    """Hold the values in int16."""
    return [min(max(value, _START), _END - 1) for value in values]
