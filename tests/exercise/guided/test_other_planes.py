"""What the head does beside the movement: how far in other planes, and whether it is bowed."""

import pytest

from tiltwise.exercise.guided.moments import Moment
from tiltwise.exercise.guided.other_planes import OtherPlanes
from tiltwise.exercise.signals import Angle


def moment(flexion_deg=0.0, lateral_deg=0.0, rotation_deg=0.0):
    return Moment(0.0, flexion_deg, lateral_deg, rotation_deg, 0.0, 0.0, True)


def test_the_other_planes_are_exceeded_by_more_than_the_most():
    planes = OtherPlanes(Angle.LATERAL, None)
    planes.begin(moment(flexion_deg=-4.0, lateral_deg=10.0), 10.0)
    planes.note(moment(flexion_deg=8.0, lateral_deg=20.0), 20.0)
    planes.note(moment(flexion_deg=2.0, lateral_deg=20.0), 20.0)
    assert planes.exceed(11.9, 20.0)
    assert not planes.exceed(12.0, 20.0)  # the movement's own 10 deg are none, nor are 12
    planes.note(moment(rotation_deg=-12.5), 20.0)
    assert planes.exceed(12.0, 20.0)
    planes.begin(moment(), 1.0)
    planes.note(moment(), 20.0)
    assert not planes.exceed(0.0, 20.0)  # the next movement begins anew


@pytest.mark.parametrize(("out_deg", "counts"), [(4.0, False), (7.0, True)])
def test_what_was_near_the_middle_came_before_the_movement(out_deg, counts):
    planes = OtherPlanes(Angle.LATERAL, None)
    planes.begin(moment(rotation_deg=50.0), out_deg)  # the peak is at 20 deg: well out is beyond 6
    planes.note(moment(rotation_deg=0.0), 20.0)
    assert planes.exceed(49.0, 20.0) is counts


@pytest.mark.parametrize(
    ("upright_deg", "flexion_deg", "is_bowed"),
    [(5.0, 20.0, True), (5.0, 19.9, False), (-8.0, 12.0, True), (-8.0, 11.9, False), (-50.0, 0.0, True),
     (-50.0, -0.1, False)],
)  # fmt: skip
def test_bowed_is_told_from_the_most_upright_pose_but_at_most_the_limit_further_back(
    upright_deg, flexion_deg, is_bowed
):
    planes = OtherPlanes(Angle.ROTATION, 20.0)
    planes.look(moment(flexion_deg=upright_deg))
    planes.look(moment(flexion_deg=30.0))
    planes.begin(moment(flexion_deg=-60.0), 1.0)
    assert not planes.is_bowed
    planes.note(moment(flexion_deg=flexion_deg), 10.0)
    assert planes.is_bowed is is_bowed
    planes.note(moment(flexion_deg=-60.0), 10.0)
    assert planes.is_bowed is is_bowed  # bowed once is bowed in this movement
    planes.begin(moment(flexion_deg=-60.0), 1.0)
    assert not planes.is_bowed


def test_who_need_not_be_bowed_is_bowed_always():
    planes = OtherPlanes(Angle.FLEXION, None)
    assert planes.is_bowed
    planes.begin(moment(flexion_deg=-60.0), 1.0)
    assert planes.is_bowed
