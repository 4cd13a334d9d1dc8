"""What an angle histogram says in the words of published methods, each with its source.

Angles in degrees, shares in percent of upright time, moments in N m. These are references of ergonomics that people
compare with; none of them is a limit for a person, and a total RULA or REBA score is never made.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import FloatArray, Mount

SOURCES = {
    "APDF": "Jonsson 1982, doi:10.11183/jhe1972.11.73; his limits are of muscle force, not of angles",
    "EVA": "Mathiassen & Winkel 1991, doi:10.1080/00140139108964889",
    "ISO 11226": "ISO 11226:2000, head inclination 25 deg for 8 min falling to 85 deg for 1 min",
    "ISO 11226 trunk": "ISO 11226:2000, trunk inclination 20 deg for 4 min falling to 60 deg for 1 min",
    "RULA": "McAtamney & Corlett 1993, doi:10.1016/0003-6870(93)90080-S, without its points for twist and side bend",
    "REBA": "Hignett & McAtamney 2000, doi:10.1016/S0003-6870(99)00039-3, without its point for twist or side bend",
    "70 %": "20 deg or more for over 70 % of the time (Ariens 2001, doi:10.1136/oem.58.3.200)",
    "4 h": "short recordings pull P10 up and P90 down, doi:10.1186/1471-2288-12-190",
    "speed": "gyroscope, all axes, length of the angular velocity",
    "generalized": "generalized velocity: turn of the direction of gravity, doi:10.3390/s21165527",
    "inclination": "inclination velocity: change of the inclination angle, doi:10.3390/s21165527",
}
MOST_DAY_PERCENT = 70.0  # of upright time at 20 deg or more, see SOURCES["70 %"]
_RULA_EDGES_DEG = (0, 10, 20)  # below 0: extension
_REBA_EDGES_DEG = (0, 20)
FULL_DAY_S = 8 * 3600.0
G_M_S2 = 9.80665


def rula_percent(histogram_s: FloatArray) -> dict[int, float]:
    """Return the share of the time at RULA's neck sub-scores 1 to 4: 0-10, 10-20, from 20 deg, extension."""
    extension, low, middle, high = _shares(histogram_s, _RULA_EDGES_DEG)
    return {1: low, 2: middle, 3: high, 4: extension}


def reba_percent(histogram_s: FloatArray) -> dict[int, float]:
    """Return the share of the time at REBA's neck sub-scores: 1 for 0-20 deg, 2 for more and for extension."""
    extension, low, high = _shares(histogram_s, _REBA_EDGES_DEG)
    return {1: low, 2: high + extension}


def _shares(histogram_s: FloatArray, edges_deg: tuple[int, ...]) -> list[float]:
    """Return percent of the time below, between and from edges on, NaN without any time."""
    total = float(histogram_s.sum())
    if total <= 0:
        return [nan] * (len(edges_deg) + 1)
    cuts = agg.flexion_bin(np.array(edges_deg)).tolist()
    return [float(part.sum()) / total * 100 for part in np.split(histogram_s, cuts)]


@dataclass(frozen=True, slots=True)
class MomentModel:
    """Assumptions of the gravitational moment about C7: mass of the head in kg, lever in m."""

    mass_kg: float = 4.5
    lever_m: float = 0.13


def moment_n_m(histogram_s: FloatArray, model: MomentModel) -> tuple[float, float]:
    """Return mean and P90 of m g L sin(angle) in N m over upright time, NaN without any; extension counts as 0."""
    total = float(histogram_s.sum())
    if total <= 0:
        return nan, nan
    centres = np.radians(np.clip(agg.FLEXION_CENTRES_DEG, 0.0, 90.0))
    moment = model.mass_kg * G_M_S2 * model.lever_m * np.sin(centres)
    (p90,) = agg.histogram_percentiles(histogram_s, agg.FLEXION_EDGES_DEG, (90,)).tolist()
    at_p90 = model.mass_kg * G_M_S2 * model.lever_m * float(np.sin(np.radians(min(max(p90, 0.0), 90.0))))
    return float((histogram_s * moment).sum()) / total, at_p90


def speed_percentiles(total: Aggregate) -> tuple[float, float, float]:
    """Return P10, P50 and P90 in deg/s of the angular speed in upright time, NaN without any."""
    p10, p50, p90 = agg.histogram_percentiles(total.rate_s, agg.RATE_EDGES_DEG_S, (10, 50, 90)).tolist()
    return p10, p50, p90


def projected_s(seconds: float, posture_s: float, worn_s: float) -> float:
    """Return what `seconds` of the upright time would be in 8 h worn, NaN where nothing was worn or more than 8 h."""
    return seconds / worn_s * FULL_DAY_S if 0 < worn_s < FULL_DAY_S and posture_s > 0 else nan


def iso_source(mount: Mount) -> str:
    """Return the source of the holding times that limit_use is measured against at this mount."""
    return SOURCES["ISO 11226 trunk" if mount is Mount.COLLAR else "ISO 11226"]
