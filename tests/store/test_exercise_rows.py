"""Exercises have rows of their own: kept, read with UTC times, erased with their day, carried over a rebuild."""

from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.store.erase import erase_stretch
from tiltwise.store.exercise_rows import copy_exercises
from tiltwise.store.writer import Store
from tiltwise.types import Mount, RepCompleted, Side

NOON_S = 1_772_366_400.0  # 2026-03-01 12:00 UTC
REP = RepCompleted(3.0, "side_tilt", Side.RIGHT, 1.0, 2.0, 3.0, float("nan"), 1.5)
RECORD = ExerciseRecord(
    "side_tilt", Mount.HEAD, 100.0, 160.0, False, True, 3, {Side.RIGHT: 1, Side.LEFT: 0}, reps=(REP,),
    barriers={Side.RIGHT: [30.0, 34.0]}, session="Morning set",
)  # fmt: skip


def store(folder):
    with Store(folder, min_free_bytes=0) as kept:
        session = kept.begin_session("board", 1, zone="UTC", mount=Mount.HEAD, started_s=NOON_S)
        kept.put_exercise(session, RECORD, NOON_S - 100.0)
        kept.put_exercise(session, RECORD, NOON_S - 100.0)  # once more, with nothing new: the same row
        kept.commit()


def exercises(folder):
    with Store.open_readonly(folder) as reader:
        return reader.exercises()


def test_a_record_comes_back_with_utc_times_and_what_is_no_number(tmp_path):
    store(tmp_path)
    (back,) = exercises(tmp_path)
    assert (back.start_s, back.end_s) == (NOON_S, NOON_S + 60.0)
    assert back.counts == RECORD.counts
    assert back.barriers == RECORD.barriers
    assert back.reps[0].peak_deg != back.reps[0].peak_deg
    assert back.reps[0].hold_s == 1.5


def test_a_day_that_is_erased_takes_its_exercises_along(tmp_path):
    store(tmp_path)
    erased = erase_stretch(tmp_path, round((NOON_S - 10) * 1e6), round((NOON_S + 10) * 1e6), NOON_S)
    assert erased["exercise"] == 1
    assert not exercises(tmp_path)


def test_a_rebuilt_store_keeps_them(tmp_path):
    store(tmp_path / "old")
    with Store(tmp_path / "new", min_free_bytes=0) as kept:
        kept.begin_session("board", 1, zone="UTC", mount=Mount.HEAD, started_s=NOON_S - 5.0)
        kept.commit()
    assert copy_exercises(tmp_path / "old", tmp_path / "new") == 1
    assert repr(exercises(tmp_path / "new")) == repr(exercises(tmp_path / "old"))  # nan is not itself
