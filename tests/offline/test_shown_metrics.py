"""Every output is walked for each mount: no number is printed that a sensor in that place cannot know."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from live.feed import of
from offline.claims_checker import KIND_METRICS, can_have_seen, contradictions, exercise_metric, untrue
from tiltwise.app.calibrate import CalibrateOptions, picture, progress_line, run_calibrate
from tiltwise.app.day import Day, day_figure, day_table
from tiltwise.app.demo import demo_settings
from tiltwise.app.tables import analysis_table, exercise_table
from tiltwise.app.watch_view import angle_words
from tiltwise.config.settings import Settings
from tiltwise.decode.decoder import Decoder
from tiltwise.detect.posture import RuleSettings
from tiltwise.detect.posture_rules import HABITS
from tiltwise.errors import AppError
from tiltwise.exercise.catalogue import CATALOGUE, EXERCISES
from tiltwise.live.calibration_session import CalibrationSession
from tiltwise.live.event_text import lines_of
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import LiveEvents, UpperBackMeasured
from tiltwise.motion.angles.observability import (
    Metric,
    Place,
    Status,
    observability,
)
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, find_guided_calibration
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes, mounting_from_up
from tiltwise.offline import shown_metrics
from tiltwise.offline.analyze import analyze
from tiltwise.offline.angle_export import write_angles
from tiltwise.offline.count import count
from tiltwise.offline.input_file import ImuInput
from tiltwise.offline.picture_file import angles_figure
from tiltwise.report.day_summary import summarise_day
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.sim.board.simulation import Simulation
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import EpisodeEnded, ImuBlock, Mount, OrientationBlock, PostureKind

MOUNTS = tuple(Mount)


def said(*renderables: object) -> str:
    out = StringIO()
    console = Console(file=out, width=300, force_terminal=False)
    for each in renderables:
        console.print(each, highlight=False)
    return out.getvalue()


def labels(figure: object) -> str:
    """Return all words of a picture."""
    from matplotlib.text import Text

    found = figure.findobj(Text)  # type: ignore[attr-defined]
    return "\n".join(text.get_text() for text in found)


@pytest.fixture(scope="module", params=MOUNTS)
def worn(request: pytest.FixtureRequest) -> tuple[Mount, ImuInput, Mounting]:
    """Two simulated minutes with a slump at each mount, and the calibration of its ritual."""
    mount: Mount = request.param
    decoder = Decoder()
    simulation = Simulation("slouch", seed=2, minutes=2.2, mount=mount)
    items = [item for _, frame in simulation for item in decoder.feed(frame)]
    blocks = tuple(i for i in items if isinstance(i, (ImuBlock, OrientationBlock)))
    mounting = find_guided_calibration((b for b in blocks if isinstance(b, OrientationBlock)), mount=mount)
    return mount, ImuInput(Path("slouch.tw"), blocks, (), (), mounting), mounting


def as_unknown(mounting: Mounting) -> Mounting:
    return mounting_from_up(mounting.up_sensor, mount=mounting.mount)


def test_the_analysis_says_nothing_untrue(worn: tuple[Mount, ImuInput, Mounting]) -> None:
    mount, data, mounting = worn
    result = analyze(data, mounting, rule=RuleSettings())
    assert result.episodes
    text = said(analysis_table(result, "slouch"))
    assert shown_metrics.NAMES[mount]["flexion"] in text
    assert untrue(mount, text) == []
    assert untrue(mount, labels(angles_figure(result, "slouch", 20.0))) == []
    for episode in result.episodes:
        assert can_have_seen(mount, episode.kind)


def test_the_json_says_what_each_number_is(worn: tuple[Mount, ImuInput, Mounting]) -> None:
    mount, data, mounting = worn
    out = json.loads(json.dumps(analyze(data, mounting).as_dict()))
    for angle in ("inclination", "flexion", "lateral"):
        assert out["measures"][f"{angle}_deg"]["what"] == shown_metrics.NAMES[mount][angle]
        assert out["measures"][f"{angle}_deg"]["status"] == observability(mount, angle).status
        assert out[f"{angle}_deg"]["p50"] is not None
    for episode in out["episodes"]:
        assert can_have_seen(mount, PostureKind(episode["kind"]))


def test_without_nods_forward_and_side_are_null_and_left_out(
    worn: tuple[Mount, ImuInput, Mounting], tmp_path: Path
) -> None:
    mount, data, mounting = worn
    result = analyze(data, as_unknown(mounting))
    out = result.as_dict()
    for key in ("flexion_deg", "lateral_deg"):
        assert out[key] == {"p10": None, "p50": None, "p90": None, "mean": None}
    assert out["inclination_deg"]["p50"] is not None  # type: ignore[index]
    rows = [line for line in said(analysis_table(result, "x")).splitlines() if not line.startswith("note")]
    assert not any(
        shown_metrics.NAMES[mount][angle] in line for line in rows for angle in ("flexion", "lateral")
    )
    assert "is left out: which way is forward is not known" in said(analysis_table(result, "x"))
    write_angles(tmp_path / "a.csv", result)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True)
    assert np.isnan(table["flexion_deg"]).all()
    assert np.isfinite(table["inclination_deg"]).any()
    words = labels(angles_figure(result, "x", None))
    assert shown_metrics.NAMES[mount]["flexion"] not in words
    assert "side tilt is not known" in words


def test_an_assumed_forward_is_called_that(worn: tuple[Mount, ImuInput, Mounting]) -> None:
    _, data, mounting = worn
    result = analyze(data, replace(mounting, axes="movement"))
    assert "(axes assumed)" in said(analysis_table(result, "x"))
    measures = result.as_dict()["measures"]
    assert measures["flexion_deg"]["status"] == "estimated"  # type: ignore[index]
    assert measures["flexion_deg"]["axes"] == "assumed"  # type: ignore[index]


def test_the_day_says_nothing_untrue(worn: tuple[Mount, ImuInput, Mounting]) -> None:
    mount, data, mounting = worn
    profile = TrackerSettings(mounting)
    tracker, exposure = Tracker(profile), ExposureAccumulator(ExposureSettings(mount=mount))
    start_s = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
    rows, events = [], []
    for block in data.blocks:
        update = tracker.process(block)
        flexion = profile.posture_angle_deg(update.angles)
        rows += exposure.process(update.angles.t_s + start_s, flexion, update.activity)
        events += [e for e in update.events if isinstance(e, EpisodeEnded)]
    rows += exposure.finish()
    summary = summarise_day(
        rows, mount=mount, start_s=start_s, end_s=start_s + 86400.0, episodes=tuple(events)
    )
    day = Day(datetime.fromtimestamp(start_s, UTC).date(), summary, UTC)  # type: ignore[arg-type]
    text = labels(day_figure(day, 20.0)) + "\n" + _day_text(day)
    assert shown_metrics.NAMES[mount]["flexion"] in text
    assert untrue(mount, text) == []


def _day_text(day: Day) -> str:
    from zoneinfo import ZoneInfo

    return said(day_table(replace(day, zone=ZoneInfo("UTC"))))


def live_lines(
    scenario: str, mount: Mount, minutes: float, *, two_sensors: bool = False
) -> Iterator[LiveEvents]:
    simulation = Simulation(scenario, seed=2, minutes=minutes, mount=mount, two_sensors=two_sensors)
    session = open_session(Worn(mount=mount), started_utc_s=0.0, settings=demo_settings(Settings()))
    for virtual_s, frame in simulation:
        yield session.receive(virtual_s, frame)
    yield session.finish()


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_live_lines_say_nothing_untrue(mount: Mount) -> None:
    lines = [line for live in live_lines("slouch", mount, 2.2) for _, line in lines_of(live)]
    assert any("ALERT" in line for line in lines)
    assert [wrong for line in lines for wrong in untrue(mount, line) if "calibrating" not in line] == []


def test_two_sensors_may_say_more_and_still_nothing_untrue() -> None:
    updates = list(live_lines("slouch", Mount.HEAD, 2.2, two_sensors=True))
    lines = [line for live in updates for _, line in lines_of(live)]
    assert any("upper back tilted forward" in line for line in lines)
    assert [wrong for line in lines for wrong in untrue(Place.HEAD_AND_COLLAR, line)] == []
    assert of(UpperBackMeasured, updates)


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_live_angles_are_named_as_the_calibration_allows(mount: Mount) -> None:
    up, left = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    nodded = mounting_from_axes(up, left, mount=mount, axes="nod")
    assert angle_words(nodded, 12.0, 3.0, float("nan")) == "forward   12  side    3 deg"
    assert "back" in angle_words(nodded, 12.0, 3.0, 20.0)
    unknown = angle_words(mounting_from_up(up, mount=mount), 12.0, 3.0, float("nan"))
    assert "forward" not in unknown
    assert "side" not in unknown


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_catalogue_counts_nothing_that_cannot_be_seen(mount: Mount) -> None:
    assert contradictions(mount) == []
    text = said(exercise_table(mount, CATALOGUE))
    for exercise in EXERCISES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"{exercise.id} "))
        metric = exercise_metric(exercise)
        if metric is not None and observability(mount, metric).status is Status.NOT_OBSERVABLE:
            assert "not observable" in row or "timed" in row


def test_count_refuses_what_cannot_be_seen(worn: tuple[Mount, ImuInput, Mounting]) -> None:
    mount, data, mounting = worn
    for exercise in EXERCISES.values():
        metric = exercise_metric(exercise)
        if metric is not None and observability(mount, metric).status is Status.NOT_OBSERVABLE:
            with pytest.raises(AppError, match=f"cannot be counted by a sensor at {mount}"):
                count(data, mount, exercise, mounting=mounting)


@pytest.mark.parametrize("mount", MOUNTS)
def test_the_calibration_says_nothing_untrue(mount: Mount, tmp_path: Path) -> None:
    out = StringIO()
    console = Console(file=out, width=300, force_terminal=False)
    address = f"sim:upright?seed=2&speed=0&minutes=0.5&mount={mount}"
    run_calibrate(CalibrateOptions(address=address, data=tmp_path), console)
    guide = CalibrationSession(mount)
    told = [
        progress_line(progress, 0)[1]
        for t_s, frame in Simulation("upright", seed=2, minutes=0.5, mount=mount)
        for progress in of(CalibrationProgress, [guide.receive(t_s, frame)])
    ]
    results = [line for line in [*out.getvalue().splitlines(), *told] if "Bow your upper back" not in line]
    assert [wrong for line in results for wrong in untrue(mount, line)] == []
    assert guide.mounting is not None
    assert untrue(mount, labels(picture(guide, guide.mounting, "me"))) == []


def test_the_walk_itself_would_notice() -> None:
    """The check that the tests above rest on finds lies, and lets denials pass."""
    assert untrue(Mount.COLLAR, "ALERT after 1 min 0 s of looking down (44 deg)")
    assert untrue(Mount.COLLAR, "forward bend of the head  P10 3, P50 12")
    assert untrue(Mount.HEAD, "upper-back forward tilt 30 deg")
    assert untrue(Mount.HEAD, "neck flexion 20 deg")
    assert untrue(Mount.NECK, "slumping for 80 s")
    assert untrue(Mount.HEAD, "heading 120 deg")
    assert untrue(Mount.COLLAR, "It shows the upper back, and does not see the head looking down.") == []
    assert untrue(Place.HEAD_AND_COLLAR, "neck flexion 20 deg, upper back tilted forward") == []


@pytest.mark.parametrize("mount", MOUNTS)
def test_every_angle_of_the_table_has_a_name_and_a_verdict(mount: Mount) -> None:
    up = np.array([0.0, 0.0, 1.0])
    nodded = mounting_from_axes(up, np.array([0.0, 1.0, 0.0]), mount=mount, axes="nod")
    for angle in shown_metrics.NAMES[mount]:
        can_be_seen = observability(mount, angle).status is not Status.NOT_OBSERVABLE
        assert shown_metrics.shown(nodded, angle).is_shown == can_be_seen
    assert not can_have_seen(mount, _hidden_kind(mount))


def _hidden_kind(mount: Mount) -> PostureKind:
    if mount is Mount.COLLAR:
        return PostureKind.FORWARD_FLEXION
    return PostureKind.UPPER_BACK_FORWARD_TILT


def test_kinds_have_their_rows_in_the_table() -> None:
    assert set(KIND_METRICS) == {habit.kind for habit in HABITS if habit.detector is None}
    assert {habit.kind for habit in HABITS} == set(PostureKind)
    assert set(KIND_METRICS.values()) <= set(Metric)
