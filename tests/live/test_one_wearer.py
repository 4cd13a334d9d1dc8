"""What began at the board, and what the host keeps of it: place, calibration, neutral and snooze are one thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from live.feed import STARTED_S
from live.slumping_wearer import SlumpingSimulation, mounting, slumps
from live.test_alert_to_motor import by_cable, settings
from tiltwise.config.calibration_profiles import Calibrations
from tiltwise.config.settings import Settings
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.live.known_boards import KnownBoards
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.live.wearer.live_events import Calibrated, LiveNote
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.store.writer import Store
from tiltwise.types import Mount

BOARD = f"board-{b'simboard'.hex()}"  # the simulated board says who it is


def nodding(t_s: float) -> float:
    """Three nods of 25 deg after 10 s of sitting still, then upright."""
    return 25.0 if any(start <= t_s < start + 1.1 for start in (10.0, 12.6, 15.2)) else 0.0


def with_profile(patch: pytest.MonkeyPatch, folder: Path, sits: Mounting | None) -> Calibrations:
    """Let sessions keep the calibrations of one person, whose board is met at a cable."""
    calibrations = Calibrations(folder, "anna", "serial-x")

    def make(of: Settings, store: Store | None = None) -> LiveSession:
        how = CalibrationOptions(is_in_front=True)  # this neck turns about the sensor itself
        worn = Worn(mount=Mount.NECK, mounting=sits, calibrations=calibrations, calibration=how)
        return open_session(worn, started_utc_s=STARTED_S, settings=of, store=store, fetches=True)

    patch.setattr("live.test_alert_to_motor._session", make)
    return calibrations


def kept(calibrations: Calibrations) -> list[Mounting]:
    """Return the calibrations of the board that was met, from old to new."""
    return [each.mounting for each in calibrations.profile(BOARD).calibrations]


def test_a_watch_without_a_calibration_calibrates_where_the_board_is_set_with_ticks_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtTheHead(SlumpingSimulation):
        def __init__(self, *parts: object) -> None:
            super().__init__(*parts)  # type: ignore[arg-type]
            self.board.app.settings.set("mount", "head")

    monkeypatch.setattr("live.test_alert_to_motor.SlumpingSimulation", AtTheHead)
    calibrations = with_profile(monkeypatch, tmp_path, None)
    heard = by_cable(settings(), nodding, 30.0)
    assert [note.text for _, note in heard.of(LiveNote)][-2:] == [
        "worn at head, as the board is set",
        "calibration of anna stored",
    ]
    assert [sits.mount for sits in kept(calibrations)] == [Mount.HEAD]
    lasted = [round(end - start, 2) for start, end, _ in heard.board.sim_motor.pulses]
    assert lasted == pytest.approx([0.12, 0.12, 0.12, 0.35], abs=0.03), "the step to the nods, and done"
    assert heard.board.app.settings.get("mount") == "head"
    assert heard.board.app.wearer.neutral.up is not None, "the board was told, and judges by it when alone"


def test_a_neutral_taken_at_the_board_alone_is_in_the_profile_after_the_next_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wearer sits 15 deg bent, pulls the cable, presses the button, and plugs it in again."""

    class Pressing(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            self.board.pins.is_pressed = 20.0 < to_s < 20.3
            return super().step(to_s)

    monkeypatch.setattr("live.test_alert_to_motor.SlumpingSimulation", Pressing)
    calibrations = with_profile(monkeypatch, tmp_path, mounting())
    heard = by_cable(
        settings(), slumps(1000.0, 1.0, 15.0, first_s=5.0), 50.0, unplug_at_s=15.0, plug_at_s=28.0
    )
    assert len(heard.of(Calibrated)) == 1
    (sits,) = kept(calibrations)
    up = sits.up_sensor
    assert np.degrees(np.arctan2(-up[0], up[2])) == pytest.approx(15, abs=1.0)


def test_a_snooze_that_began_at_the_board_alone_is_the_hosts_after_the_next_connect() -> None:
    class Pressing(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            self.board.pins.is_pressed = 18.0 < to_s < 18.1 or 18.25 < to_s < 18.35
            return super().step(to_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live.test_alert_to_motor.SlumpingSimulation", Pressing)
        heard = by_cable(settings(), slumps(1000.0, 1.0, 0.0), 40.0, unplug_at_s=15.0, plug_at_s=24.0)
    assert heard.session.snooze_left_s(40.0) == pytest.approx(1800 - 22, abs=5)
    assert any("asked for at the sensor" in note.text for _, note in heard.of(LiveNote))


def test_the_name_of_a_board_is_the_one_that_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiltwise.config.sensor_keys import key_store

    monkeypatch.setenv("TILTWISE_HOME", str(tmp_path))
    board = KeyedBoard(bytes(range(8)), "old", bytes(32))
    key_store().save(board)
    known = KnownBoards(Calibrations(tmp_path, "anna", "ble-x"))
    known.is_news(f"board-{board.device_id.hex()}")
    name, (note,) = known.note_name("new")
    assert (name, note) == ("new", LiveNote("the board old is called new now"))
    assert [each.name for each in key_store()] == ["new"]
    assert known.note_name("new") == ("new", [])
    assert known.note_name("tiltwise") == ("new", []), "it lost its settings: it is told its name again"
    known.is_news("board-ffffffffffffffff")
    assert known.note_name("strange") == ("strange", []), "no key of it here"
