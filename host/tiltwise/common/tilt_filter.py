"""Kalman filter of tilt and gyroscope bias: the horizontal velocity that piled up in, what to turn and to learn out.

A body cannot gain velocity for long: what piles up is gravity seen through a tilt error. There are two stages
(Friedland 1969, doi:10.1109/TAC.1969.1099223): tilt and velocity as if there were no bias, the same for both
horizontal axes, and beside it a 3 x 3 filter for the bias. That is as good as seven states at once for a quarter of
the arithmetic. What only weighs is kept in integers, of which a board makes no objects.
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

# Integers: rates and forces 16 a unit; what the bias does 256 a unit, its changes 2**14 times that.
_MEAN = const(16)
_BY = const(256.0)
_BY2 = const(65536.0)
_SHIFTED = const(16384.0)
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
        Seconds from one `correct` to the next, as `set_step` took them.
    """

    def __init__(self, gyr_unit, acc_unit, zero_rate):
        self._zero_rate = zero_rate
        self._limit = _BIAS_LIMIT * zero_rate
        self._least = -self._limit
        # In units of the means of rate and force.
        self._mean_unit = gyr_unit / _MEAN
        self._rest_rate = int(_REST_RATE / self._mean_unit)
        self._rest_acc = int(_REST_ACC * _MEAN / acc_unit)
        self._rest_limit = int(self._limit / self._mean_unit)
        self._rate2_unit = gyr_unit * gyr_unit * 256.0
        self.set_step(0.2)
        self.reset()

    def set_step(self, step):
        """Take these as the seconds from one `correct` to the next."""
        self.step = step
        self._mean_share = round(256.0 * min(1.0, step / _REST_MEAN_S))
        self._after = int(_REST_AFTER_S / step + 0.999)
        self._most_swings = int(_SWING_MEAN_S / step + 0.999)
        self._walk = step * _TILT_WALK
        self._scale_walk = step * _SCALE_WALK * self._rate2_unit
        self._bias_walk = step * _BIAS_WALK
        self._keeps = _KEEPS_S / step
        # What a bias along an axis of the earth adds in a step, for one of 2**14 in `_horizontal_axes`.
        self._tilt_gain = round(step * _G * _BY)
        self._v_gain = round(0.5 * step * step * _G * _BY * 16.0)
        self._v_share = round(step * _SHIFTED)

    def reset(self):
        """Forget everything, as after switching on."""
        self.bias = [0.0, 0.0, 0.0]
        self._mean_rate = [0, 0, 0]
        self._mean_acc = [0, 0, 0]
        start = self._zero_rate * self._zero_rate
        self._bias_cov = [start, 0.0, 0.0, start, 0.0, start]  # xx xy xz yy yz zz
        self._axis = 0  # whose bias is looked at next while resting
        self._is_x = True
        self.doubt()

    def doubt(self):
        """Doubt the tilt, as after a gap in the samples; the bias is kept."""
        self.at_rest = False
        self._still = 0  # steps in a row
        self._v = [0.0, 0.0]  # horizontal velocity that piled up, m/s
        # Tilt tilt, tilt velocity, velocity velocity of either axis.
        self._cov = [_TILT_START, 0.0, _SPEED_START]
        # What 1 rad/s of bias does to the tilt (m/s2) and to the velocity (m/s), for axes x and y: 2 rows of 3.
        self._tilt_by_bias = [0] * 6
        self._v_by_bias = [0] * 6
        self.swing = 0.0
        self._swings = 0  # steps it was taken over

    def correct(self, ax, ay, lacks, rate, acc, fixed):
        """Look at what piled up in one step; return the small turn (rad) about the earth's x and y that it asks for.

        Given are the mean horizontal acceleration (m/s2), the speed that clipped forces may lack (m/s), the last
        sample's rate and force in units, and the orientation, of which 1 is 2**29.
        """
        step = self.step
        v = self._v
        v[0] += ax * step
        v[1] += ay * step
        self._predict(self._watch_rest(rate, acc), fixed)
        if lacks:
            self._cov[2] += lacks * lacks
        return self._correct_tilt(self._speed_noise(0.5 * (ax * ax + ay * ay)))

    def _speed_noise(self, acc2):
        """Return the variance (m/s)2 of "the sensor does not move" over one step, from how hard it is shaken."""
        if self._swings < self._most_swings:
            self._swings += 1
        self.swing += (acc2 - self.swing) / self._swings
        if self.at_rest:
            return _REST_SPEED2_S / self.step
        return (_STILL_SPEED2 + _SWING_S2 * self.swing) * self._keeps

    def _predict(self, rate2, fixed):
        """Let the uncertainty grow over one step: bias drives tilt, tilt drives velocity."""
        step = self.step
        cov = self._cov
        grown = cov[1] + step * cov[0]
        cov[2] += step * (cov[1] + grown)
        cov[1] = grown
        cov[0] += self._walk + self._scale_walk * rate2
        tilt_by = self._tilt_by_bias
        v_by = self._v_by_bias
        row_x, row_y = _horizontal_axes(fixed)
        share = self._v_share
        v_gain = self._v_gain
        gain = self._tilt_gain
        for i in range(3):
            x = row_x[i]
            y = row_y[i]
            v_by[i] += (tilt_by[i] * share + 8192 >> 14) + (v_gain * y + 131072 >> 18)
            v_by[i + 3] += (tilt_by[i + 3] * share + 8192 >> 14) - (v_gain * x + 131072 >> 18)
            tilt_by[i] += gain * y + 8192 >> 14
            tilt_by[i + 3] -= gain * x + 8192 >> 14
        bias_cov = self._bias_cov
        k = self._bias_walk
        bias_cov[0] += k
        bias_cov[3] += k
        bias_cov[5] += k

    def _correct_tilt(self, noise):
        """Take the velocity that piled up as a sign of tilt and of bias, weighing it against `noise` (m/s)2."""
        cov = self._cov
        v = self._v
        noise += cov[2]
        k_tilt = cov[1] / noise
        k_v = cov[2] / noise
        cov[0] -= k_tilt * cov[1]
        cov[1] -= k_v * cov[1]
        cov[2] -= k_v * cov[2]
        vx, vy = v
        tilt_x = k_tilt * vx
        tilt_y = k_tilt * vy
        v[0] -= k_v * vx
        v[1] -= k_v * vy
        x, y, z = self.bias
        self._learn_from_velocity(vx, vy, noise)
        self._fade(round(k_tilt * _SHIFTED), round(k_v * _SHIFTED))
        if self.at_rest:  # one axis at a time saves arithmetic; each is weighed as its own third of the time
            i = self._axis = (self._axis + 1) % 3
            error = self._mean_rate[i] * self._mean_unit - self.bias[i]
            self._learn_bias(i == 0, i == 1, i == 2, error, _REST_BIAS2_S / (3.0 * self.step))
        self._limit_bias()
        # The tilt and the velocity that the change of the bias explains.
        bias = self.bias
        x = (bias[0] - x) / _BY
        y = (bias[1] - y) / _BY
        z = (bias[2] - z) / _BY
        by = self._v_by_bias
        v[0] -= by[0] * x + by[1] * y + by[2] * z
        v[1] -= by[3] * x + by[4] * y + by[5] * z
        by = self._tilt_by_bias
        tilt_x += by[0] * x + by[1] * y + by[2] * z
        tilt_y += by[3] * x + by[4] * y + by[5] * z
        return tilt_y / _G, -tilt_x / _G

    def _learn_from_velocity(self, vx, vy, noise):
        """Take the velocity as a sign of the bias, one axis at a time, weighed for both."""
        by = self._v_by_bias
        noise *= _BY2 * 0.5
        if self._is_x:
            self._learn_bias(by[0], by[1], by[2], vx * _BY, noise)
        else:
            self._learn_bias(by[3], by[4], by[5], vy * _BY, noise)
        self._is_x = not self._is_x

    def _fade(self, k_tilt, k_v):
        """Let what the bias did to tilt and velocity shrink by what was just taken back."""
        tilt_by = self._tilt_by_bias
        by = self._v_by_bias
        for i in range(6):
            tilt_by[i] -= k_tilt * by[i] + 8192 >> 14
            by[i] -= k_v * by[i] + 8192 >> 14

    def _limit_bias(self):
        bias = self.bias
        for i in range(3):
            if bias[i] > self._limit:
                bias[i] = self._limit
            elif bias[i] < self._least:
                bias[i] = self._least

    def _learn_bias(self, hx, hy, hz, error, noise):
        """Kalman step of the bias for one number that the bias drives by (hx, hy, hz)."""
        cov = self._bias_cov
        xx, xy, xz, yy, yz, zz = cov
        kx = xx * hx + xy * hy + xz * hz
        ky = xy * hx + yy * hy + yz * hz
        kz = xz * hx + yz * hy + zz * hz
        noise += kx * hx + ky * hy + kz * hz
        error /= noise
        bias = self.bias
        bias[0] += error * kx
        bias[1] += error * ky
        bias[2] += error * kz
        x = kx / noise
        cov[0] = xx - x * kx
        cov[1] = xy - x * ky
        cov[2] = xz - x * kz
        y = ky / noise
        cov[3] = yy - y * ky
        cov[4] = yz - y * kz
        cov[5] = zz - kz * kz / noise

    def _watch_rest(self, rates, forces):
        """Tell rest from motion by rate and force near their slow means; return the squared rate, 1/256 units2."""
        k = self._mean_share
        mean_rate = self._mean_rate
        mean_acc = self._mean_acc
        most_d = self._rest_rate
        most_e = self._rest_acc
        limit = self._rest_limit
        still = True
        rate2 = 0
        for i in range(3):
            rate = rates[i]
            d = rate * _MEAN - mean_rate[i]
            e = forces[i] * _MEAN - mean_acc[i]
            mean_rate[i] += d * k + 128 >> 8
            mean_acc[i] += e * k + 128 >> 8
            if not (-most_d < d < most_d and -most_e < e < most_e and -limit < mean_rate[i] < limit):
                still = False
            rate >>= 4
            rate2 += rate * rate
        self._still = min(self._still + 1, self._after) if still else 0
        self.at_rest = self._still >= self._after
        return rate2


def _horizontal_axes(fixed):
    """Return the earth axes x and y in sensor axes as integers, 1 is 2**14, of an orientation of which 1 is 2**29."""
    w, x, y, z = fixed
    w = w + 16384 >> 15
    x = x + 16384 >> 15
    y = y + 16384 >> 15
    z = z + 16384 >> 15
    zz = z * z
    return (
        (16384 - (y * y + zz >> 13), x * y - w * z >> 13, x * z + w * y >> 13),
        (x * y + w * z >> 13, 16384 - (x * x + zz >> 13), y * z - w * x >> 13),
    )
