"""The figures of a day or period as rows of text: name, value, what it is of or where a limit is from.

What a table in the terminal and the report both print, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from tiltwise.report.day_summary import ENOUGH_WEAR_S, DaySummary
from tiltwise.report.history import norms
from tiltwise.report.history.norms import SOURCES, MomentModel
from tiltwise.report.style import duration_text
from tiltwise.text import counted
from tiltwise.types import Activity


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One line: a name, the value as text, and its base or source."""

    name: str
    value: str
    source: str = ""


def figure_rows(summary: DaySummary, moment: MomentModel | None = None) -> list[FigureRow]:
    """Return the exposure figures of a day; without upright time only what was worn."""
    rows = _time_rows(summary)
    if summary.total is None or summary.posture_s <= 0:
        return rows
    histogram = summary.total.flexion_s.sum(axis=0)
    rows += _angle_rows(summary)
    rows += [
        FigureRow(
            "holding time of one posture",
            f"{summary.limit_use * 100:.0f} % of what is accepted, at most",
            norms.iso_source(summary.mount),
        ),
        FigureRow("RULA neck sub-score", _scores(norms.rula_percent(histogram)), SOURCES["RULA"]),
        FigureRow("REBA neck sub-score", _scores(norms.reba_percent(histogram)), SOURCES["REBA"]),
    ]
    speed = norms.speed_percentiles(summary.total)
    if speed[1] == speed[1]:
        rows.append(FigureRow("angular speed P10 / P50 / P90", _three(speed, "deg/s"), SOURCES["speed"]))
    if moment is not None:
        mean, p90 = norms.moment_n_m(histogram, moment)
        base = f"m g L sin(angle) about C7, assumed: {moment.mass_kg:g} kg, {moment.lever_m:g} m"
        rows.append(FigureRow("gravitational moment mean / P90", f"{mean:.1f} / {p90:.1f} N m", base))
    return [*rows, *_doing_rows(summary)]


def _time_rows(s: DaySummary) -> list[FigureRow]:
    missing_s = sum(gap.end_s - gap.start_s for gap in s.gaps)
    return [
        FigureRow("worn", duration_text(s.worn_s), f"without data {duration_text(missing_s)}"),
        FigureRow(
            "upright / walking / lying",
            f"{duration_text(s.posture_s)} / {duration_text(s.seconds(Activity.WALKING))} / "
            f"{duration_text(s.seconds(Activity.LYING))}",
            "shares below are of the upright time",
        ),
    ]


def _angle_rows(s: DaySummary) -> list[FigureRow]:
    short = f"worn under {ENOUGH_WEAR_S / 3600:.0f} h, read with care: {SOURCES['4 h']}"
    rows = [
        FigureRow(
            "angle P10 / P50 / P90",
            _three(s.percentiles_deg, "deg"),
            short if s.is_short else SOURCES["APDF"],
        )
    ]
    beyond = ", ".join(f"{angle} deg {share:.0f} %" for angle, share in s.percent_above_deg.items())
    rows.append(FigureRow("time at or beyond", beyond))
    down_s = s.percent_above_deg[20] / 100 * s.posture_s
    projected_s = norms.projected_s(down_s, s.posture_s, s.worn_s)
    if projected_s == projected_s:
        base = f"projected from {duration_text(s.worn_s)} worn"
        rows.append(FigureRow("20 deg or more, in 8 h worn", duration_text(projected_s), base))
    rows.append(FigureRow("longest spell", duration_text(s.longest_bout_s)))
    return rows


def _doing_rows(s: DaySummary) -> list[FigureRow]:
    active = sum(each.is_active for each in s.breaks)
    corrected = sum(each.is_corrected for each in s.episodes)
    done = sum(not rep.is_partial for rep in s.reps)
    return [
        FigureRow(
            "breaks",
            f"{len(s.breaks)}, of these {active} walking",
            "two minutes or more away from the posture",
        ),
        FigureRow(
            "cues",
            f"{len(s.alerts_s)} given, {s.alerts_held_back} held back",
            f"{corrected} of {counted(len(s.episodes), 'spell')} beyond the rule ended by sitting up",
        ),
        FigureRow(
            "movement",
            f"suggested {counted(s.moves_suggested, 'time')}, done {counted(s.moves_done, 'time')}",
            "another posture after 20 min in one, some steps each hour; done as the sensor saw it",
        ),
        FigureRow("exercise repetitions", str(done)),
        *(
            [FigureRow("shoulders raised", f"{s.shoulders_raised} (estimated)", "brisk, no drop within 30 s")]
            if s.shoulders_raised
            else []
        ),
        *(
            FigureRow("shoulders compared", check.words, "the newest `tiltwise exercise shoulder_check`")
            for check in s.shoulder_checks[-1:]
        ),
    ]


def _three(values: tuple[float, float, float], unit: str) -> str:
    return (
        " / ".join(f"{value:z.0f}" if abs(value) >= 10 else f"{value:z.1f}" for value in values) + f" {unit}"
    )


def _scores(percent: dict[int, float]) -> str:
    return ", ".join(f"{score}: {share:.0f} %" for score, share in percent.items())
