"""Who wears the sensor: sizes, range of motion and habits, drawn from a seed. Degrees, metres, hertz.

Used by movements.py (how far, how fast, how restless) and segments.py (lever arms, soft tissue).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Person:
    """One person's constants; the ranges in `draw` span ordinary adults."""

    flexion_rom_deg: float
    extension_rom_deg: float
    left_rom_deg: float
    right_rom_deg: float
    rotation_rom_deg: float
    pace: float  # 1 = average; larger moves faster
    restlessness: float  # scales fidgets
    breath_hz: float
    breath_deg: float
    step_hz: float
    bounce_m: float  # amplitude of the trunk's rise and fall in walking
    slump_deg: float  # how far the upper back sinks when nobody watches
    screen_deg: float  # head on trunk while looking at the screen
    neck_share: float  # how much of head-on-trunk motion the skin at C2-C5 follows
    trunk_m: float  # hips to C7
    neck_m: float  # C7 to the occiput, height
    collar_slope_deg: float  # lean of the sensor's seat in the person's neutral posture, per mount
    neck_slope_deg: float
    head_slope_deg: float
    nod_tilt: float  # a nod is not quite sagittal: share of side tilt and of rotation in it
    nod_turn: float
    shrug_tilt_deg_m: float  # how much the collar leans back per metre of shrug


def draw(rng: np.random.Generator) -> Person:
    """Return a person.

    Ranges of motion: about 54 deg flexion, 65 to 77 extension, 42 to 45 lateral, 70 rotation in young adults
    (Youdas 1992, doi:10.1093/ptj/72.11.770). Breathing 12 to 18 per minute. Walking 1.7 to 2.0 steps per second with
    a vertical excursion of 2.5 to 4 cm, which is 2 m/s2 of peak acceleration at the trunk before the heel strikes.
    """

    def normal(mean: float, deviation: float) -> float:
        """Stay within two deviations: no giants, no necks of stone."""
        return float(mean + deviation * np.clip(rng.standard_normal(), -2.0, 2.0))

    lateral = normal(42, 5)
    return Person(
        flexion_rom_deg=normal(54, 6),
        extension_rom_deg=normal(64, 7),
        left_rom_deg=lateral + normal(0, 2),
        right_rom_deg=lateral + normal(0, 2),
        rotation_rom_deg=normal(68, 6),
        pace=normal(1.0, 0.12),
        restlessness=normal(1.0, 0.25),
        breath_hz=float(rng.uniform(0.2, 0.3)),
        breath_deg=float(rng.uniform(0.4, 1.4)),
        step_hz=normal(1.82, 0.08),
        bounce_m=float(rng.uniform(0.012, 0.018)),
        slump_deg=normal(14, 3),
        screen_deg=normal(6, 2),
        neck_share=float(rng.uniform(0.5, 0.7)),
        trunk_m=normal(0.50, 0.025),
        neck_m=normal(0.15, 0.01),
        collar_slope_deg=normal(24, 5),
        neck_slope_deg=normal(8, 5),
        head_slope_deg=normal(10, 5),
        shrug_tilt_deg_m=normal(120, 30),
        nod_tilt=normal(0, 0.05),
        nod_turn=normal(0, 0.05),
    )
