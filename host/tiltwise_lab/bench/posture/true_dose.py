"""The dose of ISO 11226 on true angles, in floating point and by whole seconds: what an alert is measured against.

Written from the standard's table (8 min at 25 deg to 1 min at 85 for the head, 4 min at 20 deg to 1 min at 60 for the
trunk) and not from the rule it judges. A posture held uses up its share of the time it may be held; being upright,
walking or lying gives it back in as long as it was held.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.types import FloatArray, Mount
from tiltwise_lab.bench.posture.generated_day import LIE, OFF, RATE_HZ, WALK, Day

TABLE = {  # degrees, minutes
    Mount.HEAD: ((25.0, 8.0), (85.0, 1.0)),
    Mount.NECK: ((25.0, 8.0), (85.0, 1.0)),
    Mount.COLLAR: ((20.0, 4.0), (60.0, 1.0)),
}
NEARLY_FULL = 0.9
UPRIGHT_BELOW_DEG = 5.0  # under the first angle of the table
_SECOND = int(RATE_HZ)


@dataclass(frozen=True, slots=True)
class TrueDose:
    """Dose at each whole second, 1 is full; when it was nearly full, full, and half of it given back, s."""

    dose: FloatArray
    full_s: tuple[tuple[float, float, float], ...]


def true_dose(day: Day, angle_deg: FloatArray | None = None) -> TrueDose:
    """Return the dose of a day, or of other angles (n,) on it. It counts as full once, until half was given back."""
    (first_deg, first_min), (last_deg, last_min) = TABLE[day.mount]
    n = len(day.t_s) // _SECOND
    flexion = day.true_flexion_deg if angle_deg is None else angle_deg
    angle = flexion[: n * _SECOND].reshape(n, _SECOND).mean(axis=1)
    body = day.body[: n * _SECOND : _SECOND]
    allowed_s = 60 * np.interp(angle, (first_deg, last_deg), (first_min, last_min))
    loads = (angle >= first_deg) & ~np.isin(body, (WALK, LIE, OFF))
    rests = (angle < first_deg - UPRIGHT_BELOW_DEG) | np.isin(body, (WALK, LIE))
    dose, held_s, is_armed = 0.0, 0.0, True
    doses = np.zeros(n)
    near_s, full_s, found = 0.0, -1.0, list[tuple[float, float, float]]()
    unseen_s = 0
    for k in range(n):
        unseen_s = unseen_s + 1 if body[k] == OFF else 0
        if unseen_s > 60 * first_min:
            dose = held_s = 0.0
        elif loads[k] and dose < 1:
            dose, held_s = min(dose + 1 / allowed_s[k], 1.0), held_s + 1
        elif rests[k] and unseen_s == 0:
            dose, held_s = (dose * (1 - 1 / held_s), held_s - 1) if held_s > 1 else (0.0, 0.0)
        if not is_armed and dose <= 0.5:
            is_armed = True
            found.append((near_s, full_s, float(k + 1)))
        if dose < NEARLY_FULL and is_armed:
            near_s = float(k + 1)
        if is_armed and dose >= 1 - 1e-9:  # as much as a sum of many parts can say
            full_s, is_armed = float(k + 1), False
        doses[k] = dose
    return TrueDose(doses, (*found, *([] if is_armed else [(near_s, full_s, float(n))])))
