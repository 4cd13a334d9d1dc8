"""Raw samples as Motion-BIDS: one run for each stretch without a gap, so that rows stand for even times.

The Brain Imaging Data Structure's motion modality: `_motion.tsv` without header, `_channels.tsv`, `_motion.json`,
`_events.tsv` with what was done of guided exercises, `_scans.tsv` with the start of each run, and the files of the
data set itself.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.offline.travel.bids_events import event_bytes
from tiltwise.offline.travel.sample_files import rate_of
from tiltwise.store.stored_rows import DeviceSamples
from tiltwise.types import FloatArray
from tiltwise.version import __version__

BIDS_VERSION = "1.9.0"
_TASK = "daily"
_TRACKSYS = "imu"
_KINDS = ("ACCEL", "GYRO", "ORNT", "LATENCY")
_GAP_S = 0.5
_LEAST_S = 1.0  # of a run
_MOST_UNEVEN = 0.05  # of a period; beyond it a run gets its own times as a channel


@dataclass(frozen=True, slots=True)
class BidsFile:
    """A file of the data set: its path with slashes, and its bytes."""

    path: str
    data: bytes


def label(text: str) -> str:
    """Return a name as BIDS allows it: letters and digits only."""
    return re.sub(r"[^A-Za-z0-9]", "", text) or "me"


def dataset_files(subjects: Mapping[str, str]) -> Iterator[BidsFile]:
    """Yield the files that every data set has; `subjects` has label to what the person is called here."""
    about = {
        "Name": "Neck posture recorded with tiltwise",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "tiltwise", "Version": __version__}],
    }
    yield BidsFile("dataset_description.json", _json(about))
    readme = (
        "# Neck posture recorded with tiltwise\n\nOrientation (earth from sensor, z up) and specific force of one or "
        "two inertial sensors worn at the head, neck or collar, a run for each stretch without a gap.\n"
    )
    yield BidsFile("README.md", readme.encode())
    rows = "".join(f"sub-{subject}\n" for subject in sorted(subjects))
    yield BidsFile("participants.tsv", f"participant_id\n{rows}".encode())
    yield BidsFile("participants.json", _json({"participant_id": {"Description": "label of the person"}}))


def _about(t_s: FloatArray, kinds: list[str], device: str) -> dict[str, object]:
    return {
        "TaskName": _TASK,
        "TaskDescription": "An ordinary day at work",
        "Instructions": "Wear the sensor and do what you do",
        "TrackingSystemName": _TRACKSYS,
        "SamplingFrequency": round(rate_of(t_s), 6),
        "SamplingFrequencyEffective": round((len(t_s) - 1) / float(t_s[-1] - t_s[0]), 6),
        "RecordingDuration": round(float(t_s[-1] - t_s[0]), 3),
        "RecordingType": "continuous",
        "MotionChannelCount": len(kinds),
        "TrackedPointsCount": 1,
        **{f"{kind}ChannelCount": kinds.count(kind) for kind in ("ACCEL", "GYRO", "ORNT", "LATENCY")},
        "Manufacturer": "tiltwise",
        "ManufacturersModelName": device,
        "SoftwareVersions": f"tiltwise {__version__}",
    }


def run_files(
    samples: DeviceSamples,
    subject: str,
    session: str,
    place: str,
    first_run: int,
    exercises: Sequence[ExerciseRecord] = (),
) -> Iterator[tuple[str, str, list[BidsFile]]]:
    """Yield (path of the motion file, its start in UTC, its files) of each stretch without a gap.

    Parameters
    ----------
    subject, session
        Labels; the session is a day.
    place
        Where the sensor was: the tracked point.
    first_run
        Number of the first run.
    exercises
        What was done of guided exercises, in UTC s: it becomes the events of the run in which it was.
    """
    folder = f"sub-{subject}/ses-{session}/motion"
    for k, part in enumerate(_stretches(samples.t_s)):
        stem = (
            f"{folder}/sub-{subject}_ses-{session}_task-{_TASK}_tracksys-{_TRACKSYS}_run-{first_run + k:02d}"
        )
        t_s = samples.t_s[part]
        channels, table = _channels(samples, part, place)
        kinds = [str(channel[2]) for channel in channels]
        names = ("name", "component", "type", "tracked_point", "units", "sampling_frequency")
        lines = [
            "\t".join(names),
            *("\t".join(map(str, channel)) + f"\t{rate_of(t_s):.6f}" for channel in channels),
        ]
        rows = io.BytesIO()
        np.savetxt(rows, table, fmt="%.7f", delimiter="\t")
        started = datetime.fromtimestamp(float(t_s[0]), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        events = event_bytes(exercises, float(t_s[0]), float(t_s[-1])) or ()
        yield f"motion/{stem.rsplit('/', 1)[1]}_motion.tsv", started, [
            BidsFile(f"{stem}_motion.tsv", rows.getvalue()),
            BidsFile(f"{stem}_motion.json", _json(_about(t_s, kinds, samples.device))),
            BidsFile(f"{stem}_channels.tsv", "".join(f"{line}\n" for line in lines).encode()),
            *(BidsFile(f"{stem}_events.{kind}", data) for kind, data in zip(("tsv", "json"), events, strict=False)),
        ]  # fmt: skip


def scans_file(subject: str, session: str, scans: list[tuple[str, str]]) -> BidsFile:
    """Return the table of when each run of a session began."""
    rows = "".join(f"{path}\t{started}\n" for path, started in scans)
    return BidsFile(
        f"sub-{subject}/ses-{session}/sub-{subject}_ses-{session}_scans.tsv",
        f"filename\tacq_time\n{rows}".encode(),
    )


def _channels(samples: DeviceSamples, part: slice, place: str) -> tuple[list[tuple[str, ...]], FloatArray]:
    """Return (name, component, type, tracked point, unit) of each column, and the columns."""
    rows: list[tuple[str, ...]] = [("latency", "n/a", "LATENCY", "n/a", "s")]
    columns = [(samples.t_s[part] - samples.t_s[part][0])[:, None]]
    if samples.q_earth_from_sensor is not None:
        rows += [(f"{place}_quat_{a}", f"quat_{a}", "ORNT", place, "n/a") for a in "wxyz"]
        columns.append(samples.q_earth_from_sensor[part])
    if samples.gyr_rad_s is not None:
        rows += [(f"{place}_gyro_{a}", a, "GYRO", place, "rad/s") for a in "xyz"]
        columns.append(samples.gyr_rad_s[part])
    rows += [(f"{place}_accel_{a}", a, "ACCEL", place, "m/s^2") for a in "xyz"]
    columns.append(samples.acc_m_s2[part])
    return rows, np.concatenate(columns, axis=1)


def _stretches(t_s: FloatArray) -> Iterator[slice]:
    """Yield the stretches between gaps that are long enough to say anything."""
    cuts = np.flatnonzero(np.diff(t_s) > _GAP_S) + 1
    for first, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(t_s)], strict=True):
        if end - first > 1 and t_s[end - 1] - t_s[first] >= _LEAST_S:
            yield slice(first, end)


def _json(values: object) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()
