"""Whose word counts on which way the case faces, and that a live session refuses what it contradicts."""

from dataclasses import replace

import pytest

from live.feed import of
from tiltwise.config.address import AddressError, open_source, parse_address
from tiltwise.config.settings import SettingsError, parse_face
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Info
from tiltwise.live import sources as sources  # registers the addresses
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.case_orientation import choose_face, outward_axis
from tiltwise.live.wearer.live_calibration import CalibrationOptions
from tiltwise.motion.calibration.guided_calibration import CalibrationProgress, CalibrationStep
from tiltwise.sim.board.simulated_source import SimSource
from tiltwise.sim.board.simulation import Simulation
from tiltwise.types import Mount


@pytest.fixture(scope="module")
def info() -> Info:
    decoder = Decoder()
    for _, frame in Simulation("upright", minutes=0.5):
        decoder.feed(frame)
        if decoder.info is not None:
            return decoder.info
    raise AssertionError("no INFO in half a minute")


def chosen(text: str, *, setting: str = "auto", asked: str = "") -> str:
    address = parse_address(text)
    return choose_face(open_source(address), address.scheme, setting=setting, asked=asked)


def test_the_command_line_counts_before_the_simulation_and_the_settings_for_live_boards_only() -> None:
    assert chosen("sim:desk") == chosen("sim:desk", setting="+x") == "off"
    assert chosen("sim:desk?face=out") == chosen("sim:desk?face=out", asked="auto") == "+z"
    assert chosen("sim:desk?face=out", asked="-x") == "-x"
    source = open_source(parse_address("sim:desk"))
    assert isinstance(source, SimSource)
    assert choose_face(object(), "replay", setting="+x") == "off"  # type: ignore[arg-type]
    assert choose_face(object(), "ble", setting="+x") == "+x"  # type: ignore[arg-type]
    assert choose_face(object(), "serial", setting="auto") == "auto"  # type: ignore[arg-type]


def test_auto_trusts_models_of_ours_only(info: Info) -> None:
    assert outward_axis("auto", info) is None  # a simulated board
    assert outward_axis("auto", None) is None
    ours = outward_axis("auto", replace(info, model="xiao-esp32s3"))
    assert ours is not None
    assert ours.tolist() == [0.0, 0.0, 1.0]
    assert outward_axis("off", replace(info, model="xiao-esp32s3")) is None


def test_unknown_faces_are_wrong_use() -> None:
    with pytest.raises(SettingsError, match="auto, off or one of"):
        parse_face("up")
    with pytest.raises(AddressError, match="any or out"):
        open_source(parse_address("sim:desk?face=in"))


@pytest.mark.parametrize(("face", "is_accepted"), [("+z", True), ("-z", False)])
def test_a_session_holds_the_ritual_against_the_case(face: str, is_accepted: bool) -> None:
    simulation = Simulation("upright", seed=3, minutes=0.5, mount=Mount.COLLAR, sensor_axes="out")
    worn = Worn(mount=Mount.COLLAR, calibration=CalibrationOptions(face=face))
    session = open_session(worn, started_utc_s=0.0)
    steps = of(CalibrationProgress, (session.receive(t_s, frame) for t_s, frame in simulation))
    is_done = any(progress.step is CalibrationStep.DONE for progress in steps)
    assert is_done is is_accepted
    reasons = [progress.reason for progress in steps if progress.step is CalibrationStep.REFUSED]
    assert is_accepted or any("off where the case faces" in reason for reason in reasons)
