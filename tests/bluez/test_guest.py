"""The unmodified `ble:` path on bluetoothd and a Linux kernel, against the real firmware on the virtual air.

Slow (two minutes of real time) and not part of `make test`: `make test-bluez` runs it.
"""

import asyncio
import json
import os

import pytest

pytest.importorskip("bumble", reason="the virtual air needs bumble: pip install 'tiltwise[air]'")

from tiltwise.sim.air_board import AirBoard
from tiltwise.sim.radio import RadioLink
from tiltwise.sim.sensor import Lsm6dsox
from tiltwise.sim.vm.still import Nodding

pytestmark = pytest.mark.bluez
KEY = bytes(range(32))
STREAM_S = 60
FADES = int(os.environ.get("TILTWISE_BLUEZ_FADES", "5"))
FRAMES_PER_S = 5.2
SECONDS = 300 + 30 * FADES  # on a busy machine; half of that on an idle one


@pytest.fixture(scope="module")
def guest():
    """The module guest.py, or a skip with the reason."""
    from bluez import guest as module

    try:
        module.kernel_folder()
    except module.GuestUnavailableError as problem:
        pytest.skip(str(problem))
    return module


def run_guest(guest, work):
    """Run inside.py in a guest beside a board; return what it printed as its result."""

    async def run():
        link = RadioLink()
        part = Lsm6dsox(seed=1)
        board = AirBoard(link, [part], Nodding(part), key=KEY)
        board.power_on()

        def on_line(line):
            print(line)
            if line.startswith("AIR "):
                link.air.is_in_range = line == "AIR on"

        arguments = f"{KEY.hex()} {board.device_id.hex()} {STREAM_S} {FADES}"
        machine = guest.Guest(link, work, f"{guest.HERE / 'inside.py'} {arguments}", on_line)
        try:
            status = await machine.run(SECONDS)
            board.check()
        finally:
            await board.close()
        results = [line for line in machine.lines if line.startswith("RESULT ")]
        assert status == 0, machine.lines[-20:]
        return json.loads(results[-1].removeprefix("RESULT "))

    return asyncio.run(run())


def test_bluez_streams_loses_range_reconnects_and_fills_the_gaps(guest, tmp_path):
    result = run_guest(guest, tmp_path)
    print(json.dumps(result, indent=1))
    assert result["connections_before"] == 1
    assert result["missing_before"] == 0
    # The board sends what it had in its ring before, so there is more than was measured meanwhile.
    assert result["streamed"] >= 0.97 * FRAMES_PER_S * STREAM_S
    assert result["connections"] == 1 + FADES  # Linux ends a connection after 0.42 s of silence
    assert result["missing"] == 0
    assert result["back_median_s"] < 10.0  # an emulated processor is several times slower than a real one
