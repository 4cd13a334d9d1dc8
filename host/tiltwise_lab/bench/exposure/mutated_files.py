"""Files of each reader with bytes changed, cut or doubled: read, told in one line, or neither."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.errors import AppError
from tiltwise.offline.cohort.day_digest import digest_bytes, read_digest
from tiltwise.recording.imu_file import ImuFileError, load_imu
from tiltwise_lab.bench.exposure.cohort_speed import made_digest

_ROWS = 200


@dataclass(frozen=True, slots=True)
class MutatedRow:
    """One reader: files tried, read, told in one line, and what ended in anything else."""

    reader: str
    files: int
    read: int
    told: int
    neither: int


def mutated_rows(files: int, seed: int = 1) -> Iterator[tuple[float, MutatedRow]]:
    """Yield the share done and a row for each reader."""
    with tempfile.TemporaryDirectory() as name:
        whole = _files(Path(name))
        for k, (path, read) in enumerate(whole.items()):
            yield (k + 1) / len(whole), _row(path, read, files, np.random.default_rng(seed + k))


def _row(path: Path, read: Callable[[Path], object], files: int, rng: np.random.Generator) -> MutatedRow:
    data = path.read_bytes()
    counts = {"read": 0, "told": 0, "neither": 0}
    for _ in range(files):
        path.write_bytes(_mutated(data, rng))
        counts[_outcome(path, read)] += 1
    return MutatedRow(path.name, files, **counts)


def _outcome(path: Path, read: Callable[[Path], object]) -> str:
    try:
        read(path)
    except (ImuFileError, AppError) as error:
        return "told" if "\n" not in str(error) else "neither"
    except Exception:  # noqa: BLE001 - to count them is what this is for
        return "neither"
    return "read"


def _mutated(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for at in rng.integers(0, len(changed), int(rng.geometric(0.4))):
        changed[at] = int(rng.integers(256))
    first, end = sorted(rng.integers(0, len(changed), 2).tolist())
    kind = rng.random()
    if kind < 0.25:
        del changed[first:]
    elif kind < 0.4:
        del changed[first:end]
    elif kind < 0.5:
        changed[first:first] = changed[first:end]
    return bytes(changed)


def _files(folder: Path) -> Mapping[Path, Callable[[Path], object]]:
    """Write one whole file for each reader."""
    t = np.arange(_ROWS) / 50
    angle = np.radians(30 * np.sin(2 * np.pi * t / 2))
    acc = 9.80665 * np.stack((-np.sin(angle), 0 * t, np.cos(angle)), axis=1)
    gyr = np.stack((0 * t, np.gradient(angle, t), 0 * t), axis=1)
    q = np.stack((np.cos(angle / 2), 0 * t, np.sin(angle / 2), 0 * t), axis=1)
    axes = "xyz"
    head = ",".join(["t_s", *(f"acc_{a}" for a in axes), *(f"gyr_{a}" for a in axes)])
    _text(folder / "imu.csv", head, t, acc, gyr)
    _text(folder / "accelerometer.csv", ",".join(["t_s", *(f"acc_{a}" for a in axes)]), t, acc)
    _text(folder / "quaternion.csv", "t_s,Quat_W,Quat_X,Quat_Y,Quat_Z", t, q)
    np.savez(folder / "arrays.npz", t=t, acc=acc, gyr=gyr)
    rows = "\n".join(f"{s:.3f}\t{','.join(f'{v:.6f}' for v in row)}" for s, row in zip(t, q, strict=True))
    (folder / "table.sto").write_text(f"DataRate=50\nDataType=Quaternion\nendheader\ntime\thead\n{rows}\n")
    with zipfile.ZipFile(folder / "logger.zip", "w") as archive:
        for member, values in (("TotalAcceleration.csv", acc), ("Gyroscope.csv", gyr)):
            file = io.StringIO()
            np.savetxt(
                file, np.column_stack((t, values)), "%.6f", ",", header="seconds_elapsed,x,y,z", comments=""
            )
            archive.writestr(member, file.getvalue())
    np.savetxt(folder / "sub-1_motion.tsv", q, "%.6f", "\t")
    channels = "".join(f"q{a}\tquat_{a}\tORNT\thead\tn/a\n" for a in "wxyz")
    (folder / "sub-1_channels.tsv").write_text(f"name\tcomponent\ttype\ttracked_point\tunits\n{channels}")
    (folder / "sub-1_motion.json").write_text('{"SamplingFrequency": 50}')
    (folder / "digest-1.json").write_bytes(digest_bytes(made_digest(np.degrees(angle), 1)))
    imu = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix not in (".json",) and "_channels" not in path.name
    ]
    return {**dict.fromkeys(imu, load_imu), folder / "digest-1.json": read_digest}


def _text(path: Path, head: str, *columns: np.ndarray) -> None:
    np.savetxt(path, np.column_stack(columns), "%.6f", ",", header=head, comments="")
