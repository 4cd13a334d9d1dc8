"""The motor ticks where a phase begins, within its budget, and only where there is one."""

from dataclasses import dataclass

from tiltwise.common import wire
from tiltwise.exercise.definition import Do
from tiltwise.exercise.guided.coach_events import Instruction
from tiltwise.link.commands import Pattern
from tiltwise.live.guided.coach_ticks import CoachTicks
from tiltwise.types import Side


@dataclass(frozen=True)
class Board:
    features: int


def asked(t_s, do=Do.RETURN):
    return [Instruction(t_s, "side_tilt", do, Side.RIGHT, "back", "Come back.")]


def patterns(commands):
    return [wire.open_command(command)[3][0] for command in commands]


def test_it_ticks_once_in_one_and_a_half_seconds_and_at_the_end():
    ticks, board = CoachTicks(2), Board(wire.FEATURE_MOTOR)
    assert patterns(ticks.process(asked(10.0), board)) == [Pattern.STEP]
    assert ticks.process(asked(11.0), board) == []
    assert patterns(ticks.process(asked(11.6, Do.MOVE), board)) == [Pattern.CORRECTED]
    assert patterns(ticks.process([], board, is_over=True)) == [Pattern.DONE]


def test_without_a_motor_or_strength_it_is_silent():
    assert CoachTicks(2).process(asked(1.0), Board(0)) == []
    assert CoachTicks(2).process(asked(1.0), None) == []
    assert CoachTicks(0).process(asked(1.0), Board(wire.FEATURE_MOTOR)) == []
