"""What was done of exercises leaves the store with its units, and comes back equal."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from tiltwise.exercise.guided.coach_events import Round
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.offline.travel.bids_events import event_bytes
from tiltwise.offline.travel.export_days import ExportRequest, Format, export_days
from tiltwise.offline.travel.import_days import find_days, import_days
from tiltwise.report.aggregate import FLEXION_CENTRES_DEG, Aggregate
from tiltwise.store.reader import StoreReader
from tiltwise.store.writer import Store
from tiltwise.types import Mount, RepCompleted, Side

NOON_S = 1_772_366_400.0  # 2026-03-01 12:00 UTC
RIGHT = RepCompleted(9.0, "range_sides", Side.RIGHT, 5.0, 7.25, 9.0, 41.5, 1.5)
LEFT = RepCompleted(19.0, "range_sides", Side.LEFT, 15.0, 17.0, 19.0, -38.0, 1.0)
SHRUG = RepCompleted(4.0, "shoulder_raise_hold", Side.NONE, 1.0, 2.0, 4.0, float("nan"), 1.5)
ROUND = Round(60.0, Side.LEFT, 1, 30.0, 34.5, 20.0, 35.0, 1.25, True, 41.0, 44.5)
RECORDS = (
    ExerciseRecord(
        "range_sides", Mount.HEAD, NOON_S, NOON_S + 20, True, True, 3, {Side.RIGHT: 1, Side.LEFT: 1},
        reps=(RIGHT, LEFT), session="range of motion",
    ),
    ExerciseRecord(
        "side_tilt_pir", Mount.HEAD, NOON_S + 100, NOON_S + 171.123456, False, False, 3,
        {Side.RIGHT: 0, Side.LEFT: 1}, rounds=(ROUND,), barriers={Side.LEFT: [30.0, 34.5]}, moved_presses=1,
    ),
    ExerciseRecord(
        "shoulder_raise_hold", Mount.COLLAR, NOON_S + 300, NOON_S + 320, True, True, 1, {Side.NONE: 1},
        reps=(SHRUG,), lost_s=2.5,
    ),
)  # fmt: skip


def minute_of(start_s: float) -> Aggregate:
    flexion = np.zeros((2, len(FLEXION_CENTRES_DEG)))
    flexion[0, 950] = 60.0
    return Aggregate(start_s, np.array([60.0, 0, 0, 0, 0]), flexion, np.zeros(24), np.zeros((7, 7)))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    with Store(folder, min_free_bytes=0) as kept:
        session = kept.begin_session("board", 1, zone="UTC", mount=Mount.HEAD, started_s=NOON_S - 60)
        kept.put_aggregates(session, [minute_of(NOON_S)])
        for record in RECORDS:
            kept.put_exercise(session, record, 0.0)
        kept.commit()
    return folder


def exported(store: Path, kind: Format) -> Path:
    to = store.parent / kind
    export_days(ExportRequest(store, to, kind, date(2026, 3, 1), date(2026, 3, 1), "ann"), lambda _: None)
    return to


def exercises(folder: Path) -> list[ExerciseRecord]:
    with StoreReader(folder) as reader:
        return reader.exercises()


def test_a_parquet_day_brings_its_exercises_back_equal(store: Path, tmp_path: Path) -> None:
    import_days(find_days(exported(store, Format.PARQUET)), tmp_path / "other", lambda _: None)
    was, now = exercises(store), exercises(tmp_path / "other")
    assert len(now) == len(RECORDS)
    assert [repr(each) for each in now] == [repr(each) for each in was]  # repr: NaN equals NaN
    assert now[1].rounds == (ROUND,)


def test_the_columns_have_units_and_the_figures_of_the_records(store: Path) -> None:
    folder = exported(store, Format.CSV)
    with (folder / "exercises-2026-03-01.csv").open(encoding="utf-8", newline="") as file:
        range_test, rounds, shrugs = csv.DictReader(file)
    assert (range_test["kind"], rounds["kind"], shrugs["kind"]) == ("range of motion", "rounds", "exercise")
    assert (range_test["peak_right_deg"], range_test["peak_left_deg"]) == ("41.5", "38.0")
    assert (rounds["gain_left_deg"], rounds["gain_right_deg"], rounds["moved_presses"]) == ("4.5", "", "1")
    assert (shrugs["reps_both"], shrugs["hold_both_s"], shrugs["lost_s"]) == ("1", "1.5", "2.5")
    assert "details" not in range_test
    with (folder / "repetitions-2026-03-01.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["side"] for row in rows] == ["right", "left", "left", "none"]
    assert rows[0]["peak_utc"] == "2026-03-01T12:00:07.250000+00:00"
    assert (rows[2]["before_deg"], rows[2]["end_deg"], rows[2]["is_press_still"]) == ("30.0", "34.5", "yes")
    assert rows[2]["press_start_utc"] == "2026-03-01T12:02:00.000000+00:00"
    assert rows[3]["peak_deg"] == ""


def test_a_day_without_exercises_has_no_such_file_and_an_older_export_comes_in(
    store: Path, tmp_path: Path
) -> None:
    folder = exported(store, Format.PARQUET)
    (folder / "exercises-2026-03-01.parquet").unlink()
    assert len(import_days(find_days(folder), tmp_path / "other", lambda _: None).days) == 1
    assert exercises(tmp_path / "other") == []
    assert not list(exported(tmp_path / "other", Format.CSV).glob("exercises*"))


def test_counts_are_whole_numbers_in_parquet(store: Path) -> None:
    table = pyarrow.parquet.read_table(exported(store, Format.PARQUET) / "exercises-2026-03-01.parquet")
    assert str(table.schema.field("reps_left").type) == "int64"
    assert str(table.schema.field("gain_left_deg").type) == "double"


def test_events_of_a_run_are_seconds_since_it_began_and_only_its_own() -> None:
    found = event_bytes(RECORDS, NOON_S - 10, NOON_S + 200)
    assert found is not None
    names, *rows = (line.split("\t") for line in found[0].decode().splitlines())
    assert names[:3] == ["onset", "duration", "trial_type"]
    assert ["15.000000", "4.000000", "repetition", "range_sides", "right", "41.500"] in rows
    assert ["130.000000", "15.000000", "press", "side_tilt_pir", "left", "1.250"] in rows
    assert ["151.000000", "3.500000", "stretch", "side_tilt_pir", "left", "34.500"] in rows
    assert {row[3] for row in rows} == {"range_sides", "side_tilt_pir"}
    assert event_bytes(RECORDS, NOON_S + 1000, NOON_S + 2000) is None
