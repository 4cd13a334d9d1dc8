"""Asks a board about itself and changes its settings: commands out, one after the other; answers and STATUS in.

Nothing is acknowledged: what the board keeps for `tiltwise watch` stays with it.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence

from tiltwise.common import values, wire
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import BoardEvent, Info, Status
from tiltwise.link.board_identity import Hello, read_hello
from tiltwise.link.commands import Acknowledger, BoardKey, Reply, read_reply
from tiltwise.link.transport import LinkError
from tiltwise.live.wearer.live_events import Command, LiveEvents

_STATUS_WITHIN_S = 12.0  # received time; a board tells its STATUS every 5 s
_NEUTRAL_WITHIN_S = 20.0
Value = int | str


class BoardTalk:
    """One talk; `is_over` when all is asked, and told or not told in time.

    Parameters
    ----------
    changes
        Settings to set, in order.
    takes_neutral
        Let the board take the wearer's neutral.
    restarts
        Restart the board at the end.
    """

    def __init__(
        self,
        changes: Sequence[tuple[BoardKey, Value]] = (),
        *,
        takes_neutral: bool = False,
        restarts: bool = False,
    ) -> None:
        commands = Acknowledger()
        self._left = deque(commands.set_value(key, value) for key, value in changes)
        self._left.extend([commands.take_neutral()] if takes_neutral else [])
        self._asked = [*(key for key, _ in changes), *BoardKey]
        self._left.extend(commands.get_value(key) for key in BoardKey)
        self._last = commands.restart() if restarts else None
        self._takes_neutral, self._restarts = takes_neutral, restarts
        self._decoder = Decoder()
        self._waiting: int | None = None  # opcode of the command that was sent
        self._said_s = 0.0  # received s of HELLO
        self.hello: Hello | None = None
        self.infos: dict[int, Info] = {}  # by sensor
        self.status: dict[int, Status] = {}
        self.settings: dict[BoardKey, Value] = {}
        self.refused: list[str] = []
        self.neutral: bool | None = None  # taken, or refused
        self.is_over = False

    def receive(self, received_s: float, chunk: bytes) -> LiveEvents:
        """Take a frame or an answer; return the next command."""
        if chunk and not wire.is_frame(chunk):
            with contextlib.suppress(wire.WireError):
                return self._on_reply(received_s, read_reply(chunk))
            return ()
        for item in self._decoder.feed(chunk):
            match item:
                case Info():
                    self.infos[item.sensor] = item
                case Status():
                    self.status[item.sensor] = item
                case BoardEvent(code=wire.EVENT_NEUTRAL, value=0 | 1):
                    self.neutral = item.value == 1
        return self._end(received_s)

    def _on_reply(self, received_s: float, reply: Reply) -> LiveEvents:
        if reply.opcode == wire.OP_HELLO and reply.is_ok:
            with contextlib.suppress(LinkError):
                self.hello = read_hello(reply.body)
            self._said_s = received_s
            return self._next()
        if reply.opcode != self._waiting:
            return ()
        self._waiting = None
        if reply.opcode in (wire.OP_SETCFG, wire.OP_GETCFG):
            self._on_setting(self._asked.pop(0), reply)
        elif not reply.is_ok:
            self.refused.append("it takes no neutral: its sensor is silent")
        if reply.opcode == wire.OP_REBOOT:
            self.is_over = True
        return self._next()

    def _on_setting(self, key: BoardKey, reply: Reply) -> None:
        if reply.opcode == wire.OP_SETCFG:
            if not reply.is_ok:
                self.refused.append(f"it does not take the setting {key.name.lower()}")
            return
        if reply.is_ok:  # a board of an earlier version has fewer settings
            with contextlib.suppress(wire.WireError):
                self.settings[key] = values.unpack_value(reply.body)

    def _next(self) -> LiveEvents:
        if not self._left:
            return ()
        command = self._left.popleft()
        self._waiting = wire.open_command(command)[1]
        return (Command(command),)

    def _end(self, received_s: float) -> LiveEvents:
        """When all is asked, wait for what the board tells by itself."""
        if self.hello is None or self._left or self._waiting is not None:
            return ()
        since_s = received_s - self._said_s
        is_told = len(self.status) >= max(1, self.hello.imus) or since_s > _STATUS_WITHIN_S
        is_taken = not self._takes_neutral or self.neutral is not None or since_s > _NEUTRAL_WITHIN_S
        if not (is_told and is_taken):
            return ()
        if self._last is None:
            self.is_over = True
            return ()
        self._left.append(self._last)
        self._last = None
        return self._next()
