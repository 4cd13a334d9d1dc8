"""Two sensors, head (0) and collar (1): blocks of either in, angles, neck angles, activity and events out. Degrees.

The head alone shows neck and trunk together. With the collar beside it the neck is their difference, looking down
is separated from leaning, and each has its own episodes. When a sensor falls silent the other goes on and a note says
what the numbers mean meanwhile. Device time, any cuts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.posture import PostureDetector
from tiltwise.motion.angles.neck_relative import NeckBlock, NeckStage
from tiltwise.tracker import Tracker, TrackerSettings, in_order, joined, part_of
from tiltwise.types import (
    ActivityChanged,
    AngleBlock,
    EpisodeAlert,
    EpisodeEnded,
    EpisodeStarted,
    Event,
    FloatArray,
    ImuBlock,
    OrientationBlock,
    PostureKind,
    SignalGap,
    Update,
)

HEAD, COLLAR = 0, 1  # index of the sensor on the board
LOST_S = 3.0  # as long as an episode survives a hole: after it the other sensor goes on alone
PATIENCE_S = 1.0  # how late one sensor's samples may be behind the other's
_COLLAR_LOST = "the collar sensor is silent: flexion is the head's against the vertical until it is back"
_COLLAR_BACK = "the collar sensor is there: flexion is the neck's own, head minus upper back"
_HEAD_LOST = "the head sensor is silent: only the upper back is watched until it is back"
_HEAD_BACK = "the head sensor is back"


@dataclass(frozen=True, slots=True)
class PairNote:
    """From t_s on the numbers mean something else, because a sensor fell silent or came back."""

    t_s: float
    text: str


@dataclass(frozen=True, slots=True)
class PairUpdate(Update):
    """An Update of the head sensor, with what the pair knows beyond it.

    Parameters
    ----------
    neck
        Head samples that were decided now, up to a second late; None when there are none.
    upper_back
        The collar sensor's own angles and activity; None in a block of the head.
    notes
        Changes of what is measured.
    judged
        The same samples as the rule judges them: the neck's own flexion, the head's while the collar is silent for
        long, NaN in a short hole of the collar; with the head's activity. This is what is stored and shown.
    """

    neck: NeckBlock | None = None
    upper_back: Update | None = None
    notes: tuple[PairNote, ...] = ()
    judged: Update | None = None


class PairTracker:
    """The chain after the decoder for a head (or neck) sensor and a collar sensor on one board.

    Forward flexion is judged on the neck's own angle, or on the head's while the collar is silent; upper-back
    forward tilt on the collar. An episode in progress is closed, uncorrected, when the angle changes its meaning.
    Activity is the head's. Events of one sensor are in order; between the two they may be a second apart.

    Raises
    ------
    ValueError
        If either person-to-sensor alignment lacks "forward": a difference of tilts needs both.
    """

    def __init__(self, profile: TrackerSettings, collar: TrackerSettings) -> None:
        for name, each in (("head", profile), ("collar", collar)):
            if not each.mounting.is_shown:
                raise ValueError(f"the {name} sensor does not know forward: calibrate with nods first")
        self.profile, self.collar = profile, collar
        self._trackers = (Tracker(profile), Tracker(collar))
        self._restart()

    @property
    def filled(self) -> float:
        """How near the next alert for the neck is: 1 when it is due or was given."""
        return self._posture.filled

    def process(self, block: ImuBlock | OrientationBlock) -> PairUpdate:
        """Return what a block of either sensor brings; other sensors' blocks bring nothing."""
        if block.sensor not in (HEAD, COLLAR) or not len(block.t_s):
            return PairUpdate.without_samples()
        back = np.flatnonzero(np.diff(block.t_s, prepend=self._last_s[block.sensor]) < 0)
        if not len(back):
            return self._process(block)
        updates = []
        for start, stop in zip([0, *back], [*back, len(block.t_s)], strict=True):
            if start in back:
                updates.append(self.finish_update())
            updates.append(self._process(part_of(block, slice(start, stop))))
        return _merged(updates)

    def finish(self) -> list[Event]:
        """Close what is open, at the last samples, and begin afresh."""
        return list(self.finish_update().events)

    def finish_update(self) -> PairUpdate:
        """Close as `finish` does; return the last second of head samples too, which waited for the collar."""
        events: list[Event] = []
        neck = self._stage.finish()
        judged = self._judge(neck, events, [])
        events += self._posture.finish()
        events += [e for e in self._trackers[HEAD].finish() if not _is_bend(e)]
        events += self._trackers[COLLAR].finish()
        self._restart()
        return replace(PairUpdate.without_samples(in_order(events)), neck=neck, judged=judged)

    def _restart(self) -> None:
        self._stage = NeckStage(patience_s=PATIENCE_S)
        self._posture = PostureDetector(PostureKind.FORWARD_FLEXION, self.profile.rule)
        self._codes: NDArray[np.int8] = np.empty(0, np.int8)  # of head samples that wait in the stage
        self._last_s = [-np.inf, -np.inf]
        self._start_s: float | None = None
        self._relative_s = -np.inf  # when head and collar were last there together
        self._is_alone = False  # the head, without the collar
        self._is_head_lost = False

    def _process(self, block: ImuBlock | OrientationBlock) -> PairUpdate:
        """Times do not go back here."""
        if not len(block.t_s):
            return PairUpdate.without_samples()
        if self._start_s is None:
            self._start_s = self._relative_s = float(block.t_s[0])
        notes = self._head_notes(block)
        self._last_s[block.sensor] = float(block.t_s[-1])
        own = self._trackers[block.sensor].process(replace(block, sensor=HEAD))
        if block.sensor == HEAD:
            events: list[Event] = [e for e in own.events if not _is_bend(e)]
            self._codes = np.concatenate((self._codes, own.activity))
            neck = self._stage.process(own.angles, None)
            judged = self._judge(neck, events, notes)
            return PairUpdate(own.angles, own.activity, in_order(events), neck, None, tuple(notes), judged)
        back = replace(own, angles=replace(own.angles, sensor=COLLAR))
        events = [_of_collar(e) for e in own.events if not isinstance(e, ActivityChanged)]
        neck = self._stage.process(None, back.angles)
        judged = self._judge(neck, events, notes)
        return PairUpdate(
            AngleBlock.empty(), np.empty(0, np.int8), in_order(events), neck, back, tuple(notes), judged
        )

    def _head_notes(self, block: ImuBlock | OrientationBlock) -> list[PairNote]:
        """Tell when the head fell silent, by the collar's clock, and when it is back; the same for any cuts."""
        assert self._start_s is not None
        last_s = max(self._last_s[HEAD], self._start_s)
        lost_s = last_s + LOST_S + PATIENCE_S
        until_s = float(block.t_s[0] if block.sensor == HEAD else block.t_s[-1])
        notes = []
        if not self._is_head_lost and until_s > lost_s:
            self._is_head_lost = True
            notes.append(PairNote(lost_s, _HEAD_LOST))
        if self._is_head_lost and block.sensor == HEAD:
            self._is_head_lost = False
            notes.append(PairNote(until_s, _HEAD_BACK))
        return notes

    def _judge(self, neck: NeckBlock, events: list[Event], notes: list[PairNote]) -> Update | None:
        """Run the rule over decided head samples and return them; the angle's meaning is constant in each piece."""
        t_s = neck.neck.t_s
        n = len(t_s)
        if not n:
            return None
        codes, self._codes = self._codes[:n], self._codes[n:]
        seen_s = np.maximum.accumulate(np.where(neck.is_relative, t_s, -np.inf))
        seen_s = np.maximum(seen_s, self._relative_s)
        self._relative_s = float(seen_s[-1])
        is_alone = t_s - seen_s > LOST_S
        angles = _blanked(neck.neck, ~neck.is_relative & ~is_alone)
        cuts = np.flatnonzero(np.diff(is_alone, prepend=self._is_alone))
        for start, stop in zip([0, *cuts], [*cuts, n], strict=True):
            if start in cuts:
                self._is_alone = bool(is_alone[start])
                events += self._posture.finish()
                notes.append(PairNote(float(t_s[start]), _COLLAR_LOST if self._is_alone else _COLLAR_BACK))
                self._posture = PostureDetector(PostureKind.FORWARD_FLEXION, self.profile.rule)
            if stop > start:
                events += self._posture.process(_cut(angles, start, stop), codes[start:stop])
        return Update(angles, codes)


def _is_bend(event: Event) -> bool:
    """Tell whether this is the head's own forward bend, which the neck's takes the place of."""
    if not isinstance(event, EpisodeStarted | EpisodeAlert | EpisodeEnded):
        return False
    return event.kind is PostureKind.FORWARD_FLEXION


def _of_collar(event: Event) -> Event:
    """A gap found in the collar's stream is the collar's."""
    return replace(event, sensor=COLLAR) if isinstance(event, SignalGap) else event


def _blanked(angles: AngleBlock, is_unknown: NDArray[np.bool_]) -> AngleBlock:
    """A short hole of the collar is a hole of the neck: no angle, rather than one of another meaning."""

    def blank(values: FloatArray) -> FloatArray:
        return np.where(is_unknown, np.nan, values)

    return replace(
        angles, flexion_deg=blank(angles.flexion_deg), inclination_deg=blank(angles.inclination_deg)
    )


def _cut(angles: AngleBlock, start: int, stop: int) -> AngleBlock:
    """Samples [start, stop); the rule reads these columns only."""
    part = slice(start, stop)
    return replace(
        angles,
        t_s=angles.t_s[part],
        flexion_deg=angles.flexion_deg[part],
        inclination_deg=angles.inclination_deg[part],
    )


def _merged(updates: list[PairUpdate]) -> PairUpdate:
    """Several updates as one, around a time that went back."""
    whole = joined(list(updates))
    backs = [u.upper_back for u in updates if u.upper_back is not None]
    necks = [u.neck for u in updates if u.neck is not None]
    neck = None
    if necks:
        neck = NeckBlock(
            joined([Update(b.neck, np.empty(0, np.int8)) for b in necks]).angles,
            joined([Update(b.upper_back, np.empty(0, np.int8)) for b in necks]).angles,
            np.concatenate([b.is_relative for b in necks]),
        )
    notes = tuple(note for u in updates for note in u.notes)
    judged = [u.judged for u in updates if u.judged is not None]
    return PairUpdate(
        whole.angles,
        whole.activity,
        whole.events,
        neck,
        joined(backs) if backs else None,
        notes,
        joined(judged) if judged else None,
    )
