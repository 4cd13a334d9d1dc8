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
    AlertHeldBack,
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


def at(t_s: float) -> datetime:
    """The wearer's time when the sensor's is t_s."""
    return NOON + timedelta(seconds=t_s)


def caught_up(alerts: Alerts, from_s: float, to_s: float) -> list[Notice | AlertHeldBack]:
    """Ask each second whether something held back may be told now."""
    asked = (alerts.catch_up(float(t), at(t)) for t in range(round(from_s), round(to_s)))
    return [event for event in asked if event is not None]


def test_a_posture_that_outlasts_a_snooze_is_told_once_when_it_ends() -> None:
    alerts = Alerts(AlertSetting(first_quiet_min=0.0, escalate_s=30.0), RuleSetting(kind=RuleKind.SIMPLE))
    alerts.snooze(at(900.0))
    assert alerts.consider(alert(100.0, 40.0), at(100.0)) is None
    (late,) = caught_up(alerts, 101.0, 5000.0)
    assert isinstance(late, Notice)
    assert (late.t_s, late.level, late.urgency, late.stored_level) == (
        900.0, NoticeLevel.ALERT, Urgency.TICK, "alert late",
    )  # fmt: skip
    assert late.text == (
        "Looking down at 35 deg for 1 min 0 s, and still so 13 min 20 s later "
        "(held back: snoozed until 12:15). Sit tall, or change position."
    )
    assert alerts.held_back == 0
    assert [step.t_s for step in alerts.escalate(929.0, at(929.0))] == []
    assert [step.urgency for step in alerts.escalate(930.0, at(930.0))] == [Urgency.PATTERN]
    assert alerts.consider(ended(950.0, 40.0), at(950.0)) is not None, "thanks for what was told late"


@pytest.mark.parametrize("corrected", [True, False])
def test_what_ended_in_the_silence_is_never_told(corrected: bool) -> None:
    alerts = alerts_at_once()
    alerts.snooze(at(900.0))
    alerts.consider(alert(100.0, 40.0), at(100.0))
    assert alerts.consider(ended(500.0, 40.0, corrected=corrected), at(500.0)) is None
    assert caught_up(alerts, 501.0, 3000.0) == []
    assert alerts.held_back == 1


@pytest.mark.parametrize(
    ("setting", "before", "told_s", "reason"),
    [
        ({"quiet_from": "11:00", "quiet_to": "12:30"}, [], 1800.0, "quiet hours, 11:00 to 12:30"),
        ({"first_quiet_min": 10.0}, [], 600.0, "none in the first 10 min"),
        ({"min_gap_s": 300.0}, [alert(50.0, 10.0)], 350.0, "less than 5 min 0 s after the one before"),
        ({"most_a_day": 1}, [alert(50.0, 10.0)], 43_200.0, "1 today already"),
    ],
)
def test_each_reason_that_passes_lets_a_posture_be_told_that_goes_on(
    setting: dict[str, Any], before: list[EpisodeAlert], told_s: float, reason: str
) -> None:
    alerts = alerts_at_once(**{"min_gap_s": 0.0} | setting)
    alerts.consider(ActivityChanged(0.0, Activity.STILL), at(0.0))
    for event in before:
        assert alerts.consider(event, at(event.t_s))
        alerts.consider(ended(event.t_s + 10.0, event.start_s), at(event.t_s + 10.0))
    assert alerts.consider(alert(100.0, 90.0), at(100.0)) is None
    (late,) = caught_up(alerts, 101.0, 44_000.0)
    assert isinstance(late, Notice)
    assert late.t_s == told_s
    assert f"(held back: {reason})" in late.text


def test_a_call_that_ends_lets_a_posture_be_told_that_goes_on() -> None:
    alerts = alerts_at_once()
    alerts.busy = lambda: "the microphone is in use"
    alerts.consider(alert(100.0, 40.0), at(100.0))
    assert caught_up(alerts, 101.0, 1500.0) == []
    alerts.busy = lambda: ""
    (late,) = caught_up(alerts, 1500.0, 3000.0)
    assert isinstance(late, Notice)
    assert (late.t_s, "held back: the microphone is in use" in late.text) == (1500.0, True)


def test_what_the_schedule_leaves_out_or_silent_tracking_keeps_is_not_told_later() -> None:
    faded = Alerts(
        AlertSetting(first_quiet_min=0.0, min_gap_s=0.0, feedback=Feedback.FADED, faded_from="2025-01-01")
    )
    assert faded.consider(alert(100.0, 40.0), at(100.0))
    assert faded.consider(alert(300.0, 240.0), at(300.0)) is None
    assert "the schedule gives 33 %" in faded.reason
    assert caught_up(faded, 301.0, 2000.0) == []
    faded.snooze(at(3000.0))
    assert faded.consider(alert(2500.0, 2440.0), at(2500.0)) is None
    (left_out,) = caught_up(
        faded, 2501.0, 9000.0
    )  # it would have had its turn, which the schedule leaves out
    assert isinstance(left_out, AlertHeldBack)
    assert (left_out.t_s, left_out.start_s) == (3000.0, 2440.0)
    assert left_out.reason.startswith("the schedule gives")
    silent = Alerts(AlertSetting(first_quiet_min=0.0, feedback=Feedback.SILENT))
    silent.consider(alert(100.0, 40.0), at(100.0))
    assert caught_up(silent, 101.0, 9000.0) == []


def test_no_silence_ends_in_a_heap_and_the_limit_of_the_day_holds() -> None:
    alerts = alerts_at_once(min_gap_s=300.0, most_a_day=2)
    alerts.snooze(at(900.0))
    kinds = (PostureKind.FORWARD_FLEXION, PostureKind.TELEPHONE_TILT, PostureKind.HEAD_THROWN_BACK)
    for k, kind in enumerate(kinds):
        event = EpisodeAlert(100.0 + k, kind, 40.0, 30.0, 60.0)
        assert alerts.consider(event, at(event.t_s)) is None
        assert alerts.consider(event, at(event.t_s)) is None, "the same again waits once"
    told = caught_up(alerts, 200.0, 20_000.0)
    assert [event.t_s for event in told] == [900.0, 1200.0]


def test_a_doubt_about_the_sensor_is_told_after_the_silence_unless_it_is_gone() -> None:
    alerts = alerts_at_once(min_gap_s=0.0)
    alerts.snooze(at(900.0))
    assert alerts.consider(slipped(100.0), at(100.0)) is None
    assert alerts.consider(alert(200.0, 140.0), at(200.0)) is None
    (late,) = caught_up(alerts, 201.0, 2000.0)  # and no posture while the neutral is in doubt
    assert isinstance(late, Notice)
    assert (late.t_s, late.level) == (900.0, NoticeLevel.PLACEMENT)
    alerts.trust_neutral()
    (posture,) = caught_up(alerts, 2000.0, 2100.0)
    assert isinstance(posture, Notice)
    assert posture.level is NoticeLevel.ALERT
    alerts.snooze(at(4000.0))
    alerts.consider(slipped(3000.0), at(3000.0))
    alerts.trust_neutral()
    assert caught_up(alerts, 3001.0, 6000.0) == []


def test_a_doubt_about_the_sensor_needs_no_gap() -> None:
    alerts = alerts_at_once(min_gap_s=120.0)
    assert alerts.consider(alert(100.0, 40.0), NOON)
    assert alerts.consider(slipped(103.0), NOON) is not None
    assert alerts.consider(MovementDue(110.0, MovementKind.SHIFT, 0.0), NOON) is None


def test_who_says_that_they_know_is_not_told_later() -> None:
    alerts = alerts_at_once()
    alerts.snooze(at(900.0))
    alerts.consider(alert(100.0, 40.0), at(100.0))
    alerts.acknowledge()
    assert caught_up(alerts, 101.0, 2000.0) == []
