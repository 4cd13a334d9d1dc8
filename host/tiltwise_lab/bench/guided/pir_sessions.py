"""Rounds of post-isometric relaxation with a wearer who answers the coach: ends, edges, presses, gains against truth.

The wearer hears an instruction, reacts after 0.4 to 1.2 s, and moves along a beta-shaped stroke: slowly to an end
that is some degrees further in each round, or, in null sessions, the same but for the scatter of people who repeat a
position (sd 2 deg: Revel et al. 1991 find 3.5 deg for coming back unseen). A seventh of the presses gives way by 5 to
9 deg. Edges are when a tenth and nine tenths of the way are covered. Breath and sway ride on top.
Angles only, 25 Hz: what orientation makes of an IMU is the bench of sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.stats import beta

from tiltwise.app.coach.session_summary import gain_words
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.definition import Do
from tiltwise.exercise.guided.coach import Coach, CoachSettings
from tiltwise.exercise.guided.coach_events import Instruction, Round
from tiltwise.exercise.guided.range_progress import CHANGE_FACTOR, USUAL_SEM_DEG
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import AngleBlock, FloatArray, Mount, Side
from tiltwise_lab.bench.parallel import Show, run_each

RATE_HZ = 25.0
_CHUNK = 5
_MOST_S = 900.0
_SCATTER_DEG = 2.0
_FOUND_DEG = 0.35  # how well an end is found
EXERCISES_OF = ("side_tilt_pir", "head_down_pir")


@dataclass(frozen=True, slots=True)
class PirRow:
    """One session: errors of ends (deg) and edges (s), presses told rightly, and whether a gain was told."""

    exercise: str
    mount: Mount
    has_gain: bool
    rounds: int
    barrier_errors_deg: tuple[float, ...]
    edge_errors_s: tuple[
        tuple[float, float], ...
    ]  # began to sink, arrived; of rounds in which the head moved
    presses_right: int
    gains_told: int


@dataclass(slots=True)
class _TrueRound:
    side: Side
    end_deg: float
    moved: bool
    gives_way: bool
    sink_s: float = 0.0
    arrived_s: float = 0.0


@dataclass(slots=True)
class _Wearer:
    """Answers instructions with strokes; `way` is the deviation to the side asked for."""

    rng: np.random.Generator
    share: float
    has_gain: bool
    range_deg: float
    strokes: list[tuple[float, float, float, float, float, float]] = field(default_factory=list)
    side: Side = Side.NONE
    base_deg: float = 0.0
    at_deg: float = 0.0
    free_s: float = 0.0
    gives_way: bool = False
    has_pressed: bool = False
    truth: list[_TrueRound] = field(default_factory=list)

    def hear(self, asked: Instruction) -> None:
        begin = max(asked.t_s + self.rng.uniform(0.4, 1.2), self.free_s)
        if asked.do is Do.SINK:
            self._sink(asked, begin)
        elif asked.do is Do.PRESS:
            self.has_pressed = True
            self.gives_way = bool(self.rng.random() < 1 / 7)
            push = self.rng.uniform(5.0, 9.0) if self.gives_way else self.rng.uniform(0.0, 1.2)
            self._stroke(begin + (2.0 if self.gives_way else 0.0), 0.6, self.at_deg - push * self.share)
            self._stroke(self.free_s + 0.3, 0.6, self.at_deg + push * self.share)
        elif asked.do is Do.RETURN:
            self._stroke(begin, self.rng.uniform(1.2, 2.5), self.rng.normal(0.0, 1.0) * self.share)

    def _sink(self, asked: Instruction, begin: float) -> None:
        if asked.side is not self.side or self.base_deg == 0.0:
            self.side, self.base_deg = asked.side, self.rng.uniform(0.6, 0.8) * self.range_deg
            self.has_pressed = False
        is_half = asked.phase is not None and asked.phase.to < 1.0
        end = 0.5 * self.base_deg if is_half else self.base_deg + self.rng.normal(0.0, _SCATTER_DEG)
        end = max(end, self.at_deg / self.share) if self.has_pressed and self.has_gain else end
        lasting = self.rng.uniform(1.5, 5.0)
        before = self.at_deg
        self._stroke(begin, lasting, end * self.share)
        if self.has_pressed and not is_half:
            moved = abs(self.at_deg - before) > 2.0
            self.truth.append(_TrueRound(asked.side, self.at_deg, moved, self.gives_way, *self._edges()))
            if self.has_gain:
                self.base_deg += self.rng.uniform(2.0, 6.0)

    def _stroke(self, begin: float, lasting: float, to: float) -> None:
        self.strokes.append(
            (begin, lasting, self.at_deg, to, self.rng.uniform(2.5, 3.5), self.rng.uniform(2.5, 4.0))
        )
        self.at_deg, self.free_s = to, begin + lasting

    def _edges(self) -> tuple[float, float]:
        """When a tenth and nine tenths of the newest stroke are covered."""
        begin, lasting, _, _, a, b = self.strokes[-1]
        first, last = (begin + lasting * float(beta.ppf(share, a, b)) for share in (0.1, 0.9))
        return first, last

    def way_deg(self, t_s: FloatArray) -> FloatArray:
        """The deviation at these times, (n,)."""
        way = np.full(len(t_s), self.strokes[-4][2] if len(self.strokes) > 3 else 0.0)
        for begin, lasting, was, to, a, b in self.strokes[-4:]:
            x = np.clip((t_s - begin) / lasting, 0.0, 1.0)
            way = np.where(t_s >= begin, was + (to - was) * beta.cdf(x, a, b), way)
        return way


Job = tuple[int, int, str, Mount]


def pir_rows(seeds: Sequence[int], sessions: int, show: Show) -> list[PirRow]:
    """Return a row for each session, half of them without any gain; a process a core."""
    jobs = [
        (seed, k, exercise, mount)
        for seed in seeds
        for k in range(sessions)
        for exercise in EXERCISES_OF
        for mount in (Mount.HEAD, Mount.NECK)
    ]
    return run_each(_row, jobs, show)


def _row(job: Job) -> PirRow:
    return pir_row(*job)


def pir_row(seed: int, k: int, exercise: str, mount: Mount) -> PirRow:
    """Lead one session and compare."""
    rng = np.random.default_rng([seed, k, *f"{exercise}{mount}".encode()])
    share = 1.0 if mount is Mount.HEAD else rng.uniform(0.5, 0.7)
    has_gain = k % 2 == 0
    wearer = _Wearer(rng, share, has_gain, 43.0 if exercise == "side_tilt_pir" else 61.0)
    coach = Coach(EXERCISES[exercise], mount, CoachSettings(reps=3, breath_s=4.0), is_cleared=True)
    phases = rng.uniform(0, 2 * np.pi, 4)
    found: list[Round] = []
    t0 = 0.0
    while not coach.is_done and t0 < _MOST_S:
        t = t0 + np.arange(_CHUNK) / RATE_HZ
        t0 += _CHUNK / RATE_HZ
        for event in coach.process(_angles(t, wearer, exercise, share, phases)):
            if isinstance(event, Instruction):
                wearer.hear(event)
            elif isinstance(event, Round):
                found.append(event)
    return _compared(exercise, mount, has_gain, found, wearer.truth, coach)


def _angles(t: FloatArray, wearer: _Wearer, exercise: str, share: float, phases: FloatArray) -> AngleBlock:
    sway = 0.3 * np.sin(2 * np.pi * 0.11 * t + phases[0]) + 0.25 * np.sin(2 * np.pi * 0.47 * t + phases[1])
    breath = 0.4 * np.sin(2 * np.pi * 0.22 * t + phases[2])
    way = wearer.way_deg(t)
    sign = -1.0 if wearer.side is Side.LEFT else 1.0
    zero = np.zeros(len(t))
    is_tilt = exercise == "side_tilt_pir"
    lateral = share * sway + (sign * way if is_tilt else 0.0)
    flexion = share * breath + (0.0 if is_tilt else way + share * sway)
    rate = np.abs(np.gradient(way, t))
    return AngleBlock(
        t, np.hypot(lateral, flexion), flexion + zero, lateral + zero, zero, rate, zero, zero + 9.81
    )


def _compared(
    exercise: str, mount: Mount, has_gain: bool, found: list[Round], truth: list[_TrueRound], coach: Coach
) -> PirRow:
    pairs = list(zip(found, truth, strict=False))
    edges = tuple(
        (made.sink_s - true.sink_s, made.arrived_s - true.arrived_s) for made, true in pairs if true.moved
    )
    return PirRow(
        exercise, mount, has_gain, len(truth),
        tuple(made.barrier_deg - true.end_deg for made, true in pairs), edges,
        sum(made.is_press_still is not true.gives_way for made, true in pairs),
        _gains_told(coach.record()),
    )  # fmt: skip


def _gains_told(record: ExerciseRecord) -> int:
    """On how many sides a gain or a loss would be told after this session, as after anybody's first one."""
    gains = [gain for side in record.barriers if (gain := record.gain_deg(side)) is not None]
    limit = CHANGE_FACTOR * USUAL_SEM_DEG
    return sum(gain_words(gain, limit).startswith(("gained", "lost")) for gain in gains)


def null_sessions(seed: int, sessions: int) -> int:
    """Return in how many sessions without any gain one is told: ends as they scatter, straight into the record.

    What decides is the program's: the record's gain and the words of the summary. The ends are those of the wearer
    above, found as well as `pir_rows` finds that they are (0.35 deg). Both exercises, head and neck, three rounds.
    """
    rng = np.random.default_rng([seed, *b"null"])
    return sum(_gains_told(_null_record(rng, k)) > 0 for k in range(sessions))


def _null_record(rng: np.random.Generator, k: int) -> ExerciseRecord:
    sides = (Side.RIGHT, Side.LEFT) if k % 2 else (Side.NONE,)
    share = rng.uniform(0.5, 0.7) if k % 4 > 1 else 1.0
    base_deg = rng.uniform(0.6, 0.8) * (43.0 if k % 2 else 61.0)
    ends = {
        side: (share * rng.normal(base_deg, _SCATTER_DEG, 4) + rng.normal(0.0, _FOUND_DEG, 4)).tolist()
        for side in sides
    }
    rounds = tuple(
        Round(0.0, side, n, before, end, 0.0, 0.0, 0.0, True, 0.0, 0.0)
        for side, found in ends.items()
        for n, (before, end) in enumerate(pairwise(found), 1)
    )
    mount = Mount.NECK if share < 1.0 else Mount.HEAD
    counts = dict.fromkeys(sides, 3)
    return ExerciseRecord(
        EXERCISES_OF[1 - k % 2], mount, 0.0, 60.0, True, False, 3, counts, rounds=rounds, barriers=ends
    )
