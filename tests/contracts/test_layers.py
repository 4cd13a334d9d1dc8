"""Imports point one way: the four floors of docs/decisions/0008, checked on the syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOST = ROOT / "host" / "tiltwise"
FIRMWARE = ROOT / "firmware"

# Which rooms each room may import from, besides itself.
BELOW = {
    "types": {"common"},
    "common": set(),
    "firmware_files": {"common", "firmware_fold", "firmware_trim", "firmware_merge", "firmware_names"},
    "firmware_fold": {"common"},
    "firmware_trim": {"common", "firmware_fold"},
    "firmware_merge": {"common"},
    "firmware_names": {"common"},
    "motion": {"common", "types"},
    "detect": {"common", "types"},
    "report": {"common", "types"},
    "link": {"common", "types"},
    "tracker": {"common", "types", "motion", "detect"},
    "tracker_pair": {"common", "types", "motion", "detect", "tracker"},
    "sim": {"common", "types", "link", "firmware_files", "motion"},
    "app": {
        "common",
        "types",
        "firmware_files",
        "motion",
        "detect",
        "report",
        "link",
        "tracker",
        "tracker_pair",
        "sim",
        "__init__",
    },
}
ONLY_IN = {
    "bleak": ("link/ble.py", "sim/air_backend.py"),
    "serial": ("link/serial.py",),
    "matplotlib": ("report/plots.py", "report/plots_bench.py", "report/plots_calibration.py"),
    "sqlite3": ("app/store",),
    "desktop_notifier": ("app/alerts.py", "app/notify.py"),
}
# The pure core has no clock, file, network, event loop or print.
PURE = (
    "common/",
    "motion/",
    "detect/",
    "tracker.py",
    "tracker_pair.py",
    "report/exposure.py",
    "link/decoder.py",
    "types.py",
)
IMPURE_MODULES = {
    "asyncio",
    "time",
    "datetime",
    "logging",
    "os",
    "sys",
    "socket",
    "threading",
    "pathlib",
    "random",
    "io",
}
IMPURE_CALLS = {"print", "open", "input"}
COMMON_MAY_IMPORT = {"binascii", "struct", "hashlib", "math", "array"}
BOARD_MODULES = {
    "array", "asyncio", "binascii", "errno", "gc", "hashlib", "io", "json", "math", "micropython", "os", "struct",
    "select", "sys", "time", "uctypes", "bluetooth", "cryptolib", "esp32",
}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute name of each module that a file imports; relative ones start with a dot."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            if node.level == 0:
                yield from (f"{base}.{alias.name}" for alias in node.names)


def host_files() -> list[Path]:
    return sorted(HOST.rglob("*.py"))


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "tiltwise" and len(parts) > 1 else None


@pytest.mark.parametrize("path", host_files(), ids=lambda p: str(p.relative_to(HOST)))
def test_imports_point_down(path: Path) -> None:
    relative = path.relative_to(HOST)
    room = relative.parts[0].removesuffix(".py")
    if room == "__init__":
        pytest.skip("the public names come from every floor")
    assert room in BELOW, f"{relative} is in no room of the house: put it into one, or give it a floor here"
    for module in imported(path):
        assert not module.startswith("."), f"{relative} imports {module}: write the absolute name"
        target = room_of(module)
        if target in BELOW:
            assert target == room or target in BELOW[room], f"{relative} ({room}) imports {module}"


def test_the_simulator_takes_only_rotations_from_motion() -> None:
    for path in sorted((HOST / "sim").glob("*.py")):
        for module in imported(path):
            if room_of(module) == "motion":
                assert module.startswith("tiltwise.motion.rotation") or module == "tiltwise.motion", (
                    f"{path}: {module}"
                )


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_at_the_edge_stays_in_its_file(library: str) -> None:
    for path in host_files():
        relative = path.relative_to(HOST).as_posix()
        if any(module.split(".")[0] == library for module in imported(path)):
            assert relative.startswith(ONLY_IN[library]), (
                f"{relative} imports {library}, which belongs in {ONLY_IN[library]}"
            )


@pytest.mark.parametrize("path", host_files(), ids=lambda p: str(p.relative_to(HOST)))
def test_the_core_is_pure(path: Path) -> None:
    relative = path.relative_to(HOST).as_posix()
    if not relative.startswith(PURE):
        return
    roots = {module.split(".")[0] for module in imported(path)}
    assert not roots & IMPURE_MODULES, f"{relative} imports {roots & IMPURE_MODULES}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{relative}:{node.lineno} calls {node.func.id}"


def test_common_imports_only_what_both_sides_have() -> None:
    for path in sorted((HOST / "common").glob("*.py")):
        for module in imported(path):
            root = module.split(".")[0]
            assert root in COMMON_MAY_IMPORT or module.startswith("tiltwise.common"), (
                f"{path.name} imports {module}"
            )


def test_the_firmware_imports_only_common_and_what_the_board_ships() -> None:
    files = sorted(FIRMWARE.rglob("*.py"))
    assert files
    for path in files:
        relative = path.relative_to(FIRMWARE).as_posix()
        for module in imported(path):
            if module.startswith((".", "tiltwise.common")) or (
                relative == "main.py" and module.startswith("firmware")
            ):
                continue
            root = module.split(".")[0]
            if root == "machine":
                assert relative.startswith(("boards/", "device/board.py")), (
                    f"firmware/{relative} imports machine: pins belong in board files"
                )
                continue
            assert root in BOARD_MODULES, f"firmware/{relative} imports {module}"
