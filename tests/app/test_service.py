"""The background service: its unit, and what is said where there is no systemd."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command import Command, assert_one_line
from tiltwise.app.workday import service


def test_the_unit_runs_watch_with_this_python_and_stops_it_cleanly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILTWISE_HOME", "/home/a b/100%")
    text = service.unit_text("ble:my board")
    assert f'ExecStart="{sys.executable}" "-m" "tiltwise" "watch" "ble:my board"' in text
    assert 'Environment="TILTWISE_HOME=/home/a b/100%%"' in text
    assert "KillSignal=SIGINT" in text


def test_install_writes_enables_and_remove_undoes_it(
    tiltwise: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def run(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(words[2:])
        return subprocess.CompletedProcess(words, 0, "active\n", "")

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(service.sys, "platform", "linux")
    monkeypatch.setattr(service.shutil, "which", lambda _: "/bin/systemctl")
    monkeypatch.setattr(service.subprocess, "run", run)
    unit = tmp_path / "config" / "systemd" / "user" / "tiltwise.service"
    assert "not installed" in tiltwise("service").out
    assert "runs now" in tiltwise("service", "install", "--address", "ble:desk").out
    assert '"ble:desk"' in unit.read_text(encoding="utf-8")
    assert "tiltwise.service: active" in tiltwise("service", "status").out
    assert "your days are kept" in tiltwise("service", "remove").out
    assert not unit.exists()
    assert asked == [
        ["daemon-reload"],
        ["enable", "--now", "tiltwise.service"],
        ["is-active", "tiltwise.service"],
        ["disable", "--now", "tiltwise.service"],
        ["daemon-reload"],
    ]


def test_what_cannot_be_done_is_one_line(tiltwise: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_one_line(tiltwise("service", "start"), 2, "expected install, remove or status")
    monkeypatch.setattr(service.shutil, "which", lambda _: None)
    assert_one_line(tiltwise("service", "install"), 1, "docs/service.md")


def test_remove_without_a_session_takes_the_file_and_says_what_it_could_not(
    tiltwise: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(words: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 1, "", "Failed to connect to bus\n")

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(service.sys, "platform", "linux")
    monkeypatch.setattr(service.shutil, "which", lambda _: "/bin/systemctl")
    monkeypatch.setattr(service.subprocess, "run", refuse)
    assert_one_line(tiltwise("service", "install"), 1, "daemon-reload failed: Failed to connect to bus")
    removed = tiltwise("service", "remove")
    assert (removed.code, "your days are kept" in removed.out) == (1, True)
    assert "it may still run: systemctl --user disable" in removed.err
    assert not (tmp_path / "systemd" / "user" / "tiltwise.service").exists()
    assert "there is no service to remove" in tiltwise("service", "remove").out
