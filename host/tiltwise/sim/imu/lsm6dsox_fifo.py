"""The FIFO of the simulated LSM6DSOX: counts in, words of 7 bytes (tag, three int16) out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiltwise.sim.imu import lsm6dsox_registers as reg

_ODD_BITS = np.array([value.bit_count() & 1 for value in range(256)], dtype=np.uint8)


class Fifo:
    """Words in the order they came; `depth` of them at most."""

    def __init__(self) -> None:
        self.is_overrun_latched = False
        self._words = bytearray()
        self._read = 0

    def clear(self) -> None:
        """Forget all words, as in bypass mode."""
        self.is_overrun_latched = False
        self._words.clear()
        self._read = 0

    @property
    def level(self) -> int:
        """Unread words."""
        return (len(self._words) - self._read) // reg.WORD_BYTES

    def push(self, words: bytes, depth: int, keeps_oldest: bool) -> None:
        """Add words; beyond the depth either the new ones or the oldest ones are lost."""
        self._words += words
        excess = self.level - depth
        if excess <= 0:
            return
        self.is_overrun_latched = True
        if keeps_oldest:
            del self._words[-excess * reg.WORD_BYTES :]
        else:
            self._read += excess * reg.WORD_BYTES

    def read(self, offset: int, n: int) -> bytes:
        """Read n bytes from a byte of the oldest word on; a word leaves when its last byte was read."""
        start = self._read + offset
        data = bytes(self._words[start : start + n])
        self._read = min(self._read + (offset + n) // reg.WORD_BYTES * reg.WORD_BYTES, len(self._words))
        if self._read > 8 * reg.FIFO_WORDS:
            del self._words[: self._read]
            self._read = 0
        return data + bytes(n - len(data))


def pack_words(
    slots: NDArray[np.int64], counts: NDArray[np.int16], is_batched: NDArray[np.bool_]
) -> tuple[bytes, list[int]]:
    """Make the words of n samples.

    Parameters
    ----------
    slots : (n,) time slot of each sample; its last two bits are the tag counter
    counts : (n, 7) temperature, gyroscope, accelerometer
    is_batched : (n, 3) whether gyroscope, accelerometer and temperature go into the FIFO

    Returns
    -------
    All words in order, and for each sample the byte where its words end.
    """
    n = len(slots)
    words = np.zeros((n, 3, reg.WORD_BYTES), dtype=np.uint8)
    for k, tag in enumerate((reg.TAG_GYR, reg.TAG_ACC, reg.TAG_TEMPERATURE)):
        words[:, k, 0] = tag << 3 | (slots & 3) << 1
    words[:, :, 0] |= _ODD_BITS[words[:, :, 0]]  # the lowest bit makes the parity of the tag even
    data = counts.astype("<i2").view(np.uint8).reshape(n, 14)
    words[:, 0, 1:] = data[:, 2:8]
    words[:, 1, 1:] = data[:, 8:14]
    words[:, 2, 1:3] = data[:, 0:2]
    word_end = np.cumsum(is_batched.sum(axis=1)) * reg.WORD_BYTES
    return words[is_batched].tobytes(), word_end.tolist()
