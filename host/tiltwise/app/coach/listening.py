"""A simulated wearer who hears the coach: what is said to a person becomes a request to a simulated body."""

from __future__ import annotations

from collections.abc import Callable

from tiltwise.exercise.catalogue_file import Catalogue
from tiltwise.exercise.definition import Do, Pose
from tiltwise.exercise.guided.coach_events import CoachEvent, Instruction
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.link.source import Source
from tiltwise.sim.board.simulated_source import SimSource
from tiltwise.sim.body.coached_wearer import Request
from tiltwise.types import Side

_CHANNELS = {
    Angle.FLEXION: "head_flex+",
    Angle.LATERAL: "head_lat+",
    Angle.ROTATION: "head_rot+",
    Angle.RISE: "rise",
}


def let_listen(source: Source, catalogue: Catalogue) -> Callable[[CoachEvent], None]:
    """Return what hands the coach's instructions to a simulated wearer; for other sources it does nothing."""
    if not isinstance(source, SimSource):
        return lambda _: None
    simulation = source.simulation

    def listen(event: CoachEvent) -> None:
        if isinstance(event, Instruction):
            exercise = catalogue.exercises.get(event.exercise)
            simulation.hear(request_of(event, None if exercise is None else exercise.signal))

    return listen


def request_of(asked: Instruction, signal: Signal | None) -> Request:
    """Return an instruction as a body understands it."""
    if signal is None:
        return Request(asked.do.value, seconds=asked.lasts_s)
    is_minus = asked.side is Side.LEFT or signal.way is Way.MINUS
    if asked.phase is not None and asked.phase.way == "minus":
        is_minus = True
    share = 1.0 if asked.phase is None else asked.phase.to
    return Request(
        asked.do.value,
        _CHANNELS[signal.angle],
        -1.0 if is_minus else 1.0,
        share,
        asked.lasts_s,
        _pose(asked, signal),
    )


def _pose(asked: Instruction, signal: Signal) -> str:
    if asked.phase is not None and asked.phase.do is Do.TURN:
        return "" if asked.phase.pose is Pose.UPRIGHT else asked.phase.pose.value
    if signal.lying_deg is not None:
        return "lying"
    return "bowed" if signal.flexed_deg is not None else ""
