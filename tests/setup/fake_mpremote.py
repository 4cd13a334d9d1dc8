"""Stands in for the program mpremote with a MicroPython board on its port: a file tree, an interpreter, ways to fail.

Called as `python fake_mpremote.py FOLDER connect PORT ...`. FOLDER holds `flash/` (the board's files), `board.json`
(what the board is, and what goes wrong at which call) and `calls.txt` (what was asked, one line a call). What setup
runs on the board is really run, with `os`, `open` and `sys` as a board has them; printed texts of failures are those
of mpremote 1.29.
"""

import builtins
import hashlib
import json
import sys
import types
from pathlib import Path

FOLDER = Path(sys.argv[1])
FLASH = FOLDER / "flash"
BLOCK = 4096


class LostError(Exception):
    """The cable was pulled."""


def here(path):
    """Path on the board -> path on this computer."""
    return FLASH / str(path).lstrip("/")


def translate(error):
    """Raise what MicroPython raises: the number, no text."""
    raise OSError(error.errno) from None


class Implementation(tuple):
    _mpy = 0


def board_os(board):
    """MicroPython's os on the flash folder."""
    module = types.ModuleType("os")

    def ilistdir(path="/"):
        for entry in sorted(here(path).iterdir()):
            yield entry.name, 0x4000 if entry.is_dir() else 0x8000, 0, entry.stat().st_size

    def call(function):
        def wrapped(*paths):
            try:
                return function(*(here(path) for path in paths))
            except OSError as error:
                return translate(error)

        return wrapped

    def free():
        used = sum(-(-path.stat().st_size // BLOCK) for path in FLASH.rglob("*") if path.is_file())
        return board["blocks"] - used

    module.stat = call(lambda path: (0x4000 if path.stat() and path.is_dir() else 0x8000,) + (0,) * 9)
    module.ilistdir = ilistdir
    module.getcwd = lambda: "/"
    module.listdir = lambda path="/": [entry[0] for entry in ilistdir(path)]
    module.remove = call(Path.unlink)
    module.mkdir = call(Path.mkdir)
    module.rmdir = call(Path.rmdir)
    module.rename = call(Path.rename)
    module.sync = lambda: None
    module.statvfs = lambda _path: (BLOCK, BLOCK, board["blocks"], free(), free(), 0, 0, 0, 0, 255)
    module.free = free
    if "random" not in board["lacks"]:
        module.urandom = bytes
    return module


def board_modules(board, os_module):
    """The modules that programs import, and the firmware's own, which load when their file is whole."""
    system = types.ModuleType("sys")
    system.implementation = Implementation((board["name"], tuple(board["version"]), board["machine"]))
    Implementation._mpy = board["mpy"]
    system.platform = board["platform"]
    system.path = ["", "/lib"]
    memory = types.ModuleType("gc")
    memory.collect = lambda: None
    memory.mem_free = lambda: board.get("heap", 190000)
    machine = types.ModuleType("machine")
    machine.unique_id = lambda: b"\x01\x02\x03\x04\x05\x06"
    modules = {"os": os_module, "sys": system, "gc": memory, "machine": machine}
    real = builtins.__import__

    def board_import(name, *rest):
        if name in board["lacks"]:
            raise ImportError(f"no module named '{name}'")
        if name.startswith(("firmware", "tiltwise")):
            return firmware_module(board, name, os_module)
        if name in modules:
            return modules[name]
        if name in ("bluetooth", "cryptolib"):
            return types.ModuleType(name)
        return real(name, *rest)

    return board_import


def firmware_module(board, name, os_module):
    if name == "firmware.built":
        if not board.get("built"):
            raise ImportError("no module named 'firmware.built'")
        return types.SimpleNamespace(SHA256=board["built"])
    path = here("/lib/" + name.replace(".", "/") + ".mpy")
    path = path if path.is_file() else here("/lib/" + name.replace(".", "/") + "/__init__.mpy")
    if not board.get("built") and (
        not path.is_file() or path.read_bytes()[:2] != bytes([ord("M"), board["mpy"] & 0xFF])
    ):
        raise ImportError(f"no module named '{name}'")
    module = types.ModuleType(name)
    module.__file__ = name.replace(".", "/") + ".py" if board.get("built") else f"/{path.relative_to(FLASH)}"

    def pins():
        if not board["machine"] and not here("/profile").exists():
            raise RuntimeError("no pins for ?: write the name of a board into the file profile")
        return types.SimpleNamespace(ADDRESSES=(0x6A, 0x6B, 0x68, 0x69))

    class Files:
        def read(self, name):
            return here(name).read_bytes() if here(name).exists() else None

        def replace(self, name, data):
            here(name).write_bytes(data)

    drivers(board, module)
    module.pins = pins
    module.Files = Files
    return module


def drivers(board, module):
    """Put into the module what asks for IMUs; a BMI270 starts as it does, only with the file that it accepts."""

    class UnknownPartError(OSError):
        pass

    class Part:
        def __init__(self, name):
            self.name = name

        def configure(self):
            data = here("/bmi270_config.bin").read_bytes()
            if hashlib.sha256(data).hexdigest() not in board["accepts"]:
                raise OSError(5, "BMI270 does not accept bmi270_config.bin: run tiltwise setup again")

    def find(_bus, address, _clock, gyr_range_dps, acc_range_g, rate_hz):
        assert (gyr_range_dps, acc_range_g, rate_hz) == (1000, 4, 104)
        name = board["imus"].get(str(address))
        if name is None:
            raise OSError(19)
        if name.startswith("?"):
            raise UnknownPartError(name[1:])
        return Part(name)

    module.open_bus = lambda _pins: None
    module.find = find
    module.UnknownPartError = UnknownPartError


def run(board, text):
    """Run a program on the board; print its traceback as MicroPython does."""
    os_module = board_os(board)

    def board_open(path, mode="r"):
        try:
            return here(path).open(mode)
        except OSError as error:
            return translate(error)

    names = dict(vars(builtins), __import__=board_modules(board, os_module), open=board_open)
    try:
        exec(compile(text, "<stdin>", "exec"), {"__builtins__": names})
    except Exception as error:  # noqa: BLE001
        kind = type(error).__name__
        print(f'Traceback (most recent call last):\n  File "<stdin>", line 1, in <module>\n{kind}: {error}')
        sys.exit(1)


def copy(board, arguments, fail):
    """One `fs cp FILE :PLACE`; a failing one leaves a torn file behind."""
    assert arguments[:2] == ["fs", "cp"], arguments
    source, place = Path(arguments[2]), here(arguments[3].removeprefix(":"))
    print(f"cp {source} {arguments[3]}")
    data = source.read_bytes()
    if fail == "unplug":
        place.write_bytes(data[: len(data) // 2])
        raise LostError
    if fail == "damage":
        data = data[:-1] + bytes([data[-1] ^ 1]) if data else b"?"
    if fail == "full" or board_os(board).free() * BLOCK < len(data):
        place.write_bytes(data[:1])
        print("mpremote: cp: No space left on device: No space left on device.")
        sys.exit(1)
    try:
        place.write_bytes(data)
    except OSError as error:
        print(f"mpremote: cp: {arguments[3]}: {error.strerror}.")
        sys.exit(1)


TEXTS = {
    "gone": "mpremote: failed to access {port} (it may be in use by another program)",
    "silent": "b'\\r\\n'\nmpremote: could not enter raw repl",
    "memory": "Traceback (most recent call last):\nMemoryError: memory allocation failed, allocating 4096 bytes",
    "readonly": "mpremote: cp: /lib/x: Read-only file system.",
    "strange": "mpremote: something nobody has seen",
}
LOST = (
    "Traceback (most recent call last):\n  File serialposix.py\nserial.serialutil.SerialException: device reports "
    "readiness to read but returned no data (device disconnected or multiple access on port?)"
)


def main():
    board = json.loads((FOLDER / "board.json").read_text())
    calls = FOLDER / "calls.txt"
    number = len(calls.read_text().splitlines()) if calls.exists() else 0
    connect, port, *rest = sys.argv[2:]
    assert connect == "connect"
    with calls.open("a") as log:
        log.write(" ".join([Path(argument).name for argument in rest]) + "\n")
    fail = board["fail"].get(str(number))
    if fail == "hang":
        import time

        time.sleep(60)
    if fail in TEXTS:
        sys.exit(print(TEXTS[fail].format(port=port)) or 1)
    try:
        if rest[0] == "run":
            if fail == "unplug":
                raise LostError
            print("boot.py says hello\r")
            run(board, Path(rest[1]).read_text())
        elif rest[0] == "reset":
            if fail == "unplug":
                raise LostError
        else:
            groups = " ".join(rest).split(" + ")
            for k, group in enumerate(
                groups
            ):  # a failure hits the second file, so that one is whole and one is torn
                copy(board, group.split(" "), fail if k == min(1, len(groups) - 1) else None)
    except LostError:
        print(LOST)
        sys.exit(1)


if __name__ == "__main__":
    main()
