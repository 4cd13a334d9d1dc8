"""The board object of sim/board/simulated_board.py, inside the VM: same sizes, same link, so that the frames can
be compared.
"""

import json
import os
import time

import _bench
import uctypes
from firmware.device.board_interface import BoardInterface
from firmware.storage.atomic_files import Files
from machine import I2C

_SEND, _REPLY, _RECEIVE = 18, 19, 20


class Link:
    """Frames and replies go out whole; commands come whole."""

    peer = "usb"
    window = 0
    is_connected = True
    connections = 1
    address = None
    mtu_payload = 244
    damaged = 0

    def __init__(self):
        self._command = bytearray(256)
        self._address = uctypes.addressof(self._command)

    def poll(self):
        """Nothing to do by itself."""

    def receive(self):
        """Return the next command or None."""
        n = _bench.call(_RECEIVE, 0, 0, self._address, 0)
        return bytes(self._command[:n]) if n else None

    def send(self, buffer, n):
        """Hand over a frame; False when the bench refuses it."""
        return not _bench.call(_SEND, 0, 0, uctypes.addressof(buffer), n)

    def reply(self, data):
        """Hand over a reply."""
        return not _bench.call(_REPLY, 0, 0, uctypes.addressof(data), len(data))

    def waited_us(self):
        """Commands come at once."""
        return 0

    def is_idle(self):
        """Nothing waits in this link."""
        return True

    def disconnect(self):
        """Send the peer away."""
        self.is_connected = False

    def publish(self, info):
        """Nobody looks."""


class Board(BoardInterface):
    """What App wants, as the bench says it is: sensors and a link, nothing else."""

    clock = time
    chip_cause = 1

    def __init__(self):
        for name, value in json.loads(_bench.ask('{"board": "about"}')).items():
            setattr(self, name, value)
        self.model = self.model.encode()
        self.device_id = self.device_id.encode()
        self.addresses = tuple(self.addresses)
        self.files = Files()
        self.bus = I2C(0)
        self.link = Link()
        self.links = (self.link,)
        self.watchdog = self._feed

    def random(self, n):
        """Return bytes of the bench's generator."""
        return os.urandom(n)

    def _feed(self):
        """Nothing bites here."""
