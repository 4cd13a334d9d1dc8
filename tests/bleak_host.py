"""A small host on plain bleak, with any backend: finds a board by its service, proves the key, takes frames.

For tests of radios; the host that people run is link/supervisor.py. Time is the event loop's.
"""

import asyncio
import itertools
import random
import struct

from bleak import BleakClient, BleakScanner

from tiltwise.common import auth, cobs, fragments, wire
from tiltwise.common.channel import Channel
from tiltwise.common.frame import unpack_header

SERVICE, INFO, CTRL, DATA = (
    wire.uuid128(short) for short in (wire.UUID_SERVICE, wire.UUID_INFO, wire.UUID_CTRL, wire.UUID_DATA)
)
REPLY_S = 5.0


class BleakHost:
    """One connection at a time; frames of all of them are in `frames`."""

    def __init__(self, key, device_id, *, client=None, scanner=None):
        self._key, self._device_id = key, device_id
        self._client_backend = {} if client is None else {"backend": client}
        self._scanner_backend = {} if scanner is None else {"backend": scanner}
        self._rng = random.Random(5)
        self.gone = asyncio.Event()
        self.came = asyncio.Event()  # a frame
        self.frames = []
        self.told_done = []  # GET_DONE bodies
        self.damaged = 0
        self.client = None
        self._counter = 0  # of commands before the proof

    async def find(self, timeout=20.0):
        """Return the first board that is heard, TimeoutError when there is none."""
        found = await BleakScanner.find_device_by_filter(
            lambda _, told: SERVICE in told.service_uuids,
            timeout=timeout,
            service_uuids=[SERVICE],
            **self._scanner_backend,
        )
        if found is None:
            raise TimeoutError(f"no board in {timeout:g} s")
        return found

    async def connect(self, device=None):
        """Connect, listen; return INFO."""
        device = device or await self.find()
        self.gone.clear()
        self._channel = None
        self._joiner = fragments.Joiner()
        self._inbox = cobs.Unstuffer(1024, cobs.stuffed_size(wire.MAX_COMMAND))
        self._ids = itertools.count(wire.LEAST_REQUEST_ID)
        self._waiting = {}
        self.client = BleakClient(
            device, disconnected_callback=lambda _: self.gone.set(), **self._client_backend
        )
        await self.client.connect()
        info = bytes(await self.client.read_gatt_char(INFO))
        await self.client.start_notify(CTRL, self._on_ctrl)
        await self.client.start_notify(DATA, self._on_data)
        return info

    async def open(self, device=None):
        """Connect, prove the key, ask for the stream."""
        info = await self.connect(device)
        await self.prove()
        await self.command(wire.OP_START, bytes((wire.ORIENT, 10)))
        return info

    async def prove(self):
        """Prove the key both ways."""
        shake = auth.HostHandshake(self._key, self._device_id, self._rng.randbytes(auth.NONCE_SIZE), 0)
        proof = shake.prove(await self.command(wire.OP_AUTH1, shake.request()))
        await self.command(wire.OP_AUTH2, proof)
        self._channel = Channel(shake.shared, True)

    async def command(self, opcode, payload=b""):
        """Send a command and return the rest of its answer; RuntimeError when it is refused."""
        request_id = wire.LEAST_REQUEST_ID + next(self._ids) % (256 - wire.LEAST_REQUEST_ID)
        if self._channel is None:
            self._counter += 1
            data = wire.pack_command(request_id, opcode, self._counter, payload)
        else:
            data = self._channel.pack(request_id, opcode, payload)
        future = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        await self._write(data)
        answer = await asyncio.wait_for(future, REPLY_S)
        if answer[0] != wire.STATUS_OK:
            raise RuntimeError(f"command {opcode}: status {answer[0]}")
        return answer[1:]

    async def _write(self, data):
        stuffed = bytearray(cobs.stuffed_size(len(data)))
        size = cobs.stuff_into(data, len(data), stuffed)
        step = self.client.mtu_size - 3
        for at in range(0, size, step):
            await self.client.write_gatt_char(CTRL, bytes(stuffed[at : min(at + step, size)]), response=True)

    async def acknowledge(self):
        """Say that all frames so far are stored."""
        _, _, boot, seq, *_ = unpack_header(self.frames[-1])
        await self.command(wire.OP_ACK, struct.pack("<HIH", boot, seq, 64))

    async def get(self, first, last):
        """Ask for frames again."""
        boot = unpack_header(self.frames[-1])[2]
        await self.command(wire.OP_GET, struct.pack("<HII", boot, first, last))

    async def stream(self, seconds):
        """Take frames and acknowledge them four times a second: the board sends few without a word."""
        for _ in range(round(4 * seconds)):
            await asyncio.sleep(0.25)
            if self.frames and self.client.is_connected:
                await self.acknowledge()

    async def live_frame(self, timeout=30.0):
        """Wait for the next frame that is not a repeated one."""
        n = len(self.frames)
        async with asyncio.timeout(timeout):
            while not any(not unpack_header(f)[1] & wire.FLAG_BACKFILL for f in self.frames[n:]):
                self.came.clear()
                await self.came.wait()

    def numbers(self):
        """Return the sequence numbers in order of arrival."""
        return [unpack_header(frame)[3] for frame in self.frames]

    def missing(self):
        """Return the numbers between the first and the last that never came."""
        numbers = self.numbers()
        return sorted(set(range(min(numbers), max(numbers) + 1)) - set(numbers))

    # ---- what comes ----

    def _on_ctrl(self, _, data):
        self._inbox.put(bytes(data))
        packet = self._inbox.take()
        while packet is not None:
            self._on_reply(packet)
            packet = self._inbox.take()

    def _on_reply(self, packet):
        try:
            if self._channel is None:
                request_id, opcode, _, payload = wire.open_command(packet)
            else:
                request_id, opcode, payload = self._channel.open(packet)
        except wire.WireError:
            self.damaged += 1
            return
        if opcode == wire.OP_GET_DONE | wire.REPLY:
            self.told_done.append(bytes(payload))
            return
        future = self._waiting.pop(request_id, None)
        if future is not None and not future.done():
            future.set_result(bytes(payload))

    def _on_data(self, _, data):
        frame = self._joiner.feed(bytes(data))
        if frame is None or self._channel is None:
            return
        try:
            self.frames.append(self._channel.open_frame(frame))
        except wire.WireError:
            self.damaged += 1
            return
        self.came.set()
