"""Live sources: `sim:SCENARIO?seed=1&...` is a simulated wearer; `ble:`, `ble:NAME` and `serial:PORT` are boards.

Import this module before an address is parsed: it registers them. With `face=out` the simulated sensors lie in their
case as those of our boards do.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tiltwise.config.address import Address, AddressError, number, register, speed, whole_number
from tiltwise.config.sensor_keys import keep, known_boards
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.source import Source
from tiltwise.link.supervisor import Supervisor
from tiltwise.link.transport import Connector
from tiltwise.store.stored_samples import REPLAYED, SIMULATED
from tiltwise.text import printable, safe_name
from tiltwise.types import Mount

COACHED = "coached"  # sim:coached is a wearer who does what `tiltwise exercise` asks for


ORIGINS = {
    "sim": SIMULATED,
    "replay": REPLAYED,
}  # scheme -> whose days these are, which are not the wearer's own


def device_in_store(address: Address, started: datetime) -> str:
    """Return the name of a source's days, until a board says who it is; played again, it is another day."""
    name = safe_name(f"{address.scheme}-{Path(address.target or 'default').name}")
    return f"{name}-{started:%Y%m%dT%H%M%S}" if address.scheme in ORIGINS else name


def mount_of(source: Source) -> Mount | None:
    """Return where a simulated wearer has the sensor; None for other sources, which do not know."""
    mount: Mount | None = getattr(source, "mount", None)
    return mount


def taking_over(address: Address) -> Address:
    """Return the address with the board taken from another program that holds it; AddressError for other sources."""
    if address.scheme not in ("ble", "serial"):
        raise AddressError("--takeover is for ble: and serial:, where another program may hold the board")
    return replace(address, options={**address.options, "takeover": 1})


def wearing(address: Address, mount: Mount | None) -> Address:
    """Return the address with its simulated wearer's sensor at `mount`, unless it says itself where; others as is."""
    if address.scheme != "sim" or mount is None or "mount" in address.options:
        return address
    return replace(address, options={**address.options, "mount": mount.value})


def _mount(text: str) -> str:
    names = ", ".join(mount.value for mount in Mount)
    if text not in set(Mount):
        raise ValueError(f"one of {names}")
    return text


def _sensors(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError("1 or 2")
    return int(text)


def _face(text: str) -> str:
    if text not in ("any", "out"):
        raise ValueError("any or out")
    return text


def _open_sim(address: Address) -> Source:
    # here: a program that listens to a board needs neither the simulator nor the firmware's files
    from tiltwise.sim.board.simulated_source import SimSource
    from tiltwise.sim.board.simulation import Simulation

    options = address.options
    minutes = options.get("minutes")
    if "manner" in options and address.target != COACHED:
        raise AddressError(
            f"manner= is for sim:{COACHED}, the wearer who does what `tiltwise exercise` asks for"
        )
    is_pair = options.get("sensors", 1) == 2
    if is_pair and options.get("mount") == Mount.COLLAR:
        raise AddressError(
            "sensors=2 is one at mount=neck or head and one on the collar: leave mount=collar out"
        )
    try:
        simulation = Simulation(
            address.target or "desk",
            manner=str(options.get("manner", "well")) if address.target == COACHED else "",
            seed=int(options.get("seed", 1)),
            minutes=None if minutes is None else float(minutes),
            mount=str(options.get("mount", Mount.NECK.value)),
            two_sensors=is_pair,
            sensor_axes=str(options.get("face", "any")),
            auto_ack=False,
        )
    except ValueError as error:
        raise AddressError(str(error)) from error
    faces_out = options.get("face") == "out"
    return SimSource(simulation, faces_out=faces_out, speed=float(options.get("speed", 1.0)))


def connector_of(address: Address) -> tuple[Connector, list[KeyedBoard]]:
    """Return how to reach the boards of an address, and those of which this computer has a key; AddressError."""
    if address.scheme == "serial":
        from tiltwise.config.in_use import SharedPort  # here: pyserial
        from tiltwise.link.serial import SerialConnector

        return SerialConnector(address.target, open_port=SharedPort), known_boards()
    if address.scheme != "ble":
        raise AddressError(f"{address.scheme}: is no board: use ble: or serial:")
    from tiltwise.link.ble import BleConnector  # here: bleak takes a third of a second to load

    boards = known_boards()
    wanted = [board for board in boards if address.target in ("", board.name, board.device_id.hex())]
    if not wanted:
        names = ", ".join(board.name for board in boards)
        have = f"this computer has the keys of {names}" if names else "this computer has no board's key yet"
        raise AddressError(
            f"no key for {printable(address.target) or 'any board'}: {have}; plug the board in and run tiltwise setup"
        )
    return BleConnector(), wanted


def _open_board(address: Address) -> Source:
    connector, boards = connector_of(address)
    target = printable(address.target)
    what = (
        target or "the board"
        if address.scheme == "ble"
        else f"a board {'at ' + target if target else 'on USB'}"
    )
    return Supervisor(connector, boards, what=what, take_over=_takes_over(address), keep=keep)


def _takes_over(address: Address) -> bool:
    return address.options.get("takeover", 0) == 1


register("ble", _open_board, options={"takeover": whole_number(0, 1)}, example="ble:NAME")
register("serial", _open_board, options={"takeover": whole_number(0, 1)}, example="serial:/dev/ttyACM0")
register(
    "sim",
    _open_sim,
    options={
        "minutes": number(0.1, 24 * 60),
        "seed": whole_number(),
        "speed": speed,
        "mount": _mount,
        "sensors": _sensors,
        "face": _face,
        "manner": str,
    },
    example="sim:desk?minutes=5&seed=1&speed=20",
)
