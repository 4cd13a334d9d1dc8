"""`tiltwise bench orientation`: inclination error and speed of our filters and of the known ones, on optical truth.

Reads a folder of .npz files (fs, gyr, acc, quat at the sample times, movement = what is scored: the layout of
BROAD, doi:10.3390/data6070072). Every peer gets its best fair feed, the mean of two gyroscope samples; beside it
stands what it makes of our own integration, and what it makes of the samples as they are. Prints nothing; returns
rows for accuracy_tables.py and tiltwise_lab/bench/bench_plots.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.signal import resample_poly

from tiltwise.errors import AppError
from tiltwise.motion.orientation import strapdown
from tiltwise.motion.orientation.estimator import estimate_orientation
from tiltwise.motion.rotation import angle_between_deg, normalise, up_in_sensor
from tiltwise.types import FloatArray
from tiltwise_lab.bench.accuracy.gyroscope_feeds import Feed, mean_of_two, newest, our_steps
from tiltwise_lab.bench.accuracy.reference_filters import BOARD_RANGES, Method, methods, vqf_online

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


LOSSY = Condition(50.0, 16.0, 2000.0, 0.05)
CONDITIONS = (Condition(100.0), Condition(50.0), LOSSY, Condition(100.0, *BOARD_RANGES))


@dataclass(frozen=True, slots=True)
class OrientationTrial:
    """One recording as the filters see it, with its truth: up_true (n, 3) in the sensor, is_scored (n,).

    is_kept (n,): false where the sample was lost and a straight line was drawn across.
    """

    name: str
    rate_hz: float
    gyr: FloatArray
    acc: FloatArray
    up_true: FloatArray
    is_scored: NDArray[np.bool_]
    is_kept: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One method under one condition; RMS inclination errors in degrees, means over files but for worst and files.

    fair_deg: fed with the mean of two gyroscope samples (files_deg, worst_deg and shift_ms, too).
    same_steps_deg: fed with our own integration, lost samples repaired, so that only the filter differs. as_is_deg:
    fed with the newest sample. Ours integrate between samples themselves, so that the three are one. shift_ms: the
    one time shift that suits the method best, near none where the feed is fair. per_vqf and same_steps_per_vqf:
    ratio to VQF under the same condition with the same feed.
    """

    condition: str
    method: str
    fair_deg: float
    worst_deg: float
    shift_ms: float
    same_steps_deg: float
    as_is_deg: float
    per_vqf: float
    same_steps_per_vqf: float
    samples_per_s: float
    is_causal: bool
    files_deg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RefillWorth:
    """Mean RMS errors in degrees where samples are lost: what it is worth to see lines drawn across them.

    unseen: the lines are taken as samples. timed: the lost samples are left out and the time stamps kept.
    """

    online_unseen_deg: float
    offline_unseen_deg: float
    vqf_unseen_deg: float
    online_timed_deg: float
    offline_timed_deg: float


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
    is_kept = np.ones(len(gyr), dtype=bool)
    if condition.lost:
        is_kept = np.random.default_rng(seed).random(len(gyr)) >= condition.lost
        is_kept[[0, -1]] = True
        gyr, acc = _refill(gyr, is_kept), _refill(acc, is_kept)
    truth, moves = truth[::step], moves[::step]
    known = np.isfinite(truth).all(axis=1)
    up_true = np.where(known[:, None], up_in_sensor(normalise(np.where(known[:, None], truth, 1.0))), np.nan)
    gyr, acc = np.ascontiguousarray(gyr), np.ascontiguousarray(acc)
    return OrientationTrial(path.stem, native_hz / step, gyr, acc, up_true, moves & known, is_kept)


def _counts(values: FloatArray, full_scale: float) -> FloatArray:
    unit = full_scale / 32768
    return np.clip(np.round(values / unit), -32768, 32767) * unit


def _refill(values: FloatArray, is_kept: NDArray[np.bool_]) -> FloatArray:
    at, kept = np.arange(len(values)), np.flatnonzero(is_kept)
    return np.stack([np.interp(at, kept, values[kept, k]) for k in range(3)], axis=1)


def _measure(
    name: str,
    run: Method,
    condition: Condition,
    trials: Sequence[OrientationTrial],
    reference: BenchRow | None,
) -> BenchRow:
    """Run a method over all recordings; without a reference it is its own."""
    integrates = name.startswith("tiltwise")
    fair = newest if integrates else mean_of_two
    started = time.perf_counter()
    found = [_run(run, trial, fair) for trial in trials]
    seconds = time.perf_counter() - started
    ups = [up_in_sensor(normalise(q)) for q in found]
    files = [inclination_rmse_deg(trial, up) for trial, up in zip(trials, ups, strict=True)]
    fair_deg = float(np.mean(files))
    same = fair_deg if integrates else mean_error_deg(run, trials, our_steps)
    return BenchRow(
        condition=condition.name,
        method=name,
        fair_deg=fair_deg,
        worst_deg=float(np.max(files)),
        shift_ms=1000 * _best_shift_s(trials, ups),
        same_steps_deg=same,
        as_is_deg=fair_deg if integrates else mean_error_deg(run, trials, newest),
        per_vqf=fair_deg / (reference.fair_deg if reference else fair_deg),
        same_steps_per_vqf=same / (reference.same_steps_deg if reference else same),
        samples_per_s=sum(len(trial.gyr) for trial in trials) / seconds,
        is_causal=_is_causal(run, trials[0], fair, found[0]),
        files_deg=tuple(files),
    )


def _run(run: Method, trial: OrientationTrial, feed: Feed) -> FloatArray:
    return run(feed(trial.gyr, trial.rate_hz), trial.acc, trial.rate_hz)


def mean_error_deg(run: Method, trials: Sequence[OrientationTrial], feed: Feed = newest) -> float:
    """Return the mean RMS inclination error of a method over trials, fed in this way."""
    return float(
        np.mean([inclination_rmse_deg(t, up_in_sensor(normalise(_run(run, t, feed)))) for t in trials])
    )


def refill_worth(folder: Path, condition: Condition = LOSSY) -> RefillWorth:
    """Measure what our filter gains under a condition that loses samples by seeing lines drawn across them."""
    trials = [load_trial(path, condition, seed) for seed, path in enumerate(sorted(folder.glob("*.npz")))]
    ours = methods()[0]
    with patch.object(strapdown, "_repair_refills", lambda *_: None):
        online, offline = (mean_error_deg(ours[f"tiltwise {name}"], trials) for name in ("online", "offline"))
    timed = [
        float(np.mean([_timed_error_deg(trial, offline=is_offline) for trial in trials]))
        for is_offline in (False, True)
    ]
    return RefillWorth(online, offline, mean_error_deg(vqf_online, trials, mean_of_two), timed[0], timed[1])


def _timed_error_deg(trial: OrientationTrial, *, offline: bool) -> float:
    """RMS inclination error at the samples that were not lost, which are all that the filter gets."""
    kept = trial.is_kept
    t_s = np.flatnonzero(kept) / trial.rate_hz
    up = up_in_sensor(estimate_orientation(t_s, trial.gyr[kept], trial.acc[kept], offline=offline))
    error = angle_between_deg(up, trial.up_true[kept])[trial.is_scored[kept]]
    return float(np.sqrt(np.mean(error**2)))


def inclination_rmse_deg(trial: OrientationTrial, up: FloatArray, shift_s: float = 0.0) -> float:
    """RMS angle in degrees between the estimated up (n, 3) at t and the true one at t + shift_s, where scored."""
    if shift_s == 0:
        at, truth = trial.is_scored & np.isfinite(up[:, 0]), trial.up_true
    else:
        place = np.arange(len(up)) + shift_s * trial.rate_hz
        low = np.clip(np.floor(place).astype(int), 0, len(up) - 2)
        share = (place - low)[:, None]
        truth = (1 - share) * trial.up_true[low] + share * trial.up_true[low + 1]
        nearest = np.clip(np.round(place).astype(int), 0, len(up) - 1)
        at = trial.is_scored[nearest] & np.isfinite(up[:, 0]) & np.isfinite(truth).all(axis=1)
        at &= (place >= 0) & (place <= len(up) - 1)
    error = angle_between_deg(up[at], truth[at])
    return float(np.sqrt(np.mean(error**2)))


def _best_shift_s(trials: Sequence[OrientationTrial], ups: Sequence[FloatArray]) -> float:
    """Return the one time shift in s for all recordings that gives the lowest mean RMSE."""

    def mean(shift_s: float) -> float:
        pairs = zip(trials, ups, strict=True)
        return float(np.mean([inclination_rmse_deg(trial, up, shift_s) for trial, up in pairs]))

    best = minimize_scalar(
        mean, bounds=(-WIDEST_SHIFT_S, WIDEST_SHIFT_S), method="bounded", options={"xatol": 2e-4}
    )
    return float(best.x)


def _is_causal(run: Method, trial: OrientationTrial, feed: Feed, whole: FloatArray) -> bool:
    n = int(PREFIX * len(trial.gyr))
    part = run(feed(trial.gyr[:n].copy(), trial.rate_hz), trial.acc[:n].copy(), trial.rate_hz)
    at = np.isfinite(part[:, 0])
    same = np.abs(np.sum(normalise(part[at]) * normalise(whole[:n][at]), axis=1))
    return bool(np.abs(same - 1).max() < 1e-9)
