"""What a record of an exercise says of itself."""

from math import nan

import pytest

from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import Mount, RepCompleted, Side


def record():
    reps = tuple(
        RepCompleted(k + 0.9, "side_tilt", side, k + 0.1, k + 0.5, k + 0.8, peak, hold)
        for k, (side, peak, hold) in enumerate(
            [
                (Side.RIGHT, 30.0, 1.0),
                (Side.LEFT, -20.0, 5.0),
                (Side.RIGHT, nan, 2.0),
                (Side.RIGHT, 34.0, 6.0),
            ]
        )
    )
    return ExerciseRecord(
        "side_tilt", Mount.HEAD, 100.0, 120.0, True, True, 3, {Side.RIGHT: 3, Side.LEFT: 1}, reps=reps
    )


def test_peaks_are_magnitudes_and_unknown_ones_are_left_out():
    assert record().n == 4
    assert (record().peaks_deg(Side.RIGHT), record().peaks_deg(Side.LEFT)) == ([30.0, 34.0], [20.0])
    assert [record().peak_deg(side) for side in (Side.RIGHT, Side.LEFT, Side.NONE)] == [32.0, 20.0, None]
    assert [record().hold_s(side) for side in (Side.RIGHT, Side.LEFT, Side.NONE)] == [2.0, 5.0, None]


def test_repetitions_are_put_on_the_axis_of_the_day():
    rep = record().reps_at(1000.0)[1]
    assert (rep.start_s, rep.peak_s, rep.end_s, rep.t_s) == pytest.approx((1001.1, 1001.5, 1001.8, 1001.9))
    assert (rep.side, rep.peak_deg, rep.hold_s) == (Side.LEFT, -20.0, 5.0)


def test_what_was_not_counted_is_nothing():
    plain = record()
    left = (plain.partial, plain.taken_back, plain.undone, plain.skipped, plain.moved_presses)
    assert left == (0, 0, 0, 0, 0)
    assert (plain.rounds, plain.barriers, plain.session, plain.gain_deg(Side.RIGHT)) == ((), {}, "", None)
