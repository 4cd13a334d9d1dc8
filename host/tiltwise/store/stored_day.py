"""A stored day becomes the summary that is drawn."""

from __future__ import annotations

from tiltwise.report.day_summary import DaySummary, summarise_day
from tiltwise.store.reader import StoredDay
from tiltwise.types import EpisodeAlert, EpisodeEnded, RepCompleted


def day_summary(stored: StoredDay) -> DaySummary:
    """Return the summary of a stored day; only episodes that lasted long enough to alert are kept."""
    episodes = [e for e in stored.events if isinstance(e, EpisodeEnded) and e.alert_s is not None]
    return summarise_day(
        stored.minutes,
        start_s=stored.start_s,
        end_s=stored.end_s,
        mount=stored.mount,
        episodes=episodes,
        alerts_s=[e.t_s for e in stored.events if isinstance(e, EpisodeAlert)],
        reps=[e for e in stored.events if isinstance(e, RepCompleted)],
        gaps=stored.gaps,
    )
