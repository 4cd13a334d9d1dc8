"""The catalogue is complete, honest about what is counted, and the page in docs/ is the one it writes."""

from dataclasses import replace
from pathlib import Path

import pytest

from exercise.catalogue_page import page
from tiltwise.exercise.catalogue import CATALOGUE, EXERCISES, PROGRAMMES, find_exercise
from tiltwise.exercise.catalogue_file import CatalogueError, read_catalogue
from tiltwise.exercise.definition import SAFETY_TEXT, Visibility
from tiltwise.exercise.directions import Direction, direction_of, range_by_side
from tiltwise.exercise.signals import Way
from tiltwise.types import Mount, Side

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
    "shoulder_check",
    "crown_hang",
    "shrug_breath_hold",
    "arm_circles",
    "clasped_no",
    "clasped_nod",
    "side_tilt_flow",
    "self_massage",
    "lying_relaxation",
}
RANGE = {"range_down", "range_back", "range_sides", "range_turns"}
PROGRAMMES_ASKED_FOR = {"desk_break", "morning", "after_driving", "before_a_meeting", "range_of_motion"}
MEDICAL_WORDS = ("diagnos", "cure", "treat", "therap", "patient", "heal")


def test_every_exercise_asked_for_is_in_the_catalogue():
    assert set(EXERCISES) == ASKED_FOR | RANGE
    assert set(PROGRAMMES) == PROGRAMMES_ASKED_FOR
    assert {name for name, exercise in EXERCISES.items() if exercise.is_range} == RANGE


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_only_what_has_a_signal_claims_to_be_counted(exercise):
    assert set(exercise.seen) == set(Mount)
    counted = [m for m in Mount if exercise.seen[m] in (Visibility.MEASURED, Visibility.APPROXIMATE)]
    followed = [m for m in Mount if exercise.is_followed(m)]
    assert bool(followed) == (exercise.signal is not None)
    assert set(counted) <= set(followed)
    assert Mount.COLLAR not in counted  # the head does not move the collar
    assert (Mount.COLLAR in followed) == exercise.is_shrug


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_every_exercise_has_a_course_and_speaks_of_habits_only(exercise):
    assert len(exercise.steps) >= 3
    assert len({phase.short for phase in exercise.all_phases}) >= len(exercise.all_phases) - 1
    text = " ".join((*exercise.steps, exercise.sensor_note, exercise.caution)).lower()
    assert not [word for word in MEDICAL_WORDS if word in text]


def test_bending_the_head_back_asks_first():
    assert any("osteoporosis" in question for question in EXERCISES["singing_snake"].asks_first)


def test_names_are_found_as_people_write_them():
    assert find_exercise("Side-Tilt").id == find_exercise("side tilt").id == "side_tilt"


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(
        ValueError, match=r"^no exercise 'sidetilt': did you mean side_tilt\? tiltwise exercises lists them$"
    ):
        find_exercise("sidetilt")
    with pytest.raises(ValueError, match=r"^no exercise 'jumping': tiltwise exercises lists them$"):
        find_exercise("jumping")


def test_the_page_in_docs_is_the_catalogue():
    written = page(tuple(EXERCISES.values()), tuple(PROGRAMMES.values()), tuple(Mount))
    file = Path(__file__).parents[2] / "docs" / "exercises.md"
    assert SAFETY_TEXT in written
    assert file.read_text(encoding="utf-8") == written, (
        "write docs/exercises.md again from catalogue_page.page"
    )


OWN = """
[[exercise]]
id = "slow_no"
name = "Slow no"
plane = "turning"
reps = 4
begin = "Sit."
signal = { angle = "rotation_deg", way = "either" }
seen = { collar = "not observable", neck = "measured", head = "measured" }
phases = [
    { do = "move", short = "turn", say = "Turn." },
    { do = "return", short = "back", say = "Back." },
]

[[programme]]
id = "mine"
name = "Mine"
parts = [{ exercise = "slow_no" }, { programme = "desk_break" }]
"""


def test_own_exercises_stand_beside_the_shipped_ones():
    catalogue = read_catalogue(OWN, "exercises.toml", CATALOGUE)
    title, parts = catalogue.find("Mine")
    assert title == "Mine"
    assert [e.id for e in parts][:2] == ["slow_no", "chest_open_shoulder_drop"]
    assert parts[1].reps == 3  # the dose of the programme, not of the exercise


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("reps = 4", "reps = 4000", "line 6: exercise 'slow_no': reps: expected at most 100, came 4000"),
        ("reps = 4", "repetitions = 4", "line 6: exercise 'slow_no': repetitions: unknown; there are id,"),
        ('short = "back"', "short = 3", "line 12: exercise 'slow_no': phases[1].short: expected text, came 3"),
        ('do = "return"', 'do = "fly"', "line 12: exercise 'slow_no': phases[1].do"),
        ('id = "slow_no"', 'id = "side_tilt"', "line 3: exercise 'side_tilt': id: 'side_tilt' is taken"),
        ("desk_break", "mine", "line 18: programme 'mine': parts: programme 'mine' comes back to itself"),
        ('exercise = "slow_no"', 'exercise = "slowno"', "line 18: programme 'mine': parts: there is no exercise"),
        ("signal =", "# signal =", "line 2: exercise 'slow_no': a move phase needs a signal"),
        ('do = "return", short', 'do = "hold", seconds = 880, short', "takes 61 minutes: expected at most"),
        ("[[programme]]", "[[plan]]", "expected [[exercise]] and [[programme]] only, came 'plan'"),
        ("reps = 4", "reps = = 4", "not valid TOML: Invalid value (at line 6"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_with_line_and_reason(was, becomes, said):
    with pytest.raises(CatalogueError) as raised:
        read_catalogue(OWN.replace(was, becomes, 1), "exercises.toml", CATALOGUE)
    assert said in str(raised.value)
    assert str(raised.value).startswith("exercises.toml")


def test_an_exercise_has_its_name_and_a_programme_its_own_with_all_its_exercises():
    assert CATALOGUE.find("Side-Tilt") == ("Head tilt to the side", (EXERCISES["side_tilt"],))
    title, exercises = CATALOGUE.find("desk break")
    assert title == "Short desk break"
    assert [exercise.id for exercise in exercises] == [
        part.exercise for part in PROGRAMMES["desk_break"].parts
    ]


def test_left_and_a_way_back_are_the_minus_sides_of_an_angle():
    tilt, turn, down = (EXERCISES[name].signal for name in ("side_tilt", "rotations", "head_down"))
    assert [direction_of(tilt, side) for side in (Side.RIGHT, Side.LEFT)] == [Direction.RIGHT, Direction.LEFT]
    assert [direction_of(turn, side) for side in (Side.RIGHT, Side.LEFT)] == [
        Direction.TURN_RIGHT,
        Direction.TURN_LEFT,
    ]
    back = replace(down, way=Way.MINUS)
    assert [direction_of(signal, Side.NONE) for signal in (down, back)] == [Direction.DOWN, Direction.BACK]
    assert direction_of(EXERCISES["shoulder_raise_hold"].signal, Side.NONE) is None


def test_a_range_is_given_to_the_sides_that_the_signal_knows():
    own = {Direction.RIGHT: 40.0, Direction.LEFT: 35.0, Direction.DOWN: 55.0}
    tilt, down, shrug = (EXERCISES[name].signal for name in ("side_tilt", "head_down", "shoulder_raise_hold"))
    assert range_by_side(tilt, own) == {Side.NONE: 40.0, Side.RIGHT: 40.0, Side.LEFT: 35.0}
    assert range_by_side(down, own) == {Side.NONE: 55.0, Side.RIGHT: 55.0}
    assert range_by_side(down, {Direction.BACK: 20.0}) == {Side.LEFT: 20.0}
    assert range_by_side(shrug, own) == {}


@pytest.mark.parametrize(
    ("name", "hold_s", "lasts_s", "n_sides"),
    [
        ("side_tilt", 15.0, 3 * 2 * (3 + 15 + 3), 2),  # three breaths of 5 s, and 3 s a stroke
        ("palm_press_front", 0.0, 10 * (7 + 5), 1),
        ("side_tilt_pir", 12.5, 2 * (3 * (15 + 5 + 3 + 12.5) + 3 + 3 + 12), 2),  # there and back once a side
        ("shoulder_raise_hold", 10.0, 10 * (3 + 10 + 3), 1),
    ],
)
def test_an_exercise_lasts_as_long_as_its_phases(name, hold_s, lasts_s, n_sides):
    exercise = EXERCISES[name]
    assert (exercise.hold_s(), exercise.lasts_s(), exercise.n_sides) == (hold_s, lasts_s, n_sides)
    twice = replace(exercise, sets=2, pause_s=20.0)
    assert twice.lasts_s() == 2 * lasts_s + 20.0


def test_breaths_go_by_the_wearers_pace():
    assert EXERCISES["side_tilt"].hold_s(8.0) == 24.0
    assert EXERCISES["side_tilt"].lasts_s(8.0) == 3 * 2 * (3 + 24 + 3)


def test_an_exercise_of_an_hour_is_taken_and_one_of_more_is_not():
    press = EXERCISES["palm_press_front"]  # 12 s each
    assert replace(press, reps=100, sets=3, pause_s=0.0).lasts_s() == 3600.0
    with pytest.raises(ValueError, match="takes 60 minutes: expected at most an hour"):
        replace(press, reps=100, sets=3, pause_s=1.0)


def test_programmes_are_added_up_to_an_hour():
    parts = "{ exercise = 'palm_press_front', reps = 100 }, " * 3  # 20 minutes each
    text = f"[[programme]]\nid = 'long'\nname = 'Long'\nparts = [{parts}]\n"
    assert len(read_catalogue(text, "own.toml", CATALOGUE).find("long")[1]) == 3
    more = text.replace("parts = [", "parts = [{ exercise = 'side_tilt', reps = 4 }, ")
    with pytest.raises(CatalogueError, match="programme 'long': parts: takes 63 minutes"):
        read_catalogue(more, "own.toml", CATALOGUE)


SECOND = OWN[: OWN.index("[[programme]]")].replace("slow_no", "other").lstrip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("rotation_deg", "spin_deg"), "line 8: exercise 'slow_no': signal.angle: "),
        (OWN.replace('"either"', '"either", wide = 3'), "line 8: exercise 'slow_no': signal.wide: unknown; there"),
        (OWN.replace('"move",', '"move", slow = 1,'), "line 11: exercise 'slow_no': phases[0].slow: unknown; there"),
        (OWN.replace('"slow_no" }', '"slow_no", times = 2 }'), "line 18: programme 'mine': parts[0].times: unknown"),
        (OWN.replace('id = "mine"\n', ""), "line 15: programme 1: id: missing"),
        (OWN.replace('"turning"', '"up"'), "line 5: exercise 'slow_no': plane: "),
        (OWN + SECOND.replace("reps = 4", "reps = 0"), "line 23: exercise 'other': reps: expected at least 1"),
        (
            OWN + '\n[[programme]]\nid = "more"\nname = "More"\nparts = [{ programme = "more" }]\n',
            "line 23: programme 'more': parts: programme 'more' comes back to itself: more -> more",
        ),
        (OWN.replace('id = "mine"', 'id = "slow_no"'), "line 16: programme 'slow_no': id: 'slow_no' is taken"),
        (OWN.replace('"slow_no" }', '"slow_no", programme = "morning" }'), "names an exercise or a programme, one"),
        (OWN.replace('"desk_break"', '"desk"'), "line 18: programme 'mine': parts: there is no programme 'desk'"),
        ("exercise = 3\n", "expected [[exercise]] and [[programme]] only, came 'exercise'"),
        ("exercise = [3]\n", "expected [[exercise]] and [[programme]] only, came 'exercise'"),
    ],
)  # fmt: skip
def test_the_line_of_a_mistake_is_that_of_its_key_in_its_own_table(text, said):
    with pytest.raises(CatalogueError) as raised:
        read_catalogue(text, "exercises.toml", CATALOGUE)
    assert said in str(raised.value)


def test_a_programme_unfolds_into_exercises_with_their_doses():
    text = OWN.replace('"slow_no" }', '"slow_no", reps = 7, sets = 2 }, { exercise = "slow-no" }')
    with pytest.raises(CatalogueError, match="there is no exercise 'slow-no'"):
        read_catalogue(text, "exercises.toml", CATALOGUE)
    catalogue = read_catalogue(text.replace("slow-no", "slow_no"), "exercises.toml", CATALOGUE)
    _, parts = catalogue.find(" MINE ")
    assert [(e.id, e.reps, e.sets) for e in parts[:2]] == [("slow_no", 7, 2), ("slow_no", 4, 1)]
    assert parts[2:] == CATALOGUE.find("desk-break")[1]
    with pytest.raises(ValueError, match=r"^no exercise or programme 'min': did you mean mine"):
        catalogue.find("min")
    alone = read_catalogue(OWN.split("[[programme]]")[0], "exercises.toml")
    assert (set(alone.exercises), set(alone.programmes)) == ({"slow_no"}, set())
