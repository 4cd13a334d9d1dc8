"""The one policy of what is acknowledged and when: at most once a second, and only what is durable.

An acknowledgement (ACK) tells the board up to which frame it may forget, and how many more it may send. These
credits count from the newest frame, so that neither a full disk nor a lost frame stops the stream.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tiltwise.common import wire
from tiltwise.common.frame import Frame
from tiltwise.decode.decoder import Decoder, Item
from tiltwise.link.commands import Acknowledger
from tiltwise.live.wearer.live_events import Command

ACK_EVERY_S = 1.0  # of received time
_LATEST_S = 5.0  # a board stops after link/commands.py's credits, which last 12.8 s
# An ACK counts its credits in a u16 from what is durable; over a longer hole only NOTHING_STORED goes on.
_FAR = 0xFF00


def ack_every_s(speed: float) -> float:
    """Return the received time between two rounds at a speed (0: as fast as possible), some ten in a real second."""
    return min(max(ACK_EVERY_S, (speed or math.inf) / 10), _LATEST_S)


class Acknowledgements:
    """What is acknowledged to one board.

    Parameters
    ----------
    every_s
        Received time between two rounds; the first frame is acknowledged at once.
    """

    def __init__(self, every_s: float = ACK_EVERY_S) -> None:
        self.commands = Acknowledger()
        self.newest = (0, -1)  # boot and number of the newest frame
        self.last_s = -every_s  # received time of the last round
        self._every_s = every_s
        self._freed: dict[int, int] = {}  # earlier boot -> what was acknowledged of it

    def note(self, frame: Frame) -> None:
        """Take the number of a good live frame."""
        this = (frame.boot, frame.seq)
        self.newest = max(self.newest, this) if frame.boot == self.newest[0] else this

    def is_due(self, received_s: float) -> bool:
        """Tell whether it is time for the next round, and begin it."""
        if received_s - self.last_s < self._every_s:
            return False
        self.last_s = received_s
        return True

    def present(self, durable: Mapping[int, int]) -> list[Command]:
        """Acknowledge the boot of the newest frame; durable is boot -> last number that the board may forget."""
        boot, newest = self.newest
        if newest < 0:
            return []
        seq = durable.get(boot, wire.NOTHING_STORED)
        if newest - seq > _FAR:
            seq = wire.NOTHING_STORED
        return [Command(self.commands.ack(boot, seq, newest=newest))]

    def earlier(self, durable: Mapping[int, int]) -> list[Command]:
        """Acknowledge what was fetched of earlier boots, where that is more than before."""
        found = []
        for boot, seq in durable.items():
            if boot != self.newest[0] and self._freed.get(boot) != seq:
                self._freed[boot] = seq
                found.append(Command(self.commands.ack(boot, seq)))
        return found


class DecodedCounts:
    """Decodes for a session that keeps nothing: what was handed on counts as durable."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self._acks = Acknowledgements()

    def feed(self, received_s: float, data: bytes) -> tuple[list[Command], list[Item]]:
        """Take a frame; return an acknowledgement of those before it when one is due, and what it brings."""
        acks = []
        if self._acks.newest[1] >= 0 and self._acks.is_due(received_s):
            seen = self.decoder.acknowledgeable()
            acks = self._acks.present({} if seen is None else dict([seen]))
        frame = self.decoder.open(data)
        if frame is None:
            return acks, []
        self._acks.note(frame)
        return acks, self.decoder.take(frame)
