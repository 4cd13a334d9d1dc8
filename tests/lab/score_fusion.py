"""Score the board's orientation filter beside VQF on recordings with optical truth: RMS inclination error in degrees.

    python tests/lab/score_fusion.py [--rate 50] [--stride 2] [--float32] [--skip-rest] [--bias DEG_S]

A recording is an .npz with fs, gyr, acc, quat (truth at the sample times) and movement (what is scored). The error is
the angle between the estimated and the true direction of gravity in the sensor, at the sample, without any alignment.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vqf
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tiltwise.common import fusion

sys.path.insert(0, str(Path(__file__).parent.parent))
from lab.number_types import Counted, load_counted
from tiltwise_lab.bench.accuracy.number_types import load_single

Array = NDArray[np.float64]
CHECKOUT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class ScoredRecording:
    """One recording: (n, 3) rad/s and m/s2, (n, 4) truth, (n,) what is scored."""

    name: str
    rate_hz: float
    gyr: Array
    acc: Array
    truth: Array
    scored: NDArray[np.bool_]


def load_trial(
    path: Path, rate_hz: float | None = None, skip_rest: bool = False, bias_deg_s: float = 0.0
) -> ScoredRecording:
    """Read a recording, brought to a rate that divides its own, without its rest at the start, with added bias."""
    with np.load(path) as file:
        native_hz = float(file["fs"])
        gyr, acc = file["gyr"].astype(float), file["acc"].astype(float)
        truth, scored = file["quat"].astype(float), file["movement"].astype(bool)
    step = round(native_hz / (rate_hz or native_hz))
    if rate_hz and abs(native_hz / step - rate_hz) > 1e-6:
        raise SystemExit(
            f"{path.name} has {native_hz:g} Hz: expected a rate that divides it, got {rate_hz:g} Hz"
        )
    if step > 1:
        gyr, acc = (resample_poly(x, 1, step, axis=0, padtype="line") for x in (gyr, acc))
        truth, scored = truth[::step], scored[::step]
    start = int(np.argmax(scored)) if skip_rest else 0
    return ScoredRecording(
        name=path.stem,
        rate_hz=native_hz / step,
        gyr=np.ascontiguousarray(gyr[start:] + np.radians(bias_deg_s)),
        acc=np.ascontiguousarray(acc[start:]),
        truth=truth[start:],
        scored=scored[start:] & np.isfinite(truth[start:]).all(axis=1),
    )


def up_in_sensor(q: Array) -> Array:
    """Return the earth's z axis in sensor axes, (n, 3), of quaternions q_earth_from_sensor of any norm."""
    w, x, y, z = (q / np.sqrt((q * q).sum(axis=1, keepdims=True))).T
    return np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], axis=1)


def inclination_rmse_deg(trial: ScoredRecording, q: Array) -> float:
    """Return the RMS angle between the estimated and the true direction of gravity, while scored."""
    scored = trial.scored & np.isfinite(q[:, 0])
    up, true_up = up_in_sensor(q[scored]), up_in_sensor(trial.truth[scored])
    # The chord is exact for small angles, where the cosine is not.
    angle = 2 * np.arcsin(np.clip(np.linalg.norm(up - true_up, axis=1) / 2, 0, 1))
    return float(np.degrees(np.sqrt(np.mean(angle**2))))


def run_fusion(trial: ScoredRecording, *, single: bool = False, stride: int = 1) -> Array:
    """Return the orientations (n, 4) of the board's filter; NaN where a stride of 2 gives none."""
    number = np.float32 if single else float
    module = load_single(fusion) if single else fusion
    estimator = module.Fusion(number(trial.rate_hz), stride=stride)
    samples = np.hstack([trial.gyr, trial.acc])
    rows = samples.astype(np.float32) if single else samples.tolist()
    q = np.full((len(samples), 4), np.nan)
    for k, row in enumerate(rows):
        estimator.update(*row)
        if estimator.is_current:
            q[k] = estimator.q
    return q


def run_vqf(trial: ScoredRecording) -> Array:
    """Return the orientations (n, 4) of VQF as shipped."""
    estimates = vqf.VQF(1 / trial.rate_hz).updateBatch(trial.gyr, trial.acc)
    return np.asarray(estimates["quat6D"])


def operations_per_sample(trial: ScoredRecording, stride: int, seconds: float = 60.0) -> tuple[float, float]:
    """Return the float operations per sample, fed with floats and fed with integer counts."""
    n = int(seconds * trial.rate_hz)
    middle = int(np.argmax(trial.scored))
    samples = np.hstack([trial.gyr, trial.acc])[middle : middle + n]
    units = np.radians(0.07), 9.80665 / 4096  # of a sensor with 2000 deg/s and 8 g in 16 bit
    counts = np.round(samples / np.repeat(units, 3)).astype(int)
    module = load_counted(fusion)
    result = []
    for estimator, rows in (
        (
            module.Fusion(Counted(trial.rate_hz), stride=stride),
            [[Counted(x) for x in row] for row in samples.tolist()],
        ),
        (
            module.Fusion(Counted(trial.rate_hz), Counted(units[0]), Counted(units[1]), stride),
            counts.tolist(),
        ),
    ):
        Counted.count = 0
        for row in rows:
            estimator.update(*row)
        result.append(Counted.count / len(rows))
    return result[0], result[1]


def microseconds_per_sample(trial: ScoredRecording, stride: int) -> float:
    """Return the time of one update in this Python, the best of three runs."""
    rows = np.hstack([trial.gyr, trial.acc]).tolist()
    best = np.inf
    for _ in range(3):
        estimator = fusion.Fusion(trial.rate_hz, stride=stride)
        started = time.perf_counter()
        for row in rows:
            estimator.update(*row)
        best = min(best, time.perf_counter() - started)
    return 1e6 * best / len(rows)


def main() -> None:
    """Print one line per recording and the means."""
    default = Path(os.environ.get("TILTWISE_DATA", CHECKOUT.parent / "shared" / "data")) / "orientation"
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=default, help="where the .npz recordings are")
    parser.add_argument("--stride", type=int, default=1, help="samples integrated at once, 1 or 2")
    parser.add_argument("--rate", type=float, help="bring the recordings to this rate in Hz first")
    parser.add_argument(
        "--float32", action="store_true", help="also in single precision, every operation rounded"
    )
    parser.add_argument(
        "--skip-rest", action="store_true", help="start in motion, without the rest before it"
    )
    parser.add_argument(
        "--bias", type=float, default=0.0, help="add this bias in deg/s to each gyroscope axis"
    )
    options = parser.parse_args()
    paths = sorted(options.folder.glob("*.npz"))
    if not paths:
        raise SystemExit(f"no .npz recordings in {options.folder}: give their folder with --folder")
    trials = [load_trial(path, options.rate, options.skip_rest, options.bias) for path in paths]
    methods = {"fusion": lambda trial: run_fusion(trial, stride=options.stride), "VQF": run_vqf}
    if options.float32:
        methods["fusion float32"] = lambda trial: run_fusion(trial, single=True, stride=options.stride)
    print(f"{'inclination RMSE, deg':52}" + "".join(f"{name:>16}" for name in methods))
    scores = []
    for trial in trials:
        scores.append([inclination_rmse_deg(trial, run(trial)) for run in methods.values()])
        print(f"{trial.name:52}" + "".join(f"{x:16.3f}" for x in scores[-1]), flush=True)
    print(f"{'mean':52}" + "".join(f"{x:16.4f}" for x in np.mean(scores, axis=0)))
    floats, counts = operations_per_sample(trials[0], options.stride)
    print(
        f"fusion: {microseconds_per_sample(trials[0], options.stride):.1f} us per sample in this Python; "
        f"float operations per sample {floats:.0f} fed with floats, {counts:.0f} fed with integer counts "
        f"({16 * counts:.0f} bytes on a board)"
    )


if __name__ == "__main__":
    main()
