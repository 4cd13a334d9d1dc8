"""Six-axis orientation filter for the board: rad/s and m/s2 in, quaternion q_earth_from_sensor (w, x, y, z) out.

Before it: sampler.py (board) with one IMU sample at a time. After it: wire.py, which packs the quaternion.

The gyroscope is integrated with a three-point rule, so the quaternion belongs to the time of the sample. The
acceleration is rotated into the earth frame and summed to a horizontal velocity, which a body cannot gain for long:
what piles up is gravity seen through a tilt error. A Kalman filter with three states per horizontal axis (tilt,
velocity, gyroscope bias) turns it into a correction about ten times a second; both axes share one covariance.
Plain floats only: single precision is enough, and on a board each float operation allocates 16 bytes.
"""

import math

_G = 9.81  # m/s2
_STEP_S = 0.1  # between corrections
_SPEED_M2_S = 0.12  # noise density of "the sensor stays where it is": 0.7 m/s, four times a second
_REST_SPEED_M2_S = 1e-4  # the same while nothing moves
_TILT_NOISE = 1e-5  # rad2/s without rotation
_SCALE_ERROR = 3e-6  # rad2/s of tilt noise per (rad/s)2: 0.25 % of scale error, half a second at a time
_BIAS_WALK = 1e-10  # (rad/s)2/s
_BIAS_START = 2.7e-4  # (rad/s)2, about (1 deg/s)2
_BIAS_LIMIT = 0.035  # rad/s, 2 deg/s
_REST_BIAS_M2 = 3e-6  # (rad/s)2: one block mean against the true bias while resting
_REST_RATE = 0.035  # rad/s away from the mean of the block before it
_REST_ACC = 0.5  # m/s2
_REST_S = 1.5


class Fusion:
    """Orientation from angular rate and acceleration of one sensor, sample by sample."""

    def __init__(self, rate_hz):
        if not rate_hz > 0:
            raise ValueError("rate of %s Hz, expected more than 0" % rate_hz)
        self._dt = 1.0 / rate_hz
        self._block = max(1, int(rate_hz * _STEP_S + 0.5))
        self.reset()

    def reset(self):
        """Forget everything, as after switching on."""
        self.q = [1.0, 0.0, 0.0, 0.0]
        self.bias = [0.0, 0.0, 0.0]
        self.at_rest = False
        self._samples = 0  # 0: the next sample sets the tilt
        self._left = self._block
        self._g1 = [0.0, 0.0, 0.0]
        self._g2 = [0.0, 0.0, 0.0]
        self._v = [0.0, 0.0]
        self._mean = [0.0, 0.0, 0.0]
        self._acc = [0.0, 0.0, 0.0]
        self._rest_rate = [0.0, 0.0, 0.0]
        self._rest_acc = [0.0, 0.0, 0.0]
        self._rest_s = 0.0
        # Covariance of tilt t (m/s2), velocity v (m/s) and drift b (m/s3) of one horizontal axis.
        self._ptt = 1.0
        self._ptv = self._ptb = self._pvb = 0.0
        self._pvv = 1.0
        self._pbb = _BIAS_START * _G * _G

    def update(self, gx, gy, gz, ax, ay, az):
        """Take one sample: angular rate in rad/s, specific force in m/s2 (at rest it points up)."""
        norm2 = ax * ax + ay * ay + az * az
        if not (1e-6 < norm2 < 1e8 and gx * gx + gy * gy + gz * gz < 1e8):  # also refuses NaN
            return
        if self._samples == 0:
            self._start(gx, gy, gz, ax, ay, az, math.sqrt(norm2))
            return
        g1 = self._g1
        g2 = self._g2
        q = self.q
        bias = self.bias
        mean = self._mean
        v = self._v
        dt = self._dt
        h = dt * 0.5
        px, py, pz = g1
        c = dt / 12.0
        # Mean rate over the step from three samples, and the cross term of two (coning).
        rx = (5.0 * gx + 8.0 * px - g2[0]) / 12.0 + (py * gz - pz * gy) * c - bias[0]
        ry = (5.0 * gy + 8.0 * py - g2[1]) / 12.0 + (pz * gx - px * gz) * c - bias[1]
        rz = (5.0 * gz + 8.0 * pz - g2[2]) / 12.0 + (px * gy - py * gx) * c - bias[2]
        mean[0] += rx
        mean[1] += ry
        mean[2] += rz
        g2[0] = px
        g2[1] = py
        g2[2] = pz
        g1[0] = gx
        g1[1] = gy
        g1[2] = gz
        rx *= h
        ry *= h
        rz *= h
        angle2 = rx * rx + ry * ry + rz * rz
        s = 1.0 - angle2 * (1.0 / 6.0)
        c = 1.0 - angle2 * (0.5 - angle2 * (1.0 / 24.0))
        rx *= s
        ry *= s
        rz *= s
        w, x, y, z = q
        q[0] = w * c - x * rx - y * ry - z * rz
        q[1] = x * c + w * rx + y * rz - z * ry
        q[2] = y * c + w * ry + z * rx - x * rz
        q[3] = z * c + w * rz + x * ry - y * rx
        w, x, y, z = q
        # Horizontal part of the acceleration in the earth frame.
        v[0] += dt * (ax + 2.0 * (w * (y * az - z * ay) + y * (x * ay - y * ax) - z * (z * ax - x * az)))
        v[1] += dt * (ay + 2.0 * (w * (z * ax - x * az) + z * (y * az - z * ay) - x * (x * ay - y * ax)))
        acc = self._acc
        acc[0] = ax
        acc[1] = ay
        acc[2] = az
        self._left -= 1
        if self._left == 0:
            self._left = self._block
            self._correct()

    def _start(self, gx, gy, gz, ax, ay, az, norm):
        """Set the tilt so that the first acceleration points up."""
        ax /= norm
        ay /= norm
        az /= norm
        if az > -0.9999:
            k = math.sqrt((1.0 + az) * 2.0)
            self.q[:] = [k * 0.5, ay / k, -ax / k, 0.0]
        else:
            self.q[:] = [0.0, 1.0, 0.0, 0.0]
        self._g1[:] = [gx, gy, gz]
        self._g2[:] = [gx, gy, gz]
        self._samples = 1

    def _correct(self):
        """Take what piled up since the last call as tilt and bias, and look whether the sensor rests."""
        n = self._block
        step = n * self._dt
        mean = self._mean
        rate2 = 0.0
        for i in range(3):
            mean[i] /= n
            rate2 += mean[i] * mean[i]
        self._watch_rest(step)
        self._predict(step, rate2)
        r = (_REST_SPEED_M2_S if self.at_rest else _SPEED_M2_S) / step
        s = 1.0 / (self._pvv + r)
        kt = self._ptv * s
        kv = self._pvv * s
        kb = self._pvb * s
        self._ptt -= kt * self._ptv
        self._ptb -= kt * self._pvb
        self._pbb -= kb * self._pvb
        self._ptv -= kv * self._ptv
        self._pvb -= kv * self._pvb
        self._pvv -= kv * self._pvv
        v = self._v
        vx, vy = v
        kt /= _G
        self._turn(kt * vy, -kt * vx)
        v[0] = vx - kv * vx
        v[1] = vy - kv * vy
        kb /= _G
        self._shift_bias(-kb * vy, kb * vx)
        if self.at_rest:
            self._rest_bias(step)
        bias = self.bias
        for i in range(3):
            bias[i] = min(max(bias[i], -_BIAS_LIMIT), _BIAS_LIMIT)
            mean[i] = 0.0

    def _predict(self, step, rate2):
        """Carry the covariance over one step: b drives t, t drives v."""
        h = step * 0.5
        self._pvv += step * (2.0 * self._ptv + step * self._ptt)
        self._ptv += step * (self._ptt + self._pvb + h * self._ptb)
        self._pvb += step * self._ptb
        self._ptt += step * (2.0 * self._ptb + step * self._pbb + (_TILT_NOISE + _SCALE_ERROR * rate2) * _G * _G)
        self._ptb += step * self._pbb
        self._pbb += step * _BIAS_WALK * _G * _G

    def _turn(self, px, py):
        """Turn the estimate about horizontal earth axes by small angles, and make its norm one again."""
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

    def _shift_bias(self, ex, ey):
        """Add a bias given in horizontal earth axes."""
        w, x, y, z = self.q
        bias = self.bias
        bias[0] += ex * (1.0 - 2.0 * (y * y + z * z)) + ey * 2.0 * (x * y + w * z)
        bias[1] += ex * 2.0 * (x * y - w * z) + ey * (1.0 - 2.0 * (x * x + z * z))
        bias[2] += ex * 2.0 * (x * z + w * y) + ey * 2.0 * (y * z - w * x)

    def _watch_rest(self, step):
        """Rest is when rate and acceleration stay near their slow means for a while."""
        k = step / 0.5
        if k > 1.0:
            k = 1.0
        moved = False
        for i in range(3):
            d = self._mean[i] + self.bias[i] - self._rest_rate[i]
            self._rest_rate[i] += k * d
            e = self._acc[i] - self._rest_acc[i]
            self._rest_acc[i] += k * e
            if not (-_REST_RATE < d < _REST_RATE and -_REST_ACC < e < _REST_ACC):
                moved = True
            if not -_BIAS_LIMIT < self._rest_rate[i] < _BIAS_LIMIT:
                moved = True
        self._rest_s = 0.0 if moved else min(self._rest_s + step, 100.0)
        self.at_rest = self._rest_s >= _REST_S

    def _rest_bias(self, step):
        """While resting, what the gyroscope still shows is its bias."""
        r = _REST_BIAS_M2 / step * _G * _G
        k = self._pbb / (self._pbb + r)
        bias = self.bias
        for i in range(3):
            bias[i] += k * (self._rest_rate[i] - bias[i])
        self._ptb -= k * self._ptb
        self._pvb -= k * self._pvb
        self._pbb -= k * self._pbb
