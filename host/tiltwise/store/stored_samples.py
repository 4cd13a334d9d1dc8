"""What the reader returns: the samples of stored chunks, each once and with its time, and stored days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.exercise.rest_tilt import RestComparison
from tiltwise.report.aggregate import MINUTE_S, Aggregate
from tiltwise.report.day_summary import DaySummary, Gap, summarise_day
from tiltwise.store.events import StoredEvent
from tiltwise.store.files.codec import Columns
from tiltwise.types import (
    AlertHeldBack,
    AlertsAlone,
    EpisodeAlert,
    EpisodeEnded,
    FloatArray,
    Mount,
    MovementDone,
    NoticeGiven,
    RepCompleted,
    ShouldersRaised,
)

_US = 1_000_000


SIMULATED, REPLAYED = "simulated", "replayed"


@dataclass(frozen=True, slots=True)
class StoredSamples:
    """Raw counts of one sensor and frame type: t_s (n,) UTC, boot (n,), index (n,) since boot, counts (n, 6 or 7)."""

    t_s: FloatArray
    boot: NDArray[np.int64]
    index: NDArray[np.int64]
    counts: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class StoredDay:
    """One local day [start_s, end_s), UTC s: minutes (not merged), events with UTC times, gaps, mount and zone.

    With two sensors `minutes` are the neck's own angle, and `upper_back` those of the sensor on the collar.
    """

    start_s: float
    end_s: float
    zone: str
    mount: Mount
    minutes: list[Aggregate]
    events: list[StoredEvent]
    gaps: list[Gap]
    rule_deg: float | None = None  # of the rule in force, None: stored by a version that did not keep it
    origins: tuple[str, ...] = ()  # SIMULATED, REPLAYED: what of it is not the wearer's own
    upper_back: list[Aggregate] = field(default_factory=list)
    left_out_s: dict[str, float] = field(
        default_factory=dict
    )  # worn seconds of devices beside the one that counts
    relative_to: str = ""  # the posture taken for neutral, where nobody said that it was upright
    shoulder_checks: list[RestComparison] = field(default_factory=list)

    def summary(self) -> DaySummary:
        """Return the day as it is drawn; only episodes that lasted long enough to alert are kept."""
        held_back = {e.t_s for e in self.events if isinstance(e, AlertHeldBack)}
        alone_s = self._alone_s()
        given_s = [e.t_s for e in self.events if isinstance(e, EpisodeAlert) and e.t_s not in held_back]
        late_s = [e.t_s for e in self.events if isinstance(e, NoticeGiven) and e.level == "alert late"]
        return summarise_day(
            self.minutes,
            start_s=self.start_s,
            end_s=self.end_s,
            mount=self.mount,
            episodes=[e for e in self.events if isinstance(e, EpisodeEnded) and e.alert_s is not None],
            alerts_s=sorted([*given_s, *late_s, *alone_s]),
            alerts_alone=len(alone_s),
            alerts_held_back=len(held_back & {e.t_s for e in self.events if isinstance(e, EpisodeAlert)})
            - len(late_s),
            moves_suggested=sum(isinstance(e, NoticeGiven) and e.level == "movement" for e in self.events),
            moves_done=sum(isinstance(e, MovementDone) for e in self.events),
            reps=[e for e in self.events if isinstance(e, RepCompleted)],
            gaps=self.gaps,
            upper_back=self.upper_back,
            relative_to=self.relative_to,
            shoulder_checks=self.shoulder_checks,
            shoulders_raised=sum(isinstance(e, ShouldersRaised) for e in self.events),
        )

    def _alone_s(self) -> list[float]:
        """Return when the sensor alone alerted, UTC s: by its events, and by its minutes where those are lost."""
        times_s = [e.t_s for e in self.events if isinstance(e, BoardEvent) and e.code == wire.EVENT_ALERT]
        for minute in (e for e in self.events if isinstance(e, AlertsAlone)):
            times_s += [minute.t_s + MINUTE_S / 2] * alerts_without_event(minute, self.events)
        return times_s


def alerts_without_event(minute: AlertsAlone, events: Sequence[StoredEvent]) -> int:
    """Return how many alerts of a minute, given by the sensor alone, have no event of their own."""
    known = sum(
        isinstance(e, BoardEvent)
        and e.code == wire.EVENT_ALERT
        and minute.t_s - 1 <= e.t_s <= minute.t_s + MINUTE_S + 1
        for e in events
    )
    return max(minute.count - known, 0)


def joined(parts: list[tuple[int, Columns]], width: int, start_s: float, end_s: float) -> StoredSamples:
    """Put chunks together: samples of [start_s, end_s) sorted by time, doubles (same boot and index) once."""
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return StoredSamples(np.empty(0), empty, empty, np.empty((0, width), dtype=np.int16))
    parts = sorted(parts, key=lambda part: (part[0], int(part[1].frame["i0"][0])))
    t_us = np.concatenate([_sample_times_us(c) for _, c in parts])
    boot = np.concatenate([np.full(len(c.samples), b) for b, c in parts])
    index = np.concatenate([_sample_index(c) for _, c in parts])
    counts = np.concatenate([c.samples for _, c in parts])
    chosen = np.arange(len(t_us))
    key = (boot << 40) | index
    if (np.diff(key) <= 0).any():  # chunks overlap: a late backfill
        chosen = np.unique(key, return_index=True)[1]
    chosen = chosen[(t_us[chosen] >= start_s * _US) & (t_us[chosen] < end_s * _US)]
    if (np.diff(t_us[chosen]) < 0).any():  # boots interleave, or the clock was set back
        chosen = chosen[np.argsort(t_us[chosen], kind="stable")]
    return StoredSamples(t_us[chosen] / _US, boot[chosen], index[chosen], counts[chosen])


def _sample_index(c: Columns) -> NDArray[np.int64]:
    n = c.frame["count"].astype(np.int64) & 15
    first = np.concatenate(([0], np.cumsum(n)[:-1]))
    return np.repeat(c.frame["i0"].astype(np.int64) - first, n) + np.arange(len(c.samples))


def _sample_times_us(c: Columns) -> FloatArray:
    """Spread samples from each frame to the next; before a hole, at the chunk's usual step."""
    n = c.frame["count"].astype(np.int64) & 15
    utc, i0 = c.frame["utc"].astype(np.int64), c.frame["i0"].astype(np.int64)
    follows = (i0[1:] - i0[:-1] == n[:-1]) & (utc[1:] > utc[:-1])
    nominal = wire.RATES_HZ[int(np.asarray(c.frame["rate"])[0])] or 50.0
    measured = np.diff(utc) / n[:-1]
    usual = float(np.median(measured[follows])) if follows.any() else 1e6 / nominal
    step = np.append(np.where(follows, measured, usual), usual)
    first = np.concatenate(([0], np.cumsum(n)[:-1]))
    within = np.arange(len(c.samples)) - np.repeat(first, n)
    return np.repeat(utc, n) + within * np.repeat(step, n)
