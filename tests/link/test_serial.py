"""The cable: found by its USB id, unplugged in the middle of a frame, plugged in under another name."""

from __future__ import annotations

import asyncio
import errno
import queue
from collections.abc import Coroutine
from typing import Any

import pytest

from tiltwise.link.serial import Port, SerialConnector
from tiltwise.link.transport import CABLE, LinkError, Trouble


class FakePort:
    """An open port; `gone` makes it raise as pyserial does."""

    def __init__(self) -> None:
        self.came: queue.Queue[bytes] = queue.Queue()
        self.written = b""
        self.gone = False
        self.is_open = True

    def read(self, timeout_s: float) -> bytes:
        try:
            data = self.came.get(timeout=min(timeout_s, 0.01))
        except queue.Empty:
            data = b""
        if self.gone:
            raise OSError(errno.EIO, "device reports readiness to read but returned no data")
        return data

    def write(self, data: bytes) -> None:
        if self.gone:
            raise OSError(errno.EIO, "write failed")
        self.written += data

    def close(self) -> None:
        self.is_open = False


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


def test_without_a_port_only_boards_of_known_makers_are_tried() -> None:
    found = [Port("/dev/ttyACM3", "x", "Seeed Studio"), Port("/dev/ttyUSB0", "a modem", "")]

    async def main() -> None:
        connector = SerialConnector(find_ports=lambda: found)
        assert [c.address for c in await connector.find()] == ["/dev/ttyACM3"]
        found[0] = Port("/dev/ttyACM4", "x", "Seeed Studio")  # plugged in again
        assert [c.address for c in await connector.find()] == ["/dev/ttyACM4"]
        assert [c.address for c in await SerialConnector("COM3", find_ports=lambda: found).find()] == ["COM3"]

    run(main())


def test_bytes_go_both_ways_and_unplugging_ends_the_stream() -> None:
    port = FakePort()

    async def main() -> None:
        connection = await SerialConnector("p", open_port=lambda _: port).connect("p")
        stream = await connection.notifications()
        assert await connection.read_info() == b""
        await connection.write_ctrl(b"ask")
        assert port.written == b"ask"
        port.came.put(b"\x00half of a fra")
        assert await anext(stream) == (CABLE, b"\x00half of a fra")
        port.gone = True
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with pytest.raises(LinkError, match="unplugged"):
            await connection.write_ctrl(b"x")
        assert not connection.is_connected
        await connection.close()
        await connection.close()
        assert not port.is_open

    run(main())


def test_closing_ends_the_reading_thread() -> None:
    async def main() -> None:
        connection = await SerialConnector("p", open_port=lambda _: FakePort()).connect("p")
        stream = await connection.notifications()
        assert connection.is_connected
        await connection.close()
        assert not connection.is_connected
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(main())


@pytest.mark.parametrize(
    ("error", "trouble", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), Trouble.DENIED, "dialout"),
        (OSError(errno.EBUSY, "Device or resource busy"), Trouble.BUSY, "another program"),
        (OSError(errno.EAGAIN, "Could not exclusively lock port p"), Trouble.BUSY, "another program"),
        (FileNotFoundError(errno.ENOENT, "no such file"), Trouble.ABSENT, "plug it in"),
    ],
)
def test_a_port_that_does_not_open_is_told_by_its_class(error: OSError, trouble: Trouble, says: str) -> None:
    def refuse(_path: str) -> FakePort:
        raise error

    async def main() -> None:
        with pytest.raises(LinkError, match=says) as caught:
            await SerialConnector("p", open_port=refuse).connect("p")
        assert caught.value.trouble is trouble

    run(main())
