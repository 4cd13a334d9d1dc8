"""Calibration profiles: one JSON file per person and device with how the sensor sits, from old to new.

profiles/<person>/<device>.json in the data folder; the newest calibration of a mount is in use. A board's device is
its own id, whichever way it was reached; `tiltwise calibrate` writes here, and `watch` when it calibrates.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from tiltwise.config.address import Address
from tiltwise.config.atomic_file import private_folder, whole_file
from tiltwise.errors import AppError
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.stored_values import convert
from tiltwise.text import safe_name
from tiltwise.types import Mount

FORMAT = "tiltwise profile"
FORMAT_VERSION = 1
DEFAULT_PERSON = "me"
MOST_KEPT = 20  # calibrations of a device; one a day is a month of work days


class ProfileError(AppError):
    """A profile file cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """One calibration: the mounting of the first sensor and, on boards with two, that of the collar sensor."""

    created_utc: Annotated[datetime, Meta(tz=True)]
    mounting: Mounting
    collar: Mounting | None = None
    is_behind: bool = True  # False: glasses or headphones, the sensor is not behind the joint

    @property
    def mount(self) -> Mount:
        """Where the first sensor is worn."""
        return self.mounting.mount


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """What is stored about a device on a person; calibrations from old to new."""

    person: str
    device: str
    calibrations: tuple[StoredCalibration, ...] = ()

    def current(self, mount: Mount | None = None) -> StoredCalibration | None:
        """Return the newest calibration, of a mount if one is named."""
        fitting = [c for c in self.calibrations if mount is None or c.mount is mount]
        return fitting[-1] if fitting else None


def device_name(address: Address) -> str:
    """Return the name under which a source's calibration is kept.

    A simulated sensor sits as seed and mount say, in every scenario; a real one is known by its port or radio name
    only until it says who it is.
    """
    if address.scheme == "sim":
        options = address.options
        mount, sensors = options.get("mount", Mount.NECK.value), options.get("sensors", 1)
        face = "-out" if options.get("face") == "out" else ""
        return safe_name(f"sim-{options.get('seed', 1)}-{mount}{'-2' if sensors == 2 else ''}{face}")
    return safe_name(f"{address.scheme}-{Path(address.target or 'default').name}")


def profile_path(folder: Path, person: str, device: str) -> Path:
    """Return where a profile is kept in a data folder."""
    return folder / "profiles" / safe_name(person) / f"{safe_name(device)}.json"


def load_profile(folder: Path, person: str, device: str) -> DeviceProfile:
    """Return the profile, without calibrations when there is none yet.

    Raises
    ------
    ProfileError
        When the file is damaged, of a later version, or another person's whose name is written alike.
    """
    path = profile_path(folder, person, device)
    try:
        profile = read_profile(path)
    except FileNotFoundError:
        return DeviceProfile(person, device)
    if (profile.person, profile.device) != (person, device):
        raise ProfileError(
            f"{path}: belongs to {profile.person!r} and {profile.device!r}, expected {person!r} and {device!r}: "
            "choose another --person name"
        )
    return profile


def read_profile(path: Path) -> DeviceProfile:
    """Read one file; ProfileError when it is not what this version writes, OSError when it is not there."""
    advice = "delete the file and run `tiltwise calibrate`"
    try:
        stored = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: not a profile, it is damaged ({error}): {advice}") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise ProfileError(f"{path}: not a tiltwise profile: {advice}")
    version = stored.get("format_version")
    if version != FORMAT_VERSION:
        raise ProfileError(
            f"{path}: profile version {version!r}, this tiltwise reads {FORMAT_VERSION}: update tiltwise"
        )
    try:
        return convert(stored, DeviceProfile)
    except ValueError as error:
        raise ProfileError(f"{path}: cannot be read ({error}): {advice}") from error


def save_calibration(
    folder: Path, profile: DeviceProfile, calibration: StoredCalibration
) -> tuple[DeviceProfile, Path]:
    """Add a calibration as the newest, keep the ones before it, and return the profile and its file."""
    profile = replace(profile, calibrations=(*profile.calibrations, calibration)[-MOST_KEPT:])
    path = profile_path(folder, profile.person, profile.device)
    private_folder(path.parent)
    stored = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(profile)}
    with whole_file(path, is_private=True) as file:
        file.write(json.dumps(stored, indent=1, default=_utc_text).encode() + b"\n")
    return profile, path


class Calibrations:
    """One person's calibrations, by board.

    Parameters
    ----------
    folder
        The data folder.
    device
        Name of the device as far as its address tells, until the board says who it is. What earlier versions stored
        under it goes to the first board that is met there, and to no second one.
    """

    def __init__(self, folder: Path, person: str, device: str) -> None:
        self.folder, self.person, self._device = folder, person, device

    def profile(self, device: str | None = None) -> DeviceProfile:
        """Return the profile of a board; None: of what the address tells. ProfileError when it is damaged."""
        profile = load_profile(self.folder, self.person, device or self._device)
        if device is None or device == self._device or profile.calibrations:
            return profile
        by_address = load_profile(self.folder, self.person, self._device)
        for stored in by_address.calibrations:
            profile, _ = save_calibration(self.folder, profile, stored)
        if by_address.calibrations:
            profile_path(self.folder, self.person, self._device).unlink(missing_ok=True)
        return profile

    def keep(
        self,
        mounting: Mounting,
        collar: Mounting | None,
        *,
        device: str | None = None,
        is_behind: bool = True,
    ) -> Path:
        """Store a calibration made now as the newest, and return its file; OSError when the disk refuses."""
        made = StoredCalibration(datetime.now(UTC), mounting, collar, is_behind=is_behind)
        _, path = save_calibration(self.folder, self.profile(device), made)
        return path


def persons(folder: Path) -> list[str]:
    """Return whose calibrations are in a data folder; files that cannot be read are nobody's."""
    found = set()
    for path in folder.glob("profiles/*/*.json"):
        with contextlib.suppress(ProfileError, OSError):
            found.add(read_profile(path).person)
    return sorted(found)


def erase_calibrations(folder: Path, person: str) -> int:
    """Delete a person's calibrations; return how many files."""
    place = profile_path(folder, person, "x").parent
    files = sorted(place.glob("*.json"))
    for path in files:
        path.unlink()
    with contextlib.suppress(OSError):  # it holds files that are not ours, or never was there
        place.rmdir()
    return len(files)


def _utc_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
