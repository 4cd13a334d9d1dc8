"""Visits the boards that a look found, some at a time, until one proves that it is ours; remembers who failed.

Anybody can imitate a board and let everything hang. So the strongest signal is not taken for the most likely, a visit
without a proof ends soon while others wait, and what is remembered of addresses is bounded: they can be made up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from tiltwise.link.transport import Candidate, LinkError, Trouble

AT_ONCE = 3  # most adapters hold more connections, few take more attempts
VISIT_S = 4.0  # for a proof while others wait; a connection that hangs may take 20 s
UNKNOWN_BOARD_S = 60.0  # a board that is not ours is not asked again for so long
MOST_REMEMBERED = 64  # addresses
_OF_THIS_COMPUTER = (Trouble.TURNED_OFF, Trouble.MISSING, Trouble.DENIED)


class Visits:
    """The visits of one supervisor; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._unknown_boards: dict[str, float] = {}  # address -> when to ask it again
        self._failures: dict[str, int] = {}  # address -> visits in a row that came to no proof
        self._running: dict[asyncio.Task[None], str] = {}
        self._winner: asyncio.Task[None] | None = None  # the visit whose board proved its key first

    def in_order(self, found: Sequence[Candidate]) -> list[str]:
        """Return whom to visit: those that failed least first, strong and weak in turn."""
        now_s = self._clock()
        left = deque(c.address for c in found if self._unknown_boards.get(c.address, now_s) <= now_s)
        order = [left.popleft() if k % 2 == 0 else left.pop() for k in range(len(left))]
        return sorted(order, key=lambda address: self._failures.get(address, 0))

    async def run(
        self, addresses: Sequence[str], visit: Callable[[str], Awaitable[None]], trouble: LinkError
    ) -> LinkError:
        """Visit until one board proves its key; return how that visit ended, or else the last one, or `trouble`.

        Raises
        ------
        LinkError : trouble of this computer's own radio.
        """
        waiting = deque(addresses)
        self._winner = None
        try:
            while self._running or (waiting and self._winner is None):
                while waiting and self._winner is None and len(self._running) < AT_ONCE:
                    self._begin(waiting.popleft(), visit, has_others=len(addresses) > 1)
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    address = self._running.pop(task)
                    error = _error_of(task)
                    if error is not None and task is self._winner:
                        return error
                    if error is not None:
                        self.note_failure(address, error)
                        trouble = error
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)  # each closes its connection
            self._running = {}
        return trouble

    def claim(self, visit: asyncio.Task[None] | None) -> None:
        """Make this visit the one that counts and end the others; LinkError when another board was faster."""
        if self._winner is not None:
            raise LinkError(Trouble.LOST, "another connection to the board was faster")
        self._winner = visit
        if visit is not None:
            self._failures.pop(self._running.get(visit, ""), None)
        for task in self._running:
            if task is not visit:
                task.cancel()

    def is_winner(self, visit: asyncio.Task[None] | None) -> bool:
        """Tell whether this visit is the one that counts."""
        return visit is not None and visit is self._winner

    def note_failure(self, address: str, error: LinkError) -> None:
        """Remember who failed; trouble of this computer ends the round instead."""
        if error.trouble in _OF_THIS_COMPUTER:
            raise error
        if error.trouble is Trouble.UNKNOWN_BOARD:
            _make_room(self._unknown_boards, address)
            self._unknown_boards[address] = self._clock() + UNKNOWN_BOARD_S
        self._count_failure(address)

    def _begin(self, address: str, visit: Callable[[str], Awaitable[None]], *, has_others: bool) -> None:
        async def run() -> None:
            await visit(address)

        loop = asyncio.get_running_loop()
        task = loop.create_task(run())
        self._running[task] = address
        if has_others:
            loop.call_later(VISIT_S, self._end_unproved, task)

    def _end_unproved(self, task: asyncio.Task[None]) -> None:
        if task is not self._winner and task in self._running:
            self._count_failure(self._running[task])
            task.cancel()

    def _count_failure(self, address: str) -> None:
        failures = self._failures.get(address, 0) + 1
        _make_room(self._failures, address)
        self._failures[address] = failures


def _make_room(memory: dict[str, float] | dict[str, int], address: str) -> None:
    """Forget this address and, where there is no room for another one, the oldest."""
    memory.pop(address, None)
    while len(memory) >= MOST_REMEMBERED:
        del memory[next(iter(memory))]


def _error_of(task: asyncio.Task[None]) -> LinkError | None:
    """Return how a visit ended, None when it was given up; an error of the program itself is raised."""
    if task.cancelled():
        return None
    error = task.exception()
    if isinstance(error, LinkError):
        return error
    task.result()
    return None
