"""Two segments, upper back and head, and a sensor on them: coordinates over time -> what an ideal IMU measures.

The trunk turns about the hips, the head about C7/T1. The collar rides on the trunk, the head band on the head; the
skin at C2-C5 follows the person's share of head-on-trunk motion. Axes: x forward, y left, z up in the neutral
pose; flexion, right tilt and right rotation positive (docs/conventions.md).
"""

from __future__ import annotations

import numpy as np

from tiltwise.sim.body.involuntary_motion import Ripples, SineSum, Term, band
from tiltwise.sim.body.kinematic_chain import Link, Motion, from_earth
from tiltwise.sim.body.minimum_jerk import Derivatives
from tiltwise.sim.body.person import Person
from tiltwise.types import FloatArray, Mount

# Coordinates in degrees, then those in metres.
ANGLES = (
    "heading", "trunk_flex", "trunk_lat", "head_flex", "head_lat", "head_rot",
    "part_x", "part_y", "part_z", "wobble_x", "wobble_y", "wobble_z",
)  # fmt: skip
LENGTHS = ("hip_x", "hip_y", "hip_z", "surge", "sway", "give", "rise", "reach_x", "reach_z")
COORDINATES = ANGLES + LENGTHS
# Gestures ride on top of postures: a glance at the keyboard while the slump grows.
GESTURES = ("trunk_flex", "head_flex", "head_lat", "head_rot")
ENVELOPES = ("breathing", "fidgeting", "typing", "walking", "tremor", "loose")
CHANNELS = COORDINATES + tuple(f"{name}+" for name in GESTURES) + ENVELOPES
AWAKE = {"breathing": 1.0, "fidgeting": 1.0, "tremor": 1.0, "loose": 1.0}

_ROW = {name: k for k, name in enumerate(CHANNELS)}
_UNIT = np.where(np.arange(len(COORDINATES)) < len(ANGLES), np.pi / 180, 1.0)[:, None]
# Slow slipping of the part on skin or cloth (deg, standard deviation) and how far the cloth is dragged along by a
# turning head: a collar is loose, a band is not.
WOBBLE_DEG = {Mount.COLLAR: 1.0, Mount.NECK: 0.6, Mount.HEAD: 0.25}
DRAG = {Mount.COLLAR: 0.04, Mount.NECK: 0.02, Mount.HEAD: 0.0}


class _Small:
    """Collects signals and terms while the person's small motions are listed."""

    def __init__(self) -> None:
        self.signals: list[SineSum] = []
        self.terms: list[Term] = []

    def add(self, envelope: str, signal: SineSum, **weights: float) -> None:
        """Let a signal move coordinates (deg or m per unit) as far as the envelope allows."""
        for name, weight in weights.items():
            self.terms.append(Term(_ROW[name], _ROW[envelope], len(self.signals), weight))
        self.signals.append(signal)


def ripples(person: Person, rng: np.random.Generator) -> Ripples:
    """Return the person's small motions, with phases of their own."""
    small = _Small()
    breath, fidget = person.breath_deg, person.restlessness
    small.add("breathing", _breath(person, rng), trunk_flex=-breath, head_flex=0.6 * breath, rise=0.002)
    small.add("fidgeting", band(rng, 0.015, 0.25), trunk_flex=0.8 * fidget, head_flex=0.2 * fidget)
    small.add("fidgeting", band(rng, 0.015, 0.2), trunk_lat=0.6 * fidget)
    small.add("fidgeting", band(rng, 0.01, 0.1), heading=1.0 * fidget)
    small.add("fidgeting", band(rng, 0.03, 0.6), head_flex=1.0 * fidget)
    small.add("fidgeting", band(rng, 0.03, 0.5), head_lat=0.8 * fidget)
    small.add("fidgeting", band(rng, 0.03, 0.7), head_rot=1.6 * fidget)
    small.add("typing", band(rng, 0.4, 1.6), head_flex=0.5, trunk_flex=0.1)
    small.add("typing", band(rng, 0.4, 1.2), head_rot=0.6, head_lat=0.2)
    small.add("typing", band(rng, 3.0, 7.0), trunk_flex=0.01, rise=0.0001)  # the keys, felt in the shoulders
    small.add("tremor", band(rng, 4.0, 9.0), head_flex=0.008, trunk_flex=0.003)
    small.add("tremor", band(rng, 4.0, 9.0), head_lat=0.008)
    for axis in ("wobble_x", "wobble_y", "wobble_z"):
        small.add("loose", band(rng, 0.02, 0.4), **{axis: 1.0})
    _add_walking(small, person, rng)
    return Ripples(small.signals, small.terms)


def _breath(person: Person, rng: np.random.Generator) -> SineSum:
    """One strong line with two weak neighbours: breaths differ a little in depth and length."""
    spread = rng.uniform(0.04, 0.09, 2)
    hz = (person.breath_hz, person.breath_hz * (1 - spread[0]), person.breath_hz * (1 + spread[1]))
    phase = rng.uniform(0, 2 * np.pi, 3)
    return SineSum(tuple(map(float, hz)), (0.8, 0.18, 0.14), tuple(phase.tolist()))


def _add_walking(small: _Small, person: Person, rng: np.random.Generator) -> None:
    """Add the gait: bounce at the step, sway at the stride; the head moves against the trunk and stays calmer."""
    step, bounce = person.step_hz, person.bounce_m
    phase, uneven = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.03)
    side = phase / 2 + np.pi / 4

    def line(hz: float, angle: float, harmonic: float = 0.0) -> SineSum:
        """A line, its slow unevenness, and its second harmonic (the heel strike)."""
        return SineSum(
            (hz, hz * (1 - uneven), 2 * hz), (1.0, 0.15, harmonic), (angle, 1.7 * angle, 2 * angle + 0.8)
        )

    small.add("walking", line(step, phase, 0.13), hip_z=bounce, give=-0.25 * bounce)
    small.add(
        "walking", line(step, phase + 1.2, 0.1), surge=0.006, trunk_flex=0.9, head_flex=-0.7, wobble_y=1.2
    )
    small.add("walking", line(step / 2, side, 0.1), sway=0.02, trunk_lat=1.5, head_lat=-1.1, wobble_x=0.8)
    small.add("walking", line(step / 2, side + 1.0), heading=3.0, head_rot=2.2, wobble_z=0.8)


class Body:
    """The bones and the place of the sensor of one person.

    Parameters
    ----------
    person
        Sizes and soft tissue.
    soft_tissue
        Scales wobble and drag; 0 fixes the part to the bone.
    """

    def __init__(self, person: Person, *, soft_tissue: float = 1.0) -> None:
        self.person = person
        self.soft_tissue = soft_tissue

    def coordinates(self, channels: Derivatives, small: Ripples, t_s: FloatArray) -> dict[str, Motion]:
        """Return every coordinate (rad or m) with its derivatives at the times t_s (n,)."""
        n = len(COORDINATES)
        sums = Derivatives(
            channels.value[:n].copy(), channels.rate[:n].copy(), channels.acceleration[:n].copy()
        )
        for name in GESTURES:
            row, extra = _ROW[name], _ROW[f"{name}+"]
            sums.value[row] += channels.value[extra]
            sums.rate[row] += channels.rate[extra]
            sums.acceleration[row] += channels.acceleration[extra]
        small.add_to(sums, channels, t_s)
        value, rate, acceleration = sums.value * _UNIT, sums.rate * _UNIT, sums.acceleration * _UNIT
        return {name: (value[k], rate[k], acceleration[k]) for k, name in enumerate(COORDINATES)}

    def trunk(self, x: dict[str, Motion]) -> Link:
        """Return the trunk at the hips."""
        zero = _times(x["surge"], 0.0)
        hips = from_earth(x["hip_x"], x["hip_y"], x["hip_z"]).turn(2, x["heading"])
        return hips.shift(x["surge"], x["sway"], zero).turn(1, x["trunk_flex"]).turn(0, x["trunk_lat"])

    def head(self, trunk: Link, x: dict[str, Motion], share: float = 1.0) -> Link:
        """Return the head, or a neck that follows a share of it, at C7/T1."""
        up = _plus(_times(x["give"], share), self.person.trunk_m)
        base = trunk.shift(_constant(up, 0.02), _constant(up, 0.0), up)
        tilted = base.turn(1, _times(x["head_flex"], share)).turn(0, _times(x["head_lat"], share))
        return tilted.turn(2, _times(x["head_rot"], -share))

    def segment(self, mount: Mount, trunk: Link, x: dict[str, Motion]) -> Link:
        """Return the link that the mount belongs to, at the sensor's place on it."""
        person = self.person
        if mount is Mount.COLLAR:
            up = _plus(x["rise"], person.trunk_m)
            return trunk.shift(_constant(up, -0.06), _constant(up, 0.0), up)
        share = person.neck_share if mount is Mount.NECK else 1.0
        behind, height = (-0.07, 0.06) if mount is Mount.NECK else (-0.08, person.neck_m)
        link = self.head(trunk, x, share)
        still = x["give"]
        return link.shift(_constant(still, behind), _constant(still, 0.0), _constant(still, height))

    def part(self, mount: Mount, segment: Link, x: dict[str, Motion]) -> Link:
        """Return the sensor's housing: carried off and remounted by the script, slipping on skin or cloth."""
        slip = WOBBLE_DEG[mount] * self.soft_tissue
        drag = DRAG[mount] * self.soft_tissue
        lean = _times(x["rise"], -np.radians(self.person.shrug_tilt_deg_m) * self.soft_tissue)
        roll = _sum(x["part_x"], _times(x["wobble_x"], slip), _times(x["head_lat"], drag))
        pitch = _sum(x["part_y"], _times(x["wobble_y"], slip), _times(x["head_flex"], drag))
        if mount is Mount.COLLAR:
            pitch = _sum(pitch, lean)
        yaw = _sum(x["part_z"], _times(x["wobble_z"], slip), _times(x["head_rot"], -drag))
        carried = segment.shift(x["reach_x"], _times(x["reach_x"], 0.0), x["reach_z"])
        return carried.turn(2, yaw).turn(1, pitch).turn(0, roll)


def _times(a: Motion, factor: float) -> Motion:
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def _plus(a: Motion, offset: float) -> Motion:
    return (a[0] + offset, a[1], a[2])


def _constant(like: Motion, value: float) -> Motion:
    zero = np.zeros_like(like[0])
    return (zero + value, zero, zero)


def _sum(*parts: Motion) -> Motion:
    value, rate, acceleration = parts[0]
    for part in parts[1:]:
        value, rate, acceleration = value + part[0], rate + part[1], acceleration + part[2]
    return (value, rate, acceleration)
