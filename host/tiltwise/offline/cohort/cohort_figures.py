"""Sums of people and days become the figures of groups: shares, spread between and within people, percentiles.

Groups of fewer people than the floor are counted and not shown, so that nobody can be told from a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

from tiltwise.offline.cohort.cohort_days import PersonDay
from tiltwise.offline.cohort.day_digest import Digest, combine
from tiltwise.report import aggregate as agg
from tiltwise.report.day_summary import percent_above
from tiltwise.report.history.norms import MOST_DAY_PERCENT
from tiltwise.report.history.totals import spread

FLOOR = 5  # people
LEAST_UPRIGHT_S = 3600.0  # for a day to count


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group at one mount; shares in percent of upright time at 20 deg or more, NaN where they cannot be known.

    within_sd is between the days of a person, between_sd between people (of their means). percentiles_deg and
    percent_beyond_deg are of the pooled time, from digests only.
    """

    group: str
    mount: str
    people: int
    days: int
    worn_h: float
    mean_percent: float = nan
    between_sd: float = nan
    within_sd: float = nan
    days_over_percent: float = nan
    percentiles_deg: tuple[float, float, float] = (nan, nan, nan)
    percent_beyond_deg: Mapping[int, float] | None = None


def figures_of_days(
    days: Sequence[PersonDay], groups: Mapping[str, str], floor: int = FLOOR
) -> tuple[list[GroupFigures], int]:
    """Return the groups of at least `floor` people, and how many were too small to show."""
    by_group: dict[tuple[str, str], list[PersonDay]] = {}
    for day in days:
        if day.person in groups and day.upright_s >= LEAST_UPRIGHT_S:
            by_group.setdefault((groups[day.person], day.mount), []).append(day)
    found = [_group(*key, members) for key, members in sorted(by_group.items())]
    shown = [group for group in found if group.people >= floor]
    return shown, len(found) - len(shown)


def _group(group: str, mount: str, days: Sequence[PersonDay]) -> GroupFigures:
    by_person: dict[str, list[float]] = {}
    for day in days:
        by_person.setdefault(day.person, []).append(day.percent)
    means = [spread(shares)[0] for shares in by_person.values()]
    several = [shares for shares in by_person.values() if len(shares) > 1]
    # Pooled within people: each weighs by the days beyond the first.
    free = sum(len(shares) - 1 for shares in several)
    squares = sum(spread(shares)[1] ** 2 * (len(shares) - 1) for shares in several)
    mean, between = spread(means)
    upright_s = sum(day.upright_s for day in days)
    beyond = {
        limit: sum(day.beyond_s[k] for day in days) / upright_s * 100
        for k, limit in enumerate(agg.THRESHOLDS_DEG)
    }
    return GroupFigures(
        group, mount, len(by_person), len(days), sum(day.worn_s for day in days) / 3600, mean, between,
        sqrt(squares / free) if free else nan,
        sum(day.percent > MOST_DAY_PERCENT for day in days) / len(days) * 100,
        percent_beyond_deg=beyond,
    )  # fmt: skip


def figures_of_digests(
    digests: Iterable[Digest], groups: Mapping[str, str], floor: int = FLOOR
) -> tuple[list[tuple[GroupFigures, Digest]], int]:
    """Return the groups of at least `floor` people with their sum, and how many were too small to show.

    A digest of many people is of the group that its `day` names.
    """
    by_group: dict[tuple[str, str], list[Digest]] = {}
    for digest in digests:
        group = groups.get(digest.person) if digest.person else digest.day
        if group is not None:
            by_group.setdefault((group, digest.mount), []).append(digest)
    found = []
    hidden = 0
    for (group, _), members in sorted(by_group.items()):
        whole = combine(members, group)
        if whole.people < floor:
            hidden += 1
            continue
        found.append((_of_digest(whole), whole))
    return found, hidden


def _of_digest(whole: Digest) -> GroupFigures:
    flexion_s = whole.flexion_s
    p10, p50, p90 = agg.histogram_percentiles(flexion_s, agg.FLEXION_EDGES_DEG, (10, 50, 90)).tolist()
    beyond = percent_above(flexion_s)
    return GroupFigures(
        whole.day, whole.mount, whole.people, whole.days, whole.worn_s / 3600, beyond[20],
        percentiles_deg=(p10, p50, p90), percent_beyond_deg=beyond,
    )  # fmt: skip
