"""`tiltwise bench orientation`: inclination error and speed of our filters and of the known ones, on optical truth.

Reads a folder of .npz files (fs, gyr, acc, quat at the sample times, movement = what is scored: the layout of
BROAD, doi:10.3390/data6070072). Prints nothing; returns rows for the table in tiltwise_lab/registry.py and
tiltwise_lab/bench/bench_plots.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.signal import resample_poly

from tiltwise.errors import AppError
from tiltwise.motion.rotation import angle_between_deg, normalise, up_in_sensor
from tiltwise.types import FloatArray
from tiltwise_lab.bench.accuracy.reference_filters import Method, methods

FIELDS = ("fs", "gyr", "acc", "quat", "movement")
WIDEST_SHIFT_S = 0.015  # 1.5 steps at 100 Hz: more than any filter's convention about the time of a sample
PREFIX = 0.6  # of a recording, on which a causal filter must say what it says on the whole


@dataclass(frozen=True, slots=True)
class Condition:
    """How the recordings are spoiled before the filters see them."""

    rate_hz: float
    acc_range_g: float | None = None  # 16-bit counts with this range, saturating
    gyr_range_dps: float | None = None
    lost: float = 0.0  # share of samples, filled in by straight lines so that filters without times can run

    @property
    def name(self) -> str:
        """Say it in a few words."""
        parts = [f"{self.rate_hz:g} Hz"]
        if self.acc_range_g:
            parts.append(f"16 bit {self.acc_range_g:g} g {self.gyr_range_dps:g} dps")
        if self.lost:
            parts.append(f"{100 * self.lost:g} % lost")
        return ", ".join(parts)


CONDITIONS = (Condition(100.0), Condition(50.0), Condition(50.0, 16.0, 2000.0, 0.05))


@dataclass(frozen=True, slots=True)
class OrientationTrial:
    """One recording as the filters see it, with its truth: up_true (n, 3) in the sensor, is_scored (n,)."""

    name: str
    rate_hz: float
    gyr: FloatArray
    acc: FloatArray
    up_true: FloatArray
    is_scored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One method under one condition; RMS inclination errors in degrees, their mean, median and worst over files.

    aligned_deg is the mean with the one time shift that suits the method best: it takes away its convention about
    the time of a sample. per_vqf and aligned_per_vqf are ratios to VQF under the same condition.
    """

    condition: str
    method: str
    as_is_deg: float
    median_deg: float
    worst_deg: float
    aligned_deg: float
    shift_ms: float
    per_vqf: float
    aligned_per_vqf: float
    samples_per_s: float
    is_causal: bool
    files_deg: tuple[float, ...]


def orientation_rows(
    folder: Path, conditions: Sequence[Condition] = CONDITIONS, names: Sequence[str] | None = None
) -> Iterator[tuple[float, BenchRow]]:
    """Yield the share done and a row for each method under each condition.

    Raises
    ------
    AppError : no recordings, or one without truth.
    """
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise AppError(
            f"{folder}: expected .npz recordings with optical truth, found none; name their folder"
        )
    chosen = {
        name: run for name, run in methods()[0].items() if names is None or name in names or name == "VQF"
    }
    done = 0
    for condition in conditions:
        trials = [load_trial(path, condition, seed) for seed, path in enumerate(files)]
        reference = None
        for name in sorted(chosen, key=lambda name: name != "VQF"):
            row = _measure(name, chosen[name], condition, trials, reference)
            reference = reference or row
            done += 1
            yield done / (len(conditions) * len(chosen)), row


def load_trial(path: Path, condition: Condition, seed: int = 0) -> OrientationTrial:
    """Read a recording and spoil it: anti-aliased decimation, then counts, then loss (seeded)."""
    with np.load(path) as file:
        missing = [field for field in FIELDS if field not in file]
        if missing:
            raise AppError(f"{path}: expected the fields {', '.join(FIELDS)}, {missing[0]} is missing")
        native_hz = float(file["fs"])
        gyr, acc = (np.asarray(file[name], dtype=float) for name in ("gyr", "acc"))
        truth, moves = np.asarray(file["quat"], dtype=float), np.asarray(file["movement"], dtype=bool)
    step = round(native_hz / condition.rate_hz)
    if step < 1 or abs(native_hz / step - condition.rate_hz) > 0.01 * condition.rate_hz:
        raise AppError(
            f"{path}: {condition.rate_hz:g} Hz does not divide its {native_hz:g} Hz; choose another rate"
        )
    if step > 1:
        gyr, acc = (resample_poly(v, 1, step, axis=0, padtype="line") for v in (gyr, acc))
    if condition.acc_range_g and condition.gyr_range_dps:
        acc = _counts(acc, condition.acc_range_g * 9.80665)
        gyr = _counts(gyr, float(np.radians(condition.gyr_range_dps)))
    if condition.lost:
        gyr, acc = _refill(gyr, acc, condition.lost, seed)
    truth, moves = truth[::step], moves[::step]
    known = np.isfinite(truth).all(axis=1)
    up_true = np.where(known[:, None], up_in_sensor(normalise(np.where(known[:, None], truth, 1.0))), np.nan)
    gyr, acc = np.ascontiguousarray(gyr), np.ascontiguousarray(acc)
    return OrientationTrial(path.stem, native_hz / step, gyr, acc, up_true, moves & known)


def _counts(values: FloatArray, full_scale: float) -> FloatArray:
    unit = full_scale / 32768
    return np.clip(np.round(values / unit), -32768, 32767) * unit


def _refill(gyr: FloatArray, acc: FloatArray, lost: float, seed: int) -> tuple[FloatArray, FloatArray]:
    keep = np.random.default_rng(seed).random(len(gyr)) >= lost
    keep[[0, -1]] = True
    at, kept = np.arange(len(gyr)), np.flatnonzero(keep)
    filled = [np.stack([np.interp(at, kept, v[kept, k]) for k in range(3)], axis=1) for v in (gyr, acc)]
    return filled[0], filled[1]


def _measure(
    name: str,
    run: Method,
    condition: Condition,
    trials: Sequence[OrientationTrial],
    reference: BenchRow | None,
) -> BenchRow:
    """Run a method over all recordings; without a reference it is its own."""
    started = time.perf_counter()
    found = [run(trial.gyr, trial.acc, trial.rate_hz) for trial in trials]
    seconds = time.perf_counter() - started
    ups = [up_in_sensor(normalise(q)) for q in found]
    files = [inclination_rmse_deg(trial, up) for trial, up in zip(trials, ups, strict=True)]
    as_is = float(np.mean(files))
    aligned, shift_s = _align(trials, ups)
    aligned = min(aligned, as_is)
    return BenchRow(
        condition=condition.name,
        method=name,
        as_is_deg=as_is,
        median_deg=float(np.median(files)),
        worst_deg=float(np.max(files)),
        aligned_deg=aligned,
        shift_ms=1000 * shift_s,
        per_vqf=as_is / (reference.as_is_deg if reference else as_is),
        aligned_per_vqf=aligned / (reference.aligned_deg if reference else aligned),
        samples_per_s=sum(len(trial.gyr) for trial in trials) / seconds,
        is_causal=_is_causal(run, trials[0], found[0]),
        files_deg=tuple(files),
    )


def inclination_rmse_deg(trial: OrientationTrial, up: FloatArray, shift_s: float = 0.0) -> float:
    """RMS angle in degrees between the estimated up (n, 3) at t and the true one at t + shift_s, where scored."""
    if shift_s == 0:
        at, truth = trial.is_scored, trial.up_true
    else:
        place = np.arange(len(up)) + shift_s * trial.rate_hz
        low = np.clip(np.floor(place).astype(int), 0, len(up) - 2)
        share = (place - low)[:, None]
        truth = (1 - share) * trial.up_true[low] + share * trial.up_true[low + 1]
        nearest = np.clip(np.round(place).astype(int), 0, len(up) - 1)
        at = trial.is_scored[nearest] & np.isfinite(truth).all(axis=1) & (place >= 0) & (place <= len(up) - 1)
    error = angle_between_deg(up[at], truth[at])
    return float(np.sqrt(np.mean(error**2)))


def _align(trials: Sequence[OrientationTrial], ups: Sequence[FloatArray]) -> tuple[float, float]:
    """Return the lowest mean RMSE over one time shift for all recordings, and that shift in s."""

    def mean(shift_s: float) -> float:
        pairs = zip(trials, ups, strict=True)
        return float(np.mean([inclination_rmse_deg(trial, up, shift_s) for trial, up in pairs]))

    best = minimize_scalar(
        mean, bounds=(-WIDEST_SHIFT_S, WIDEST_SHIFT_S), method="bounded", options={"xatol": 2e-4}
    )
    return float(best.fun), float(best.x)


def _is_causal(run: Method, trial: OrientationTrial, whole: FloatArray) -> bool:
    n = int(PREFIX * len(trial.gyr))
    part = run(trial.gyr[:n].copy(), trial.acc[:n].copy(), trial.rate_hz)
    return bool(np.abs(np.abs(np.sum(normalise(part) * normalise(whole[:n]), axis=1)) - 1).max() < 1e-9)
