"""Episodes that an outage cut are one in a day that is read, and no others are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tiltwise.detect.posture import DoseSettings, RuleSettings
from tiltwise.store.joined_episodes import _MOST_HOLE_S, EpisodePart, join_episodes
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeEnded, Mount, PostureKind

MIDNIGHT_S = 1_772_064_000.0  # 2026-02-26 00:00 UTC


def part(
    start_s: float, end_s: float, *, late: bool = False, alert_s: float | None = None, ends: bool = False
) -> EpisodePart:
    """A part with a peak of as many deg as it has seconds, under a rule of 20 s."""
    event = EpisodeEnded(
        end_s, PostureKind.FORWARD_FLEXION, start_s, end_s, end_s - start_s, alert_s, is_corrected=ends
    )
    return EpisodePart(event, ("x", 1), late, 20.0)


CUT = (part(0.0, 8.0), part(8.1, 30.0, late=True, alert_s=28.1), part(30.1, 35.0, ends=True))


def test_a_hole_is_no_longer_than_a_posture_survives_live() -> None:
    assert DoseSettings().max_gap_s == RuleSettings().max_gap_s == _MOST_HOLE_S


def test_what_a_backfill_makes_whole_is_one_and_was_too_long_when_it_would_have_been() -> None:
    (whole,) = join_episodes(reversed(CUT))
    assert (whole.start_s, whole.end_s, whole.t_s, whole.is_corrected) == (0.0, 35.0, 35.0, True)
    assert whole.peak_deg == pytest.approx(21.9)
    assert whole.alert_s == 20.0, "not 28.1, as it began before the link was lost"


def test_a_posture_in_parts_that_nobody_was_told_of_was_due_all_the_same() -> None:
    first, late, last = CUT
    silent = replace(late, event=replace(late.event, alert_s=None))
    assert [event.alert_s for event in join_episodes((first, silent, last))] == [20.0]
    early = replace(late, event=replace(late.event, alert_s=12.0))
    assert [event.alert_s for event in join_episodes((first, early, last))] == [12.0]
    assert [event.alert_s for event in join_episodes((first, replace(silent, alert_after_s=50.0)))] == [None]


def test_by_dose_or_a_habit_s_own_rule_it_alerted_when_a_part_did() -> None:
    (by_dose,) = join_episodes(replace(each, alert_after_s=None) for each in CUT)
    assert by_dose.alert_s == 28.1
    telephone = [
        replace(each, event=replace(each.event, kind=PostureKind.TELEPHONE_TILT, alert_s=None))
        for each in CUT
    ]
    assert [event.alert_s for event in join_episodes(telephone)] == [None]


@pytest.mark.parametrize(
    "other",
    [
        part(11.1, 30.0, late=True),  # a correction may be in the hole
        replace(part(8.1, 30.0, late=True), start_of=("x", 2)),  # the board was off in between
        replace(part(8.1, 30.0, late=True), start_of=("y", 1)),
        part(8.1, 30.0),  # nothing came late: it was calibrated anew
    ],
)
def test_what_is_not_one_posture_stays_apart(other: EpisodePart) -> None:
    first = part(0.0, 8.0)
    assert join_episodes([first, other]) == [first.event, other.event]


def test_one_that_was_corrected_does_not_go_on() -> None:
    first = part(0.0, 8.0, ends=True)
    assert len(join_episodes([first, part(8.1, 30.0, late=True)])) == 2


def test_the_reader_joins_over_midnight_and_gives_each_day_its_part(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        for late, start_s, end_s in ((False, -600.0, -60.0), (True, -59.9, 30.0), (False, 30.1, 90.0)):
            session = store.begin_session(
                "x", 1, zone="UTC", mount=Mount.NECK, started_s=MIDNIGHT_S - 700 + late,
                info={"source": "late"} if late else {},
            )  # fmt: skip
            store.put_events(session, [part(start_s, end_s).event], MIDNIGHT_S)
    with Store.open_readonly(tmp_path) as reader:
        days = [
            [event for event in reader.day(date(2026, 2, d), "UTC").events if isinstance(event, EpisodeEnded)]
            for d in (25, 26)
        ]
    found = [(event.start_s - MIDNIGHT_S, event.end_s - MIDNIGHT_S) for day in days for event in day]
    assert found == [(-600.0, 0.0), (0.0, 90.0)]
    assert {event.peak_deg for day in days for event in day} == {540.0}
