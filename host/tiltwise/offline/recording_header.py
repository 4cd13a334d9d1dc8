"""What a recording says about itself, so that the store can be built from it again: header to session and back.

A recording holds the frames as they came and when; with its header that is all that a live session had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from tiltwise.config.settings import RuleSetting
from tiltwise.config.time_zone import is_zone, local_zone_name
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.types import Mount


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """How a recording was made. started_utc_s: wall time of its received_s 0, UTC s; None: not told."""

    started_utc_s: float | None
    device: str
    zone: str
    mount: Mount
    mounting: Mounting | None
    collar: Mounting | None
    rule: RuleSetting
    exercises: tuple[str, ...]
    notes: tuple[str, ...] = ()  # what was taken otherwise than the header says


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
) -> dict[str, object]:
    """Return the header of a recording whose received_s counts from `started`."""
    header: dict[str, object] = {
        "created_utc": started.astimezone(UTC).isoformat(timespec="seconds"),
        "started_utc_s": started.timestamp(),
        "address": address,
        "device": device,
        "zone": zone,
        "mount": mount.value,
        "rule": asdict(rule),
        "exercises": list(exercises),
    }
    for name, value in (("mounting", mounting), ("collar", collar)):
        if value is not None:
            header[name] = value.to_dict()
    return header


def read_header(header: Mapping[str, object], *, device: str) -> RecordedSession:
    """Return what a header says; ValueError when something in it cannot be used.

    Parameters
    ----------
    header : of a recording, of any version: what it does not say takes today's defaults.
    device : name for the device where the header tells none.
    """
    told = header.get("started_utc_s")
    if told is None and "created_utc" in header:
        told = datetime.fromisoformat(str(header["created_utc"])).timestamp()
    zone, said = local_zone_name(), str(header.get("zone") or "")
    is_known = not said or is_zone(said)
    return RecordedSession(
        started_utc_s=None if told is None else float(str(told)),
        device=str(header.get("device", device)),
        zone=said if said and is_known else zone,
        mount=Mount(str(header.get("mount", Mount.NECK.value))),
        mounting=_mounting(header.get("mounting")),
        collar=_mounting(header.get("collar")),
        rule=_rule(header.get("rule")),
        exercises=_exercises(header.get("exercises")),
        notes=()
        if is_known
        else (f"its time zone {said!r} is not known here: its days are those of {zone}",),
    )


def _mounting(values: object) -> Mounting | None:
    return Mounting.from_dict(values) if isinstance(values, Mapping) else None


def _rule(values: object) -> RuleSetting:
    """Take over the numbers that this version knows."""
    rule = RuleSetting()
    if not isinstance(values, Mapping):
        return rule
    return replace(rule, **{k: float(str(values[k])) for k in asdict(rule) if k in values})


def _exercises(names: object) -> tuple[str, ...]:
    return tuple(str(name) for name in names if name in EXERCISES) if isinstance(names, list) else ()
