"""Alerts in the stored day: given by the host, held back, given by the board alone and fetched late."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from live.slumping_wearer import slumps
from live.test_alert_to_motor import by_cable, settings
from tiltwise.app.day import day_table, load_day
from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting, RuleKind, RuleSetting, Settings
from tiltwise.decode.messages import BoardEvent
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.store.writer import Store


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
