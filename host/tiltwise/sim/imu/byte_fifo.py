"""The FIFO of a simulated IMU: bytes in, bytes out, lost in the units of the part."""

from __future__ import annotations

_TIDY_BYTES = 1 << 16


class ByteFifo:
    """Bytes in the order they came.

    Parameters
    ----------
    capacity : bytes that fit
    unit : bytes that are lost and taken together; a unit read in part is read again
    """

    def __init__(self, capacity: int, unit: int) -> None:
        self.capacity = capacity // unit * unit
        self.unit = unit
        self.is_overrun = False  # something was lost; the model clears it as the part does
        self.position = 0  # bytes gone since the FIFO was emptied, read or lost
        self._data = bytearray()
        self._read = 0

    def clear(self) -> None:
        """Forget all bytes."""
        self.is_overrun = False
        self.position = 0
        self._data.clear()
        self._read = 0

    @property
    def level(self) -> int:
        """Unread bytes."""
        return len(self._data) - self._read

    def push(self, data: bytes, keeps_oldest: bool = False) -> None:
        """Add bytes; beyond the capacity the oldest units are lost, or the newest."""
        self._data += data
        excess = self.level - self.capacity
        if excess <= 0:
            return
        self.is_overrun = True
        if keeps_oldest:
            del self._data[-excess:]
        else:
            self._drop(-(-excess // self.unit) * self.unit)

    def read(self, n: int, filler: bytes = b"\x00") -> bytes:
        """Read n bytes; beyond the end comes the filler."""
        data = bytes(self._data[self._read : self._read + n])
        self._drop(len(data) // self.unit * self.unit)
        missing = n - len(data)
        return data + (filler * missing)[:missing]

    def _drop(self, n: int) -> None:
        self._read += n
        self.position += n
        if self._read > _TIDY_BYTES:
            del self._data[: self._read]
            self._read = 0
