"""Which angle shows a repetition, and which way: the data between catalogue.toml (what) and the counters (how)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

Degrees = Annotated[float, Meta(ge=0.5, le=90.0)]


class Angle(StrEnum):
    """The column of an AngleBlock that moves."""

    FLEXION = "flexion_deg"
    LATERAL = "lateral_deg"
    ROTATION = "rotation_deg"
    RISE = "up_acc_m_s2"  # of the shoulders: no angle; guided/shrug_counter.py follows it


class Way(StrEnum):
    """Which way counts."""

    PLUS = "plus"
    MINUS = "minus"
    EITHER = "either"  # each side is a repetition of its own
    PAIR = "pair"  # minus and then plus make one


@dataclass(frozen=True, slots=True)
class Signal:
    """How a repetition looks.

    Parameters
    ----------
    angle, way
        What moves and where to.
    least_deg
        Smaller movements are no repetitions (half of it: a partial one).
    guided_least_deg
        The same where the coach has just asked for the movement: stiff necks tilt by 7 deg.
    flexed_deg
        The head has to be bowed this far meanwhile, otherwise the repetition is partial.
    upright_deg
        Counts only while the head is bowed or thrown back by no more than this: who sits slumped and sways makes no
        side tilts.
    turn_share
        Counts only if the head turns meanwhile by at most this share of the excursion: a bowed head that turns looks
        tilted.
    lying_deg
        Counts only while the inclination is at least this: for exercises done lying down.
    """

    angle: Angle
    way: Way
    least_deg: Degrees = 8.0
    guided_least_deg: Degrees = 4.0
    flexed_deg: Degrees | None = None
    upright_deg: Degrees | None = None
    turn_share: Annotated[float, Meta(ge=0.1, le=10.0)] | None = None
    lying_deg: Degrees | None = None
