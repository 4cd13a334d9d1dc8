"""Whether and when the wearer is interrupted."""

from datetime import datetime, time

import pytest

from tiltwise.config.settings import AlertSetting
from tiltwise.live.wearer.alerts import Alerts, NoticeLevel, is_quiet
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.types import Activity, ActivityChanged, EpisodeAlert, EpisodeEnded, PostureKind

KIND = PostureKind.FORWARD_FLEXION
NOON = datetime(2026, 3, 2, 12, 0)


def alert(t_s: float, start_s: float) -> EpisodeAlert:
    return EpisodeAlert(t_s, KIND, start_s, 34.6, t_s - start_s)


def ended(t_s: float, start_s: float, *, corrected: bool = True) -> EpisodeEnded:
    return EpisodeEnded(t_s, KIND, start_s, t_s, 40.0, start_s + 60, corrected)


def test_an_alert_says_which_angle_was_held_for_how_long() -> None:
    notice = Alerts(AlertSetting()).consider(alert(100.0, 40.0), NOON)
    assert notice is not None
    assert notice.level is NoticeLevel.ALERT
    assert "35 deg" in notice.text
    assert "60 s" in notice.text


def test_a_second_alert_within_the_least_gap_is_held_back_and_counted() -> None:
    alerts = Alerts(AlertSetting(min_gap_s=120.0))
    assert alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(alert(219.9, 150.0), NOON) is None
    assert alerts.held_back == 1
    assert alerts.consider(alert(220.0, 160.0), NOON)


def test_thanks_are_given_only_after_an_alert_that_was_shown() -> None:
    alerts = Alerts(AlertSetting(min_gap_s=120.0))
    assert alerts.consider(ended(30.0, 10.0), NOON) is None
    alerts.consider(alert(100.0, 40.0), NOON)
    thanks = alerts.consider(ended(110.0, 40.0), NOON)
    assert thanks is not None
    assert thanks.level is NoticeLevel.THANKS
    assert alerts.consider(ended(110.0, 40.0), NOON) is None


def test_no_thanks_when_the_episode_ended_because_the_data_did() -> None:
    alerts = Alerts(AlertSetting())
    alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(ended(110.0, 40.0, corrected=False), NOON) is None


def test_quiet_hours_hold_alerts_back() -> None:
    alerts = Alerts(AlertSetting(quiet_from="11:30", quiet_to="13:00"))
    assert alerts.consider(alert(100.0, 40.0), NOON) is None
    assert alerts.consider(alert(400.0, 340.0), NOON.replace(hour=13)) is not None


def slipped(t_s: float) -> PlacementChange:
    return PlacementChange(t_s, "slip", 14.0, "the sensor seems to have slipped by 14 deg: put it right")


def test_a_doubt_about_the_sensor_is_a_notice_by_the_same_policy() -> None:
    alerts = Alerts(AlertSetting(min_gap_s=120.0, quiet_from="13:00", quiet_to="14:00"))
    notice = alerts.consider(slipped(10.0), NOON)
    assert notice is not None
    assert notice.level is NoticeLevel.PLACEMENT
    assert notice.text == "The sensor seems to have slipped by 14 deg: put it right."
    assert alerts.consider(alert(100.0, 40.0), NOON) is None, "one gap for all interruptions"
    assert alerts.consider(slipped(500.0), NOON.replace(hour=13)) is None, "quiet hours"
    assert alerts.held_back == 2
    assert alerts.consider(slipped(600.0), NOON) is not None


@pytest.mark.parametrize(
    ("start", "end", "now", "quiet"),
    [
        ("22:00", "07:00", time(23, 0), True),
        ("22:00", "07:00", time(6, 59), True),
        ("22:00", "07:00", time(7, 0), False),
        ("12:00", "13:00", time(12, 0), True),
        ("12:00", "13:00", time(13, 0), False),
        ("", "", time(3, 0), False),
        ("22:00", "", time(23, 0), False),
    ],
)
def test_quiet_hours_are_half_open_and_may_pass_midnight(
    start: str, end: str, now: time, quiet: bool
) -> None:
    assert is_quiet(AlertSetting(quiet_from=start, quiet_to=end), now) is quiet


def test_other_events_interrupt_nobody() -> None:
    assert Alerts(AlertSetting()).consider(ActivityChanged(1.0, Activity.WALKING), NOON) is None
