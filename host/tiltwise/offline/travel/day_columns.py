"""A stored day as named columns with units: minutes, events, gaps. What CSV and Parquet both write.

Times are ISO 8601 in UTC; the local day is in the name of the file. Seconds and degrees. Histograms are lists, in
Parquet only: with them nothing of a minute is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.history.totals import totals_of
from tiltwise.store.events import StoredEvent, encode_event
from tiltwise.store.stored_rows import StoredRows, StoredSession
from tiltwise.types import ACTIVITIES

Column = list[object]


def utc_text(t_s: float) -> str:
    """Return UTC s as ISO 8601 with microseconds."""
    return datetime.fromtimestamp(round(t_s * 1e6) / 1e6, UTC).isoformat(timespec="microseconds")


def session_columns(sessions: Sequence[StoredSession], person: str) -> dict[str, Column]:
    """Return whose and of which run each row is."""
    return {
        "person": [person] * len(sessions),
        "device": [each.device for each in sessions],
        "boot": [each.boot for each in sessions],
        "session_started_utc": [utc_text(each.started_s) for each in sessions],
        "zone": [each.zone for each in sessions],
        "mount": [each.mount for each in sessions],
    }


def minute_columns(rows: StoredRows, person: str, *, is_whole: bool) -> dict[str, Column]:
    """Return the minutes; is_whole adds the histograms and what the session says about itself."""
    minutes = [row for _, _, row in rows.minutes]
    columns = session_columns([session for session, _, _ in rows.minutes], person)
    columns["sensor"] = [sensor for _, sensor, _ in rows.minutes]
    columns["start_utc"] = [utc_text(row.start_s) for row in minutes]
    sums = [totals_of(row) for row in minutes]
    columns |= {
        "recorded_s": [each.covered_s for each in sums],
        "worn_s": [each.worn_s for each in sums],
        "upright_s": [each.posture_s for each in sums],
        "mean_deg": [each.mean_deg for each in sums],
    }
    for k, limit in enumerate(agg.THRESHOLDS_DEG):
        columns[f"beyond_{limit}_deg_s"] = [each.above_s[k] for each in sums]
    for k, activity in enumerate(ACTIVITIES):
        columns[f"{activity.value}_s"] = [float(row.activity_s[k]) for row in minutes]
    percentiles = [row.percentiles_deg(10, 50, 90) for row in minutes]
    for k, name in enumerate(("p10_deg", "p50_deg", "p90_deg")):
        columns[name] = [float(each[k]) for each in percentiles]
    columns |= {name: [getattr(row, name) for row in minutes] for name in ("limit_use", "bout_s")}
    columns |= {
        "lateral_min_deg": [row.lateral_deg[0] for row in minutes],
        "lateral_max_deg": [row.lateral_deg[1] for row in minutes],
        "rotation_min_deg": [row.rotation_deg[0] for row in minutes],
        "rotation_max_deg": [row.rotation_deg[1] for row in minutes],
    }
    if is_whole:
        columns |= {name: [read(row) for row in minutes] for name, read in HISTOGRAMS.items()}
        columns["about"] = [session.info for session, _, _ in rows.minutes]
    return columns


HISTOGRAMS: Mapping[str, Callable[[Aggregate], list[float]]] = {
    "activity_hist_s": lambda row: row.activity_s.tolist(),
    "flexion_hist_s": lambda row: row.flexion_s.ravel().tolist(),  # held, then moving; 0.1 deg from -90
    "rate_hist_s": lambda row: row.rate_s.tolist(),
    "eva_hist_s": lambda row: row.eva_s.ravel().tolist(),
}


def aggregate_of(values: Mapping[str, object], start_s: float) -> Aggregate:
    """Return the minute of a row that was written whole; ValueError or KeyError for one that was not."""
    tables = {name: np.array(values[name], dtype=np.float64) for name in HISTOGRAMS}
    flexion = 2 * agg.N_FLEXION
    if tables["flexion_hist_s"].size == flexion // agg.BINS_PER_DEG:  # of an export in whole degrees
        flexion //= agg.BINS_PER_DEG
    sizes = (len(ACTIVITIES), flexion, agg.N_RATE, agg.EVA_SHAPE[0] * agg.EVA_SHAPE[1])
    for (name, table), size in zip(tables.items(), sizes, strict=True):
        if table.shape != (size,) or not np.isfinite(table).all() or table.min() < 0:
            raise ValueError(f"{name}: expected {size} numbers of seconds")

    def number(name: str) -> float:
        value = values[name]
        if not isinstance(value, (int, float)):
            raise ValueError(f"{name}: expected a number")
        return float(value)

    activity, flexion_s, rate, eva = tables.values()
    return Aggregate(
        start_s, activity, agg.in_bins(flexion_s), rate, eva.reshape(agg.EVA_SHAPE), number("limit_use"),
        number("bout_s"), (number("lateral_min_deg"), number("lateral_max_deg")),
        (number("rotation_min_deg"), number("rotation_max_deg")),
    )  # fmt: skip


def event_columns(rows: StoredRows, person: str) -> dict[str, Column]:
    """Return events; the details are JSON with times in UTC s."""
    events: list[StoredEvent] = [event for _, event in rows.events]
    encoded = [encode_event(event) for event in events]
    columns = session_columns([session for session, _ in rows.events], person)
    columns["utc"] = [utc_text(event.t_s) for event in events]
    columns["kind"] = [kind for kind, _ in encoded]
    columns["details"] = [data for _, data in encoded]
    columns["about"] = [session.info for session, _ in rows.events]
    return columns


def gap_columns(rows: StoredRows, person: str) -> dict[str, Column]:
    """Return the stretches without samples."""
    columns = session_columns([session for session, _ in rows.gaps], person)
    columns["start_utc"] = [utc_text(gap.start_s) for _, gap in rows.gaps]
    columns["end_utc"] = [utc_text(gap.end_s) for _, gap in rows.gaps]
    columns["reason"] = [gap.reason for _, gap in rows.gaps]
    columns["about"] = [session.info for session, _ in rows.gaps]
    return columns


def parsed_about(text: object) -> dict[str, object]:
    """Return what a session says about itself, from a file; ValueError for anything else."""
    found = json.loads(text) if isinstance(text, str) and text else {}
    if not isinstance(found, dict):
        raise ValueError("about: expected a JSON object")
    return found
