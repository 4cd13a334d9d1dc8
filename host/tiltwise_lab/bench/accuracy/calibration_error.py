"""`tiltwise bench calibration`: how much remounting changes a day's angles, and which wrong calibrations are refused.

Simulated people put the part on turned by up to 30 deg on each axis (beyond which way its chip lies) and calibrate,
rightly or wrongly (calibration_variants.py), with and without the host knowing which way the case faces
(motion/calibration/case_axes.py). Ideal IMU at 50 Hz; degrees and seconds. accuracy_tables.py prints the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.guided_calibration import (
    CalibrationProgress,
    GuidedCalibration,
    find_guided_calibration,
)
from tiltwise.motion.calibration.mounting import Mounting, remount_change_deg
from tiltwise.motion.calibration.sitting_still import CalibrationError
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.motion.rotation import angle_between_deg, rotate
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import ImuBlock, Mount, OrientationBlock
from tiltwise_lab.bench.accuracy.calibration_variants import CALIBRATIONS, REMOUNT_DEG, calibrating_wearer
from tiltwise_lab.bench.accuracy.simulated_run import motion_at, true_mounting

RATE_HZ = 50.0
CAREFUL_DEG = 12.0  # how crooked a case is worn by somebody who minds
DAY_MINUTES = 20.0
_CHUNK = 4096
_PIECE = 600  # 12 s: most calibrations are over after one


@dataclass(frozen=True, slots=True)
class DayRow:
    """One remounted day. `up_deg` and `forward_deg` are the two parts of the mounting's error.

    p50_deg is the day's median flexion while worn, with the true mounting; p50_change_deg is how far the calibrated
    mounting shifts it. A refused calibration has its reason, and NaN.
    """

    mount: Mount
    seed: int
    refused: str
    quality: float
    mounting_error_deg: float
    up_deg: float
    forward_deg: float
    p50_deg: float
    p50_change_deg: float


@dataclass(frozen=True, slots=True)
class GuidedCalibrationRow:
    """One way of calibrating. Unfinished ones gave no mounting either: the guide still waits for movements.

    faced and faced_careful count those accepted when the host knows which way the case faces, the part being turned
    by up to 30 and 12 deg. error_deg is the median error of the mountings accepted without that knowledge, or NaN.
    """

    mount: Mount
    kind: str
    is_right: bool
    tries: int
    refused: int
    accepted: int
    unfinished: int
    faced: int
    faced_careful: int
    error_deg: float
    reasons: tuple[tuple[str, int], ...]

    @property
    def not_accepted_percent(self) -> float:
        """Share of the tries that gave no mounting."""
        return 100.0 * (self.tries - self.accepted) / self.tries


def day_rows(
    seeds: Sequence[int] = tuple(range(20)),
    *,
    mounts: Sequence[Mount] = tuple(Mount),
    minutes: float = DAY_MINUTES,
) -> Iterator[tuple[float, DayRow]]:
    """Yield the share done and a row for each mount and seed: a `desk` scenario of this length."""
    jobs = [(mount, seed) for mount in mounts for seed in seeds]
    for k, (mount, seed) in enumerate(jobs):
        yield (k + 1) / len(jobs), day_row(mount, seed, minutes)


def guided_calibration_rows(
    seeds: Sequence[int] = tuple(range(40)), *, mounts: Sequence[Mount] = tuple(Mount)
) -> Iterator[tuple[float, GuidedCalibrationRow]]:
    """Yield the share done and a row for each mount and way of calibrating, the right one first."""
    jobs = [(mount, kind) for mount in mounts for kind, way in CALIBRATIONS.items() if mount in way.mounts]
    for k, (mount, kind) in enumerate(jobs):
        yield (k + 1) / len(jobs), guided_calibration_row(mount, kind, seeds)


def day_row(mount: Mount, seed: int, minutes: float = DAY_MINUTES) -> DayRow:
    """Calibrate one person and compare the day's median flexion with that of the true mounting.

    After breaks the part is put back exactly as it was, so that only the calibration is measured.
    """
    wearer = Wearer(
        "desk", seed=seed, minutes=minutes, mount=mount, misalignment_deg=REMOUNT_DEG, remount_deg=0.0
    )
    block = _oriented(wearer)
    true = true_mounting(wearer, 0.0)
    nan = float("nan")
    try:
        mounting = find_guided_calibration([block], mount=mount)
    except CalibrationError as error:
        return DayRow(mount, seed, _without_figures(str(error)), nan, nan, nan, nan, nan, nan)
    calibration_end_s = wearer.truth().calibrations[0].tilt_end_s
    use = motion_at(wearer, block.t_s).is_worn & (block.t_s > calibration_end_s)
    p50_deg, ours_deg = (_median_flexion_deg(m, block, use) for m in (true, mounting))
    return DayRow(
        mount,
        seed,
        "",
        mounting.quality,
        remount_change_deg(true, mounting),
        float(angle_between_deg(true.up_sensor, mounting.up_sensor)),
        _forward_error_deg(true, mounting),
        p50_deg,
        ours_deg - p50_deg,
    )


def guided_calibration_row(mount: Mount, kind: str, seeds: Sequence[int]) -> GuidedCalibrationRow:
    """Let one person for each seed calibrate in this way, and count the host's verdicts."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    errors_deg = []
    for seed in seeds:
        wearer = calibrating_wearer(mount, kind, seed)
        progress, faced = _verdicts(wearer)
        outcomes["faced"] += faced.mounting is not None
        if progress.mounting is not None:
            outcomes["accepted"] += 1
            outcomes["careful"] += (
                _verdicts(calibrating_wearer(mount, kind, seed, CAREFUL_DEG))[1].mounting is not None
            )
            errors_deg.append(remount_change_deg(true_mounting(wearer, 0.0), progress.mounting))
        elif progress.is_over:
            outcomes["refused"] += 1
            reasons[_without_figures(progress.reason)] += 1
        else:
            outcomes["unfinished"] += 1
    return GuidedCalibrationRow(
        mount,
        kind,
        CALIBRATIONS[kind].is_right,
        len(seeds),
        outcomes["refused"],
        outcomes["accepted"],
        outcomes["unfinished"],
        outcomes["faced"],
        outcomes["careful"],
        float(np.median(errors_deg)) if errors_deg else float("nan"),
        tuple(reasons.most_common()),
    )


def _verdicts(wearer: Wearer) -> tuple[CalibrationProgress, CalibrationProgress]:
    """Return the host's verdict without and with knowledge of which way the case faces."""
    mount, stage = wearer.mount, OrientationStage()
    calibrations = (GuidedCalibration(mount), GuidedCalibration(mount, outward=wearer.outward()))
    t_s = np.arange(0.0, wearer.duration_s, 1 / RATE_HZ)
    for start in range(0, len(t_s), _PIECE):
        block = stage.process(wearer.imu(t_s[start : start + _PIECE]))
        for calibration in calibrations:
            calibration.process(block)
        if all(calibration.progress.is_over for calibration in calibrations):
            break
    return calibrations[0].progress, calibrations[1].progress


def _oriented(wearer: Wearer) -> OrientationBlock:
    t_s = np.arange(0.0, wearer.duration_s, 1 / RATE_HZ)
    parts = [wearer.imu(part) for part in np.array_split(t_s, len(t_s) // _CHUNK + 1)]
    gyr, acc = (np.concatenate([getattr(p, name) for p in parts]) for name in ("gyr_rad_s", "acc_m_s2"))
    return OrientationStage().process(ImuBlock(t_s, gyr, acc))


def _median_flexion_deg(mounting: Mounting, block: OrientationBlock, use: NDArray[np.bool_]) -> float:
    return float(np.nanmedian(AnglesStage(mounting).process(block).flexion_deg[use]))


def _forward_error_deg(true: Mounting, ours: Mounting) -> float:
    """Angle between the two forward directions in the true horizontal plane."""
    left = rotate(ours.q, np.array([0.0, 1.0, 0.0]))
    axes = [rotate(true.q, axis) for axis in np.eye(3)[:2]]
    x, y = (float(np.sum(left * axis)) for axis in axes)
    return float(np.degrees(np.arctan2(abs(x), y)))


def _without_figures(reason: str) -> str:
    """Return a reason without its figures and advice, so that equal ones can be counted."""
    return re.sub(r"[\d.]+", "#", re.split(r"[:(,]", reason)[0]).strip()
