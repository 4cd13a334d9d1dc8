"""What a store holds of a stretch, row by row with the session of each: what travels to other programs and back.

Times in UTC s. A session is one device, one boot, one run; its key is the same in every copy of the data.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.decode.messages import read_info
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.report.aggregate import Aggregate
from tiltwise.report.day_summary import Gap
from tiltwise.store.events import StoredEvent, decode_event
from tiltwise.store.exercise_rows import decode_exercise
from tiltwise.store.files import schema
from tiltwise.store.files.codec import StoredFrame, unpack_aggregate
from tiltwise.store.reader import StoreReader
from tiltwise.store.stored_samples import StoredSamples
from tiltwise.types import FloatArray

_US = 1_000_000


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session: device, boot, start in UTC s, IANA zone, mount, and what the store keeps about it."""

    device: str
    boot: int
    started_s: float
    zone: str
    mount: str
    info: str = "{}"

    @property
    def about(self) -> Mapping[str, object]:
        """Scales, rule, origin and the like."""
        found: Mapping[str, object] = json.loads(self.info)
        return found


StoredExercise = tuple[StoredSession, ExerciseRecord]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Minutes (with their sensor), events, gaps and guided exercises, each with its session, in order of time."""

    minutes: tuple[tuple[StoredSession, int, Aggregate], ...]
    events: tuple[tuple[StoredSession, StoredEvent], ...]
    gaps: tuple[tuple[StoredSession, Gap], ...]
    exercises: tuple[StoredExercise, ...] = ()


def stored_rows(folder: Path, start_s: float, end_s: float) -> StoredRows:
    """Return the rows that start in [start_s, end_s); StoreError when the store cannot be read."""
    path = folder / schema.CORE_NAME
    span = (round(start_s * _US), round(end_s * _US))
    db = schema.open_reader(path)
    try:
        sessions = {
            int(key): StoredSession(str(name), int(boot), us / _US, str(zone), str(mount), str(info))
            for key, name, boot, us, zone, mount, info in db.execute(
                "SELECT session.id, name, boot, started_us, zone, mount, info FROM session "
                "JOIN device ON device.id = device_id"
            )
        }
        minutes = db.execute(
            "SELECT session_id, sensor, start_us, data FROM aggregate WHERE start_us >= ? AND start_us < ? "
            "ORDER BY start_us, session_id, sensor",
            span,
        ).fetchall()
        events = db.execute(
            "SELECT session_id, kind, data, utc_us FROM event WHERE utc_us >= ? AND utc_us < ? ORDER BY utc_us, id",
            span,
        ).fetchall()
        gaps = db.execute(
            "SELECT session_id, start_us, end_us, reason FROM gap WHERE start_us >= ? AND start_us < ? "
            "ORDER BY start_us, id",
            span,
        ).fetchall()
        exercises = _exercises(db, span)
    except sqlite3.Error as error:
        raise schema.explain(error, path) from error
    finally:
        db.close()
    decoded = ((key, decode_event(kind, data, us / _US)) for key, kind, data, us in events)
    return StoredRows(
        tuple((sessions[k], sensor, unpack_aggregate(us / _US, blob)) for k, sensor, us, blob in minutes),
        tuple((sessions[k], event) for k, event in decoded if event is not None),
        tuple((sessions[k], Gap(a / _US, b / _US, reason)) for k, a, b, reason in gaps),
        tuple((sessions[k], decode_exercise(data, us / _US)) for k, data, us in exercises),
    )


def _exercises(db: sqlite3.Connection, span: tuple[int, int]) -> list[tuple[int, str, int]]:
    """Return session, record and beginning of what was done; nothing of an older store that cannot be written."""
    if not schema.has_table(db, "exercise"):
        return []
    sql = "SELECT session_id, data, start_us FROM exercise WHERE start_us >= ? AND start_us < ? ORDER BY start_us, id"
    return db.execute(sql, span).fetchall()


@dataclass(frozen=True, slots=True)
class DeviceSamples:
    """Samples of one sensor of one device in SI units: t_s (n,) UTC; orientation (n, 4) or rate (n, 3); acc (n, 3).

    Of an ORIENT stream q_earth_from_sensor is there, of a RAW one gyr_rad_s; never both.
    """

    device: str
    sensor: int
    t_s: FloatArray
    acc_m_s2: FloatArray
    q_earth_from_sensor: FloatArray | None = None
    gyr_rad_s: FloatArray | None = None


def device_samples(
    folder: Path, start_s: float, end_s: float, *, on_damage: Callable[[], None] = lambda: None
) -> list[DeviceSamples]:
    """Return the raw samples of [start_s, end_s) UTC s; of RAW streams those of boots that told their scales then.

    `on_damage` is called once when stored samples are damaged and left out.
    """
    found = []
    with StoreReader(folder) as reader:
        for device in reader.devices():
            for sensor in (0, 1):
                orient = reader.samples(start_s, end_s, sensor=sensor, device=device)
                if len(orient.t_s):
                    found.append(_oriented(device, sensor, orient))
                raw = reader.samples(start_s, end_s, kind=wire.RAW, sensor=sensor, device=device)
                if len(raw.t_s):
                    scales = _raw_scales(reader.frames(start_s, end_s, device))
                    found += _raw(device, sensor, raw, scales)
        if reader.damaged_chunks:
            on_damage()
    return found


def _oriented(device: str, sensor: int, samples: StoredSamples) -> DeviceSamples:
    counts = samples.counts.astype(np.float64)
    q = counts[:, :4] / wire.QUATERNION_SCALE
    q = q / np.sqrt(np.sum(q * q, axis=1, keepdims=True))
    acc = counts[:, 4:] * wire.ORIENT_ACC_M_S2_PER_COUNT
    return DeviceSamples(device, sensor, samples.t_s, acc, q_earth_from_sensor=q)


def _raw(
    device: str, sensor: int, samples: StoredSamples, scales: Mapping[int, tuple[float, float]]
) -> Iterator[DeviceSamples]:
    known = np.isin(samples.boot, list(scales))
    if known.any():
        counts, boot = samples.counts[known].astype(np.float64), samples.boot[known].tolist()
        factors = np.array([scales[each] for each in boot])
        gyr, acc = counts[:, :3] * factors[:, :1], counts[:, 3:] * factors[:, 1:]
        yield DeviceSamples(device, sensor, samples.t_s[known], acc, gyr_rad_s=gyr)


def _raw_scales(frames: list[StoredFrame]) -> dict[int, tuple[float, float]]:
    """Return rad/s and m/s2 a count of each boot, by what it said of itself."""
    found = {}
    for stored in frames:
        frame = read_frame(stored.data)
        if frame.frame_type == wire.INFO:
            info = read_info(frame)
            found[frame.boot] = (info.gyr_rad_s_per_count, info.acc_m_s2_per_count)
    return found
