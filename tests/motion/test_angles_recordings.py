"""Real heads: inclination at a desk against the recordings' own offline reference, and two sensors at once."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.angles.neck_relative import NeckStage
from tiltwise.motion.calibration.mounting import Mounting, mounting_from_up
from tiltwise.motion.calibration.principal_axes import axes_from_movement
from tiltwise.motion.orientation.estimator import estimate_orientation
from tiltwise.types import AngleBlock, FloatArray, Mount, OrientationBlock

DESK = {"reading_book", "writing_notebook", "computer_typing", "computer_browsing", "using_computer"}


def _recordings(folder: Path, labels: set[str]) -> Iterator[tuple[str, FloatArray, dict[str, FloatArray]]]:
    index = json.loads((folder / "human" / "index.json").read_text(encoding="utf-8"))
    for name, about in index.items():
        if about["label"] in labels and not about.get("neutral_suspect"):
            with np.load(folder / "human" / f"{name}.npz") as data:
                yield (
                    name,
                    np.array(about["neutral_up_sensor"]),
                    {key: data[key].astype(float) for key in data},
                )


def _orientation(data: dict[str, FloatArray], *, offline: bool = False) -> OrientationBlock:
    q = estimate_orientation(data["t"], data["gyr"], data["acc"], offline=offline)
    return OrientationBlock(data["t"], q, data["acc"])


def _angles(block: OrientationBlock, mounting: Mounting) -> AngleBlock:
    return AnglesStage(mounting).process(block)


def test_desk_inclination_agrees_with_the_reference(shared_data: Path) -> None:
    """Online, low-passed, as-is in time. The reference is an offline run, good to about 1 deg while seated."""
    errors = []
    for _, up, data in _recordings(shared_data, DESK):
        angles = _angles(_orientation(data), mounting_from_up(up, mount=Mount.HEAD))
        errors.append(np.sqrt(np.mean((angles.inclination_deg - data["ref_incl_deg"]) ** 2)))
    print(
        f"desk inclination RMSE: median {np.median(errors):.2f}, 90 % below {np.percentile(errors, 90):.2f} deg"
    )
    assert len(errors) > 50
    assert np.median(errors) <= 0.8
    assert np.percentile(errors, 90) <= 1.5


def test_people_at_desks_lean_forward_about_the_assumed_axis(shared_data: Path) -> None:
    """Writing and reading are done looking down: flexion about the axis found from movement is mostly positive."""
    medians = []
    for _, up, data in _recordings(shared_data, {"reading_book", "writing_notebook"}):
        block = _orientation(data)
        medians.append(
            np.nanmedian(_angles(block, axes_from_movement(block, up, mount=Mount.HEAD)).flexion_deg)
        )
    assert np.mean(np.array(medians) > 10) > 0.9


def test_head_minus_upper_back_online_agrees_with_offline(shared_data: Path) -> None:
    trial = {
        name.rsplit("_", 2)[-1]: (up, data)
        for name, up, data in _recordings(shared_data, {"bend, sit, look around, walk (one trial)"})
        if "lower" not in name
    }
    necks = []
    for offline in (False, True):
        streams = []
        for part in ("head", "back"):
            up, data = trial[part]
            block = _orientation(data, offline=offline)
            streams.append(_angles(block, axes_from_movement(block, up, mount=Mount.HEAD)))
        necks.append(NeckStage().process(*streams))
    online, offline_neck = (neck.neck.flexion_deg for neck in necks)
    n = min(len(online), len(offline_neck))
    rmse = float(np.sqrt(np.mean((online[:n] - offline_neck[:n]) ** 2)))
    print(f"neck flexion, head minus upper back, online against offline: {rmse:.2f} deg RMSE")
    assert necks[0].is_relative.all()
    assert rmse < 3.0
