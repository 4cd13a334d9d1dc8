"""What was recorded comes back as the same day: exposure, store, summary in one line."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from report.days import DAY_S, synthetic_day
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, EpisodeEnded, Mount, PostureKind


def test_a_day_comes_back_from_the_store_as_it_went_in(tmp_path: Path) -> None:
    day = synthetic_day(2.0)
    brief = EpisodeEnded(DAY_S + 9, PostureKind.FORWARD_FLEXION, DAY_S + 1, DAY_S + 9, 31.0, None)
    with Store(tmp_path) as store:
        session = store.begin_session("b", 1, zone="Europe/Berlin", mount=Mount.NECK, started_s=DAY_S)
        store.put_aggregates(session, day.minutes)
        alerts = [EpisodeAlert(t, PostureKind.FORWARD_FLEXION, t - 30, 40.0) for t in day.alerts_s]
        store.put_events(session, [*alerts, *day.episodes, *day.reps, brief], 0.0)
        for gap in day.gaps:
            store.put_gap(session, gap.start_s, gap.end_s, gap.reason)
    with Store.open_readonly(tmp_path) as reader:
        again = reader.day(date(2026, 2, 24)).summary()
    assert again.episodes == day.episodes
    assert again.alerts_s == day.alerts_s
    assert again.reps == day.reps
    assert again.gaps == day.gaps
    assert again.percentiles_deg == pytest.approx(
        day.percentiles_deg, abs=0.01
    )  # deg; durations stored in ms
    assert list(again.percent_above_deg.values()) == pytest.approx(
        list(day.percent_above_deg.values()), abs=0.01
    )
    assert np.abs(again.eva_percent - day.eva_percent).max() < 1e-9
    assert (again.limit_use, again.longest_bout_s) == pytest.approx((day.limit_use, day.longest_bout_s))
