"""What is usual for a person: sizes of whole movements, the first ones in doubt, and where they rest."""

import pytest

from tiltwise.exercise.guided.counter_events import RepTold
from tiltwise.exercise.guided.usual_course import UsualRest, UsualSizes
from tiltwise.types import Side


def sizes_of(*wholes):
    sizes = UsualSizes()
    for k, size in enumerate(wholes):
        sizes.note_whole(RepTold(float(k), Side.NONE, size), size)
    return sizes


def test_the_usual_size_is_the_median_of_the_newest_six():
    assert UsualSizes().usual() is None
    assert sizes_of(7.0).usual() == 7.0
    assert sizes_of(1.0, 2.0, 3.0, 4.0, 5.0, 60.0, 70.0, 80.0).usual() == 32.5
    sizes = sizes_of(7.0)
    sizes.forget()
    assert sizes.usual() is None


def test_three_small_ones_in_a_row_are_what_this_person_does():
    sizes = sizes_of(40.0)
    for size in (10.0, 12.0):
        sizes.note_part(size)
    assert sizes.usual() == 40.0
    sizes.note_whole(RepTold(9.0, Side.NONE, 42.0), 42.0)  # a whole one between
    for size in (10.0, 12.0):
        sizes.note_part(size)
    assert sizes.usual() == 41.0
    sizes.note_part(14.0)
    assert sizes.usual() == 12.0
    sizes.note_part(15.0)
    assert sizes.usual() == 12.0  # three more are needed
    assert len(sizes.wholes) == 3


@pytest.mark.parametrize(
    ("wholes", "least", "disproved"),
    [
        ([], 20.0, []),
        ([9.0, 12.0], 20.0, [0.0, 1.0]),
        ([9.0, 20.0], 20.0, []),  # one was as large
        ([9.0] * 4, 20.0, [0.0, 1.0, 2.0, 3.0]),
        ([9.0] * 5, 20.0, []),  # the fifth is in no doubt, and so are those before
    ],
)
def test_first_ones_are_none_if_not_one_is_as_large_as_what_follows(wholes, least, disproved):
    sizes = sizes_of(*wholes)
    assert [told.t_s for told in sizes.disprove(least)] == disproved
    if disproved:
        assert (sizes.usual(), sizes.disprove(least)) == (None, [])
        sizes.note_whole(RepTold(9.0, Side.NONE, 30.0), 30.0)
        assert sizes.usual() == 30.0


def test_home_is_where_the_head_rested_the_last_three_times():
    rest = UsualRest()
    assert rest.home_deg() is None
    for at_deg in (1.0, 4.0, 2.0, 3.0):
        rest.note(at_deg, 5.0)
    assert rest.home_deg() == 3.0


def test_the_second_rest_in_a_row_that_is_not_near_home_is_home():
    rest = UsualRest()
    rest.note(0.0, 5.0)
    rest.note(5.0, 5.0)  # as far as near goes: not near
    rest.note(1.0, 5.0)
    rest.note(20.0, 5.0)
    assert rest.home_deg() == 0.5  # the two away were not in a row
    rest.note(22.0, 5.0)
    assert rest.home_deg() == 21.0
    assert rest.elsewhere == []


def test_near_is_near_the_newest_seven_rests():
    rest = UsualRest()
    for at_deg in (0.0, 0.0, 0.0, 0.0, 0.0, 4.0, 4.0, 4.0):
        rest.note(at_deg, 5.0)
    rest.note(5.5, 5.0)  # the middle of the seven is 0, of six it were 2
    assert rest.rests[-1] == 4.0
    rest.note(4.0, 5.0)
    rest.note(8.5, 5.0)  # and now it is 4, of eight it were 2
    assert rest.rests[-1] == 8.5


def test_home_can_be_moved_or_lost():
    rest = UsualRest()
    rest.note(0.0, 5.0)
    rest.note(20.0, 5.0)
    rest.move(8.0)
    assert (rest.home_deg(), rest.elsewhere) == (8.0, [])
    rest.move()
    assert rest.home_deg() is None
