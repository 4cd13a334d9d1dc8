"""Runs inside the guest: the unmodified `ble:` path on the system's own Bluetooth, and prints what it saw as JSON.

The lines that begin with AIR tell the test outside what the air has to do next.
"""

import asyncio
import json
import statistics
import struct
import sys
import time

from tiltwise.common import wire
from tiltwise.link.ble import BleConnector
from tiltwise.link.peer import Known
from tiltwise.link.supervisor import Supervisor

KEY, DEVICE_ID = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])
STREAM_S, FADES, FADE_S, FILL_S = float(sys.argv[3]), int(sys.argv[4]), 1.0, 8.0
REQUEST = wire.LEAST_REQUEST_ID


class Flow:
    """Takes what the supervisor gives, acknowledges each second, asks for what is missing."""

    def __init__(self, supervisor):
        self.supervisor = supervisor
        self.seen = {}  # sequence number -> whether it was sent again on request
        self.repeated = 0
        self.boot = 0
        self.live = asyncio.Event()

    async def take(self):
        async for chunk in self.supervisor.chunks():
            if not wire.is_frame(chunk.data):
                continue
            _, flags, self.boot, seq, *_ = wire.unpack_header(chunk.data)
            is_again = bool(flags & wire.FLAG_BACKFILL)
            self.repeated += seq in self.seen
            self.seen.setdefault(seq, is_again)
            if not is_again:
                self.live.set()

    async def acknowledge(self):
        while True:
            await asyncio.sleep(1.0)
            if self.seen and self.supervisor.is_streaming:
                missing = self.missing()
                if missing:
                    await self._send(wire.OP_GET, struct.pack("<HII", self.boot, missing[0], missing[-1]))
                last = missing[0] - 1 if missing else max(self.seen)
                await self._send(wire.OP_ACK, struct.pack("<HIH", self.boot, last, 64))

    async def _send(self, opcode, payload):
        await self.supervisor.send(bytes(wire.pack_command(REQUEST, opcode, 0, payload)))

    def missing(self):
        return sorted(set(range(min(self.seen), max(self.seen))) - set(self.seen))

    async def until_live(self, seconds):
        """Wait for a live frame and return after how many seconds it came."""
        began_s = time.monotonic()
        self.live.clear()
        await asyncio.wait_for(self.live.wait(), seconds)
        return time.monotonic() - began_s


async def main():
    said = []
    supervisor = Supervisor(BleConnector(), [Known(DEVICE_ID, "bench", KEY)])
    supervisor.on_notice = said.append
    flow = Flow(supervisor)
    async with supervisor:
        tasks = [asyncio.create_task(flow.take()), asyncio.create_task(flow.acknowledge())]
        first_s = await flow.until_live(60.0)
        began_s = time.monotonic()
        await asyncio.sleep(STREAM_S)
        result = {
            "first_s": first_s,
            "streamed_s": time.monotonic() - began_s,
            "streamed": len(flow.seen),
            "connections_before": supervisor.connections,
            "missing_before": len(flow.missing()),
        }
        backs_s, holes = [], 0
        for _ in range(FADES):
            print("AIR off", flush=True)
            await asyncio.sleep(FADE_S)
            print("AIR on", flush=True)
            backs_s.append(await flow.until_live(60.0))
            holes += len(flow.missing())
            await asyncio.sleep(FILL_S)
        for task in tasks:
            task.cancel()
        result |= {
            "backs_s": backs_s,
            "back_median_s": statistics.median(backs_s),
            "connections": supervisor.connections,
            "missed_in_fades": holes,
            "frames": len(flow.seen),
            "filled": sum(flow.seen.values()),
            "repeated": flow.repeated,
            "missing": len(flow.missing()),
            "said": said,
        }
    print("RESULT " + json.dumps(result), flush=True)


asyncio.run(main())
