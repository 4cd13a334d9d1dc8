"""A workday as angles: what a neck does, and what a sensor on it would say. Deg, s, m/s^2; 25 Hz.

Written from bodies and from habits of people at desks, not from any detector: no number here is a limit of one. A day
is scenes after each other (typing, reading, telephones, drinks, walks, meetings, a car, a rest, the sensor laid
aside) with typing and breathing on top; each person has habits of their own. The sensor adds noise, a slow error, and
on some days a coat that pushes it, a slip by 10 deg, or being put back crooked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import FloatArray, Mount

RATE_HZ = 25.0
SIT, STAND, WALK, LIE, OFF, DRIVE = range(6)  # what the body does
_TRUNK_SHARE = 0.45  # of what the head bends at a desk, the upper back's part
_SCENE_GAP_S = 2.0  # a movement from one posture to the next


@dataclass(frozen=True, slots=True)
class Person:
    """Habits: mean angles, wobble, and how often what happens (weights of scenes)."""

    relaxed_deg: float
    slump_deg: float
    reading_deg: float
    lap_deg: float
    wobble_deg: float
    breath_deg: float
    breath_hz: float
    step_hz: float
    step_m_s2: float
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class Day:
    """True angles and activity (n,), and what the sensor says: flexion, side tilt, rate, vertical acceleration."""

    mount: Mount
    t_s: FloatArray
    true_flexion_deg: FloatArray
    body: NDArray[np.int8]
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rate_deg_s: FloatArray
    up_acc_m_s2: FloatArray
    faults: tuple[str, ...]
    scenes: tuple[tuple[float, float, str], ...] = ()  # start_s, end_s, name


@dataclass(slots=True)
class _Story:
    """The day while it is written: targets at times, what the body does, what is laid on top."""

    rng: np.random.Generator
    person: Person
    end_s: float
    t_s: float = 0.0
    knots: list[tuple[float, float, float]] = field(default_factory=list)  # time, flexion, lateral
    scenes: list[tuple[float, float, str, int]] = field(default_factory=list)

    def hold(
        self, name: str, seconds: float, flexion_deg: float, lateral_deg: float = 0.0, body: int = SIT
    ) -> None:
        """Go to a posture and stay."""
        self.knots += [
            (self.t_s + min(_SCENE_GAP_S, seconds / 3), flexion_deg, lateral_deg),
            (self.t_s + seconds, flexion_deg, lateral_deg),
        ]
        self.scenes.append((self.t_s, self.t_s + seconds, name, body))
        self.t_s += seconds

    def sink(self, name: str, seconds: float, from_deg: float, to_deg: float) -> None:
        """Let the neck sink slowly from one angle to another."""
        self.knots += [(self.t_s + _SCENE_GAP_S, from_deg, 0.0), (self.t_s + seconds, to_deg, 0.0)]
        self.scenes.append((self.t_s, self.t_s + seconds, name, SIT))
        self.t_s += seconds


def _typing(s: _Story) -> None:
    """Minutes that sink, with a glance at the keys or the window now and then."""
    p, left_s = s.person, s.rng.uniform(300, 1500)
    depth = p.relaxed_deg + p.slump_deg * s.rng.uniform(0.2, 1.0)
    while left_s > 0:
        part_s = min(s.rng.uniform(60, 400), left_s)
        s.sink("typing", part_s, p.relaxed_deg, depth)
        s.hold("glance", s.rng.uniform(1, 4), s.rng.uniform(-5, 30), s.rng.normal(0, 6))
        left_s -= part_s


def _reading(s: _Story) -> None:
    """Bent over paper, with a look up each half minute or so, or hardly any."""
    p, left_s = s.person, s.rng.uniform(120, 1200)
    looks_up = s.rng.uniform(20, 240)
    while left_s > 0:
        part_s = min(s.rng.exponential(looks_up) + 5, left_s)
        s.hold("reading", part_s, p.reading_deg + s.rng.normal(0, 3))
        s.hold("look up", s.rng.uniform(1, 5), p.relaxed_deg)
        left_s -= part_s


def _lap(s: _Story) -> None:
    s.hold("telephone in the lap", s.rng.uniform(40, 420), s.person.lap_deg + s.rng.normal(0, 4))


def _shoulder(s: _Story) -> None:
    side = s.rng.choice([-1, 1])
    s.hold("telephone on the shoulder", s.rng.uniform(20, 200), 10.0, side * s.rng.uniform(24, 38))


def _drink(s: _Story) -> None:
    for _ in range(int(s.rng.integers(1, 5))):
        s.hold("drink", s.rng.uniform(2, 5), -s.rng.uniform(18, 35))
        s.hold("typing", s.rng.uniform(5, 40), s.person.relaxed_deg)


def _walk(s: _Story) -> None:
    s.hold("walk", s.rng.uniform(40, 420), s.person.relaxed_deg + s.rng.uniform(-2, 8), body=WALK)


def _stand(s: _Story) -> None:
    s.hold("standing", s.rng.uniform(60, 600), s.person.relaxed_deg + s.rng.uniform(-3, 8), body=STAND)


def _meeting(s: _Story) -> None:
    """Looking about, notes in between."""
    for _ in range(int(s.rng.integers(10, 40))):
        s.hold("meeting", s.rng.uniform(5, 60), s.person.relaxed_deg + s.rng.normal(0, 4), s.rng.normal(0, 6))
        if s.rng.random() < 0.3:
            s.hold("notes", s.rng.uniform(5, 60), s.person.reading_deg + s.rng.normal(0, 5))


def _recline(s: _Story) -> None:
    s.hold("reclining", s.rng.uniform(120, 900), -s.rng.uniform(8, 22))


def _drive(s: _Story) -> None:
    s.hold("car", s.rng.uniform(600, 2400), s.person.relaxed_deg - 5, body=DRIVE)


def _lie(s: _Story) -> None:
    s.hold("lying", s.rng.uniform(240, 1200), -s.rng.uniform(72, 95), body=LIE)


def _lay_aside(s: _Story) -> None:
    s.hold("sensor off", s.rng.uniform(240, 2400), s.rng.uniform(-90, 90), s.rng.uniform(-40, 40), body=OFF)


def _bent_work(s: _Story) -> None:
    """Needlework, soldering, a tablet on the table: deep, long, with few looks up."""
    for _ in range(int(s.rng.integers(1, 4))):
        s.hold("bent work", s.rng.uniform(100, 500), s.person.lap_deg - s.rng.uniform(0, 15))
        s.hold("look up", s.rng.uniform(2, 15), s.person.relaxed_deg)


_SCENES: tuple[tuple[float, Callable[[_Story], None]], ...] = (
    (10.0, _typing), (3.0, _reading), (1.5, _lap), (1.0, _shoulder), (4.0, _drink), (3.0, _walk), (1.5, _stand),
    (1.5, _meeting), (0.8, _recline), (0.15, _drive), (0.15, _lie), (0.5, _lay_aside), (0.6, _bent_work),
)  # fmt: skip


def person(seed: int) -> Person:
    """Return a person of a seed."""
    rng = np.random.default_rng([seed, 1])
    weights = np.array([w for w, _ in _SCENES]) * rng.lognormal(0, 0.4, len(_SCENES))
    return Person(
        relaxed_deg=rng.uniform(0, 8),
        slump_deg=rng.uniform(8, 30),
        reading_deg=rng.uniform(25, 42),
        lap_deg=rng.uniform(38, 62),
        wobble_deg=rng.uniform(0.8, 2.5),
        breath_deg=rng.uniform(0.2, 0.8),
        breath_hz=rng.uniform(0.18, 0.33),
        step_hz=rng.uniform(1.6, 2.1),
        step_m_s2=rng.uniform(0.9, 2.5),
        weights=weights / weights.sum(),
    )


def generate_day(seed: int, who: int, mount: Mount, hours: float = 8.0) -> Day:
    """Return a day of a person (`who`), with the sensor at a place."""
    rng = np.random.default_rng([seed, who, 2])
    p = person(who)
    story = _Story(rng, p, hours * 3600.0)
    story.hold("sitting tall", 20.0, 0.0)
    while story.t_s < story.end_s:
        _SCENES[int(rng.choice(len(_SCENES), p=p.weights))][1](story)
    t_s = np.arange(round(story.end_s * RATE_HZ)) / RATE_HZ
    flexion, lateral, body = _motion(story, t_s)
    if mount is Mount.COLLAR:  # of a bend the neck does most, unless the whole body lies
        flexion = np.where(np.isin(body, (LIE, OFF)), flexion, _TRUNK_SHARE * flexion)
    return _sensed(rng, mount, t_s, flexion, lateral, body, story)


def _motion(story: _Story, t_s: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.int8]]:
    """Return the true angles, with wobble and breathing, and what the body does."""
    rng, p = story.rng, story.person
    knots = np.array([(0.0, 0.0, 0.0), *story.knots])
    flexion, lateral = (np.interp(t_s, knots[:, 0], knots[:, k]) for k in (1, 2))
    body = np.zeros(len(t_s), dtype=np.int8)
    for start_s, end_s, _, code in story.scenes:
        body[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)] = code
    is_alive = body != OFF
    # Wobble of a second or a few: the sum of two slow noises, made at 1 and 4 Hz and drawn between.
    for rate_hz, share in ((0.3, 0.8), (1.5, 0.4)):
        n = int(t_s[-1] * rate_hz) + 3
        knots_s = np.arange(n) / rate_hz
        flexion += is_alive * p.wobble_deg * share * np.interp(t_s, knots_s, rng.normal(size=n))
        lateral += is_alive * p.wobble_deg * share * 0.6 * np.interp(t_s, knots_s, rng.normal(size=n))
    flexion += is_alive * p.breath_deg * np.sin(2 * np.pi * p.breath_hz * t_s)
    swing = (body == WALK) * np.sin(2 * np.pi * p.step_hz * t_s + 0.7)
    return flexion + 1.5 * swing, lateral + 1.0 * swing, body


def _sensed(
    rng: np.random.Generator,
    mount: Mount,
    t_s: FloatArray,
    flexion: FloatArray,
    lateral: FloatArray,
    body: NDArray[np.int8],
    story: _Story,
) -> Day:
    """Return what a sensor at the place says of the motion."""
    faults: list[str] = []
    error = _slow_noise(rng, t_s, 1800.0, 0.8)
    end_s = t_s[-1]
    if rng.random() < 0.15:
        faults.append("slip")
        error = error + np.where(t_s > rng.uniform(0.1, 0.9) * end_s, rng.choice([-1, 1]) * 10.0, 0.0)
    if rng.random() < 0.2:
        faults.append("coat")
        start_s = rng.uniform(0, end_s)
        is_on = (t_s > start_s) & (t_s < start_s + rng.uniform(600, 2400))
        error = error + is_on * rng.normal(0, 4)
    for _, stop in _runs(body == OFF):
        if rng.random() < 0.5 and stop < len(t_s):
            faults.append("crooked")
            error = error + np.where(np.arange(len(t_s)) >= stop, rng.normal(0, 5), 0.0)
    gain = {Mount.HEAD: 1.0, Mount.NECK: rng.normal(1.0, 0.05), Mount.COLLAR: 1.0}[mount]
    is_off = body == OFF
    seen = np.where(is_off, flexion, gain * flexion + error) + rng.normal(0, 0.05, len(t_s)) * ~is_off
    seen += rng.normal(0, 0.005, len(t_s))
    side = lateral + rng.normal(0, 0.005, len(t_s))
    rate = (
        np.hypot(np.gradient(flexion, t_s), np.gradient(lateral, t_s))
        + np.abs(rng.normal(0, 1.5, len(t_s))) * ~is_off
    )
    acc = rng.normal(0, 0.02, len(t_s))
    acc += (body == WALK) * story.person.step_m_s2 * np.sin(2 * np.pi * story.person.step_hz * t_s)
    acc += (body == DRIVE) * rng.normal(0, rng.uniform(0.3, 0.8), len(t_s))  # broad: road and motor
    acc += ((body == SIT) | (body == STAND)) * rng.normal(0, 0.06, len(t_s))
    scenes = tuple((start_s, stop_s, name) for start_s, stop_s, name, _ in story.scenes)
    return Day(mount, t_s, flexion, body, seen, side, rate, acc, tuple(faults), scenes)


def _slow_noise(rng: np.random.Generator, t_s: FloatArray, every_s: float, size: float) -> FloatArray:
    n = int(t_s[-1] / every_s) + 3
    return np.interp(t_s, np.arange(n) * every_s, rng.normal(0, size, n))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return [start, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
