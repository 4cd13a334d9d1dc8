"""UTC of what a board says: the clocks of its boots, and when the host's own clock began.

The one place where device time becomes wall time; every boot has a clock of its own.
"""

from __future__ import annotations

from tiltwise.common import wire
from tiltwise.link.board_connection import read_ping
from tiltwise.link.board_identity import Hello
from tiltwise.link.clock_sync import BootClock


class BoardClocks:
    """The clocks of one board.

    Parameters
    ----------
    started_utc_s
        Wall time of `received_s == 0`.
    """

    def __init__(self, started_utc_s: float) -> None:
        self.started_utc_s = started_utc_s
        self.boot: int | None = None  # that of the newest live frame
        self.asked: int | None = None  # that of the newest HELLO, whose board answers PING
        self._clocks: dict[int, BootClock] = {}

    def learn(self, frame: bytes, received_s: float) -> None:
        """Take a live frame that was checked."""
        self.boot = wire.unpack_header(frame)[2]
        self._clock(self.boot).learn(frame, received_s)

    def hear_hello(self, hello: Hello) -> None:
        """Take the answer to HELLO: the answers to PING that follow are of this boot."""
        self.asked = hello.boot & 0xFFFF

    def hear_ping(self, body: bytes, received_s: float) -> None:
        """Take the answer to PING."""
        told = read_ping(body)
        if told is not None and self.asked is not None and told[0] <= received_s:
            self._clock(self.asked).learn_ping(*told, received_s)

    def fix(self, boot: int, device_s: float, utc_s: float, rate: float = 1.0) -> None:
        """Go by this for a boot of which nothing is live (yet)."""
        self._clock(boot).fix(device_s, utc_s - self.started_utc_s, rate)

    def is_known(self, boot: int) -> bool:
        """Tell whether times of this boot can be placed."""
        return boot in self._clocks and self._clocks[boot].is_ready

    def utc_s(self, boot: int, device_s: float) -> float:
        """Return the wall time of a device time of a known boot."""
        return self.started_utc_s + self._clocks[boot].to_received_s(device_s)

    def device_s(self, frame: bytes) -> float:
        """Return the device time of a frame of a known boot, unwrapped."""
        return self._clocks[wire.unpack_header(frame)[2]].device_span(frame)[0]

    def span(self, frame: bytes) -> tuple[float, float] | None:
        """Return when a frame's first sample was taken and its last one ended; None for an unknown boot."""
        boot = wire.unpack_header(frame)[2]
        if not self.is_known(boot):
            return None
        start_s, end_s = self._clocks[boot].device_span(frame)
        return self.utc_s(boot, start_s), self.utc_s(boot, end_s)

    def fit(self, device_s: float) -> tuple[float, float, float] | None:
        """Return (device s, UTC s, rate) of the present boot as they stand, for whoever times it again later."""
        if self.boot is None or not self.is_known(self.boot):
            return None
        return device_s, self.utc_s(self.boot, device_s), 1.0 + self._clocks[self.boot].drift_ppm * 1e-6

    def _clock(self, boot: int) -> BootClock:
        return self._clocks.setdefault(boot, BootClock())
