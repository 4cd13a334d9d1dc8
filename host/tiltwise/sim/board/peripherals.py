"""What is on a board besides sensor and links, made of numbers: motor, flash, files, battery, button, LED.

Flash behaves as NOR flash does: erased to 0xFF by the block, written by clearing bits, and a power cut leaves a
write or an erase half done. A cut raises PowerCut, which no firmware catches, as no firmware survives it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

_FAILSAFE_US = 2_000_000  # the timer in board.py that stops a forgotten motor
_ENOSPC, _EIO = 28, 5
_GET_COUNT, _GET_SIZE, _ERASE = 4, 5, 6


class PowerCut(Exception):  # noqa: N818
    """The power is gone in the middle of a write."""


class Restart(Exception):  # noqa: N818
    """The firmware asked for a reset or for deep sleep: neither call comes back."""

    def __init__(self, is_sleep: bool) -> None:
        super().__init__("deep sleep" if is_sleep else "reset")
        self.is_sleep = is_sleep


class Clock(Protocol):
    """What the parts need of the simulator's clock."""

    us: float


@dataclass(slots=True)
class Power:
    """How many bytes may still be written to flash before the power goes; None: it stays."""

    left: int | None = None

    def spend(self, n: int) -> int:
        """Return how many of n bytes still get written."""
        if self.left is None:
            return n
        done = min(n, self.left)
        self.left -= done
        return done


class SimFlash:
    """Raw flash as esp32.Partition shows it; `erases` counts per block."""

    def __init__(self, blocks: int = 16, block_bytes: int = 4096, power: Power | None = None) -> None:
        self.power = power or Power()
        self.data = [bytearray(b"\xff" * block_bytes) for _ in range(blocks)]
        self.erases = [0] * blocks
        self.writes = 0
        self.is_broken = False  # every write and erase fails

    def readblocks(self, block: int, buffer: bytearray | memoryview, offset: int = 0) -> None:
        buffer[:] = self.data[block][offset : offset + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes | bytearray | memoryview, offset: int = 0) -> None:
        if self.is_broken:
            raise OSError(_EIO, "flash does not write")
        new = bytes(buffer)
        old = self.data[block][offset : offset + len(new)]
        if any(b & ~a & 0xFF for a, b in zip(old, new, strict=True)):
            raise AssertionError(f"block {block}: written twice at {offset} without an erase")
        done = self.power.spend(len(new))
        self.data[block][offset : offset + done] = new[:done]
        if done < len(new):
            # The byte that was being written has some of its bits cleared.
            self.data[block][offset + done] &= new[done] | 0x55
            raise PowerCut
        self.writes += 1

    def ioctl(self, operation: int, block: int) -> int:
        if operation == _GET_COUNT:
            return len(self.data)
        if operation == _GET_SIZE:
            return len(self.data[0])
        if operation == _ERASE:
            self._erase(block)
        return 0

    def _erase(self, block: int) -> None:
        if self.is_broken:
            raise OSError(_EIO, "flash does not erase")
        self.erases[block] += 1
        size = len(self.data[block])
        if self.power.spend(1) == 0:
            # Half an erase: charges drain everywhere, so any bit may already read as 1.
            half = self.data[block]
            half[:] = bytes(b | (0xAA if k % 3 else 0xFF) for k, b in enumerate(half))
            raise PowerCut
        self.data[block][:] = b"\xff" * size


class SimFiles:
    """A littlefs: `replace` leaves the old file or the new one, and maybe a torn file beside it."""

    def __init__(self, power: Power | None = None) -> None:
        self.power = power or Power()
        self.files: dict[str, bytes] = {}
        self.writes = 0
        self.is_full = False

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def replace(self, name: str, data: bytes) -> None:
        if self.is_full:
            raise OSError(_ENOSPC, "no space left")
        done = self.power.spend(len(data) + 1)  # one more for the rename
        self.files[name + ".new"] = bytes(data[:done])
        if done <= len(data):
            raise PowerCut
        self.files[name] = self.files.pop(name + ".new")
        self.writes += 1

    def free_kb(self) -> int | None:
        return None

    def remove(self, name: str) -> None:
        if self.power.spend(1) == 0:
            raise PowerCut
        self.files.pop(name, None)
        self.files.pop(name + ".new", None)


class SimMotor:
    """A vibration motor on a PWM pin, with the timer that stops it 2 s after the last `set`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._duty = 0
        self._since_us = 0.0
        self.pulses: list[tuple[float, float, int]] = []  # (from s, to s, duty), ended ones

    def set(self, duty: int) -> None:
        if not 0 <= duty <= 65535:
            raise ValueError(f"duty of {duty}, expected 0 to 65535")
        self._end(self._clock.us)
        self._duty = duty
        self._since_us = self._clock.us

    @property
    def duty(self) -> int:
        """What the motor gets now."""
        return self._duty if self._clock.us - self._since_us < _FAILSAFE_US else 0

    def _end(self, now_us: float) -> None:
        if self._duty:
            end_us = min(now_us, self._since_us + _FAILSAFE_US)
            self.pulses.append((self._since_us / 1e6, end_us / 1e6, self._duty))
            self._duty = 0

    def on_s(self, since_s: float = 0.0) -> float:
        """Return how long it vibrated since a time, ended pulses only."""
        return sum(max(end - max(begin, since_s), 0.0) for begin, end, _ in self.pulses)


@dataclass(slots=True)
class SimPins:
    """What hands and the charger do, and what the LED shows."""

    is_pressed: bool = False
    is_charging: bool = False
    battery_mv: int = 3900
    led: int = 0
    led_changes: list[int] = field(default_factory=list)

    def set_led(self, value: int) -> None:
        self.led = value
        self.led_changes.append(value)
