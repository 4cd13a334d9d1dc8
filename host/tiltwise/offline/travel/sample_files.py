"""Raw samples to CSV, Parquet, OpenSim `.sto`: SI units in the names, UTC in the file's name and first column.

Quaternions are w, x, y, z, earth from sensor with z up; `acc` is the specific force in sensor axes.
"""

from __future__ import annotations

from typing import IO

import numpy as np

from tiltwise.offline.travel.table_files import write_parquet
from tiltwise.store.stored_rows import DeviceSamples
from tiltwise.types import FloatArray

_ROWS = 50_000  # formatted at a time


def sample_columns(samples: DeviceSamples) -> dict[str, FloatArray]:
    """Return the samples as named columns (n,), in rad/s and m/s2; t_s counts in UTC s."""
    columns = {"t_s": samples.t_s}
    if samples.q_earth_from_sensor is not None:
        columns |= {f"q_{axis}": samples.q_earth_from_sensor[:, k] for k, axis in enumerate("wxyz")}
    if samples.gyr_rad_s is not None:
        columns |= {f"gyr_{axis}_rad_s": samples.gyr_rad_s[:, k] for k, axis in enumerate("xyz")}
    return columns | {f"acc_{axis}_m_s2": samples.acc_m_s2[:, k] for k, axis in enumerate("xyz")}


def write_samples_csv(file: IO[bytes], samples: DeviceSamples) -> None:
    """Write samples as CSV; the last digits are below half a count of any sensor."""
    columns = sample_columns(samples)
    header = ",".join(name.replace("_rad_s", " (rad/s)").replace("_m_s2", " (m/s2)") for name in columns)
    file.write(f"{header}\n".encode())
    table = np.column_stack(list(columns.values()))
    for first in range(0, len(table), _ROWS):
        np.savetxt(
            file, table[first : first + _ROWS], fmt=["%.6f"] + ["%.6f"] * (table.shape[1] - 1), delimiter=","
        )


def write_samples_parquet(file: IO[bytes], samples: DeviceSamples) -> None:
    """Write samples as Parquet, bit for bit what the store says."""
    about = {"device": samples.device, "sensor": str(samples.sensor), "t_s": "UTC s since 1970"}
    write_parquet(file, sample_columns(samples), about)


def write_sto(file: IO[bytes], samples: DeviceSamples, name: str) -> None:
    """Write an orientation table for OpenSim's OpenSense; times count from the first sample.

    Parameters
    ----------
    name
        Of the column: a frame of the model with `_imu` behind it, such as `skull_imu`.
    """
    assert samples.q_earth_from_sensor is not None
    t_s = samples.t_s - samples.t_s[0]
    rate_hz = rate_of(samples.t_s)
    head = f"DataRate={rate_hz:.6f}\nDataType=Quaternion\nversion=3\nOpenSimVersion=4.5\nendheader\ntime\t{name}\n"
    file.write(head.encode())
    table = np.column_stack((t_s, samples.q_earth_from_sensor))
    for first in range(0, len(table), _ROWS):
        np.savetxt(file, table[first : first + _ROWS], fmt="%.6f\t%.7f,%.7f,%.7f,%.7f")


def rate_of(t_s: FloatArray) -> float:
    """Return samples a second of times (n,) in s, from the middle step: gaps do not slow it."""
    step = np.diff(t_s)
    return float(1 / np.median(step)) if len(step) and np.median(step) > 0 else 0.0
