"""`tiltwise board`: health, parts and settings of a board, through the real firmware at a simulated cable."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from command import Command, assert_one_line
from live.slumping_wearer import SlumpingSimulation, slumps
from tiltwise.app.running.board_command import parse_changes
from tiltwise.app.running.board_view import board_json, board_table
from tiltwise.common import wire
from tiltwise.errors import UsageError
from tiltwise.link.commands import BoardKey
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.board.board_talk import BoardTalk
from tiltwise.live.run import run_talk
from tiltwise.sim.board.usb_cable import SimCable
from tiltwise_lab.radio.virtual_time import run_virtually


def talked(talk: BoardTalk) -> SimCable:
    """Talk with a board that somebody wears upright."""

    async def main() -> SimCable:
        cable, loop = SimCable(SlumpingSimulation(slumps(1.0, 1000.0, 0.0))), asyncio.get_running_loop()

        async def live() -> None:
            while True:
                await asyncio.sleep(0.01)
                cable.step(loop.time())

        living = loop.create_task(live())
        await asyncio.wait_for(run_talk(Supervisor(cable, (), clock=loop.time), talk), 60)
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
        return cable

    return run_virtually(main())


def test_all_that_a_board_says_of_itself_is_shown_and_a_change_is_kept() -> None:
    talk = BoardTalk([(BoardKey.LED, 0), (BoardKey.ALONE_AFTER_S, 45)], takes_neutral=True, restarts=True)
    board = talked(talk).simulation.board
    assert talk.refused == []
    assert talk.neutral is True
    assert set(talk.settings) == set(BoardKey)
    assert (talk.settings[BoardKey.LED], talk.settings[BoardKey.ALONE_AFTER_S]) == (0, 45)
    assert board.app.settings.get("led") == 0
    said = shown(talk)
    for words in (
        "simulated, firmware 0.1.0, board-73696d626f617264", "LSM6DSOX or LSM6DSO, 103 Hz, to 1000 deg/s and 4 g",
        "battery gauge", "started by power", "protocol", "66 %", "0 bus faults", "led=0", "kept", "0 wrong proofs",
    ):  # fmt: skip
        assert words in " ".join(said.split()), said
    assert json.loads(json.dumps(board_json(talk)))["settings"]["alone_after_s"] == 45


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("stream", "power stream: each angle at once settings"),
        ("save", "up to 0.5 s late; the sensor's rate follows at the next start: --restart"),
        ("log", "log: the radio is on for two minutes after a start or a press of the button"),
    ],
)
def test_power_mode_is_said_and_that_the_sensor_follows_at_a_start(mode: str, words: str) -> None:
    talk = BoardTalk([(BoardKey.POWER, mode)])
    talked(talk)
    said = shown(talk)
    assert words in " ".join(said.split()), said
    info = talk.infos[0]
    talk.infos[0] = replace(info, imu_rate_hz=104.0 if mode == "stream" else 52.0)
    assert "next start" not in shown(talk)
    talk.infos[0] = replace(info, imu_kind=wire.IMU_BMI270, imu_rate_hz=100.0)
    assert ("this IMU keeps its rate" in " ".join(shown(talk).split())) == (mode != "stream")


def shown(talk: BoardTalk) -> str:
    """Return what `tiltwise board` prints of a talk, at 80 columns."""
    file = io.StringIO()
    Console(file=file, width=80).print(board_table(talk))
    assert max(map(len, file.getvalue().splitlines())) <= 80
    return file.getvalue()


def test_a_change_that_the_board_refuses_is_told() -> None:
    talk = BoardTalk([(BoardKey.RULE_DEG, 99)])
    talked(talk)
    assert talk.refused == ["it does not take the setting rule_deg"]
    assert talk.settings[BoardKey.RULE_DEG] == 20


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule_deg=99", "rule_deg is 99, expected 1 to 90"),
        ("rule_deg=x", "expected a whole number"),
        ("colour=red", "expected KEY=VALUE, with a key of name, mount, rule_deg"),
        ("led", "expected KEY=VALUE"),
        (f"name={'x' * 25}", "at most 24 bytes"),
    ],
)
def test_a_wrong_setting_is_refused_before_the_board_is_asked(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_changes([text])


def test_only_a_board_has_settings(tiltwise: Command) -> None:
    assert_one_line(tiltwise("board", "sim:desk"), 2, "only a board has settings")
