"""IMU files for the tests of the commands: somebody sits still, then leans forward and back again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
COLUMNS = ("t_s", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")


def leaning(
    seconds: float = 60.0,
    *,
    lean_deg: float = 40.0,
    start_s: float = 8.0,
    end_s: float = 52.0,
    rate_hz: float = 50.0,
) -> tuple[Array, Array, Array]:
    """Return t_s (n,), acc_m_s2 and gyr_rad_s (n, 3): leant forward about y in [start_s, end_s), z up before."""
    rng = np.random.default_rng(1)
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    ramp = np.clip((t_s - start_s) / 2, 0, 1) * np.clip((end_s - t_s) / 2, 0, 1)
    angle = np.deg2rad(lean_deg) * ramp * ramp * (3 - 2 * ramp)
    nothing = np.zeros_like(t_s)
    acc = 9.80665 * np.stack([-np.sin(angle), nothing, np.cos(angle)], axis=1)
    gyr = np.stack([nothing, np.gradient(angle, t_s), nothing], axis=1)
    shape = (len(t_s), 3)
    return t_s, acc + rng.normal(0, 0.02, shape), gyr + rng.normal(0, 0.002, shape)


def save(path: Path, t_s: Array, acc: Array, gyr: Array) -> Path:
    """Write an .npz, .csv or .parquet file."""
    table = np.column_stack([t_s, acc, gyr])
    if path.suffix == ".npz":
        with path.open("wb") as file:
            np.savez(file, t=t_s, acc=acc, gyr=gyr)
    elif path.suffix == ".csv":
        np.savetxt(path, table, "%.6f", ",", header=",".join(COLUMNS), comments="")
    else:
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table(dict(zip(COLUMNS, table.T, strict=True))), path)
    return path
