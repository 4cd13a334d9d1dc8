"""Axes for a recording without nods: forward is assumed to be where most of the leaning goes. Offline only.

For `analyze --neutral-up`: files by other people have a neutral at best. The result says that it is an assumption
(Mounting.axes "movement"). Degrees.
"""

from __future__ import annotations

import numpy as np

from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes, mounting_from_up
from tiltwise.motion.rotation import normalise, up_in_sensor
from tiltwise.types import FloatArray, Mount, OrientationBlock

_LEAST_TILT_DEG = 5.0  # below this it is sway and says nothing about a direction
_MOST_TILT_DEG = 45.0  # one look at the floor must not outvote an hour
_LEAST_SHARE = 0.05  # of the samples must lean at all
_LEAST_DIRECTEDNESS = 0.3  # 0: leans everywhere alike, 1: along one line
_NOTE = (
    "Forward is assumed to be the direction leant to most: nobody nodded in this recording, "
    "so flexion and side tilt are estimates."
)


def axes_from_movement(block: OrientationBlock, up_sensor: FloatArray, *, mount: Mount) -> Mounting:
    """Return a Mounting whose forward is the main direction of leaning over a whole recording.

    Parameters
    ----------
    block
        All of the recording.
    up_sensor
        The neutral "up" in sensor axes, (3,).
    mount
        The place on the body.

    Returns
    -------
    Mounting
        axes "movement", or "unknown" when the leaning has no main direction. Never raises for want of movement.
    """
    unknown = mounting_from_up(up_sensor, mount=mount)
    found = _main_lean(up_in_sensor(block.q_earth_from_sensor), unknown.up_sensor)
    if found is None:
        return unknown
    forward, quality = found
    left = normalise(np.cross(unknown.up_sensor, forward))
    return mounting_from_axes(
        unknown.up_sensor, left, mount=mount, axes="movement", quality=round(quality, 3), notes=(_NOTE,)
    )


def _main_lean(now: FloatArray, up: FloatArray) -> tuple[FloatArray, float] | None:
    """Direction (3,) leant to most, and 0 to 0.5 for how clearly; None without a main direction."""
    level = now - np.sum(now * up, axis=-1, keepdims=True) * up
    sine = np.sqrt(np.sum(level * level, axis=-1))
    tilt_deg = np.degrees(np.arctan2(sine, np.sum(now * up, axis=-1)))
    leans = tilt_deg > _LEAST_TILT_DEG
    if np.count_nonzero(leans) < max(_LEAST_SHARE * len(leans), 20):
        return None
    weight = np.minimum(tilt_deg[leans], _MOST_TILT_DEG)
    direction = level[leans] / sine[leans, None]
    values, vectors = np.linalg.eigh(np.einsum("n,ni,nj->ij", weight, direction, direction))
    directedness = float((values[2] - values[1]) / max(values[2] + values[1], 1e-12))
    if directedness < _LEAST_DIRECTEDNESS:
        return None
    # Leaning forward moves "up" towards the back of the sensor, so forward is opposite to where up went most.
    along = np.sum(direction * vectors[:, -1], axis=-1)
    forward = -vectors[:, -1] * (1.0 if np.sum(weight * along) >= 0 else -1.0)
    one_sided = float(abs(np.sum(weight * along)) / np.sum(weight * np.abs(along)))
    return forward, 0.5 * directedness * one_sided
