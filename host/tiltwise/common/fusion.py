"""Six-axis orientation filter for the board: angular rate and acceleration in, quaternion q_earth_from_sensor out.

Before it: sampler.py (board) with one IMU sample at a time. After it: wire.py, which packs the quaternion.

The gyroscope is integrated with a three-point rule, so the quaternion belongs to the time of the sample. The
acceleration is rotated into the earth frame and summed to a horizontal velocity, which a body cannot gain for long:
what piles up is gravity seen through a tilt error. Ten times a second a Kalman filter turns it into a correction of
tilt and gyroscope bias, in two stages (Friedland 1969, doi:10.1109/TAC.1969.1099223): tilt and velocity as if there
were no bias, the same for both horizontal axes, and beside it a 3 x 3 filter for the bias.
"""

import math

_G = 9.81  # m/s2
_STEP_S = 0.1  # between corrections; the filter is slower than 1 s, so a shorter step gains nothing

# How much the sensor moves. Velocity is taken as noise: its size squared times how long it keeps its direction.
_STILL_SPEED2 = 0.09  # (m/s)2: a person who hardly accelerates may still lean at 0.3 m/s
_SWING_S2 = 0.04  # s2: human motion is near 1 Hz, where speed is 0.16-0.2 s times acceleration
_SWING_MEAN_S = 2.0  # over which acceleration is averaged: two swings
_KEEPS_S = 0.25  # s, a quarter of a swing
_REST_SPEED2_S = 1e-4  # (m/s)2 s while at rest, a few mm/s for some seconds

# How fast the estimate goes wrong without correction.
_TILT_WALK = (
    1e-5 * _G * _G
)  # (m/s2)2/s: 0.2 deg in a second, the gyroscope's imperfections at rest and in slow motion
_SCALE_WALK = 5e-6 * _G * _G  # the same per (rad/s)2: 0.3 % of scale error, half a second in one direction
_BIAS_WALK = 5e-9  # (rad/s)2/s: 0.1 deg/s in ten minutes of warming up

# What is known at the start.
_TILT_START = 5.0  # (m/s2)2: 13 deg, one sample of a moving accelerometer
_SPEED_START = 1.0  # (m/s)2
_BIAS_START = 3e-4  # (rad/s)2: 1 deg/s, the zero-rate level in data sheets
_BIAS_LIMIT = 0.052  # rad/s, 3 deg/s: more is not a bias but a broken part or a motion

# Rest: rate and acceleration stay this near their means of the last half second, for some time.
_REST_RATE = 0.035  # rad/s
_REST_ACC = 0.5  # m/s2
_REST_MEAN_S = 0.5
_REST_AFTER_S = 1.5
_REST_BIAS2_S = 3e-6  # (rad/s)2 s: a resting person sways 0.1 deg/s for a second

_GROUP_S = 0.031  # acceleration is summed this long before it is rotated: 3 samples at 104 Hz, 1 at 50 Hz
_FAST = 100.0  # rad/s, above any sensor's range
_HARD = 1000.0  # m/s2


class Fusion:
    """Orientation from the angular rate and acceleration of one sensor, sample by sample.

    Parameters
    ----------
    rate_hz
        Sample rate.
    gyr_unit, acc_unit
        What 1 means in `update`: rad/s and m/s2 per count. Small integers need no memory, which saves a fifth.

    Attributes
    ----------
    q
        Orientation at the time of the last sample, q_earth_from_sensor as [w, x, y, z], earth z up, heading free.
    bias
        Gyroscope bias, three rad/s in sensor axes.
    at_rest
        Whether the sensor lies still.
    """

    def __init__(self, rate_hz, gyr_unit=1.0, acc_unit=1.0):
        if not (rate_hz > 0 and gyr_unit > 0 and acc_unit > 0):
            raise ValueError("%s Hz, units %s and %s: expected more than 0" % (rate_hz, gyr_unit, acc_unit))
        self._gyr_unit = gyr_unit
        self._acc_unit = acc_unit
        self._gyr_end = _FAST / gyr_unit
        self._acc_end = _HARD / acc_unit
        self._group = max(1, int(rate_hz * _GROUP_S) - 1 | 1)  # odd, so that it has a middle
        self._middle = self._group // 2
        self._groups = max(1, int(rate_hz * _STEP_S / self._group + 0.5))
        self._step = self._groups * self._group / rate_hz
        self._half_dt = 0.5 / rate_hz
        self._k_rate = gyr_unit / (24.0 * rate_hz)
        self._k_cross = gyr_unit * gyr_unit / (24.0 * rate_hz * rate_hz)
        self.reset()

    def reset(self):
        """Forget everything, as after switching on."""
        self.q = [1.0, 0.0, 0.0, 0.0]
        self.bias = [0.0, 0.0, 0.0]
        self._rest_rate = [0.0, 0.0, 0.0]
        self._rest_acc = [0.0, 0.0, 0.0]
        self._bias_cov = [_BIAS_START, 0.0, 0.0, _BIAS_START, 0.0, _BIAS_START]  # xx xy xz yy yz zz
        self._rate = [0, 0, 0]  # of the last sample and of the one before, in the units of update
        self._older = [0, 0, 0]
        self._acc = [0, 0, 0]
        self._has_tilt = False
        self._axis = 0  # whose bias is looked at next while resting
        self.doubt()

    def doubt(self):
        """Doubt the tilt, as after a gap in the samples; orientation and bias are kept until the next sample."""
        self.at_rest = False
        self._rest_s = 0.0
        self._fresh = True  # no earlier sample to integrate from
        self._half_bias = [0.0, 0.0, 0.0]  # half the angle that the bias makes of a step
        self._in_group = 0  # samples summed
        self._sum = [0, 0, 0]  # of the accelerations of a group
        self._mid = [1.0, 0.0, 0.0, 0.0]  # orientation in its middle
        self._left = self._groups
        self._pushed = [0.0, 0.0]  # sum of half the horizontal acceleration since the last correction
        self._v = [0.0, 0.0]  # horizontal velocity that piled up, m/s
        # Covariance of either axis: tilt with tilt, tilt with velocity, velocity with velocity.
        self._cov = [_TILT_START, 0.0, _SPEED_START]
        # What 1 rad/s of bias does to the tilt (m/s2) and to the velocity (m/s), for axes x and y: 2 rows of 3.
        self._tilt_by_bias = [0.0] * 6
        self._v_by_bias = [0.0] * 6
        self._swing = 0.0  # mean squared horizontal acceleration of one axis, (m/s2)2
        self._swings = 0.0  # steps it was taken over

    def update(self, gx, gy, gz, ax, ay, az):
        """Take one sample: angular rate in rad/s, specific force in m/s2 (at rest it points up), or counts of both.

        A rate or force that is not a number, or beyond any sensor, is replaced by the one before. Written in one
        piece, because it runs at the sensor's rate, where calls and the locals they pass again add up.
        """
        end = self._gyr_end
        if not (-end < gx < end and -end < gy < end and -end < gz < end):
            gx, gy, gz = self._rate
        end = self._acc_end
        if not (-end < ax < end and -end < ay < end and -end < az < end):
            ax, ay, az = self._acc
        if self._fresh:
            self._start(gx, gy, gz, ax, ay, az)
            return
        q = self.q
        rate = self._rate
        older = self._older
        bias = self._half_bias
        px, py, pz = rate
        k = self._k_rate
        c = self._k_cross
        # Half the angle of the step: a parabola through three rates, and the cross term of two (coning).
        hx = (5 * gx + 8 * px - older[0]) * k + (py * gz - pz * gy) * c - bias[0]
        hy = (5 * gy + 8 * py - older[1]) * k + (pz * gx - px * gz) * c - bias[1]
        hz = (5 * gz + 8 * pz - older[2]) * k + (px * gy - py * gx) * c - bias[2]
        older[0] = gx
        older[1] = gy
        older[2] = gz
        self._rate = older
        self._older = rate
        # Its quaternion (c, h): |h| is the sine of the half angle.
        k = hx * hx + hy * hy + hz * hz
        c = 1.0 - 0.5 * k
        if k > 1e-4:  # above 120 deg/s at 104 Hz; below, the next order is 2e-5 of the angle
            c += k * k * (1.0 / 24.0)
            k = 1.0 - k * (1.0 / 6.0)
            hx *= k
            hy *= k
            hz *= k
        w, x, y, z = q
        q[0] = w * c - x * hx - y * hy - z * hz
        q[1] = x * c + w * hx + y * hz - z * hy
        q[2] = y * c + w * hy + z * hx - x * hz
        q[3] = z * c + w * hz + x * hy - y * hx
        total = self._sum
        total[0] += ax
        total[1] += ay
        total[2] += az
        n = self._in_group
        if n == self._middle:
            self._mid[:] = q
        n += 1
        if n == self._group:
            n = 0
            self._push(ax, ay, az)
        self._in_group = n

    def _push(self, ax, ay, az):
        """Rotate the accelerations of a group by the orientation in its middle; the last one is (ax, ay, az)."""
        w, x, y, z = self._mid
        total = self._sum
        fx, fy, fz = total
        cx = y * fz - z * fy
        cy = z * fx - x * fz
        cz = x * fy - y * fx
        pushed = self._pushed
        pushed[0] += 0.5 * fx + w * cx + y * cz - z * cy
        pushed[1] += 0.5 * fy + w * cy + z * cx - x * cz
        total[0] = total[1] = total[2] = 0
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
                self.q[:] = [k * 0.5, ay / norm / k, -ax / norm / k, 0.0]
            else:
                self.q[:] = [0.0, 1.0, 0.0, 0.0]
            self._has_tilt = True
        self._rate = [gx, gy, gz]
        self._older = [gx, gy, gz]
        self._acc = [ax, ay, az]
        for i in range(3):
            self._half_bias[i] = self.bias[i] * self._half_dt
        self._fresh = False

    def _correct(self):
        """Look at what piled up since the last call, and correct tilt and bias by it."""
        v = self._v
        pushed = self._pushed
        step = self._step
        k = 2.0 * self._acc_unit / (self._groups * self._group)
        ax = pushed[0] * k
        ay = pushed[1] * k
        v[0] += ax * step
        v[1] += ay * step
        pushed[0] = pushed[1] = 0.0
        self._predict(self._watch_rest())
        self._correct_tilt(self._speed_noise(0.5 * (ax * ax + ay * ay)))
        bias = self.bias
        half_bias = self._half_bias
        for i in range(3):
            half_bias[i] = bias[i] * self._half_dt

    def _speed_noise(self, acc2):
        """Return the variance (m/s)2 of "the sensor does not move" over one step, from how hard it is shaken."""
        if self._swings < _SWING_MEAN_S / self._step:
            self._swings += 1.0
        self._swing += (acc2 - self._swing) / self._swings
        if self.at_rest:
            return _REST_SPEED2_S / self._step
        return (_STILL_SPEED2 + _SWING_S2 * self._swing) * _KEEPS_S / self._step

    def _predict(self, rate2):
        """Let the uncertainty grow over one step: bias drives tilt, tilt drives velocity."""
        step = self._step
        cov = self._cov
        cov[2] += step * (2.0 * cov[1] + step * cov[0])
        cov[1] += step * cov[0]
        cov[0] += step * (_TILT_WALK + _SCALE_WALK * rate2)
        tilt_by = self._tilt_by_bias
        v_by = self._v_by_bias
        row_x, row_y = self._rows()
        k = step * _G
        for i in range(3):
            v_by[i] += step * (tilt_by[i] + 0.5 * k * row_y[i])
            v_by[i + 3] += step * (tilt_by[i + 3] - 0.5 * k * row_x[i])
            tilt_by[i] += k * row_y[i]
            tilt_by[i + 3] -= k * row_x[i]
        bias_cov = self._bias_cov
        for i in (0, 3, 5):
            bias_cov[i] += step * _BIAS_WALK

    def _rows(self):
        """Return the earth axes x and y in sensor axes."""
        w, x, y, z = self.q
        x2, y2, z2 = x + x, y + y, z + z
        xy, wz, zz = x * y2, w * z2, z * z2
        return (
            (1.0 - y * y2 - zz, xy - wz, x * z2 + w * y2),
            (xy + wz, 1.0 - x * x2 - zz, y * z2 - w * x2),
        )

    def _correct_tilt(self, noise):
        """Take the velocity that piled up as a sign of tilt and of bias, weighing it against `noise` (m/s)2."""
        cov = self._cov
        v = self._v
        by = self._v_by_bias
        tilt_by = self._tilt_by_bias
        noise += cov[2]
        k_tilt = cov[1] / noise
        k_v = cov[2] / noise
        cov[0] -= k_tilt * cov[1]
        cov[1] -= k_v * cov[1]
        cov[2] -= k_v * cov[2]
        vx, vy = v
        before = list(self.bias)
        self._learn_bias(by[0], by[1], by[2], vx, noise)
        d0, d1, d2 = self.bias[0] - before[0], self.bias[1] - before[1], self.bias[2] - before[2]
        self._learn_bias(by[3], by[4], by[5], vy - (by[3] * d0 + by[4] * d1 + by[5] * d2), noise)
        for i in range(6):
            tilt_by[i] -= k_tilt * by[i]
            by[i] -= k_v * by[i]
        tilt = [k_tilt * vx, k_tilt * vy]
        v[0] -= k_v * vx
        v[1] -= k_v * vy
        if self.at_rest:  # one axis at a time saves arithmetic; each is weighed as its own third of the time
            i = self._axis = (self._axis + 1) % 3
            error = self._rest_rate[i] - self.bias[i]
            self._learn_bias(i == 0, i == 1, i == 2, error, _REST_BIAS2_S / (3.0 * self._step))
        for i in range(3):
            self.bias[i] = min(max(self.bias[i], -_BIAS_LIMIT), _BIAS_LIMIT)
            d = self.bias[i] - before[i]
            tilt[0] += tilt_by[i] * d
            tilt[1] += tilt_by[i + 3] * d
            v[0] -= by[i] * d
            v[1] -= by[i + 3] * d
        self._turn(tilt[1] / _G, -tilt[0] / _G)

    def _learn_bias(self, hx, hy, hz, error, noise):
        """Kalman step of the bias for one number that the bias drives by (hx, hy, hz)."""
        xx, xy, xz, yy, yz, zz = self._bias_cov
        kx = xx * hx + xy * hy + xz * hz
        ky = xy * hx + yy * hy + yz * hz
        kz = xz * hx + yz * hy + zz * hz
        s = 1.0 / (kx * hx + ky * hy + kz * hz + noise)
        sx, sy, sz = s * kx, s * ky, s * kz
        bias = self.bias
        bias[0] += error * sx
        bias[1] += error * sy
        bias[2] += error * sz
        cov = self._bias_cov
        cov[:3] = (xx - sx * kx, xy - sx * ky, xz - sx * kz)
        cov[3:] = (yy - sy * ky, yz - sy * kz, zz - sz * kz)

    def _turn(self, px, py):
        """Turn the estimate about the horizontal earth axes by small angles, and make its norm one again."""
        q = self.q
        w, x, y, z = q
        px *= 0.5
        py *= 0.5
        w, x, y, z = w - px * x - py * y, x + px * w + py * z, y + py * w - px * z, z + px * y - py * x
        k = 1.0 / math.sqrt(w * w + x * x + y * y + z * z)
        q[0] = w * k
        q[1] = x * k
        q[2] = y * k
        q[3] = z * k

    def _watch_rest(self):
        """Tell rest from motion by rate and acceleration near their slow means; return the squared rate, (rad/s)2."""
        k = min(1.0, self._step / _REST_MEAN_S)
        rest_rate = self._rest_rate
        rest_acc = self._rest_acc
        still = True
        rate2 = 0.0
        for i in range(3):
            rate = self._rate[i] * self._gyr_unit
            d = rate - rest_rate[i]
            e = self._acc[i] * self._acc_unit - rest_acc[i]
            rest_rate[i] += k * d
            rest_acc[i] += k * e
            near = -_REST_RATE < d < _REST_RATE and -_REST_ACC < e < _REST_ACC
            still = still and near and -_BIAS_LIMIT < rest_rate[i] < _BIAS_LIMIT
            rate -= self.bias[i]
            rate2 += rate * rate
        self._rest_s = min(self._rest_s + self._step, _REST_AFTER_S) if still else 0.0
        self.at_rest = self._rest_s >= _REST_AFTER_S
        return rate2
