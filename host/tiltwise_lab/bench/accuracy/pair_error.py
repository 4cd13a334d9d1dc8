"""`tiltwise bench pair`: head minus upper back on real recordings, online, against the same from offline filters.

Reads `human/qmt_fullbody/*_head.npz` with `*_upper_back.npz` of the same instants. Both sides share neutral and
axes, so that the figure is the online chain's own error (filter, low-pass lag, gaps), not the choice of axes. The
references are acausal six-axis estimates, not optical truth. Degrees. Prints nothing; returns rows for
tiltwise_lab/registry.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiltwise.errors import AppError
from tiltwise.motion.angles.neck_angles import AnglesSettings, AnglesStage
from tiltwise.motion.angles.neck_relative import NeckStage
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.principal_axes import axes_from_movement
from tiltwise.motion.orientation.estimator import OrientationStage, estimate_orientation
from tiltwise.motion.rotation import conjugate, normalise, rotate, up_in_sensor
from tiltwise.offline.input_file import ImuInput, read_input
from tiltwise.types import FloatArray, ImuBlock, Mount, OrientationBlock

CHUNK = 10  # samples: what one frame of a board carries
LAG_S = AnglesSettings().delay_s  # of the live angles, by their low-pass


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair of recordings against one reference: RMSE of the neck's flexion, as it is and with the lag undone.

    range_deg is how far the neck's flexion went, from P1 to P99, so that the error has a scale.
    """

    name: str
    reference: str
    rmse_deg: float
    aligned_rmse_deg: float
    worst_deg: float
    range_deg: float
    relative_percent: float


def pair_rows(folder: Path) -> Iterator[tuple[float, PairRow]]:
    """Yield the share done and a row for each pair and reference."""
    human = folder / "human"
    try:
        index = json.loads((human / "index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AppError(
            f"{human / 'index.json'}: not there; name the folder with human/ and orientation/ in TILTWISE_DATA"
        ) from None
    heads = sorted(human.glob("qmt_fullbody/*_head.npz"))
    pairs = [(head, head.with_name(head.name.replace("_head", "_upper_back"))) for head in heads]
    pairs = [(head, back) for head, back in pairs if back.exists()]
    for k, paths in enumerate(pairs):
        ups = [np.array(index[f"qmt_fullbody/{path.stem}"]["neutral_up_sensor"]) for path in paths]
        blocks = [_samples(read_input(path)) for path in paths]
        online = [_online(block) for block in blocks]
        mounts = (Mount.HEAD, Mount.COLLAR)
        mountings = [
            axes_from_movement(one, up, mount=m) for one, up, m in zip(online, ups, mounts, strict=True)
        ]
        t_s, live_deg, is_relative = _live_flexion(online, mountings)
        for j, (name, reference) in enumerate(_REFERENCES.items()):
            expected = _flexion_deg(blocks[0], mountings[0], reference, t_s)
            expected = expected - _flexion_deg(blocks[1], mountings[1], reference, t_s)
            row = _row(paths[0].stem.removesuffix("_head"), name, t_s, live_deg, expected, is_relative)
            yield (k + (j + 1) / len(_REFERENCES)) / len(pairs), row


def _row(
    name: str,
    reference: str,
    t_s: FloatArray,
    live_deg: FloatArray,
    expected: FloatArray,
    is_relative: FloatArray,
) -> PairRow:
    error = (live_deg - expected)[is_relative > 0]
    aligned = (live_deg - np.interp(t_s - LAG_S, t_s, expected))[is_relative > 0]
    low, high = np.percentile(expected, [1, 99])
    return PairRow(
        name=name,
        reference=reference,
        rmse_deg=float(np.sqrt(np.mean(error**2))),
        aligned_rmse_deg=float(np.sqrt(np.mean(aligned**2))),
        worst_deg=float(np.max(np.abs(error))),
        range_deg=float(high - low),
        relative_percent=float(np.mean(is_relative) * 100),
    )


def _samples(data: ImuInput) -> ImuBlock:
    """All samples of a file as one block."""
    parts = [block for block in data.blocks if isinstance(block, ImuBlock)]
    if not parts:
        raise AppError(f"{data.path}: no gyroscope samples in it, expected an IMU file")
    columns = (np.concatenate([getattr(part, n) for part in parts]) for n in ("t_s", "gyr_rad_s", "acc_m_s2"))
    t_s, gyr, acc = columns
    return ImuBlock(t_s, gyr, acc)


def _online(block: ImuBlock) -> OrientationBlock:
    """Causal orientation, a frame at a time."""
    stage = OrientationStage()
    parts = [
        stage.process(
            ImuBlock(block.t_s[k : k + CHUNK], block.gyr_rad_s[k : k + CHUNK], block.acc_m_s2[k : k + CHUNK])
        )
        for k in range(0, len(block.t_s), CHUNK)
    ]
    q = np.concatenate([part.q_earth_from_sensor for part in parts])
    return OrientationBlock(block.t_s, q, block.acc_m_s2)


def _live_flexion(
    online: list[OrientationBlock], mountings: list[Mounting]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What the live chain shows: times, the neck's flexion in deg, and 1.0 where it is head minus upper back."""
    head, back = (AnglesStage(m).process(one) for m, one in zip(mountings, online, strict=True))
    stage = NeckStage()
    blocks = [stage.process(head, back), stage.finish()]
    t_s = np.concatenate([b.neck.t_s for b in blocks])
    flexion = np.concatenate([b.neck.flexion_deg for b in blocks])
    return t_s, flexion, np.concatenate([b.is_relative for b in blocks]).astype(np.float64)


def _flexion_deg(
    block: ImuBlock, mounting: Mounting, reference: Callable[[ImuBlock], FloatArray], t_s: FloatArray
) -> FloatArray:
    """Flexion by a reference filter at the times t_s, without any low-pass."""
    up = rotate(conjugate(mounting.q), up_in_sensor(normalise(reference(block))))
    flexion = np.degrees(np.unwrap(np.arctan2(-up[:, 0], up[:, 2])))
    return np.interp(t_s, block.t_s, flexion)


def _offline_vqf(block: ImuBlock) -> FloatArray:
    """The published acausal filter, as the recordings' index uses it."""
    from vqf import offlineVQF

    step_s = float(np.median(np.diff(block.t_s)))
    gyr, acc = (np.ascontiguousarray(values) for values in (block.gyr_rad_s, block.acc_m_s2))
    q: FloatArray = offlineVQF(gyr, acc, None, step_s)["quat6D"]
    return q


def _offline_own(block: ImuBlock) -> FloatArray:
    """Our own smoother."""
    return estimate_orientation(block.t_s, block.gyr_rad_s, block.acc_m_s2, offline=True)


_REFERENCES: dict[str, Callable[[ImuBlock], FloatArray]] = {
    "offline VQF": _offline_vqf,
    "tiltwise offline": _offline_own,
}
