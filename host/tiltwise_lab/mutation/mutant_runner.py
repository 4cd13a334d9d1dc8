"""Mutants of a module -> which of them its tests notice. A copy of the project is changed, never the project.

A module's tests are the files of its own folder in tests/ that import it, themselves or by a helper, or have its
name; where there are none, any that import it; where there are none either, those of the modules that use it, or of
its package: a driver is loaded by its name. Each mutant runs them in a forked process, up to the first test that
fails; what hangs or takes far more processor time than the tests do without the change is noticed, too.
"""

from __future__ import annotations

import ast
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from tiltwise.errors import AppError
from tiltwise_lab.mutation.mutation_points import Mutant, make_mutant, points

FOLDERS = ("host", "firmware", "tests", "docs", "examples")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile")
# What is heavy and not ours is imported before the fork; not what pytest wants to rewrite itself.
HEAVY = ("numpy", "scipy.signal", "matplotlib.figure", "rich.console", "typer", "vqf")
CPU_FACTOR = 4.0  # over what the tests take unchanged; then the mutant has been noticed
WALL_FACTOR, WALL_LEAST_S = 10.0, 120.0  # a mutant that waits for ever takes no processor time
POLL_S = 0.05
FIRMWARE_AS = "tiltwise_firmware."  # the package under which the host's tests load the firmware
LOADER = "tiltwise.firmware_build.locate.load_firmware"
SAID = "said.txt"  # by the last tests


@dataclass(frozen=True, slots=True)
class ModuleResult:
    """A module's name, how many mutants were tried of how many there are, and those that no test noticed."""

    module: str
    tried: int
    possible: int
    survivors: tuple[Mutant, ...]
    has_tests: bool = True

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.tried - len(self.survivors)


class Workshop:
    """A copy of the project in a folder, in which modules are changed and tests run.

    Parameters
    ----------
    project : the checkout.
    folder : an empty folder, best in memory.
    least_cpu_s : processor time that a mutant may take in any case.
    """

    def __init__(self, project: Path, folder: Path, least_cpu_s: int = 20) -> None:
        self.folder, self._least_cpu_s = folder, least_cpu_s
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
        for name in FOLDERS:
            shutil.copytree(project / name, folder / name, ignore=ignored, symlinks=True)
        for name in FILES:
            shutil.copy(project / name, folder / name)
        helpers = {_module_name(p.relative_to(folder / "tests")): p for p in (folder / "tests").rglob("*.py")}
        self._imports = {
            path: _imported(path, helpers) for path in sorted((folder / "tests").rglob("test_*.py"))
        }

    def tests_of(self, module: Path) -> list[str]:
        """Return the test files that import a module, by its path in the project, those of its own name first."""
        name = _module_name(module)
        room = self.folder / "tests" / name.removeprefix("tiltwise.").split(".")[0]
        found = self._importing({name})
        found += {path for path in self._imports if path == room / f"test_{module.stem}.py"} - {*found}
        if not found:
            found = self._importing(self._users_of(name)) or self._importing({name.rpartition(".")[0]})
        found = [path for path in found if room in path.parents] or found
        found.sort(
            key=lambda path: (
                path.stem != f"test_{module.stem}",
                module.stem not in path.stem,
                path.stat().st_size,
            )
        )
        return [str(path.relative_to(self.folder)) for path in found]

    @cached_property
    def _uses(self) -> dict[str, set[str]]:
        """What each module imports; asked only for a module that no test imports."""
        folders = (self.folder / "host" / "tiltwise", self.folder / "firmware")
        sources = {
            _module_name(path.relative_to(self.folder)): path
            for root in folders
            for path in root.rglob("*.py")
        }
        return {name: _imported(path, {}, name) for name, path in sources.items()}

    def _users_of(self, name: str) -> set[str]:
        """Return the modules that use one, themselves or by others."""
        users: set[str] = set()
        newest = {name}
        while newest:
            newest = {user for user, used in self._uses.items() if used & newest} - users
            users |= newest
        return users

    def _importing(self, modules: set[str]) -> list[Path]:
        return [path for path, names in self._imports.items() if names & modules]

    def run(self, module: Path, sample: int, rng: Random) -> ModuleResult:
        """Try mutants drawn from `rng`.

        Raises
        ------
        AppError : the tests fail without a change.
        """
        path = self.folder / module
        source = path.read_text(encoding="utf-8")
        possible, tests = points(source), self.tests_of(module)
        if not tests:
            return ModuleResult(_module_name(module), 0, len(possible), (), has_tests=False)
        chosen = sorted(rng.sample(possible, min(sample, len(possible))), key=lambda point: point.place)
        began = time.monotonic()
        status, cpu_s = self._test(tests, None, None)
        wall_s = time.monotonic() - began
        if status != 0:
            said = (self.folder / SAID).read_text(encoding="utf-8").strip().splitlines()
            raise AppError(
                f"{module}: its tests fail unchanged, put them right first: {said[-1] if said else status}"
            )
        survivors = []
        for point in chosen:
            mutant = make_mutant(source, point)
            path.write_text(mutant.text, encoding="utf-8")
            try:
                limit_s = max(self._least_cpu_s, round(CPU_FACTOR * cpu_s))
                status, _ = self._test(tests, limit_s, max(WALL_LEAST_S, WALL_FACTOR * wall_s))
            finally:
                path.write_text(source, encoding="utf-8")
            if status == 0:
                survivors.append(mutant)
        return ModuleResult(_module_name(module), len(chosen), len(possible), tuple(survivors))

    def _test(self, tests: Sequence[str], cpu_s: int | None, wall_s: float | None) -> tuple[int, float]:
        """Run tests in a process of its own; return its status (0: all passed) and its processor time in s."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child = os.fork()
        if child == 0:
            self._run_and_leave(tests, cpu_s)
        end_s = time.monotonic() + (wall_s or float("inf"))
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            if time.monotonic() > end_s:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                status = -1
                break
            time.sleep(POLL_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return status, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _run_and_leave(self, tests: Sequence[str], cpu_s: int | None) -> None:
        """In the child: test and exit, whatever happens."""
        status = 1
        try:
            os.setsid()
            if cpu_s is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
            said = os.open(self.folder / SAID, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            os.dup2(said, 1)
            os.dup2(said, 2)
            sys.stdout = sys.stderr = os.fdopen(1, "w")
            os.chdir(self.folder)
            os.environ["PYTHONPATH"] = str(self.folder / "host")
            sys.path.insert(0, str(self.folder / "host"))
            for name in [
                name for name in sys.modules if name.split(".")[0] in ("tiltwise", "tiltwise_lab", "firmware")
            ]:
                del sys.modules[name]
            import pytest

            scratch = self.folder / "scratch"
            arguments = [
                "-x",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                f"--basetemp={scratch}",
                *tests,
            ]
            status = int(pytest.main(arguments))
            sys.stdout.flush()
        finally:
            os._exit(status)


def sampled_modules(project: Path, folders: Sequence[str]) -> list[Path]:
    """Return the modules of folders like `decode` (of the host) or `firmware`, or single files, in the project.

    Raises
    ------
    AppError : there is no such folder or file.
    """
    found: list[Path] = []
    for name in folders:
        place = next(
            (p for p in (project / "host" / "tiltwise" / name, project / name) if p.exists()),
            None,
        )
        if place is None:
            raise AppError(
                f"{name}: expected a folder of host/tiltwise, or a path in the project; there is none"
            )
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        found += [path.relative_to(project) for path in files if points(path.read_text(encoding="utf-8"))]
    return found


def drawn_modules(modules: Sequence[Path], at_most: int | None, seed: int) -> list[Path]:
    """Return that many of the modules, drawn by the seed, in their order; all of them for None."""
    if at_most is None or at_most >= len(modules):
        return list(modules)
    return sorted(Random(f"modules {seed}").sample(modules, at_most), key=modules.index)


def preload() -> None:
    """Import what is heavy and not ours, so that each forked process has it already."""
    for name in HEAVY:
        __import__(name)


def _module_name(module: Path) -> str:
    parts = module.with_suffix("").parts
    return ".".join(parts[1:] if parts[0] == "host" else parts).removesuffix(".__init__")


def _imported(path: Path, helpers: Mapping[str, Path], own: str = "") -> set[str]:
    """Return the names of the modules that a file imports, at its top or inside, or by one of the helpers.

    own is its name as a module, for what it imports relative to itself.
    """
    names: set[str] = set()
    said: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = own.split(".")[: -node.level] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            names.update((module, *(f"{module}.{alias.name}" for alias in node.names)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said.add(node.value)
    # Also where a helper puts FIRMWARE_AS before "wearer.neutral".
    is_by_name = any(text.startswith(FIRMWARE_AS) for text in said)
    names |= {
        f"firmware.{text.removeprefix(FIRMWARE_AS).strip('.')}" for text in said if is_by_name and "." in text
    }
    if own and LOADER in names:  # the simulator runs all of it
        names.add("firmware.app")
    for name in names & helpers.keys():
        if not helpers[name].stem.startswith("test_"):
            names |= _imported(helpers[name], {other: p for other, p in helpers.items() if other != name})
    return names


def project_folder() -> Path:
    """Return the checkout that this file belongs to.

    Raises
    ------
    AppError : tiltwise was installed without its tests.
    """
    project = Path(__file__).resolve().parents[3]
    if not (project / "tests").is_dir():
        raise AppError(f"{project}: expected a checkout with its tests; clone the project")
    return project
