"""Who a board is: what anybody may read from it (HELLO), and the boards that this computer holds the key of."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tiltwise.common import wire
from tiltwise.common.auth import DEVICE_ID_SIZE
from tiltwise.link.transport import LinkError, Trouble

_SIZE = struct.calcsize(wire.HELLO_BODY)
_START_SIZE = struct.calcsize(wire.HELLO_START)


@dataclass(frozen=True, slots=True)
class KeyedBoard:
    """A board that this computer has the key of; the key is never printed."""

    device_id: bytes
    name: str
    key: bytes
    changes: int | None = None  # of the board's list of keys, as this computer last saw it

    def __repr__(self) -> str:
        """Leave the key out of logs and tracebacks."""
        return f"KeyedBoard({self.device_id.hex()}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class Hello:
    """What a board says about itself; all but `state` only over a cable or in a session, else 0 or empty."""

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


def read_hello(data: bytes, protocols: tuple[int, ...] = (1, wire.PROTOCOL)) -> Hello:
    """Return what HELLO_START, or HELLO_BODY and the device id behind it, say.

    Recordings hold what boards of protocol 1 said, in the same order: `protocols` may leave those out.

    Raises
    ------
    LinkError : for another version, or too few bytes
    """
    if data and data[0] not in protocols:
        raise LinkError(
            Trouble.VERSION,
            f"the board speaks protocol {data[0]}, this tiltwise {wire.PROTOCOL}: update the older one "
            "(tiltwise setup updates boards)",
        )
    if len(data) != _START_SIZE and len(data) < _SIZE:
        raise LinkError(Trouble.VERSION, f"the board says {len(data)} bytes about itself, expected {_SIZE}")
    least_host_minor, state = data[2], data[3]
    if least_host_minor > wire.MINOR:
        raise LinkError(
            Trouble.VERSION,
            f"the board needs a host of protocol {wire.PROTOCOL}.{least_host_minor}, this tiltwise speaks "
            f"{wire.PROTOCOL}.{wire.MINOR}: update tiltwise",
        )
    if len(data) == _START_SIZE:
        return Hello(state=state, features=0, firmware=(0, 0, 0), imus=0, boot=0, model="", device_id=b"")
    values = struct.unpack_from(wire.HELLO_BODY, data)
    _, _, _, _, features, major, minor, patch, imus, boot, _, _, model = values
    return Hello(
        state=state,
        features=features,
        firmware=(major, minor, patch),
        imus=imus,
        boot=boot,
        model=model.rstrip(b"\0").decode("ascii", errors="replace"),
        device_id=data[_SIZE : _SIZE + DEVICE_ID_SIZE],
    )
