"""A chain of joints with exact kinematics: orientation, angular velocity and specific force at every link.

Start at the earth, turn about an axis, shift along a vector, turn again ...: after each step the link knows, at
n instants, what an ideal IMU fixed to it would measure (rad/s, m/s2) and where it is (m). This is the forward pass of
recursive Newton-Euler dynamics; nothing is differentiated numerically. Used by segments.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray

GRAVITY_M_S2 = 9.80665
Columns = tuple[FloatArray, FloatArray, FloatArray]
Motion = tuple[FloatArray, FloatArray, FloatArray]  # a coordinate: value, rate, acceleration, each (n,)
_NEXT = ((1, 2), (2, 0), (0, 1))  # the two axes that a rotation about axis k mixes, in right-handed order


def _cross(a: Columns, b: Columns) -> Columns:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


@dataclass(frozen=True, slots=True)
class Link:
    """A frame in motion; every entry is a column (n,), vectors in the link's own axes unless named otherwise."""

    q_earth_from_link: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    gyr_rad_s: Columns
    spin_rad_s2: Columns  # angular acceleration
    acc_m_s2: Columns  # specific force at the origin
    position_m: Columns  # in earth axes

    def turn(self, axis: int, angle: Motion) -> Link:
        """Return the link turned about its own axis (0 x, 1 y, 2 z) by an angle in rad."""
        theta, rate, acceleration = angle
        j, k = _NEXT[axis]
        c, s = np.cos(theta), np.sin(theta)

        def turned(v: Columns) -> list[FloatArray]:
            out = list(v)
            out[j], out[k] = c * v[j] + s * v[k], c * v[k] - s * v[j]
            return out

        gyr, spin, acc = turned(self.gyr_rad_s), turned(self.spin_rad_s2), turned(self.acc_m_s2)
        # The old angular velocity turns backwards as seen from the new axes: d/dt = ... - rate e x gyr.
        spin[j] = spin[j] + rate * gyr[k]
        spin[k] = spin[k] - rate * gyr[j]
        spin[axis] = spin[axis] + acceleration
        gyr[axis] = gyr[axis] + rate
        half_c, half_s = np.cos(theta / 2), np.sin(theta / 2)
        w, v = self.q_earth_from_link[0], self.q_earth_from_link[1:]
        q = [half_c * w - half_s * v[axis], *v]
        q[1 + axis] = half_c * v[axis] + half_s * w
        q[1 + j] = half_c * v[j] + half_s * v[k]
        q[1 + k] = half_c * v[k] - half_s * v[j]
        return Link(
            (q[0], q[1], q[2], q[3]),
            (gyr[0], gyr[1], gyr[2]),
            (spin[0], spin[1], spin[2]),
            (acc[0], acc[1], acc[2]),
            self.position_m,
        )

    def shift(self, x: Motion, y: Motion, z: Motion) -> Link:
        """Return the link moved along its own axes by (x, y, z) in m, which may change over time."""
        offset, speed, push = (x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2])
        tangential = _cross(self.spin_rad_s2, offset)
        swirl = _cross(self.gyr_rad_s, offset)
        inner: Columns = tuple(a + 2 * b for a, b in zip(swirl, speed, strict=True))  # type: ignore[assignment]
        central = _cross(self.gyr_rad_s, inner)
        acc: Columns = tuple(  # type: ignore[assignment]
            f + a + b + p for f, a, b, p in zip(self.acc_m_s2, tangential, central, push, strict=True)
        )
        moved: Columns = tuple(  # type: ignore[assignment]
            p + d for p, d in zip(self.position_m, _to_earth(self.q_earth_from_link, offset), strict=True)
        )
        return Link(self.q_earth_from_link, self.gyr_rad_s, self.spin_rad_s2, acc, moved)


def _to_earth(q: tuple[FloatArray, FloatArray, FloatArray, FloatArray], v: Columns) -> Columns:
    """Return the vector v of the link in earth axes."""
    axis: Columns = (q[1], q[2], q[3])
    t = _cross(axis, v)
    u = _cross(axis, t)
    return (v[0] + 2 * (q[0] * t[0] + u[0]), v[1] + 2 * (q[0] * t[1] + u[1]), v[2] + 2 * (q[0] * t[2] + u[2]))


def from_earth(x: Motion, y: Motion, z: Motion) -> Link:
    """Return a link that keeps the earth's axes and travels along (x, y, z) in m."""
    one, zero = np.ones_like(x[0]), np.zeros_like(x[0])
    still = (zero, zero, zero)
    return Link((one, zero, zero, zero), still, still, (x[2], y[2], z[2] + GRAVITY_M_S2), (x[0], y[0], z[0]))
