"""`tiltwise bench alarms`: alerts and activity on generated desk sessions, against their truth. Returns rows.

The whole path of `analyze`: calibration from the nods in the samples, tracker, simple rule. What is true is read off
the true flexion by the words of the rule: a run begins when the head comes to the limit, ends when it is below for
half a second (once alerted: 5 deg below for 3 s) or when the person walks; an alert is due when it has lasted for
the time of the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tiltwise.detect.posture import RuleSettings
from tiltwise.offline.analyze import analyze
from tiltwise.offline.input_file import ImuInput, choose_mounting
from tiltwise.types import ACTIVITIES, Activity, EpisodeAlert, FloatArray, Mount
from tiltwise_lab.bench.alarms.generated_desk_sessions import RATE_HZ, DeskSession, generate_session

LIMIT_DEG, LASTING_S = 20.0, 60.0
_EXIT_DEG, _DIP_S, _CORRECTED_S = 15.0, 0.5, 3.0
ON_TIME_S = 3.0


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session: true alerts due, given on time, late or early, missed; alerts that were not due; seconds by task.

    Of an alert counted late or early `off_s` says by how much.
    """

    seed: int
    due: int
    on_time: int
    missed: int
    false_alarms: int
    off_s: tuple[float, ...]
    seconds: Counter[str] = field(default_factory=Counter)
    called_walking: Counter[str] = field(default_factory=Counter)


def session_rows(seeds: Sequence[int]) -> Iterator[tuple[float, SessionRow]]:
    """Yield the share done and a row for each seed."""
    for k, seed in enumerate(seeds):
        yield (k + 1) / len(seeds), session_row(seed)


def session_row(seed: int) -> SessionRow:
    """Judge one session."""
    made = generate_session(seed)
    data = ImuInput(Path("generated"), (made.block,), (), ())
    mounting, _ = choose_mounting(data, mount=Mount.HEAD)
    found = analyze(data, mounting, rule=RuleSettings(LIMIT_DEG, seconds=LASTING_S))
    given = [event.t_s for event in found.events if isinstance(event, EpisodeAlert)]
    due = due_alerts_s(made)
    offs = [min((g - d for g in given), key=abs, default=np.inf) for d in due]
    is_walking = found.activity == ACTIVITIES.index(Activity.WALKING)
    task = np.array(made.task)
    names = sorted({*made.task} - {""})
    return SessionRow(
        seed,
        due=len(due),
        on_time=sum(abs(off) <= ON_TIME_S for off in offs),
        missed=sum(abs(off) > LASTING_S for off in offs),
        false_alarms=sum(all(abs(g - d) > LASTING_S for d in due) for g in given),
        off_s=tuple(off for off in offs if ON_TIME_S < abs(off) <= LASTING_S),
        seconds=Counter({name: int(np.sum(task == name)) / RATE_HZ for name in names}),
        called_walking=Counter({name: int(np.sum(is_walking[task == name])) / RATE_HZ for name in names}),
    )


def due_alerts_s(made: DeskSession) -> list[float]:
    """Return when alerts are due by the true flexion, s."""
    walks = np.array([name.startswith("walking") for name in made.task])
    flexion = np.where(walks, -90.0, made.flexion_deg)
    due: list[float] = []
    at = 0
    while True:
        high = np.flatnonzero(flexion[at:] >= LIMIT_DEG)
        if not len(high):
            return due
        start = at + int(high[0])
        left = _stays_below(flexion, start, LIMIT_DEG, _DIP_S)
        alert = start + round(LASTING_S * RATE_HZ)
        at = left
        if alert <= left - 1:
            due.append(float(made.block.t_s[alert]))
            at = _stays_below(flexion, alert, _EXIT_DEG, _CORRECTED_S)


def _stays_below(flexion_deg: FloatArray, start: int, limit_deg: float, lasting_s: float) -> int:
    """Return the index from which on it has been below a limit for so long; the end where it never is."""
    n = round(lasting_s * RATE_HZ)
    low = np.concatenate(([0], np.cumsum(flexion_deg[start:] < limit_deg)))
    runs = np.flatnonzero(low[n:] - low[:-n] == n) if len(low) > n else np.empty(0)
    return start + int(runs[0]) + n if len(runs) else len(flexion_deg)
