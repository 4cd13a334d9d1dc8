"""NumPy archives with t (or fs), acc and gyr."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, listing
from tiltwise.types import FloatArray

_MAX_ARRAY_BYTES = 8 << 30  # a day at 1 kHz is 5 GB; a file that claims more is broken, or a trap


def read_npz(path: Path) -> ImuTable:
    """Return the arrays of an archive; ImuFileError without the file's name."""
    try:
        with zipfile.ZipFile(path) as archive:
            claimed = sum(entry.file_size for entry in archive.infolist())
        if claimed > _MAX_ARRAY_BYTES:
            raise ImuFileError(f"unpacks to {claimed / 1e9:.0f} GB, expected one recording: split it by days")
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files if name in ("t", "acc", "gyr", "fs")}
            names = archive.files
    except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, zlib.error):
        raise ImuFileError(
            "not a whole .npz file: it is cut off or of another kind, export it again"
        ) from None
    except (ValueError, SyntaxError, TypeError, RecursionError, tokenize.TokenError) as error:
        if isinstance(error, ImuFileError):
            raise
        raise ImuFileError("arrays cannot be read (Python objects or damage): save plain numbers") from None
    return _table(found, names)


def _table(found: dict[str, np.ndarray], names: list[str]) -> ImuTable:
    """Check the arrays of an archive for names, types and shapes."""
    missing = [name for name in ("acc", "gyr") if name not in found]
    if missing:
        raise ImuFileError(f"no {', '.join(missing)}: expected t, acc, gyr, found {listing(names)}")
    for name, array in found.items():
        if array.dtype.kind not in "fiu":
            raise ImuFileError(f"{name} holds {array.dtype}, expected numbers")
    n = len(found["acc"]) if found["acc"].ndim else 0
    rate_hz = float(found["fs"].reshape(-1)[0]) if "fs" in found and found["fs"].size else None
    if "fs" in found and "t" not in found and not (rate_hz and np.isfinite(rate_hz) and rate_hz > 0):
        raise ImuFileError(f"no t, and fs is {rate_hz}: expected times in s, or a rate in Hz")
    shapes = {name: found[name].shape for name in ("t", "acc", "gyr") if name in found}
    if shapes != {name: (n,) if name == "t" else (n, 3) for name in shapes}:
        came = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ImuFileError(f"shapes are {came}, expected t (n,), acc (n, 3), gyr (n, 3)")
    if n == 0:
        raise ImuFileError("no samples in it: export it again")
    t = _float(found["t"]) if "t" in found else None
    return ImuTable(t, _float(found["gyr"]), _float(found["acc"]), rate_hz)


def _float(array: np.ndarray) -> FloatArray:
    return np.asarray(array, dtype=np.float64)
