"""One set of settings: the host's reach the board, and a neutral or snooze that was taken there comes back."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from live.feed import commands
from live.slumping_wearer import slumps
from live.test_alert_to_motor import Heard, SlumpingSimulation, by_cable, settings
from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.link.commands import BoardKey
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import Calibrated, LiveWarning
from tiltwise.live.wearer.settings_sync import silence

load_firmware()
KEYS = importlib.import_module("tiltwise_firmware.storage.board_settings").KEYS


def test_keys_are_the_rows_of_the_board_s_table() -> None:
    for key in BoardKey:
        assert KEYS[key] == key.name.lower()


def test_what_the_host_has_is_on_the_board_after_a_connect() -> None:
    heard = by_cable(settings(strength=2), slumps(1.0, 1000.0), 20.0)
    on_board = heard.board.app.settings
    names = ("rule_deg", "rule_s", "recovery_s", "hysteresis_deg", "min_gap_s", "motor_strength", "mount")
    assert [on_board.get(name) for name in names] == [20, 5, 1, 5, 0, 2, "neck"]
    taken = heard.board.app.wearer.neutral
    assert taken.up == pytest.approx([0, 0, 1], abs=1e-4)
    assert taken.forward == pytest.approx([1, 0, 0], abs=1e-4)
    assert heard.of(LiveWarning) == []


def test_a_neutral_taken_at_the_board_is_the_host_s_too() -> None:
    """The wearer sits 15 deg bent from the start and presses the button: that is neutral from then on."""

    class Pressing(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            self.board.pins.is_pressed = 30.0 < to_s < 30.3
            return super().step(to_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live.test_alert_to_motor.SlumpingSimulation", Pressing)
        heard = by_cable(settings(), slumps(1000.0, 1.0, 15.0, first_s=5.0), 45.0)
    assert len(heard.of(Calibrated)) == 1
    assert heard.session.profile is not None
    up = heard.session.profile.mounting.up_sensor
    assert np.degrees(np.arctan2(-up[0], up[2])) == pytest.approx(15, abs=1.0)
    assert heard.board.app.settings.get("neutral_new") == 0, "the host has taken it over"
    assert heard.board.app.wearer.neutral.up == pytest.approx(list(up), abs=1e-3)


def with_board(doubted: int, up: int, at_s: float, then: Callable[[Heard], None]) -> Heard:
    """A day of 40 s with a board that has a doubt about a neutral, "up" along its z; `then` happens at a time."""

    class Doubting(SlumpingSimulation):
        is_begun = False

        def step(self, to_s: float) -> list[bytes]:
            if not self.is_begun:
                self.is_begun = True
                pairs = [("neutral_z", up), ("neutral_doubted", doubted)]
                self.board.app.settings.update(pairs)
            if at_s - 0.01 <= to_s < at_s + 0.01:
                then(made[0])
            return super().step(to_s)

    made: list[Heard] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live.test_alert_to_motor.SlumpingSimulation", Doubting)
        patch.setattr("live.test_alert_to_motor.Heard", lambda *parts: made.append(Heard(*parts)) or made[0])
        return by_cable(settings(), slumps(60.0, 6.0), 40.0)


def test_a_doubt_of_the_board_is_the_host_s_while_it_lasts() -> None:
    heard = with_board(1, 32767, 1000.0, lambda _: None)
    assert "no posture alerts: while it was alone" in heard.of(LiveWarning)[0][1].text
    assert heard.of(Notice, NoticeLevel.ALERT) == []
    assert heard.session.alerts.reason.startswith("the neutral is in doubt: while it was alone")

    def ends(heard: Heard) -> None:
        heard.board.app.wearer._note_doubt(False)

    heard = with_board(1, 32767, 5.0, ends)
    assert len(heard.of(Notice, NoticeLevel.ALERT)) == 1
    assert heard.board.app.settings.get("neutral_doubted") == 0


def test_a_doubt_about_another_neutral_than_the_host_s_is_over() -> None:
    heard = with_board(1, -32767, 1000.0, lambda _: None)
    assert heard.of(LiveWarning) == []
    assert heard.board.app.settings.get("neutral_doubted") == 0


def test_a_doubt_of_the_host_is_the_board_s_until_it_is_over() -> None:
    def doubts(heard: Heard) -> None:
        heard.session.alerts.doubt_neutral("of a test")

    heard = with_board(0, 32767, 3.0, doubts)
    assert heard.board.app.settings.get("neutral_doubted") == 1
    heard = with_board(0, 32767, 3.0, lambda heard: (doubts(heard), heard.session.alerts.trust_neutral()))
    assert heard.board.app.settings.get("neutral_doubted") == 0


@pytest.mark.parametrize("presses", [False, True])
def test_a_snooze_at_the_button_silences_the_host_s_alerts(presses: bool) -> None:
    class Pressing(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            self.board.pins.is_pressed = presses and (8.0 < to_s < 8.1 or 8.25 < to_s < 8.35)
            return super().step(to_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live.test_alert_to_motor.SlumpingSimulation", Pressing)
        heard: Heard = by_cable(settings(), slumps(60.0, 6.0), 25.0)
    assert len(heard.of(Notice, NoticeLevel.ALERT)) == (0 if presses else 1)
    assert heard.session.alerts.held_back == (1 if presses else 0)
    assert heard.board.app.wearer.coach.is_silent is presses


def test_a_snooze_of_the_host_reaches_the_board() -> None:
    class Snoozing(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            if 7.99 <= to_s < 8.01:
                for command in commands(HEARD[0].session.snooze(to_s, 600)):
                    self.send(command)
            return super().step(to_s)

    HEARD: list[Heard] = []  # noqa: N806 - filled while it runs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live.test_alert_to_motor.SlumpingSimulation", Snoozing)
        patch.setattr(
            "live.test_alert_to_motor.Heard", lambda *parts: HEARD.append(Heard(*parts)) or HEARD[0]
        )
        heard = by_cable(settings(), slumps(60.0, 6.0), 25.0)
    assert heard.board.app.wearer.coach.is_silent
    assert heard.of(Notice, NoticeLevel.ALERT) == []


@pytest.mark.parametrize(
    ("now", "in_s", "for_s"),
    [("21:00", 3600, 8 * 3600), ("23:00", -3600, 8 * 3600), ("03:00", 19 * 3600, 8 * 3600)],
)
def test_quiet_hours_are_told_relative_to_now(now: str, in_s: int, for_s: int) -> None:
    setting = AlertSetting(quiet_from="22:00", quiet_to="06:00")
    local = datetime.fromisoformat(f"2026-03-01T{now}").replace(tzinfo=UTC)
    payload = wire.open_command(silence(setting, local, None))[3]
    assert payload == b"\xff\xff\xff\xff" + in_s.to_bytes(4, "little", signed=True) + for_s.to_bytes(
        4, "little"
    )
