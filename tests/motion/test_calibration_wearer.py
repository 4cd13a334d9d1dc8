"""The ritual on simulated people, with soft tissue and any mounting: found live, and angles near the truth."""

import numpy as np
import pytest

from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.guided_calibration import find_guided_calibration
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.motion.rotation import conjugate, multiply, to_rotation_vector
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import FloatArray, Mount

SEEDS = range(12)
ANGLES = ("inclination_deg", "flexion_deg", "lateral_deg")
T_S = np.arange(0, 120, 0.02)


def _rmse(found: FloatArray, true: FloatArray) -> float:
    return float(np.sqrt(np.nanmean((found - true) ** 2)))


@pytest.mark.parametrize("mount", list(Mount))
def test_simulated_people_are_calibrated_by_their_ritual(mount: Mount) -> None:
    mounting_deg, rmse_deg, median_deg = [], [], []
    for seed in SEEDS:
        wearer = Wearer("desk", seed=seed, minutes=2, mount=mount, misalignment_deg=30.0)
        block = OrientationStage().process(wearer.imu(T_S))
        mounting = find_guided_calibration([block], mount=mount)
        error = multiply(conjugate(wearer.q_sensor_from_body(0.0)), mounting.q)
        mounting_deg.append(np.degrees(np.linalg.norm(to_rotation_vector(error))))
        truth = wearer.motion(T_S)
        kept = (T_S > 15) & truth.is_worn
        if kept[T_S > 15].all():  # put on again it sits differently: another calibration's business
            angles = AnglesStage(mounting).process(block)
            rmse_deg.append([_rmse(getattr(angles, k)[kept], getattr(truth, k)[kept]) for k in ANGLES])
            median_deg.append(
                abs(np.nanmedian(angles.flexion_deg[kept]) - np.median(truth.flexion_deg[kept]))
            )
    limits = {
        name: round(float(x), 2) for name, x in zip(ANGLES, np.percentile(rmse_deg, 90, axis=0), strict=True)
    }
    worst = f"mounting up to {np.max(mounting_deg):.1f} deg, P50 of flexion off by up to {np.max(median_deg):.1f} deg"
    print(f"{mount}, part turned by +-30 deg: {worst}; RMSE, 90 % below: {limits}")
    assert len(rmse_deg) >= 6
    # deg: these people nod a few degrees crookedly, which turns forward with it and hardly touches flexion;
    # swaying while "still" moves the neutral by about 1, and the part slips on skin and cloth by as much.
    assert np.percentile(mounting_deg, 90) < 8.0
    assert limits["inclination_deg"] < 2.0
    assert limits["flexion_deg"] < 2.0
    assert limits["lateral_deg"] < 2.0
    assert np.percentile(median_deg, 90) < 2.0  # deg: the promise about remounting
