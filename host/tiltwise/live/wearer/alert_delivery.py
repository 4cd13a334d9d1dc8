"""Where a notice goes: to the motor of the sensor, to the desktop, or both; and whether the motor really ran.

What the wearer feels is not taken for granted. The board marks the frames of samples that its motor shook, so a buzz
counts when such a frame comes; an alert that was meant for the sensor alone and is not felt goes to the desktop.
"""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.config.settings import AlertSetting, Deliver
from tiltwise.decode.messages import Info
from tiltwise.link.commands import Acknowledger, Pattern
from tiltwise.live.wearer.live_events import Command, DesktopMessage, LiveEvent, LiveWarning, SensorBuzzed
from tiltwise.live.wearer.notices import Notice, NoticeLevel, Urgency

_PATTERNS = {
    NoticeLevel.ALERT: Pattern.ALERT,
    NoticeLevel.THANKS: Pattern.CORRECTED,
    NoticeLevel.MOVEMENT: Pattern.STEP,
    NoticeLevel.MOVED: Pattern.CORRECTED,
}
_STRONGEST = 5
# Of received time. A command that takes longer than 0.5 s is not sent (link/command_queue.py), and the first frame
# of shaken samples is full 0.2 s later.
FELT_WITHIN_S = 2.0


class AlertDelivery:
    """Notices in; commands for the motor and messages for the desktop out.

    An alert with steps begins with a tick of the sensor, and the desktop comes last; without a motor that plays, the
    desktop comes at once.
    """

    def __init__(self, setting: AlertSetting) -> None:
        self._setting = setting
        self._commands = Acknowledger()
        self._asked: Notice | None = None  # the notice that the motor was asked to play
        self._asked_s: float | None = None  # received s of the first frame after that
        self._is_motor_missed = False  # it was said that there is none

    @property
    def _wants_sensor(self) -> bool:
        return self._setting.deliver is not Deliver.DESKTOP and self._setting.strength > 0

    def _is_felt(self, info: Info | None) -> bool:
        return self._wants_sensor and _has_motor(info)

    def reaches(self, notice: Notice, info: Info | None) -> bool:
        """Tell whether a notice goes anywhere: steps need a motor, as the desktop alone shows an alert once."""
        is_felt = self._is_felt(info)
        return is_felt or self._goes_to_desktop(notice.urgency, is_felt=is_felt)

    def process(self, notice: Notice, info: Info | None) -> list[LiveEvent]:
        """Return what to send and to show for a notice; info is what the board reported about itself."""
        wants_sensor, has_motor, is_felt = self._wants_sensor, _has_motor(info), self._is_felt(info)
        pattern = Pattern.STEP if notice.urgency is Urgency.TICK else _PATTERNS.get(notice.level)
        found: list[LiveEvent] = []
        if is_felt and pattern is not None:
            self._asked, self._asked_s = notice, None
            strength = min(self._setting.strength + (notice.urgency is Urgency.DESKTOP), _STRONGEST)
            found.append(Command(self._commands.motor(pattern, strength)))
        if has_motor and notice.level is NoticeLevel.ALERT and (pattern is Pattern.STEP or not wants_sensor):
            found.append(Command(self._commands.motor(Pattern.NOTED)))
        elif info is not None and not has_motor and wants_sensor and not self._is_motor_missed:
            self._is_motor_missed = True
            found.append(LiveWarning("the sensor has no motor: alerts go to the desktop"))
        if self._goes_to_desktop(notice.urgency, is_felt=is_felt):
            found.append(DesktopMessage(notice.title, notice.text))
        return found

    def _goes_to_desktop(self, urgency: Urgency, *, is_felt: bool) -> bool:
        """With a motor that plays the desktop is the last step; without one it is the first and only one."""
        if not is_felt:
            return urgency in (Urgency.TICK, Urgency.AT_ONCE)
        return self._setting.deliver is Deliver.BOTH and urgency >= Urgency.DESKTOP

    def on_frame(self, received_s: float, frame: Frame) -> list[LiveEvent]:
        """Look whether the motor has run since it was asked to."""
        notice = self._asked
        if notice is None or not frame.has_samples:
            return []
        if frame.flags & wire.FLAG_MOTOR_ON:
            self._asked = None
            return [SensorBuzzed(notice.t_s)] if notice.level is NoticeLevel.ALERT else []
        self._asked_s = received_s if self._asked_s is None else self._asked_s
        if received_s - self._asked_s < FELT_WITHIN_S:
            return []
        self._asked = None
        had_desktop = self._setting.deliver is not Deliver.SENSOR and notice.urgency >= Urgency.DESKTOP
        if notice.level is not NoticeLevel.ALERT or had_desktop:
            return []
        return [DesktopMessage(notice.title, notice.text)]


def _has_motor(info: Info | None) -> bool:
    return info is not None and bool(info.features & wire.FEATURE_MOTOR)
