"""Days made by hand, stored and read back by the program: what it should say is known from how they were made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tiltwise.app.history.periods import Span, around, load_period
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.store.writer import Store
from tiltwise.types import Mount

_RATE_HZ = 10.0
_ZONE = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class MadeDay:
    """A local start, minutes at angles one after the other, and how many hours the day has."""

    name: str
    start: str
    parts: tuple[tuple[float, float], ...]  # minutes, deg
    hours: int = 24


@dataclass(frozen=True, slots=True)
class MadeRow:
    """How far the stored day is from what was made: hours of the day, s, points, deg, s."""

    name: str
    day_hours: float
    upright_s: float
    share_points: float
    percentile_deg: float
    longest_s: float
    hour_s: float


DAYS = (
    MadeDay("upright", "2026-03-02T08:00", ((480, 10.5),)),
    MadeDay("a third bent", "2026-03-03T08:00", ((120, 5.5), (80, 25.5), (40, 12.5))),
    MadeDay("at the limit", "2026-03-04T08:00", ((60, 19.95), (60, 20.05), (60, 14.5))),
    MadeDay(
        "three spells", "2026-03-05T08:00", ((10, 8.5), (9, 32.5), (1, 8.5), (6, 48.5), (1, 8.5), (20, 61.5))
    ),
    MadeDay("23 h", "2026-03-29T00:00", ((23 * 60, 10.5),), 23),
    MadeDay("25 h", "2026-10-25T00:00", ((120, 10.5), (60, 30.5), (22 * 60, 10.5)), 25),
)


def made_rows() -> Iterator[tuple[float, MadeRow]]:
    """Yield the share done and a row for each day."""
    with tempfile.TemporaryDirectory() as name:
        for k, made in enumerate(DAYS):
            yield (k + 1) / len(DAYS), _row(made, Path(name) / str(k))


def _row(made: MadeDay, folder: Path) -> MadeRow:
    start = datetime.fromisoformat(made.start).replace(tzinfo=ZoneInfo(_ZONE))
    angle = np.concatenate([np.full(round(minutes * 60 * _RATE_HZ), deg) for minutes, deg in made.parts])
    t_s = start.timestamp() + np.arange(len(angle) + 1) / _RATE_HZ
    exposure = ExposureAccumulator(ExposureSettings(mount=Mount.HEAD))
    angle = np.append(angle, angle[-1])
    rows = exposure.process(t_s, angle, np.zeros(len(t_s), dtype=np.int8)) + exposure.finish()
    with Store(folder, min_free_bytes=0) as store:
        session = store.begin_session("made", 1, zone=_ZONE, mount=Mount.HEAD, started_s=start.timestamp())
        store.put_aggregates(session, rows)
        store.commit()
    (day,) = load_period(folder, around(start.date(), Span.DAY)).days
    assert day.full is not None
    s = day.full.summary
    seconds = sum(minutes for minutes, _ in made.parts) * 60
    beyond = {a: sum(m for m, deg in made.parts if deg >= a) * 6000 / seconds for a in (15, 20, 30, 45, 60)}
    wanted = [_percentile(made, p) for p in (10, 50, 90)]
    spells = [60 * minutes if deg >= 20 else 0 for minutes, deg in made.parts]
    bent_hours = sum(sums.down_s for sums in day.hours.values())
    return MadeRow(
        made.name,
        (s.end_s - s.start_s) / 3600 - made.hours,
        abs(s.posture_s - seconds),
        max(abs(s.percent_above_deg[a] - share) for a, share in beyond.items()),
        max(abs(a - b) for a, b in zip(s.percentiles_deg, wanted, strict=True)),
        abs(s.longest_bout_s - max(spells)),
        abs(bent_hours - sum(spells)),
    )


def _percentile(made: MadeDay, percent: float) -> float:
    """Return the angle below which that share of the time lies, evenly within the degree of a part."""
    parts = sorted((deg, minutes) for minutes, deg in made.parts)
    wanted = percent / 100 * sum(minutes for _, minutes in parts)
    for deg, minutes in parts:
        if wanted <= minutes:
            return deg
        wanted -= minutes
    raise AssertionError("unreachable")
