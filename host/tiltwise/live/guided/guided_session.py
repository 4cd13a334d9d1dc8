"""Exercises one after the other on a live session: what the coach says goes up, what was done goes into the store.

The live session decodes, tracks, stores and asks the board again as on any day; the coach listens to its angles. What
was done of an exercise is stored with each repetition, so that a stop at any moment keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tiltwise.decode.decoder import Decoder
from tiltwise.exercise.definition import Exercise
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.coach_events import CoachEvent, Round
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.live.guided.coach_ticks import CoachTicks
from tiltwise.live.wearer.live_events import Command, LiveEvent, LiveEvents
from tiltwise.tracker import TrackerSettings
from tiltwise.types import RepCompleted, Update

_SNOOZE_S, _SNOOZE_EVERY_S = 90, 60.0  # nobody is told to look up in the middle of an exercise


class Followed(Protocol):
    """The live session, as far as the coach needs it."""

    decoder: Decoder
    unsaved: str
    kept: str

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take a chunk; return what it meant."""
        ...

    def finish(self) -> LiveEvents:
        """Close what is open."""
        ...

    def snooze(self, received_s: float, seconds: int) -> LiveEvents:
        """Interrupt nobody for so long."""
        ...

    def keep_exercise(self, record: ExerciseRecord, *, is_over: bool = False) -> None:
        """Store what was done of an exercise so far."""
        ...

    @property
    def profile(self) -> TrackerSettings | None:
        """How the sensor sits; None while nobody knows."""
        ...


class GuidedSession:
    """Leads through exercises; feed it chunks as any session.

    Parameters
    ----------
    session
        The live session below.
    exercises
        What to do, one after the other.
    settings
        The dose.
    strength
        Of the motor's ticks, 0 to 5.
    on_coach
        Gets what the coach says, in order.
    """

    def __init__(
        self,
        session: Followed,
        exercises: Sequence[Exercise],
        settings: CoachSettings,
        *,
        strength: int = 3,
        on_coach: Callable[[CoachEvent], None] = lambda _: None,
    ) -> None:
        self._session, self._left, self._settings = session, list(exercises), settings
        self._on_coach = on_coach
        self._ticks = CoachTicks(strength)
        self.coach: Coach | None = None
        self.records: list[ExerciseRecord] = []
        self._waiting: list[bytes] = []  # commands that a key caused
        self._received_s = self._snoozed_s = 0.0
        self._is_stopped = False

    @property
    def unsaved(self) -> str:
        """After finish(): what could not be kept, in a line."""
        return self._session.unsaved

    @property
    def kept(self) -> str:
        """After finish(): how much was kept, and where."""
        return self._session.kept

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        return self._is_stopped or (self.coach is None and not self._left)

    @property
    def following(self) -> str:
        """The name of the next exercise; empty behind the last one."""
        return self._left[0].name if self._left else ""

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take a chunk; return what it meant for the wearer, and commands for the board."""
        self._received_s = received_s
        events: list[LiveEvent] = list(self._session.receive(received_s, chunk))
        if self._session.profile is not None and (
            not self._snoozed_s or received_s - self._snoozed_s >= _SNOOZE_EVERY_S
        ):
            self._snoozed_s = received_s
            said = self._session.snooze(received_s, _SNOOZE_S)
            events += [event for event in said if isinstance(event, Command)]
        for event in [event for event in events if isinstance(event, Update)]:
            self._lead(event)
        events += [Command(command) for command in self._waiting]
        self._waiting.clear()
        return tuple(events)

    def finish(self) -> LiveEvents:
        """Close the exercise under way, and the session."""
        if self.coach is not None:
            self._say(self.coach.stop())
            self._close()
        return self._session.finish()

    # ---- what the wearer types ----

    def pause(self) -> None:
        """Stop for a while, or go on."""
        self._say(self.coach.pause() if self.coach is not None else [])

    def skip(self) -> None:
        """Take the repetition that is asked for as done."""
        self._say(self.coach.skip() if self.coach is not None else [])
        self._close_if_done()

    def undo(self) -> None:
        """Take the newest repetition back."""
        self._say(self.coach.undo() if self.coach is not None else [])

    def next_exercise(self) -> None:
        """Leave this exercise as it is and go on with the next."""
        if self.coach is not None:
            self._say(self.coach.stop())
            self._close_if_done()

    def stop(self) -> None:
        """End here; what was done is kept."""
        if self.coach is not None:
            self._say(self.coach.stop())
            self._close_if_done()
        self._left.clear()
        self._is_stopped = True

    # ---- the coach ----

    def _lead(self, update: Update) -> None:
        profile = self._session.profile
        if profile is None or not len(update.angles.t_s) or self.is_over:
            return
        if self.coach is None:
            # Whoever needs clearing was asked before the session: what was refused is not in the list.
            self.coach = Coach(self._left.pop(0), profile.mount, self._settings, is_cleared=True)
        self._say(self.coach.process(update.angles, update.activity))
        if self.coach.is_done and not self.coach.is_complete:
            self._left.clear()  # they have stopped, and the exercises behind this one are not wanted either
        self._close_if_done()

    def _say(self, events: list[CoachEvent]) -> None:
        if self.coach is None:
            return
        for event in events:
            self._on_coach(event)
        if any(isinstance(event, RepCompleted | Round) for event in events):
            self._session.keep_exercise(self.coach.record())
        self._waiting += self._ticks.process(events, self._session.decoder.info, is_over=self.coach.is_done)

    def _close_if_done(self) -> None:
        if self.coach is not None and self.coach.is_done:
            self._close()

    def _close(self) -> None:
        """Keep what was done; an exercise of which nothing was done leaves no trace."""
        if self.coach is None:
            return
        record, self.coach = self.coach.record(), None
        if record.n or record.partial or record.rounds:
            self.records.append(record)
            self._session.keep_exercise(record, is_over=True)
