"""The whole firmware on the register model and a fake radio; what hosts and strangers do on it is up to the tests."""

import importlib

import numpy as np

from fake_bluetooth import Air
from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from wire_host import KEY, Host, Keys

load_firmware()
radio_module = importlib.import_module("tiltwise_firmware.comms.ble_radio")
keystore = importlib.import_module("tiltwise_firmware.storage.keystore")


class Flying:
    """A board whose only link is the radio, and time that hosts let pass, up to `seconds`."""

    def __init__(self, seconds=60, **options):
        part = Lsm6dsox(seed=1)
        t = np.arange(0, seconds + 1, 0.01)
        acc = np.tile([0.0, 0.0, 9.81], (len(t), 1))
        part.advance(t, np.zeros((len(t), 3)), acc)
        self.board = SimBoard([part], stream=None, auto_ack=False, **options)
        keystore.KeyStore(self.board.files).save(Keys(KEY).load())
        self.air = Air()
        self.air.room = 12
        self.board.links = list(radio_module.Radio(self.air, self.board.clock).links)
        self.board.restart()
        self.ctrl = self.air.handle_of(wire.uuid128(wire.UUID_CTRL))
        self.data = self.air.handle_of(wire.uuid128(wire.UUID_DATA))
        self.now_s = self.board.clock.us / 1e6 + 0.1
        self.run()

    def run(self, seconds=0.03):
        self.now_s += seconds
        self.air.drain(6)
        self.board.step(self.now_s)

    def connect(self, address):
        for _ in range(30):
            if self.air.advertised is not None:
                return self.air.come(address, 185)
            self.run()
        return None

    def host(self, address=b"owner!", **options):
        """A computer that connects and listens; `options` as wire_host.Host."""
        connection = self.connect(address)

        def listen():
            peer = self.air.peers[connection]
            heard, peer.heard = peer.heard, []
            answers = b"".join(packet for handle, packet in heard if handle == self.ctrl)
            return answers, [packet for handle, packet in heard if handle == self.data]

        return Host(
            lambda data: self.air.write(connection, self.ctrl, data),
            listen,
            self.run,
            **{"device": SimBoard.device_id, **options},
        )
