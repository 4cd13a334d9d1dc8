"""Stores with days whose figures are known: upright at 10 deg, bent at 30 deg for a stretch of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.store.writer import Store
from tiltwise.types import Mount


@dataclass(frozen=True, slots=True)
class KnownDay:
    """Local start (ISO), minutes worn, and the minutes [first, last) of it at 30 deg."""

    start: str
    minutes: int
    bent: tuple[int, int] = (0, 0)


def write_days(
    folder: Path,
    days: Sequence[KnownDay],
    *,
    zone: str = "Europe/Berlin",
    mount: Mount = Mount.HEAD,
    device: str = "board",
    info: Mapping[str, object] | None = None,
) -> None:
    """Write a session a day, sampled once a second."""
    with Store(folder, min_free_bytes=0) as store:
        for boot, day in enumerate(days, start=1):
            start_s = datetime.fromisoformat(day.start).replace(tzinfo=ZoneInfo(zone)).timestamp()
            minute = np.arange(day.minutes * 60 + 1) // 60
            angle = np.where((minute >= day.bent[0]) & (minute < day.bent[1]), 30.5, 10.5)
            exposure = ExposureAccumulator(ExposureSettings(mount=mount, max_gap_s=1.5))
            t_s = start_s + np.arange(len(angle), dtype=float)
            rows = exposure.process(t_s, angle, np.zeros(len(angle), dtype=np.int8)) + exposure.finish()
            session = store.begin_session(device, boot, zone=zone, mount=mount, started_s=start_s, info=info)
            store.put_aggregates(session, rows)
            store.commit()
