"""A year of raw samples analysed again, from .npz files to summaries: some days are run, the year is computed.

A day is 8 h at 50 Hz of a simulated desk (accuracy/processing_speed.py); each run is a process of its own, with what
`import tiltwise` takes. Times in s, memory in MB.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise_lab.bench.accuracy.processing_speed import made_day
from tiltwise_lab.bench.timed_process import timed_process

DAYS_A_YEAR, HOURS_A_DAY, CORES = 260, 8.0, 2
_CODE = (
    "from pathlib import Path\n"
    "from tiltwise.motion.calibration.mounting import Mounting\nfrom tiltwise.types import Mount\n"
    "from tiltwise_lab.bench.accuracy.processing_speed import offline_path\n"
    "for n in range(1, {days} + 1):\n    offline_path(Path({path!r}), Mounting(Mount({mount!r}), {q}, {axes!r}))"
)


@dataclass(frozen=True, slots=True)
class RawYearRow:
    """Days run, samples of each, processor time of a day, the most memory, and the year on two cores from these."""

    days: int
    samples: int
    day_cpu_s: float
    most_mb: float
    year_s: float


def raw_year_row(days: int, hours: float = HOURS_A_DAY, seed: int = 1) -> RawYearRow:
    """Run days one after the other, and return what a year of them would take on two cores with nothing else."""
    made = made_day(hours, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.npz"
        np.savez(path, t=made.imu.t_s, gyr=made.imu.gyr_rad_s, acc=made.imu.acc_m_s2)
        done = timed_process(
            _CODE.format(
                days=days, path=str(path), mount=str(made.mounting.mount), axes=made.mounting.axes,
                q=tuple(map(float, made.mounting.q_sensor_from_body)),
            )
        )  # fmt: skip
    day_s = done.cpu_s / days
    year_s = day_s * HOURS_A_DAY / hours * DAYS_A_YEAR / CORES
    return RawYearRow(done.n, made.samples, day_s, done.most_mb, year_s)
