"""How a `watch` can be asked while it runs, from what it was started with."""

from __future__ import annotations

import os
from pathlib import Path

from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.control.control_messages import RunningStatus
from tiltwise.live.control.control_place import place_of
from tiltwise.live.control.running_session import Control


def watch_control(
    source: Source,
    *,
    address: str,
    person: str | None,
    data: Path,
    store: Path,
    is_stored: bool,
    origin: str,
    started_utc_s: float,
) -> Control:
    """Return where this `watch` is asked, and what it says of itself."""
    facts = RunningStatus(
        process=os.getpid(),
        since_utc_s=started_utc_s,
        address=address,
        person=person or "",
        folder=str(store.resolve()) if is_stored else "",
        origin=origin,
        link="",
    )

    def link() -> str:
        return source.state if isinstance(source, Supervisor) else origin

    return Control(place_of(data, store), facts, link)
