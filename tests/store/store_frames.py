"""Makes frames for the store's tests: seconds of ORIENT samples and a STATUS frame now and then."""

from collections.abc import Iterable

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import Frame, read_frame

T0_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC


def orient_frame(seq: int, *, boot: int = 7, sensor: int = 0, n: int = 10, flags: int = 0) -> bytes:
    """Return the ORIENT frame number `seq` of a 50 Hz stream of ten samples a frame."""
    buffer = bytearray(wire.frame_size(wire.ORIENT, n))
    wire.pack_header_into(buffer, wire.ORIENT, flags, boot, seq, 10 * seq, 2000 * seq, n, sensor, 5)
    rng = np.random.default_rng([seq, sensor])
    drift = int(3000 * np.sin(seq / 300))
    for k in range(n):
        values = (rng.normal(size=7) * 20).astype(int) + np.array([32000, drift, -drift, 0, 0, 0, 8192])
        wire.pack_orient_into(buffer, k, *values.clip(-32767, 32767).tolist())
    wire.seal(buffer, len(buffer))
    return bytes(buffer)


def status_frame(seq: int, *, boot: int = 7) -> bytes:
    """Return a STATUS frame."""
    buffer = bytearray(wire.frame_size(wire.STATUS))
    wire.pack_header_into(buffer, wire.STATUS, 0, boot, seq, 0, 2000 * seq, 0, 0, 0)
    wire.pack_body_into(
        buffer, wire.STATUS, seq, 3900, 80, 1, 2500, 5, 900, 100000, 0, 0, 0, 0, 0, 1, 2, 3, *[0] * 10
    )
    wire.seal(buffer, len(buffer))
    return bytes(buffer)


def frame(seq: int, boot: int = 7) -> bytes:
    """Return frame `seq`: every 25th is a STATUS frame, the others hold samples."""
    return status_frame(seq, boot=boot) if seq % 25 == 24 else orient_frame(seq, boot=boot)


def opened(frames: Iterable[bytes]) -> list[Frame]:
    """Return frames as the store takes them."""
    return [read_frame(data) for data in frames]


def utc_s(seq: int) -> float:
    """Return the UTC time of frame `seq`: five frames a second."""
    return T0_S + 0.2 * seq
