"""From a few seconds of sitting still and three nods to a Mounting, or a refusal with its reason in one line.

The mean "up" while still is body z. The principal axis of the angular velocity while nodding is the left-right
axis; its sign says that a nod first goes down. Thresholds in degrees, deg/s and seconds; each has its reason
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.motion.calibration.case_axes import TELL_OFF_DEG, off_facing_deg
from tiltwise.motion.calibration.excursions import Excursion, find_excursions
from tiltwise.motion.calibration.lever_arm import Lever, lever_arm, without_steps
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes, mounting_from_up
from tiltwise.motion.calibration.sitting_still import (
    SPREAD_DEG,
    CalibrationError,
    angular_velocity,
    finite,
    neutral_up,
    without_bias,
)
from tiltwise.motion.rotation import angle_between_deg, normalise, up_in_sensor
from tiltwise.types import FloatArray, Mount, OrientationBlock

NODS = 3
# A nod must stand out of posture sway by far; the skin of the neck follows the head by half to two thirds.
AMPLITUDE_DEG = {Mount.COLLAR: 8.0, Mount.NECK: 5.0, Mount.HEAD: 8.0}
FASTEST_DEG_S = 250.0  # beyond, the soft mount lags behind the bone
LEAST_SHARE = 0.7  # of the squared angular velocity about one axis; three clean nods have 0.9 and more
MOST_VERTICAL_DEG = 25.0  # the left-right axis lies in the horizontal plane
SHAKE_DEG = 45.0  # an axis nearer to vertical than this is a turn of the head
AXES_TOLERANCE_DEG = 10.0  # nod and side tilt are at right angles in the body
WANDER_DEG = 25.0  # of single nods around their common axis
BOTH_WAYS = 0.35  # swings beyond neutral adding up to this share of the nods leave it open which way is down
BEHIND_M = 0.035  # a sensor on the back of the neck or head lies at least 5 cm behind the turning point
SWAPPED_M = 0.025  # a side lean that lifts the sensor by so much more than the bow was the bow
VAGUE_M = 0.03  # a less certain distance than this is not held against the person


@dataclass(frozen=True, slots=True)
class Movement:
    """What a series of nods or tilts looked like: its axis in sensor axes, pointing along the first movement."""

    axis: FloatArray
    share: float
    wander_deg: float
    excursions: tuple[Excursion, ...]


def calibrate(
    neutral: OrientationBlock,
    nod: OrientationBlock | None = None,
    tilt: OrientationBlock | None = None,
    *,
    mount: Mount,
    is_behind: bool | None = None,
    outward: FloatArray | None = None,
) -> Mounting:
    """Return how the sensor sits on the person.

    Parameters
    ----------
    neutral
        At least 3 s of sitting tall and still.
    nod
        Three slow nods, each down and back (collar: bows of the upper back). None: only inclination can be had.
    tilt
        Three side tilts, either side first; they confirm and refine the axes.
    mount
        The place on the body.
    is_behind
        Whether the sensor sits behind the joint it turns about, so that a nod lifts it and a side tilt does not.
        None: true. Pass False for glasses and headphones.
    outward
        The sensor axis (3,) that points away from the skin; None where the case may lie any way (case_axes.py).

    Raises
    ------
    CalibrationError
        With the reason, when the samples do not show those movements.
    """
    if nod is None:
        return mounting_from_up(neutral_up(neutral, mount)[0], mount=mount)
    return _from_movements(neutral, nod, tilt, mount, is_behind is not False, outward)


def _from_movements(
    neutral: OrientationBlock,
    nod: OrientationBlock,
    tilt: OrientationBlock | None,
    mount: Mount,
    is_behind: bool,
    outward: FloatArray | None,
) -> Mounting:
    """All three axes, from nods and perhaps tilts."""
    up, spread_deg = neutral_up(neutral, mount)
    name = "bow" if mount is Mount.COLLAR else "nod"
    nod = without_bias(finite(nod), neutral)
    move = _movement(nod, up, name, AMPLITUDE_DEG[mount])
    _check_nods(move, name)
    lever = lever_arm(nod, move.axis, up) if is_behind else None
    if lever is not None:
        _check_lever(lever, mount)
    notes = () if outward is None else _check_facing(move.axis, up, outward, name)
    left, quality = move.axis, _quality(move, spread_deg)
    if tilt is None:
        quality = round(0.9 * quality, 3)
        return mounting_from_axes(up, left, mount=mount, axes="nod", quality=quality, notes=notes)
    tilt = without_bias(finite(tilt), neutral)
    side = _movement(tilt, up, "side tilt", AMPLITUDE_DEG[mount])
    _check_count(side.excursions, "side tilt")
    left, error_deg = _refined_left(left, side.axis, up)
    if lever is not None:
        _check_swapped(lever, lever_arm(tilt, side.axis, up), name)
    quality = round(quality * (1 - error_deg / (2 * AXES_TOLERANCE_DEG)), 3)
    return mounting_from_axes(up, left, mount=mount, axes="tilt", quality=quality, notes=notes)


def tilt_about_deg(block: OrientationBlock, axis: FloatArray, up: FloatArray) -> FloatArray:
    """Return the tilt (n,) away from `up` about a horizontal axis, right-handed, in degrees."""
    forward = np.cross(axis, up)
    now = up_in_sensor(block.q_earth_from_sensor)
    return np.degrees(np.arctan2(-np.sum(now * forward, axis=-1), np.sum(now * up, axis=-1)))


def _movement(block: OrientationBlock, up: FloatArray, name: str, amplitude_deg: float) -> Movement:
    """Axis and excursions of a series of nods or tilts, refused unless it is one movement about a level axis."""
    if len(block.t_s) < 20:
        raise CalibrationError(f"no {name}s seen: start within 15 s of being asked")
    omega = angular_velocity(block)
    start_up = up_in_sensor(block.q_earth_from_sensor[0])
    if angle_between_deg(start_up, up) > 30:
        raise CalibrationError(
            f"the sensor was turned between sitting still and the first {name}: start again"
        )
    axis, share = _principal_axis(without_steps(omega))
    vertical_deg = float(np.degrees(np.arcsin(min(1.0, abs(float(np.sum(axis * up)))))))
    peak_deg_s = float(np.degrees(np.max(np.abs(np.sum(omega * axis, axis=-1)))))
    if np.max(angle_between_deg(up_in_sensor(block.q_earth_from_sensor), up)) < amplitude_deg and (
        vertical_deg < SHAKE_DEG or peak_deg_s < 15
    ):
        raise CalibrationError(f"{name}s too small, expected {amplitude_deg:.0f} deg or more: move further")
    if vertical_deg > SHAKE_DEG:
        raise CalibrationError(
            f"the head was shaken or turned instead of a {name}: keep the nose straight ahead"
        )
    if vertical_deg > MOST_VERTICAL_DEG:
        raise CalibrationError(
            f"the {name}s were twisted by {vertical_deg:.0f} deg, expected under 25: do not turn"
        )
    if share < LEAST_SHARE:
        raise CalibrationError(
            f"several movements at once instead of {name}s: move in one direction and back"
        )
    if peak_deg_s > FASTEST_DEG_S:
        raise CalibrationError(
            f"{name}s too fast ({peak_deg_s:.0f} deg/s, expected under 250): take 2 s for each"
        )
    level = normalise(axis - np.sum(axis * up) * up)
    excursions = find_excursions(block.t_s, tilt_about_deg(block, level, up), amplitude_deg)
    if not excursions:
        raise CalibrationError(f"{name}s too small, expected {amplitude_deg:.0f} deg or more: move further")
    level = level * excursions[0].sign
    excursions = tuple(e.flipped() for e in excursions) if excursions[0].sign < 0 else excursions
    return Movement(level, share, _wander_deg(block, omega, level, excursions), excursions)


def _principal_axis(omega: FloatArray) -> tuple[FloatArray, float]:
    """Unit axis about which most turning happens, and its share of the squared angular velocity."""
    values, vectors = np.linalg.eigh(np.einsum("ni,nj->ij", omega, omega))
    return vectors[:, -1], float(values[-1] / max(float(np.sum(values)), 1e-12))


def _wander_deg(
    block: OrientationBlock,
    omega: FloatArray,
    axis: FloatArray,
    excursions: tuple[Excursion, ...],
) -> float:
    """Largest angle between the axis of one excursion and the common axis."""
    worst = 0.0
    for e in excursions:
        inside = (block.t_s[1:] >= e.start_s) & (block.t_s[1:] <= e.end_s)
        if np.count_nonzero(inside) >= 3:
            own, _ = _principal_axis(omega[inside])
            worst = max(worst, float(np.degrees(np.arccos(min(1.0, abs(float(np.sum(own * axis))))))))
    return worst


def _check_nods(move: Movement, name: str) -> None:
    """Refuse too few nods, nods in different directions, and rocking both ways."""
    down = [e for e in move.excursions if e.sign > 0]
    back = [e for e in move.excursions if e.sign < 0]
    if len(back) >= 2 and np.median([e.peak_deg for e in back]) > BOTH_WAYS * np.median(
        [e.peak_deg for e in down]
    ):
        raise CalibrationError(
            "moved as far back as forth (side to side?): go down and back to straight ahead only"
        )
    _check_count(tuple(down), name)
    if move.wander_deg > WANDER_DEG:
        raise CalibrationError(
            f"the {name}s went in directions {move.wander_deg:.0f} deg apart: go straight down each time"
        )


def _check_count(excursions: tuple[Excursion, ...], name: str) -> None:
    """Refuse fewer than three."""
    if len(excursions) < NODS:
        raise CalibrationError(
            f"only {len(excursions)} {name}{'s' * (len(excursions) != 1)} seen, expected {NODS}: repeat"
        )


def _check_lever(lever: Lever, mount: Mount) -> None:
    """Refuse what the accelerometer contradicts: a nod lifts a sensor behind the neck, a side tilt does not.

    The collar's distance from the waist varies, so there it only separates bowing from leaning back.
    """
    if lever.error_m > VAGUE_M:
        return  # too slow to feel
    went = (
        "went back instead of forward: bow" if mount is Mount.COLLAR else "went up instead of down: nod down"
    )
    if lever.behind_m + 2 * lever.error_m < -BEHIND_M / 2:
        raise CalibrationError(f"the first movement {went} first, then back")
    if mount is not Mount.COLLAR and lever.behind_m + lever.error_m < BEHIND_M:
        raise CalibrationError(
            "nodded sideways, or the sensor is not behind the neck: nod straight down and back"
        )


def _check_swapped(nod: Lever, side: Lever, name: str) -> None:
    """Refuse side tilts that lift the sensor more than the nods did: they went forward, and the nods sideways."""
    least_m = SWAPPED_M + 2 * (nod.error_m + side.error_m)
    if abs(side.behind_m) - abs(nod.behind_m) > least_m:
        raise CalibrationError(
            f"{name}s and side tilts look swapped: {name} forward first, then to the sides"
        )


def _check_facing(left: FloatArray, up: FloatArray, outward: FloatArray, name: str) -> tuple[str, ...]:
    """Refuse a forward that is not where the case faces; return a note when it is nearly not."""
    off_deg, most_deg = off_facing_deg(left, up, outward)
    if np.isnan(off_deg):
        raise CalibrationError("the case faces up or down instead of backward: put it on upright")
    if abs(off_deg) > most_deg:
        raise CalibrationError(
            f"the {name}s went {abs(off_deg):.0f} deg off where the case faces, expected under {most_deg:.0f}: "
            f"put it on straight and {name} straight ahead"
        )
    if abs(off_deg) <= TELL_OFF_DEG:
        return ()
    return (
        f"Forward is {abs(off_deg):.0f} deg off where the case faces: worn crooked, or the {name}s were.",
    )


def _refined_left(left: FloatArray, side: FloatArray, up: FloatArray) -> tuple[FloatArray, float]:
    """Left axis shared between nods and side tilts, and by how much the two miss 90 deg."""
    between_deg = float(angle_between_deg(left, side))
    error_deg = abs(between_deg - 90)
    if error_deg > AXES_TOLERANCE_DEG:
        raise CalibrationError(
            f"nods and side tilts are {min(between_deg, 180 - between_deg):.0f} deg apart, expected 90 +- 10: "
            "nod straight down, then tilt ear to shoulder"
        )
    from_side = np.cross(up, side)
    return normalise(left + from_side * np.sign(np.sum(from_side * left))), error_deg


def _quality(move: Movement, spread_deg: float) -> float:
    """0 to 1: how cleanly one axis was shown; each factor is 1 when perfect and falls towards its refusal limit."""
    share = min(1.0, (move.share - 0.5) / 0.45)
    wander = 1 - 0.5 * move.wander_deg / WANDER_DEG
    steady = 1 - 0.5 * spread_deg / SPREAD_DEG
    return float(np.clip(np.cbrt(share * wander * steady), 0.0, 1.0))
