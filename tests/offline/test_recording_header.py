"""The header of a recording as version 0.1 wrote it says what it said; what cannot be used is named by its key."""

from datetime import UTC, datetime
from pathlib import Path

from tiltwise.config.settings import RuleKind, RuleSetting
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.offline.recording_header import RecordedSession, read_header, recording_header
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.types import Mount

# Never edit this text.
FILE = (
    b'{"format": "tiltwise recording", "format_version": 1, "wire_version": 1, "tiltwise_version": "0.1.0", '
    b'"created_utc": "2026-03-01T12:00:00+00:00", "started_utc_s": 1772366400.25, "address": "ble:tw", '
    b'"device": "ble-tw", "zone": "Europe/Berlin", "mount": "head", "rule": {"angle_deg": 25.0, "seconds": 40.5, '
    b'"hysteresis_deg": 4.0, "recovery_s": 2.0}, "exercises": ["chin_tuck"], "mounting": {"mount": "head", '
    b'"q_sensor_from_body": [0.5, 0.5, -0.5, 0.5], "axes": "nod", "quality": 0.875, "notes": ["The nods were '
    b'small."]}, "collar": {"mount": "collar", "q_sensor_from_body": [1.0, 0.0, 0.0, 0.0], "axes": "unknown", '
    b'"quality": 0.0, "notes": []}}\n'
)
HEAD = Mounting(Mount.HEAD, (0.5, 0.5, -0.5, 0.5), "nod", 0.875, ("The nods were small.",))
COLLAR = Mounting(Mount.COLLAR, (1.0, 0.0, 0.0, 0.0))
RULE = RuleSetting(25.0, 40.5, 4.0, 2.0, RuleKind.SIMPLE)


def test_a_header_is_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.tw"
    path.write_bytes(FILE)
    assert read_header(read_frames(path).header, device="other") == RecordedSession(
        started_utc_s=1772366400.25, device="ble-tw", zone="Europe/Berlin", mount=Mount.HEAD,
        mounting=HEAD, collar=COLLAR, rule=RULE, exercises=("chin_tuck",),
    )  # fmt: skip


def test_a_header_is_written_as_before(tmp_path: Path) -> None:
    header = recording_header(
        started=datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC), address="ble:tw", device="ble-tw",
        zone="Europe/Berlin", mount=Mount.HEAD, mounting=HEAD, collar=COLLAR, rule=RULE, exercises=("chin_tuck",),
    )  # fmt: skip
    with RecordingWriter(tmp_path / "a.tw", header, start_s=0.0):
        pass
    assert (tmp_path / "a.tw").read_bytes() == FILE


def test_an_empty_header_takes_the_defaults() -> None:
    said = read_header({}, device="day")
    assert (said.started_utc_s, said.device, said.mount, said.mounting) == (None, "day", Mount.NECK, None)
    assert (said.rule, said.exercises, said.notes) == (RuleSetting(), (), ())


def test_only_the_day_of_an_early_header_tells_its_start() -> None:
    assert read_header({"created_utc": "2026-03-01T12:00:00+00:00"}, device="").started_utc_s == 1772366400.0


def test_exercises_and_rule_numbers_of_a_later_version_are_left_out() -> None:
    said = read_header(
        {"exercises": ["chin_tuck", "ear_wiggle"], "rule": {"seconds": 30, "mood": 3}}, device=""
    )
    assert said.exercises == ("chin_tuck",)
    assert said.rule == RuleSetting(kind=RuleKind.SIMPLE, seconds=30.0)
