"""Two sensors through the commands: what is judged is what is stored, shown, replayed, analysed and rebuilt."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from command import Command, run
from tiltwise.config.address import open_source
from tiltwise.detect.posture import RuleSettings
from tiltwise.live.follow import follow
from tiltwise.offline.analyze import analyze
from tiltwise.offline.input_file import read_input
from tiltwise.pair_tracker import PairUpdate
from tiltwise.report import aggregate as agg
from tiltwise.report.exposure import ExposureAccumulator
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store
from tiltwise.tracker import TrackerSettings
from tiltwise.types import EpisodeAlert, FloatArray


def day_in(folder: Path) -> StoredDay:
    with Store.open_readonly(folder) as reader:
        (day,) = reader.days()
        return reader.day(day)


def histogram(minutes: list[agg.Aggregate]) -> FloatArray:
    return sum((m.flexion_s.sum(axis=0) for m in minutes), np.zeros(agg.N_FLEXION))


def alerts(day: StoredDay) -> list[tuple[str, float]]:
    return [(str(e.kind), round(e.angle_deg, 6)) for e in day.events if isinstance(e, EpisodeAlert)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the day that `watch` stored, and its recording, which began without a calibration."""
    folder = tmp_path_factory.mktemp("watched")
    address = "sim:slouch?sensors=2&minutes=4&speed=0&seed=3"
    result = run(
        folder / "home", "watch", address, "--rule", "20:60", "--data", folder / "live",
        "--record", folder / "a.tw", cwd=folder,
    )  # fmt: skip
    assert result.code == 0, result.err
    return folder


def test_the_day_is_that_of_the_neck_and_the_upper_back_beside_it(tiltwise: Command, watched: Path) -> None:
    day = day_in(watched / "live")
    neck, back = (agg.merge(rows) for rows in (day.minutes, day.upper_back))
    assert neck.covered_s == pytest.approx(back.covered_s, abs=1.5)
    shown = tiltwise("day", "--data", watched / "live", "--out", watched / "day.png").out
    assert "the neck's own forward bend" in shown
    summary = day.summary()
    assert summary.upper_back is not None
    p50 = summary.upper_back.percentiles_deg[1]
    assert re.search(rf"upper back P10 / P50 / P90\s+-?\d+ / {p50:.0f} / ", shown)
    assert (watched / "day.png").stat().st_size > 10_000


def test_a_rebuilt_day_is_the_same_to_the_last_bit(tiltwise: Command, watched: Path) -> None:
    rebuilt = tiltwise("data", "--rebuild", watched / "a.tw", "--data", watched / "again", "--yes")
    assert rebuilt.code == 0, rebuilt.err
    before, after = day_in(watched / "live"), day_in(watched / "again")
    for name in ("minutes", "upper_back"):
        assert np.array_equal(histogram(getattr(before, name)), histogram(getattr(after, name)))
    assert alerts(before) == alerts(after) != []


def test_replay_analyze_and_follow_say_the_same_of_the_same_samples(tiltwise: Command, watched: Path) -> None:
    file = watched / "a.tw"
    played = tiltwise("watch", f"replay:{file}?speed=0", "--data", watched / "played")
    assert "the calibration stored in the recording" in played.out
    day = day_in(watched / "played")

    data = read_input(file)
    assert data.mounting is not None
    assert data.collar is not None
    result = analyze(data, data.mounting, collar=data.collar, rule=RuleSettings(20.0, 15.0, 60.0))
    exposure = ExposureAccumulator()
    rows = exposure.process(result.t_s, result.angles["flexion_deg"], result.activity)
    rows += exposure.finish()
    off = np.abs(histogram(rows) - histogram(day.minutes)).sum()
    assert off < 0.5, "of 230 s: the same angles, by the board's clock and by the computer's"
    of_file = [(str(e.kind), round(e.angle_deg, 6)) for e in result.events if isinstance(e, EpisodeAlert)]
    assert of_file == alerts(day) != []

    async def followed() -> list[PairUpdate]:
        head, collar = TrackerSettings(data.mounting), TrackerSettings(data.collar)
        async with open_source(f"replay:{file}?speed=0") as source:
            return [u async for u in follow(source, profile=head, collar=collar) if isinstance(u, PairUpdate)]

    judged = [u.judged for u in asyncio.run(followed()) if u.judged is not None]
    from_its_first_sample = replace(data, calibrations=())  # `follow` knows how the sensors sit from there on
    whole = analyze(from_its_first_sample, data.mounting, collar=data.collar)
    np.testing.assert_array_equal(
        np.concatenate([u.angles.flexion_deg for u in judged]), whole.angles["flexion_deg"]
    )
    text = json.loads(tiltwise("analyze", file, "--json").out)
    assert any("two sensors" in note for note in text["notes"])
    assert text["upper_back_deg"]["p50"] == pytest.approx(
        day.summary().upper_back.percentiles_deg[1],  # type: ignore[union-attr]
        abs=1.5,  # deg: bins of one, and lying and walking are in the file's figure
    )
