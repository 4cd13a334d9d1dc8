"""`tiltwise service`: `tiltwise watch` as a systemd user service, which a desktop's session starts and keeps running.

On macOS and Windows there is no systemd; docs/service.md says how launchd and the Task Scheduler start it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tiltwise.config import paths
from tiltwise.config.address import parse_address
from tiltwise.config.atomic_file import whole_file
from tiltwise.config.settings_file import write_default
from tiltwise.errors import AppError, UsageError
from tiltwise.live import sources as sources  # registers the addresses

UNIT = "tiltwise.service"
_ELSEWHERE = (
    "a service is made on Linux with systemd only; docs/service.md says how to start it at log-in here"
)


def unit_text(address: str) -> str:
    """Return the unit file: restarted when it fails, stopped as by Ctrl-C, so that what came is stored."""
    words = [sys.executable, "-m", "tiltwise", "watch", address]
    home = os.environ.get("TILTWISE_HOME")
    environment = f"Environment={_quoted(f'TILTWISE_HOME={home}')}\n" if home else ""
    return (
        "[Unit]\n"
        "Description=tiltwise: neck posture, movement and breaks\n"
        "After=graphical-session.target bluetooth.target\n\n"
        "[Service]\n"
        f"{environment}"
        f"ExecStart={' '.join(_quoted(word) for word in words)}\n"
        "Restart=on-failure\n"
        "RestartSec=10\n"
        "KillSignal=SIGINT\n"
        "SuccessExitStatus=1\n"
        "Nice=5\n\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def unit_path() -> Path:
    """Return where a user's own units are."""
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "systemd" / "user" / UNIT


def act(action: str, address: str) -> Iterator[str]:
    """Do what is asked for and yield what to say; AppError when it cannot be done here."""
    actions = {"install": _install, "remove": _remove, "status": _status}
    if action not in actions:
        raise UsageError(f"service {action!r}: expected install, remove or status")
    if sys.platform != "linux" or shutil.which("systemctl") is None:
        raise AppError(_ELSEWHERE)
    parse_address(address)
    yield from actions[action](address)


def _install(address: str) -> Iterator[str]:
    path = unit_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(unit_text(address).encode())
    write_default(paths.settings_file())
    yield f"written: {path}"
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", UNIT)
    yield f"tiltwise watch {address} runs now, and from each log-in on; tiltwise status asks it"


def _remove(_: str) -> Iterator[str]:
    path = unit_path()
    if not path.exists():
        yield "there is no service to remove"
        return
    trouble = ""
    try:
        _systemctl("disable", "--now", UNIT)
    except AppError as error:  # without a session there is none to stop, and the file goes all the same
        trouble = str(error)
    path.unlink()
    (path.parent / "default.target.wants" / UNIT).unlink(missing_ok=True)
    yield f"removed: {path}; your days are kept"
    if trouble:
        raise AppError(f"it may still run: {trouble}")
    _systemctl("daemon-reload")


def _status(_: str) -> Iterator[str]:
    path = unit_path()
    if not path.exists():
        yield "not installed; tiltwise service install starts it now and at each log-in"
        return
    said = subprocess.run(
        ["systemctl", "--user", "is-active", UNIT], capture_output=True, text=True, check=False
    )
    yield f"{UNIT}: {said.stdout.strip() or said.stderr.strip() or 'not known'} ({path})"
    yield f"its log: journalctl --user -u {UNIT} -e"


def _systemctl(*words: str) -> None:
    said = subprocess.run(["systemctl", "--user", *words], capture_output=True, text=True, check=False)
    if said.returncode:
        why = (said.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise AppError(f"systemctl --user {' '.join(words)} failed: {why}; is this a session with systemd?")


def _quoted(word: str) -> str:
    """A word of a unit file: quotes and backslashes escaped, and % doubled."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'
