"""What host and board both know of the wearer, kept the same on both: calibration, settings, times of silence.

The host tells a board at each connect, and whenever something changes. What began at the board while it was alone, a
neutral or a snooze, comes back at the next connect.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime, timedelta

from tiltwise.common import wire
from tiltwise.decode.messages import BoardEvent
from tiltwise.link.commands import Acknowledger, BoardKey, Pattern, Reply, read_reply
from tiltwise.live.wearer.live_events import Command, LiveEvent, LiveEvents, LiveNote, LiveWarning
from tiltwise.live.wearer.pipeline import Pipeline
from tiltwise.live.wearer.settings_sync import BoardSettings, silence
from tiltwise.tracker import TrackerSettings
from tiltwise.types import FloatArray, Mount

_DOUBLE_PRESS = 2
_BUTTON_SNOOZE_S = 1800.0  # what a double press asks for (firmware/config.py)
_SAME_S = 5  # two snoozes that end within so much of each other are one
_BOARD_DOUBTS = (
    "while it was alone the sensor found that walking upright reads differently: put it right and walk twice, or "
    "calibrate again"
)
_LEFT = struct.Struct("<I")


class SharedState:
    """One wearer's, with one board at a time; local times are the wearer's.

    Parameters
    ----------
    on_neutral
        Gets "up" in sensor axes (3,) of a neutral that was taken at the board; returns what that means.
    on_mount
        Gets the place that the board is set to be worn at, while nobody has calibrated it; returns what that means.
    on_name
        Gets the board's name; returns the name that it is to have, and what to say.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        on_neutral: Callable[[FloatArray], LiveEvents],
        on_mount: Callable[[Mount], LiveEvents],
        on_name: Callable[[str], tuple[str, list[LiveEvent]]],
    ) -> None:
        self._pipeline, self._on_neutral = pipeline, on_neutral
        self._on_mount, self._on_name = on_mount, on_name
        self._settings = BoardSettings(
            pipeline.settings, self._take_neutral, self._take_text, self._share_doubt
        )
        # The calibration that the board was last told, and whether its neutral is in doubt.
        self._told: tuple[TrackerSettings | None, bool] = (None, False)
        self._is_met = False
        self._is_neutral_new = False  # it was taken while we listen: the wearer wants the sensor right now
        self._is_snooze_ours = False  # asked for here, and the board has not confirmed it

    def on_answer(self, chunk: bytes, local: datetime) -> list[LiveEvent]:
        """After HELLO, tell a board the wearer's settings; go on with each answer to that."""
        try:
            reply = read_reply(chunk)
        except wire.WireError:
            return []
        if reply.opcode == wire.OP_SILENCE:
            return self._on_silence(reply, local)
        if reply.opcode != wire.OP_HELLO or not reply.is_ok:
            return self._settings.on_reply(reply)
        self._is_met = True
        return [Command(self._silence(local, only_ours=True)), *self._share()]

    def on_change(self) -> list[LiveEvent]:
        """Tell the board a calibration, or a doubt about its neutral, that it was not told yet."""
        profile, is_doubted = self._told
        is_known = self._pipeline.profile is profile and bool(self._pipeline.alerts.doubt) == is_doubted
        return [] if is_known or not self._is_met else self._share()

    def on_board_event(self, event: BoardEvent, local: datetime) -> LiveEvents:
        """What happened at the board counts here too."""
        if event.code == wire.EVENT_BUTTON and event.value == _DOUBLE_PRESS:
            return (event, self._note(self._until(local, _BUTTON_SNOOZE_S), "asked for at the sensor"))
        if event.code == wire.EVENT_ALERT:
            self._pipeline.alerts.note_given(event.t_s)
        elif event.code == wire.EVENT_NEUTRAL and event.value and self._is_met:
            self._is_neutral_new = event.value == 1
            return (event, *self._share())
        return (event,)

    def snooze(self, local: datetime, seconds: int) -> LiveEvents:
        """Interrupt nobody for so long, here and at the board; 0 ends a snooze."""
        until = self._until(local, seconds)
        self._is_snooze_ours = True
        if not seconds:
            return (LiveNote("alerts are given again"), Command(self._silence(local)))
        stop = Acknowledger().motor(Pattern.STOP)  # an alert that plays just now
        return (self._note(until), Command(self._silence(local)), Command(stop))

    def _until(self, local: datetime, seconds: float) -> datetime:
        until = local + timedelta(seconds=seconds)
        self._pipeline.alerts.snooze(until)
        return until

    def _note(self, until: datetime, why: str = "") -> LiveNote:
        return LiveNote(f"no alerts until {until:%H:%M}{f', {why}' if why else ''}")

    def _silence(self, local: datetime, *, only_ours: bool = False) -> bytes:
        """Return the command with quiet hours, and our snooze unless the board may know better."""
        left_s = self._pipeline.alerts.snooze_s(local)
        is_told = self._is_snooze_ours or not only_ours
        return silence(self._pipeline.settings.alerts, local, left_s if is_told else None)

    def _on_silence(self, reply: Reply, local: datetime) -> list[LiveEvent]:
        """Of two snoozes the one that ends later counts, unless it was changed here meanwhile."""
        if not reply.is_ok or len(reply.body) < _LEFT.size:
            return []
        ours_s, theirs_s = self._pipeline.alerts.snooze_s(local), int(_LEFT.unpack_from(reply.body)[0])
        is_confirmed, self._is_snooze_ours = self._is_snooze_ours, False
        if is_confirmed or abs(ours_s - theirs_s) <= _SAME_S:
            return []
        if ours_s > theirs_s:
            return [Command(self._silence(local))]
        return [self._note(self._until(local, theirs_s), "asked for at the sensor")]

    def _take_text(self, key: BoardKey, text: str) -> list[LiveEvent]:
        """Take the mount or the name of the board."""
        if key is BoardKey.MOUNT:
            return list(self._on_mount(Mount(text))) if text in set(Mount) else []
        name, said = self._on_name(text)
        if name != text:
            self._settings.rename(name)
        return said

    def _share(self) -> list[LiveEvent]:
        self._note_told()
        profile = self._pipeline.profile
        mounting = None if profile is None else profile.mounting
        return self._settings.begin(mounting, self._pipeline.alerts.percent)

    def _note_told(self) -> None:
        self._told = self._pipeline.profile, bool(self._pipeline.alerts.doubt)

    def _share_doubt(self, is_doubted: bool) -> tuple[bool, list[LiveEvent]]:
        """Doubt the neutral as the board does, as long as it does; tell whether it is in doubt."""
        alerts, said = self._pipeline.alerts, list[LiveEvent]()
        if is_doubted and not alerts.doubt:
            alerts.doubt_neutral(_BOARD_DOUBTS)
            said.append(LiveWarning(f"no posture alerts: {_BOARD_DOUBTS}"))
        elif not is_doubted and alerts.doubt == _BOARD_DOUBTS:
            alerts.trust_neutral()
        self._note_told()
        return bool(alerts.doubt), said

    def _take_neutral(self, up_sensor: FloatArray) -> list[LiveEvent]:
        """The wearer took neutral at the board; one too far from the calibration begins a new one."""
        events = list(self._on_neutral(up_sensor))
        is_refused = any(isinstance(event, LiveWarning) for event in events)
        if is_refused and self._is_neutral_new and self._pipeline.recalibrate():
            events.append(LiveNote("calibrating anew: sit tall, then nod three times"))
        self._is_neutral_new = False
        self._note_told()
        if self._pipeline.profile is not None:
            self._settings.use(self._pipeline.profile.mounting)
        return events
