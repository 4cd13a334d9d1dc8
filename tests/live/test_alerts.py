"""Whether and when the wearer is interrupted."""

from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting, Deliver, Feedback, RuleKind, RuleSetting
from tiltwise.live.wearer.alert_delivery import AlertDelivery
from tiltwise.live.wearer.alerts import Alerts, NoticeLevel, feedback_percent, is_quiet
from tiltwise.live.wearer.notices import Notice, Urgency
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.types import (
    Activity,
    ActivityChanged,
    EpisodeAlert,
    EpisodeEnded,
    Mount,
    MovementDone,
    MovementDue,
    MovementKind,
    PostureKind,
)

KIND = PostureKind.FORWARD_FLEXION
NOON = datetime(2026, 3, 2, 12, 0)


def alerts_at_once(**setting: Any) -> Alerts:
    """From the first minute on, as many as come, without steps."""
    return Alerts(
        AlertSetting(**{"first_quiet_min": 0.0, "most_a_day": 200, "escalate_s": 0.0} | setting),
        RuleSetting(kind=RuleKind.SIMPLE),
    )


def alert(t_s: float, start_s: float) -> EpisodeAlert:
    return EpisodeAlert(t_s, KIND, start_s, 34.6, t_s - start_s)


def ended(t_s: float, start_s: float, *, corrected: bool = True) -> EpisodeEnded:
    return EpisodeEnded(t_s, KIND, start_s, t_s, 40.0, start_s + 60, corrected)


def test_an_alert_says_which_angle_was_held_for_how_long() -> None:
    notice = alerts_at_once().consider(alert(100.0, 40.0), NOON)
    assert notice is not None
    assert notice.level is NoticeLevel.ALERT
    assert "35 deg" in notice.text
    assert "1 min 0 s" in notice.text


def test_a_second_alert_within_the_least_gap_is_held_back_and_counted() -> None:
    alerts = alerts_at_once(min_gap_s=120.0)
    assert alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(alert(219.9, 150.0), NOON) is None
    assert alerts.held_back == 1
    assert alerts.consider(alert(220.0, 160.0), NOON)


def test_thanks_are_given_only_after_an_alert_that_was_shown() -> None:
    alerts = alerts_at_once(min_gap_s=120.0)
    assert alerts.consider(ended(30.0, 10.0), NOON) is None
    alerts.consider(alert(100.0, 40.0), NOON)
    thanks = alerts.consider(ended(110.0, 40.0), NOON)
    assert thanks is not None
    assert thanks.level is NoticeLevel.THANKS
    assert alerts.consider(ended(110.0, 40.0), NOON) is None


def test_no_thanks_when_the_episode_ended_because_the_data_did() -> None:
    alerts = alerts_at_once()
    alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(ended(110.0, 40.0, corrected=False), NOON) is None


def test_quiet_hours_hold_alerts_back() -> None:
    alerts = alerts_at_once(quiet_from="11:30", quiet_to="13:00")
    assert alerts.consider(alert(100.0, 40.0), NOON) is None
    assert alerts.consider(alert(400.0, 340.0), NOON.replace(hour=13)) is not None


def slipped(t_s: float) -> PlacementChange:
    return PlacementChange(t_s, "slip", 14.0, "the sensor seems to have slipped by 14 deg: put it right")


def test_a_doubt_about_the_sensor_is_a_notice_by_the_same_policy() -> None:
    alerts = alerts_at_once(min_gap_s=120.0, quiet_from="13:00", quiet_to="14:00")
    notice = alerts.consider(slipped(10.0), NOON)
    assert notice is not None
    assert notice.level is NoticeLevel.PLACEMENT
    assert notice.text == "The sensor seems to have slipped by 14 deg: put it right."
    assert alerts.consider(alert(100.0, 40.0), NOON) is None, "the neutral is in doubt"
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
    assert alerts_at_once().consider(ActivityChanged(1.0, Activity.WALKING), NOON) is None


def test_no_alert_in_the_first_ten_minutes_of_wearing() -> None:
    alerts = Alerts(AlertSetting(min_gap_s=0.0))
    alerts.consider(ActivityChanged(30.0, Activity.STILL), NOON)
    assert alerts.consider(alert(629.9, 500.0), NOON) is None
    assert alerts.reason == "none in the first 10 min"
    assert alerts.consider(alert(630.0, 500.0), NOON) is not None


def test_five_posture_alerts_a_day_and_five_more_tomorrow() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0))
    given = [alerts.consider(alert(1000.0 * k, 1000.0 * k - 60), NOON) is not None for k in range(1, 8)]
    assert given == [True] * 5 + [False] * 2
    assert alerts.reason == "5 today already"
    assert alerts.consider(alert(90_000.0, 89_000.0), NOON + timedelta(days=1)) is not None


def test_alerts_of_an_earlier_run_and_of_the_board_count() -> None:
    alerts = Alerts(AlertSetting(most_a_day=2))
    alerts.resume(1, NOON.date(), is_worn_in=True)
    alerts.note_given(5.0)
    assert alerts.consider(alert(500.0, 440.0), NOON) is None
    assert alerts.reason == "2 today already"


def test_a_posture_that_goes_on_is_told_in_three_steps_and_then_no_more() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0, escalate_s=30.0))
    first = alerts.consider(alert(100.0, 40.0), NOON)
    assert first is not None
    steps = [(t, notice.urgency) for t in range(100, 400) for notice in alerts.escalate(float(t), NOON)]
    assert [first.urgency, *(urgency for _, urgency in steps)] == [
        Urgency.TICK,
        Urgency.PATTERN,
        Urgency.DESKTOP,
    ]
    assert [t for t, _ in steps] == [130, 160]


def test_a_corrected_posture_is_not_told_again() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0, escalate_s=30.0))
    alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(ended(120.0, 40.0), NOON) is not None
    assert alerts.escalate(200.0, NOON) == []


def test_silence_by_a_microphone_stops_the_steps_too() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0, escalate_s=30.0))
    alerts.consider(alert(100.0, 40.0), NOON)
    alerts.busy = lambda: "the microphone is in use"
    assert alerts.escalate(140.0, NOON) == []
    assert alerts.consider(alert(400.0, 340.0), NOON) is None
    assert alerts.reason == "the microphone is in use"


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2026, 3, 1), 100),
        (date(2026, 3, 8), 100),
        (date(2026, 3, 9), 67),
        (date(2026, 3, 16), 50),
        (date(2026, 3, 23), 33),
        (date(2026, 9, 1), 33),
    ],
)
def test_faded_feedback_falls_from_week_to_week(day: date, percent: int) -> None:
    setting = AlertSetting(feedback=Feedback.FADED, faded_from="2026-03-02")
    assert feedback_percent(setting, day) == percent


def test_in_the_second_week_two_of_three_are_given_and_the_first_one_is() -> None:
    setting = AlertSetting(
        first_quiet_min=0.0, most_a_day=200, feedback=Feedback.FADED, faded_from="2026-02-23"
    )
    alerts = Alerts(setting)
    given = [alerts.consider(alert(1000.0 * k, 1000.0 * k - 60), NOON) is not None for k in range(1, 13)]
    assert given[0]
    assert sum(given) == 9  # 67 % of 12, the first one always
    assert alerts.held_back == 3


def test_silent_tracking_tells_nobody_anything() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0, feedback=Feedback.SILENT))
    assert alerts.consider(alert(100.0, 40.0), NOON) is None
    assert alerts.consider(slipped(200.0), NOON) is None
    assert alerts.reason == "silent tracking is set"


def test_no_posture_alert_while_the_neutral_is_in_doubt() -> None:
    alerts = alerts_at_once(min_gap_s=0.0)
    alerts.consider(slipped(10.0), NOON)
    assert alerts.consider(alert(500.0, 440.0), NOON) is None
    assert "in doubt" in alerts.reason
    alerts.trust_neutral()
    assert alerts.consider(alert(700.0, 640.0), NOON) is not None


def test_an_alert_by_dose_says_why_it_comes_now() -> None:
    event = EpisodeAlert(500.0, KIND, 300.0, 34.6, 420.0)
    notice = Alerts(AlertSetting(first_quiet_min=0.0)).consider(event, NOON)
    assert notice is not None
    assert notice.text == (
        "Looking down at 35 deg for 7 min 0 s in all, as long as ISO 11226 lets it be held. "
        "Sit tall, or change position."
    )


def test_what_a_place_only_estimates_is_called_so() -> None:
    of_phone = EpisodeAlert(100.0, PostureKind.TELEPHONE_TILT, 80.0, 31.0, 20.0)
    notice = Alerts(AlertSetting(first_quiet_min=0.0), mount=Mount.NECK).consider(of_phone, NOON)
    assert notice is not None
    assert "for 20 s (estimated)" in notice.text


def test_a_movement_is_suggested_thanked_for_and_no_posture_alert() -> None:
    alerts = Alerts(AlertSetting(most_a_day=0, min_gap_s=0.0))
    notice = alerts.consider(MovementDue(1300.0, MovementKind.SHIFT, 100.0), NOON)
    assert notice is not None
    assert notice.text.startswith("20 min 0 s with the same posture.")
    done = alerts.consider(MovementDone(1320.0, MovementKind.SHIFT, 1300.0), NOON)
    assert done is not None
    assert done.level is NoticeLevel.MOVED
    assert alerts.consider(MovementDone(1400.0, MovementKind.SHIFT, 1390.0), NOON) is None, "nobody asked"


@pytest.mark.parametrize(
    ("deliver", "has_motor", "steps"),
    [
        (Deliver.BOTH, True, [Urgency.TICK, Urgency.PATTERN, Urgency.DESKTOP]),
        (Deliver.SENSOR, True, [Urgency.TICK, Urgency.PATTERN, Urgency.DESKTOP]),
        (Deliver.BOTH, False, [Urgency.TICK]),
        (Deliver.DESKTOP, True, [Urgency.TICK]),
    ],
)
def test_a_step_counts_as_told_only_where_something_reaches_the_wearer(
    deliver: Deliver, has_motor: bool, steps: list[Urgency]
) -> None:
    delivery = AlertDelivery(AlertSetting(deliver=deliver))
    features = wire.FEATURE_MOTOR if has_motor else 0
    info: Any = SimpleNamespace(features=features)
    notices = [Notice(1.0, NoticeLevel.ALERT, "Time to move", "Looking down.", step) for step in Urgency]
    reached = [notice.urgency for notice in notices if delivery.reaches(notice, info)]
    assert [step for step in reached if step is not Urgency.AT_ONCE] == steps
    assert Urgency.AT_ONCE in reached
