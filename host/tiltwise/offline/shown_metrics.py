"""What an output may say about an angle: its name at this mount, or that it is not shown and why. Degrees.

It joins the table of what can be observed (motion/angles/observability.py) and the calibration (which angles there
are), for every place that prints: analyze, day, watch, plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tiltwise.motion.angles.observability import UNMEASURED, Metric, Status, observability
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import Mount

NAMES: Mapping[Mount, Mapping[str, str]] = {
    Mount.COLLAR: {
        "inclination": "upper-back inclination",
        "flexion": "upper-back forward tilt",
        "lateral": "upper-back side tilt",
        "rotation": "upper-back turn",
    },
    Mount.NECK: {
        "inclination": "neck inclination",
        "flexion": "forward bend of the neck",
        "lateral": "side tilt of the neck",
        "rotation": "turn of the neck",
    },
    Mount.HEAD: {
        "inclination": "head inclination",
        "flexion": "forward bend of the head",
        "lateral": "side tilt of the head",
        "rotation": "turn of the head",
    },
}


OWN_FLEXION = "the neck's own forward bend, head minus upper back"  # with a second sensor on the collar


@dataclass(frozen=True, slots=True)
class Shown:
    """One angle at one mounting. Unless `is_shown` its number must not appear, and `why` says why."""

    name: str
    status: Status
    error: str
    why: str
    is_shown: bool
    is_assumed: bool = False  # which way is forward was taken from the movement, not shown by the person

    @property
    def label(self) -> str:
        """Return the name as a table shows it."""
        if self.is_assumed:
            return f"{self.name} (axes assumed)"
        return f"{self.name} (estimated)" if self.status is Status.ESTIMATED else self.name


def shown(mounting: Mounting, angle: str) -> Shown:
    """Return what may be said of "inclination", "flexion", "lateral" or "rotation" at a mounting."""
    cell = observability(mounting.mount, Metric(angle))
    name = NAMES[mounting.mount][angle]
    if cell.status is Status.NOT_OBSERVABLE:
        return Shown(name, cell.status, cell.error, cell.why, is_shown=False)
    if angle in ("flexion", "lateral") and not mounting.has_direction:
        why = "which way is forward is not known: calibrate with nods, or record some leaning"
        return Shown(name, Status.NOT_OBSERVABLE, "-", why, is_shown=False)
    if angle in ("flexion", "lateral") and not mounting.is_shown:
        return Shown(name, Status.ESTIMATED, UNMEASURED, cell.why, is_shown=True, is_assumed=True)
    return Shown(name, cell.status, cell.error, cell.why, is_shown=True)


def measures(mounting: Mounting) -> dict[str, dict[str, str]]:
    """Return for the JSON what each angle column is at this mounting, with status and error."""
    rows = ((f"{angle}_deg", shown(mounting, angle)) for angle in NAMES[mounting.mount])
    return {
        key: {"what": row.name, "status": str(row.status), "error": row.error, "why": row.why}
        | ({"axes": "assumed"} if row.is_assumed else {})
        for key, row in rows
    }
