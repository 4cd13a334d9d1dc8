"""Alerts in the stored day: given by the host, held back, given by the board alone and fetched late."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from live.feed import STARTED_S
from live.slumping_wearer import slumps
from live.test_alert_to_motor import by_cable, settings
from tiltwise.app.day import day_table, load_day
from tiltwise.app.workday.why import explain
from tiltwise.common import cues, wire
from tiltwise.config.settings import AlertSetting, Feedback, RuleKind, RuleSetting, Settings
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.event_text import lines_of
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.notices import budget_reason
from tiltwise.store.writer import Store
from tiltwise.types import AlertHeldBack, EpisodeAlert, Mount, PostureKind


def shown(folder: Path) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(day_table(load_day(folder, None)))
    return console.export_text()


def board_events(folder: Path) -> list[int]:
    """Return the codes of the board's events in the stored day, in order."""
    day = load_day(folder, None).day
    with Store.open_readonly(folder) as reader:
        return [event.code for event in reader.day(day).events if isinstance(event, BoardEvent)]


def test_alerts_that_the_board_gave_alone_are_in_the_day(tmp_path: Path) -> None:
    heard = by_cable(
        settings(),
        slumps(9.0, 6.0),
        150.0,
        unplug_at_s=25.0,
        plug_at_s=115.0,
        store=Store(tmp_path, min_free_bytes=0),
    )
    alone = heard.board.app.wearer.coach.alerts
    by_host = len(heard.of(Notice, NoticeLevel.ALERT))
    summary = load_day(tmp_path, None).summary
    assert alone >= 3
    assert (len(summary.alerts_s), summary.alerts_alone) == (by_host + alone, alone)
    assert f"{by_host + alone}, of these {alone} given by the sensor alone" in shown(tmp_path)
    codes = board_events(tmp_path)
    assert codes.count(wire.EVENT_ALERT) == alone
    assert wire.EVENT_WORN in codes


def test_alerts_held_back_are_counted_apart_and_the_rule_of_the_day_is_kept(tmp_path: Path) -> None:
    chosen = Settings(
        rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=24.0, seconds=5.0, recovery_s=1.0),
        alerts=AlertSetting(min_gap_s=3600.0, first_quiet_min=0.0),
    )
    heard = by_cable(chosen, slumps(9.0, 6.0), 60.0, store=Store(tmp_path, min_free_bytes=0))
    day = load_day(tmp_path, None)
    held_back = heard.session.alerts.held_back
    assert held_back >= 2
    assert (len(day.summary.alerts_s), day.summary.alerts_held_back) == (1, held_back)
    assert f"1; {held_back} held back" in shown(tmp_path)
    assert day.rule_deg == 24.0


def test_a_restart_keeps_the_days_cues_and_the_schedules_turn(tmp_path: Path) -> None:
    """One alert given today and one left out at 33 %: the third is left out too, the fourth given."""
    down = PostureKind.FORWARD_FLEXION
    with Store(tmp_path, min_free_bytes=0) as store:
        row = store.begin_session("board", 1, zone="UTC", mount=Mount.NECK, started_s=STARTED_S)
        faded = budget_reason(cues.FADED, AlertSetting(), 33)
        events = [
            EpisodeAlert(600.0, down, 300.0, 50.0, 300.0),
            EpisodeAlert(1200.0, down, 900.0, 50.0, 300.0),
            AlertHeldBack(1200.0, 900.0, faded),
        ]
        store.put_events(row, events, STARTED_S)
        store.commit()
    chosen = AlertSetting(
        feedback=Feedback.FADED, faded_from="2026-01-01", most_a_day=2, first_quiet_min=0.0, min_gap_s=0.0
    )
    session = open_session(
        Worn(mount=Mount.NECK),
        started_utc_s=STARTED_S + 3600.0,
        settings=Settings(alerts=chosen),
        store=Store(tmp_path, min_free_bytes=0),
    )
    said = []
    for k in range(3):
        local = datetime.fromtimestamp(STARTED_S + 4000.0 + 900.0 * k, UTC)
        notice = session.alerts.consider(EpisodeAlert(900.0 * k, down, 900.0 * k - 300.0, 50.0, 300.0), local)
        said.append("given" if notice else session.alerts.reason)
    session.finish()
    assert said == [faded, "given", "2 today already"]


def test_a_posture_that_outlasts_quiet_hours_is_told_counted_and_explained(tmp_path: Path) -> None:
    """Bent from 06:13:30 on; quiet until 06:14; told then, and thanked for at 06:14:30."""
    chosen = Settings(
        rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=24.0, seconds=5.0, recovery_s=1.0),
        alerts=AlertSetting(first_quiet_min=0.0, quiet_from="06:00", quiet_to="06:14"),
    )
    heard = by_cable(chosen, slumps(60.0, 60.0), 80.0, store=Store(tmp_path, min_free_bytes=0))
    due = [event for _, event in heard.of(EpisodeAlert)]
    told = [event for _, event in heard.of(Notice, NoticeLevel.ALERT)]
    assert (len(due), [notice.stored_level for notice in told]) == (1, ["alert late", "alert again"])
    assert told[0].t_s - due[0].t_s == pytest.approx(24.0, abs=2.0)
    assert len(heard.of(Notice, NoticeLevel.THANKS)) == 1
    assert heard.session.alerts.held_back == 0
    summary = load_day(tmp_path, None).summary
    assert (len(summary.alerts_s), summary.alerts_held_back) == (1, 0)
    said = [line for _, line in explain(tmp_path, None, None)]
    assert "06:13  held back (quiet hours, 06:00 to 06:14): looking down at" in said[1]
    assert "06:14  Looking down at" in said[2]
    assert "later (held back: quiet hours, 06:00 to 06:14)" in said[2]
    assert [line for style, line in lines_of((told[0],))] == [f"time to move: {told[0].text}"]
