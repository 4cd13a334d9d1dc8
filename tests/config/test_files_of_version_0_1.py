"""Settings, profiles and keys as version 0.1 wrote them give the values that were meant; never edit the texts."""

from datetime import UTC, datetime
from pathlib import Path

from tiltwise.config.calibration_profiles import DeviceProfile, StoredCalibration, load_profile, profile_path
from tiltwise.config.sensor_keys import KeyStore
from tiltwise.config.settings import (
    AlertSetting,
    Deliver,
    RuleKind,
    RuleSetting,
    Settings,
    WearSetting,
    load_settings,
)
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import Mount

SETTINGS = """\
[rule]
angle_deg = 25
seconds = 40.5
hysteresis_deg = 4.0
recovery_s = 2.0

[alerts]
desktop = false
console = false
min_gap_s = 300
quiet_from = "22:00"
quiet_to = "07:30"

[wear]
mount = "head"
face = "+z"
"""
PROFILE = """\
{
 "format": "tiltwise profile",
 "format_version": 1,
 "person": "Ada L.",
 "device": "ble-tw",
 "calibrations": [
  {
   "created_utc": "2026-03-01T12:00:00+00:00",
   "mounting": {
    "mount": "head",
    "q_sensor_from_body": [
     0.5,
     0.5,
     -0.5,
     0.5
    ],
    "axes": "nod",
    "quality": 0.875,
    "notes": [
     "The nods were small."
    ]
   },
   "collar": null,
   "is_behind": true
  },
  {
   "created_utc": "2026-03-02T12:00:00+00:00",
   "mounting": {
    "mount": "head",
    "q_sensor_from_body": [
     0.5,
     0.5,
     -0.5,
     0.5
    ],
    "axes": "nod",
    "quality": 0.875,
    "notes": [
     "The nods were small."
    ]
   },
   "collar": {
    "mount": "collar",
    "q_sensor_from_body": [
     1.0,
     0.0,
     0.0,
     0.0
    ],
    "axes": "unknown",
    "quality": 0.0,
    "notes": []
   },
   "is_behind": false
  }
 ]
}
"""
KEYS = """\
{
 "3132333435363738": {
  "name": "my neck",
  "key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
 }
}"""
HEAD = Mounting(Mount.HEAD, (0.5, 0.5, -0.5, 0.5), "nod", 0.875, ("The nods were small.",))
COLLAR = Mounting(Mount.COLLAR, (1.0, 0.0, 0.0, 0.0))


def test_settings_with_every_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    assert load_settings(path) == Settings(
        RuleSetting(25.0, 40.5, 4.0, 2.0, RuleKind.SIMPLE),
        AlertSetting(
            deliver=Deliver.SENSOR, console=False, min_gap_s=300.0, quiet_from="22:00", quiet_to="07:30"
        ),
        WearSetting("head", "+z"),
    )


def test_profile_with_two_calibrations_and_a_collar_sensor(tmp_path: Path) -> None:
    path = profile_path(tmp_path, "Ada L.", "ble-tw")
    path.parent.mkdir(parents=True)
    path.write_text(PROFILE, encoding="utf-8")
    one = StoredCalibration(datetime(2026, 3, 1, 12, tzinfo=UTC), HEAD)
    two = StoredCalibration(datetime(2026, 3, 2, 12, tzinfo=UTC), HEAD, COLLAR, is_behind=False)
    assert load_profile(tmp_path, "Ada L.", "ble-tw") == DeviceProfile("Ada L.", "ble-tw", (one, two))


def test_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(KEYS, encoding="utf-8")
    (known,) = KeyStore(path)
    assert (known.name, known.key) == ("my neck", bytes(range(32)))
