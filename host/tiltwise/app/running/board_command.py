"""`tiltwise board`: what a board says of itself; its settings; a neutral and a restart on request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.console import Console

from tiltwise.config.address import open_source, parse_address
from tiltwise.errors import AppError, UsageError
from tiltwise.link.commands import BoardKey
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.board.board_talk import BoardTalk, Value
from tiltwise.live.run import run_talk
from tiltwise.live.sources import taking_over
from tiltwise.setup.plan import checked_setting
from tiltwise.text import printable


def parse_changes(texts: Sequence[str]) -> list[tuple[BoardKey, Value]]:
    """Return settings to set, each given as KEY=VALUE; UsageError for what the board would not take."""
    changes = []
    for text in texts:
        name, equals, value = text.partition("=")
        names = [key.name.lower() for key in BoardKey]
        if not equals or name not in names:
            raise UsageError(f"--set {text!r}: expected KEY=VALUE, with a key of {', '.join(names)}")
        try:
            changes.append((BoardKey[name.upper()], checked_setting(name, value)))
        except ValueError as error:
            raise UsageError(f"--set {error}") from None
    return changes


def talk_to_board(
    address: str,
    changes: list[tuple[BoardKey, Value]],
    *,
    takes_neutral: bool,
    restarts: bool,
    takeover: bool,
    console: Console,
) -> BoardTalk:
    """Talk with a board until all is asked.

    AppError when it refuses, takes no neutral, or is not reached.
    """
    parsed = parse_address(address)
    source = open_source(taking_over(parsed) if takeover else parsed)
    if not isinstance(source, Supervisor):
        raise UsageError(f"{printable(address)}: only a board has settings: ble:, ble:NAME or serial:PORT")
    source.on_notice = lambda line: console.print(printable(line, 300), style="dim", highlight=False)
    talk = BoardTalk(changes, takes_neutral=takes_neutral, restarts=restarts)
    if takes_neutral:
        console.print("sit as you want to sit, and hold still", highlight=False)
    asyncio.run(run_talk(source, talk))
    if takes_neutral and talk.neutral is not True:
        talk.refused.append("it took no neutral: it moved; sit still and try again")
    if talk.refused:
        raise AppError(f"the board refuses: {'; '.join(talk.refused)}")
    return talk
