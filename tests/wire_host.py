"""A host for tests: the host's half of common/ on a fake radio or a fake cable."""

import struct

from tiltwise.common import auth, cobs, wire
from tiltwise.common.channel import Channel
from tiltwise.common.fragments import Joiner
from tiltwise.common.frame import open_frame, unpack_header

KEY = bytes(range(1, 33))
DEVICE = b"board-01"


def stuffed(data):
    out = bytearray(cobs.stuffed_size(len(data)))
    return bytes(out[: cobs.stuff_into(data, len(data), out)])


class Keys:
    """A keystore in memory, with one key or none."""

    def __init__(self, key):
        self.keys = [] if key is None else [(bytes(wire.KEY_NAME_SIZE), key)]
        self.changes = 0

    def load(self):
        return list(self.keys)

    def save(self, keys, is_change=True):
        self.keys = list(keys)
        self.changes += is_change


class Host:
    """Asks and listens.

    `write(bytes)` sends to the board, `listen()` returns (bytes of answers, notifications), `run()` lets time pass.
    """

    def __init__(self, write, listen, run, key=KEY, nonce=b"h" * 16, device=DEVICE):
        self._write, self._listen, self._run = write, listen, run
        self._key, self._nonce, self._device = key, nonce, device
        self._inbox = cobs.Unstuffer(8192, 300)
        self._joiner = Joiner()
        self.channel = None
        self.notifications = []  # as they came
        self.frames = []  # opened
        self.raw_frames = []
        self.told = []  # answers nobody asked for: (request id, opcode, payload)
        self._request = wire.LEAST_REQUEST_ID
        self._counter = 0

    def send(self, opcode, payload=b"", sealed=None):
        """Send a command without waiting; return its bytes."""
        self._request = max((self._request + 1) & 255, wire.LEAST_REQUEST_ID)
        if self.channel is None or sealed is False:
            self._counter += 1
            data = wire.pack_command(self._request, opcode, self._counter, payload)
        else:
            data = self.channel.pack(self._request, opcode, payload)
        self._write(stuffed(data))
        return data

    def hear(self):
        """Take what came; return the answers as (request id, opcode, payload)."""
        answers, notifications = self._listen()
        for notification in notifications:
            self.notifications.append(notification)
            frame = self._joiner.feed(notification)
            if frame is not None:
                self.raw_frames.append(frame)
                if self.channel is None:
                    open_frame(frame)
                    self.frames.append(frame)
                else:
                    self.frames.append(self.channel.open_frame(frame))
        self._inbox.put(answers)
        heard = []
        packet = self._inbox.take()
        while packet is not None:
            heard.append(self._open(packet))
            packet = self._inbox.take()
        return heard

    def _open(self, packet):
        if self.channel is not None and packet[0] == wire.SEALED_COMMAND:
            return self.channel.open(packet)
        request_id, opcode, _, payload = wire.open_command(packet)
        return request_id, opcode, payload

    def ask(self, opcode, payload=b"", sealed=None, steps=20):
        """Send a command and return (status, rest) of its answer, None when there is none."""
        self.send(opcode, payload, sealed)
        for _ in range(steps):
            self._run()
            for request_id, answered, answer in self.hear():
                if (request_id, answered) == (self._request, opcode | wire.REPLY):
                    return answer[0], answer[1:]
                self.told.append((request_id, answered, answer))
        return None

    def prove(self, wishes=0, key=None):
        """Exchange proofs and return the status of AUTH2 (or of AUTH1, when that fails)."""
        shake = auth.HostHandshake(key or self._key, self._device, self._nonce, wishes)
        status, rest = self.ask(wire.OP_AUTH1, shake.request(), sealed=False)
        if status != wire.STATUS_OK:
            return status, rest
        status, rest = self.ask(wire.OP_AUTH2, shake.prove(rest), sealed=False)
        if status == wire.STATUS_OK:
            self.channel = Channel(shake.shared, True)
        return status, rest

    def seqs(self):
        """Return the sequence numbers of the frames so far, and forget them."""
        frames, self.frames = self.frames, []
        return [unpack_header(frame)[3] for frame in frames]


def ack(seq, credits=64, boot=77):
    return struct.pack("<HIH", boot, seq, credits)


def get(first, last, boot=77):
    return struct.pack("<HII", boot, first, last)


START = bytes([wire.ORIENT, 10])
