"""`tiltwise calibrate` leads through the ritual on any source, refuses with the reason and stores what it found."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from live.feed import of
from tiltwise.app.calibrate import CalibrateOptions, run_calibrate
from tiltwise.config import calibration_profiles
from tiltwise.config.calibration_profiles import load_profile
from tiltwise.errors import AppError
from tiltwise.live.calibration_session import TRIES, CalibrationSession
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress
from tiltwise.motion.calibration.mounting import mounting_from_axes
from tiltwise.motion.rotation import conjugate, multiply
from tiltwise.recording.tw_file import RecordingWriter
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount


def calibrate(address: str, folder: Path, **options: object) -> str:
    said = StringIO()
    console = Console(file=said, width=150, force_terminal=False)
    run_calibrate(CalibrateOptions(address=address, data=folder, **options), console)  # type: ignore[arg-type]
    return said.getvalue()


def error_deg(found: np.ndarray, true: np.ndarray) -> float:
    turned = multiply(conjugate(found), true)
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(turned[1:]), abs(turned[0]))))


def test_a_full_ritual_is_led_stored_and_drawn(tmp_path: Path) -> None:
    said = calibrate(
        "sim:calibration?seed=3&speed=0&mount=head", tmp_path, with_tilts=True, out=tmp_path / "c.png"
    )
    for words in (
        "Sit tall",
        "(2 of 3)",
        "Tilt ear to shoulder",
        "Calibrated, quality",
        "stored:",
        "picture:",
    ):
        assert words in said
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    stored = load_profile(tmp_path, "me", "sim-3-head").current(Mount.HEAD)
    assert stored is not None
    assert stored.mounting.axes == "tilt"
    true = Wearer("calibration", seed=3, mount=Mount.HEAD).q_sensor_from_body(5.0)
    assert error_deg(stored.mounting.q, true) < 10  # deg; the remount check's own border


def test_two_sensors_are_calibrated_together(tmp_path: Path) -> None:
    said = calibrate("sim:upright?seed=5&speed=0&minutes=0.5&mount=head&sensors=2", tmp_path)
    assert "Bow head and upper back together" in said
    stored = load_profile(tmp_path, "me", "sim-5-head-2").current()
    assert stored is not None
    assert stored.collar is not None
    assert stored.collar.mount is Mount.COLLAR


def test_again_is_compared_with_before_and_both_are_kept(tmp_path: Path) -> None:
    address = "sim:upright?seed=2&speed=0&minutes=0.5"
    calibrate(address, tmp_path, person="Ada")
    said = calibrate(address, tmp_path, person="Ada")
    assert "It sits as before (0 deg)" in said
    assert len(load_profile(tmp_path, "Ada", "sim-2-neck").calibrations) == 2


def test_what_sits_quite_differently_is_refused_unless_asked_for(tmp_path: Path) -> None:
    address, device = "sim:upright?seed=2&speed=0&minutes=0.5", "sim-2-neck"
    upside = mounting_from_axes(
        np.array([0.0, 0.3, -1.0]), np.array([1.0, 0.0, 0.0]), mount=Mount.NECK, axes="nod"
    )
    other = calibration_profiles.StoredCalibration(
        calibration_profiles.datetime.now(calibration_profiles.UTC), upside
    )
    calibration_profiles.save_calibration(tmp_path, calibration_profiles.DeviceProfile("me", device), other)
    with pytest.raises(AppError, match=r"upside down or in another place.*--anew"):
        calibrate(address, tmp_path)
    assert len(load_profile(tmp_path, "me", device).calibrations) == 1  # nothing was changed
    assert "stored anew as asked" in calibrate(address, tmp_path, is_anew=True)
    assert len(load_profile(tmp_path, "me", device).calibrations) == 2


def test_three_refusals_end_it_with_the_reason_and_store_nothing(tmp_path: Path) -> None:
    """A walking person never sits still: each try ends after its 30 s."""
    simulation = Simulation("walking", seed=1, minutes=2.5, mount=Mount.HEAD, is_calibrated=False)
    guide = CalibrationSession(Mount.HEAD)
    told = [p.text for p in of(CalibrationProgress, (guide.receive(t_s, frame) for t_s, frame in simulation))]
    assert len(guide.refusals) == TRIES
    assert guide.is_over
    assert guide.mounting is None
    assert "still" in guide.refusals[-1]
    assert any(text.startswith("Not calibrated:") for text in told)


def recorded(path: Path, seconds: float) -> str:
    """Write the first seconds of a simulated session and return its address."""
    writer = RecordingWriter(path, {"mount": "head"})
    for received_s, frame in Simulation("upright", seed=4, minutes=0.5, mount=Mount.HEAD):
        if received_s <= seconds:
            writer.write(received_s, frame)
    writer.close()
    return f"replay:{path}?speed=0"


def test_a_source_that_ends_too_early_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="the source ended before the calibration was complete"):
        calibrate(recorded(tmp_path / "short.tw", 5.0), tmp_path, mount=Mount.HEAD)
    assert not (tmp_path / "profiles").exists()


def test_a_recording_calibrates_too(tmp_path: Path) -> None:
    assert "Calibrated" in calibrate(recorded(tmp_path / "ritual.tw", 30.0), tmp_path, mount=Mount.HEAD)


def test_in_front_switches_off_the_feel_for_behind(tmp_path: Path) -> None:
    calibrate("sim:upright?seed=4&speed=0&minutes=0.5&mount=head", tmp_path, is_in_front=True)
    stored = load_profile(tmp_path, "me", "sim-4-head").current()
    assert stored is not None
    assert not stored.is_behind


def test_a_damaged_profile_is_told_before_the_ritual(tmp_path: Path) -> None:
    path = calibration_profiles.profile_path(tmp_path, "me", "sim-4-head")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(AppError, match="delete the file and run `tiltwise calibrate`"):
        calibrate("sim:upright?seed=4&speed=0&minutes=0.5&mount=head", tmp_path)
