"""The pictures carry what they should; no pixels are compared."""

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.days import DAY_S, synthetic_day
from tiltwise.report import curves, plots, style
from tiltwise.report.day_summary import summarise_day
from tiltwise.report.exposure import ExposureAccumulator
from tiltwise.types import AngleBlock, EpisodeEnded, Mount, PostureKind

BERLIN = ZoneInfo("Europe/Berlin")


def words(figure: Figure) -> str:
    """Return every text of a figure after drawing it, which also proves that it can be drawn without warnings."""
    figure.savefig(io.BytesIO(), format="png")
    found = [t.get_text() for t in figure.texts]
    for axes in figure.axes:
        found += [t.get_text() for t in [*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]]
        found += [axes.get_title("left"), axes.get_ylabel(), axes.get_xlabel()]
        legend = axes.get_legend()
        found += [t.get_text() for t in legend.get_texts()] if legend else []
    return "\n".join(found)


def labels(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


def test_a_day_shows_angles_marks_activities_and_what_is_missing() -> None:
    figure = plots.day(synthetic_day(), BERLIN, limit_deg=30)
    text = words(figure)
    for wanted in (
        "Tuesday, 24 February 2026", "neck sensor", "worn 8 h 4", "7 alerts", "7 beyond the limit", "limit 30 deg",
        "8 repetitions", "no samples", "disconnected", "31 min without data", "walking 26 min", "lying 17 min",
        "not worn 17 min", "P10", "P50", "P90", "15 to 20", "09:00", "does not see", "not a medical device",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "too short" not in text


def test_nothing_is_called_good() -> None:
    assert "good" not in words(plots.day(synthetic_day(), BERLIN)).lower()


def test_the_median_breaks_where_nothing_was_seen() -> None:
    summary = synthetic_day()
    edges, band = curves.minute_band(summary.minutes)
    (gap,) = summary.gaps
    over = np.flatnonzero((edges[:-1] < gap.start_s + 900) & (edges[1:] > gap.start_s + 900))
    assert len(over) == 1
    assert np.isnan(band[:, over[0] : over[0] + 2]).all()
    _, shares = curves.activity_steps(summary.minutes)
    assert (shares[:, over[0]] == 0).all()


def test_six_minutes_are_marked_as_too_short_and_have_a_fine_clock() -> None:
    text = words(plots.day(synthetic_day(0.1, Mount.HEAD), BERLIN))
    assert "too short for a" in text
    assert "08:31" in text
    assert "head sensor" in text


@pytest.mark.parametrize(
    ("mean_deg", "swing_deg"), [(2.0, 1.0), (15.0, 12.0), (35.0, 25.0), (60.0, 1.0), (98.0, 25.0)]
)
def test_the_note_on_a_short_day_hides_no_label_and_no_curve(mean_deg: float, swing_deg: float) -> None:
    accumulator = ExposureAccumulator()
    t = DAY_S + 30000 + np.arange(6000) / 10
    flexion = mean_deg + swing_deg * np.sin(t / 31)
    rows = accumulator.process(t, flexion, np.zeros(6000, dtype=np.int8)) + accumulator.finish()
    figure = plots.day(summarise_day(rows, start_s=DAY_S, end_s=DAY_S + 86400, mount=Mount.HEAD))
    figure.savefig(io.BytesIO(), format="png")  # only then texts have a place
    (axes,) = (axes for axes in figure.axes if any("too short" in text.get_text() for text in axes.texts))
    (note,) = (text.get_window_extent() for text in axes.texts if "too short" in text.get_text())
    assert axes.bbox.x0 < note.x0
    assert note.x1 < axes.bbox.x1
    assert not any(
        note.overlaps(text.get_window_extent()) for text in axes.texts if text.get_text().startswith("P")
    )
    curve = axes.transData.transform(np.asarray(axes.lines[0].get_xydata(), dtype=float))
    x = np.linspace(curve[0, 0], curve[-1, 0], 2000)
    y = np.interp(x, *curve.T)
    assert not np.any((x > note.x0) & (x < note.x1) & (y > note.y0) & (y < note.y1))


def test_a_trace_replaces_the_minutes_and_breaks_at_gaps() -> None:
    summary = synthetic_day(0.1)
    t = DAY_S + 7.5 * 3600 + np.concatenate((np.arange(3000) / 50, 200 + np.arange(3000) / 50))
    figure = plots.day(summary, BERLIN, trace=(t, np.full(6000, 12.0)))
    assert "median" not in labels(figure.axes[0])
    drawn_t, drawn = curves.line(t, np.full(6000, 12.0))
    assert len(drawn_t) < 2500
    assert np.isnan(drawn).sum() == 1


@pytest.mark.parametrize("mount", list(Mount))
def test_every_mount_says_what_it_cannot_see(mount: Mount) -> None:
    text = words(plots.day(synthetic_day(0.5, mount), UTC))
    assert style.FOOTNOTES[mount] in text
    assert style.ANGLE_NAMES[mount] in text


def test_an_empty_day_says_so() -> None:
    empty = summarise_day([], start_s=DAY_S, end_s=DAY_S + 86400, mount=Mount.NECK)
    text = words(plots.day(empty, BERLIN))
    assert "Nothing was recorded" in text
    assert "24 February 2026" in text


def test_a_day_never_worn_has_no_angles_but_a_picture() -> None:
    accumulator = ExposureAccumulator()
    t = DAY_S + np.arange(36000) / 10
    rows = accumulator.process(t, np.zeros(36000), np.full(36000, 4, dtype=np.int8)) + accumulator.finish()
    summary = summarise_day(rows, start_s=DAY_S, end_s=DAY_S + 86400, mount=Mount.NECK)
    text = words(plots.day(summary, BERLIN))
    assert "no upright time recorded" in text
    assert "not worn 1 h 00 min" in text


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_on_a_clock_change_the_axis_follows_the_clock(month: int, day: int, hours: int) -> None:
    start = datetime(2026, month, day, tzinfo=BERLIN)
    end = (start + timedelta(days=1)).astimezone(UTC).timestamp()
    t = np.arange(start.timestamp(), end, 0.4)
    accumulator = ExposureAccumulator()
    rows = (
        accumulator.process(t, np.full(len(t), 12.0), np.zeros(len(t), dtype=np.int8)) + accumulator.finish()
    )
    summary = summarise_day(rows, start_s=start.timestamp(), end_s=end, mount=Mount.NECK)
    assert len(summary.minutes) == hours * 60
    figure = plots.day(summary, BERLIN)
    assert f"{day} " in words(figure)
    low, high = figure.axes[0].get_xlim()
    assert (high - low) * 24 == pytest.approx(hours)
    labels = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert labels[0].endswith("CET" if month == 3 else "CEST")
    assert labels[-1].endswith("CEST" if month == 3 else "CET")
    legend = figure.axes[1].get_legend()
    assert legend is not None
    boxes = [text.get_window_extent() for text in figure.axes[1].get_xticklabels()]
    assert max(box.x1 for box in boxes) <= figure.bbox.x1, "the last one stays on the page"
    entries = [text.get_window_extent() for text in legend.get_texts()]
    assert not [box for box in boxes if any(box.padded(-2).overlaps(entry) for entry in entries)]
    assert all(box.x1 < after.x0 for box, after in pairwise(boxes))


def test_an_hour_that_comes_twice_is_marked_twice_and_told_apart() -> None:
    start = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN).timestamp()  # in the first of the two hours
    ticks, labels = curves.clock_ticks(start, start + 3600, lambda t: datetime.fromtimestamp(t, BERLIN))
    assert labels[::6] == ["02:30 CEST", "02:00 CET", "02:30 CET"]
    assert np.diff(ticks).tolist() == [300.0] * 12


@pytest.mark.parametrize(("span_s", "unit"), [(90.0, "(s)"), (900.0, "(min)"), (9000.0, "(h:mm)")])
def test_a_recording_s_axis_has_a_unit_of_its_length_and_shows_where_samples_are_missing(
    span_s: float, unit: str
) -> None:
    t = np.concatenate((np.arange(0, span_s / 3, 0.1), np.arange(span_s / 2, span_s, 0.1)))
    zeros = np.zeros(len(t))
    figure = plots.angles(AngleBlock(t, *[zeros] * 7), mount=Mount.HEAD, title="a recording")
    assert unit in words(figure)
    assert curves.hole_edges(t) == [(pytest.approx(span_s / 3, abs=0.2), span_s / 2)]
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(hatched) == 1


def test_angles_of_a_recording_are_drawn_with_hostile_names_as_text() -> None:
    n = 5000
    zeros = np.zeros(n)
    flexion = np.full(n, 20.0)
    flexion[1000:2000] = np.nan
    block = AngleBlock(np.arange(n) / 50, flexion, flexion, zeros, zeros, zeros, zeros, zeros)
    bent = EpisodeEnded(50.0, PostureKind.FORWARD_FLEXION, 10.0, 48.0, 41.5, 40.0)
    figure = plots.angles(block, mount=Mount.HEAD, title="a_$\\frac{1}$.npz", episodes=[bent], limit_deg=30)
    text = words(figure)
    for wanted in ("a_$\\frac{1}$.npz", "1 alert", "side tilt", "inclination", "limit 30 deg"):
        assert wanted in text


def test_figures_leave_no_global_state() -> None:
    import matplotlib._pylab_helpers as helpers

    plots.day(synthetic_day(0.1), UTC)
    assert helpers.Gcf.get_num_fig_managers() == 0
