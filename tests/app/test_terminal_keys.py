"""Keys typed while a program runs: read at once, without Enter, and the terminal is as before afterwards."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from live.feed import STARTED_S, of
from tiltwise.app.terminal_keys import terminal_keys
from tiltwise.app.watch_view import WatchView
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Calibrated, LiveEvents
from tiltwise.live.wearer.placement_monitor import PlacementChange
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.sim.board.simulation import Simulation
from tiltwise.types import Mount

pytest.importorskip("termios", reason="keys are read on POSIX terminals only")


def test_a_wearer_calibrates_anew_with_a_key(tmp_path: Path) -> None:
    import pty
    import termios

    keyboard, terminal = pty.openpty()
    said = io.StringIO()
    session = open_session(
        Worn(mount=Mount.NECK, mounting=mounting_from_up(np.array([0.0, 0.3, 1.0]), mount=Mount.NECK)),
        started_utc_s=STARTED_S,
    )
    before = termios.tcgetattr(terminal)
    seen: list[LiveEvents] = []
    with os.fdopen(terminal, "r") as stream:
        with terminal_keys(stream) as keys:
            assert keys is not None
            assert keys.read() == "", "nothing typed: nobody waits"
            view = WatchView(Console(file=said, width=200), session, keys=keys)
            view.show(0.0, (PlacementChange(0.0, "slip", 12.0, "the sensor seems to have slipped"),))
            os.write(keyboard, b"c")
            for t_s, frame in Simulation("slouch", seed=2, minutes=1.0):
                seen.append(session.receive(t_s, frame))
                view.show(t_s, seen[-1])
        assert termios.tcgetattr(terminal) == before
    os.close(keyboard)
    assert of(Calibrated, seen)
    assert "press c to calibrate it as it sits now" in said.getvalue()
    assert "calibrating anew" in said.getvalue()
    assert "calibrated (quality" in said.getvalue()


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal_keys(io.StringIO("c")) as keys:
        assert keys is None
    monkeypatch.setattr(sys, "stdin", None)
    with terminal_keys() as keys:
        assert keys is None
