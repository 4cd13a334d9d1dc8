"""Six-axis orientation filter for the board: angular rate and acceleration in, quaternion q_earth_from_sensor out.

The gyroscope is integrated with a three-point rule, so the quaternion belongs to the time of the sample; with a
stride of two one step takes two samples, which halves the cost and gives a quaternion for every second sample only.
The acceleration is rotated into the earth frame and summed to a horizontal velocity, which a body cannot gain for
long: five times a second a Kalman filter (`tilt_filter`) turns it into a correction of tilt and gyroscope bias.
Single precision is enough: the orientation itself is kept in integers, which a board adds and multiplies without
making objects.
"""

import math

from tiltwise.common import const
from tiltwise.common.quaternion_counts import ANGLE_ONE, ONE, floats, set_floats, tilt_by, turn_by
from tiltwise.common.tilt_filter import BIAS_START, TiltFilter

# Between corrections; 0.1 s gains 0.004 deg for twice the arithmetic, 0.3 s loses 0.04 deg.
_STEP_S = const(0.2)

_GROUP_S = const(0.04)  # acceleration is summed this long before it is rotated
_SI_GYR = 1.0 / 16384.0  # rad/s
_SI_ACC = 1.0 / 1024.0  # m/s2
_UP_UNIT = 1.0 / 16384.0
_FINE = const(4096)  # parts of that unit in the factors of the rate, and parts of those again
_CONING = const(2e-6)  # rad, half the angle of a step: 52 a second of the same sign would be 0.01 deg/s
_CLIPPED = const(32767)  # counts at the end of a sensor's range
_LACKS = const(20.0)  # m/s2 that a clipped force may lack: landing from a jump has 6 g where 4 g are measured
_FAST = const(100.0)  # rad/s, above any sensor's range
_HARD = const(1000.0)  # m/s2


class Fusion:
    """Orientation from the angular rate and acceleration of one sensor, sample by sample.

    Parameters
    ----------
    rate_hz
        Sample rate.
    gyr_unit, acc_unit
        What 1 means in `update`: rad/s and m/s2 per count. On a board `update` wants integer counts: small integers
        need no memory, and with them only the corrections make objects.
    stride
        Samples that are integrated at once, 1 or 2.
    zero_rate
        Bias expected at the start, one standard deviation in rad/s.

    Attributes
    ----------
    q
        Orientation at the time of the last sample, q_earth_from_sensor as [w, x, y, z], earth z up, heading free.
    fixed
        The same as integers, 1 is 2**29: reading it makes no objects. The norm may be off by 0.2 %.
    is_current
        Whether `q` belongs to the last sample; with a stride of two it does after every second one.
    """

    def __init__(self, rate_hz, gyr_unit=1.0, acc_unit=1.0, stride=1, zero_rate=BIAS_START):
        if not rate_hz > 0:
            raise ValueError("rate of %s Hz, expected more than 0" % rate_hz)
        if not (gyr_unit > 0 and acc_unit > 0):
            raise ValueError("units of %s rad/s and %s m/s2, expected more than 0" % (gyr_unit, acc_unit))
        if stride != 1 and stride != 2:
            raise ValueError("stride of %s samples, expected 1 or 2" % stride)
        self._is_si = gyr_unit == 1.0 and acc_unit == 1.0
        if self._is_si:  # fine integers inside, whatever comes in
            gyr_unit = _SI_GYR
            acc_unit = _SI_ACC
        self._gyr_unit = gyr_unit
        self._acc_unit = acc_unit
        self._stride = stride
        self.filter = TiltFilter(gyr_unit, acc_unit, zero_rate)
        self._middle = max(1, int(rate_hz / stride * _GROUP_S / 2 + 0.5))  # steps
        self._group = 2 * self._middle
        self._weights = 2 * self._group * stride  # of all accelerations of a group together
        self._groups = max(1, int(rate_hz * _STEP_S / (self._group * stride) + 0.5))
        self._push_unit = acc_unit / self._groups
        self.set_rate(rate_hz)
        self.reset()

    def set_rate(self, rate_hz):
        """Take this as the sample rate from now on, as it was measured; within a few percent of the first."""
        self.rate_hz = rate_hz
        steps_hz = rate_hz / self._stride
        self.filter.set_step(self._groups * self._group / steps_hz)
        self._half_dt = 0.5 * _FINE * ANGLE_ONE / steps_hz
        k = self._gyr_unit * ANGLE_ONE / ((24.0 if self._stride == 1 else 12.0) * steps_hz) * _FINE
        self._k_rate = int(k)
        self._k_rest = int((k - self._k_rate) * _FINE)
        self._k_cross = self._gyr_unit * self._gyr_unit / (24.0 * steps_hz * steps_hz)
        self._cross_end = _CONING / self._k_cross
        self._k_cross *= ANGLE_ONE
        self._cross_start = -self._cross_end

    def reset(self):
        """Forget everything, as after switching on."""
        self.fixed = [ONE, 0, 0, 0]
        self.filter.reset()
        # Of the last step's end and of a sample before it (stride 1) or after it (stride 2), in the units of update.
        self._rate = [0, 0, 0]
        self._between = [0, 0, 0]
        self._acc = [0, 0, 0]
        self._has_tilt = False
        self.doubt()

    @property
    def q(self):
        """Orientation at the time of the last sample as floats; `fixed` has it without making objects."""
        return floats(self.fixed)

    @property
    def bias(self):
        """Gyroscope bias, three rad/s in sensor axes."""
        return self.filter.bias

    def up_into(self, up):
        """Write the direction of "up" in sensor axes into three floats."""
        self.up_counts_into(up)
        up[0] *= _UP_UNIT
        up[1] *= _UP_UNIT
        up[2] *= _UP_UNIT

    def up_counts_into(self, up):
        """Write the direction of "up" in sensor axes as integers, of which 1 is 2**14."""
        w, x, y, z = self.fixed
        w = w + 16384 >> 15
        x = x + 16384 >> 15
        y = y + 16384 >> 15
        z = z + 16384 >> 15
        up[0] = x * z - w * y + 4096 >> 13
        up[1] = y * z + w * x + 4096 >> 13
        up[2] = 16384 - (x * x + y * y + 4096 >> 13)

    def doubt(self):
        """Doubt the tilt, as after a gap in the samples; orientation and bias are kept until the next sample."""
        self.filter.doubt()
        self._fresh = True  # no earlier sample to integrate from
        # Half the angle that the bias makes of a step, fine, less half a unit to round.
        self._half_bias = [0, 0, 0]
        self.is_current = True
        self._in_group = 0  # steps summed
        self._sum = [0, 0, 0]  # of the accelerations of a group, twice, but its first and last sample once
        self._mid = [8192, 0, 0, 0]  # orientation in its middle, 1/8192
        self._left = self._groups
        self._clipped = 0  # samples of this step whose force was at the end of the range
        self._pushed = [0, 0]  # sum of the groups' mean horizontal accelerations since the last correction

    def update(self, gx, gy, gz, ax, ay, az):
        """Take one sample: angular rate in rad/s, specific force in m/s2 (at rest it points up).

        A rate or force that is not a number, or beyond any sensor, is replaced by the one before. Counts at the end
        of the range are weighed as what they are: less than the truth.
        """
        if self._is_si:
            gx, gy, gz, ax, ay, az = self._counts(gx, gy, gz, ax, ay, az)
        elif not (-_CLIPPED < ax < _CLIPPED and -_CLIPPED < ay < _CLIPPED and -_CLIPPED < az < _CLIPPED):
            self._clipped += 1
        if self._fresh:
            self._start(gx, gy, gz, ax, ay, az)
            return
        total = self._sum
        between = self._between
        if self.is_current and self._stride == 2:
            between[0] = gx
            between[1] = gy
            between[2] = gz
            total[0] += ax + ax
            total[1] += ay + ay
            total[2] += az + az
            self.is_current = False
            return
        self.is_current = True
        self._integrate(gx, gy, gz)
        self._sum_up(ax, ay, az)

    def _counts(self, gx, gy, gz, ax, ay, az):
        """Return a sample in SI units as fine integers, and the one before in place of what no sensor says."""
        if not (-_FAST < gx < _FAST and -_FAST < gy < _FAST and -_FAST < gz < _FAST):
            gx, gy, gz = self._rate if self.is_current else self._between
        else:
            gx, gy, gz = round(gx / _SI_GYR), round(gy / _SI_GYR), round(gz / _SI_GYR)
        if not (-_HARD < ax < _HARD and -_HARD < ay < _HARD and -_HARD < az < _HARD):
            self._clipped += 1
            ax, ay, az = self._acc
        else:
            ax, ay, az = round(ax / _SI_ACC), round(ay / _SI_ACC), round(az / _SI_ACC)
        return gx, gy, gz, ax, ay, az

    def _sum_up(self, ax, ay, az):
        """Add the acceleration at the end of a step to its group, and use the group when it is full."""
        total = self._sum
        n = self._in_group + 1
        if n == self._group:
            self._in_group = 0
            total[0] += ax
            total[1] += ay
            total[2] += az
            self._push(ax, ay, az)
            total[0] = ax
            total[1] = ay
            total[2] = az
            return
        self._in_group = n
        total[0] += ax + ax
        total[1] += ay + ay
        total[2] += az + az
        if n == self._middle:
            mid = self._mid
            w, x, y, z = self.fixed
            mid[0] = w + 32768 >> 16
            mid[1] = x + 32768 >> 16
            mid[2] = y + 32768 >> 16
            mid[3] = z + 32768 >> 16

    def _integrate(self, gx, gy, gz):
        """Turn the orientation on to a sample with this rate."""
        rate = self._rate
        between = self._between
        px, py, pz = rate
        # Half the angle of the step, from a parabola through three rates.
        if self._stride == 1:
            hx = 5 * gx + 8 * px - between[0]
            hy = 5 * gy + 8 * py - between[1]
            hz = 5 * gz + 8 * pz - between[2]
            between[0] = px
            between[1] = py
            between[2] = pz
        else:
            hx = px + 4 * between[0] + gx
            hy = py + 4 * between[1] + gy
            hz = pz + 4 * between[2] + gz
        rate[0] = gx
        rate[1] = gy
        rate[2] = gz
        k = self._k_rate
        rest = self._k_rest
        bias = self._half_bias
        hx = hx * k + (hx * rest >> 12) - bias[0] >> 12
        hy = hy * k + (hy * rest >> 12) - bias[1] >> 12
        hz = hz * k + (hz * rest >> 12) - bias[2] >> 12
        # The axis turns within the step (coning); mostly too little to matter.
        cx = py * gz - pz * gy
        cy = pz * gx - px * gz
        cz = px * gy - py * gx
        low = self._cross_start
        end = self._cross_end
        if not (low < cx < end and low < cy < end and low < cz < end):
            k = self._k_cross
            hx += round(cx * k)
            hy += round(cy * k)
            hz += round(cz * k)
        turn_by(self.fixed, hx, hy, hz)

    def _push(self, ax, ay, az):
        """Rotate the accelerations of a group by the orientation in its middle; the last one is (ax, ay, az)."""
        w, x, y, z = self._mid
        fx, fy, fz = self._sum
        n = self._weights
        fx = (fx + (n >> 1)) // n
        fy = (fy + (n >> 1)) // n
        fz = (fz + (n >> 1)) // n
        cx = y * fz - z * fy + 4096 >> 13
        cy = z * fx - x * fz + 4096 >> 13
        cz = x * fy - y * fx + 4096 >> 13
        pushed = self._pushed
        pushed[0] += fx + (w * cx + y * cz - z * cy + 2048 >> 12)
        pushed[1] += fy + (w * cy + z * cx - x * cz + 2048 >> 12)
        self._left -= 1
        if self._left == 0:
            self._left = self._groups
            acc = self._acc
            acc[0] = ax
            acc[1] = ay
            acc[2] = az
            self._correct()

    def _start(self, gx, gy, gz, ax, ay, az):
        """Begin with one sample: the first ever sets the tilt so that its acceleration points up."""
        norm = math.sqrt(ax * ax + ay * ay + az * az)
        if not self._has_tilt:
            if norm * self._acc_unit < 1.0:  # free fall, or a sensor that does not answer
                return
            if az > -0.999 * norm:
                k = math.sqrt((1.0 + az / norm) * 2.0)
                set_floats(self.fixed, k * 0.5, ay / norm / k, -ax / norm / k, 0.0)
            else:
                set_floats(self.fixed, 0.0, 1.0, 0.0, 0.0)
            self._has_tilt = True
        self._rate = [gx, gy, gz]
        self._between = [gx, gy, gz]
        self._acc = [ax, ay, az]
        self._sum = [ax, ay, az]
        self._use_bias()
        self._fresh = False

    def _correct(self):
        """Give what piled up since the last call to the filter, and turn by what it finds."""
        pushed = self._pushed
        k = self._push_unit
        lacks = _LACKS * self._clipped / self.rate_hz if self._clipped else 0.0
        px, py = self.filter.correct(pushed[0] * k, pushed[1] * k, lacks, self._rate, self._acc, self.fixed)
        pushed[0] = pushed[1] = 0
        self._clipped = 0
        tilt_by(self.fixed, px, py)
        self._use_bias()

    def _use_bias(self):
        half_bias = self._half_bias
        bias = self.filter.bias
        k = self._half_dt
        for i in range(3):
            half_bias[i] = round(bias[i] * k) - _FINE // 2
