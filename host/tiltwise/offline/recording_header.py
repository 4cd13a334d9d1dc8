"""What a recording says about itself, so that the store can be built from it again: header to session and back.

A recording holds the frames as they came and when; with its header that is all that a live session had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from msgspec import to_builtins

from tiltwise.config.settings import AlertSetting, RuleSetting, with_kind
from tiltwise.config.time_zone import is_zone, local_zone_name
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.live.wearer.live_events import Calibrated
from tiltwise.live.wearer.recorded_changes import RecordedChanges, RecordedSnooze
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.stored_values import convert
from tiltwise.types import Mount


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """How a recording was made. started_utc_s: UTC s at its received_s 0, None when the header does not say."""

    started_utc_s: float | None
    device: str
    zone: str
    mount: Mount
    mounting: Mounting | None
    collar: Mounting | None
    rule: RuleSetting
    exercises: tuple[str, ...]
    asked_mount: Mount | None = None  # what the board says of its place did not count
    alerts: AlertSetting = field(default_factory=AlertSetting)
    notes: tuple[str, ...] = ()  # where this differs from what the header says
    is_simulated: bool = False


def recording_header(
    *,
    started: datetime,
    address: str,
    device: str,
    zone: str,
    mount: Mount,
    mounting: Mounting | None = None,
    collar: Mounting | None = None,
    rule: RuleSetting,
    exercises: Sequence[str] = (),
    asked_mount: Mount | None = None,
    alerts: AlertSetting | None = None,
) -> dict[str, object]:
    """Return the header of a recording whose received_s counts from `started`."""
    header: dict[str, object] = {
        "created_utc": started.astimezone(UTC).isoformat(timespec="seconds"),
        "started_utc_s": started.timestamp(),
        "address": address,
        "device": device,
        "zone": zone,
        "mount": mount.value,
        "rule": rule.as_stored,
        "exercises": list(exercises),
    }
    if asked_mount is not None:
        header["asked_mount"] = asked_mount.value
    if alerts is not None:
        header["alerts"] = to_builtins(alerts)
    for name, value in (("mounting", mounting), ("collar", collar)):
        if value is not None:
            known = asdict(value)
            if known["relative_to_s"] is None:  # as headers were before it could be told
                del known["relative_to_s"]
            header[name] = known
    return header


@dataclass(frozen=True, slots=True)
class _Header:
    """The keys of a header, of any version: what it does not say takes today's defaults."""

    created_utc: str = ""
    started_utc_s: float | None = None
    address: str = ""
    device: str | None = None
    zone: str = ""
    mount: Mount = Mount.NECK
    mounting: Mounting | None = None
    collar: Mounting | None = None
    rule: RuleSetting = field(default_factory=RuleSetting)
    exercises: tuple[str, ...] = ()
    asked_mount: Mount | None = None
    alerts: AlertSetting = field(default_factory=AlertSetting)


# Clocks that are not set say 1970 or 1980; what comes after 2100 no clock of today says.
_EARLIEST_S, _LATEST_S = 946_684_800.0, 4_102_444_800.0
# What has another shape than these was never written by us and says nothing.
_SHAPES = {"mounting": Mapping, "collar": Mapping, "rule": Mapping, "alerts": Mapping, "exercises": list}


def read_header(header: Mapping[str, object], *, device: str) -> RecordedSession:
    """Return what a header says.

    Parameters
    ----------
    header
        Of a recording of any version.
    device
        Name for the device where the header has none.

    Raises
    ------
    ValueError
        When a value cannot be used; the line names its key.
    """
    shaped = {k: v for k, v in header.items() if isinstance(v, _SHAPES.get(k, object))}
    read = convert(with_kind(shaped), _Header)
    started_utc_s = read.started_utc_s
    if started_utc_s is None and read.created_utc:
        started_utc_s = _timestamp(read.created_utc)
    if started_utc_s is not None and not _EARLIEST_S <= started_utc_s < _LATEST_S:
        raise ValueError(f"started_utc_s: expected a time from 2000 to 2100 in s, came {started_utc_s:g}")
    local = local_zone_name()
    is_known = not read.zone or is_zone(read.zone)
    note = f"its time zone {read.zone!r} is not known here: its days are those of {local}"
    return RecordedSession(
        started_utc_s=started_utc_s,
        device=device if read.device is None else read.device,
        zone=read.zone if read.zone and is_known else local,
        mount=read.mount,
        mounting=read.mounting,
        collar=read.collar,
        rule=read.rule,
        exercises=tuple(name for name in read.exercises if name in EXERCISES),
        asked_mount=read.asked_mount,
        alerts=read.alerts,
        notes=() if is_known else (note,),
        is_simulated=read.address.startswith("sim:"),
    )


def recorded_changes(
    calibrations: Sequence[tuple[int, Mapping[str, object]]], snoozes: Sequence[tuple[int, float, int]]
) -> RecordedChanges:
    """Return what a recording says that its session was told; ValueError when a calibration cannot be used."""
    return RecordedChanges(
        [(before, recorded_calibration(values)) for before, values in calibrations],
        [(before, RecordedSnooze(received_s, seconds)) for before, received_s, seconds in snoozes],
    )


def recorded_calibration(values: Mapping[str, object]) -> Calibrated:
    """Return a calibration that came into use during a recording; ValueError when it cannot be used."""
    stated = read_header({k: v for k, v in values.items() if k in _SHAPES}, device="")
    if stated.mounting is None:
        raise ValueError("a calibration in it says nothing about the sensor")
    return Calibrated(stated.mounting, stated.collar, is_put_on=values.get("is_put_on") is True)


def _timestamp(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"created_utc: expected a time such as 2026-03-01T12:00:00Z ({error})") from error
