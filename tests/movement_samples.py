"""What a sensor on a head sees of sets of movements: for the tests of the counter of whole recordings."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.recorded.movement_counter import MovementCount, count_movements
from tiltwise.exercise.recorded.movement_signal import Movements
from tiltwise.types import FloatArray, Side

RATE_HZ = 50.0


def bumps(
    t: FloatArray, peaks_deg: list[float], start_s: float, every_s: float, lasting_s: float
) -> FloatArray:
    """Out and back in `lasting_s` to each peak in turn, as half a period of a raised cosine."""
    angle = np.zeros(len(t))
    for k, peak in enumerate(peaks_deg):
        x = (t - start_s - k * every_s) / lasting_s
        angle += peak * np.where((x > 0) & (x < 1), 0.5 - 0.5 * np.cos(2 * np.pi * x), 0.0)
    return angle


def head(
    t: FloatArray,
    *,
    tilt: FloatArray | float = 0.0,
    flexion: FloatArray | float = 0.0,
    turn: FloatArray | float = 0.0,
    mount: Rotation | None = None,
) -> Movements:
    """What a sensor sees of these angles, put on as `mount` says (sensor from body)."""
    angles = np.column_stack([np.broadcast_to(a, t.shape) for a in (turn, flexion, tilt)]) * [-1.0, 1.0, 1.0]
    up_body = Rotation.from_euler("ZYX", angles, degrees=True).inv().apply([0.0, 0.0, 1.0])
    up = up_body if mount is None else mount.apply(up_body)
    return Movements(t, up, np.broadcast_to(turn, t.shape).astype(float))


def count(name: str, movements: Movements, plus: FloatArray | None = None) -> MovementCount:
    signal = EXERCISES[name].signal
    assert signal is not None
    return count_movements(name, signal, movements, plus_axis=plus)


def times(duration_s: float) -> FloatArray:
    return np.arange(0.0, duration_s, 1 / RATE_HZ)


def whole(found: MovementCount) -> list[Side]:
    return [rep.side for rep in found.reps if not rep.is_partial]
