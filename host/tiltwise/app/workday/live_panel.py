"""The live panel of `tiltwise watch`: angle gauge, dose, the last minutes, what the wearer does, today so far.

Events in, lines that fit the terminal out; every meaning is in a word or a mark, none in a colour.
"""

from __future__ import annotations

import math
from collections import deque
from textwrap import wrap

import numpy as np

from tiltwise.common import dose
from tiltwise.decode.messages import Status
from tiltwise.live.event_text import clock, lasting
from tiltwise.live.wearer.live_events import LiveEvents, PostureMeasured
from tiltwise.live.wearer.notices import Notice, NoticeLevel
from tiltwise.report.aggregate import flexion_bin
from tiltwise.report.day_summary import DaySummary
from tiltwise.types import ACTIVITIES, Activity, Mount, MovementDone, MovementDue, Update

COLUMNS = 79  # of a usual terminal, without the last, which would wrap
_GAUGE_DEG = (-30.0, 90.0)
_GAUGE_CELLS, _LEAST_CELLS = 61, 13  # 2 deg each where there is room
_LINE_CELLS = 60
_BAR_CELLS, _BAR_WORDS = 30, 40
_LABEL = 10  # columns before what each row shows
_LINE_S = 10.0  # that each cell of the line stands for: ten minutes in all
_BLOCKS, _PLAIN = "▁▂▃▄▅▆▇█", "_.-~=+*#"
_POSTURE = (Activity.STILL, Activity.MOVING)


class LivePanel:
    """Keeps what the panel shows.

    Parameters
    ----------
    limit_deg, recover_deg
        From where on a posture counts, and below which it is left.
    has_blocks
        Whether the terminal can show block characters.
    """

    def __init__(self, limit_deg: float, recover_deg: float, *, has_blocks: bool = True) -> None:
        self._limit_deg, self._recover_deg = limit_deg, recover_deg
        self._marks = _BLOCKS if has_blocks else _PLAIN
        self._full, self._empty = ("█", "·") if has_blocks else ("#", ".")
        self._angle_deg = self._filled = math.nan
        self._cells: deque[float] = deque(maxlen=_LINE_CELLS)  # mean angles, NaN: none
        self._cell: list[float] = []
        self._cell_s: float | None = None
        self._seen_s: float | None = None
        self.begin_day()
        self._battery: int | None = None

    def begin_day(self, so_far: DaySummary | None = None) -> None:
        """Begin the day's totals: at nothing, or with what was stored of the day before this run."""
        self._worn_s = self._posture_s = self._beyond_s = 0.0
        self._alerts = self._suggested = self._moved = 0
        if so_far is None or so_far.total is None:
            return
        self._worn_s, self._posture_s = so_far.worn_s, so_far.posture_s
        self._beyond_s = float(so_far.total.flexion_s[:, int(flexion_bin(self._limit_deg)) :].sum())
        self._alerts = len(so_far.alerts_s)
        self._suggested, self._moved = so_far.moves_suggested, so_far.moves_done

    def take(self, events: LiveEvents) -> None:
        """Remember what a chunk brought."""
        for event in events:
            match event:
                case PostureMeasured():
                    self._measured(event)
                case Update() if len(event.activity):
                    self._add(event)
                case Status():
                    self._battery = event.battery_percent
                case Notice(level=NoticeLevel.ALERT, is_repeated=False):
                    self._alerts += 1
                case Notice(level=NoticeLevel.MOVEMENT):
                    self._suggested += 1
                case MovementDone():
                    self._moved += 1
                case MovementDue():
                    pass  # whether it is told is a notice

    def lines(
        self,
        received_s: float,
        angles: str,
        activity: str,
        mount: Mount,
        link: str = "",
        columns: int = COLUMNS,
    ) -> list[str]:
        """Return the panel in rows of at most `columns`; `angles` and `activity` are the words for now."""
        columns = min(columns, COLUMNS)
        cells = min(max(columns - _LABEL - 2, _LEAST_CELLS), _GAUGE_CELLS)
        line_cells = min(max(columns - _LABEL, _LEAST_CELLS), _LINE_CELLS)
        found = [
            f"{clock(received_s):>8}  {angles}  {activity}",
            f"   angle  {self._gauge(cells)}",
            f"          {self._scale(cells)}",
            f"    dose  {self._dose(mount, min(max(columns - _BAR_WORDS, 5), _BAR_CELLS))}",
            f"{line_cells * _LINE_S / 60:4.0f} min  {self._line(line_cells)}",
            f"   today  {self._today()}",
        ]
        state = ", ".join(filter(None, (link, "" if self._battery is None else f"battery {self._battery} %")))
        if state:
            found.append(f"  sensor  {state}")
        under = " " * _LABEL
        return [row for line in found for row in wrap(line, columns, subsequent_indent=under)]

    def summary(self, received_s: float) -> str:
        """Return today so far as one plain line, for where nothing can be redrawn."""
        return f"{clock(received_s):>7}  so far: {self._today()}"

    def _measured(self, event: PostureMeasured) -> None:
        self._angle_deg, self._filled = event.angle_deg, event.filled
        if self._cell_s is None:
            self._cell_s = event.t_s
        if event.t_s - self._cell_s >= _LINE_S:
            known = [angle for angle in self._cell if math.isfinite(angle)]
            self._cells.append(sum(known) / len(known) if known else math.nan)
            # Time without samples stays empty.
            unseen = min(int((event.t_s - self._cell_s) / _LINE_S) - 1, _LINE_CELLS)
            self._cells.extend([math.nan] * unseen)
            self._cell, self._cell_s = [], event.t_s
        self._cell.append(event.angle_deg)

    def _add(self, update: Update) -> None:
        """Add the time of a block; a gap counts for nothing."""
        t_s = update.angles.t_s
        times = t_s if self._seen_s is None else np.concatenate(([self._seen_s], t_s))
        passed_s = np.diff(times)
        passed_s = np.where((passed_s > 0) & (passed_s <= 0.5), passed_s, 0.0)
        self._seen_s = float(t_s[-1])
        codes = update.activity[-len(passed_s) :] if len(passed_s) else update.activity[:0]
        is_posture = np.isin(codes, [ACTIVITIES.index(activity) for activity in _POSTURE])
        self._worn_s += float(passed_s[codes != ACTIVITIES.index(Activity.NOT_WORN)].sum())
        posture_s = float(passed_s[is_posture].sum())
        self._posture_s += posture_s
        if self._angle_deg >= self._limit_deg:
            self._beyond_s += posture_s

    def _gauge(self, n: int) -> str:
        cells = ["─" if self._marks == _BLOCKS else "-"] * n
        cells[_cell_of(self._recover_deg, n)], cells[_cell_of(self._limit_deg, n)] = ":", "|"
        if math.isfinite(self._angle_deg):
            cells[_cell_of(self._angle_deg, n)] = "O"
        return f"[{''.join(cells)}]"

    def _scale(self, n: int) -> str:
        """Return the numbers below the gauge, each under its cell."""
        row = [" "] * (n + 2)
        for deg in (-30, 0, int(self._limit_deg), 60, 90):
            text = str(deg)
            at = 1 + _cell_of(deg, n) - len(text) // 2
            row[max(at, 0) : max(at, 0) + len(text)] = text
        return "".join(row).rstrip()

    def _dose(self, mount: Mount, n: int) -> str:
        if not math.isfinite(self._filled):
            return "not known yet"
        cells = round(n * min(self._filled, 1.0))
        bar = f"[{self._full * cells}{self._empty * (n - cells)}] {100 * self._filled:3.0f} %"
        allowed_ms = dose.allowed_ms(dose.limits_of(mount), int(10 * max(self._angle_deg, 0.0)))
        if allowed_ms is None or self._angle_deg < self._limit_deg or self._filled >= 1.0:
            return bar
        return f"{bar}, full in {lasting(allowed_ms / 1000 * (1.0 - self._filled))}"

    def _line(self, n: int) -> str:
        """Return the last n cells: the height is the mean angle up to 60 deg, a space is time without one."""
        return "".join(
            " " if math.isnan(angle) else self._marks[int(np.clip(angle / 60 * 8, 0, 7))]
            for angle in list(self._cells)[-n:]
        )

    def _today(self) -> str:
        share = 100 * self._beyond_s / self._posture_s if self._posture_s else 0.0
        moved = f", moved {self._moved} of {self._suggested}" if self._suggested else ""
        return (
            f"worn {lasting(self._worn_s)}, beyond {self._limit_deg:.0f} deg {share:.0f} %, "
            f"alerts {self._alerts}{moved}"
        )


def _cell_of(angle_deg: float, n: int) -> int:
    low, high = _GAUGE_DEG
    share = (min(max(angle_deg, low), high) - low) / (high - low)
    return round(share * (n - 1))
