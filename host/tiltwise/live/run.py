"""The event loop round a session: awaits the source, hands chunks in, sends commands back, shows notices.

`pump` is the loop of every live session: of `watch` and `demo`, of `calibrate`, and of `tiltwise.follow`. It stops
cleanly at the end of the source, on Ctrl-C, SIGTERM and SIGHUP: what was received is stored before it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Protocol

from tiltwise.errors import AppError, StoppedError
from tiltwise.link.source import Source
from tiltwise.live.board.board_talk import BoardTalk
from tiltwise.live.calibration_session import CalibrationSession
from tiltwise.live.control.control_messages import Answer, Asked, Question
from tiltwise.live.control.control_server import ControlServer
from tiltwise.live.control.running_session import Control, RunningSession
from tiltwise.live.desktop import Desktop, DesktopAction
from tiltwise.live.live_session import LiveSession
from tiltwise.live.wearer.live_events import Command, DesktopMessage, LiveEvents, LiveNote

OnUpdate = Callable[[float, LiveEvents], None]
BUTTON_SNOOZE_S = 1800  # of a message on the desktop
SILENCE_S = 30.0  # real time without a single chunk: longer than any connection takes
ANSWER_S = 5.0  # for the board to play the last pattern and to take the result: some 30 answers


class _Receiver(Protocol):
    """What a pump feeds: every session."""

    def receive(self, received_s: float, chunk: bytes, /) -> LiveEvents:
        """Take a chunk; return what it meant."""
        ...


class _Session(_Receiver, Protocol):
    """A session that has something to close."""

    def finish(self) -> LiveEvents:
        """Close what is open."""
        ...


async def pump(
    source: Source, session: LiveSession | _Receiver, *, silence_s: float | None = None
) -> AsyncGenerator[tuple[float, LiveEvents], None]:
    """Yield (received_s, events) of each chunk of an open source, after its commands were sent.

    AppError when nothing is received for silence_s, in real time.
    """
    chunks = source.chunks()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), silence_s)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise AppError(
                f"nothing received for {silence_s:.0f} s: is the board on and near? try `tiltwise scan`"
            ) from None
        events = session.receive(chunk.received_s, chunk.data)
        for event in events:
            if isinstance(event, Command):
                await source.send(event.data)
        yield chunk.received_s, events


async def run_live(
    source: Source, session: LiveSession | _Session, on_update: OnUpdate, *, desktop: Desktop | None = None
) -> None:
    """Run a session until its source ends or the task is cancelled; `on_update` gets the received time."""
    received_s = 0.0
    shown: set[asyncio.Task[bool] | asyncio.Task[None]] = set()
    if desktop is not None:
        shown.add(asyncio.create_task(desktop.state.follow()))
    try:
        async with source:
            async for received_s, events in pump(source, session):
                if desktop is not None:
                    _notify(desktop, events, shown)
                on_update(received_s, events)
    finally:
        with undisturbed():
            on_update(received_s, session.finish())
        for task in shown:
            task.cancel()


async def run_controlled(
    source: Source,
    session: LiveSession,
    on_update: OnUpdate,
    control: Control,
    *,
    desktop: Desktop | None = None,
) -> None:
    """Run a session, and meanwhile do what other programs ask of it."""
    running = RunningSession(session, control)
    loop = asyncio.get_running_loop()
    newest = (0.0, loop.time())  # received s, and when that was: no chunk comes while the board is away

    def update(received_s: float, events: LiveEvents) -> None:
        nonlocal newest
        newest = received_s, loop.time()
        running.take(received_s, events)
        on_update(received_s, events)

    async def reply(question: Question) -> Answer:
        received_s = newest[0] + loop.time() - newest[1]
        answer, events = running.answer(question, received_s)
        for event in events:
            if isinstance(event, Command):
                await source.send(event.data)
        on_update(received_s, events)
        return answer

    async def act(action: DesktopAction) -> None:
        if action is DesktopAction.MOVED:
            session.alerts.acknowledge()
        elif action is DesktopAction.SNOOZE:
            await reply(Question(Asked.SNOOZE, BUTTON_SNOOZE_S))
        else:
            await reply(Question(Asked.RECALIBRATE))

    if desktop is not None:
        desktop.on_action = act
    async with ControlServer(control.place, reply) as server:
        if server.trouble:
            on_update(0.0, (LiveNote(server.trouble),))
        await run_live(source, session, update, desktop=desktop)


def run_until_stopped(
    source: Source,
    session: LiveSession,
    on_update: OnUpdate,
    *,
    desktop: Desktop | None = None,
    control: Control | None = None,
) -> None:
    """Run a session to its end in an event loop of its own; SIGTERM and SIGHUP count as Ctrl-C.

    With `control` other programs may ask it meanwhile.

    StoppedError says what was kept; AppError when the disk refused to the end and something could not be kept.
    """

    if control is None:
        running = run_live(source, session, on_update, desktop=desktop)
    else:
        running = run_controlled(source, session, on_update, control, desktop=desktop)
    is_stopped = run_stoppable(running)
    if session.unsaved:
        raise AppError(session.unsaved)
    if is_stopped:
        raise StoppedError(f"stopped; kept {session.kept}" if session.kept else "stopped; nothing was kept")


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore a second Ctrl-C while what was received is stored: it would leave the last minute out."""
    if threading.current_thread() is not threading.main_thread():  # nor does Ctrl-C come to another
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_stoppable(running: Coroutine[Any, Any, None]) -> bool:
    """Run in an event loop of its own; tell whether Ctrl-C, SIGTERM or SIGHUP (a closed terminal) ended it."""

    async def main() -> None:
        if task := asyncio.current_task():
            with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in its loop
                for sign in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
                    asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
        await running

    try:
        asyncio.run(main())
    except (asyncio.CancelledError, KeyboardInterrupt):
        return True
    return False


async def run_calibration(source: Source, session: CalibrationSession, on_update: OnUpdate) -> None:
    """Run a calibration until it is over or its source ends, and the board has played the last pattern.

    It is told the result meanwhile.
    """
    async with source, contextlib.aclosing(pump(source, session, silence_s=SILENCE_S)) as updates:
        while not session.is_over:
            update = await anext(updates, None)
            if update is None:
                return
            on_update(*update)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                while session.is_waiting and await anext(updates, None) is not None:
                    pass


async def run_talk(source: Source, talk: BoardTalk) -> None:
    """Run a talk with a board until it is over; AppError when the board is not reached."""
    async with source, contextlib.aclosing(pump(source, talk, silence_s=SILENCE_S)) as updates:
        while not talk.is_over and await anext(updates, None) is not None:
            pass


def _notify(
    desktop: Desktop, events: LiveEvents, shown: set[asyncio.Task[bool] | asyncio.Task[None]]
) -> None:
    """Show messages without making the stream wait."""
    for event in events:
        if isinstance(event, DesktopMessage):
            task = asyncio.get_running_loop().create_task(desktop.show(event.title, event.text))
            shown.add(task)
            task.add_done_callback(shown.discard)
