"""`tiltwise status`, `snooze` and `recalibrate` ask a `watch` that runs in another process."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from command import Command, assert_one_line, start
from tiltwise.app.running.status_view import status_table
from tiltwise.live.control.control_messages import RunningStatus

ADDRESS = "sim:desk?speed=0.1"  # slow, so that it is calibrating for as long as anybody asks


@contextmanager
def watching(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A `watch` in a process of its own, past its first samples; killed at the end."""
    process = start(home, "watch", *arguments)
    try:
        assert process.stdout is not None
        assert any("calibrating: " in line for line in process.stdout), process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", ["status", "snooze", "recalibrate"])
def test_when_nothing_runs_it_is_one_line(tiltwise: Command, home: Path, command: str) -> None:
    assert_one_line(tiltwise(command), 1, "nothing runs here", "`tiltwise watch`")
    assert tiltwise("status", "--json").out == "[]\n"


@pytest.mark.parametrize("wrong", ["soon", "0", "-5", "1441", "nan", "inf"])
def test_a_snooze_without_sense_is_wrong_use(tiltwise: Command, wrong: str) -> None:
    for dashes in ((), ("--",)):
        assert_one_line(tiltwise("snooze", *dashes, wrong), 2, "expected minutes", "or off")


def test_the_first_line_of_a_status_is_not_broken_where_the_rows_end() -> None:
    said = StringIO()
    status = RunningStatus(1, 1.7e9, "sim:slouch?minutes=60&seed=4&speed=12", "", "", "", "connected")
    Console(file=said, width=80).print(status_table(status))
    assert said.getvalue().splitlines()[0].startswith(f"watch {status.address} since ")
    assert re.search(r"since 20\d\d-", said.getvalue().splitlines()[0])


def test_a_running_watch_is_asked_and_one_that_was_killed_is_not(tiltwise: Command, home: Path) -> None:
    with watching(home, ADDRESS) as process:
        (status,) = json.loads(tiltwise("status", "--json").out)
        assert status["process"] == process.pid
        assert (status["address"], status["origin"], status["is_calibrating"]) == (ADDRESS, "simulated", True)
        assert Path(status["folder"]) == (home / "simulated").resolve()
        said = tiltwise("status").out
        clock = r"(20\d\d-\d\d-\d\d )?\d\d:\d\d"  # with its date as soon as midnight lies between
        assert re.search(rf"^watch sim:desk\?speed=0\.1 since {clock} *$", said, re.MULTILINE)
        assert max(map(len, said.splitlines())) <= 80
        assert re.search(rf"no alerts until {clock}; `tiltwise snooze off`", tiltwise("snooze", "45").out)
        assert "no alerts until" in tiltwise("status").out
        assert tiltwise("snooze", "off").out == "alerts are given again\n"
        assert_one_line(tiltwise("recalibrate"), 1, "calibrating for the first time already")
        assert_one_line(tiltwise("snooze", "--person", "bo"), 1, "nothing runs here")
    assert_one_line(tiltwise("status"), 1, "nothing runs here")  # it was killed, its socket is still there
    with watching(home, ADDRESS) as process:
        assert json.loads(tiltwise("status", "--json").out)[0]["process"] == process.pid


def test_of_several_the_one_that_is_meant_is_asked(tiltwise: Command, home: Path) -> None:
    with watching(home, ADDRESS, "--person", "anna"), watching(home, ADDRESS, "--person", "bo"):
        assert_one_line(tiltwise("snooze"), 1, "2 run here, of anna, bo", "--person NAME")
        assert tiltwise("snooze", "10", "--person", "bo").code == 0
        told = json.loads(tiltwise("status", "--json").out)
        left_s = {each["person"]: each["snooze_left_s"] for each in told}
        assert left_s["anna"] == 0
        assert left_s["bo"] == pytest.approx(600, abs=60)
