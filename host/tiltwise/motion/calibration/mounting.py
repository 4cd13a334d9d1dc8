"""How the sensor sits on the person: the rotation from body axes to sensor axes, and how well it is known.

Calibration (alignment.py) makes a Mounting from samples; AnglesStage (neck_angles.py) turns orientation into body
angles with it. A Mounting is a value: it goes into profiles and recording headers as a plain dict and comes back
the same. Body axes: x forward, y left, z up in the person's own neutral posture. Rotations are unitless, quality is
0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tiltwise.motion.rotation import (
    angle_between_deg,
    conjugate,
    from_two_vectors,
    multiply,
    normalise,
    rotate,
)
from tiltwise.types import FloatArray, Mount

Axes = Literal["nod", "tilt", "movement", "unknown"]

_BODY_UP = np.array([0.0, 0.0, 1.0])
_LEAST_HORIZONTAL = 0.3  # sin of 17 deg: a "left" axis this close to vertical does not tell left from up

REMOUNT_REALIGN_DEG = 10.0  # above: the sensor sits differently, take the new alignment
REMOUNT_REFUSE_DEG = 25.0  # above: not the same place or the wrong way round, so refuse and say why


@dataclass(frozen=True, slots=True)
class Mounting:
    """Where a sensor is worn and how its axes lie.

    Parameters
    ----------
    mount
        The place on the body.
    q_sensor_from_body
        Unit quaternion (w, x, y, z).
    axes
        Where "forward" comes from: "nod" or "tilt" (shown by the person), "movement" (assumed from a recording) or
        "unknown". With "unknown" only the inclination means something.
    quality
        0 (a guess) to 1 (as good as a calibration gets).
    notes
        What a person should know about this calibration, one sentence each.
    relative_to_s
        Time in a file of the posture that was taken for neutral, when nobody said that it was upright.
    """

    mount: Mount
    q_sensor_from_body: tuple[float, float, float, float]
    axes: Axes = "unknown"
    quality: float = 0.0
    notes: tuple[str, ...] = ()
    relative_to_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a rotation, so that a damaged settings file is noticed here and not as an angle."""
        length = float(np.sqrt(np.sum(np.square(self.q_sensor_from_body))))
        if len(self.q_sensor_from_body) != 4 or not abs(length - 1) < 1e-3:
            raise ValueError(
                f"mounting needs a unit quaternion of 4 numbers, got {self.q_sensor_from_body}: calibrate again"
            )
        if self.axes not in get_args(Axes):
            raise ValueError(f"mounting axes must be one of {', '.join(get_args(Axes))}, got {self.axes!r}")
        if not 0 <= self.quality <= 1:
            raise ValueError(f"mounting quality must be 0 to 1, got {self.quality}")

    @property
    def has_direction(self) -> bool:
        """Whether forward is known, so that flexion and lateral tilt mean what they say."""
        return self.axes != "unknown"

    @property
    def is_shown(self) -> bool:
        """Whether the person showed where forward is; an assumed forward is good for a table, not for a decision."""
        return self.axes in ("nod", "tilt")

    @property
    def q(self) -> FloatArray:
        """q_sensor_from_body, the unit quaternion (w, x, y, z), as an array (4,)."""
        return normalise(np.array(self.q_sensor_from_body, dtype=np.float64))

    @property
    def up_sensor(self) -> FloatArray:
        """The neutral "up" as a unit direction in sensor axes, (3,)."""
        return rotate(self.q, _BODY_UP)


def mounting_from_up(up_sensor: FloatArray, *, mount: Mount) -> Mounting:
    """Return a Mounting that knows only which way is up.

    Parameters
    ----------
    up_sensor
        "Up" in sensor axes while neutral, (3,), any length above zero.
    mount
        The place on the body.

    Returns
    -------
    Mounting
        axes "unknown": inclination is right, flexion and lateral tilt are about arbitrary axes.
    """
    up = _checked_direction(up_sensor)
    q = from_two_vectors(_BODY_UP, up)
    note = "Only the neutral is known: inclination is measured, flexion and side tilt are not separated."
    return Mounting(mount, _as_tuple(q), "unknown", 0.0, (note,))


def mounting_from_axes(
    up_sensor: FloatArray,
    left_sensor: FloatArray,
    *,
    mount: Mount,
    axes: Axes,
    quality: float = 1.0,
    notes: tuple[str, ...] = (),
) -> Mounting:
    """Return the Mounting whose body z is `up_sensor` and whose body y is the horizontal part of `left_sensor`.

    Parameters
    ----------
    up_sensor, left_sensor
        Directions in sensor axes, (3,), of any length.
    mount, axes, quality, notes
        See `Mounting`.

    Raises
    ------
    ValueError
        If a direction has no length, or left is nearly vertical.
    """
    z = _checked_direction(up_sensor)
    left = _checked_direction(left_sensor)
    y = left - np.sum(left * z) * z
    if np.sqrt(np.sum(y * y)) < _LEAST_HORIZONTAL:
        raise ValueError("the left axis is nearly vertical, expected it near horizontal: calibrate again")
    y = normalise(y)
    q_up = from_two_vectors(_BODY_UP, z)
    y_body = rotate(conjugate(q_up), y)
    turn = np.arctan2(-y_body[0], y_body[1])  # the turn about z that brings (0, 1, 0) onto y
    q_turn = np.array([np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)])
    return Mounting(mount, _as_tuple(multiply(q_up, q_turn)), axes, quality, notes)


def with_neutral(mounting: Mounting, up_sensor: FloatArray) -> Mounting:
    """Return a mounting with another neutral "up" (3,), a direction or m/s2, in sensor axes, and the same forward.

    Raises
    ------
    ValueError
        If it is too far from the old one to be the same place on the body.
    """
    change_deg = float(angle_between_deg(mounting.up_sensor, _checked_direction(up_sensor)))
    if change_deg > REMOUNT_REFUSE_DEG:
        raise ValueError(
            f"the neutral taken at the sensor is {change_deg:.0f} deg from the calibration: calibrate again"
        )
    if not mounting.has_direction:
        return mounting_from_up(up_sensor, mount=mounting.mount)
    left = rotate(mounting.q, np.array([0.0, 1.0, 0.0]))
    return mounting_from_axes(
        up_sensor,
        left,
        mount=mounting.mount,
        axes=mounting.axes,
        quality=mounting.quality,
        notes=mounting.notes,
    )


def remount_change_deg(stored: Mounting, now: Mounting) -> float:
    """Return by how many degrees the sensor sits differently; only the tilt when either lacks a direction."""
    if stored.has_direction and now.has_direction:
        turned = multiply(conjugate(stored.q), now.q)
        return float(np.degrees(2 * np.arctan2(np.sqrt(np.sum(turned[1:] ** 2)), np.abs(turned[0]))))
    return float(angle_between_deg(stored.up_sensor, now.up_sensor))


def remount_verdict(change_deg: float) -> Literal["same", "realign", "refuse"]:
    """Return what to do about a remount change: nothing, take the new alignment, or refuse it with a reason."""
    if not np.isfinite(change_deg) or change_deg > REMOUNT_REFUSE_DEG:
        return "refuse"
    return "realign" if change_deg > REMOUNT_REALIGN_DEG else "same"


def _checked_direction(vector: FloatArray) -> FloatArray:
    """Unit vector, or a plain refusal: a zero or NaN "up" would otherwise become NaN angles much later."""
    v = np.asarray(vector, dtype=np.float64)
    if v.shape != (3,) or not np.all(np.isfinite(v)) or not np.sum(v * v) > 1e-12:
        raise ValueError(f"a direction needs 3 finite numbers that are not all zero, got {vector}")
    return normalise(v)


def _as_tuple(q: FloatArray) -> tuple[float, float, float, float]:
    """One sign for one rotation, so that equal mountings compare equal."""
    w, x, y, z = (float(part) for part in normalise(q if q[0] >= 0 else -q))
    return w, x, y, z
