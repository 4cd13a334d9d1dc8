"""Desk sessions with known head angles, made to judge activity and alerts: a seed -> samples and truth.

Nothing is shared with the detectors or with the simulated wearer of `sim/`, neither code nor figures. Sources:

* Head inclination at work: writing 43 deg, reading 29, screens 8 to 14 (medians of people with glasses at desks,
  ClassyGlass, CC BY 4.0); smartphones 33 to 45 (Lee, Kang and Shin 2015, Ergonomics 58, 220-226).
* Writing and chewing nod a head at 1 to 3 Hz by some degrees; heads of speakers move below 1.8, at 1.8 to 3.7 and at
  3.7 to 7 Hz (Hadar, Steiner, Grant and Rose 1983, Hum Mov Sci 2, 35-46).
* A bouncing knee lifts a seated trunk by 0.1 to 0.6 m/s2 rms at 1.5 to 4 Hz (7 mm at 1.6 Hz are 0.5). Steps lift a
  head by 15 to 25 mm at 1.6 to 2.2 Hz and sway it at half of that (Hirasaki, Moore, Raphan and Cohen 1999, Exp Brain
  Res 127, 117-130).

Body axes are x forward, y left, z up; flexion is positive. Times in s, angles in deg.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from tiltwise.types import FloatArray, ImuBlock

RATE_HZ = 50.0
MINUTES = 20.0
# What people do: usual flexion of the head (deg), and how long at a time (s).
TASKS = {
    "screen": ((0.0, 14.0), (60.0, 400.0)),
    "reading": ((22.0, 48.0), (60.0, 300.0)),
    "writing": ((30.0, 62.0), (60.0, 240.0)),
    "phone": ((26.0, 55.0), (40.0, 200.0)),
    "talking": ((-5.0, 45.0), (30.0, 150.0)),
    "walking": ((0.0, 12.0), (20.0, 90.0)),
    "walking with a phone": ((28.0, 45.0), (20.0, 60.0)),
}
_G = 9.81
_BREATH_HZ = 0.25


@dataclass(frozen=True, slots=True)
class DeskSession:
    """Samples, and for each of them the true flexion and the task ("" while calibrating), each (n,)."""

    block: ImuBlock
    flexion_deg: FloatArray
    task: list[str]


@dataclass(slots=True)
class _Plan:
    """Angles (flexion, side, turn) in deg, lift and sway of the trunk in m, sample by sample."""

    angles: list[FloatArray]
    lift: list[FloatArray]
    sway: list[FloatArray]
    task: list[str]


def generate_session(seed: int) -> DeskSession:
    """Return a session that begins with a calibration: three still seconds and three nods."""
    rng = np.random.default_rng([seed, 20])
    plan = _Plan([], [], [], [])
    _calibrate(plan, rng)
    at = np.zeros(3)
    while sum(map(len, plan.angles)) < MINUTES * 60 * RATE_HZ:
        task = str(rng.choice(list(TASKS), p=(0.24, 0.22, 0.16, 0.14, 0.12, 0.06, 0.06)))
        at = _do(plan, task, at, rng)
    angles = np.concatenate(plan.angles)
    n = len(angles)
    t_s = np.arange(n) / RATE_HZ
    begun = np.clip(t_s - 12.0, 0.0, 1.0)
    angles[:, 0] += 0.3 * np.sin(2 * np.pi * _BREATH_HZ * t_s)
    angles += begun[:, None] * _wander(n, 0.3, rng) * (1.0, 0.6, 1.2)
    block = _samples(t_s, angles, np.concatenate(plan.lift), np.concatenate(plan.sway), rng)
    return DeskSession(block, angles[:, 0], plan.task)


def _append(plan: _Plan, angles: FloatArray, task: str, lift: FloatArray | None = None,
            sway: FloatArray | None = None) -> None:  # fmt: skip
    n = len(angles)
    plan.angles.append(angles)
    plan.lift.append(np.zeros(n) if lift is None else lift)
    plan.sway.append(np.zeros(n) if sway is None else sway)
    plan.task += [task] * n


def _move(start: FloatArray, end: FloatArray, lasting_s: float) -> FloatArray:
    """Go from one posture to another, smoothly."""
    x = np.arange(1, max(round(lasting_s * RATE_HZ), 2) + 1)[:, None] / max(round(lasting_s * RATE_HZ), 2)
    return start + (end - start) * (3 * x**2 - 2 * x**3)


def _calibrate(plan: _Plan, rng: np.random.Generator) -> None:
    up, down = np.zeros(3), np.array([30.0, 0.0, 0.0])
    _append(plan, np.tile(up, (round(4.5 * RATE_HZ), 1)), "")
    for _ in range(3):
        stroke_s = rng.uniform(0.7, 1.0)
        _append(plan, np.concatenate((_move(up, down, stroke_s), _move(down, up, stroke_s))), "")
    _append(plan, np.tile(up, (round(3.0 * RATE_HZ), 1)), "")


def _do(plan: _Plan, task: str, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Add one task, and return the posture it ends in."""
    (low, high), (least_s, most_s) = TASKS[task]
    base = np.array([rng.uniform(low, high), rng.normal(0.0, 3.0), rng.normal(0.0, 6.0)])
    _append(plan, _move(at, base, rng.uniform(0.6, 1.8)), task)
    n = round(rng.uniform(least_s, most_s) * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    edge = np.clip(np.minimum(t, t[::-1]) / 1.0, 0.0, 1.0)  # habits begin and end gently
    angles = np.tile(base, (n, 1))
    lift = sway = np.zeros(n)
    if task.startswith("walking"):
        step_hz = rng.uniform(1.6, 2.2)
        phase = 2 * np.pi * step_hz * t
        lift = edge * rng.uniform(0.012, 0.022) * (np.sin(phase) + 0.15 * np.sin(2 * phase + 1.0))
        sway = edge * rng.uniform(0.015, 0.03) * np.sin(phase / 2)
        angles += edge[:, None] * np.stack(
            (rng.uniform(0.5, 2.0) * np.sin(phase + 1.0), rng.uniform(0.5, 2.0) * np.sin(phase / 2), 0 * t),
            axis=1,
        )
    elif task == "writing":
        angles += edge[:, None] * _habit(n, (1.0, 3.0), rng.uniform(0.5, 2.5), rng) * (1.0, 0.5, 0.5)
        angles[:, 2] += 3.0 * np.sin(2 * np.pi * t / rng.uniform(3.0, 8.0))  # along the line
    elif task == "talking":
        for band, size in (((0.2, 1.8), 4.0), ((1.8, 3.7), 1.2), ((3.7, 7.0), 0.3)):
            angles += edge[:, None] * _habit(n, band, size * rng.uniform(0.5, 1.0), rng) * (1.0, 0.8, 2.0)
    elif task == "reading":
        angles[:, 2] += rng.uniform(2.0, 6.0) * np.sin(2 * np.pi * t / rng.uniform(2.5, 6.0))
    if not task.startswith("walking") and rng.random() < 0.25:  # a knee
        knee = 2 * np.pi * rng.uniform(1.5, 4.0)  # rad/s
        lift = edge * np.sqrt(2) * rng.uniform(0.1, 0.6) / knee**2 * np.sin(knee * t)
    if not task.startswith("walking"):
        _glances(angles, base, rng)
    _append(plan, angles, task, lift, sway)
    return np.asarray(angles[-1])


def _glances(angles: FloatArray, base: FloatArray, rng: np.random.Generator) -> None:
    """Look up or aside now and then, for a second or some."""
    at = 0
    while True:
        at += round(rng.exponential(70.0) * RATE_HZ)
        to = np.array(
            [rng.uniform(-5.0, 12.0) if rng.random() < 0.7 else base[0], 0.0, rng.uniform(-40.0, 40.0)]
        )
        stay = np.tile(to, (round(rng.uniform(0.3, 6.0) * RATE_HZ), 1))
        glance = np.concatenate(
            (_move(base, to, rng.uniform(0.4, 0.9)), stay, _move(to, base, rng.uniform(0.4, 0.9)))
        )
        if at + len(glance) > len(angles):
            return
        angles[at : at + len(glance)] += glance - base
        at += len(glance)


def _habit(n: int, band_hz: tuple[float, float], size_deg: float, rng: np.random.Generator) -> FloatArray:
    """Noise of size_deg standard deviation in a band of frequencies, (n, 3)."""
    spectrum = np.fft.rfft(rng.normal(size=(n, 3)), axis=0)
    f = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum[(f < band_hz[0]) | (f > band_hz[1])] = 0
    noise = np.fft.irfft(spectrum, n, axis=0)
    scaled: FloatArray = size_deg * noise / np.maximum(noise.std(axis=0), 1e-9)
    return scaled


def _wander(n: int, size_deg: float, rng: np.random.Generator) -> FloatArray:
    """The small slow drift of anything alive."""
    return _habit(n, (0.02, 0.8), size_deg, rng)


def _samples(
    t_s: FloatArray, angles: FloatArray, lift_m: FloatArray, sway_m: FloatArray, rng: np.random.Generator
) -> ImuBlock:
    """Turn angles into what an IMU of ordinary quality reads, put on anyhow behind the head."""
    heading = rng.uniform(0.0, 360.0) - angles[:, 2]
    head = Rotation.from_euler("ZYX", np.column_stack((heading, angles[:, 0], angles[:, 1])), degrees=True)
    sensor = head * Rotation.random(random_state=np.random.RandomState(int(rng.integers(2**31))))
    place = head.apply([rng.uniform(-0.1, -0.05), 0.0, rng.uniform(0.08, 0.16)])  # from the neck's base
    left = np.radians(heading) + np.pi / 2
    place = place + np.column_stack((sway_m * np.cos(left), sway_m * np.sin(left), lift_m))
    acceleration = np.gradient(np.gradient(place, t_s, axis=0), t_s, axis=0) + (0.0, 0.0, _G)
    turn = (sensor[:-1].inv() * sensor[1:]).as_rotvec() * RATE_HZ
    gyr = np.vstack((turn[:1], turn)) * (1 + rng.normal(0, 0.01, 3)) + np.radians(rng.normal(0, 0.5, 3))
    acc = sensor.inv().apply(acceleration) * (1 + rng.normal(0, 0.005, 3)) + rng.normal(0, 0.1, 3)
    return ImuBlock(
        t_s, gyr + np.radians(rng.normal(0, 0.08, gyr.shape)), acc + rng.normal(0, 0.03, acc.shape)
    )
