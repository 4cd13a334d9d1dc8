"""Whether the computer's clock still agrees with the time that a recording counts from its beginning.

The times of a day are the wall time of the beginning plus a clock that nobody sets, so they never jump and never
run back. When the wall clock is set meanwhile, by hand or by the network after a start without it, all times of
this recording are off by that much; each such change is reported once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tiltwise.link.timeouts import steady_s
from tiltwise.live.event_text import clock

REPORT_FROM_S = 30.0  # half a minute: from there on events stand in the wrong minute of the day


class WallClock:
    """Compares the wall clock with the clock that nobody sets, from the moment when it is made.

    Parameters
    ----------
    now_s, steady_s
        The wall clock, UTC s, and the steady one.
    """

    def __init__(
        self, now_s: Callable[[], float] = time.time, steady_s: Callable[[], float] = steady_s
    ) -> None:
        self._now_s, self._steady_s = now_s, steady_s
        self._began_s = now_s() - steady_s()
        self._reported_s = 0.0

    def check(self) -> str:
        """Return a line when the clock was set since the last report, else an empty text."""
        off_s = self._now_s() - self._steady_s() - self._began_s
        if abs(off_s - self._reported_s) < REPORT_FROM_S:
            return ""
        self._reported_s = off_s
        if abs(off_s) < REPORT_FROM_S:
            return "the computer's clock agrees with this recording again"
        way = "ahead of" if off_s > 0 else "behind"
        return (
            f"the computer's clock was set: it is now {clock(abs(off_s))} {way} this recording, whose times go on "
            "evenly from its start; stop and start watch to follow the clock"
        )
