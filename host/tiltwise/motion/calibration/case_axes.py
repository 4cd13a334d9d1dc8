"""Which way a case faces: what its maker knows tells forward from sideways, whatever movement the person showed.

Our own boards lie in their case with sensor +z pointing away from the skin, on the back of the neck, head or collar:
forward is where the other side points. alignment.py holds that against the forward of the nods. Degrees.
"""

from __future__ import annotations

import numpy as np

from tiltwise.motion.rotation import normalise
from tiltwise.types import FloatArray

OWN_FACE = "+z"  # of our own boards: hardware/README.md
FACES = tuple(sign + axis for axis in "xyz" for sign in "+-")
# Nods are 3 to 5 deg crooked. A case that is worn with some care sits within 12 deg on each axis, in a hurry within
# 30. A diagonal nod is 45 deg off: with 33, care keeps the two apart and hardly anybody in a hurry is sent away.
MOST_OFF_DEG = 33.0
TELL_OFF_DEG = 20.0  # beyond, something is crooked, the case or the nods: worth a note
WIDEST_DEG = 60.0  # halfway to sideways and some more: no more than this for any lean of the case
LEAST_LEVEL = 0.34  # cos 70 deg: a case this flat faces the ceiling or the floor, not backward


def face_axis(name: str) -> FloatArray:
    """Return the unit vector (3,) of a sensor axis named like "+z"; raise ValueError for any other name."""
    if name not in FACES:
        raise ValueError(f"face {name!r}: expected one of {', '.join(FACES)}")
    axis = np.zeros(3)
    axis["xyz".index(name[1])] = 1.0 if name[0] == "+" else -1.0
    return axis


def off_facing_deg(left: FloatArray, up: FloatArray, outward: FloatArray) -> tuple[float, float]:
    """Return by how much the forward of `left` and `up` differs from that of the case, and how much may be.

    Parameters
    ----------
    left, up
        Body axes in sensor axes, (3,), at right angles.
    outward
        The sensor axis that points away from the skin, (3,).

    Returns
    -------
    tuple[float, float]
        Signed degrees about `up`, and the limit. A case that leans turns further about "up" when it sits crooked by
        the same angle, by 1 / cos(lean). Both are NaN when the case lies too flat to face anywhere.
    """
    inward = np.sum(outward * up) * up - outward
    level = float(np.sqrt(np.sum(inward * inward)))
    if level < LEAST_LEVEL:
        return float("nan"), float("nan")
    inward = normalise(inward)
    forward = np.cross(left, up)
    off_deg = float(np.degrees(np.arctan2(np.sum(forward * np.cross(up, inward)), np.sum(forward * inward))))
    return off_deg, min(MOST_OFF_DEG / level, WIDEST_DEG)
