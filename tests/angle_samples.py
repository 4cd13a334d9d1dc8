"""Made-up movements with known angles, for the tests of motion/: smooth traces, a sensor on a lever, any mounting."""

from __future__ import annotations

import numpy as np

from tiltwise.motion.rotation import conjugate, from_rotation_vector, multiply, rotate
from tiltwise.types import FloatArray, OrientationBlock

RATE_HZ = 50.0
BEHIND = np.array([-0.08, 0.0, 0.10])  # m from the joint to a sensor at the back of the head


def about(axis: tuple[float, float, float], angle_deg: FloatArray | float) -> FloatArray:
    """Quaternions of turns about a body axis: x forward, y left, z up."""
    return from_rotation_vector(np.radians(np.asarray(angle_deg))[..., None] * np.array(axis))


def body_orientation(
    flexion_deg: FloatArray, lateral_deg: FloatArray, right_turn_deg: FloatArray
) -> FloatArray:
    """q_earth_from_body (n, 4): turn, then flex, then tilt."""
    turned = multiply(about((0, 0, 1), -right_turn_deg), about((0, 1, 0), flexion_deg))
    return multiply(turned, about((1, 0, 0), lateral_deg))


def random_rotation(rng: np.random.Generator) -> FloatArray:
    """Any rotation, all equally likely."""
    q = rng.normal(size=4)
    return q / np.sqrt(np.sum(q * q))


def remount(rng: np.random.Generator, degrees: float = 30.0) -> FloatArray:
    """Turn about each of three axes by up to so many degrees."""
    turns = [about(tuple(axis), rng.uniform(-degrees, degrees)) for axis in np.eye(3)]
    return multiply(multiply(turns[0], turns[1]), turns[2])


def swings(
    t_s: FloatArray, starts_s: list[float], peaks_deg: list[float], seconds: float = 1.6
) -> FloatArray:
    """Smooth movements out and back: raised cosines."""
    angle = np.zeros_like(t_s)
    for start, peak in zip(starts_s, peaks_deg, strict=True):
        phase = np.clip((t_s - start) / seconds, 0, 1)
        angle += peak * (1 - np.cos(2 * np.pi * phase)) / 2
    return angle


def sensor_block(
    t_s: FloatArray,
    q_earth_from_body: FloatArray,
    q_sensor_from_body: FloatArray,
    *,
    place_m: FloatArray = BEHIND,
    noise: np.random.Generator | None = None,
) -> OrientationBlock:
    """What a perfect orientation filter and a real accelerometer on a lever would deliver."""
    q = multiply(q_earth_from_body, conjugate(q_sensor_from_body))
    place = rotate(q_earth_from_body, np.broadcast_to(place_m, (len(t_s), 3)))
    acc = np.gradient(np.gradient(place, t_s, axis=0), t_s, axis=0) + np.array([0.0, 0.0, 9.80665])
    acc = rotate(conjugate(q), acc)
    if noise is not None:
        acc = acc + noise.normal(0, 0.03, acc.shape)
    return OrientationBlock(t_s, q, acc)


def sway(t_s: FloatArray, rng: np.random.Generator, deg: float = 0.4) -> FloatArray:
    """Breathing and posture sway."""
    return sum(
        deg * rng.uniform(0.3, 1) * np.sin(2 * np.pi * rng.uniform(0.05, 0.35) * t_s + rng.uniform(0, 6.28))
        for _ in range(3)
    )


def ritual(
    rng: np.random.Generator,
    kind: str = "right",
    *,
    q_sensor_from_body: FloatArray | None = None,
    place_m: FloatArray = BEHIND,
) -> OrientationBlock:
    """A calibration ritual from second 0: still 4 s, three movements of about 20 deg, still for 8 s.

    kind: right, moving, one_nod, sideways, sideways_alternating, shake, small, up_first, rocking.
    """
    t_s = np.arange(0, 20, 1 / RATE_HZ)
    length = rng.uniform(1.2, 2.0)
    starts = [4.0 + k * (length + rng.uniform(0, 0.4)) for k in range(3)]
    peaks = (rng.uniform(14, 28) * rng.uniform(0.85, 1.15, 3)).tolist()
    flexion, lateral, turn = sway(t_s, rng), sway(t_s, rng), sway(t_s, rng)
    move = swings(t_s, starts, peaks, length)
    if kind in ("right", "moving"):
        flexion, lateral = flexion + move, lateral + rng.normal(0, 0.08) * move
        turn = turn + rng.normal(0, 0.08) * move
    if kind == "moving":
        flexion = flexion + 6 * np.sin(2 * np.pi * rng.uniform(0.3, 0.8) * t_s)
    if kind == "one_nod":
        flexion = flexion + swings(t_s, starts[:1], peaks[:1], length)
    if kind == "sideways":
        lateral = lateral + rng.choice([-1, 1]) * move
    if kind == "sideways_alternating":
        starts = [4.0 + k * 1.8 for k in range(6)]
        lateral = lateral + swings(
            t_s, starts, [p * s for p, s in zip(peaks * 2, [1, -1] * 3, strict=True)], 1.6
        )
    if kind == "rocking":
        starts = [4.0 + k * 1.8 for k in range(6)]
        flexion = flexion + swings(
            t_s, starts, [p * s for p, s in zip(peaks * 2, [1, -1] * 3, strict=True)], 1.6
        )
    if kind == "shake":
        turn = turn + swings(t_s, starts, [peaks[0], -peaks[1], peaks[2]], length)
    if kind == "small":
        flexion = flexion + 4 * move / max(peaks)
    if kind == "up_first":
        flexion = flexion - move
    q = body_orientation(flexion, lateral, turn + rng.uniform(-180, 180))
    mount = random_rotation(rng) if q_sensor_from_body is None else q_sensor_from_body
    return sensor_block(t_s, q, mount, place_m=place_m, noise=rng)
