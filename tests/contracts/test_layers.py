"""Imports point one way: what each folder may import, checked on the syntax trees; imports inside functions count."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOST = ROOT / "host"
FIRMWARE = ROOT / "firmware"
MOST_MODULES = 15  # in a folder, so that a newcomer finds the room

# What each folder (or module outside one) may import besides itself, the lowest first. A name stands for itself
# only: `motion` is motion/rotation.py, not the folders inside motion/.
MAY_IMPORT = {
    "version": "",
    "errors": "",
    "text": "",
    "console": "text",
    "stored_values": "",
    "common": "",
    "types": "common",
    "butterworth": "types",
    "decode": "common types",
    "motion": "types",
    "motion.orientation": "motion types",
    "motion.calibration": "butterworth motion types",
    "motion.angles": "butterworth motion motion.calibration types",
    "detect": "butterworth common types",
    "exercise": "detect stored_values types",
    "exercise.recorded": "exercise types",
    "exercise.guided": "detect exercise text types",
    "report": "common exercise exercise.guided text types",
    "report.history": "report text types",
    "report.page": "report",
    "tracker": "detect motion.angles motion.calibration motion.orientation types",
    "pair_tracker": "detect motion.angles tracker types",
    "firmware_build": "common",
    "link": "common errors",
    "recording.formats": "motion types",
    "recording": "common decode link recording.formats text types version",
    "config": "common detect errors exercise link motion.calibration recording stored_values text types",
    "store.files": "common config errors report stored_values text types",
    "store.acknowledged": "common config decode store.files text",
    "store": "common config decode errors exercise exercise.guided report report.history store.acknowledged "
    "store.files stored_values text types",
    "setup": "common config decode errors firmware_build link text types",
    "setup.selftest": "common decode setup text types",
    "sim": "types",
    "sim.body": "motion types",
    "sim.imu": "types",
    "sim.board": "common firmware_build link sim.body sim.imu types",
    "live.wearer": "common config decode detect exercise link motion motion.calibration motion.orientation "
    "pair_tracker tracker types",
    "live.control": "common config decode errors live.wearer motion.calibration stored_values types",
    "live.backfill": "common decode detect errors exercise.guided link live.wearer motion.angles pair_tracker report "
    "store text tracker types",
    "live.board": "common decode link live.wearer",
    # sim.board: the address `sim:` opens a simulated wearer as `ble:` opens a board. store: open_session hands it on.
    "live": "common config decode detect errors exercise exercise.guided link live.backfill live.board live.control "
    "live.wearer motion.calibration motion.orientation pair_tracker recording sim.board store text tracker types",
    "live.guided": "common decode errors exercise exercise.guided link live live.wearer tracker types",
    "offline": "common config decode detect errors exercise exercise.guided exercise.recorded live live.backfill "
    "live.wearer motion motion.angles motion.calibration motion.orientation pair_tracker recording report "
    "report.history store store.files stored_values text tracker types",
    "offline.cohort": "errors report report.history types",
    "offline.travel": "config errors exercise exercise.guided live motion.orientation offline offline.cohort "
    "recording report report.history store store.files text types version",
}
# The commands and the lab may import everything below them.
TOPS = ("app", "app.coach", "app.history", "app.running", "app.travel", "app.workday", "lab", "__main__")
ONLY_IN = {
    "bleak": ("tiltwise/link/ble.py", "tiltwise_lab/radio/bleak_backend.py"),
    "serial": ("tiltwise/link/serial.py",),
    "matplotlib": (
        "tiltwise/report/plot_parts.py",
        "tiltwise/report/plots.py",
        "tiltwise/report/plots_calibration.py",
        "tiltwise/report/plots_dark.py",
        "tiltwise/report/plots_exercise.py",
        "tiltwise/report/history/page_head.py",
        "tiltwise/report/history/plots_",
        "tiltwise/report/page/plots_pages.py",
        "tiltwise/app/history/report_command.py",  # the pages of a PDF
        "tiltwise_lab/bench/bench_plots.py",
        "tiltwise_lab/pages/watch_picture.py",  # its font of equal widths
    ),
    "sqlite3": (
        "tiltwise/store/",
        "tiltwise/config/atomic_file.py",
        "tiltwise/config/in_use.py",
        "tiltwise_lab/bench/storage/",
    ),
    "duckdb": ("tiltwise/offline/cohort/cohort_days.py",),
    "distributed": ("tiltwise/offline/cohort/cohort_cluster.py",),
    "desktop_notifier": ("tiltwise/live/desktop.py",),
    "dbus_fast": ("tiltwise/live/desktop.py",),
}
# Values in, values out: no clock, file, network, event loop or print. Time arrives in the samples.
PURE = (
    "butterworth",
    "common",
    "decode",
    "motion",
    "detect",
    "exercise",
    "tracker",
    "pair_tracker",
    "report",
    "report.history",
    "report.page",
    "types",
)
DRAWS = (
    "report/plot_parts.py", "report/plots.py", "report/plots_calibration.py", "report/plots_exercise.py",
    "report/plots_dark.py", "report/style.py",
)  # fmt: skip
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


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Return the absolute name of each module that a file imports; relative ones start with a dot."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names.append(base)
            if node.level == 0:
                names += (f"{base}.{alias.name}" for alias in node.names)
    return tuple(names)


def host_files() -> list[Path]:
    return sorted(path for name in ("tiltwise", "tiltwise_lab") for path in (HOST / name).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(HOST).as_posix()


def room_of(module: str) -> str:
    """Return the folder of a module below tiltwise, or the module itself where it is in none; "" for others'."""
    parts = module.split(".")
    if parts[0] == "tiltwise_lab":
        return "lab"
    if parts[0] != "tiltwise" or len(parts) == 1:
        return ""
    folder, inside = HOST / "tiltwise", []
    for part in parts[1:]:
        if not (folder / part).is_dir():
            break
        folder, inside = folder / part, [*inside, part]
    return ".".join(inside) if inside else parts[1]


def room_of_file(path: Path) -> str:
    return room_of(".".join(path.relative_to(HOST).with_suffix("").parts).removesuffix(".__init__"))


def allowed(room: str) -> set[str]:
    if room in TOPS:
        return {*MAY_IMPORT, *TOPS}
    return {room, *MAY_IMPORT[room].split()}


@pytest.mark.parametrize("path", host_files(), ids=name_of)
def test_a_module_imports_only_what_its_folder_may(path: Path) -> None:
    room = room_of_file(path)
    if room in ("", "__init__"):
        pytest.skip("the public names come from every folder")
    assert room in MAY_IMPORT or room in TOPS, f"{name_of(path)}: its folder {room} is not in MAY_IMPORT"
    for module in imported(path):
        assert not module.startswith("."), f"{name_of(path)} imports {module}: write the absolute name"
        target = room_of(module)
        known = target in MAY_IMPORT or target in TOPS
        assert not known or target in allowed(room), f"{name_of(path)} ({room}) imports {module} ({target})"


def test_the_list_of_folders_points_one_way_and_names_what_is_there() -> None:
    seen: set[str] = set()
    for room, below in MAY_IMPORT.items():
        assert set(below.split()) <= seen, (
            f"{room} may import {set(below.split()) - seen}, which stand above it"
        )
        seen.add(room)
    assert seen | {*TOPS} == {room_of_file(path) for path in host_files()} - {""}


def test_only_the_bench_command_asks_for_the_lab() -> None:
    asking = {
        name_of(path) for path in host_files() if any(room_of(module) == "lab" for module in imported(path))
    }
    assert {name for name in asking if name.startswith("tiltwise/")} <= {"tiltwise/app/cli.py"}


def test_no_module_of_a_folder_is_imported_in_a_circle() -> None:
    modules = {".".join(path.relative_to(HOST).with_suffix("").parts): path for path in host_files()}
    below = {
        name: {m for m in imported(path) if m in modules and m != name} for name, path in modules.items()
    }
    while bare := {name for name, needs in below.items() if not needs}:
        below = {name: needs - bare for name, needs in below.items() if name not in bare}
    assert not below, f"these modules import each other in a circle: {sorted(below)}"


@pytest.mark.parametrize("root", [HOST / "tiltwise", HOST / "tiltwise_lab", FIRMWARE], ids=lambda p: p.name)
def test_folders_are_small_and_say_what_they_turn_into_what(root: Path) -> None:
    for folder in {path.parent for path in root.rglob("*.py") if "shims" not in path.parts}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, f"{folder}: {len(modules)} modules"
        text = (folder / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{folder}/__init__.py says nothing"


def test_no_two_modules_have_one_name() -> None:
    paths = [path for path in (*host_files(), *FIRMWARE.rglob("*.py")) if "shims" not in path.parts]
    names = [path.name for path in paths if path.name not in ("__init__.py", "__main__.py")]
    assert {name for name in names if names.count(name) > 1} == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_at_the_edge_stays_in_its_file(library: str) -> None:
    for path in host_files():
        if any(module.split(".")[0] == library for module in imported(path)):
            assert name_of(path).startswith(ONLY_IN[library]), (
                f"{name_of(path)} imports {library}, which belongs in {ONLY_IN[library]}"
            )


@pytest.mark.parametrize(
    "path", [path for path in host_files() if room_of_file(path).split(".")[0] in PURE], ids=name_of
)
def test_the_pure_folders_have_no_clock_file_loop_or_print(path: Path) -> None:
    if name_of(path).endswith(DRAWS):
        pytest.skip("a plot is written to a file")
    roots = {module.split(".")[0] for module in imported(path)}
    assert not roots & IMPURE_MODULES, f"{name_of(path)} imports {roots & IMPURE_MODULES}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{name_of(path)}:{node.lineno} calls {node.func.id}"


def test_common_imports_only_what_both_sides_have() -> None:
    for path in sorted((HOST / "tiltwise" / "common").glob("*.py")):
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
                assert relative.startswith(("boards/", "device/board.py", "device/board_pins.py")), (
                    f"firmware/{relative} imports machine: pins belong in board files"
                )
                continue
            assert root in BOARD_MODULES, f"firmware/{relative} imports {module}"
