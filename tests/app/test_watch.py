"""`tiltwise watch` from the command line to its end: replayed files, simulated wearers, stores and recordings."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rich.console import Console

from command import Command, Result, assert_one_line, run_limited
from live.feed import STARTED_S, play, session, stored_seqs
from tiltwise.app import watch_view
from tiltwise.app.watch_view import Today, WatchView, angle_words
from tiltwise.app.workday.live_panel import LivePanel
from tiltwise.config.settings import RuleKind, RuleSetting
from tiltwise.console import print_line
from tiltwise.live.event_text import lasting
from tiltwise.live.open_session import Worn, day_so_far, open_session
from tiltwise.live.wearer.live_events import PostureMeasured
from tiltwise.live.wearer.notices import Notice
from tiltwise.motion.calibration.mounting import mounting_from_axes, mounting_from_up
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.types import Activity, EpisodeAlert, Mount


def told_alerts(result: Result) -> list[str]:
    """Return the times of the alerts that were told."""
    return re.findall(r"(\d+:\d\d)  ALERT", result.out)


def test_the_demo_played_again_gives_its_alert_and_its_day(
    tiltwise: Command, demo_folder: Path, tmp_path: Path
) -> None:
    address, data = f"replay:{demo_folder / 'demo.tw'}?speed=0", tmp_path / "again"
    result = tiltwise("watch", address, "--data", data, "--record", tmp_path / "again.tw")
    assert (result.code, result.err) == (0, "")
    demo = (demo_folder.parent / "said.txt").read_text(encoding="utf-8")
    assert told_alerts(result) == re.findall(r"(\d+:\d\d)  ALERT", demo)
    assert "corrected after" in result.out
    assert read_frames(tmp_path / "again.tw").frames == read_frames(demo_folder / "demo.tw").frames
    assert stored_seqs(data) == stored_seqs(demo_folder)
    with Store.open_readonly(data) as reader:
        events = [event for day in reader.days() for event in reader.day(day).events]
    assert sum(isinstance(event, EpisodeAlert) for event in events) == 1
    assert tiltwise("day", "--data", data, "--out", tmp_path / "day.png").code == 0


def test_a_simulated_story_is_whole_at_any_speed(tiltwise: Command) -> None:
    result = tiltwise("watch", "sim:desk?minutes=2&speed=1000", "--no-store")
    assert (result.code, result.err) == (0, "")
    assert "ended after 2 min 0 s" in result.out


def test_played_twice_it_is_two_days_not_the_same_frames_twice(
    tiltwise: Command, leant: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        assert tiltwise("watch", f"replay:{leant}?speed=0", "--data", tmp_path / "data").code == 0
    with Store.open_readonly(tmp_path / "data") as reader:
        assert reader.damaged_chunks == 0


def test_the_rule_of_option_and_settings(tiltwise: Command, home: Path, leant: Path) -> None:
    address = f"replay:{leant}?speed=0"
    assert len(told_alerts(tiltwise("watch", address, "--no-store", "--rule", "30:20"))) == 1
    assert len(told_alerts(tiltwise("watch", address, "--no-store", "--rule", "30:50"))) == 0
    home.mkdir()
    (home / "settings.toml").write_text("[rule]\nangle_deg = 30\nseconds = 20\n", encoding="utf-8")
    assert len(told_alerts(tiltwise("watch", address, "--no-store"))) == 1


@pytest.fixture
def by_head(home: Path, tmp_path: Path) -> Path:
    """A recording that says: worn at the head, 25 deg for 20 s; the settings say neck, 20 deg for 60 s."""
    started = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rule = RuleSetting(kind=RuleKind.SIMPLE, angle_deg=25.0, seconds=20.0)
    header = recording_header(
        started=started, address="sim:", device="d", zone="UTC", mount=Mount.HEAD, rule=rule
    )
    with RecordingWriter(tmp_path / "head.tw", header) as writer:
        for t_s, frame in Simulation("slouch", seed=2, minutes=2.5, mount=Mount.HEAD):
            writer.write(t_s, frame)
    return tmp_path / "head.tw"


def in_one_line(result: Result) -> str:
    """Return what was said; where its lines end depends on how long the path is."""
    return " ".join(result.out.split())


def test_a_recording_is_played_as_it_was_worn(tiltwise: Command, by_head: Path) -> None:
    address = f"replay:{by_head}?speed=0"
    plain = tiltwise("watch", address, "--no-store")
    assert "from the recording: worn at head, rule 25 deg for 20 s" in plain.out
    assert "; rule 25 deg for 20 s;" in in_one_line(plain)
    asked = tiltwise("watch", address, "--no-store", "--mount", "head", "--rule", "25:20")
    assert "from the recording" not in asked.out
    assert told_alerts(plain) == told_alerts(asked) != []


def test_what_is_asked_for_comes_before_the_recording(tiltwise: Command, by_head: Path) -> None:
    address = f"replay:{by_head}?speed=0"
    ruled = tiltwise("watch", address, "--no-store", "--rule", "20:60")
    assert "from the recording: worn at head\n" in ruled.out
    assert "; rule 20 deg for 60 s;" in in_one_line(ruled)
    mounted = tiltwise(
        "watch", address, "--no-store", "--mount", "neck", "--record", by_head.parent / "neck.tw"
    )
    assert "from the recording: rule 25 deg for 20 s\n" in mounted.out
    assert read_frames(by_head.parent / "neck.tw").header["mount"] == "neck"


def test_analyze_takes_a_recording_as_it_was_worn(tiltwise: Command, by_head: Path) -> None:
    plain = json.loads(tiltwise("analyze", by_head, "--json").out)
    assert plain["mount"] == "head"
    assert "from the recording: worn at head, rule 25 deg for 20 s" in plain["notes"]
    asked = json.loads(tiltwise("analyze", by_head, "--json", "--mount", "head", "--rule", "25:20").out)
    assert plain["episodes"] == asked["episodes"] != []
    other = json.loads(tiltwise("analyze", by_head, "--json", "--mount", "neck", "--rule", "20:60").out)
    assert (other["mount"], "from the recording" in " ".join(other["notes"])) == ("neck", False)
    assert other["episodes"] != plain["episodes"]


def test_the_calibration_in_a_recording_is_used_where_it_was_made(
    tiltwise: Command, by_head: Path, tmp_path: Path
) -> None:
    calibrated = tmp_path / "calibrated.tw"
    found = tiltwise("watch", f"replay:{by_head}?speed=0", "--no-store", "--record", calibrated)
    assert "the guided calibration in the recording" in found.out
    assert read_frames(calibrated).header["mounting"]["mount"] == "head"  # type: ignore[index]
    commands = (("watch", f"replay:{calibrated}?speed=0", "--no-store"), ("analyze", calibrated, "--json"))
    for command in commands:
        assert "the calibration stored in the recording" in tiltwise(*command).out
        elsewhere = tiltwise(*command, "--mount", "neck")
        assert (elsewhere.code, "stored in the recording" in elsewhere.out) == (0, False)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mount": "nose"}, "the recording's mount cannot be used"),
        ({"rule": {"angle_deg": "nan"}}, "the recording's rule cannot be used"),
        ({"rule": {"seconds": "x"}}, "the recording's rule cannot be used"),
    ],
)
def test_a_header_that_cannot_be_used_is_told(
    tiltwise: Command, by_head: Path, tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    tape = read_frames(by_head)
    with RecordingWriter(tmp_path / "bad.tw", {**tape.header, **wrong}) as writer:
        for t_s, frame in zip(tape.received_s.tolist(), tape.frames, strict=True):
            writer.write(t_s, frame)
    result = tiltwise("watch", f"replay:{tmp_path / 'bad.tw'}?speed=0", "--no-store")
    assert result.code == 0
    assert told in result.out


def test_quiet_hours_hold_the_alert_back(tiltwise: Command, home: Path, leant: Path) -> None:
    home.mkdir()
    text = "[alerts]\nquiet_from = '00:00'\nquiet_to = '23:59'\n[rule]\nangle_deg = 30\nseconds = 20\n"
    (home / "settings.toml").write_text(text, encoding="utf-8")
    result = tiltwise("watch", f"replay:{leant}?speed=0", "--no-store")
    assert told_alerts(result) == []
    assert "alert held back" in result.out
    assert "alerts: 0, 1 held back" in result.out


@pytest.mark.parametrize(
    ("started", "zone", "first_s", "is_quiet"),
    [
        ("2026-03-01T23:00+00:00", "UTC", 0.0, True),
        ("2026-03-01T12:00+00:00", "UTC", 0.0, False),
        ("2026-03-01T14:00+00:00", "Asia/Tokyo", 0.0, True),  # 23:00 there
        ("2026-03-01T21:30+00:00", "UTC", 3600.0, True),  # the first frame came an hour after the start
    ],
)
def test_a_recording_has_the_quiet_hours_of_its_own_clock(
    tiltwise: Command, by_head: Path, tmp_path: Path, started: str, zone: str, first_s: float, is_quiet: bool
) -> None:
    tape = read_frames(by_head)
    header = {
        **tape.header,
        "started_utc_s": datetime.fromisoformat(started).timestamp(),
        "zone": zone,
        "rule": RuleSetting(kind=RuleKind.SIMPLE, angle_deg=30, seconds=20).as_stored,
        "alerts": {"quiet_from": "22:00", "quiet_to": "07:00", "first_quiet_min": 0.0},
    }
    with RecordingWriter(tmp_path / "night.tw", header, start_s=0.0) as writer:
        for t_s, frame in zip(tape.received_s.tolist(), tape.frames, strict=True):
            writer.write(t_s + first_s, frame)
    result = tiltwise("watch", f"replay:{tmp_path / 'night.tw'}?speed=0", "--no-store")
    assert result.code == 0
    assert len(told_alerts(result)) == (0 if is_quiet else 1)
    assert ("quiet hours, 22:00 to 07:00" in " ".join(result.out.split())) == is_quiet


def test_alerts_off_in_the_terminal_are_not_shown_there(tiltwise: Command, home: Path, leant: Path) -> None:
    home.mkdir()
    text = "[alerts]\nconsole = false\ndesktop = false\n[rule]\nangle_deg = 30\nseconds = 20\n"
    (home / "settings.toml").write_text(text, encoding="utf-8")
    result = tiltwise("watch", f"replay:{leant}?speed=0", "--no-store")
    assert told_alerts(result) == []
    assert "alerts are shown nowhere" in result.out
    assert "looking down begins" in result.out


def test_no_store_leaves_no_store(tiltwise: Command, home: Path, leant: Path) -> None:
    assert tiltwise("watch", f"replay:{leant}?speed=0", "--no-store").code == 0
    assert not home.exists()


def test_a_simulated_wearer_to_its_end(tiltwise: Command, home: Path) -> None:
    result = tiltwise("watch", "sim:slouch?minutes=3&speed=max&seed=2", "--rule", "20:30")
    assert (result.code, result.err) == (0, "")
    assert "calibrated" in result.out
    assert "ended after 3 min 0 s; alerts: " in result.out
    assert stored_seqs(home / "simulated")


def test_a_recording_that_exists_is_not_overwritten_and_the_store_is_closed(
    tiltwise: Command, leant: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    for record, words in ((leant, "name a new file"), (tmp_path / "absent" / "a.tw", "check the name")):
        result = tiltwise("watch", "sim:desk", "--data", data, "--record", record)
        assert_one_line(result, 1, str(record), words)
        db = sqlite3.connect(data / "core.db")
        assert db.execute("SELECT value FROM meta WHERE key='clean'").fetchone() == ("1",)
        db.close()


def test_a_store_that_cannot_be_made_is_told(tiltwise: Command, leant: Path) -> None:
    assert_one_line(tiltwise("watch", "sim:desk", "--data", leant / "under"), 1, "cannot make the folder")


def test_a_disk_too_full_to_begin_is_one_line(home: Path, tmp_path: Path) -> None:
    result = run_limited(home, 3000, "watch", "sim:desk?speed=0", "--data", tmp_path / "data")
    assert_one_line(result, 1, "core.db", "space")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="file size limits are a POSIX matter")
def test_a_disk_that_fills_up_stops_no_alert_and_fails_at_the_end(home: Path, tmp_path: Path) -> None:
    address, data = "sim:slouch?minutes=4&speed=0", tmp_path / "data"
    rule, limit = ("--rule", "20:60"), 240_000  # bytes a file: the empty tables take most of it
    result = run_limited(home, limit, "watch", address, "--data", data, "--record", tmp_path / "a.tw", *rule)
    assert_one_line(result, 1, "could not be stored", "space")
    out = " ".join(result.out.split())
    assert out.count("not stored: ") == 1
    assert "alerts go on" in out
    assert len(told_alerts(result)) == 1
    assert "corrected after" in out
    first = out.index("not stored: ")
    assert first < out.index("ALERT"), "the disk must be full before the alert for this to mean anything"
    kept = stored_seqs(data)
    assert kept == set(range(len(kept)))
    assert len(kept) > 10
    assert read_frames(tmp_path / "a.tw").frames


def test_the_end_of_watch_says_how_long_it_was_and_the_alerts(
    tiltwise: Command, leant: Path, tmp_path: Path
) -> None:
    result = tiltwise(
        "watch", f"replay:{leant}?speed=0", "--rule", "20:10", "--record", tmp_path / "a.tw", "--no-store"
    )
    said = " ".join(result.out.split())
    assert re.search(r"ended after (1 min 0|59) s; alerts: 1; the samples are not stored", said)
    assert f"recording: {tmp_path / 'a.tw'}" in said.replace(" ", "").replace("recording:", "recording: ")


@pytest.mark.parametrize("activity", Activity)
@pytest.mark.parametrize("has_blocks", [True, False])
def test_the_live_panel_fits_a_terminal_of_80_columns(activity: Activity, has_blocks: bool) -> None:
    nodded = mounting_from_axes(np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), mount=Mount.NECK, axes="nod")
    shown = angle_words(nodded, -123.0, -45.0, -67.0)
    panel = LivePanel(25.0, 20.0, has_blocks=has_blocks)
    for k in range(8000):
        panel.take((PostureMeasured(0.1 * k, 0.05 * k % 90, 0.5),))
    words = watch_view._SHORT[activity]
    lines = panel.lines(36_000.0, shown, words, Mount.NECK, "connected to a board with a rather long name")
    assert max(map(len, lines)) <= 79
    assert lines[0].endswith(words)
    assert "".join(lines).isascii() is not has_blocks
    assert " 50 %" in lines[3]
    assert len(lines[4].split("  ", 2)[-1]) == 60, "ten minutes, a cell for ten seconds"


@pytest.mark.parametrize("columns", [79, 72, 59, 43, 31])
def test_the_live_panel_keeps_everything_in_a_narrow_terminal(columns: int) -> None:
    panel = LivePanel(25.0, 20.0)
    for k in range(8000):
        panel.take((PostureMeasured(0.1 * k, 40.0, 0.5),))
    lines = panel.lines(36_000.0, "forward   40  side   -5 deg", "still", Mount.NECK, "connected", columns)
    assert max(map(len, lines)) <= columns
    gauge, scale = lines[1 if columns > 43 else 2 :][:2]
    assert (gauge.index("|") - scale.index("25")) in (0, 1), "the limit stands over its number"
    said = " ".join(" ".join(lines).split())
    assert "still" in said
    assert "full in 3 min 8 s" in said, "40 deg may be held for 6.25 min, half of it is over"
    assert "alerts 0" in said
    assert "connected" in said
    panel.take((PostureMeasured(801.0, 40.0, 1.0),))
    assert "full in" not in " ".join(panel.lines(36_000.0, "", "still", Mount.NECK, "connected", columns))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_happened_is_a_line_when_piped_and_indented_rows_in_a_terminal(is_terminal: bool) -> None:
    said = io.StringIO()
    console = Console(file=said, width=40, force_terminal=is_terminal, color_system=None)
    text = "   2:07  alert held back after 30 s of head thrown back (37 deg)"
    print_line(console, text, "bold", indent=9)
    rows = said.getvalue().splitlines()
    assert rows == (
        ["   2:07  alert held back after 30 s of", " " * 9 + "head thrown back (37 deg)"]
        if is_terminal
        else [text]
    )


def test_the_totals_of_today_go_on_after_a_restart_and_begin_anew_at_midnight(tmp_path: Path) -> None:
    frames = list(Simulation("slouch", seed=2, minutes=3.0))
    before = play(session(tmp_path), frames)
    told = sum(isinstance(e, Notice) and e.stored_level == "alert" for some in before for e in some)
    started = datetime.fromtimestamp(STARTED_S, ZoneInfo("UTC")) + timedelta(minutes=10)
    store, said = Store(tmp_path, min_free_bytes=0), io.StringIO()
    today = Today(started, day_so_far(store, started))
    store.close()
    assert today.stored is not None
    worn_s = today.stored.summary().worn_s
    again = open_session(
        Worn(mount=Mount.NECK, mounting=mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)),
        started_utc_s=started.timestamp(),
    )
    view = WatchView(Console(file=said, width=80), again, today=today)
    view.show(600.0, ())
    assert told >= 1
    assert worn_s > 120.0
    assert f"so far: worn {lasting(worn_s)}, beyond 25 deg" in said.getvalue()
    assert said.getvalue().rstrip().endswith(f"alerts {told}")
    view.show(86_400.0, ())
    assert said.getvalue().rstrip().endswith("so far: worn 0 s, beyond 25 deg 0 %, alerts 0")
