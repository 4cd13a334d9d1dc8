"""Small blocks of samples -> larger ones: a little while they come, more of a file played as fast as it goes.

A stage costs as much for ten samples as for two hundred, and cutting the data elsewhere changes no result.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from tiltwise.types import ImuBlock, OrientationBlock

Block = ImuBlock | OrientationBlock
# RAW frames hold a tenth of a second and come in pairs: two are tracked at once. An ORIENT frame lasts 0.18 s from
# its first sample to its last, and is never kept waiting.
LIVE_S = 0.15


class SampleBatch:
    """Collects blocks of one sensor.

    Parameters
    ----------
    lasting_s
        So much at once; 0 collects nothing.
    """

    def __init__(self, lasting_s: float) -> None:
        self._lasting_s = lasting_s
        self._blocks: list[Block] = []
        self._received: deque[tuple[float, float]] = deque()  # newest sample of a block, when it was received

    def received_at(self, t_s: float, otherwise_s: float) -> float:
        """Return when the sample at t_s (s of the device) was received; two batches are remembered."""
        return next((received_s for end_s, received_s in self._received if t_s <= end_s), otherwise_s)

    def add(self, block: Block, received_s: float) -> list[Block]:
        """Return what is to be processed now, in order: larger blocks, or nothing yet."""
        if self._lasting_s > 0:
            self._received.append((float(block.t_s[-1]), received_s))
            while self._received[0][1] < received_s - 2 * self._lasting_s:
                self._received.popleft()
        due = [] if not self._blocks or _fits(self._blocks[-1], block) else self.take()
        self._blocks.append(block)
        if self._blocks[-1].t_s[-1] - self._blocks[0].t_s[0] >= self._lasting_s:
            due += self.take()
        return due

    def take(self) -> list[Block]:
        """Return what waits, as one block, or nothing."""
        blocks, self._blocks = self._blocks, []
        return [_joined(blocks)] if len(blocks) > 1 else blocks


def _fits(before: Block, block: Block) -> bool:
    """Whether a block goes on where another one ended: of its kind and sensor, and not back in time."""
    is_alike = type(before) is type(block) and before.sensor == block.sensor
    return is_alike and block.t_s[0] > before.t_s[-1]


def _joined(blocks: list[Block]) -> Block:
    first = blocks[0]
    t_s, acc = (np.concatenate([getattr(b, name) for b in blocks]) for name in ("t_s", "acc_m_s2"))
    rates = [b.gyr_rad_s for b in blocks if b.gyr_rad_s is not None]
    gyr = np.concatenate(rates) if len(rates) == len(blocks) else None
    if isinstance(first, ImuBlock):
        assert gyr is not None  # an ImuBlock has it
        return ImuBlock(t_s, gyr, acc, first.sensor)
    q = np.concatenate([b.q_earth_from_sensor for b in blocks if isinstance(b, OrientationBlock)])
    return OrientationBlock(t_s, q, acc, gyr, first.sensor)
