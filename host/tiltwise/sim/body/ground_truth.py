"""The true events of a simulated wearer, against which detectors are scored. Seconds and degrees.

motion_script.py writes them while a scenario plays; wearer.py adds the peaks from the true angles at the mount.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiltwise.types import Activity, Side


@dataclass(frozen=True, slots=True)
class Span:
    """In [start_s, end_s) the wearer was doing this; `doing` is the fine name, `activity` the coarse class."""

    start_s: float
    end_s: float
    doing: str
    activity: Activity


@dataclass(frozen=True, slots=True)
class TrueRep:
    """One repetition, out and back. `direction` names the angle that shows it and its sign.

    hold_s is the scripted stay at the end of the range; peak_s and peak_deg (a magnitude) are the mount's. A
    shrug has no angle: its peak_deg is NaN and peak_rise_m says how high the collar went.
    """

    exercise: str
    side: Side
    direction: str  # "flexion+", "flexion-", "lateral+", "lateral-", "rotation+", "rotation-" or "rise+"
    start_s: float
    end_s: float
    hold_s: float
    peak_s: float = float("nan")
    peak_deg: float = float("nan")
    peak_rise_m: float = float("nan")


@dataclass(frozen=True, slots=True)
class TruePir:
    """One post-isometric relaxation: the barrier of each round (deg, head on trunk) and when the head was pressed."""

    exercise: str
    side: Side
    start_s: float
    end_s: float
    barriers_deg: tuple[float, ...]
    presses_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TrueCalibration:
    """Sitting tall and still in [neutral_start_s, neutral_end_s), nodding in [nod_start_s, nod_end_s)."""

    neutral_start_s: float
    neutral_end_s: float
    nod_start_s: float
    nod_end_s: float
    tilt_start_s: float
    tilt_end_s: float  # equal to tilt_start_s when no side tilts were made


@dataclass(frozen=True, slots=True)
class TrueRemoval:
    """Not worn in [start_s, end_s); lies perfectly still in [still_start_s, still_end_s)."""

    start_s: float
    end_s: float
    still_start_s: float
    still_end_s: float


@dataclass(frozen=True, slots=True)
class PostureRun:
    """The angle stayed above a limit in [start_s, end_s)."""

    start_s: float
    end_s: float
    peak_deg: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The story of one scenario in time order; spans cover all of it without holes."""

    spans: tuple[Span, ...]
    calibrations: tuple[TrueCalibration, ...]
    repetitions: tuple[TrueRep, ...]
    relaxations: tuple[TruePir, ...]
    removals: tuple[TrueRemoval, ...]
