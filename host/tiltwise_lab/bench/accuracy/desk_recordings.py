"""`tiltwise bench desk`: the offline path on recordings of people at desks, against the references in their index.

Reads the folder that holds `human/index.json`. The references are acausal six-axis estimates, good to about a degree,
not optical truth. Prints nothing; returns rows for the table in tiltwise_lab/registry.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tiltwise.detect.posture import RuleSettings
from tiltwise.errors import AppError
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.rotation import angle_between_deg, up_in_sensor
from tiltwise.offline.analyze import Analysis, analyze
from tiltwise.offline.input_file import ImuInput, choose_mounting, orient, read_input
from tiltwise.types import ACTIVITIES, Activity, FloatArray, Mount

DESK = ("reading_book", "writing_notebook", "computer_typing", "computer_browsing", "using_computer")
CALM = ("walking", "standing")  # must never alarm
ANGLES_DEG = (15, 20, 30, 45, 60)
RULE = RuleSettings(angle_deg=30.0, seconds=30.0)
_WALKING = ACTIVITIES.index(Activity.WALKING)
ALARM_WINDOW_S = (25.0, 45.0)  # after the start of a reference run
SHARE_TOLERANCE = 5.0  # percentage points


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One recording: RMSE of the inclination, the worst difference of a share, and how the rule fared.

    rmse_deg is of the inclination as shown, orientation_deg of the causal orientation alone, without the low-pass.

    A reference run that begins while the episode before it still stands (a dip shorter than the recovery time) can
    not alarm again: it counts as `continued`, apart from `found`.
    """

    name: str
    label: str
    rmse_deg: float
    orientation_deg: float
    worst_share_points: float
    runs: int
    found: int
    continued: int
    alarms: int
    walking_percent: float
    duration_s: float


def desk_rows(folder: Path, labels: tuple[str, ...] = (*DESK, *CALM)) -> Iterator[tuple[float, DeskRow]]:
    """Yield the share done and a row for each recording whose neutral is not suspect."""
    index = _index(folder)
    chosen = {
        name: about
        for name, about in index.items()
        if about["label"] in labels and not about.get("neutral_suspect") and name.startswith("classyglass/")
    }
    for k, (name, about) in enumerate(chosen.items()):
        yield (k + 1) / len(chosen), _row(folder / "human", name, about)


def _index(folder: Path) -> dict[str, Any]:
    path = folder / "human" / "index.json"
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AppError(
            f"{path}: not there; name the folder with human/ and orientation/ in TILTWISE_DATA"
        ) from None
    return index


def _row(human: Path, name: str, about: Mapping[str, Any]) -> DeskRow:
    path = human / f"{name}.npz"
    data = read_input(path)
    up = ",".join(str(x) for x in about["neutral_up_sensor"])
    mounting, _ = choose_mounting(data, mount=Mount.HEAD, neutral_up_text=up)
    result = analyze(data, mounting, rule=RULE)
    runs = about.get("ref_runs_over_30deg_ge_30s", [])
    found, continued = _count_runs(result, runs)
    return DeskRow(
        name=name.split("/")[1],
        label=about["label"],
        rmse_deg=_rmse_deg(result.t_s, result.angles["inclination_deg"], path),
        orientation_deg=_rmse_deg(*_online_inclination(data, mounting), path),
        worst_share_points=_worst_share(result, about["ref_inclination_from_neutral"]),
        runs=len(runs),
        found=found,
        continued=continued,
        alarms=len(result.episodes),
        walking_percent=100 * float(np.mean(result.activity == _WALKING)),
        duration_s=result.duration_s,
    )


def _online_inclination(data: ImuInput, mounting: Mounting) -> tuple[FloatArray, FloatArray]:
    """Time and inclination of the causal orientation as it is, without the low-pass and its 45 ms."""
    block = orient(data)
    up = up_in_sensor(block.q_earth_from_sensor)
    return block.t_s, np.asarray(angle_between_deg(up, mounting.up_sensor), dtype=np.float64)


def _rmse_deg(our_s: FloatArray, inclination_deg: FloatArray, path: Path) -> float:
    with np.load(path, allow_pickle=False) as file:
        reference, t_s = file["ref_incl_deg"].astype(np.float64), file["t"].astype(np.float64)
    expected = np.interp(our_s - our_s[0], t_s - t_s[0], reference)
    return float(np.sqrt(np.mean((inclination_deg - expected) ** 2)))


def _worst_share(result: Analysis, reference: Mapping[str, float]) -> float:
    ours = result.above.percent_above_deg
    return max(abs(ours[str(a)] - reference[f"pct_time_over_{a}"]) for a in ANGLES_DEG)


def _count_runs(result: Analysis, runs: list[list[float]]) -> tuple[int, int]:
    """Return how many runs got an alarm of their own in time, and how many lay in an episode that had alarmed."""
    first, last = ALARM_WINDOW_S
    found = continued = 0
    for start_s, _ in runs:
        alarms = [e for e in result.episodes if e.alert_s is not None]
        if any(first <= (e.alert_s or 0.0) - start_s <= last for e in alarms):
            found += 1
        elif any(e.start_s < start_s < e.end_s for e in alarms):
            continued += 1
    return found, continued
