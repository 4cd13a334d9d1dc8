"""The whole firmware in the MicroPython VM, on the virtual air: VM, sensors and radios share one virtual time.

The VM runs when its next timer is due or when the radio has an event for it; in between, the air runs.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiltwise.sim.imu.imu_model import ImuModel
from tiltwise_lab.radio.bumble_requests import INDICATE, NIMBLE, NOTIFY, ZEPHYR, BluetoothModule, Stack
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.vm.compiled import compiled_firmware
from tiltwise_lab.vm.hostile_centrals import HostileCentrals
from tiltwise_lab.vm.process import Port, Vm, VmError, firmware_on_board
from tiltwise_lab.vm.vm_board import VmBus

DEVICE_ID = bytes.fromhex("1122334455660000")  # what firmware/device/board.py makes of the chip's number
_MAIN = "import main"
_ROUNDING_US = 0.5
_AHEAD_S = 2.0  # the sensors get their motion this far ahead


def flash_of_a_board(key: bytes | None = None, profile: str = "xiao_esp32s3") -> dict[str, bytes]:
    """Return a flash with the compiled firmware, the name of its profile and, if there is one, the key."""
    files = compiled_firmware() | {"/profile": profile.encode()}
    if key is not None:
        data = key + struct.pack("<I", binascii.crc32(key))
        files |= {"/key.a": data, "/key.b": data}  # as firmware/storage/keystore.py writes them
    return files


class RadioBoard:
    """A board with power: `run` lets it live while the event loop runs.

    Parameters
    ----------
    link : the air
    sensors : at 0x6A and 0x6B
    feed : called with a virtual time in s when the sensors need their motion up to there
    files : what lies in flash
    pins : number (on the Zephyr port "gpio0.3") -> level of the inputs; analog : pin -> microvolts
    port : whose modules the VM has
    radio : who is on the radio in place of the air
    stack : of its radio; None: the port's usual one
    before : code to run before `main`, piece by piece
    **heap : rom, heap_bytes and watches_heap of Vm
    """

    def __init__(
        self,
        link: RadioLink,
        sensors: Sequence[ImuModel],
        feed: Callable[[float], None],
        *,
        files: Mapping[str, bytes] | None = None,
        pins: Mapping[int | str, int] | None = None,
        analog: Mapping[int | str, int] | None = None,
        port: Port = Port.PLAIN,
        main: str = _MAIN,
        seed: int = 1,
        radio: HostileCentrals | None = None,
        stack: Stack | None = None,
        before: Sequence[str] = (),
        **heap: Any,
    ) -> None:
        self.pins = dict(pins or {})
        self.analog = dict(analog or {})
        self.pwm: dict[int | str, int] = {}
        self.reset_cause = 1
        self.wants_reset = False
        self.watchdog_s = math.inf  # it bites when nobody feeds it for so long
        self.longest_unfed_s = 0.0
        self._fed_s = 0.0
        self._feed = feed
        self._fed_until_s = 0.0
        self._main = main
        self._loop = asyncio.get_running_loop()
        now_us = self._loop.time() * 1e6
        self.radio: Any = (
            BluetoothModule(link, seed, stack or (NIMBLE if port is Port.PLAIN else ZEPHYR))
            if radio is None
            else radio
        )
        self._bus = VmBus(sensors, now_us)
        self.bus = self._bus.bus
        self.vm = Vm(firmware_on_board() if files is None else files, port=port, now_us=now_us, **heap)
        self._bus.attach(self.vm)
        self.vm.ask = self._answer
        self.vm.devices[NOTIFY] = self.radio.send
        self.vm.devices[INDICATE] = self.radio.send
        try:
            for code in before:
                self.vm.run(code)
        except VmError:
            self.vm.close()
            raise
        self._event = asyncio.Event()
        self.radio.wake = self._event.set
        self._task = self._loop.create_task(self._live())

    async def close(self) -> None:
        """Take the power away; raise what the firmware or the bench raised."""
        self._task.cancel()
        ended = await asyncio.gather(self._task, return_exceptions=True)
        await self.radio.close()
        self.vm.close()
        for problem in ended:
            if isinstance(problem, Exception):
                raise problem

    def check(self) -> None:
        """Raise VmError when the firmware has crashed."""
        if self.vm.crash:
            raise VmError(self.vm.crash)
        if self._task.done() and not self._task.cancelled() and self._task.exception() is not None:
            raise VmError(str(self._task.exception()))

    async def _live(self) -> None:
        self._feed_ahead()
        self.vm.run(self._main)
        while not self.wants_reset:
            self.check()
            self._event.clear()
            await self._pause()
            self._feed_ahead()
            orders = [self.vm.event(event, json.dumps(items)) for event, items in self._taken()]
            now_us = self._loop.time() * 1e6
            # The loop wakes up to a rounding error early, and then the VM's timer would never be due.
            self.vm.resume(self.vm.due_us if abs(self.vm.due_us - now_us) < _ROUNDING_US else now_us, orders)

    def _taken(self) -> list[tuple[int, list[Any]]]:
        taken = list(self.radio.events)
        self.radio.events.clear()
        return taken

    async def _pause(self) -> None:
        """Wait for the VM's next timer or an event; never resume it before its own time, which may be ahead."""
        ahead_s = self.vm.now_us / 1e6 - self._loop.time()
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)
        if self.radio.events:
            return
        wait_s = self.vm.due_us / 1e6 - self._loop.time()
        if wait_s <= 0:
            return
        try:
            await asyncio.wait_for(self._event.wait(), None if math.isinf(wait_s) else wait_s)
        except TimeoutError:
            return

    def _feed_ahead(self) -> None:
        now_s = self._loop.time()
        if now_s + _AHEAD_S / 2 > self._fed_until_s:
            self._fed_until_s = now_s + _AHEAD_S
            self._feed(self._fed_until_s)

    # ---- what the VM asks ----

    def _answer(self, question: Any) -> Any:
        if "ble" in question:
            return self.radio.answer(question)
        what = question["machine"]
        constants = {
            "reset_cause": self.reset_cause,
            "wake_reason": 0,
            "unique_id": DEVICE_ID[:6].hex(),
            "freq": 160_000_000,
        }
        if what in constants:
            return constants[what]
        if what == "pin":
            return self.pins.get(question["pin"], 1)
        if what == "adc_uv":
            return self.analog.get(question["pin"], 1_900_000)
        if what == "scan":
            return self.bus.scan()
        return self._act(what, question)

    def _act(self, what: str, question: Any) -> None:
        """Do what changes the board."""
        now_s = self.vm.now_us / 1e6
        match what:
            case "set_pin":
                self.pins[question["pin"]] = question["value"]
            case "pwm":
                self.pwm[question["pin"]] = question["duty"]
            case "wdt":
                self.watchdog_s, self._fed_s = question["timeout_ms"] / 1000, now_s
            case "feed":
                self.longest_unfed_s = max(self.longest_unfed_s, now_s - self._fed_s)
                self._fed_s = now_s
            case "reset" | "deepsleep":
                self.wants_reset = True
            case _:
                raise VmError(f"the firmware asked for {question}, which this board does not have")
