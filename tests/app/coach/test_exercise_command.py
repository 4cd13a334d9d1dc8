"""`tiltwise exercise`, `rom` and `progress` on a simulated wearer who listens: from register to store and words."""

import io
import json
import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from tiltwise.app.coach.exercise_command import ExerciseOptions, run_exercises
from tiltwise.app.coach.range_command import ProgressOptions, show_progress
from tiltwise.app.coach.session_summary import summary_table
from tiltwise.app.day import Day, day_table
from tiltwise.config.settings import Settings
from tiltwise.errors import AppError, UsageError
from tiltwise.exercise.catalogue import CATALOGUE
from tiltwise.exercise.definition import QUESTIONS
from tiltwise.exercise.directions import Direction
from tiltwise.exercise.guided.coach import CoachSettings
from tiltwise.exercise.guided.range_progress import range_tests
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.store.writer import Store
from tiltwise.types import Mount, Side


def lead(tmp_path, name, address, *, answer=None, **more):
    console = Console(width=100, file=(shown := io.StringIO()))
    dose = CoachSettings(reps=more.pop("reps", 1), hold_s=more.pop("hold_s", None), breath_s=2.0)
    options = ExerciseOptions(
        name=name, address=address, settings=Settings(), catalogue=CATALOGUE, dose=dose, data=tmp_path, **more
    )
    return run_exercises(options, console, answer), shown.getvalue()


@pytest.fixture(scope="module")
def side_tilts(tmp_path_factory):
    """A wearer who does it well: the folder, the records, and what was shown."""
    folder = tmp_path_factory.mktemp("well")
    return folder, *lead(folder, "side-tilt", "sim:?mount=head&speed=0", hold_s=2.0)


def test_a_wearer_who_does_it_well_is_led_counted_and_kept(side_tilts):
    folder, records, shown = side_tilts
    assert [record.counts for record in records] == [{Side.RIGHT: 1, Side.LEFT: 1}]
    assert re.search(
        r"TILT RIGHT +Grow long.*right 1, \d+ deg.*HOLD.*BACK.*TILT LEFT.*left 1", shown, re.DOTALL
    )
    assert "right and left differ by" in shown
    with Store.open_readonly(folder) as reader:
        (kept,) = reader.exercises()
        summary = reader.day(reader.days()[-1]).summary()
    assert kept.counts == {Side.RIGHT: 1, Side.LEFT: 1}
    assert len(summary.reps) == 2


def test_who_stops_listening_loses_nothing(tmp_path):
    records, shown = lead(tmp_path, "clasped_nod", "sim:?mount=head&speed=0&manner=stops&minutes=1", reps=20)
    assert records[0].counts == {Side.NONE: 3}
    assert not records[0].is_complete
    assert "3 of 20; stopped" in shown


def test_a_range_test_is_one_test_of_each_direction(tmp_path):
    records, shown = lead(tmp_path, "range_sides", "sim:?mount=head&speed=0", reps=2)
    assert records[0].counts == {Side.RIGHT: 2, Side.LEFT: 2}
    with Store.open_readonly(tmp_path) as reader:
        kept = reader.exercises()
    assert [record.n for record in kept] == [4]  # stored with each repetition, in one row
    assert set(range_tests(kept)[0].range_deg) == {Direction.RIGHT, Direction.LEFT}
    assert "range" in shown.lower()


def test_shrugs_are_counted_at_the_collar(tmp_path):
    records, _ = lead(tmp_path, "chest_open_shoulder_drop", "sim:?mount=collar&speed=0", reps=2)
    assert records[0].counts == {Side.NONE: 2}


def test_a_hunched_wearer_is_told_after_the_drop_and_it_is_kept_in_the_day(tmp_path):
    records, shown = lead(tmp_path, "shoulder_check", "sim:?mount=collar&speed=0&manner=hunched&seed=3")
    assert records[0].counts == {Side.NONE: 1}  # the motor that ticks with each request is no shrug
    found = records[0].compared
    assert -8.0 < found.change_deg < -2.5  # 6 deg, and what a loose collar makes of it
    assert "deg further back than before: the shoulders had been" in " ".join(shown.split())
    with Store.open_readonly(tmp_path) as reader:
        (kept,) = reader.exercises()
        day = reader.day(reader.days()[-1])
    assert kept.compared == found
    assert day.summary().shoulder_checks == (found,)
    table = Console(width=80, file=(text := io.StringIO()))
    table.print(day_table(Day(date(2026, 3, 2), day.summary(), ZoneInfo("UTC"))))
    assert "shoulders compared" in text.getvalue()
    assert all(len(line) <= 80 for line in text.getvalue().splitlines())
    table = Console(width=200, file=(text := io.StringIO()))
    show_progress(ProgressOptions(data=tmp_path, as_json=True), table)
    (row,) = json.loads(text.getvalue())["exercises"]
    assert row["compared"]["change_deg"] == pytest.approx(found.change_deg)
    assert row["compared"]["is_estimated"] is True


def test_the_questions_come_first_are_kept_and_leave_out_what_they_speak_against(tmp_path):
    asked = []

    def answer(question):
        asked.append(question)
        return question == QUESTIONS["osteoporosis"]

    with pytest.raises(AppError, match="nothing is left to do"):
        lead(tmp_path, "singing_snake", "sim:?mount=head&speed=0", answer=answer)
    assert asked == list(QUESTIONS.values())
    with pytest.raises(AppError, match="nothing is left to do"):  # kept: not asked again
        lead(tmp_path, "singing_snake", "sim:?mount=head&speed=0", answer=None)
    assert json.loads((tmp_path / "exercise_answers.json").read_text()) == {"yes": ["osteoporosis"]}


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("sidetilt", "sim:", "no exercise or programme 'sidetilt': did you mean side_tilt? tiltwise"),
        ("side_tilt", "sim:?manner=wildly", "manner 'wildly': expected one of well, badly"),
        ("side_tilt", "sim:desk?manner=well", "manner= is for sim:coached"),
    ],
)
def test_wrong_use_is_told_in_a_line(tmp_path, name, address, said):
    with pytest.raises((UsageError, ValueError), match=re.escape(said)):
        lead(tmp_path, name, address)


@pytest.mark.parametrize(
    ("moved", "words"),
    [(0, "0 of 3"), (1, "; 1 press in which the head moved"), (2, "; 2 presses in which the head moved")],
)
def test_presses_with_movement_are_said_by_their_number(moved, words):
    record = ExerciseRecord(
        "head_down_pir", Mount.HEAD, 0.0, 60.0, True, True, 3, {Side.NONE: 0}, moved_presses=moved
    )
    console = Console(width=100, file=(shown := io.StringIO()))
    console.print(summary_table([record], CATALOGUE, {}))
    assert words in shown.getvalue()
    assert ("press" in shown.getvalue()) == (moved > 0)


def test_a_picture_in_no_folder_is_refused_before_the_exercise(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        lead(tmp_path, "side_tilt", "sim:?speed=0", plot=tmp_path / "nowhere" / "session.png")
    assert not list(tmp_path.iterdir())


def test_the_simulated_wearer_has_the_sensor_where_it_was_asked_for(tmp_path, side_tilts):
    asked, shown = lead(tmp_path, "side_tilt", "sim:?speed=0", mount=Mount.HEAD, hold_s=2.0)
    _, in_address, _ = side_tilts
    assert asked[0].peak_deg(Side.RIGHT) == pytest.approx(in_address[0].peak_deg(Side.RIGHT), abs=1e-6)
    assert "calibration refused" not in shown
