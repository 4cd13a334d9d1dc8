"""Convert sample frames of one type and size to one block in SI units: int16 counts times the scale from INFO."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.decode.messages import Info
from tiltwise.types import FloatArray, ImuBlock, OrientationBlock

# Counts of a unit quaternion have norm 32767 +- 1; beyond 1 % it is not a rotation (and zero is none at all).
_MAX_NORM_ERROR = 0.01


def sample_counts(frames: Sequence[bytes], frame_type: int, n: int) -> NDArray[np.int16]:
    """Return the counts (m, n, 6 or 7) of m frames of one sample type and size."""
    raw = np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(len(frames), -1)
    payload = np.ascontiguousarray(raw[:, wire.HEADER_SIZE : -wire.TAG_SIZE])
    return payload.view("<i2").reshape(len(frames), n, wire.SAMPLE_SIZES[frame_type] // 2)


def is_rotation(counts: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Tell for each frame of ORIENT counts (m, n, 7) whether all its quaternions have unit length."""
    return np.all(np.abs(_norm(counts[..., :4] / wire.QUATERNION_SCALE) - 1) < _MAX_NORM_ERROR, axis=1)


def to_block(
    counts: NDArray[np.int16], t_s: FloatArray, frame_type: int, info: Info, sensor: int
) -> ImuBlock | OrientationBlock:
    """Return the samples (m, n, 6 or 7) in SI units as one block with times (m * n,)."""
    flat: FloatArray = counts.reshape(-1, counts.shape[-1]).astype(np.float64)
    if frame_type == wire.RAW:
        return ImuBlock(
            t_s, flat[:, :3] * info.gyr_rad_s_per_count, flat[:, 3:] * info.acc_m_s2_per_count, sensor
        )
    q = flat[:, :4] / wire.QUATERNION_SCALE
    return OrientationBlock(
        t_s, q / _norm(q)[:, None], flat[:, 4:] * info.orient_acc_m_s2_per_count, sensor=sensor
    )


def _norm(q: FloatArray) -> FloatArray:
    """Return the length of quaternions (..., 4), summed in a fixed order so that cuts change nothing."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    return np.sqrt(w * w + x * x + y * y + z * z)
