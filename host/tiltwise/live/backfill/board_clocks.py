"""Convert the device time of each boot of a board to UTC: the one place where device time becomes wall time."""

from __future__ import annotations

from tiltwise.common.frame import Frame
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
        self.asked: int | None = None  # that of the newest HELLO, to which answers to PING belong
        self._clocks: dict[int, BootClock] = {}

    def learn(self, frame: Frame, received_s: float) -> None:
        """Take a live frame that was checked."""
        self.boot = frame.boot
        self._clock(self.boot).learn(frame, received_s)

    def on_hello(self, hello: Hello) -> None:
        """Take the reply to HELLO: the replies to PING that follow are of this boot."""
        self.asked = hello.boot & 0xFFFF

    def on_ping(self, body: bytes, received_s: float) -> None:
        """Take the answer to PING."""
        times = read_ping(body)
        if times is not None and self.asked is not None and times[0] <= received_s:
            self._clock(self.asked).learn_ping(*times, received_s)

    def fix(self, boot: int, device_s: float, utc_s: float, rate: float = 1.0) -> None:
        """Use this fit for a boot of which no live frame has come yet."""
        self._clock(boot).fix(device_s, utc_s - self.started_utc_s, rate)

    def is_known(self, boot: int) -> bool:
        """Tell whether times of this boot can be placed."""
        return boot in self._clocks and self._clocks[boot].is_ready

    def utc_s(self, boot: int, device_s: float) -> float:
        """Return the wall time of a device time of a known boot."""
        return self.started_utc_s + self._clocks[boot].to_received_s(device_s)

    def device_s(self, frame: Frame) -> float:
        """Return the device time of a frame of a known boot, unwrapped."""
        return self._clocks[frame.boot].device_span(frame)[0]

    def span(self, frame: Frame) -> tuple[float, float] | None:
        """Return when a frame's first sample was taken and its last one ended; None for an unknown boot."""
        if not self.is_known(frame.boot):
            return None
        start_s, end_s = self._clocks[frame.boot].device_span(frame)
        return self.utc_s(frame.boot, start_s), self.utc_s(frame.boot, end_s)

    def fit(self, device_s: float) -> tuple[float, float, float] | None:
        """Return (device s, UTC s, rate) of the present boot, to be stored for a later run."""
        if self.boot is None or not self.is_known(self.boot):
            return None
        return device_s, self.utc_s(self.boot, device_s), 1.0 + self._clocks[self.boot].drift_ppm * 1e-6

    def _clock(self, boot: int) -> BootClock:
        return self._clocks.setdefault(boot, BootClock())
