"""The screen of `tiltwise exercise`: one instruction in large type, bars for angle, hold and breath, what is next.

In a terminal the screen is drawn anew ten times a second; piped, each instruction and repetition is a line. Tones and
speech go along, so that it can be followed with closed eyes.
"""

from __future__ import annotations

import time

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tiltwise.app.coach.big_text import big_lines
from tiltwise.app.coach.voice import Voice
from tiltwise.app.terminal_keys import TerminalKeys
from tiltwise.console import LINE_STYLES
from tiltwise.exercise.guided.coach_events import CoachEvent, CoachView, Comment, Instruction, Round
from tiltwise.exercise.guided.counter_events import RepTakenBack, RepTold
from tiltwise.live.event_text import clock, lines_of
from tiltwise.live.guided.guided_session import GuidedSession
from tiltwise.live.wearer.live_events import LiveEvents, LiveNote, LiveWarning
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.types import RepCompleted, Side, SignalGap

KEYS = "p pause  s skip  u undo  n next exercise  q stop"
_STALE_S = 2.0  # real time without a sample, after which it is said
_COMMENT_S = 5.0
_IN_SHARE = 0.4  # of a breath: breathing out takes longer
_SHOWN = (CalibrationProgress, LiveNote, LiveWarning)


class ExerciseView:
    """Shows, rings, speaks, and reads the keys.

    Parameters
    ----------
    voice
        Speaks the instructions.
    has_tones
        Ring the terminal's bell at each instruction and repetition.
    keys
        What the wearer types; None where nobody can.
    breath_s
        The wearer's pace.
    """

    def __init__(
        self,
        console: Console,
        *,
        voice: Voice,
        has_tones: bool,
        keys: TerminalKeys | None,
        breath_s: float,
    ) -> None:
        self._console, self._voice, self._keys, self._breath_s = console, voice, keys, breath_s
        self._has_tones = has_tones and console.is_terminal
        self.live: Live | None = None
        self.session: GuidedSession | None = None
        self._comment, self._comment_s = "", 0.0
        self._received_s, self._sampled_s = 0.0, time.monotonic()
        self._t0_s: float | None = None
        self._told: dict[Side, int] = {}
        self._trouble = ""

    # ---- what comes ----

    def show(self, received_s: float, events: LiveEvents) -> None:
        """Take what a chunk brought: lines for what is no exercise."""
        if received_s > self._received_s:
            self._received_s, self._sampled_s = received_s, time.monotonic()
        known = tuple(event for event in events if isinstance(event, _SHOWN))
        for style, line in lines_of(known):
            self._print(line, LINE_STYLES[style])
        for event in events:
            if isinstance(event, CalibrationProgress) and self._has_tones:
                self._console.bell()
            if isinstance(event, SignalGap) and self._is_drawn:
                self._note(f"the sensor was away for {event.end_s - event.start_s:.0f} s")

    def on_coach(self, event: CoachEvent) -> None:
        """Take what the coach says."""
        if self._t0_s is None:
            self._t0_s = event.t_s
        match event:
            case Instruction():
                self._instruct(event)
            case Comment():
                self._note(event.text)
                self._voice.say(event.text)
                self._line(event.t_s, event.text, "yellow")
            case RepTold():
                self._tell(event)
            case RepTakenBack():
                self._told[event.side] = self._told.get(event.side, 1) - 1
            case RepCompleted():
                self._line(event.t_s, _rep_text(event), "cyan")
            case Round():
                self._line(event.t_s, round_text(event), "cyan")

    def _instruct(self, event: Instruction) -> None:
        if event.short == "get ready":
            self._told = {}
        self._ring()
        self._voice.say(event.say)
        lasts = f" ({event.lasts_s:.0f} s)" if event.lasts_s else ""
        self._line(event.t_s, f"{event.short.upper()}{lasts}  {event.say}", "bold")

    def _tell(self, event: RepTold) -> None:
        """A repetition at its turn."""
        number = self._told[event.side] = self._told.get(event.side, 0) + 1
        self._ring()
        side = "" if event.side is Side.NONE else f"{event.side} "
        angle = f", {event.peak_deg:z.0f} deg" if event.peak_deg == event.peak_deg else ""
        self._voice.say(str(number))
        self._line(event.t_s, f"{side}{number}{angle}", "green")

    def _ring(self) -> None:
        if self._has_tones:
            self._console.bell()

    @property
    def _is_drawn(self) -> bool:
        return self.live is not None

    def _note(self, text: str) -> None:
        self._comment, self._comment_s = text, time.monotonic()

    def _line(self, t_s: float, text: str, style: str) -> None:
        """A line where nothing is drawn."""
        if not self._is_drawn:
            self._print(f"{clock(t_s - (self._t0_s or 0.0)):>7}  {text}", style)

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style, highlight=False, soft_wrap=not self._console.is_terminal)

    # ---- ten times a second ----

    def tick(self) -> None:
        """Read keys, let the voice go on, draw."""
        self._read_keys()
        self._voice.tend()
        if self._voice.trouble and self._voice.trouble != self._trouble:
            self._trouble = self._voice.trouble
            self._print(self._trouble, LINE_STYLES["warn"])
        if self.live is not None:
            self.live.update(self._screen(), refresh=True)

    def _read_keys(self) -> None:
        if self._keys is None or self.session is None:
            return
        acts = {
            "p": self.session.pause,
            " ": self.session.pause,
            "s": self.session.skip,
            "u": self.session.undo,
            "n": self.session.next_exercise,
            "q": self.session.stop,
        }
        for key in self._keys.read():
            if key in acts:
                acts[key]()

    def _screen(self) -> Group:
        width = min(self._console.width, 100) - 1
        coach = None if self.session is None else self.session.coach
        view = None if coach is None else coach.view()
        if coach is None or view is None:
            return Group(Text("waiting for the sensor ...", style="dim"))
        parts = [self._head(coach.exercise.name, view, width), Text("")]
        short = "paused" if coach.is_paused else view.short
        parts += [
            Text(line, style=_style(view), no_wrap=True, overflow="crop")
            for line in big_lines(short, width, self._console.height)
        ]
        parts += [Text(""), Text(view.say, style="bold")]
        parts += self._bars(view, width)
        stale_s = time.monotonic() - self._sampled_s
        if stale_s > _STALE_S:
            parts.append(Text(f"no samples for {stale_s:.0f} s: what was done is kept", style="bold yellow"))
        elif self._comment and time.monotonic() - self._comment_s < _COMMENT_S:
            parts.append(Text(self._comment, style="yellow"))
        else:
            following = view.following or (self.session.following if self.session else "")
            parts.append(Text(f"next: {following}" if following else "", style="dim"))
        parts.append(Text(KEYS[:width], style="dim", no_wrap=True, overflow="crop"))
        return Group(*parts)

    def _head(self, name: str, view: CoachView, width: int) -> Text:
        """The exercise, and what is counted."""
        counts = "  ".join(
            f"{'' if side is Side.NONE else f'{side} '}{n} of {view.reps}" for side, n in view.counts.items()
        )
        sets = f"  set {view.set_number} of {view.sets}" if view.sets > 1 else ""
        room = max(width - len(counts) - len(sets) - 2, 8)
        return Text.assemble((f"{name[:room]:<{room}}  ", "bold"), (counts, "bold green"), sets)

    def _bars(self, view: CoachView, width: int) -> list[Text]:
        cells = width - 24
        bars = []
        if view.angle_share is not None and view.angle_deg is not None:
            bars.append(Text(f"angle  {_bar(view.angle_share / 1.2, cells)} {view.angle_deg:z4.0f} deg"))
        elif view.angle_deg is not None:
            bars.append(Text(f"angle  {_bar(view.angle_deg / 60.0, cells)} {view.angle_deg:z4.0f} deg"))
        if view.phase_share is not None and view.left_s is not None:
            bars.append(Text(f"time   {_bar(view.phase_share, cells)} {view.left_s:4.0f} s left"))
        if view.is_breathing:
            share = view.since_s / self._breath_s % 1.0
            is_in = share < _IN_SHARE
            full = share / _IN_SHARE if is_in else 1.0 - (share - _IN_SHARE) / (1.0 - _IN_SHARE)
            bars.append(Text(f"breath {_bar(full, cells)} {'in' if is_in else 'out'}", style="blue"))
        return bars


def _bar(share: float, cells: int) -> str:
    filled = round(min(max(share, 0.0), 1.0) * cells)
    return "█" * filled + "·" * (cells - filled)


def _style(view: CoachView) -> str:
    return "bold yellow" if view.short in ("press", "grow") else "bold cyan"


def _rep_text(rep: RepCompleted) -> str:
    side = "" if rep.side is Side.NONE else f"{rep.side}: "
    angle = f"{abs(rep.peak_deg):.0f} deg, " if rep.peak_deg == rep.peak_deg else ""
    return f"  {side}{angle}held {rep.hold_s:.1f} s{', partial' if rep.is_partial else ''}"


def round_text(made: Round) -> str:
    """Return a round in a line."""
    side = "" if made.side is Side.NONE else f" {made.side}"
    gain = "" if made.before_deg is None else f" ({made.barrier_deg - made.before_deg:+z.0f})"
    press = "" if made.is_press_still else f"; the press moved {made.press_moved_deg:.0f} deg"
    return f"  round {made.number}{side}: end at {made.barrier_deg:.0f} deg{gain}{press}"
