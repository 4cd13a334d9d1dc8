"""What on the computer must not be disturbed, read from a made-up /proc and asked of made-up tools."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tiltwise.live.wearer import desk_state
from tiltwise.live.wearer.desk_state import CAMERA, LOCKED, MICROPHONE, DeskState, devices_in_use


def test_nothing_is_in_use_where_nothing_says_so(tmp_path: Path) -> None:
    assert devices_in_use(tmp_path) == ""


@pytest.mark.parametrize(("says", "expected"), [("state: RUNNING\n", MICROPHONE), ("closed\n", "")])
def test_a_capture_stream_that_runs_is_a_microphone_in_use(tmp_path: Path, says: str, expected: str) -> None:
    status = tmp_path / "asound" / "card0" / "pcm0c" / "sub0" / "status"
    status.parent.mkdir(parents=True)
    status.write_text(says)
    playing = tmp_path / "asound" / "card0" / "pcm0p" / "sub0" / "status"
    playing.parent.mkdir(parents=True)
    playing.write_text("state: RUNNING\n")
    assert devices_in_use(tmp_path) == expected


def test_an_open_video_device_is_a_camera_in_use(tmp_path: Path) -> None:
    descriptors = tmp_path / "4711" / "fd"
    descriptors.mkdir(parents=True)
    (descriptors / "0").symlink_to("/dev/null")
    assert devices_in_use(tmp_path) == ""
    (descriptors / "7").symlink_to("/dev/video0")
    assert devices_in_use(tmp_path) == CAMERA


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked")
def test_a_tool_that_says_so_or_fails_or_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*command: str) -> str:
        monkeypatch.setattr(desk_state, "_QUESTIONS", ((command, "yes", LOCKED),))
        monkeypatch.setattr(desk_state, "devices_in_use", lambda: "")
        return asyncio.run(DeskState().look())

    assert looked("sh", "-c", "echo yes") == LOCKED
    assert looked("sh", "-c", "echo no") == ""
    assert looked("sh", "-c", "exit 3") == ""
    assert looked("no-such-tool-here") == ""
    monkeypatch.setattr(desk_state, "_ASK_LIMIT_S", 0.05)
    assert looked("sh", "-c", "exec cat /dev/zero >/dev/null") == ""
