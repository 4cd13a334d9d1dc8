"""A long stretch of the store as sums of quarters of an hour: a year by days, months and hours of the clock.

All zones are whole quarters of an hour from UTC, so that local days and hours are sums of quarters, also where the
clocks change. Read from the columns beside the blobs. Times in UTC s.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tiltwise.report import aggregate as agg
from tiltwise.report.history.totals import Totals
from tiltwise.store.files import schema
from tiltwise.store.one_wearer import DeviceMinute, one_wearer

QUARTER_S = 900
_US = 1_000_000


def quarter_totals(folder: Path, start_s: float, end_s: float) -> list[tuple[float, Totals]]:
    """Return (start of the quarter in s, sums) of the quarters in [start_s, end_s) that have minutes, in order.

    Raises
    ------
    StoreError
        When there is no store or it cannot be read.
    """
    path = folder / schema.CORE_NAME
    sums = ", ".join(f"sum(above_{limit}_s)" for limit in agg.THRESHOLDS_DEG)
    sql = (
        f"SELECT start_us / {QUARTER_S * _US} AS quarter, sum(covered_s), sum(worn_s), sum(posture_s), "
        f"sum(moving_s), total(mean_deg * posture_s), {sums} FROM aggregate "
        "WHERE start_us >= ? AND start_us < ? AND sensor = 0 GROUP BY quarter ORDER BY quarter"
    )
    bounds = (round(start_s * _US), round(end_s * _US))
    db = schema.open_reader(path)
    try:
        (devices,) = db.execute("SELECT count(*) FROM device").fetchone()
        rows = db.execute(sql, bounds).fetchall() if devices < 2 else _of_one_wearer(db, bounds)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        db.close()
    return [
        (float(quarter) * QUARTER_S, Totals(covered, worn, posture, moving, moment, tuple(above)))
        for quarter, covered, worn, posture, moving, moment, *above in rows
    ]


def _of_one_wearer(db: sqlite3.Connection, bounds_us: tuple[int, int]) -> list[tuple[float, ...]]:
    """Return the same rows where several devices may have filled the same minutes: each counts for one of them."""
    above = ", ".join(f"above_{limit}_s" for limit in agg.THRESHOLDS_DEG)
    minutes = db.execute(
        "SELECT start_us, name, covered_s, worn_s, posture_s, moving_s, coalesce(mean_deg, 0) * posture_s, "
        f"{above} FROM aggregate JOIN session ON session.id = session_id JOIN device ON device.id = device_id "
        "WHERE start_us >= ? AND start_us < ? AND sensor = 0 ORDER BY start_us",
        bounds_us,
    )
    chosen = one_wearer(
        DeviceMinute(start_us, str(name), sums[0], sums[1], (start_us // (QUARTER_S * _US), *sums))
        for start_us, name, *sums in minutes
    )
    by_quarter: dict[float, list[tuple[float, ...]]] = {}
    for quarter, *sums in chosen.rows:
        by_quarter.setdefault(quarter, []).append(tuple(sums))
    return [(quarter, *map(sum, zip(*rows, strict=True))) for quarter, rows in by_quarter.items()]
