"""A year of raw samples analysed again, from .npz files to summaries: some days are run, the year is computed.

A day is 8 h at 50 Hz of a simulated desk (accuracy/processing_speed.py). The days run in a process of their
own; what a process imports once, 2 s of the minutes of a year, is not in the time. Times in s, memory in MB.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vqf

from tiltwise_lab.bench.accuracy.processing_speed import RATE_HZ, made_day
from tiltwise_lab.bench.timed_process import timed_process

DAYS_A_YEAR, HOURS_A_DAY, CORES = 260, 8.0, 2
_IMPORTS = (
    "from pathlib import Path\nimport scipy.signal\n"
    "from tiltwise.motion.calibration.mounting import Mounting\nfrom tiltwise.types import Mount\n"
    "from tiltwise_lab.bench.accuracy.processing_speed import offline_path"
)
_CODE = "for n in range(1, {days} + 1):\n    offline_path(Path({path!r}), Mounting(Mount({mount!r}), {q}, {axes!r}))"


@dataclass(frozen=True, slots=True)
class RawYearRow:
    """Days run, samples of each, processor time of a day, the most memory, and the year on two cores from these.

    filter_year_s is the same of VQF's compiled filter alone, without reading, angles, detectors or summary.
    """

    days: int
    samples: int
    day_cpu_s: float
    most_mb: float
    year_s: float
    filter_year_s: float


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
            ), _IMPORTS,
        )  # fmt: skip
    began_s = time.process_time()
    vqf.VQF(1 / RATE_HZ).updateBatch(made.imu.gyr_rad_s, made.imu.acc_m_s2)
    filter_s, day_s = time.process_time() - began_s, done.cpu_s / days
    years = HOURS_A_DAY / hours * DAYS_A_YEAR / CORES
    return RawYearRow(done.n, made.samples, day_s, done.most_mb, day_s * years, filter_s * years)
