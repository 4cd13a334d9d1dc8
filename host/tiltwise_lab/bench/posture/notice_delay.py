"""From the moment an alert is due to what `watch` sends out for it, frame by frame as the radio brings them.

The wearer and the board are simulated and cost nothing here; the session, with its store on the disk, is timed. What
the desktop's own service takes after that is not in it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tiltwise.config.settings import AlertSetting, RuleKind, RuleSetting, Settings
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Command, DesktopMessage
from tiltwise.live.wearer.notices import Notice, NoticeLevel
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.types import Mount

MINUTES = 8.0
_STEP_S = 0.02
_SETTINGS = Settings(
    RuleSetting(20.0, 30.0, kind=RuleKind.SIMPLE),
    AlertSetting(first_quiet_min=0.0, min_gap_s=0.0, most_a_day=200, escalate_s=0.0),
)


@dataclass(frozen=True, slots=True)
class NoticeDelay:
    """An alert: from the sample that made it due to its frame's arrival, and from there to command and message, s."""

    in_frame_s: float
    working_s: float


def notice_delays(n: int) -> Iterator[tuple[float, list[NoticeDelay]]]:
    """Yield the share done and the delays of each of n wearers who slump every two minutes; wearer k has seed k."""
    for k in range(n):
        yield (k + 1) / n, _delays(Simulation("slouch", seed=k, minutes=MINUTES, mount=Mount.HEAD))


def _delays(simulation: Simulation) -> list[NoticeDelay]:
    found = []
    with tempfile.TemporaryDirectory(prefix="tiltwise-notice-") as folder:
        session = open_session(
            Worn(mount=Mount.HEAD), started_utc_s=1.7e9, device="bench", settings=_SETTINGS,
            store=Store(Path(folder), min_free_bytes=0),
        )  # fmt: skip
        for received_s, frame in _arrivals(simulation):
            began_s = time.perf_counter()
            events = session.receive(received_s, frame)
            working_s = time.perf_counter() - began_s
            is_sent = any(isinstance(event, DesktopMessage | Command) for event in events)
            found += [
                NoticeDelay(received_s - event.t_s, working_s)
                for event in events
                if is_sent and isinstance(event, Notice) and event.level is NoticeLevel.ALERT
            ]
        session.finish()
    return found


def _arrivals(simulation: Simulation) -> Iterator[tuple[float, bytes]]:
    """Yield each frame when it is sent, to a sample's time: the simulation alone looks five times a second."""
    for k in range(1, round(simulation.duration_s / _STEP_S) + 1):
        for frame in simulation.step(k * _STEP_S):
            yield k * _STEP_S, frame
