"""Orientation as four integers [w, x, y, z], of which 1 is 2**29: turned without making objects on a board."""

import math

from tiltwise.common import const

ONE = 1 << 29  # as much as a board has without an object
_UNIT = 1.0 / 536870912.0
ANGLE_ONE = const(1048576.0)  # 1 rad in the integers that hold half the angle of a step
_SMALL = const(8389)  # 0.008 rad, half the angle of a step about one axis: 48 deg/s at 52 steps a second
_TURN_END = const(0.03)  # rad, a correction that integers hold
_TURN_START = const(-0.03)
_TURN_ONE = const(2097152.0)  # half of 1 rad of it: 2**22 / 2


def floats(q):
    """Return the orientation as four floats."""
    w, x, y, z = q
    return [w * _UNIT, x * _UNIT, y * _UNIT, z * _UNIT]


def set_floats(q, w, x, y, z):
    """Write an orientation of floats."""
    q[0] = round(w * ONE)
    q[1] = round(x * ONE)
    q[2] = round(y * ONE)
    q[3] = round(z * ONE)


def turn_by(q, hx, hy, hz):
    """Turn an orientation by a step, half of whose angle is (hx, hy, hz) / ANGLE_ONE; integers only."""
    w, x, y, z = q
    w = w + 32768 >> 16
    x = x + 32768 >> 16
    y = y + 32768 >> 16
    z = z + 32768 >> 16
    # The quaternion of the step is (1 - c, h): |h| is the sine of the half angle. In a small step c = 0 makes a
    # relative error of 6e-5 in the angle, and a norm that `tilt_by` puts right before it is off by 0.2 %.
    c = 0
    if not (-_SMALL < hx < _SMALL and -_SMALL < hy < _SMALL and -_SMALL < hz < _SMALL):
        k = ((hx >> 4) * (hx >> 4) + (hy >> 4) * (hy >> 4) + (hz >> 4) * (hz >> 4)) >> 12
        c = (k >> 1) - ((k >> 4) * (k >> 4) // 24 >> 12)
        k = k // 6
        hx -= (hx >> 4) * k >> 16
        hy -= (hy >> 4) * k >> 16
        hz -= (hz >> 4) * k >> 16
    q[0] -= w * c + x * hx + y * hy + z * hz + 8 >> 4
    q[1] += w * hx + y * hz - z * hy - x * c + 8 >> 4
    q[2] += w * hy + z * hx - x * hz - y * c + 8 >> 4
    q[3] += w * hz + x * hy - y * hx - z * c + 8 >> 4


def tilt_by(q, px, py):
    """Turn an orientation about the horizontal earth axes by small angles, and make its norm one again."""
    if not (_TURN_START < px < _TURN_END and _TURN_START < py < _TURN_END):
        _tilt_far(q, px, py)
        return
    px = round(px * _TURN_ONE)
    py = round(py * _TURN_ONE)
    w, x, y, z = q
    sw = w + 32768 >> 16
    sx = x + 32768 >> 16
    sy = y + 32768 >> 16
    sz = z + 32768 >> 16
    w -= px * sx + py * sy + 32 >> 6
    x += px * sw + py * sz + 32 >> 6
    y += py * sw - px * sz + 32 >> 6
    z += px * sy - py * sx + 32 >> 6
    # What the norm lacks, from its square: 1 is 2**28.
    sw = w + 16384 >> 15
    sx = x + 16384 >> 15
    sy = y + 16384 >> 15
    sz = z + 16384 >> 15
    k = 268435456 - sw * sw - sx * sx - sy * sy - sz * sz + 16 >> 5
    q[0] = w + (sw * k + 256 >> 9)
    q[1] = x + (sx * k + 256 >> 9)
    q[2] = y + (sy * k + 256 >> 9)
    q[3] = z + (sz * k + 256 >> 9)


def _tilt_far(q, px, py):
    """Do the same for angles that are not small, as at the start."""
    w, x, y, z = floats(q)
    px *= 0.5
    py *= 0.5
    w, x, y, z = w - px * x - py * y, x + px * w + py * z, y + py * w - px * z, z + px * y - py * x
    k = 1.0 / math.sqrt(w * w + x * x + y * y + z * z)
    set_floats(q, w * k, x * k, y * k, z * k)
