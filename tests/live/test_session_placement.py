"""The live session with two sensors, with a stored calibration, and with a sensor that comes to sit differently."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from live.feed import of, warnings
from tiltwise.app.calibrate import CalibrateOptions, run_calibrate
from tiltwise.app.demo import demo_settings
from tiltwise.app.watch import WatchOptions, watch
from tiltwise.config.settings import Deliver, Settings
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import LiveEvents, PostureMeasured, UpperBackMeasured
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.types import EpisodeAlert, Mount, PostureKind

NOON_S = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
COLLAR_ADDRESS = 0x6B


def run(
    simulation: Simulation, session: LiveSession, faults: dict[float, str] | None = None
) -> list[LiveEvents]:
    """Feed a simulation to a session; faults are calls of the bus for the collar sensor at virtual times."""
    updates, waiting = [], sorted((faults or {}).items())
    for virtual_s, frame in simulation:
        while waiting and virtual_s >= waiting[0][0]:
            getattr(simulation.board.bus, waiting.pop(0)[1])(COLLAR_ADDRESS)
        updates.append(session.receive(virtual_s, frame))
    return [*updates, session.finish()]


SHORT = demo_settings(Settings())


def new_session(settings: Settings | None = None, folder: Path | None = None) -> LiveSession:
    store = None if folder is None else Store(folder, min_free_bytes=0)
    return open_session(
        Worn(mount=Mount.HEAD), settings=settings or SHORT, started_utc_s=NOON_S, device="pair", store=store
    )


def alerts(updates: list[LiveEvents]) -> set[PostureKind]:
    return {event.kind for event in of(EpisodeAlert, updates)}


def test_two_sensors_are_calibrated_watched_and_stored(tmp_path: Path) -> None:
    simulation = Simulation("slouch", seed=2, minutes=2.2, mount=Mount.HEAD, two_sensors=True)
    updates = run(simulation, new_session(folder=tmp_path))
    assert alerts(updates) == {PostureKind.UPPER_BACK_FORWARD_TILT}
    backs = [back.angle_deg for back in of(UpperBackMeasured, updates)]
    necks = [neck.angle_deg for neck in of(PostureMeasured, updates)]
    assert max(backs) > 25  # deg: the slump leans the trunk by 32
    assert max(necks) < 25  # deg: and bends the neck by 10
    assert warnings(*updates) == []
    with Store.open_readonly(tmp_path) as reader:
        day = reader.day(reader.days()[-1])
    assert {e.kind for e in day.events if isinstance(e, EpisodeAlert)} == {
        PostureKind.UPPER_BACK_FORWARD_TILT
    }
    assert {gap.reason for gap in day.gaps} == {"calibrating"}


def test_a_collar_that_falls_silent_is_told_and_leaves_no_gap_in_the_day(tmp_path: Path) -> None:
    simulation = Simulation("upright", seed=2, minutes=1.2, mount=Mount.HEAD, two_sensors=True)
    updates = run(simulation, new_session(folder=tmp_path), {25.0: "unplug", 50.0: "plug"})
    told = [text.split(":")[0] for text in warnings(*updates)]
    assert told == ["the collar sensor is silent", "the collar sensor is there"]
    with Store.open_readonly(tmp_path) as reader:
        assert {gap.reason for gap in reader.day(reader.days()[-1]).gaps} == {"calibrating"}


def test_a_second_sensor_missing_from_the_start_is_told_and_the_head_is_watched() -> None:
    simulation = Simulation("slouch", seed=2, minutes=2.2, mount=Mount.HEAD, two_sensors=True)
    updates = run(simulation, new_session(), {0.0: "unplug"})
    assert any("collar sensor sends nothing" in text for text in warnings(*updates))
    assert alerts(updates) == {PostureKind.FORWARD_FLEXION}


@pytest.mark.parametrize(("quiet", "notices"), [("", 1), ("11:00", 0)])
def test_put_back_differently_is_one_line_and_one_notice_outside_quiet_hours(
    quiet: str, notices: int
) -> None:
    settings = demo_settings(Settings())
    settings = replace(
        settings, alerts=replace(settings.alerts, quiet_from=quiet, quiet_to=quiet and "13:00")
    )
    simulation = Simulation("remount", seed=4, minutes=4.5, mount=Mount.HEAD, remount_deg=40.0)
    updates = run(simulation, new_session(settings))
    lines = [change.text for change in of(PlacementChange, updates) if "calibrate again" in change.text]
    assert len(lines) == 1
    assert "since the sensor was put on" in lines[0]
    assert sum(notice.level is NoticeLevel.PLACEMENT for notice in of(Notice, updates)) == notices


def watched(address: str, folder: Path, **options: object) -> str:
    said = StringIO()
    settings = demo_settings(Settings())
    settings = replace(settings, alerts=replace(settings.alerts, deliver=Deliver.SENSOR))
    wanted = WatchOptions(address=address, settings=settings, data=folder, is_stored=False, **options)  # type: ignore[arg-type]
    watch(wanted, Console(file=said, width=150, force_terminal=False))
    return said.getvalue()


def test_watch_uses_a_stored_calibration_and_says_so(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=150)
    run_calibrate(CalibrateOptions(address="sim:upright?seed=2&minutes=0.5&speed=0", data=tmp_path), console)
    said = watched("sim:slouch?seed=2&minutes=1&speed=0", tmp_path, person="me")
    assert "calibration of me from" in said
    assert "calibrating:" not in said


def test_watch_begins_with_the_ritual_without_one_and_for_other_people(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=150)
    run_calibrate(CalibrateOptions(address="sim:upright?seed=2&minutes=0.5&speed=0", data=tmp_path), console)
    said = watched("sim:upright?seed=2&minutes=0.5&speed=0", tmp_path, person="Ada")
    assert "no calibration of Ada for this sensor yet" in said
    assert "calibrated (quality" in said
    assert "calibration of" not in watched("sim:upright?seed=2&minutes=0.5&speed=0", tmp_path)
