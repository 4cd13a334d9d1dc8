"""The six directions that a neck moves in: which way of which angle each is, and what people call it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import Side


class Direction(StrEnum):
    """A direction, from the middle."""

    DOWN = "down"
    BACK = "back"
    RIGHT = "right"
    LEFT = "left"
    TURN_RIGHT = "turn right"
    TURN_LEFT = "turn left"


_DIRECTIONS = {
    Angle.FLEXION: (Direction.BACK, Direction.DOWN),
    Angle.LATERAL: (Direction.LEFT, Direction.RIGHT),
    Angle.ROTATION: (Direction.TURN_LEFT, Direction.TURN_RIGHT),
}
PAIRS = ((Direction.RIGHT, Direction.LEFT), (Direction.TURN_RIGHT, Direction.TURN_LEFT))


def direction_of(signal: Signal, side: Side) -> Direction | None:
    """Return where a repetition on this side goes; None for shoulders."""
    if signal.angle not in _DIRECTIONS:
        return None
    minus, plus = _DIRECTIONS[signal.angle]
    is_minus = side is Side.LEFT or signal.way is Way.MINUS
    return minus if is_minus else plus


def range_by_side(signal: Signal, range_deg: Mapping[Direction, float]) -> dict[Side, float]:
    """Return a person's own range for each side that the signal knows, as far as it was measured."""
    found = {}
    for side in (Side.NONE, Side.RIGHT, Side.LEFT):
        direction = direction_of(signal, side)
        if direction is not None and direction in range_deg:
            found[side] = range_deg[direction]
    return found
