"""The board's filter where the accelerometer's range ends: what is clipped is less than the truth."""

import math

import numpy as np
import pytest

from tiltwise.common.fusion import Fusion

RATE_HZ = 104.0
GYR_UNIT = math.radians(1000.0) / 32768  # the board's own ranges, firmware/config.py
G = 9.80665


def worst_deg(tilt_deg, contact, range_g):
    """Hop for a minute at 1.7 Hz, a tilted sensor on the back; return the largest error of "up" in degrees.

    Each landing is half a sine over this share of the time, as high as it has to be for a mean of 1 g.
    """
    rng = np.random.default_rng(1)
    n = round(60 * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    phase = 1.7 * t_s % 1
    force = np.where(phase < contact, math.pi / 2 / contact * np.sin(np.pi * phase / contact), 0.0)
    force[t_s < 5] = 1.0
    up = np.array([math.sin(math.radians(tilt_deg)), 0.0, math.cos(math.radians(tilt_deg))])
    unit = range_g * G / 32768
    acc = np.clip(np.round((G * force[:, None] * up + rng.normal(0, 0.02, (n, 3))) / unit), -32768, 32767)
    gyr = np.round(rng.normal(0, 0.002, (n, 3)) / GYR_UNIT)
    fusion = Fusion(RATE_HZ, GYR_UNIT, unit, 2)
    found, worst = [0.0, 0.0, 0.0], 0.0
    for k, row in enumerate(np.hstack([gyr, acc]).astype(int).tolist()):
        fusion.update(*row)
        if t_s[k] > 5:
            fusion.up_into(found)
            worst = max(
                worst, math.degrees(math.acos(min(1.0, float(up @ found) / float(np.linalg.norm(found)))))
            )
    return worst


@pytest.mark.parametrize(("tilt_deg", "contact"), [(35, 0.25), (35, 0.2), (20, 0.2)])
def test_landings_beyond_the_range_do_not_tilt_the_back(tilt_deg, contact):
    """Taken as gravity they made 4 to 9 deg of error."""
    assert worst_deg(tilt_deg, contact, range_g=16) < 0.2
    assert worst_deg(tilt_deg, contact, range_g=4) < 2.6


def test_the_first_sample_may_be_clipped():
    fusion = Fusion(RATE_HZ, GYR_UNIT, 4 * G / 32768, 2)
    fusion.update(0, 0, 0, 0, 0, 32767)
    for _ in range(1040):
        fusion.update(0, 0, 0, 0, 0, 8192)
    up = [0.0, 0.0, 0.0]
    fusion.up_into(up)
    assert up[2] == pytest.approx(1.0, abs=1e-4)
