"""IMU files of other programs (.npz, .csv, .parquet) to checked samples in SI units.

Times in s, gyroscope in rad/s, specific force in m/s2, sensor axes. Wrong units, rates, orders and foreign files
are refused with one line that says what to do. Reading is in recording/imu_table.py, judging values is here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.recording.imu_table import ImuFileError, ImuTable, read_table
from tiltwise.types import FloatArray

__all__ = ["ImuFile", "ImuFileError", "load_imu"]

GRAVITY_M_S2 = 9.80665
# Nods reach 3 Hz and hold energy up to 5 Hz: sampled slower than 10 Hz their peaks are lost and the gyroscope's
# integral with them. Faster than 2 kHz no IMU of this kind samples: then the time is not in seconds.
MIN_RATE_HZ = 10.0
MAX_RATE_HZ = 2000.0
MIN_DURATION_S = 1.0
_MAX_LOST_SHARE = 0.5  # of the rows that may be NaN or double before the file is refused
# Stamps this near an even grid come from an IMU that samples evenly, and a computer that rounds or hesitates.
_GRID_S = 6e-4
_GYR_WINDOW_S = 0.5
_CHECKED_ROWS = 60_000  # 20 minutes at 50 Hz are enough to tell units by
_GYR_WINDOW_PARTS = (
    5  # windows begin this often in a window's length: as telling as at each sample, and quick
)
_LATEST_START_S = 400_000.0  # t0 on the wire wraps after 119 h; later starts are wall clock times


@dataclass(frozen=True, slots=True)
class ImuFile:
    """Checked samples: t_s (n,) growing, gyr_rad_s and acc_m_s2 (n, 3) finite; notes say what was put right."""

    t_s: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    rate_hz: float
    notes: tuple[str, ...] = ()


def load_imu(path: str | os.PathLike[str], *, progress: Callable[[float], None] | None = None) -> ImuFile:
    """Read and check an IMU file.

    Parameters
    ----------
    path
        `.npz` with `t acc gyr` (and perhaps `fs`), `.csv` or `.parquet` with `t_s acc_x..z gyr_x..z`.
    progress
        Called with the share read so far, 0 to 1, while a long text file is read.

    Raises
    ------
    ImuFileError
        One line: what was expected, what came, what to do.
    """
    path = Path(path)
    table = read_table(path, progress)
    notes: list[str] = []
    t_s, gyr, acc = _finite_rows(path, table, notes)
    t_s, gyr, acc = _growing_rows(path, t_s, gyr, acc, notes)
    t_s = _even_times(_from_zero(t_s, notes))
    rate_hz = _rate_hz(path, t_s, table.rate_hz, notes)
    part = _liveliest(gyr)
    _check_acceleration(path, acc[part])
    _check_rotation(path, gyr[part], acc[part], rate_hz)
    return ImuFile(t_s, gyr, acc, rate_hz, tuple(notes))


def _finite_rows(path: Path, table: ImuTable, notes: list[str]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Drop rows with values that are not finite; they become gaps."""
    # A sum is finite only if all its parts are, and much quicker to look at.
    total = np.einsum("ij->i", table.gyr) + np.einsum("ij->i", table.acc) + table.t_s
    is_good = np.isfinite(total)
    bad = int(np.count_nonzero(~is_good))
    if bad > _MAX_LOST_SHARE * len(is_good):
        raise ImuFileError(
            f"{path}: {bad} of {len(is_good)} rows hold NaN or infinity: expected numbers, export again"
        )
    if not bad:
        return table.t_s, table.gyr, table.acc
    notes.append(f"{bad} of {len(is_good)} rows hold NaN or infinity: left out, shown as gaps")
    return table.t_s[is_good], table.gyr[is_good], table.acc[is_good]


def _growing_rows(
    path: Path, t_s: FloatArray, gyr: FloatArray, acc: FloatArray, notes: list[str]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Drop rows that repeat a time; refuse times that go back, for nobody can know what was meant."""
    steps = np.diff(t_s)
    if np.any(steps < 0):
        k = int(np.argmax(steps < 0)) + 1
        raise ImuFileError(
            f"{path}: times go back at row {k + 1} ({t_s[k]:.10g} after {t_s[k - 1]:.10g}): expected growing times, "
            "sort the rows or split the file where a new recording begins"
        )
    is_new = np.concatenate(([True], steps > 0))[: len(t_s)]
    double = int(np.count_nonzero(~is_new))
    if double > _MAX_LOST_SHARE * len(t_s):
        raise ImuFileError(
            f"{path}: {double} of {len(t_s)} rows repeat the time before: expected a time per sample, "
            "export with more decimals"
        )
    if not double:
        return t_s, gyr, acc
    notes.append(f"{double} of {len(t_s)} rows repeat the time before: left out")
    return t_s[is_new], gyr[is_new], acc[is_new]


def _from_zero(t_s: FloatArray, notes: list[str]) -> FloatArray:
    """Let wall clock times begin at 0: the wire counts 119 hours, and floats keep their microseconds."""
    if len(t_s) == 0 or 0 <= t_s[0] <= _LATEST_START_S:
        return t_s
    notes.append(f"times begin at {t_s[0]:.10g}: counted from there")
    return t_s - t_s[0]


def _even_times(t_s: FloatArray) -> FloatArray:
    """Return the even grid that the times lie on, when they all lie on one but for rounding."""
    if len(t_s) < 3:
        return t_s
    index = np.arange(len(t_s), dtype=np.float64) - (len(t_s) - 1) / 2
    period = float(np.dot(index, t_s) / np.dot(index, index))  # least squares
    grid = t_s.mean() + period * index
    grid += t_s[0] - grid[0] if t_s[0] == 0 else max(0.0, -grid[0])
    return grid if np.abs(grid - t_s).max() <= _GRID_S else t_s


def _rate_hz(path: Path, t_s: FloatArray, stated_hz: float | None, notes: list[str]) -> float:
    """Return the rate of the samples; ImuFileError when it cannot be one of an IMU worn by a person."""
    if len(t_s) < 2:
        raise ImuFileError(
            f"{path}: {len(t_s)} usable samples, expected at least {MIN_DURATION_S:g} s of them"
        )
    rate_hz = float(1 / np.median(np.diff(t_s)))
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise ImuFileError(f"{path}: {rate_hz:.4g} samples a second, {_rate_advice(1 / rate_hz)}")
    if (duration_s := float(t_s[-1] - t_s[0])) < MIN_DURATION_S:
        raise ImuFileError(f"{path}: {duration_s:.3g} s of samples, expected at least {MIN_DURATION_S:g} s")
    if stated_hz is not None and abs(stated_hz / rate_hz - 1) > 0.05:
        notes.append(f"fs says {stated_hz:g} Hz, the times say {rate_hz:.4g} Hz: the times are used")
    return rate_hz


def _rate_advice(step: float) -> str:
    """Guess the unit of times that are a step apart, in whatever unit they are."""
    for unit, per_s in (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)):
        if 20 <= per_s / step <= 500:
            return f"expected at least {MIN_RATE_HZ:g}: times look like {unit}, divide them by {per_s:g}"
    if step < 1 / MAX_RATE_HZ:
        return f"expected at most {MAX_RATE_HZ:g}: times must be in seconds"
    return f"expected at least {MIN_RATE_HZ:g}: nods and turns cannot be seen at this rate, record faster"


def _liveliest(gyr: FloatArray) -> slice:
    """Return the part of a long file with the most turning: its units are the units of all of it."""
    if len(gyr) <= 2 * _CHECKED_ROWS:
        return slice(None)
    starts = range(0, len(gyr) - _CHECKED_ROWS, _CHECKED_ROWS)
    turning = [float(np.std(gyr[start : start + _CHECKED_ROWS : 50])) for start in starts]
    start = starts[int(np.argmax(turning))]
    return slice(start, start + _CHECKED_ROWS)


def _check_acceleration(path: Path, acc: FloatArray) -> None:
    """Raise ImuFileError unless the median specific force is near gravity."""
    norm = float(np.median(np.sqrt(np.sum(acc * acc, axis=1))))
    if 0.7 * GRAVITY_M_S2 <= norm <= 1.3 * GRAVITY_M_S2:
        return
    came = f"{path}: acc has a median length of {norm:.3g}, expected m/s2 (about 9.8)"
    for unit, factor in (("g", GRAVITY_M_S2), ("mg", GRAVITY_M_S2 / 1000)):
        if 0.7 <= norm * factor / GRAVITY_M_S2 <= 1.3:
            raise ImuFileError(f"{came}: it looks like {unit}, multiply by {factor:.6g}")
    if norm < 0.3 * GRAVITY_M_S2:
        raise ImuFileError(f"{came}: gravity seems to be taken out, export the raw acceleration")
    raise ImuFileError(f"{came}: it looks like raw counts, multiply by the sensor's scale")


def _check_rotation(path: Path, gyr: FloatArray, acc: FloatArray, rate_hz: float) -> None:
    """Raise ImuFileError when the gyroscope turns far more, or far less, than gravity does in the sensor's axes.

    In sensor axes "up" u moves with du/dt = u x w. Over half a second both sides are compared by their size, after
    the median rate (bias) is taken off.
    """
    by_acc, by_gyr = _turns(gyr - np.median(gyr, axis=0), acc, rate_hz)
    if by_gyr > 0.05 and by_acc < 0.15 * by_gyr:
        raise ImuFileError(_rotation_advice(path, by_gyr / max(by_acc, 1e-9), "deg/s, multiply by 0.0174533"))
    if float(np.median(np.sqrt(np.sum(gyr * gyr, axis=1)))) > 1.0 and _turns(gyr, acc, rate_hz)[0] < 0.03:
        raise ImuFileError(
            f"{path}: gyr shows steady turning of more than 1 while gravity stands still, expected rad/s: "
            "it looks like deg/s, multiply by 0.0174533"
        )
    if by_acc > 0.1 and by_gyr < 0.1 * by_acc:
        raise ImuFileError(
            _rotation_advice(path, by_gyr / by_acc, "missing or in another unit, export it in rad/s")
        )


def _rotation_advice(path: Path, ratio: float, advice: str) -> str:
    came = f"{path}: gyr turns {ratio:.2g} times as much as gravity shows"
    return f"{came}, expected rad/s (about 1): it looks {advice}"


def _turns(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> tuple[float, float]:
    """Return the RMS change of "up" over half a second as (by the accelerometer, by the gyroscope), in rad."""
    every = max(round(_GYR_WINDOW_S * rate_hz / _GYR_WINDOW_PARTS), 1)
    parts = max(round(_GYR_WINDOW_S * rate_hz / every), 1)
    n = parts * every
    if len(acc) < 3 * n:
        return 0.0, 0.0
    up = _moving_mean(acc, n, every)
    up /= np.maximum(np.sqrt(np.sum(up * up, axis=1, keepdims=True)), 1e-9)
    by_gyr = np.cross(up, _moving_mean(gyr, n, every)) * (n / rate_hz)
    change = up[parts:] - up[:-parts]
    return _rms(change), _rms(by_gyr)


def _rms(vectors: FloatArray) -> float:
    """Return the root of the mean squared length of vectors (m, 3)."""
    return float(np.sqrt(np.mean(np.sum(vectors * vectors, axis=1))))


def _moving_mean(values: FloatArray, n: int, every: int) -> FloatArray:
    """Return the mean of n neighbouring rows, beginning at each of every so many rows."""
    total = np.cumsum(np.concatenate((np.zeros((1, values.shape[1])), values)), axis=0)
    return (total[n::every] - total[:-n:every]) / n
