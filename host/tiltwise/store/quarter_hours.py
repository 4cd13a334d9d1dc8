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
    db = schema.open_reader(path)
    try:
        rows = db.execute(sql, (round(start_s * _US), round(end_s * _US))).fetchall()
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        db.close()
    return [
        (float(quarter) * QUARTER_S, Totals(covered, worn, posture, moving, moment, tuple(above)))
        for quarter, covered, worn, posture, moving, moment, *above in rows
    ]
