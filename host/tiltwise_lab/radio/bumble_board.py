"""The whole firmware under CPython on the virtual radio: it runs while the event loop runs.

The loop's time is the board's time, virtual (virtual_time.py) or real.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from tiltwise.firmware_build.locate import PACKAGE
from tiltwise.link.key_care import encoded
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise_lab.radio.bumble_bluetooth import BumbleBluetooth
from tiltwise_lab.radio.bumble_requests import NIMBLE, BluetoothModule, Stack
from tiltwise_lab.radio.virtual_radio import RadioLink

_AHEAD_S = 4.0  # the sensors get their motion this far ahead
_ASLEEP_S = 0.1  # how often a sleeping board looks whether it was woken
_ROUNDING_US = 0.5  # the loop may wake up this much early


class BumbleBoard(SimBoard):
    """A board with power from `power_on` to `close`; `restart` is a power cut in between.

    Parameters
    ----------
    link : the air
    sensors : register models, at 0x6A and 0x6B
    feed : called with a time in s when the sensors need their motion up to there; times count from now
    key : what PROVISION over the cable would have set; None: a board that was never set up
    stack : of its radio
    seed : of its radio addresses (another one at each boot) and its randomness
    **options : of SimBoard
    """

    def __init__(
        self,
        link: RadioLink,
        sensors: Sequence[ImuModel],
        feed: Callable[[float], None],
        *,
        key: bytes | None = None,
        seed: int = 1,
        stack: Stack = NIMBLE,
        **options: Any,
    ) -> None:
        self._radio_link = link
        self._feed = feed
        self._fed_until_s = 0.0
        self._key = key
        self._seed = seed
        self._boots = 0
        self._stack = stack
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._bluetooth: BumbleBluetooth | None = None
        self._old: list[BumbleBluetooth] = []
        self._task: asyncio.Task[None] | None = None
        super().__init__(sensors, stream=None, auto_ack=False, seed=seed, **options)
        self.link.is_connected = False  # the cable is not plugged in

    def power_on(self) -> None:
        """Let it live; a host asks for its stream over the air."""
        self._task = self._loop.create_task(self._live())

    async def close(self) -> None:
        """Take the power away for good; raise what the firmware raised."""
        self._off()
        if self._task is not None:
            self._task.cancel()
            ended = await asyncio.gather(self._task, return_exceptions=True)
            for problem in ended:
                if isinstance(problem, Exception):
                    raise problem
        for bluetooth in self._old:
            await bluetooth.close()

    def check(self) -> None:
        """Raise what the firmware raised, if it crashed."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    @property
    def bluetooth(self) -> BluetoothModule:
        """The board's end of the air: its address, advertisements, refused notifications."""
        if self._bluetooth is None:
            raise RuntimeError("the board is asleep: its radio is off")
        return self._bluetooth.radio

    # ---- power ----

    def _boot(self) -> None:
        """Start radio and firmware; the radio before anything large, as board.py does."""
        self._off()
        if self._key is not None and self._boots == 0:
            keystore = importlib.import_module(f"{PACKAGE}.storage.keystore")
            keystore.KeyStore(self.files).save([(encoded("bench"), self._key)])
        self._boots += 1
        seed = 1000 * self._seed + self._boots
        self._bluetooth = BumbleBluetooth(self._radio_link, seed, self._set_clock, self._stack)
        radio = importlib.import_module(f"{PACKAGE}.comms.ble_radio")
        made = radio.Radio(
            self._bluetooth,
            self.clock,
            may_restart=self._stack.dies_above is None,
            places=self._stack.places,
        )
        self.radio = made
        self.links = [self.link, *made.links]
        super()._boot()

    def _off(self) -> None:
        if self._bluetooth is not None:
            self._bluetooth.vanish()
            self._old.append(self._bluetooth)
            self._bluetooth = None

    # ---- living ----

    def _now_us(self) -> float:
        return (self._loop.time() - self._began_s) * 1e6

    def _set_clock(self) -> None:
        self.clock.us = max(self.clock.us, self._now_us())

    async def _live(self) -> None:
        while True:
            self._feed_ahead()
            if self.is_asleep:
                self._off()
                await asyncio.sleep(_ASLEEP_S)
                self._set_clock()
                continue
            wait_us = self._due_us - self._now_us()
            if wait_us > _ROUNDING_US:
                await asyncio.sleep(wait_us / 1e6)
                continue
            self.clock.us = max(self.clock.us, self._now_us(), self._due_us)
            self._step_once()
            await asyncio.sleep(0)

    def _feed_ahead(self) -> None:
        now_s = self._now_us() / 1e6
        if now_s + _AHEAD_S / 2 > self._fed_until_s:
            self._fed_until_s = now_s + _AHEAD_S
            self._feed(self._fed_until_s)
