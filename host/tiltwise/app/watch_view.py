"""The terminal of `tiltwise watch`: a line for what happened, and below it a panel of how it is now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tiltwise.app.terminal_keys import TerminalKeys
from tiltwise.app.workday.live_panel import LivePanel
from tiltwise.config.settings import RuleSetting
from tiltwise.console import LINE_STYLES, print_line
from tiltwise.live.clock_watch import WallClock
from tiltwise.live.event_text import clock, lines_of
from tiltwise.live.live_session import LiveSession
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import LiveEvents, PostureMeasured, UpperBackMeasured
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.store.stored_samples import StoredDay
from tiltwise.types import ACTIVITIES as ACTIVITY_CODES
from tiltwise.types import Activity, Update

_SHORT = {
    Activity.STILL: "still",
    Activity.MOVING: "moving",
    Activity.WALKING: "walking",
    Activity.LYING: "lying",
    Activity.NOT_WORN: "not worn",
}
_REDRAW_S = 0.25
_SAY_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class Today:
    """When watching began, on the wearer's clock, and what earlier runs had stored of that day."""

    started: datetime
    stored: StoredDay | None

    def date_at(self, received_s: float) -> date:
        """Return the wearer's date so long after the start."""
        return (
            (self.started.astimezone(UTC) + timedelta(seconds=received_s))
            .astimezone(self.started.tzinfo)
            .date()
        )


class WatchView:
    """Prints what happened; in a terminal keeps a line with the angle below it.

    Parameters
    ----------
    wall_clock
        Tells when the computer's clock was set; None for sources with a time of their own.
    keys
        What the wearer types: `c` calibrates anew.
    link
        How the connection is, in words.
    rule
        The wearer's, for the limits of the gauge.
    shows_alerts
        Whether alerts get their line here ([alerts] console in the settings).
    today
        For the day's totals, which begin anew at midnight; None: of this run.
    """

    def __init__(
        self,
        console: Console,
        session: LiveSession,
        wall_clock: WallClock | None = None,
        *,
        shows_alerts: bool = True,
        link: Callable[[], str] = lambda: "",
        keys: TerminalKeys | None = None,
        rule: RuleSetting | None = None,
        today: Today | None = None,
    ) -> None:
        self._console, self._session, self._wall_clock = console, session, wall_clock
        self._shows_alerts, self._keys, self._link = shows_alerts, keys, link
        self._rule, self._today = rule or RuleSetting(), today
        self._date = None if today is None else today.date_at(0.0)
        self._panel: LivePanel | None = None  # once it is known how the sensor sits
        self._said_s = 0.0  # when there was a plain summary last
        self.live: Live | None = None
        self._drawn_s = 0.0
        self.alerts, self.last_s = 0, 0.0
        self._activity = ""
        self._posture_deg, self._tilt_deg, self._back_deg = (float("nan"),) * 3

    def show(self, received_s: float, events: LiveEvents) -> None:
        """Take what a chunk brought, and what was typed meanwhile."""
        self.last_s = received_s
        self.alerts += sum(
            isinstance(e, Notice) and e.level is NoticeLevel.ALERT and not e.is_repeated for e in events
        )
        by_time = groupby(events, key=self._session.received_at)
        lines = [(at_s, *line) for at_s, some in by_time for line in lines_of(tuple(some))]
        lines += [(received_s, *line) for line in self._own_lines(events)]
        for at_s, style, line in lines:
            if style != "alert" or self._shows_alerts:
                print_line(self._console, f"{clock(at_s):>7}  {line}", LINE_STYLES[style], indent=9)
        has_angles = self._take(events)
        self._follow(received_s, events)
        if has_angles:
            self._draw(received_s)

    def _own_lines(self, events: LiveEvents) -> list[tuple[str, str]]:
        """Return what this view has to say: about the keys, and the computer's clock."""
        lines = []
        if self._keys is not None:
            if any(isinstance(event, PlacementChange) for event in events):
                lines.append(("plain", "press c to calibrate it as it sits now"))
            if "c" in self._keys.read() and self._session.recalibrate():
                lines.append(
                    ("plain", "calibrating anew; the calibration before stays in use until it is done")
                )
        if self._wall_clock is not None and (clock_set := self._wall_clock.check()):
            lines.append(("warn", clock_set))
        return lines

    def _take(self, events: LiveEvents) -> bool:
        """Remember the newest values; tell whether there are new angles."""
        has_angles = False
        for event in events:
            match event:
                case PostureMeasured():
                    self._posture_deg = event.angle_deg
                case UpperBackMeasured():
                    self._back_deg = event.angle_deg
                case Update() if len(event.activity):
                    has_angles = True
                    self._tilt_deg = float(event.angles.lateral_deg[-1])
                    self._activity = _SHORT[ACTIVITY_CODES[int(event.activity[-1])]]
        return has_angles

    def _follow(self, received_s: float, events: LiveEvents) -> None:
        """Keep the panel's figures; where it cannot be drawn, say them in a plain line now and then."""
        profile = self._session.profile
        if profile is None:
            return
        if self._panel is None:
            limit_deg = self._rule.limit_deg(profile.mount)
            below_deg = self._rule.hysteresis_deg if self._rule.is_simple else 5.0
            self._panel = LivePanel(limit_deg, limit_deg - below_deg, has_blocks=_has_blocks(self._console))
            if self._today is not None and self._today.stored is not None:
                self._panel.begin_day(self._today.stored.summary())
        if self._today is not None and (day := self._today.date_at(received_s)) != self._date:
            self._date = day
            self._panel.begin_day()
        self._panel.take(events)
        if self.live is None and received_s - self._said_s >= _SAY_EVERY_S:
            self._said_s = received_s
            print_line(self._console, self._panel.summary(received_s), "dim", indent=9)

    def _draw(self, received_s: float) -> None:
        profile, now_s = self._session.profile, time.monotonic()
        if self.live is None or profile is None or self._panel is None or now_s - self._drawn_s < _REDRAW_S:
            return
        self._drawn_s = now_s
        shown = angle_words(profile.mounting, self._posture_deg, self._tilt_deg, self._back_deg)
        columns = self._console.width - 1  # a row without the last column does not wrap
        lines = self._panel.lines(received_s, shown, self._activity, profile.mount, self._link(), columns)
        self.live.update(Text("\n".join(lines)), refresh=True)


def angle_words(mounting: Mounting, posture_deg: float, tilt_deg: float, back_deg: float) -> str:
    """Return the newest angles by the names that the calibration allows; the upper back only with its own sensor."""
    if not mounting.is_shown:
        return f"tilt {posture_deg:z4.0f} deg"
    back = f"  back {back_deg:z4.0f}" if np.isfinite(back_deg) else ""
    return f"forward {posture_deg:z4.0f}  side {tilt_deg:z4.0f}{back} deg"


def _has_blocks(console: Console) -> bool:
    """Tell whether the terminal's encoding has block characters."""
    try:
        "█▁·─".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
