"""`tiltwise day`: a stored day as a plot and as a few lines of text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.table import Table

from tiltwise.config.paths import simulated_in
from tiltwise.config.settings import RuleSetting
from tiltwise.errors import AppError, UsageError
from tiltwise.live.wearer.notices import lasting
from tiltwise.offline import shown_metrics
from tiltwise.offline.picture_file import check_picture_path, save_figure
from tiltwise.report import plots
from tiltwise.report.aggregate import BASE, SPELL_DEG
from tiltwise.report.day_summary import DaySummary
from tiltwise.report.plots import Figure
from tiltwise.report.style import INK
from tiltwise.store.files.schema import CORE_NAME
from tiltwise.store.files.swap import store_files
from tiltwise.store.reader import StoreReader
from tiltwise.text import counted, printable
from tiltwise.types import Activity, FloatArray

_LINE = 140  # characters across the picture
DEMOS = "tiltwise-demo"  # folder of the demos' stores, where they are run


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of a store: the summary and the zone it is to be shown in."""

    day: date
    summary: DaySummary
    zone: ZoneInfo
    rule_deg: float | None = None  # of the rule in force then, if it was kept
    origins: tuple[str, ...] = ()  # "simulated", "replayed": what of it is not the wearer's own
    left_out_s: Mapping[str, float] = field(
        default_factory=dict
    )  # worn seconds of sensors beside the one shown

    @property
    def mark(self) -> str:
        """What stands beside its date when it is not the wearer's own."""
        return f", {' and '.join(self.origins)}" if self.origins else ""


Say = Callable[[Path, Day], str]  # from a store and one of its days to a sentence


def parse_day(text: str, today: date | None = None) -> date:
    """Read YYYY-MM-DD, today, yesterday, or -2 for so many days ago."""
    ago = {"today": 0, "yesterday": 1}.get(text.lower())
    if ago is None and re.fullmatch(r"-\d{1,5}", text):
        ago = int(text[1:])
    try:
        return date.fromisoformat(text) if ago is None else (today or date.today()) - timedelta(days=ago)
    except ValueError:
        raise UsageError(
            f"day {text!r}: expected YYYY-MM-DD, for instance 2026-03-01, or today, yesterday, -2"
        ) from None


def folder_with_days(asked: Path | None, own: Path) -> tuple[Path, str]:
    """Return the store to show (asked for, one's own, before there is any the newest demo's) and a note."""
    if asked is not None or (own / "core.db").is_file():
        return asked or own, ""
    demos = sorted(Path(DEMOS).glob("*/core.db"), key=lambda path: path.stat().st_mtime)
    if not demos:
        return own, ""
    folder = demos[-1].parent
    return folder, f"nothing of your own is stored yet: this is the demo in {printable(str(folder), 300)}"


def say_where_simulated(folder: Path) -> None:
    """Raise AppError where a folder has no store of the wearer's own, but one of what was simulated or replayed."""
    aside = simulated_in(folder)
    if not store_files(folder) and (aside / CORE_NAME).exists():
        raise AppError(
            f"no recordings of your own in {folder}; what was simulated or replayed is apart: add --data {aside}"
        )


def load_day(folder: Path, day: date | None) -> Day:
    """Read a day, the newest one without a date; AppError when nothing was recorded on it."""
    say_where_simulated(folder)
    with StoreReader(folder) as reader:
        days = reader.days()
        if not days:
            raise AppError(f"{folder}: nothing recorded yet; run `tiltwise watch` or `tiltwise demo` first")
        chosen = day or days[-1]
        if chosen not in days:
            near = min(days, key=lambda d: abs((d - chosen).days))
            raise AppError(f"nothing was recorded on {chosen}; the nearest day with data is {near}")
        stored = reader.day(chosen)
    zone = ZoneInfo(stored.zone)
    return Day(chosen, stored.summary(), zone, stored.rule_deg, stored.origins, stored.left_out_s)


def day_figure(
    day: Day, limit_deg: float | None, trace: tuple[FloatArray, FloatArray] | None = None, sentence: str = ""
) -> Figure:
    """Return the picture of a day; a trace (UTC s, deg) stands in for the minutes of a short one."""
    figure = plots.day(day.summary, day.zone, limit_deg=limit_deg, trace=trace)
    lines = textwrap.wrap(sentence, _LINE)
    size = 9.8 if len(lines) < 2 else 9.2
    figure.text(0.062, 0.992, "\n".join(lines), fontsize=size, color=INK, va="top", parse_math=False)
    if day.origins:
        figure.text(0.975, 0.921, " and ".join(day.origins), fontsize=17, fontweight="bold", ha="right")
    return figure


def draw_day(
    folder: Path,
    date: str | None,
    out: Path | None,
    rule: RuleSetting,
    say: Say = lambda _folder, _day: "",
    *,
    dark: bool = False,
) -> tuple[Day, Path, str]:
    """Draw a stored day, the newest without a date; return it, the path (`out` or its date) and what was said.

    rule is today's, for a day whose own was not kept; say returns the sentence above the picture.
    """
    check_picture_path(out)
    day = load_day(folder, None if date is None else parse_day(date))
    path = out or Path(f"tiltwise-{day.day}.png")
    limit_deg = rule.limit_deg(day.summary.mount) if day.rule_deg is None else day.rule_deg
    sentence = say(folder, day)
    save_figure(day_figure(day, limit_deg, sentence=sentence), path, dark=dark)
    return day, path, sentence


def _alerts(s: DaySummary) -> str:
    """Return how many alerts were given, by whom, and how many were not."""
    alone = f", of these {s.alerts_alone} given by the sensor alone" if s.alerts_alone else ""
    return f"{len(s.alerts_s)}{alone}" + (f"; {s.alerts_held_back} held back" if s.alerts_held_back else "")


def _relative_rows(s: DaySummary) -> list[tuple[str, str]]:
    """Return that there is no verdict where nobody said that the neutral was upright, and the way out."""
    if not s.relative_to:
        return []
    text = f"all angles are relative to {s.relative_to}; whether that was upright is not known. "
    return [("no verdict", text + "Play it again with --neutral FILE or --neutral-up X,Y,Z")]


def _episode_rows(s: DaySummary) -> list[tuple[str, str]]:
    """Return how long the slumps lasted that were alerted of, as `watch` told it."""
    if not s.episodes:
        return []
    longest_s = max(e.end_s - e.start_s for e in s.episodes)
    return [("alerted slumps", f"{len(s.episodes)}, the longest {lasting(longest_s)}")]


def _repetitions(s: DaySummary) -> str:
    """Return how many; a day that nobody announced an exercise in shows sets of side tilts only."""
    n = sum(not rep.is_partial for rep in s.reps)
    return str(n) if n else "0 (unannounced, sets of side tilts are counted only)"


def _raise_rows(s: DaySummary) -> list[tuple[str, str]]:
    """Return how often the shoulders went up and did not come down, where that was seen at all."""
    if not s.shoulders_raised:
        return []
    return [("shoulders raised", f"{counted(s.shoulders_raised, 'time')} without a drop (estimated)")]


def _upper_back_rows(summary: DaySummary) -> list[tuple[str, str]]:
    """Return what a second sensor, on the collar, saw."""
    back = summary.upper_back
    if back is None:
        return []
    return [
        ("upper back P10 / P50 / P90", " / ".join(f"{p:z.0f}" for p in back.percentiles_deg) + " deg"),
        ("upper back beyond", ", ".join(f"{a} deg {p:.0f} %" for a, p in back.percent_above_deg.items())),
    ]


def _note_rows(day: Day) -> list[tuple[str, str]]:
    rows = [
        (
            "note",
            f"{lasting(seconds)} of {printable(name, 60)} left out: another sensor was worn in those minutes",
        )
        for name, seconds in day.left_out_s.items()
    ]
    if day.summary.is_short:
        rows.append(("note", "too little wear to read much into the percentiles"))
    return rows


def day_table(day: Day) -> Table:
    """Return the day in a few lines."""
    s = day.summary
    table = Table(
        show_header=False,
        box=None,
        pad_edge=False,
        title=f"{day.day} ({day.zone.key}){day.mark}",
        title_justify="left",
    )
    rows = [
        *_relative_rows(s),
        ("worn", lasting(s.worn_s)),
        ("walking / lying", f"{lasting(s.seconds(Activity.WALKING))} / {lasting(s.seconds(Activity.LYING))}"),
        (
            "angle",
            shown_metrics.NAMES[s.mount]["flexion"] if s.upper_back is None else shown_metrics.OWN_FLEXION,
        ),
        ("figures of", f"{lasting(s.posture_s)} {BASE}"),
        ("angle P10 / P50 / P90", " / ".join(f"{p:z.0f}" for p in s.percentiles_deg) + " deg"),
        ("time beyond", ", ".join(f"{a} deg {p:.0f} %" for a, p in s.percent_above_deg.items())),
        *_upper_back_rows(s),
        (f"longest spell beyond {SPELL_DEG:g} deg", lasting(s.longest_bout_s)),
        ("ISO 11226 holding time", f"{s.limit_use * 100:.0f} % of it used by the worst single run"),
        ("alerts", _alerts(s)),
        ("movement", f"suggested {counted(s.moves_suggested, 'time')}, done {counted(s.moves_done, 'time')}"),
        *_episode_rows(s),
        ("exercise repetitions", _repetitions(s)),
        *_raise_rows(s),
        *(("shoulders compared", check.words) for check in s.shoulder_checks[-1:]),
        ("gaps", f"{len(s.gaps)}, {lasting(sum(g.end_s - g.start_s for g in s.gaps))}"),
    ]
    for name, value in (*rows, *_note_rows(day)):
        table.add_row(name, value)
    return table
