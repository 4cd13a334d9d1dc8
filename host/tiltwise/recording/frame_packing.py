"""Samples of a file to the frames that a board would have sent: the inverse of decode/decoder.py.

Times in s, SI units in; INFO frame and RAW frames out. So a file, the radio and the simulator meet the same
decoder.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiltwise.common import wire
from tiltwise.decode.frame_table import HEADER_DTYPE, IntArray, Tagger
from tiltwise.types import FloatArray

# A sample this far off its frame's grid begins a new frame. Stamps of good files are within 0.1 ms; 0.2 ms at the
# fastest turn of a head (700 deg/s) are 0.14 deg, below any filter's error.
GRID_TOLERANCE_S = 2e-4
_GAP_PERIODS = 1.5  # a longer step means that samples are missing
_FULL_SCALE = 32767
# Least scales, for recordings without motion: a thousandth of a usual sensor's resolution.
_LEAST_GYR = 1e-6  # rad/s per count
_LEAST_ACC = 1e-6  # m/s2 per count


def pack_imu_frames(
    t_s: FloatArray,
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    *,
    rate_hz: float,
    boot: int = 1,
    samples_per_frame: int = 10,
    tagger: Tagger | None = None,
) -> list[bytes]:
    """Pack samples into an INFO frame and RAW frames.

    Where samples are missing the frame after carries FLAG_DISCONTINUITY; where times are uneven frames get shorter.

    Parameters
    ----------
    t_s, gyr_rad_s, acc_m_s2 : (n,), (n, 3), (n, 3): finite, times growing from 0 or more.
    rate_hz : nominal rate, in INFO.
    boot : the number of the board's run, in every header.
    samples_per_frame, tagger : 1 to 15; what signs the frames (CRC-32 without).

    Returns
    -------
    list of bytes
        Frames in order, INFO first. Decoded they give the times within 0.1 ms (plus the unevenness up to
        GRID_TOLERANCE_S) and the values within half a count.

    Raises
    ------
    ValueError
        When the arguments are not as described.
    """
    _check(t_s, gyr_rad_s, acc_m_s2, rate_hz, samples_per_frame)
    gyr_scale, acc_scale = _scale(gyr_rad_s, _LEAST_GYR), _scale(acc_m_s2, _LEAST_ACC)
    counts = np.empty((len(t_s), 6), dtype="<i2")
    counts[:, :3], counts[:, 3:] = _rounded(gyr_rad_s, gyr_scale), _rounded(acc_m_s2, acc_scale)
    starts, sizes = _frame_cuts(t_s, 1.0 / rate_hz, samples_per_frame)
    head = _headers(t_s, starts, sizes, rate_hz, boot)
    info = _info_frame(head[0], rate_hz, gyr_scale, acc_scale, counts)
    frames = [info, *_seal_all(head, counts, starts, sizes)]
    return frames if tagger is None else [_sign(frame, tagger) for frame in frames]


def _headers(
    t_s: FloatArray, starts: IntArray, sizes: IntArray, rate_hz: float, boot: int
) -> NDArray[np.void]:
    """Return the header of each RAW frame, numbered from 1: INFO is number 0."""
    head = np.zeros(len(starts), dtype=HEADER_DTYPE)
    head["kind"] = wire.VERSION << 4 | wire.RAW
    step = np.diff(t_s, prepend=t_s[:1])
    # Where one step in ten is long, that is how the stamps come, not a loss.
    is_gap = step[starts] > _GAP_PERIODS * max(1 / rate_hz, float(np.quantile(step, 0.9)))
    head["flags"] = np.where(is_gap, wire.FLAG_DISCONTINUITY, 0)
    head["boot"] = boot
    head["seq"] = 1 + np.arange(len(starts))
    head["i0"] = starts % (1 << 32)
    head["t0"] = np.round(t_s[starts] / wire.TICK_S).astype(np.int64) % (1 << 32)
    head["count"] = sizes  # of sensor 0
    return head


def _check(
    t_s: FloatArray, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, rate_hz: float, samples_per_frame: int
) -> None:
    """Raise ValueError unless the arguments of pack_imu_frames are as described."""
    n = len(t_s)
    if t_s.shape != (n,) or gyr_rad_s.shape != (n, 3) or acc_m_s2.shape != (n, 3) or n == 0:
        raise ValueError(
            f"expected t_s (n,), gyr_rad_s (n, 3), acc_m_s2 (n, 3) with n > 0, "
            f"got {t_s.shape}, {gyr_rad_s.shape}, {acc_m_s2.shape}"
        )
    if not (np.isfinite(t_s).all() and np.isfinite(gyr_rad_s).all() and np.isfinite(acc_m_s2).all()):
        raise ValueError("samples hold values that are not finite: drop them before packing")
    if t_s[0] < 0 or np.any(np.diff(t_s) <= 0):
        raise ValueError("times must begin at 0 or later and grow from sample to sample")
    if not 1 <= samples_per_frame <= wire.MAX_SAMPLES:
        raise ValueError(f"samples_per_frame is {samples_per_frame}, expected 1 to {wire.MAX_SAMPLES}")
    if not 0 < rate_hz <= 10_000:
        raise ValueError(f"rate_hz is {rate_hz}, expected more than 0 and at most 10000")


def _scale(values: FloatArray, least: float) -> float:
    """Return the unit per count that the largest value needs, as the float32 that INFO can carry.

    So nothing saturates: at 10 rad/s a count is 0.3 mrad/s, below the noise of the sensors in question.
    """
    largest = max(float(values.max()), -float(values.min()))  # no copy of a day's samples, as abs() makes
    needed = np.float32(max(largest / _FULL_SCALE, least))
    return float(np.nextafter(needed, np.float32(np.inf)))


def _rounded(values: FloatArray, scale: float) -> FloatArray:
    counts = values / scale
    return np.rint(counts, out=counts)


def _frame_cuts(t_s: FloatArray, period_s: float, most: int) -> tuple[IntArray, IntArray]:
    """Return first sample (m,) and number of samples (m,) of frames that hold only samples on their own grid."""
    is_break = np.abs(np.diff(t_s) - period_s) > GRID_TOLERANCE_S
    edges = np.concatenate(([0], np.flatnonzero(is_break) + 1, [len(t_s)]))
    starts = np.concatenate([np.arange(a, b, most) for a, b in pairwise(edges)])
    ends = np.append(starts[1:], len(t_s))
    frame = np.repeat(np.arange(len(starts)), ends - starts)
    offset = np.arange(len(t_s)) - starts[frame]
    is_off = np.abs(t_s - t_s[starts[frame]] - offset * period_s) > GRID_TOLERANCE_S
    split = np.unique(frame[is_off]).tolist()
    if split:
        more = [_greedy_cuts(t_s, period_s, int(starts[k]), int(ends[k])) for k in split]
        starts = np.unique(np.concatenate((starts, *more)))
    return starts, np.diff(np.append(starts, len(t_s)))


def _greedy_cuts(t_s: FloatArray, period_s: float, first: int, end: int) -> list[int]:
    """Return the starts of frames within [first, end) when the samples leave the grid without a step."""
    starts = [first]
    for k in range(first + 1, end):
        if abs(t_s[k] - t_s[starts[-1]] - (k - starts[-1]) * period_s) > GRID_TOLERANCE_S:
            starts.append(k)
    return starts


def _seal_all(
    head: NDArray[np.void], counts: NDArray[np.int16], starts: IntArray, sizes: IntArray
) -> list[bytes]:
    """Return the frames with CRC-32, packed together for each number of samples."""
    frames: list[bytes] = [b""] * len(starts)
    for n in np.unique(sizes).tolist():
        rows = np.flatnonzero(sizes == n)
        body = np.zeros(len(rows), dtype=[*_unsealed(n), ("crc", "<u4"), ("end", "<u4")])
        body["head"] = head[rows]
        first, is_one_piece = int(starts[rows[0]]), starts[rows[-1]] - starts[rows[0]] == n * (len(rows) - 1)
        which = slice(first, first + n * len(rows)) if is_one_piece else starts[rows][:, None] + np.arange(n)
        body["counts"] = counts[which].reshape(-1, n, 6)
        raw, size, whole = memoryview(body.tobytes()), np.dtype(_unsealed(n)).itemsize, body.dtype.itemsize
        body["crc"] = [zlib.crc32(raw[at : at + size]) for at in range(0, len(raw), whole)]
        sealed = body.tobytes()
        for row, at in zip(rows.tolist(), range(0, len(sealed), whole), strict=True):
            frames[row] = sealed[at : at + whole]
    return frames


def _unsealed(n: int) -> list[tuple[str, object] | tuple[str, str, tuple[int, int]]]:
    return [("head", HEADER_DTYPE), ("counts", "<i2", (n, 6))]


def _info_frame(
    first: np.void, rate_hz: float, gyr_scale: float, acc_scale: float, counts: NDArray[np.int16]
) -> bytes:
    """Return the INFO frame that gives rate and scales; the range is that of the data."""
    # One channel after the other: along the first axis numpy is ten times slower.
    largest = np.array([max(int(channel.max()), -int(channel.min())) for channel in counts.T])
    gyr_range_deg_s = min(int(np.ceil(np.degrees(largest[:3].max() * gyr_scale))), 0xFFFF)
    acc_range_g = min(int(np.ceil(largest[3:].max() * acc_scale / 9.80665)), 0xFFFF)
    size, boot = wire.frame_size(wire.INFO), int(first["boot"])
    frame = bytearray(size)
    wire.pack_header_into(frame, wire.INFO, 0, boot, 0, int(first["i0"]), int(first["t0"]), 0, 0, 0)
    wire.pack_body_into(
        frame, wire.INFO, 0, 0, wire.IMU_UNKNOWN, 1, 0, 0, 0, 0, 0, rate_hz, rate_hz,
        gyr_scale, acc_scale, wire.ORIENT_ACC_M_S2_PER_COUNT, gyr_range_deg_s, acc_range_g,
        0, 1, boot, b"file",
    )  # fmt: skip
    wire.seal(frame, size)
    return bytes(frame)


def _sign(frame: bytes, tagger: Tagger) -> bytes:
    """Return a CRC frame with an authentication tag instead."""
    signed = bytearray(frame)
    wire.seal(signed, len(signed), tagger)
    return bytes(signed)
