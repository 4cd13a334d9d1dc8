"""A board at a cable for the commands of `tiltwise`, in virtual time: what a person types runs as it is.

One wearer and one board live on from command to command. While a command runs, a story may pull the cable, switch the
board off or ask the program; a command that does not end by itself is ended as by Ctrl-C when its story is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from command import Command, Result
from live.slumping_wearer import SlumpingSimulation
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.control.control_place import place_of
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.board.usb_cable import SimCable
from tiltwise_lab.radio.virtual_time import run_virtually

STARTED_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC
ADDRESS = "serial:/dev/board"
_STEP_S = 0.05
Story = Callable[["VirtualBoard"], Awaitable[None]]


async def _at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call here: virtual time does not wait for a thread."""
    return call(*arguments)


class VirtualBoard:
    """The board, its cable, and the clock of everything."""

    def __init__(
        self,
        tiltwise: Command,
        monkeypatch: pytest.MonkeyPatch,
        data: Path,
        simulation: Simulation | None = None,
        *,
        started_s: float = STARTED_S,
    ) -> None:
        self._tiltwise, self.data = tiltwise, data
        self.simulation = simulation or SlumpingSimulation(lambda _t_s: 0.0)
        self.cable = SimCable(self.simulation)
        self._started_s, self._before_s = started_s, 0.0
        self._story: Story | None = None
        monkeypatch.setattr(asyncio, "run", self._run)
        monkeypatch.setattr(asyncio, "to_thread", _at_once)
        monkeypatch.setattr("tiltwise.link.serial.SerialConnector", lambda _target, **_: self.cable)
        monkeypatch.setattr("tiltwise.live.sources.known_boards", list)
        with_clock = functools.partial(Supervisor, clock=lambda: self.now_s)
        monkeypatch.setattr("tiltwise.live.sources.Supervisor", with_clock)
        board = self

        class VirtualDatetime(datetime):
            """Says what time it is in the story."""

            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(board._started_s + board.now_s, tz)

        monkeypatch.setattr("tiltwise.app.watch.datetime", VirtualDatetime)

    @property
    def now_s(self) -> float:
        """Seconds since the board was switched on, over all commands."""
        with contextlib.suppress(RuntimeError):
            return self._before_s + asyncio.get_running_loop().time()
        return self._before_s

    def __call__(self, *arguments: str | Path, story: Story | None = None) -> Result:
        """Type a command; the data folder is added."""
        self._story = story
        return self._tiltwise(*arguments, "--data", self.data)

    def watch(self, story: Story, *arguments: str | Path) -> Result:
        """Type `tiltwise watch` at the board, and Ctrl-C after the story."""
        return self("watch", ADDRESS, *arguments, story=story)

    def _run(self, main: Coroutine[Any, Any, Any]) -> Any:
        async def both() -> Any:
            loop = asyncio.get_running_loop()
            pumping = loop.create_task(self._pump())
            program = loop.create_task(main)
            if self._story is not None:
                story = loop.create_task(self._tell(self._story))
                await asyncio.wait((program, story), return_when=asyncio.FIRST_COMPLETED)
                program.cancel()
                if story.done():
                    story.result()
            try:
                return await program
            finally:
                pumping.cancel()
                self._ended_s = self.now_s

        self._ended_s = self._before_s
        try:
            return run_virtually(both())
        finally:
            self._before_s = self._ended_s

    async def _tell(self, story: Story) -> None:
        await story(self)

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(_STEP_S)
            self.cable.step(self.now_s)

    # ---- what a story may do ----

    async def away(self, seconds: float) -> None:
        """Pull the cable for so long."""
        self.cable.unplug()
        await asyncio.sleep(seconds)
        self.cable.is_plugged = True

    async def power_off(self, seconds: float) -> None:
        """Let the board be off for so long, wherever it is."""
        was_plugged = self.cable.is_plugged
        self.cable.unplug()
        self.simulation.board.is_asleep = True
        await asyncio.sleep(seconds)
        self.simulation.board.restart()
        self.cable.is_plugged = was_plugged

    async def ask(self, question: dict[str, object]) -> dict[str, Any]:
        """Ask the running `watch`, as `tiltwise status`, `snooze` and `recalibrate` do."""
        reader, writer = await asyncio.open_unix_connection(place_of(self.data, self.data).path)
        writer.write(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.readline())
        writer.close()
        return answer
