"""What passed between the guest and its controller, and when: where the seconds of a reconnect go.

Times are those of the loop in s. Only what tells the steps apart is looked at: a few commands, events, ATT
opcodes.
"""

import asyncio
from collections import Counter

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header

_COMMAND, _ACL, _EVENT = 1, 2, 4  # H4 packet types
_SCANS, _CONNECTS = (0x200C, 0x2042), (0x200D, 0x2043)  # opcodes, legacy and extended
_DISCONNECTED, _LE = 0x05, 0x3E  # events
_CONNECTED, _SEEN = (0x01, 0x0A), (0x02, 0x0D)  # of LE
_ATT, _WRITE, _NOTIFICATION = 4, 0x12, 0x1B  # L2CAP channel, ATT opcodes
_SUBSCRIBE = b"\x01\x00"
# The parts of a reconnect in order, each from the end of the one before: until Linux scans; hears the board; has
# stopped the scan and begins to connect; is connected; knows the services, and has subscribed to the battery for
# itself; the program has subscribed to both characteristics and read INFO; both sides have proved their key and the
# stream is asked for; a frame comes.
STEPS = ("scanning", "heard", "scan ended", "connected", "discovered", "subscribed", "opened", "frame")


class HciLog:
    """Marks of one run: (time, name), and when each live frame was given to the guest."""

    def __init__(self):
        self.marks = []
        self.frames = {}  # (boot, sequence number) -> time
        self.came = asyncio.Event()  # a live frame

    def _mark(self, name):
        self.marks.append((asyncio.get_running_loop().time(), name))

    def from_guest(self, packet):
        """Note a packet of the guest's kernel."""
        if packet[0] == _COMMAND:
            opcode = int.from_bytes(packet[1:3], "little")
            if opcode in _SCANS and packet[4]:
                self._mark("scan")
            elif opcode in _CONNECTS:
                self._mark("connect asked")
        elif packet[0] == _ACL and (att := _att(packet)) and att[0] == _WRITE:
            self._mark("subscribe" if att[3:] == _SUBSCRIBE else "write")

    def to_guest(self, packet):
        """Note a packet of the controller."""
        if packet[0] == _EVENT:
            if packet[1] == _DISCONNECTED:
                self._mark("lost")
            elif packet[1] == _LE and packet[3] in _SEEN:
                self._mark("seen")
            elif packet[1] == _LE and packet[3] in _CONNECTED and packet[4] == 0:
                self._mark("connected")
        elif packet[0] == _ACL and (att := _att(packet)) and att[0] == _NOTIFICATION:
            self._notified(att[3:])

    def _notified(self, data):
        if len(data) < wire.HEADER_SIZE + wire.TAG_SIZE or not wire.is_frame(data):
            return
        kind, flags, boot, seq, _, _, n, *_ = unpack_header(data)
        if kind not in wire.SAMPLE_SIZES or len(data) != wire.frame_size(kind, n):
            return  # an answer, or what is not measured
        if not flags & wire.FLAG_BACKFILL:
            self._mark("frame")
            self.frames[boot, seq] = self.marks[-1][0]
            self.came.set()

    async def next_frame(self, seconds):
        """Wait for a live frame from now on."""
        self.came.clear()
        await asyncio.wait_for(self.came.wait(), seconds)

    def count(self, name):
        """Return how often something happened."""
        return Counter(what for _, what in self.marks)[name]

    def parts(self, off_s, on_s, back_s):
        """Return {step: s} of the reconnect between the signal's loss and the frame at back_s; 0 before on_s.

        `lost` is when the guest knew, since the signal went; the other steps add up to back_s - on_s.
        """
        marks = [(t_s, name) for t_s, name in self.marks if off_s <= t_s <= back_s]
        lost_s = next((t_s for t_s, name in marks if name == "lost"), None)
        last = {name: t_s for t_s, name in marks}
        made_s = last.get("connected")
        if lost_s is None or made_s is None:
            return None  # the connection outlived the fade
        asked_s = max(t_s for t_s, name in marks if name == "connect asked" and t_s <= made_s)
        seen_s = min(t_s for t_s, name in marks if name == "seen" and t_s >= max(on_s, lost_s))
        scan_s = min(t_s for t_s, name in marks if name == "scan" and t_s >= lost_s)
        subscribed = [t_s for t_s, name in marks if name == "subscribe" and t_s >= made_s]
        writes = [t_s for t_s, name in marks if name == "write" and t_s >= subscribed[-1]]
        ends = (scan_s, seen_s, asked_s, made_s, subscribed[-2], writes[0], writes[-1], back_s)
        parts, at_s = {"lost": lost_s - off_s}, on_s
        for step, end_s in zip(STEPS, ends, strict=True):
            parts[step] = max(end_s - at_s, 0.0)
            at_s = max(at_s, end_s)
        return parts


def _att(packet):
    """Return the ATT packet that an ACL packet begins with; empty for others and for what goes on."""
    is_first = not packet[2] & 0x10
    return packet[9:] if is_first and int.from_bytes(packet[7:9], "little") == _ATT else b""
