"""Files with orientation or an accelerometer only become samples of both sensors, as far as one tells of the other.

An orientation tells exactly how a gyroscope turned and where gravity was; an accelerometer tells, below a movement's
speed, how "up" turned in the sensor, and nothing of turns about it. What is missing is said in a note.
"""

from __future__ import annotations

import numpy as np

from tiltwise.motion.rotation import conjugate, multiply, to_rotation_vector, up_in_sensor
from tiltwise.recording.formats.column_map import ColumnMap, missing
from tiltwise.recording.formats.orientation_columns import OrientationColumns, quaternions
from tiltwise.recording.formats.raw_table import ImuFileError, ImuTable, ReadOptions
from tiltwise.recording.formats.text_table import Head, times_of
from tiltwise.recording.formats.time_grid import even_times, grown, unit_of_times
from tiltwise.recording.formats.units import GRAVITY_M_S2, in_seconds
from tiltwise.types import LEAST_RATE_HZ, FloatArray

_CUTOFF_HZ = 1.0  # above it an accelerometer shows the movement itself, not gravity
_ORIENTATION = "orientation only ({0}): taken as earth from sensor with z up"
_ACCELERATION = (
    f"accelerometer only: inclination from gravity below {_CUTOFF_HZ:g} Hz; quick movements and turns about the "
    "vertical are not in it"
)


def lone_sensor_table(
    found: ColumnMap,
    head: Head,
    values: FloatArray,
    options: ReadOptions,
    orientation: OrientationColumns | None,
) -> ImuTable:
    """Return samples of a table without gyroscope, or without both sensors.

    Parameters
    ----------
    found, head, values
        The map of its columns, its head, and all columns (n, as many as names).
    orientation
        Its columns of orientation, if it has any.

    Raises
    ------
    ImuFileError
        When there is nothing to go by, or no time.
    """
    if orientation is None and (found.acc is None or found.gyr is not None):
        raise ImuFileError(missing(found, head.names))
    t_s = _times_s(found, head, values, options)
    acc = None
    if found.acc is not None:
        acc = np.asarray(
            sum((values[:, axes] for axes in found.acc), np.zeros(3)) * np.array(found.acc_signs)
        )
    if orientation is not None:
        return _oriented(t_s, quaternions(orientation, values), acc, orientation, found)
    assert acc is not None
    return _accelerated(t_s, acc, found)


def _times_s(found: ColumnMap, head: Head, values: FloatArray, options: ReadOptions) -> FloatArray:
    rate_hz = options.rate_hz or head.rate_hz
    t = None if options.rate_hz else times_of(found, head.rate_hz, values)
    if t is None:
        if not rate_hz:
            raise ImuFileError(
                "no column of time and no rate: say how many samples a second it has with --rate 50"
            )
        return np.arange(len(values)) / rate_hz
    return in_seconds(t, options.t_unit or unit_of_times(t, found.t_unit))


def _usable(t_s: FloatArray, *columns: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
    """Return rows without gaps in them, at growing times on their even grid."""
    is_good = np.isfinite(t_s)
    for column in columns:
        is_good &= np.isfinite(column).all(axis=1)
    t_s, kept = t_s[is_good], [column[is_good] for column in columns]
    order = np.argsort(t_s, kind="stable")
    t_s, kept = even_times(t_s[order])[0], [column[order] for column in kept]
    is_new = grown(t_s)
    t_s, kept = t_s[is_new], [column[is_new] for column in kept]
    if len(t_s) < 2:
        raise ImuFileError("fewer than two usable rows: expected times and numbers, export it again")
    return t_s, kept


def _oriented(
    t_s: FloatArray, q: FloatArray, acc: FloatArray | None, orientation: OrientationColumns, found: ColumnMap
) -> ImuTable:
    t_s, kept = _usable(t_s, q) if acc is None else _usable(t_s, q, acc)
    q = kept[0]
    turn = to_rotation_vector(multiply(conjugate(q[:-1]), q[1:]))
    gyr = turn / np.diff(t_s)[:, None]
    notes = [_ORIENTATION.format(orientation.words)]
    if acc is None:
        notes.append("its acceleration is gravity alone: walking is not seen")
    return ImuTable(
        t_s, _at_samples(gyr), GRAVITY_M_S2 * up_in_sensor(q) if acc is None else kept[1], t_unit="s",
        acc_unit="m/s2" if acc is None else found.acc_unit, gyr_unit="rad/s", notes=tuple(notes),
    )  # fmt: skip


def _at_samples(between: FloatArray) -> FloatArray:
    """Return rates (n, 3) at samples from those between them (n - 1, 3), as a gyroscope gives them."""
    return np.concatenate((between[:1], (between[1:] + between[:-1]) / 2, between[-1:]))


def _accelerated(t_s: FloatArray, acc: FloatArray, found: ColumnMap) -> ImuTable:
    from scipy import signal  # here: it takes longer to load than most commands run

    t_s, (acc,) = _usable(t_s, acc)
    rate_hz = float(1 / np.median(np.diff(t_s)))
    if rate_hz < LEAST_RATE_HZ:
        raise ImuFileError(f"{rate_hz:.3g} samples a second, expected {LEAST_RATE_HZ:g} or more")
    smooth = acc
    if len(acc) > 30:  # a forward and a backward pass need that many to begin with
        sos = signal.butter(2, _CUTOFF_HZ, fs=rate_hz, output="sos")
        smooth = np.asarray(signal.sosfiltfilt(sos, acc, axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        up = smooth / np.sqrt(np.sum(smooth * smooth, axis=1, keepdims=True))
    # The least turn that takes "up" along: du/dt = u x w, with w across u.
    middle = (up[1:] + up[:-1]) / 2
    gyr = np.cross(np.diff(up, axis=0) / np.diff(t_s)[:, None], middle)
    gyr = np.nan_to_num(_at_samples(gyr))
    return ImuTable(
        t_s,
        gyr,
        acc,
        t_unit="s",
        acc_unit=found.acc_unit,
        gyr_unit="rad/s",
        notes=(*found.notes, _ACCELERATION),
    )
