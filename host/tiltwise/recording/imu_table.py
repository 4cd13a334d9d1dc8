"""A file of another program to its columns, by the reader of its kind, without judging the values.

Whatever is wrong with a file as a file (absent, empty, cut off, of another kind, columns missing) is told in one
line.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from tiltwise.recording.formats.bids_motion import channels_beside, read_bids
from tiltwise.recording.formats.npz_arrays import read_npz
from tiltwise.recording.formats.opensim_sto import is_sto, read_sto
from tiltwise.recording.formats.other_kinds import why_not
from tiltwise.recording.formats.parquet_columns import read_parquet
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, Progress, ReadOptions
from tiltwise.recording.formats.several_files import read_lone_text, read_zip
from tiltwise.recording.formats.time_grid import of_one_epoch, unit_of_times
from tiltwise.recording.formats.units import in_seconds

_LOOK = 4096  # first bytes, by which kinds are told apart
KINDS = ".npz, .parquet, .zip or a text table such as .csv"


def read_table(path: Path, options: ReadOptions, progress: Progress | None = None) -> ImuTable:
    """Return the columns of a file; ImuFileError in one line when there are none to be had."""
    try:
        return _read(path, options, progress)
    except ImuFileError as error:
        raise ImuFileError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise ImuFileError(f"{path}: no such file: check the path") from None
    except PermissionError:
        raise ImuFileError(f"{path}: not allowed to read this file: check its permissions") from None
    except MemoryError:
        raise ImuFileError(f"{path}: does not fit into memory: split it by days") from None
    except OSError as error:
        raise ImuFileError(
            f"{path}: cannot be read ({error.strerror or error}): copy or export it again"
        ) from None


def first_stamp_s(path: Path, options: ReadOptions) -> float | None:
    """Return the first time that a file states, s, as it stands there; None when it has none."""
    table = read_table(path, options)
    known = np.empty(0) if table.t is None else table.t[np.isfinite(table.t)]
    if not len(known):
        return None
    t_s = in_seconds(known, options.t_unit or unit_of_times(known, table.t_unit))
    near = t_s[of_one_epoch(t_s)]
    return float(near[0]) if len(near) else None


def _read(path: Path, options: ReadOptions, progress: Progress | None) -> ImuTable:
    """Choose the reader by the first bytes; the end of the name decides only what a broken file is called."""
    suffix = path.suffix.lower()
    if path.is_dir():
        raise ImuFileError(f"this is a folder, expected a file ({KINDS})")
    if suffix == ".tw":
        raise ImuFileError("a tiltwise recording, expected another program's file: use read_recording")
    if path.stat().st_size == 0:
        raise ImuFileError("the file is empty, expected samples: export it again")
    with path.open("rb") as file:
        begin = file.read(_LOOK)
    if said := why_not(begin):
        raise ImuFileError(said)
    is_zip = begin.startswith(b"PK\x03\x04")
    if suffix == ".parquet" or begin.startswith(b"PAR1"):
        return read_parquet(path, options)
    if suffix == ".npz" or (is_zip and _holds_arrays(path)):
        return read_npz(path)
    if suffix == ".zip" or (is_zip and suffix not in (".csv", ".txt", ".tsv")):
        return read_zip(path, options, progress)
    if is_sto(begin):
        return read_sto(path, options)
    if (channels := channels_beside(path)) is not None:
        return read_bids(path, channels, options)
    return read_lone_text(path, options, progress)


def _holds_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
