"""A plain six-axis Madgwick filter, to measure the board's fusion against: gradient step on the accelerometer.

S. Madgwick, "An efficient orientation filter for inertial and inertial/magnetic sensor arrays", 2010, equations 25,
26, 31 and 33 (IMU case). Interface as common/fusion.py. Written without tricks, as most boards run it.
"""

from math import sqrt


class Madgwick:
    """`q` is (w, x, y, z), earth z up."""

    def __init__(self, rate_hz, beta=0.1):
        self._dt = 1.0 / rate_hz
        self._beta = beta
        self.q = [1.0, 0.0, 0.0, 0.0]

    def update(self, gx, gy, gz, ax, ay, az):
        """Take one sample in rad/s and any unit of acceleration."""
        w, x, y, z = self.q
        dw = 0.5 * (-x * gx - y * gy - z * gz)
        dx = 0.5 * (w * gx + y * gz - z * gy)
        dy = 0.5 * (w * gy - x * gz + z * gx)
        dz = 0.5 * (w * gz + x * gy - y * gx)
        norm = sqrt(ax * ax + ay * ay + az * az)
        if norm > 0.0:
            ax, ay, az = ax / norm, ay / norm, az / norm
            f1 = 2.0 * (x * z - w * y) - ax
            f2 = 2.0 * (w * x + y * z) - ay
            f3 = 2.0 * (0.5 - x * x - y * y) - az
            sw = -2.0 * y * f1 + 2.0 * x * f2
            sx = 2.0 * z * f1 + 2.0 * w * f2 - 4.0 * x * f3
            sy = -2.0 * w * f1 + 2.0 * z * f2 - 4.0 * y * f3
            sz = 2.0 * x * f1 + 2.0 * y * f2
            norm = sqrt(sw * sw + sx * sx + sy * sy + sz * sz)
            if norm > 0.0:
                step = self._beta / norm
                dw, dx, dy, dz = dw - step * sw, dx - step * sx, dy - step * sy, dz - step * sz
        dt = self._dt
        w, x, y, z = w + dw * dt, x + dx * dt, y + dy * dt, z + dz * dt
        norm = 1.0 / sqrt(w * w + x * x + y * y + z * z)
        self.q = [w * norm, x * norm, y * norm, z * norm]
