"""Guided sets with known repetitions, holds and turns: exercise, place and body -> what an IMU reads, and the truth.

Whoever wants to judge a counter of their own starts here (docs/benchmark.md). Figures and their sources:

* Size: active range is 61 deg of flexion, 43 of side bending (Bennett, Schenk and Simmons 2002, 14 healthy people);
  people exercise at 0.6 to 0.95 of it. Stiff necks have 7 to 14 deg.
* Time of a stroke: relaxation exercises are asked for slowly, 1.2 to 3 s; brisk people need 0.45 to 0.9 s (shaking
  the head goes at 1.9 to 4.7 Hz over 20 to 91 deg: Funk et al. 2015, J Appl Biomech 31, 170).
* Coming back: people miss their neutral by 3.5 deg (Revel et al. 1991, Arch Phys Med Rehabil 72, 288-291).
* Talk: below 1.8, 1.8 to 3.7 and 3.7 to 7 Hz (Hadar et al. 1983, Hum Mov Sci 2, 35-46). Tremor of a head: 4 to 8 Hz.
* Skin at the neck follows the head by 0.5 to 0.7. Shoulders rise by 2 to 4 cm; breath lifts the collar by 1 to 3 mm.

Axes of the body are x forward, y left, z up; right tilt, flexion and right turn are positive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from tiltwise.types import FloatArray, ImuBlock, Mount, Side
from tiltwise_lab.bench.guided.strokes import FINE_HZ, Course, noise_between
from tiltwise_lab.bench.guided.turned_body import about, applied, backwards, one_after_other, speed_rad_s

_G = 9.81
LATERAL, FLEXION, TURN, RISE = range(4)  # columns of a course
_RANGE = {LATERAL: 43.0, FLEXION: 61.0, TURN: 70.0}
_BACK_DEG = 55.0  # of extension


@dataclass(frozen=True, slots=True)
class BodyKind:
    """Who does it; shares are of the usual size, times in s."""

    name: str
    stroke_s: tuple[float, float] = (1.2, 2.6)
    size: tuple[float, float] = (0.6, 0.95)  # of the range
    scatter: float = 0.12  # of size and time from one repetition to the next
    missed_deg: float = 3.5
    coupling: float = 0.12
    tremor_deg: float = 0.0
    talks: bool = False
    two_steps: bool = False
    drift_deg: float = 1.5
    remount_deg: float = 3.0  # what a calibration leaves
    weak_side: float = 0.95
    partials: float = 0.0  # how often a quarter of a movement comes in between
    no_rest: bool = False


BODIES = (
    BodyKind("usual"),
    BodyKind("stiff", size=(0.16, 0.25), missed_deg=1.0, drift_deg=0.7),
    BodyKind("trembling", tremor_deg=0.4),
    BodyKind("brisk", stroke_s=(0.45, 0.9), no_rest=True),
    BodyKind("slow", stroke_s=(2.6, 4.5)),
    BodyKind("sloppy", scatter=0.2, missed_deg=5.0, coupling=0.3),
    BodyKind("in two steps", two_steps=True),
    BodyKind("talking", talks=True),
    BodyKind("drifting", drift_deg=7.0),
    BodyKind("remounted", remount_deg=12.0),
    BodyKind("one-sided", weak_side=0.6),
    BodyKind("half-hearted", partials=0.3),
)


@dataclass(frozen=True, slots=True)
class GuidedKind:
    """How an exercise looks: the column that moves, and how."""

    exercise: str
    mount: Mount
    column: int
    is_sided: bool = False
    has_hold: bool = False
    is_pair: bool = False
    sign: float = 1.0
    size_deg: tuple[float, float] | None = None  # where it does not go by the range
    bowed_deg: float = 0.0
    is_lying: bool = False


@dataclass(frozen=True, slots=True)
class TrueTurn:
    """One repetition: side, when the head arrived at its end, left it again, and was back; how long it was held.

    Held is the time within a tenth of the furthest point (at least 1.5 deg), of the course before anything trembles.
    """

    side: Side
    arrived_s: float
    left_s: float
    back_s: float
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GuidedSet:
    """What the IMU read, how it sits, and what was done."""

    block: ImuBlock
    q_sensor_from_body: tuple[float, float, float, float]  # as a calibration found it
    begins_s: float  # the wearer is ready
    turns: tuple[TrueTurn, ...]


def generate(kind: GuidedKind, body: BodyKind, mover: str, seed: int) -> GuidedSet:
    """Return one set."""
    rng = np.random.default_rng([seed, *f"{kind.exercise}{kind.mount}{body.name}{mover}".encode()])
    course = Course(rng, 4, mover)
    if kind.bowed_deg:
        course.move(np.array([0.0, kind.bowed_deg, 0.0, 0.0]), rng.uniform(1.2, 2.0))
    course.stay(rng.uniform(3.0, 4.5))
    begins_s = course.t_s
    course.stay(rng.uniform(0.6, 2.0))  # hearing and beginning
    turns = _repetitions(course, kind, body, rng)
    course.stay(rng.uniform(2.0, 3.0))
    values = course.values()
    turns = [_with_hold(turn, values[:, kind.column]) for turn in turns] if kind.has_hold else turns
    values += _restless(values, course.resting(), body, kind, rng)
    block, q = _as_samples(values, kind, body, rng)
    return GuidedSet(block, q, begins_s, tuple(turns))


def _repetitions(
    course: Course, kind: GuidedKind, body: BodyKind, rng: np.random.Generator
) -> list[TrueTurn]:
    n = int(rng.integers(3, 11))
    share = rng.uniform(*body.size)
    stroke_s = rng.uniform(*body.stroke_s)
    hold_s = rng.uniform(1.5, 6.0) if kind.has_hold else 0.0
    coupling = rng.uniform(-body.coupling, body.coupling, 3)
    middle = course.at.copy()
    turns: list[TrueTurn] = []
    for k in range(n):
        sign = kind.sign * (-1.0 if kind.is_sided and k % 2 else 1.0)
        side = Side.NONE if not kind.is_sided else Side.RIGHT if sign > 0 else Side.LEFT
        size = share * _full(kind, rng) * (body.weak_side if side is Side.LEFT else 1.0)
        if rng.random() < body.partials and not kind.is_pair:
            _out_and_back(course, kind, body, sign * 0.25 * size, stroke_s * 0.6, 0.0, coupling, middle, rng)
        if kind.is_pair:
            back = -share * 0.6 * _BACK_DEG
            _out_and_back(course, kind, body, back, stroke_s, rng.uniform(0.0, 1.5), coupling, middle, rng)
        held = hold_s * float(np.clip(rng.normal(1.0, 0.15), 0.6, 1.4))
        arrived, left, back_at = _out_and_back(
            course, kind, body, sign * size, stroke_s, held, coupling, middle, rng
        )
        turns.append(TrueTurn(side, arrived, left, back_at))
        if body.talks and k < n - 1 and rng.random() < 0.35:
            _glance(course, kind.column, middle, rng)
    return turns


def _with_hold(turn: TrueTurn, column: FloatArray) -> TrueTurn:
    """Read the hold off the clean course; shoulders are held from the end of the rise to the fall."""
    first, last = (round(t * FINE_HZ) for t in (turn.arrived_s - 0.01, turn.back_s))
    home = float(column[min(last, len(column) - 1)])
    way = np.abs(column - home)
    if float(way.max()) < 1.0:
        return replace(turn, held_s=turn.left_s - turn.arrived_s)
    end = float(way[first])
    limit = end - max(0.1 * end, 1.5)
    begin = first
    while begin > 0 and way[begin - 1] >= limit:
        begin -= 1
    while last > first and way[min(last, len(way) - 1)] < limit:
        last -= 1
    return replace(turn, held_s=(last - begin) / FINE_HZ)


def _full(kind: GuidedKind, rng: np.random.Generator) -> float:
    """The size of a whole movement; metres for shoulders."""
    if kind.column == RISE:
        return rng.uniform(0.028, 0.045)
    return _RANGE[kind.column] if kind.size_deg is None else rng.uniform(*kind.size_deg)


def _out_and_back(
    course: Course,
    kind: GuidedKind,
    body: BodyKind,
    size: float,
    stroke_s: float,
    hold_s: float,
    coupling: FloatArray,
    middle: FloatArray,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """One excursion; return when it arrived, left and was back."""

    def varied(value: float) -> float:
        return value * float(np.clip(rng.normal(1.0, body.scatter), 0.65, 1.35))

    if kind.column == RISE:
        stroke_s = float(np.clip(stroke_s / 2.5, 0.35, 1.2))
    to = middle.copy()
    if kind.column != RISE:
        to[:3] += abs(size) * coupling
    to[kind.column] = middle[kind.column] + varied(size)
    if body.two_steps and hold_s >= 0.0 and kind.column != RISE:
        course.move(middle + rng.uniform(0.5, 0.7) * (to - middle), 0.6 * varied(stroke_s))
        course.stay(rng.uniform(0.2, 0.6))
    course.move(to, varied(stroke_s))
    arrived = course.t_s
    course.stay(hold_s)
    left = course.t_s
    home = middle.copy()
    if kind.column != RISE:
        home[:3] += np.clip(
            rng.normal(0.0, body.missed_deg, 3), -2 * body.missed_deg, 2 * body.missed_deg
        ) * min(1.0, abs(size) / 40.0)
    course.move(home, varied(stroke_s))
    back = course.t_s
    rest_s = rng.uniform(0.05, 0.3) if body.no_rest else rng.uniform(0.4, 2.5)
    course.stay(max(rest_s, 0.35) if kind.column == RISE else rest_s)
    return arrived, left, back


def _glance(course: Course, column: int, middle: FloatArray, rng: np.random.Generator) -> None:
    """Look at somebody, or at the desk: what is not the movement of the exercise."""
    to = middle.copy()
    if column == TURN:
        to[FLEXION] += rng.uniform(12.0, 30.0)
    else:
        to[TURN] += rng.choice([-1.0, 1.0]) * rng.uniform(15.0, 45.0)
    course.move(to, rng.uniform(0.3, 0.7))
    course.stay(rng.uniform(0.3, 1.5))
    course.move(middle, rng.uniform(0.3, 0.7))
    course.stay(rng.uniform(0.4, 1.5))


def _restless(
    values: FloatArray, resting: FloatArray, body: BodyKind, kind: GuidedKind, rng: np.random.Generator
) -> FloatArray:
    """Drift, breath, talk and tremor, (n, 4)."""
    n = len(values)
    t = np.arange(n) / FINE_HZ
    out = np.zeros((n, 4))
    drift = body.drift_deg * (0.2 if kind.size_deg is not None and kind.size_deg[1] < 10.0 else 1.0)
    for column in range(3):
        out[:, column] += drift * np.sin(2 * np.pi * t / rng.uniform(40.0, 120.0) + rng.uniform(0, 2 * np.pi))
    breath = np.sin(2 * np.pi * rng.uniform(0.15, 0.3) * t + rng.uniform(0, 2 * np.pi))
    out[:, FLEXION] += rng.uniform(0.1, 0.6) * breath
    out[:, RISE] += rng.uniform(0.0005, 0.0015) * breath
    out[:, :3] += 0.25 * noise_between(n, 3, (0.1, 1.5), rng)
    if body.talks and kind.column != RISE:
        bursts = np.repeat(rng.random(int(n / FINE_HZ / 3.0) + 2) < 0.5, round(3.0 * FINE_HZ))[:n]
        loud = (np.pad(bursts.astype(float), (0, n - len(bursts))) * (0.2 + 0.8 * resting))[:, None]
        for band, size in (((0.3, 1.8), 1.0), ((1.8, 3.7), 0.4), ((3.7, 7.0), 0.12)):
            out[:, :3] += loud * noise_between(n, 3, band, rng) * size * (0.3 if kind.size_deg else 1.0)
    if body.tremor_deg:
        out[:, :3] += body.tremor_deg * noise_between(n, 3, (4.0, 8.0), rng)
    return out


def _as_samples(
    values: FloatArray, kind: GuidedKind, body: BodyKind, rng: np.random.Generator
) -> tuple[ImuBlock, tuple[float, float, float, float]]:
    """Turn a course into what an IMU of ordinary quality reads at its place, put on anyhow."""
    n = len(values)
    share = {Mount.HEAD: 1.0, Mount.NECK: rng.uniform(0.5, 0.7), Mount.COLLAR: 0.04}[kind.mount]
    angles: FloatArray = share * values[:, :3]
    if kind.mount is Mount.COLLAR:
        angles[:, FLEXION] -= (
            rng.uniform(60.0, 160.0) * values[:, RISE]
        )  # the cloth leans back as it is lifted
    heading = rng.uniform(0, 360) + 0.02 * np.arange(n) / FINE_HZ
    trunk = (about("z", heading), about("y", np.full(n, -82.0 if kind.is_lying else 0.0)))
    neck = (about("z", -angles[:, TURN]), about("y", angles[:, FLEXION]), about("x", angles[:, LATERAL]))
    head = one_after_other(*trunk, *neck)
    slack = Rotation.from_rotvec(np.radians(rng.uniform(-body.remount_deg, body.remount_deg, 3)))
    mount = Rotation.random(random_state=np.random.RandomState(int(rng.integers(2**31))))
    x, y, z, w = (slack * mount).as_quat().tolist()
    sensor = one_after_other(head, np.array([[w], [x], [y], [z]]))
    arm = applied(head, rng.uniform([-0.1, -0.05, 0.05], [0.05, 0.05, 0.15])[:, None]).T
    if kind.mount is Mount.COLLAR:
        arm = 0.3 * arm
    arm[:, 2] += values[:, RISE] if kind.mount is Mount.COLLAR else 0.0
    acceleration = np.gradient(np.gradient(arm, 1 / FINE_HZ, axis=0), 1 / FINE_HZ, axis=0)
    acceleration[:, 2] += _G
    acc = applied(backwards(sensor), acceleration.T).T
    gyr = speed_rad_s(sensor, FINE_HZ).T
    step = int(rng.choice([1, 2]))
    if step == 2:
        gyr, acc = (
            gyr[: n // 2 * 2].reshape(-1, 2, 3).mean(axis=1),
            acc[: n // 2 * 2].reshape(-1, 2, 3).mean(axis=1),
        )
    t = np.arange(len(gyr)) * step / FINE_HZ
    gyr = gyr * (1 + rng.normal(0, 0.01, 3)) + np.radians(rng.normal(0.0, 0.3, 3))
    gyr = gyr + np.radians(rng.normal(0.0, 0.07, gyr.shape))
    acc = acc * (1 + rng.normal(0, 0.005, 3)) + rng.normal(0.0, 0.15, 3) + rng.normal(0.0, 0.02, acc.shape)
    x, y, z, w = mount.inv().as_quat().tolist()
    return ImuBlock(t, gyr, acc), (w, x, y, z)
