"""IMU files of other programs to checked samples in SI units.

Times in s, gyroscope in rad/s, specific force in m/s2, sensor axes. Other units, uneven stamps and missing rates are
put right where the names or the data show what was meant, and each is said in a note; what nobody can know is refused
with one line that says what to do. Reading is in recording/formats/, judging values is here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions
from tiltwise.recording.formats.time_grid import (
    even_times,
    from_zero,
    grown,
    of_one_epoch,
    rows_where,
    swapped,
    unit_of_times,
)
from tiltwise.recording.formats.units import ACCELERATIONS, GRAVITY_M_S2, RATES, in_seconds, read_options
from tiltwise.recording.gravity_check import Agreement, compare
from tiltwise.recording.imu_table import read_table
from tiltwise.types import LEAST_RATE_HZ, FloatArray

__all__ = ["ImuFile", "ImuFileError", "ReadOptions", "load_imu", "read_options"]

MAX_RATE_HZ = 2000.0  # faster no IMU of this kind samples: then the time is not in seconds
MIN_DURATION_S = 1.0
_MAX_LOST_SHARE = 0.5  # of the rows that may be NaN or double before the file is refused
_CHECKED_ROWS = 60_000  # 20 minutes at 50 Hz are enough to tell units by
_MOST_RATE = 70.0  # rad/s, 4000 deg/s, the widest range on the market
_MOST_STEADY = 1.0  # rad/s, the median of a whole file in which gravity stands still
_STILL_M_S2 = 2.0  # range of the acceleration of a sensor that lies, 12 deg
_ASSUMED_HZ = 50.0  # where a file says no rate, the first guess at it
_USUAL_RATES = (12.5, 20.0, 25.0, 26.0, 30.0, 40.0, 50.0, 52.0, 60.0, 64.0, 75.0, 100.0, 104.0, 119.0, 120.0, 128.0,
                200.0, 208.0, 238.0, 240.0, 250.0, 256.0, 400.0, 416.0, 500.0, 512.0, 833.0, 1000.0)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImuFile:
    """Checked samples: t_s (n,) growing, gyr_rad_s and acc_m_s2 (n, 3) finite; notes say what was put right."""

    t_s: FloatArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    rate_hz: float
    notes: tuple[str, ...] = ()


def load_imu(
    path: str | os.PathLike[str],
    *,
    progress: Callable[[float], None] | None = None,
    options: ReadOptions | None = None,
) -> ImuFile:
    """Read and check an IMU file.

    Parameters
    ----------
    path
        `.npz` with `t acc gyr` (and perhaps `fs`); `.csv`, `.txt` or `.parquet` with columns such as
        `t_s acc_x..z gyr_x..z` or those of a known exporter; `.zip` with a table a sensor.
    progress
        Called with the share read so far, 0 to 1, while a long text file is read.
    options
        Columns, units and rate to insist on.

    Raises
    ------
    ImuFileError
        One line: what was expected, what came, what to do.
    """
    path, options = Path(path), options or ReadOptions()
    table = read_table(path, options, progress)
    try:
        return _checked(table, options)
    except ImuFileError as error:
        raise ImuFileError(f"{path}: {error}") from None


def _checked(table: ImuTable, options: ReadOptions) -> ImuFile:
    notes, units = list(table.notes), list[str]()
    acc = _acceleration(table, options, units)
    has_times = table.t is not None and options.rate_hz is None
    if has_times:
        t_s, gyr, acc = _timed_rows(table, acc, options, units, notes)
    else:
        t_s, gyr = np.arange(len(acc)) / (options.rate_hz or table.rate_hz or _ASSUMED_HZ), table.gyr
    t_s, gyr, acc = _usable_rows(t_s, gyr, acc, notes)
    gyr, agreed = _rotation(t_s, gyr, acc, table, options, units)
    if not has_times and not (options.rate_hz or table.rate_hz):
        rate_hz = _found_rate(agreed, notes)
        t_s, agreed = t_s * (_ASSUMED_HZ / rate_hz), Agreement(0, float("nan"), float("nan"))
    if units:
        notes.append(f"converted to SI units: {', '.join(units)}")
    rate_hz = _rate_hz(t_s, table.rate_hz if has_times else None, notes)
    _judge(agreed, rate_hz, is_stated=not has_times, is_insisted=bool(options.gyr_unit), notes=notes)
    return ImuFile(t_s, gyr, acc, rate_hz, tuple(notes))


def _acceleration(table: ImuTable, options: ReadOptions, units: list[str]) -> FloatArray:
    """Return the specific force in m/s2, by the unit asked for, named, or that makes it as long as gravity."""
    with np.errstate(over="ignore", invalid="ignore"):
        x, y, z = table.acc.T
        length = np.sqrt(x * x + y * y + z * z)
    length = length[np.isfinite(length)]
    if len(length) <= (1 - _MAX_LOST_SHARE) * len(table.acc):
        return table.acc  # told as rows without numbers
    norm = float(np.median(length))
    fits = [u for u, factor in ACCELERATIONS.items() if _is_gravity(norm * factor)]
    unit = options.acc_unit or (
        table.acc_unit if table.acc_unit in fits else (fits or [table.acc_unit or "m/s2"])[0]
    )
    if unit not in fits:
        came = f"acc has a median length of {norm * ACCELERATIONS[unit]:.3g} m/s2, expected about 9.8"
        if norm * ACCELERATIONS[unit] < 0.3 * GRAVITY_M_S2:
            raise ImuFileError(f"{came}: gravity seems to be taken out, export the raw acceleration")
        raise ImuFileError(
            f"{came}: it looks like raw counts or another unit, multiply by the sensor's scale"
        )
    if unit != "m/s2":
        units.append(f"acceleration from {unit}{_by(options.acc_unit, table.acc_unit, unit)}")
    return table.acc * ACCELERATIONS[unit]


def _is_gravity(norm_m_s2: float) -> bool:
    return 0.7 <= norm_m_s2 / GRAVITY_M_S2 <= 1.3


def _by(asked: str, named: str, unit: str) -> str:
    """Say where a unit is from, when it was neither asked for nor named."""
    return "" if unit in (asked, named) else " (found from the data; --units insists)"


def _timed_rows(
    table: ImuTable, acc: FloatArray, options: ReadOptions, units: list[str], notes: list[str]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rows with a time, in order, with the times in s that their stamps stand for."""
    assert table.t is not None
    t, gyr = table.t, table.gyr
    is_timed = np.isfinite(t)
    if np.count_nonzero(~is_timed) > _MAX_LOST_SHARE * len(t):
        raise ImuFileError(
            f"{np.count_nonzero(~is_timed)} of {len(t)} rows hold NaN or infinity: expected numbers, export again"
        )
    if not is_timed.all():
        notes.append(f"{np.count_nonzero(~is_timed)} of {len(t)} rows have no time: left out")
    t, gyr, acc = rows_where(is_timed, t, gyr, acc)
    unit = options.t_unit or unit_of_times(t, table.t_unit)
    if unit != "s":
        units.append(f"times from {unit}{_by(options.t_unit, table.t_unit, unit)}")
    t_s = in_seconds(t, unit)
    is_near = of_one_epoch(t_s)
    if not is_near.all():
        notes.append(f"{np.count_nonzero(~is_near)} rows with times of another epoch: left out")
    t_s, gyr, acc = _in_order(*rows_where(is_near, t_s, gyr, acc), notes)
    t_s = from_zero(t_s, notes)
    t_s, said = even_times(t_s)
    if said:
        notes.append(said)
    return t_s, gyr, acc


def _in_order(
    t_s: FloatArray, gyr: FloatArray, acc: FloatArray, notes: list[str]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sort swapped rows and drop doubled ones; refuse times that begin anew, for nobody can know what was meant."""
    count = swapped(t_s)
    if count is None:
        k = int(np.argmax(np.diff(t_s) < 0)) + 1
        raise ImuFileError(
            f"times go back at row {k + 1} ({t_s[k]:.10g} after {t_s[k - 1]:.10g}): expected growing times, "
            "sort the rows or split the file where a new recording begins"
        )
    if count:
        order = np.argsort(t_s, kind="stable")
        t_s, gyr, acc = t_s[order], gyr[order], acc[order]
        notes.append(f"{count} of {len(t_s)} rows stood after a later one: put in order")
    is_double = np.diff(t_s) == 0
    if is_double.any():
        at = np.flatnonzero(is_double)
        is_double[at] = ((gyr[at + 1] == gyr[at]) & (acc[at + 1] == acc[at])).all(axis=1)
    if is_double.any():
        keep = np.concatenate(([True], ~is_double))
        notes.append(f"{np.count_nonzero(is_double)} of {len(t_s)} rows repeat the row before: left out")
        t_s, gyr, acc = t_s[keep], gyr[keep], acc[keep]
    return t_s, gyr, acc


def _usable_rows(
    t_s: FloatArray, gyr: FloatArray, acc: FloatArray, notes: list[str]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Drop rows with values that are not finite, which become gaps, and those whose time does not grow."""
    # A sum is finite only if all its parts are, and much quicker to look at.
    with np.errstate(invalid="ignore", over="ignore"):
        is_good = np.isfinite(np.einsum("ij->i", gyr) + np.einsum("ij->i", acc))
    bad, n = int(np.count_nonzero(~is_good)), len(is_good)
    if bad > _MAX_LOST_SHARE * n:
        raise ImuFileError(f"{bad} of {n} rows hold NaN or infinity: expected numbers, export again")
    if bad:
        notes.append(f"{bad} of {n} rows hold no number, NaN or infinity: left out, shown as gaps")
        t_s, gyr, acc = t_s[is_good], gyr[is_good], acc[is_good]
    is_new = grown(t_s)
    double = int(np.count_nonzero(~is_new))
    if double > _MAX_LOST_SHARE * len(t_s):
        raise ImuFileError(
            f"{double} of {len(t_s)} rows repeat the time before, without an even pattern: expected a time per "
            "sample, export with more decimals, or give --rate"
        )
    if double:
        notes.append(f"{double} of {len(t_s)} rows repeat the time before: left out")
        t_s, gyr, acc = t_s[is_new], gyr[is_new], acc[is_new]
    return t_s, gyr, acc


def _rotation(
    t_s: FloatArray, gyr: FloatArray, acc: FloatArray, table: ImuTable, options: ReadOptions, units: list[str]
) -> tuple[FloatArray, Agreement]:
    """Return the angular rate in rad/s and how it agrees with gravity's turns."""
    part = _liveliest(gyr)
    unit = options.gyr_unit or table.gyr_unit
    agreed = compare(t_s[part], gyr[part] * RATES[unit or "rad/s"], acc[part])
    if not (options.gyr_unit or agreed.fits):
        ranges = np.ptp(acc[part][:: max(1, len(acc) // 500)], axis=0) if len(acc) else np.zeros(3)
        is_still = bool(np.all(ranges < _STILL_M_S2))
        for other in RATES:
            checked = compare(t_s[part], gyr[part] * RATES[other], acc[part])
            if _is_rather(unit or "rad/s", other, gyr[part], agreed, checked, is_still=is_still):
                unit, agreed = other, checked
                break
    if unit and unit != "rad/s":
        units.append(f"angular rate from {unit}{_by(options.gyr_unit, table.gyr_unit, unit)}")
    return gyr * RATES[unit or "rad/s"], agreed


def _is_rather(
    unit: str, other: str, gyr: FloatArray, agreed: Agreement, checked: Agreement, *, is_still: bool
) -> bool:
    """Whether the angular rate is rather in the other, smaller unit than in this one.

    Nobody turns at 70 rad/s, nor steadily at 1 rad/s while gravity stands still; and where gravity turns, it turns
    as much as the gyroscope says: agreed is by `unit`, checked by the other; is_still: gravity turns nowhere.
    """
    factor = RATES[other] / RATES[unit]
    if factor >= 1 or len(gyr) == 0:
        return False
    peak = float(np.abs(gyr).max()) * RATES[unit]
    if peak > _MOST_RATE:
        return peak * factor <= _MOST_RATE
    if checked.is_told:
        return checked.fits
    steady = float(np.median(np.sqrt(np.sum(gyr * gyr, axis=1)))) * RATES[unit]
    is_turned_alone = agreed.is_told and abs(agreed.ratio) < 3 * RATES["deg/s"]  # by the gyroscope only
    return other == "deg/s" and is_still and (is_turned_alone or steady > _MOST_STEADY)


def _liveliest(gyr: FloatArray) -> slice:
    """Return the part of a long file with the most turning: its units are the units of all of it."""
    if len(gyr) <= 2 * _CHECKED_ROWS:
        return slice(None)
    starts = range(0, len(gyr) - _CHECKED_ROWS, _CHECKED_ROWS)
    turning = [float(np.std(gyr[start : start + _CHECKED_ROWS : 50])) for start in starts]
    start = starts[int(np.argmax(turning))]
    return slice(start, start + _CHECKED_ROWS)


def _found_rate(agreed: Agreement, notes: list[str]) -> float:
    """Return the rate at which gravity and gyroscope turn alike; ImuFileError when the motion does not tell."""
    if not agreed.is_sure:
        raise ImuFileError(
            "no column of time and no rate: say how many samples a second it has with --rate 50"
        )
    told_hz = _ASSUMED_HZ / agreed.ratio
    rate_hz = min(_USUAL_RATES, key=lambda usual: abs(np.log(usual / told_hz)))
    notes.append(
        f"no times and no rate: gravity and gyroscope turn alike at about {told_hz:.3g} samples a second, "
        f"taken as {rate_hz:g}; give --rate if you know it"
    )
    return rate_hz


def _judge(
    agreed: Agreement, rate_hz: float, *, is_stated: bool, is_insisted: bool, notes: list[str]
) -> None:
    """Refuse a gyroscope that describes another motion than gravity does; a note only when its unit was given."""
    if agreed.is_right:
        return
    if agreed.is_silent:
        said = (
            "gravity turns and the gyroscope does not: it is missing or in another unit, export it in rad/s"
        )
    elif agreed.better:
        said = (
            "the gyroscope turns about other axes or the other way than gravity does: it fits as "
            f"--columns gyr={agreed.better} (by the names that its columns have), or the acceleration is swapped"
        )
    else:
        scale = 1 / agreed.ratio
        said = f"gyr turns {scale:.2g} times as much as gravity shows, expected about 1"
        if is_stated:
            said += (
                f": at {rate_hz * scale:.3g} instead of {rate_hz:.4g} samples a second they would agree; "
                f"give --rate {_usual(rate_hz * scale):g}, or correct the gyroscope's scale"
            )
        else:
            said += ": its scale or the times are wrong; correct them (--units rad/s takes them as they are)"
    if not is_insisted:
        raise ImuFileError(said)
    notes.append(said)


def _usual(rate_hz: float) -> float:
    return min(_USUAL_RATES, key=lambda usual: abs(np.log(usual / rate_hz)))


def _rate_hz(t_s: FloatArray, stated_hz: float | None, notes: list[str]) -> float:
    """Return the rate of the samples; ImuFileError when it cannot be one of an IMU worn by a person."""
    if len(t_s) < 2:
        raise ImuFileError(f"{len(t_s)} usable samples, expected at least {MIN_DURATION_S:g} s of them")
    rate_hz = float(1 / np.median(np.diff(t_s)))
    if rate_hz > MAX_RATE_HZ:
        raise ImuFileError(
            f"{rate_hz:.4g} samples a second, expected at most {MAX_RATE_HZ:g}: times must be in seconds"
        )
    if rate_hz < LEAST_RATE_HZ * 0.99:  # a clock that is a little off
        raise ImuFileError(
            f"{rate_hz:.4g} samples a second, expected at least {LEAST_RATE_HZ:g}: slower, nods and turns cannot be "
            "seen; record faster"
        )
    # The last sample lasts as long as the others: a hundred of them at 100 Hz are a second.
    if (duration_s := float(t_s[-1] - t_s[0]) + 1 / rate_hz) < 0.999 * MIN_DURATION_S:
        raise ImuFileError(
            f"{duration_s:.3g} s of samples, expected at least {MIN_DURATION_S:g} s: record longer"
        )
    if stated_hz and abs(stated_hz / rate_hz - 1) > 0.05:
        notes.append(f"the file states {stated_hz:g} Hz, its times say {rate_hz:.4g} Hz: the times are used")
    return rate_hz
