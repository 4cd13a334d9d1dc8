"""`tiltwise bench posture`: alerts of ours and of others on the same days, against the true dose.

A dose that became full counts as found when an alert comes from nine tenths on until half was given back; the delay
is from full, by the true angles and by those that the sensor saw. An alert is false when the true dose is below nine
tenths then, or the wearer walks, lies, or has taken the sensor off. Returns rows; posture_tables.py prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.types import ACTIVITIES, Activity, FloatArray, Mount
from tiltwise_lab.bench.posture.generated_day import (
    DRIVE,
    LIE,
    OFF,
    RATE_HZ,
    SIT,
    STAND,
    WALK,
    Day,
    generate_day,
)
from tiltwise_lab.bench.posture.products import OTHERS, our_day, their_day
from tiltwise_lab.bench.posture.true_dose import NEARLY_FULL, TrueDose, true_dose

MOUNTS = (Mount.HEAD, Mount.NECK, Mount.COLLAR)
OURS_DUE, OURS_TOLD = "ours: due by dose", "ours: told"
_RIGHT = {  # which of our activities is right for what the body does
    SIT: (Activity.STILL, Activity.MOVING),
    STAND: (Activity.STILL, Activity.MOVING),
    DRIVE: (Activity.STILL, Activity.MOVING),
    WALK: (Activity.WALKING,),
    LIE: (Activity.LYING,),
    OFF: (Activity.NOT_WORN,),
}
_SECOND = int(RATE_HZ)


@dataclass(frozen=True, slots=True)
class ProductDay:
    """One product on one day: doses that became full, found, delays (s), alerts, false ones, hours worn.

    seen_delays_s are those after the dose of the angles that the sensor saw. Of the full doses `seen` became full in
    those angles too, and of these `seen_found` were found.
    """

    product: str
    full: int
    found: int
    delays_s: tuple[float, ...]
    seen_delays_s: tuple[float, ...]
    alerts: int
    false: int
    hours: float
    seen: int
    seen_found: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day: its wearer and place, what went wrong with the sensor, each product, minutes of activity right."""

    who: int
    mount: Mount
    faults: tuple[str, ...]
    products: tuple[ProductDay, ...]
    right_minutes: int
    minutes: int


def day_rows(n: int, wearers: int, hours: float = 8.0) -> Iterator[tuple[float, DayRow]]:
    """Yield the share done and a row for each of n days, of so many wearers in turn; day k has seed k."""
    for k in range(n):
        yield (k + 1) / n, day_row(k, k % wearers, MOUNTS[k % len(MOUNTS)], hours)


def day_row(seed: int, who: int, mount: Mount, hours: float) -> DayRow:
    """Judge one generated day."""
    day = generate_day(seed, who, mount, hours)
    ours = our_day(day)
    alerts = {OURS_DUE: np.array(ours.due_s), OURS_TOLD: np.array(ours.told_s)}
    return judged(day, who, alerts, ours.activity)


def judged(day: Day, who: int, alerts: dict[str, FloatArray], activity: NDArray[np.int8]) -> DayRow:
    """Judge alerts of ours on a day, by name, and those of other products; activity (n,) is the code found."""
    truth, seen = true_dose(day), true_dose(day, day.flexion_deg)
    alerts = alerts | {f"{deg:g} deg / {hold_s:g} s": their_day(day, deg, hold_s) for deg, hold_s in OTHERS}
    right, minutes = _right_minutes(day, activity)
    products = tuple(_judged(name, times, day, truth, seen) for name, times in alerts.items())
    return DayRow(who, day.mount, day.faults, products, right, minutes)


def _delays(alerts_s: FloatArray, truth: TrueDose) -> tuple[float, ...]:
    """Return the delay of the first alert for each full dose that has one, s."""
    delays = []
    for near_s, full_s, until_s in truth.full_s:
        within = alerts_s[(alerts_s >= near_s) & (alerts_s <= until_s)]
        delays += [float(within[0] - full_s)] if len(within) else []
    return tuple(delays)


def _judged(name: str, alerts_s: FloatArray, day: Day, truth: TrueDose, seen: TrueDose) -> ProductDay:
    delays = _delays(alerts_s, truth)
    seconds = np.clip(alerts_s.astype(int), 0, len(truth.dose) - 1)
    away = np.isin(day.body[seconds * _SECOND], (WALK, LIE, OFF))
    is_over = np.array([any(a <= t <= b for a, _, b in truth.full_s) for t in alerts_s.tolist()], dtype=bool)
    false = int(np.count_nonzero(away | ~(is_over | (truth.dose[seconds] >= NEARLY_FULL))))
    hours = float(np.count_nonzero(day.body != OFF)) / RATE_HZ / 3600
    shown = [(a, b) for a, _, b in truth.full_s if any(a <= full_s <= b for _, full_s, _ in seen.full_s)]
    told = sum(bool(np.any((alerts_s >= a) & (alerts_s <= b))) for a, b in shown)
    return ProductDay(
        name, len(truth.full_s), len(delays), delays, _delays(alerts_s, seen), len(alerts_s), false, hours,
        len(shown), told,
    )  # fmt: skip


def _right_minutes(day: Day, activity: NDArray[np.int8]) -> tuple[int, int]:
    """Return in how many whole minutes of one thing the activity found for most of the minute is right."""
    per = 60 * _SECOND
    n = len(day.t_s) // per
    body = day.body[: n * per].reshape(n, per)
    found = activity[: n * per].reshape(n, per)
    is_one = (body == body[:, :1]).all(axis=1)
    right = sum(
        ACTIVITIES[_most(found[k])] in _RIGHT[int(body[k, 0])] for k in np.flatnonzero(is_one).tolist()
    )
    return right, int(is_one.sum())


def _most(codes: NDArray[np.int8]) -> int:
    return int(np.bincount(codes).argmax())


def total(rows: Sequence[DayRow], product: str) -> ProductDay:
    """Return a product's days added up."""
    days = [each for row in rows for each in row.products if each.product == product]
    return ProductDay(
        product,
        sum(each.full for each in days),
        sum(each.found for each in days),
        tuple(delay for each in days for delay in each.delays_s),
        tuple(delay for each in days for delay in each.seen_delays_s),
        sum(each.alerts for each in days),
        sum(each.false for each in days),
        sum(each.hours for each in days),
        sum(each.seen for each in days),
        sum(each.seen_found for each in days),
    )
