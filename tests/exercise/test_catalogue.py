"""The catalogue is complete, honest about what is counted, and the page in docs/ is the one it writes."""

from pathlib import Path

import pytest

from exercise.catalogue_page import page
from tiltwise.exercise.catalogue import EXERCISES, find_exercise
from tiltwise.exercise.definition import SAFETY_TEXT, Visibility
from tiltwise.types import Mount

ASKED_FOR = {
    "side_tilt",
    "side_tilt_pir",
    "head_down",
    "head_down_pir",
    "singing_snake",
    "rotations",
    "chin_to_chest_hold",
    "ear_to_shoulder_hold",
    "chin_tuck",
    "palm_press_front",
    "palm_press_top",
    "shoulder_raise_hold",
    "supine_head_lift",
    "chest_open_shoulder_drop",
    "crown_hang",
    "shrug_breath_hold",
    "arm_circles",
    "clasped_no",
    "clasped_nod",
    "side_tilt_flow",
    "self_massage",
    "lying_relaxation",
}
MEDICAL_WORDS = ("diagnos", "cure", "treat", "therap", "patient", "heal")


def test_every_exercise_asked_for_is_in_the_catalogue():
    assert set(EXERCISES) == ASKED_FOR


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_only_what_has_a_signal_claims_to_be_counted(exercise):
    assert set(exercise.seen) == set(Mount)
    counted = [m for m in Mount if exercise.seen[m] in (Visibility.MEASURED, Visibility.APPROXIMATE)]
    assert bool(counted) == (exercise.signal is not None)
    assert Mount.COLLAR not in counted  # the head does not move the collar


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_every_exercise_has_a_course_and_speaks_of_habits_only(exercise):
    assert len(exercise.steps) >= 3
    text = " ".join((*exercise.steps, exercise.sensor_note, exercise.caution)).lower()
    assert not [word for word in MEDICAL_WORDS if word in text]


def test_bending_the_head_back_asks_first():
    assert any("osteoporosis" in question for question in EXERCISES["singing_snake"].asks_first)


def test_names_are_found_as_people_write_them():
    assert find_exercise("Side-Tilt").id == find_exercise("side tilt").id == "side_tilt"


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match=r"no exercise 'sidetilt'.*side_tilt, "):
        find_exercise("sidetilt")


def test_the_page_in_docs_is_the_catalogue():
    written = page(tuple(EXERCISES.values()), tuple(Mount))
    file = Path(__file__).parents[2] / "docs" / "exercises.md"
    assert SAFETY_TEXT in written
    assert file.read_text(encoding="utf-8") == written, (
        "write docs/exercises.md again from catalogue_page.page"
    )
