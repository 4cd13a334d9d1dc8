"""What a posture product does with a day: ours, stage by stage, and the published defaults of others.

The others alert when the angle has been at or beyond theirs for their time, and again when it was left and that
happens again; none of them is known to look at what the wearer does. Times of alerts in s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tiltwise.config.settings import Settings, rule_settings
from tiltwise.detect.activity import ActivityDetector
from tiltwise.detect.posture import PostureDetector
from tiltwise.detect.posture_rules import main_posture
from tiltwise.live.wearer.alerts import Alerts, Notice, NoticeLevel
from tiltwise.live.wearer.placement_monitor import PlacementMonitor
from tiltwise.motion.rotation import up_from_angles_deg
from tiltwise.types import ActivityChanged, AngleBlock, EpisodeAlert, Event, FloatArray
from tiltwise_lab.bench.posture.generated_day import RATE_HZ, Day

# Degrees and seconds, from the products' pages and repositories (NoSlouch's three presets, OpenEarable, AirPosture).
OTHERS: tuple[tuple[float, float], ...] = ((8.0, 2.0), (12.0, 3.0), (18.0, 5.0), (20.0, 10.0), (22.0, 10.0))
_BLOCK = int(600 * RATE_HZ)
_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OurDay:
    """Due by the rule, told to the wearer, told in doubt of the neutral (s), and the activity code of each sample."""

    due_s: tuple[float, ...]
    told_s: tuple[float, ...]
    doubts_s: tuple[float, ...]
    activity: NDArray[np.int8]


def angle_block(day: Day, part: slice) -> AngleBlock:
    """Return the sensor's angles of a part of a day."""
    flexion, lateral = day.flexion_deg[part], day.lateral_deg[part]
    up = up_from_angles_deg(flexion, lateral)
    inclination = np.degrees(np.arccos(np.clip(up[:, 2], -1.0, 1.0)))
    acc = day.up_acc_m_s2[part]
    nothing = np.zeros(len(flexion))
    return AngleBlock(
        day.t_s[part], inclination, flexion, lateral, nothing, day.rate_deg_s[part], acc, 9.81 + acc
    )


def with_activity(day: Day) -> Iterator[tuple[AngleBlock, NDArray[np.int8], list[ActivityChanged]]]:
    """Yield the sensor's angles block by block, with the activity code of each sample (n,) and its changes."""
    activity = ActivityDetector()
    for start in range(0, len(day.t_s), _BLOCK):
        block = angle_block(day, slice(start, start + _BLOCK))
        yield (block, *activity.process(block))


def our_day(day: Day) -> OurDay:
    """Run activity, rule, check of the neutral and the decision to interrupt, with the defaults."""
    settings = Settings()
    posture = PostureDetector(main_posture(day.mount), rule_settings(settings.rule))
    placement = PlacementMonitor()
    alerts = Alerts(settings.alerts, settings.rule, day.mount)
    due, told, doubts, codes = [], [], [], []
    now_s = 0.0
    for block, code, changes in with_activity(day):
        codes.append(code)
        changed = placement.process(block, code)
        doubts += [change.t_s for change in changed]
        found: list[Event] = [*changes, *posture.process(block, code)]
        due += [event.t_s for event in found if isinstance(event, EpisodeAlert)]
        for event in sorted([*changed, *found], key=lambda event: event.t_s):
            told += _told_late(alerts, now_s, event.t_s)
            now_s = event.t_s
            notice = alerts.consider(event, _MORNING + timedelta(seconds=event.t_s))
            if notice is not None and notice.level is NoticeLevel.ALERT:
                told.append(notice.t_s)
    return OurDay(tuple(due), tuple(told), tuple(doubts), np.concatenate(codes))


def _told_late(alerts: Alerts, from_s: float, to_s: float) -> list[float]:
    """Return when, asked each second, something held back before was told, s."""
    asked = (
        alerts.catch_up(t_s, _MORNING + timedelta(seconds=t_s)) for t_s in np.arange(from_s, to_s).tolist()
    )
    return [
        notice.t_s for notice in asked if isinstance(notice, Notice) and notice.level is NoticeLevel.ALERT
    ]


def their_day(day: Day, angle_deg: float, hold_s: float) -> FloatArray:
    """Return when a product with an angle and a time alerts, s."""
    high = day.flexion_deg >= angle_deg
    edges = np.flatnonzero(np.diff(np.concatenate(([False], high, [False])).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    long = stops - starts >= hold_s * RATE_HZ
    return np.asarray(starts[long] / RATE_HZ + hold_s)
