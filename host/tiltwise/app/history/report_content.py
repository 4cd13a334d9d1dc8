"""Days from one to another become the content of a report: plain words, pictures, figures, limits of the place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from tiltwise.app.history.day_sentence import period_sentence
from tiltwise.app.history.period_picture import compared, period_figure
from tiltwise.app.history.period_table import notes
from tiltwise.app.history.periods import Loaded, Span, total
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.motion.angles.observability import TABLE, Place
from tiltwise.report import plot_parts as parts
from tiltwise.report import plots, style
from tiltwise.report.day_summary import DaySummary, in_sums, summarise_day
from tiltwise.report.history.figure_rows import figure_rows
from tiltwise.report.history.plots_compare import comparison_figure, draw_distributions
from tiltwise.report.history.plots_exposure import draw_eva, eva_angles, eva_durations
from tiltwise.report.history.totals import Totals
from tiltwise.report.page.page_content import PageContent, PagePicture, PageTable
from tiltwise.report.plots import Figure
from tiltwise.report.style import duration_text
from tiltwise.text import counted, printable
from tiltwise.version import __version__

_EACH_DAY = 3  # days of which each has its picture; more are panels, bars or a calendar


def report_content(
    loaded: Loaded, before: Loaded | None, *, person: str | None, limit_deg: float, made_on: date
) -> tuple[PageContent, list[Figure]]:
    """Return the content with its pictures as PNG, and the figures themselves (for PDF)."""
    sentence = period_sentence(loaded, before)
    summary = whole_summary(loaded)
    drawn = list(_pictures(loaded, before, summary, sentence, limit_deg))
    whose = f" of {printable(person, 60)}" if person else ""
    place = Place(str(summary.mount)) if summary.upper_back is None else Place.HEAD_AND_COLLAR
    origin = f"; {' and '.join(loaded.origins)}, not the wearer's own days" if loaded.origins else ""
    content = PageContent(
        title=f"Neck posture{whose}, {loaded.period.name}",
        about=f"sensor on the {place}, times of {loaded.zone.key}{origin}",
        sentence=sentence,
        plain=tuple(_plain(loaded, summary)),
        pictures=tuple(PagePicture(alt, _png(figure), "image/png", table) for figure, alt, table in drawn),
        tables=tuple(_tables(loaded, summary)),
        limits=tuple(
            (metric.value.replace("_", " "), str(cell.status), cell.why)
            for metric, cell in TABLE[place].items()
        ),
        notes=(*notes(loaded), style.DISCLAIMER),
        made=f"made by tiltwise {__version__} on {made_on}",
    )
    return content, [figure for figure, _, _ in drawn]


def whole_summary(loaded: Loaded) -> DaySummary:
    """Return all days of a period as one summary; gaps and breaks are those within days, for nights are neither."""
    days = [day.full.summary for day in loaded.days if day.full is not None]
    whole = summarise_day(
        [day.total for day in days if day.total is not None],
        start_s=days[0].start_s,
        end_s=days[-1].end_s,
        mount=loaded.mount,
        episodes=[each for day in days for each in day.episodes],
        alerts_s=[at for day in days for at in day.alerts_s],
        alerts_alone=sum(day.alerts_alone for day in days),
        alerts_held_back=sum(day.alerts_held_back for day in days),
        moves_suggested=sum(day.moves_suggested for day in days),
        moves_done=sum(day.moves_done for day in days),
        reps=[each for day in days for each in day.reps],
        upper_back=[day.upper_back.total for day in days if day.upper_back and day.upper_back.total],
        shoulders_raised=sum(day.shoulders_raised for day in days),
        tilts_crept=sum(day.tilts_crept for day in days),
        shoulder_checks=[check for day in days for check in day.shoulder_checks],
    )
    return replace(
        in_sums(whole),
        gaps=tuple(gap for day in days for gap in day.gaps),
        breaks=tuple(each for day in days for each in day.breaks),
    )


def _pictures(
    loaded: Loaded, before: Loaded | None, summary: DaySummary, sentence: str, limit_deg: float
) -> Iterator[tuple[Figure, str, PageTable | None]]:
    if len(loaded.days) <= _EACH_DAY:
        for day in loaded.days:
            assert day.full is not None
            limit = limit_deg if day.full.rule_deg is None else day.full.rule_deg
            figure = plots.day(day.full.summary, loaded.zone, limit_deg=limit)
            name = f"{day.date:%A} {day.date.day} {day.date:%B}"
            hours = {f"{hour:02d}:00": sums for hour, sums in day.hours.items()}
            yield figure, f"Angle over the time of {name}. {sentence}", _sums_table(f"{name} by hour", hours)
    if loaded.period.n_days > 1:
        days = {f"{day.date:%a} {day.date}": day.totals for day in loaded.days}
        alt = f"{loaded.period.name}, day by day. {sentence}"
        yield period_figure(loaded, sentence, limit_deg), alt, _sums_table("Day by day", days)
    exposure = (
        "Left: how much of the time was below each angle. Right: how long at a stretch in which angles."
    )
    yield _exposure_figure(loaded, summary), exposure, _eva_table(summary)
    if before is not None:
        two = [compared(loaded), compared(before)]
        title = f"{loaded.period.name}, compared with {before.period.name}"
        hours = {f"{hour:02d}:00": sums for hour, sums in loaded.hours.items()}
        table = _sums_table(f"{loaded.period.name} by hour", hours)
        yield comparison_figure(title, sentence, two, loaded.mount), f"{title}. {sentence}", table


def _exposure_figure(loaded: Loaded, summary: DaySummary) -> Figure:
    figure = parts.new_figure()
    figure.set_size_inches(12, 4.6)
    grid = figure.add_gridspec(1, 2, left=0.06, right=0.975, top=0.9, bottom=0.14, wspace=0.22)
    draw_distributions(figure.add_subplot(grid[0]), [compared(loaded)])
    axes = figure.add_subplot(grid[1])
    draw_eva(axes, summary.eva_percent)
    axes.set_title(
        "Percent of the time, by angle and how long at a stretch", loc="left", fontsize=10.5, color=style.INK
    )
    return figure


def _plain(loaded: Loaded, summary: DaySummary) -> Iterator[str]:
    worn = f"Worn {duration_text(summary.worn_s)} on {len(loaded.days)} of {counted(loaded.period.n_days, 'day')}"
    missing_s = sum(gap.end_s - gap.start_s for gap in summary.gaps)
    yield f"{worn}; {duration_text(missing_s)} between are without data and count for nothing."
    unknown = [str(day.date) for day in loaded.days if day.full is not None and day.full.summary.relative_to]
    if unknown:
        yield f"On {', '.join(unknown)} it is not known which posture was upright: angles are relative to one of it."
    hours = {hour: sums for hour, sums in loaded.hours.items() if sums.posture_s >= 600}
    if len(hours) > 1:
        most = max(hours, key=lambda hour: hours[hour].percent())
        least = min(hours, key=lambda hour: hours[hour].percent())
        yield (
            f"Bent most between {most} and {most + 1} ({hours[most].percent():.0f} % of the time upright), least "
            f"between {least} and {least + 1} ({hours[least].percent():.0f} %)."
        )
    corrected = sum(each.is_corrected for each in summary.episodes)
    if summary.episodes:
        spells = counted(len(summary.episodes), "spell")
        yield f"{spells} went beyond the rule; {corrected} ended by sitting up again."
    yield f"Alerts: {len(summary.alerts_s)} given, {summary.alerts_held_back} held back."
    walking = [each for each in summary.breaks if each.is_active]
    yield f"{counted(len(summary.breaks), 'break')}, {len(walking)} of them walking."
    for name, count in _exercises(summary).items():
        yield f"{name}: {counted(count, 'repetition')}."


def _exercises(summary: DaySummary) -> dict[str, int]:
    counts: dict[str, int] = {}
    for rep in summary.reps:
        if not rep.is_partial:
            known = EXERCISES.get(rep.exercise)
            name = printable(rep.exercise, 60) if known is None else known.name
            counts[name] = counts.get(name, 0) + 1
    return counts


def _tables(loaded: Loaded, summary: DaySummary) -> Iterator[PageTable]:
    rows = tuple((row.name, row.value, row.source) for row in figure_rows(summary))
    yield PageTable("Exposure", ("figure", "value", "of what, from where"), rows, ends_in_source=True)
    if loaded.period.span is Span.YEAR or loaded.period.n_days > 62:
        return
    yield _sums_table("Days", {f"{day.date:%a} {day.date}": day.totals for day in loaded.days})


def _sums_table(caption: str, parts_: dict[str, Totals]) -> PageTable:
    rows = [(name, *_cells(sums)) for name, sums in (*parts_.items(), ("all", total(parts_.values())))]
    names = ("", "worn", "upright", "mean", "15 deg+", "20 deg+", "30 deg+", "45 deg+", "60 deg+")
    return PageTable(f"{caption}: percent of upright time at or beyond each angle", names, tuple(rows))


def _cells(sums: Totals) -> list[str]:
    times = [duration_text(sums.worn_s), duration_text(sums.posture_s)]
    if sums.posture_s <= 0:
        return [*times, *["-"] * 6]
    shares = [f"{sums.percent(limit):.1f} %" for limit in (15, 20, 30, 45, 60)]
    return [*times, f"{sums.mean_deg:z.1f} deg", *shares]


def _eva_table(summary: DaySummary) -> PageTable:
    rows = [
        (name, *(f"{share:.2f}" for share in shares))
        for name, shares in zip(eva_angles(), summary.eva_percent.tolist(), strict=True)
    ]
    columns = ("deg", *(f"{name} s" for name in eva_durations()))
    return PageTable("Exposure variation: percent of the time in runs", columns, tuple(rows))


def _png(figure: Figure) -> bytes:
    """Return a picture sharp enough for A4; as SVG a day of minutes and hatches takes ten times the bytes."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150)
    return file.getvalue()
