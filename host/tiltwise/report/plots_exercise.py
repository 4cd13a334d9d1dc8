"""Pictures of exercises: a session over time, a range of motion as a rose, progress over weeks. Degrees, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.range_progress import Change, RangeTest
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.report import plot_parts as parts
from tiltwise.report import style
from tiltwise.types import FloatArray, Side

_DAY_S = 86400.0
_MARGIN_DAYS = 0.5  # beside the first and the last test
_SHADES = {"hold": "#DDEBF5", "press": "#F7E3C3", "sink": "#DFF1EA", "rest": "#F1F3F5"}
_SHADE_NAMES = {"hold": "hold", "press": "press without moving", "sink": "let it sink", "rest": "rest"}
# Where each direction lies on the rose: as one looks at the wearer's head from behind.
_ROSE = {
    Direction.DOWN: 270.0,
    Direction.RIGHT: 345.0,
    Direction.TURN_RIGHT: 30.0,
    Direction.BACK: 90.0,
    Direction.TURN_LEFT: 150.0,
    Direction.LEFT: 195.0,
}
_LINES = (
    ("flexion_deg", style.ANGLE, "down + / back -"),
    ("lateral_deg", style.EXERCISE, "right + / left -"),
    ("rotation_deg", style.UPPER_BACK, "turn right + / left -"),
)


@dataclass(frozen=True, slots=True)
class DrawnPhase:
    """What was asked for in [start_s, end_s)."""

    start_s: float
    end_s: float
    do: str
    short: str


@dataclass(frozen=True, slots=True)
class DrawnSession:
    """Angles (n,) over device time, and the phases."""

    t_s: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    phases: tuple[DrawnPhase, ...]


def session_picture(drawn: DrawnSession, records: Sequence[ExerciseRecord], *, title: str) -> Figure:
    """Return a session: the angles over time with what was asked for, repetitions and the ends of rounds."""
    figure = parts.new_figure()
    axes = figure.add_axes((0.062, 0.2, 0.913, 0.66))
    parts.plain(axes)
    start_s = records[0].start_s if records else 0.0
    end_s = max((record.end_s for record in records), default=0.0)
    is_shown = (drawn.t_s >= start_s) & (drawn.t_s <= end_s)
    t = drawn.t_s[is_shown] - start_s
    for name, colour, label in _LINES:
        values = getattr(drawn, name)[is_shown]
        parts.draw_trace(axes, t, values, colour, label, 1.1)
    _draw_phases(axes, drawn.phases, start_s)
    _draw_counted(axes, records, start_s)
    axes.axhline(0, color=style.SOFT, linewidth=0.8)
    axes.set_xlim(0, max(end_s - start_s, 1.0))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -20), max(high, 20) + 12)
    axes.set_ylabel("degrees")
    axes.set_xlabel("seconds")
    parts.legend(axes)
    figure.text(0.062, 0.945, title, fontsize=16, fontweight="bold", color=style.INK, parse_math=False)
    done = "; ".join(map(_done, records))
    figure.text(0.062, 0.905, done[:150], fontsize=10, color=style.SOFT, parse_math=False)
    if records:
        parts.draw_footnote(figure, records[0].mount)
    return figure


def _done(record: ExerciseRecord) -> str:
    known = EXERCISES.get(record.exercise)
    name = record.exercise.replace("_", " ") if known is None else known.name
    return f"{name}: " + ", ".join(
        f"{n} {'' if side is Side.NONE else side}".strip() for side, n in record.counts.items()
    )


def _draw_phases(axes: Axes, phases: Sequence[DrawnPhase], start_s: float) -> None:
    named: set[str] = set()
    for phase in phases:
        colour = _SHADES.get(phase.do)
        if colour is not None and phase.end_s > start_s:
            label = None if phase.do in named else _SHADE_NAMES[phase.do]
            named.add(phase.do)
            axes.axvspan(
                phase.start_s - start_s,
                phase.end_s - start_s,
                color=colour,
                linewidth=0,
                label=label,
                zorder=0,
            )


def _draw_counted(axes: Axes, records: Sequence[ExerciseRecord], start_s: float) -> None:
    """Mark repetitions along the upper edge, and the end of the movement in each round."""
    numbers = [
        (record.start_s - start_s + rep.peak_s, k)
        for record in records
        for k, rep in enumerate(record.reps, 1)
    ]
    for t, number in numbers:
        axes.text(
            t, 0.97, str(number), transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=8.5,
            color=style.INK,
        )  # fmt: skip
    rounds = [(record, each) for record in records for each in record.rounds]
    for k, (record, each) in enumerate(rounds):
        sign = -1.0 if each.side is Side.LEFT else 1.0
        t, barrier = record.start_s - start_s + each.t_s, sign * each.barrier_deg
        label = "end of the movement" if k == 0 else None
        axes.plot([t - 3, t + 3], [barrier, barrier], color=style.ALERT, linewidth=2.2, label=label)
        axes.annotate(
            f"{each.barrier_deg:.0f}", (t, barrier), xytext=(0, 4), textcoords="offset points", fontsize=8.5
        )


def rose(tests: Sequence[RangeTest], *, title: str, limits_deg: dict[Direction, float]) -> Figure:
    """Return the newest range of motion as a rose, with the band that measuring makes, and the first one."""
    figure = parts.new_figure()
    axes = figure.add_axes((0.2, 0.16, 0.6, 0.68), projection="polar")
    newest, first = tests[-1].range_deg, tests[0].range_deg
    known = [direction for direction in _ROSE if direction in newest]
    at = np.radians([_ROSE[direction] for direction in known])
    values = np.array([newest[direction] for direction in known])
    errors = np.array([limits_deg.get(direction, 0.0) for direction in known]) / np.sqrt(2)
    axes.bar(
        at,
        values,
        width=0.5,
        color=style.ANGLE_BAND,
        edgecolor=style.ANGLE,
        linewidth=1.2,
        label="newest test",
    )
    axes.errorbar(
        at, values, yerr=errors, fmt="none", ecolor=style.INK, capsize=4, label="what measuring makes"
    )
    if len(tests) > 1:
        old = [(np.radians(_ROSE[d]), first[d]) for d in known if d in first]
        axes.plot(
            [a for a, _ in old],
            [v for _, v in old],
            linestyle="none",
            marker="o",
            color=style.ALERT,
            label="first test",
        )
    axes.set_xticks(at, [f"{direction}\n{newest[direction]:.0f} deg" for direction in known])
    axes.set_ylim(0, max(90.0, float(values.max()) + 10))
    axes.set_yticks([30, 60, 90])
    axes.tick_params(pad=14)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.34, 0.0), frameon=False, fontsize=9.5)
    figure.text(0.062, 0.945, title, fontsize=16, fontweight="bold", color=style.INK, parse_math=False)
    parts.draw_footnote(figure, tests[-1].mount)
    return figure


def progress(tests: Sequence[RangeTest], found: Sequence[Change], zone: tzinfo = UTC) -> Figure:
    """Return each direction over the days of its tests, with the band inside which nothing can be told."""
    figure = parts.new_figure()
    grid = figure.add_gridspec(2, 3, left=0.062, right=0.975, top=0.86, bottom=0.15, hspace=0.42, wspace=0.22)
    for k, change in enumerate(found[:6]):
        axes = figure.add_subplot(grid[k // 3, k % 3])
        parts.plain(axes)
        known = [test for test in tests if change.direction in test.range_deg]
        days = np.array([test.start_s for test in known]) / _DAY_S
        values = [test.range_deg[change.direction] for test in known]
        low, high = change.first_deg - change.detectable.deg, change.first_deg + change.detectable.deg
        axes.axhspan(low, high, color="#EEF2F5", linewidth=0, label="cannot be told from the first")
        axes.plot(days, values, marker="o", markersize=4, color=style.ANGLE, linewidth=1.2)
        axes.set_title(f"{change.direction}: {change.words}", fontsize=9.5, loc="left", color=style.INK)
        axes.set_ylim(min(low, *values) - 5, max(high, *values) + 5)
        axes.set_xlim(days[0] - _MARGIN_DAYS, days[-1] + _MARGIN_DAYS)
        locator = mdates.AutoDateLocator(maxticks=4)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
        if k % 3 == 0:
            axes.set_ylabel("degrees")
    figure.text(0.062, 0.945, "Range of motion over time", fontsize=16, fontweight="bold", color=style.INK)
    text = "grey: changes from the first test that cannot be told from measuring"
    figure.text(0.062, 0.912, text, fontsize=10, color=style.SOFT)
    if tests:
        parts.draw_footnote(figure, tests[-1].mount)
    return figure
