"""Calibrations go by the board: found whichever way it is reached, never another board's, kept when made."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from live.feed import STARTED_S, of
from live.test_late_tracking import UP
from tiltwise.common import wire
from tiltwise.config.calibration_profiles import Calibrations, load_profile
from tiltwise.config.settings import Settings
from tiltwise.live.calibration_session import CalibrationSession
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Calibrated, LiveEvents, LiveNote, LiveWarning
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.recording_header import recording_header
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.sim.board.simulation import Simulation
from tiltwise.store.writer import Store
from tiltwise.types import Mount, Update

AT_HEAD = mounting_from_up(np.array([0.1, 0.0, 1.0]), mount=Mount.HEAD)


def hello(device_id: bytes) -> bytes:
    body = struct.pack(wire.HELLO_BODY, wire.VERSION, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 0, b"board") + device_id
    return wire.pack_command(0x20, wire.OP_HELLO | wire.REPLY, 0, b"\0" + body)


def met(folder: Path, address: str, *, asked: Mount | None = None) -> LiveSession:
    """Return a session of the default person whose board has not said yet who it is."""
    return open_session(
        Worn(mount=Mount.NECK, calibrations=Calibrations(folder, "me", address), asked_mount=asked),
        started_utc_s=STARTED_S,
        device=address,
        store=Store(folder, min_free_bytes=0),
        fetches=True,
    )


def test_what_was_calibrated_by_cable_is_found_by_radio_and_with_its_place(tmp_path: Path) -> None:
    Calibrations(tmp_path, "me", "serial-ttyACM0").keep(AT_HEAD, None, device="board-6161616161616161")
    session = met(tmp_path, "ble-default")
    said = session.receive(0.0, hello(b"a" * 8))
    assert session.profile is not None
    assert session.profile.mounting == AT_HEAD, "calibrated at the head: no --mount is needed"
    assert "worn at head" in of(LiveNote, [said])[0].text
    session.finish()


def test_a_place_that_was_asked_for_takes_no_calibration_of_another(tmp_path: Path) -> None:
    Calibrations(tmp_path, "me", "ble-default").keep(AT_HEAD, None, device="board-6161616161616161")
    session = met(tmp_path, "ble-default", asked=Mount.NECK)
    session.receive(0.0, hello(b"a" * 8))
    assert session.profile is None
    session.finish()


def test_two_boards_at_one_address_never_share_a_calibration(tmp_path: Path) -> None:
    Calibrations(tmp_path, "me", "ble-default").keep(UP, None)  # as earlier versions stored it: by address
    session = met(tmp_path, "ble-default")
    session.receive(0.0, hello(b"a" * 8))
    assert session.profile is not None, "the first board that is met there takes it over"
    said = session.receive(1.0, hello(b"b" * 8))
    assert session.profile is None, "the other board begins with calibrating"
    assert "no calibration of me" in of(LiveNote, [said])[0].text
    session.finish()
    assert load_profile(tmp_path, "me", "ble-default").calibrations == ()
    assert load_profile(tmp_path, "me", "board-6161616161616161").current() is not None


def test_a_damaged_calibration_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "profiles" / "me" / "board-6161616161616161.json"
    place.parent.mkdir(parents=True)
    place.write_text("{")
    session = met(tmp_path, "ble-default")
    said = session.receive(0.0, hello(b"a" * 8))
    assert "damaged" in of(LiveWarning, [said])[0].text
    session.finish()


@pytest.fixture(scope="module")
def frames() -> list[tuple[float, bytes]]:
    """Somebody who sits still, nods three times, and is watched for a while."""
    return list(Simulation("slouch", seed=2, minutes=1.5))


def test_calibrating_anew_goes_on_beside_the_old_one_and_is_kept_and_rebuilt(
    tmp_path: Path, frames: list[tuple[float, bytes]]
) -> None:
    header = recording_header(
        started=datetime.fromtimestamp(STARTED_S, UTC), address="sim:", device="test", zone="UTC",
        mount=Mount.NECK, mounting=UP, rule=Settings().rule,
    )  # fmt: skip
    calibrations = Calibrations(tmp_path, "me", "sim")
    session = open_session(
        Worn(mount=Mount.NECK, mounting=UP, calibrations=calibrations),
        started_utc_s=STARTED_S,
        device="test",
        store=Store(tmp_path / "live", min_free_bytes=0),
        recorder=RecordingWriter(tmp_path / "a.tw", header, start_s=0.0),
    )
    assert session.recalibrate()
    seen: list[LiveEvents] = [session.receive(t_s, frame) for t_s, frame in frames]
    made_at = next(k for k, events in enumerate(seen) if of(Calibrated, [events]))
    assert of(Update, seen[:made_at]), "the old calibration stayed in use"
    (made,) = of(Calibrated, seen)
    assert session.profile is not None
    assert session.profile.mounting == made.mounting != UP
    assert session.unsaved == ""
    session.finish()
    stored = calibrations.profile().current()
    assert stored is not None
    assert stored.mounting == made.mounting

    rebuild(tmp_path / "again", [tmp_path / "a.tw"], now_s=STARTED_S + 1000)
    days = []
    for folder in ("live", "again"):
        with Store.open_readonly(tmp_path / folder) as reader:
            days.append(reader.day(reader.days()[0]))
    for one, other in zip(days[0].minutes, days[1].minutes, strict=True):
        np.testing.assert_array_equal(one.flexion_s, other.flexion_s)
    assert days[0].events == days[1].events


def test_nothing_is_begun_anew_before_the_first_calibration(tmp_path: Path) -> None:
    session = met(tmp_path, "ble-default")
    assert not session.recalibrate()
    session.finish()


def test_calibrating_alone_learns_which_board_it_is() -> None:
    session = CalibrationSession(Mount.NECK)
    assert session.receive(0.0, hello(b"a" * 8)) == ()
    assert session.device == "board-6161616161616161"
