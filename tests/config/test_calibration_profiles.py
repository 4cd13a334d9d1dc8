"""Profiles: nothing is lost, nothing is changed silently, a bad file is told in one line with what to do."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tiltwise.config.address import parse_address
from tiltwise.config.calibration_profiles import (
    MOST_KEPT,
    DeviceProfile,
    ProfileError,
    StoredCalibration,
    device_name,
    load_profile,
    profile_path,
    save_calibration,
)
from tiltwise.live import sources
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_axes
from tiltwise.types import Mount

assert sources  # registers sim:
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mounting(mount: Mount = Mount.HEAD, quality: float = 0.8) -> Mounting:
    up, left = np.array([0.1, 0.0, 1.0]), np.array([0.0, 1.0, 0.1])
    return mounting_from_axes(up, left, mount=mount, axes="nod", quality=quality)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    one = StoredCalibration(NOON, mounting(), mounting(Mount.COLLAR), is_behind=False)
    saved, path = save_calibration(tmp_path, DeviceProfile("Ada L.", "ble-tw"), one)
    assert load_profile(tmp_path, "Ada L.", "ble-tw") == saved
    assert saved.current() == one
    assert path.parent.parent == tmp_path / "profiles"


def test_the_newest_of_a_mount_counts_and_older_ones_are_kept(tmp_path: Path) -> None:
    profile = load_profile(tmp_path, "me", "d")
    assert profile.current() is None
    for k, mount in enumerate((Mount.HEAD, Mount.COLLAR, Mount.HEAD)):
        found = StoredCalibration(NOON + timedelta(days=k), mounting(mount, 0.5 + 0.1 * k))
        profile, _ = save_calibration(tmp_path, profile, found)
    head = profile.current(Mount.HEAD)
    collar = profile.current(Mount.COLLAR)
    assert head is not None
    assert collar is not None
    assert (head.mounting.quality, collar.mounting.quality) == (0.7, 0.6)
    assert len(load_profile(tmp_path, "me", "d").calibrations) == 3


def test_the_history_ends_somewhere(tmp_path: Path) -> None:
    profile = DeviceProfile("me", "d")
    for k in range(MOST_KEPT + 5):
        profile, _ = save_calibration(
            tmp_path, profile, StoredCalibration(NOON + timedelta(days=k), mounting())
        )
    assert len(profile.calibrations) == MOST_KEPT
    assert profile.calibrations[-1].created_utc == NOON + timedelta(days=MOST_KEPT + 4)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[]", "not a tiltwise profile"),
        (b'{"format": "tiltwise profile", "format_version": 9}', "update tiltwise"),
        (b'{"format": "tiltwise profile", "format_version": 1, "person": "me"}', "cannot be read"),
        (
            b'{"format": "tiltwise profile", "format_version": 1, "person": "me", "device": "d", "calibrations": '
            b'[{"created_utc": "2026-03-01T12:00:00+00:00", "mounting": {"mount": "ear"}}]}',
            "calibrate",
        ),
        (
            b'{"format": "tiltwise profile", "format_version": 1, "person": "me", "device": "d", "calibrations": '
            b'[{"created_utc": "2026-03-01T12:00:00", "mounting": {}}]}',
            r"calibrations\[0\].created_utc: expected a time with its zone, came '2026-03-01T12:00:00'",
        ),
    ],
)
def test_a_bad_file_is_one_line_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = profile_path(tmp_path, "me", "d")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=words) as caught:
        load_profile(tmp_path, "me", "d")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_two_people_whose_names_are_written_alike_are_not_mixed_up(tmp_path: Path) -> None:
    save_calibration(tmp_path, DeviceProfile("A B", "d"), StoredCalibration(NOON, mounting()))
    with pytest.raises(ProfileError, match="choose another --person"):
        load_profile(tmp_path, "A-B", "d")


def test_a_failing_disk_leaves_the_old_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile, path = save_calibration(tmp_path, DeviceProfile("me", "d"), StoredCalibration(NOON, mounting()))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_calibration(tmp_path, profile, StoredCalibration(NOON + timedelta(1), mounting()))
    assert load_profile(tmp_path, "me", "d") == profile
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # no scraps


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    _, path = save_calibration(tmp_path, DeviceProfile("me", "d"), StoredCalibration(NOON, mounting()))
    stored = json.loads(path.read_text())
    assert (stored["format"], stored["format_version"]) == ("tiltwise profile", 1)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("sim:desk?seed=3&speed=0", "sim-3-neck"),
        ("sim:slouch?seed=3&mount=head", "sim-3-head"),
        ("sim:slouch?seed=3&mount=head&sensors=2", "sim-3-head-2"),
    ],
)
def test_a_simulated_sensor_sits_the_same_in_every_story(address: str, name: str) -> None:
    assert device_name(parse_address(address)) == name
