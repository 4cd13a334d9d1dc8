"""Who a board is: what anybody may read from it (HELLO), and the boards that this computer holds the key of."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tiltwise.common import wire
from tiltwise.common.auth import DEVICE_ID_SIZE
from tiltwise.link.transport import LinkError, Trouble

_SIZE = struct.calcsize(wire.HELLO_BODY)


@dataclass(frozen=True, slots=True)
class KeyedBoard:
    """A board that this computer has the key of; the key is never printed."""

    device_id: bytes
    name: str
    key: bytes

    def __repr__(self) -> str:
        """Leave the key out of logs and tracebacks."""
        return f"KeyedBoard({self.device_id.hex()}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class Hello:
    """What a board tells anybody; the device id only over a cable or in a session, else it is empty."""

    state: int
    features: int
    firmware: tuple[int, int, int]
    imus: int
    boot: int
    model: str
    device_id: bytes

    @property
    def name(self) -> str:
        """The name of the board's data and calibrations, empty until it has said who it is."""
        return f"board-{self.device_id.hex()}" if self.device_id else ""


def read_hello(data: bytes) -> Hello:
    """Return what HELLO_BODY and the device id behind it say; LinkError for another version or too few bytes."""
    if not data or (data[0] == wire.VERSION and len(data) < _SIZE):
        raise LinkError(Trouble.VERSION, f"the board says {len(data)} bytes about itself, expected {_SIZE}")
    if data[0] != wire.VERSION:
        raise LinkError(
            Trouble.VERSION,
            f"the board speaks protocol {data[0]}, this tiltwise {wire.VERSION}: update the older one "
            "(tiltwise setup updates boards)",
        )
    values = struct.unpack_from(wire.HELLO_BODY, data)
    _, _, least_host_minor, state, features, major, minor, patch, imus, boot, _, _, model = values
    if least_host_minor > wire.MINOR:
        raise LinkError(
            Trouble.VERSION,
            f"the board needs a host of protocol {wire.VERSION}.{least_host_minor}, this tiltwise speaks "
            f"{wire.VERSION}.{wire.MINOR}: update tiltwise",
        )
    return Hello(
        state=state,
        features=features,
        firmware=(major, minor, patch),
        imus=imus,
        boot=boot,
        model=model.rstrip(b"\0").decode("ascii", errors="replace"),
        device_id=data[_SIZE : _SIZE + DEVICE_ID_SIZE],
    )
