"""Kalman filter of tilt and gyroscope bias: the horizontal velocity that piled up in, what to turn and to learn out.

A body cannot gain velocity for long: what piles up is gravity seen through a tilt error. There are two stages
(Friedland 1969, doi:10.1109/TAC.1969.1099223): tilt and velocity as if there were no bias, the same for both
horizontal axes, and beside it a 3 x 3 filter for the bias. That is as good as seven states at once for a quarter of
the arithmetic.
"""

from tiltwise.common import const

_G = const(9.81)  # m/s2

# How much the sensor moves. Velocity is taken as noise: its size squared times how long it keeps its direction.
_STILL_SPEED2 = const(0.09)  # (m/s)2: a person who hardly accelerates may still lean at 0.3 m/s
_SWING_S2 = const(0.04)  # s2: human motion is near 1 Hz, where speed is 0.16-0.2 s times acceleration
_SWING_MEAN_S = const(2.0)  # over which acceleration is averaged: two swings
_KEEPS_S = const(0.25)  # s, a quarter of a swing
_REST_SPEED2_S = const(1e-4)  # (m/s)2 s while at rest, a few mm/s for some seconds

# How fast the estimate goes wrong without correction.
# (m/s2)2/s: 0.2 deg in a second, the gyroscope's imperfections at rest and in slow motion.
_TILT_WALK = 1e-5 * _G * _G
_SCALE_WALK = 5e-6 * _G * _G  # the same per (rad/s)2: 0.3 % of scale error, half a second in one direction
_BIAS_WALK = const(5e-9)  # (rad/s)2/s: 0.1 deg/s in ten minutes of warming up

# What is known at the start.
_TILT_START = const(5.0)  # (m/s2)2: 13 deg, one sample of a moving accelerometer
_SPEED_START = const(1.0)  # (m/s)2
BIAS_START = const(0.0174)  # rad/s: 1 deg/s, the zero-rate level in most data sheets
_BIAS_LIMIT = const(3.0)  # times that: more is not a bias but a broken part or a motion

# Rest: rate and acceleration stay this near their means of the last half second, for some time.
_REST_RATE = const(0.035)  # rad/s
_REST_ACC = const(0.5)  # m/s2
_REST_MEAN_S = const(0.5)
_REST_AFTER_S = const(1.5)
_REST_BIAS2_S = const(3e-6)  # (rad/s)2 s: a resting person sways 0.1 deg/s for a second


class TiltFilter:
    """What is known of the tilt and of the gyroscope's bias, and how sure it is.

    Parameters
    ----------
    gyr_unit, acc_unit
        What 1 means in the rates and forces given to `correct`: rad/s and m/s2.
    zero_rate
        Bias expected at the start, one standard deviation in rad/s.

    Attributes
    ----------
    bias
        Gyroscope bias, three rad/s in sensor axes.
    at_rest
        Whether the sensor lies still.
    swing
        Mean squared horizontal acceleration of one axis over about two seconds, (m/s2)2.
    step
        Seconds from one `correct` to the next.
    """

    def __init__(self, gyr_unit, acc_unit, zero_rate):
        self._gyr_unit = gyr_unit
        self._acc_unit = acc_unit
        self._zero_rate = zero_rate
        self._bias_limit = _BIAS_LIMIT * zero_rate
        self.step = 0.0
        self.reset()

    def reset(self):
        """Forget everything, as after switching on."""
        self.bias = [0.0, 0.0, 0.0]
        self._rest_rate = [0.0, 0.0, 0.0]
        self._rest_acc = [0.0, 0.0, 0.0]
        start = self._zero_rate * self._zero_rate
        self._bias_cov = [start, 0.0, 0.0, start, 0.0, start]  # xx xy xz yy yz zz
        self._axis = 0  # whose bias is looked at next while resting
        self.doubt()

    def doubt(self):
        """Doubt the tilt, as after a gap in the samples; the bias is kept."""
        self.at_rest = False
        self._rest_s = 0.0
        self._v = [0.0, 0.0]  # horizontal velocity that piled up, m/s
        # Tilt tilt, tilt velocity, velocity velocity of either axis.
        self._cov = [_TILT_START, 0.0, _SPEED_START]
        # What 1 rad/s of bias does to the tilt (m/s2) and to the velocity (m/s), for axes x and y: 2 rows of 3.
        self._tilt_by_bias = [0.0] * 6
        self._v_by_bias = [0.0] * 6
        self.swing = 0.0
        self._swings = 0.0  # steps it was taken over

    def correct(self, ax, ay, lacks, rate, acc, q):
        """Look at what piled up in one step; return the small turn (rad) about the earth's x and y that it asks for.

        Given are the mean horizontal acceleration (m/s2), the speed that clipped forces may lack (m/s), the last
        sample's rate and force in units, and the orientation.
        """
        step = self.step
        self._v[0] += ax * step
        self._v[1] += ay * step
        self._predict(self._watch_rest(rate, acc), q)
        self._cov[2] += lacks * lacks
        return self._correct_tilt(self._speed_noise(0.5 * (ax * ax + ay * ay)))

    def _speed_noise(self, acc2):
        """Return the variance (m/s)2 of "the sensor does not move" over one step, from how hard it is shaken."""
        if self._swings < _SWING_MEAN_S / self.step:
            self._swings += 1.0
        self.swing += (acc2 - self.swing) / self._swings
        if self.at_rest:
            return _REST_SPEED2_S / self.step
        return (_STILL_SPEED2 + _SWING_S2 * self.swing) * _KEEPS_S / self.step

    def _predict(self, rate2, q):
        """Let the uncertainty grow over one step: bias drives tilt, tilt drives velocity."""
        step = self.step
        cov = self._cov
        cov[2] += step * (2.0 * cov[1] + step * cov[0])
        cov[1] += step * cov[0]
        cov[0] += step * (_TILT_WALK + _SCALE_WALK * rate2)
        tilt_by = self._tilt_by_bias
        v_by = self._v_by_bias
        row_x, row_y = _horizontal_axes(q)
        k = step * _G
        for i in range(3):
            v_by[i] += step * (tilt_by[i] + 0.5 * k * row_y[i])
            v_by[i + 3] += step * (tilt_by[i + 3] - 0.5 * k * row_x[i])
            tilt_by[i] += k * row_y[i]
            tilt_by[i + 3] -= k * row_x[i]
        bias_cov = self._bias_cov
        for i in (0, 3, 5):
            bias_cov[i] += step * _BIAS_WALK

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
            self._learn_bias(i == 0, i == 1, i == 2, error, _REST_BIAS2_S / (3.0 * self.step))
        limit = self._bias_limit
        for i in range(3):
            self.bias[i] = min(max(self.bias[i], -limit), limit)
            d = self.bias[i] - before[i]
            tilt[0] += tilt_by[i] * d
            tilt[1] += tilt_by[i + 3] * d
            v[0] -= by[i] * d
            v[1] -= by[i + 3] * d
        return tilt[1] / _G, -tilt[0] / _G

    def _learn_bias(self, hx, hy, hz, error, noise):
        """Kalman step of the bias for one number that the bias drives by (hx, hy, hz)."""
        xx, xy, xz, yy, yz, zz = self._bias_cov
        kx = xx * hx + xy * hy + xz * hz
        ky = xy * hx + yy * hy + yz * hz
        kz = xz * hx + yz * hy + zz * hz
        s = 1.0 / (kx * hx + ky * hy + kz * hz + noise)
        gain = s * error
        bias = self.bias
        bias[0] += gain * kx
        bias[1] += gain * ky
        bias[2] += gain * kz
        self._bias_cov[:] = [
            xx - s * kx * kx,
            xy - s * kx * ky,
            xz - s * kx * kz,
            yy - s * ky * ky,
            yz - s * ky * kz,
            zz - s * kz * kz,
        ]

    def _watch_rest(self, rates, forces):
        """Tell rest from motion by rate and acceleration near their slow means; return the squared rate, (rad/s)2."""
        k = min(1.0, self.step / _REST_MEAN_S)
        rest_rate = self._rest_rate
        rest_acc = self._rest_acc
        limit = self._bias_limit
        still = True
        rate2 = 0.0
        for i in range(3):
            rate = rates[i] * self._gyr_unit
            d = rate - rest_rate[i]
            e = forces[i] * self._acc_unit - rest_acc[i]
            rest_rate[i] += k * d
            rest_acc[i] += k * e
            if not (-_REST_RATE < d < _REST_RATE and -_REST_ACC < e < _REST_ACC):
                still = False
            if not -limit < rest_rate[i] < limit:
                still = False
            rate -= self.bias[i]
            rate2 += rate * rate
        self._rest_s = min(self._rest_s + self.step, _REST_AFTER_S) if still else 0.0
        self.at_rest = self._rest_s >= _REST_AFTER_S
        return rate2


def _horizontal_axes(q):
    """Return the earth axes x and y in sensor axes."""
    w, x, y, z = q
    x2, y2, z2 = x + x, y + y, z + z
    xy, wz, zz = x * y2, w * z2, z * z2
    return (
        (1.0 - y * y2 - zz, xy - wz, x * z2 + w * y2),
        (xy + wz, 1.0 - x * x2 - zz, y * z2 - w * x2),
    )
