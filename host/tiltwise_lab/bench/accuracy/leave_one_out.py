"""Our filters with parameters that were chosen without the trial that scores them: what is left of being tuned.

Settings are drawn at random around ours (each parameter times 1/3 to 3), for every trial the draw that is best on all
others is taken, and that trial scores it. What we ship is not among the draws: it was chosen with all trials in
sight. Errors are RMS inclination in degrees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tiltwise.common import fusion, tilt_filter
from tiltwise.motion.orientation.estimator import estimate_motion
from tiltwise.motion.orientation.gravity_filter import GravitySettings
from tiltwise.motion.rotation import normalise, up_in_sensor
from tiltwise.types import FloatArray
from tiltwise_lab.bench.accuracy.number_types import load_with
from tiltwise_lab.bench.accuracy.orientation_error import OrientationTrial, inclination_rmse_deg

FACTOR = 3.0
# What decides on recordings without gaps; the rest only matters at the start and across gaps.
HOST = (
    "gyr_matrix", "bias_walk_rad_s", "gyr_noise_rad", "gyr_nonlinear", "turn_error_factor", "acc_delay_s",
    "acc_noise_m_s", "velocity_m_s", "velocity_per_acc_s", "velocity_rate_hz", "acc_memory_s", "rest_velocity_m_s",
    "rest_bias_rad_s",
)  # fmt: skip
BOARD = (
    "_STILL_SPEED2", "_SWING_S2", "_SWING_MEAN_S", "_KEEPS_S", "_REST_SPEED2_S", "_TILT_WALK", "_SCALE_WALK",
    "_BIAS_WALK", "_REST_BIAS2_S",
)  # fmt: skip

Run = Callable[[OrientationTrial, Mapping[str, float]], FloatArray]


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """One of our filters: mean error in degrees with the parameters shipped, and with those chosen without the trial.

    median_deg: of all draws, which says how much the parameters matter at all.
    """

    method: str
    draws: int
    shipped_deg: float
    left_out_deg: float
    median_deg: float


def leave_one_out_rows(
    trials: Sequence[OrientationTrial], draws: int = 32, seed: int = 1
) -> Iterator[tuple[float, LeaveOneOut]]:
    """Yield the share done and a row for each of our filters; the draws are from `seed`."""
    filters: tuple[tuple[str, Run, Mapping[str, float]], ...] = (
        ("online", _online, _shipped_host()),
        ("offline", _offline, _shipped_host()),
        ("firmware", _firmware, {name: float(getattr(tilt_filter, name)) for name in BOARD}),
    )
    for k, (name, run, shipped) in enumerate(filters):
        rng = np.random.default_rng(seed)
        factors = FACTOR ** rng.uniform(-1, 1, (draws, len(shipped)))
        errors = np.array([_errors_deg(run, trials, _scaled(shipped, row)) for row in factors])
        yield (
            (k + 1) / len(filters),
            LeaveOneOut(
                method=name,
                draws=draws,
                shipped_deg=float(np.mean(_errors_deg(run, trials, shipped))),
                left_out_deg=left_out_mean(errors),
                median_deg=float(np.median(errors.mean(axis=1))),
            ),
        )


def left_out_mean(errors: FloatArray) -> float:
    """Return the mean over trials of errors (draws, trials), each of the draw that is best on all others."""
    others = errors.sum(axis=1, keepdims=True) - errors
    best = np.argmin(others, axis=0)
    return float(np.mean(errors[best, np.arange(errors.shape[1])]))


def _shipped_host() -> dict[str, float]:
    return {name: float(getattr(GravitySettings(), name)) for name in HOST}


def _scaled(shipped: Mapping[str, float], factors: FloatArray) -> dict[str, float]:
    return {
        name: value * float(factor) for (name, value), factor in zip(shipped.items(), factors, strict=True)
    }


def _errors_deg(run: Run, trials: Sequence[OrientationTrial], values: Mapping[str, float]) -> list[float]:
    return [inclination_rmse_deg(trial, up_in_sensor(normalise(run(trial, values)))) for trial in trials]


def _online(trial: OrientationTrial, values: Mapping[str, float]) -> FloatArray:
    return _host(trial, values, is_offline=False)


def _offline(trial: OrientationTrial, values: Mapping[str, float]) -> FloatArray:
    return _host(trial, values, is_offline=True)


def _host(trial: OrientationTrial, values: Mapping[str, float], *, is_offline: bool) -> FloatArray:
    t_s = np.arange(len(trial.gyr)) / trial.rate_hz
    settings = replace(GravitySettings(), **values)
    return estimate_motion(
        t_s, trial.gyr, trial.acc, offline=is_offline, settings=settings
    ).q_earth_from_sensor


def _firmware(trial: OrientationTrial, values: Mapping[str, float]) -> FloatArray:
    """Run a copy of the board's filter with other constants, sample by sample."""
    module = load_with(fusion, float, math.sqrt)
    module.TiltFilter.correct.__globals__.update(values)
    board = module.Fusion(trial.rate_hz)
    out = np.empty((len(trial.gyr), 4))
    for k, row in enumerate(np.hstack([trial.gyr, trial.acc]).tolist()):
        board.update(*row)
        out[k] = board.q
    return out
