"""Runs `tiltwise` for the tests: in this process where that is enough, in one of its own for signals and limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tiltwise.app import cli

HANG_S = 1200  # a process that hangs ends the test; a slow machine does not
COMMAND = (sys.executable, "-c", "from tiltwise.app.cli import main; main()")
LIMITED = (
    "import resource, sys; n = int(sys.argv.pop(1)); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); "
    "from tiltwise.app.cli import main; main()"
)


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


class Command:
    """Calls `tiltwise` in this process, as the console script would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> Result:
        self._monkeypatch.setattr(sys, "argv", ["tiltwise", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        said = self._capsys.readouterr()
        return Result(int(leaving.value.code or 0), said.out, said.err)


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a process whose settings and data are in `home`, in a terminal of 80 columns."""
    desktop = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "TILTWISE_DEBUG")
    kept = {key: value for key, value in os.environ.items() if key not in desktop}
    return kept | {"TILTWISE_HOME": str(home), "COLUMNS": "80", "PYTHONUNBUFFERED": "1"} | dict(more or {})


def start(home: Path, *arguments: str | Path, **more: str) -> subprocess.Popen[str]:
    """Start `tiltwise` in a process of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=environment(home, more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c if os.name == "posix" else None,
    )


def _heed_ctrl_c() -> None:
    """A shell that runs the tests in the background ignores Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(home: Path, *arguments: str | Path, cwd: Path | None = None, **more: str) -> Result:
    """Run `tiltwise` in a process of its own to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(home, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        cwd=cwd,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def run_limited(home: Path, most_bytes: int, *arguments: str | Path) -> Result:
    """Run `tiltwise` where no file may grow beyond so many bytes: a full disk that needs no disk."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(most_bytes), *map(str, arguments)],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def assert_one_line(result: Result, code: int, *words: str) -> None:
    """Fail unless the command ended with this code and one clean line on stderr that holds these words."""
    assert result.code == code, (result.code, result.err)
    assert result.err.startswith("tiltwise: "), result.err
    assert result.err.count("\n") == 1, result.err
    assert result.err.endswith("\n")
    assert result.err[:-1].isprintable(), repr(result.err)
    assert "Traceback" not in result.err + result.out
    assert "defect" not in result.err, result.err
    assert "Errno" not in result.err, result.err
    for word in words:
        assert word in result.err, result.err
