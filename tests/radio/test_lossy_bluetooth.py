"""A system whose Bluetooth hands over notifications before it says that it subscribed, and each of them twice."""

import asyncio
import itertools

import pytest

from bleak_host import DATA
from tiltwise.common import wire
from tiltwise.common.frame import open_frame
from tiltwise.link.ble import BleConnector
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.supervisor import Supervisor
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.radio.bleak_backend import Adapter
from tiltwise_lab.radio.bumble_board import BumbleBoard
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually
from tiltwise_lab.vm.nodding_motion import NoddingMotion

KEY = bytes(range(32))


def hasty(client, old, *, times):
    """Return a client class that hands over old notifications before it has subscribed, and each one so often."""

    class Hasty(client):
        async def start_notify(self, characteristic, callback, **kwargs):
            def again(data):
                if characteristic.uuid == DATA:
                    old.append(bytes(data))
                for _ in range(times):
                    callback(data)

            for data in old[-40:]:
                callback(bytearray(data))
            await super().start_notify(characteristic, again, **kwargs)

    return Hasty


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("mtu", [23, 247])
def test_notifications_before_subscribing_and_twice_are_no_frames(times, mtu):
    async def run():
        link = RadioLink()
        part = Lsm6dsox(seed=1)
        board = BumbleBoard(link, [part], NoddingMotion(part), key=KEY)
        board.power_on()
        adapter = Adapter(link, mtu=mtu)
        await adapter.power_on()
        old = [b"\x0d\x80junk" * 4, bytes(20), b"\xff"]
        connector = BleConnector(
            client_backend=hasty(adapter.client, old, times=times), scanner_backend=adapter.scanner
        )
        source = Supervisor(
            connector, (KeyedBoard(board.device_id, "neck", KEY),), clock=asyncio.get_running_loop().time
        )
        seen, notices = [], []
        source.on_notice = notices.append

        async def take():
            async for chunk in source.chunks():
                if wire.is_frame(chunk.data):
                    seen.append(open_frame(chunk.data)[3])

        async with source:
            task = asyncio.get_running_loop().create_task(take())
            await asyncio.sleep(8)
            link.conditions.is_in_range = False
            await asyncio.sleep(3)
            link.conditions.is_in_range = True
            await asyncio.sleep(10)
            task.cancel()
        adapter.close()
        await board.close()
        return source, seen, notices, old

    source, seen, notices, old = run_virtually(run())
    assert source.connections == 2
    assert len(old) > 40, "old notifications of the first connection were given to the second"
    assert len(seen) > 50
    steps = [b - a for a, b in itertools.pairwise(seen)]
    assert min(steps) == 1, "in order, each once"
    assert sum(step > 1 for step in steps) == 1, "only what the outage cost is missing, to be fetched"
    assert notices[0] == "connected to neck"
