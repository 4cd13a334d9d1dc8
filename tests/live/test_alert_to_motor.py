"""From the bent neck to the motor's pin: the whole way, by cable and by radio, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import numpy as np
import pytest

from live.feed import STARTED_S
from live.slumping_wearer import Neck, SlumpingSimulation, Story, mounting, slumps
from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting, Deliver, RuleKind, RuleSetting, Settings
from tiltwise.link.ble import BleConnector
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.link.command_queue import CommandQueue
from tiltwise.link.commands import Reply
from tiltwise.link.supervisor import Supervisor
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.run import run_live
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.live_events import DesktopMessage, LiveEvents, LiveWarning, SensorBuzzed
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.board.usb_cable import SimCable
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.store.writer import Store
from tiltwise.types import Mount
from tiltwise_lab.radio.bleak_backend import Adapter
from tiltwise_lab.radio.bumble_board import BumbleBoard
from tiltwise_lab.radio.virtual_radio import RadioLink
from tiltwise_lab.radio.virtual_time import run_virtually

KEY = bytes(range(32))
STEP_S = 0.02
GOAL_S = 0.5  # from the alert to the motor
_ALERT_PULSE_S = 0.3


@dataclass
class Heard:
    """What a session said, and when (s of the virtual clock)."""

    board: SimBoard
    session: LiveSession
    events: list[tuple[float, object]] = field(default_factory=list)

    def of(self, kind: type, level: NoticeLevel | None = None) -> list[tuple[float, object]]:
        """Return the events of a kind with their times."""
        return [
            (at_s, event)
            for at_s, event in self.events
            if isinstance(event, kind) and level in (None, getattr(event, "level", None))
        ]

    def alerts_s(self) -> list[float]:
        """Return when the samples came that made the alerts due, in s of the board since it started."""
        zero_s = self.session.decoder.zero_s
        return [event.t_s - zero_s for _, event in self.of(Notice, NoticeLevel.ALERT)]  # type: ignore[attr-defined]

    def buzzes_s(self) -> list[float]:
        """Return when the motor began to play an alert: the first of two long pulses."""
        starts = [
            a for a, b, _ in self.board.sim_motor.pulses if b - a == pytest.approx(_ALERT_PULSE_S, abs=0.05)
        ]
        return starts[::2]


AT_ONCE = {"min_gap_s": 0.0, "first_quiet_min": 0.0, "escalate_s": 0.0, "most_a_day": 200}


def settings(**alerts: object) -> Settings:
    return Settings(
        rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=20.0, seconds=5.0, recovery_s=1.0),
        alerts=AlertSetting(**AT_ONCE | alerts),  # type: ignore[arg-type]
    )


def _session(of: Settings, store: Store | None = None) -> LiveSession:
    return open_session(
        Worn(mount=Mount.NECK, mounting=mounting()),
        started_utc_s=STARTED_S,
        settings=of,
        store=store,
        fetches=True,
    )


async def _run(heard: Heard, source: Supervisor, for_s: float) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    def note(_received_s: float, events: LiveEvents) -> None:
        heard.events += [(loop.time() - began_s, event) for event in events]

    task = loop.create_task(run_live(source, heard.session, note))
    await asyncio.sleep(for_s)
    assert not task.done(), task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def by_cable(
    of: Settings,
    story: Story,
    for_s: float,
    *,
    is_bare: bool = False,
    unplug_at_s: float | None = None,
    plug_at_s: float | None = None,
    store: Store | None = None,
) -> Heard:
    """Run a live session at a cable; the board lives on after it is unplugged."""

    async def main() -> Heard:
        simulation, loop = SlumpingSimulation(story), asyncio.get_running_loop()
        if is_bare:
            simulation.board = SimBoard(
                simulation._sensors, boot_id=1, stream=None, auto_ack=False, is_bare=True
            )
        cable = SimCable(simulation)
        heard = Heard(simulation.board, _session(of, store))
        is_in = True

        async def live() -> None:
            while True:
                await asyncio.sleep(STEP_S)
                nonlocal is_in
                if unplug_at_s is not None and is_in and loop.time() >= unplug_at_s:
                    is_in = False
                    cable.unplug()
                if plug_at_s is not None and loop.time() >= plug_at_s:
                    cable.is_plugged = True
                cable.step(loop.time())

        living = loop.create_task(live())
        await _run(heard, Supervisor(cable, (), clock=loop.time), for_s)
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living
        return heard

    return run_virtually(main())


def by_radio(of: Settings, story: Story, for_s: float) -> Heard:
    """Run a live session over the virtual air."""

    async def main() -> Heard:
        link, part = RadioLink(), Lsm6dsox(seed=1)
        board = BumbleBoard(link, [part], Neck(part, story), key=KEY)
        board.power_on()
        adapter = Adapter(link, mtu=247)
        await adapter.power_on()
        connector = BleConnector(client_backend=adapter.client, scanner_backend=adapter.scanner)
        keys = (KeyedBoard(board.device_id, "neck", KEY),)
        heard = Heard(board, _session(of))
        await _run(heard, Supervisor(connector, keys, clock=asyncio.get_running_loop().time), for_s)
        adapter.close()
        await board.close()
        return heard

    return run_virtually(main())


@pytest.mark.parametrize("way", [by_cable, by_radio])
def test_the_motor_runs_within_half_a_second_of_the_alert(way) -> None:  # type: ignore[no-untyped-def]
    heard = way(settings(), slumps(9.0, 6.0), 150.0)
    alerts_s, buzzes_s = heard.alerts_s(), heard.buzzes_s()
    assert len(alerts_s) >= 9
    assert len(buzzes_s) == len(alerts_s), "one buzz for each alert"
    delays_s = np.subtract(buzzes_s, alerts_s)
    median_s, p95_s = np.percentile(delays_s, (50, 95))
    print(
        f"alert to motor, {way.__name__}: {len(delays_s)} alerts, median {median_s:.3f} s, p95 {p95_s:.3f} s"
    )
    assert np.all(delays_s > 0)
    assert p95_s < GOAL_S
    assert len(heard.of(SensorBuzzed)) == len(alerts_s), "the host knows that it was felt"
    ticks = [b - a for a, b, _ in heard.board.sim_motor.pulses if b - a < 0.1]
    assert len(ticks) == len(heard.of(Notice, NoticeLevel.THANKS)) >= 8, "and the correction is thanked for"


@pytest.mark.parametrize(
    ("deliver", "strength", "buzzes", "messages"),
    [
        (Deliver.BOTH, 3, True, True),
        (Deliver.SENSOR, 2, True, False),
        (Deliver.DESKTOP, 3, False, True),
        (Deliver.SENSOR, 0, False, True),  # a silent motor is none
    ],
)
def test_an_alert_goes_where_it_is_set(deliver: Deliver, strength: int, buzzes: bool, messages: bool) -> None:
    heard = by_cable(settings(deliver=deliver, strength=strength), slumps(60.0, 6.0), 25.0)
    assert len(heard.alerts_s()) == 1
    assert len(heard.buzzes_s()) == buzzes
    assert len(heard.of(DesktopMessage)) == messages
    if buzzes:
        assert {duty for *_, duty in heard.board.sim_motor.pulses} == {(0, 22000, 31000, 41000)[strength]}


def test_a_board_without_a_motor_sends_to_the_desktop_and_says_so_once() -> None:
    heard = by_cable(settings(deliver=Deliver.SENSOR), slumps(9.0, 6.0), 60.0, is_bare=True)
    assert len(heard.alerts_s()) >= 2
    assert len(heard.of(DesktopMessage)) == len(heard.of(Notice))
    texts = [event.text for _, event in heard.of(LiveWarning)]  # type: ignore[attr-defined]
    assert texts.count("the sensor has no motor: alerts go to the desktop") == 1


def test_an_alert_that_is_not_felt_goes_to_the_desktop() -> None:
    story = slumps(60.0, 6.0)
    # While charging the motor is silent.
    charging = by_charging(story)
    assert charging.buzzes_s() == []
    assert len(charging.of(DesktopMessage)) == 1


def by_charging(story: Story) -> Heard:
    """Run a session whose motor refuses to play."""

    class Charging(SlumpingSimulation):
        def step(self, to_s: float) -> list[bytes]:
            self.board.app.wearer.is_charging = True
            self.board.app.haptics.is_allowed = False
            return super().step(to_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.SlumpingSimulation", Charging)
        return by_cable(settings(deliver=Deliver.SENSOR), story, 25.0)


@pytest.mark.parametrize("deliver", [Deliver.BOTH, Deliver.DESKTOP])
def test_a_board_whose_host_falls_silent_gives_no_second_alert(deliver: Deliver) -> None:
    heard = by_cable(settings(deliver=deliver), slumps(160.0, 30.0), 185.0, unplug_at_s=20.0)
    assert len(heard.alerts_s()) == 1, "before the cable was pulled"
    coach = heard.board.app.wearer.coach
    assert coach.state == 2, "the board decides by itself"
    assert coach.alerts == 0
    assert len(heard.buzzes_s()) == (1 if deliver is Deliver.BOTH else 0)


def test_a_tick_that_would_come_late_is_dropped() -> None:
    now_s, replies = [0.0], list[Reply]()
    queue = CommandQueue(lambda: now_s[0], replies.append)
    queue.put(wire.OP_MOTOR, bytes((wire.MOTOR_ALERT, 3)), can_play=True)
    now_s[0] = 0.6

    class Dead:
        async def ask(self, *_: object, **__: object) -> Reply:
            raise AssertionError("sent after its time")

    async def main() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(queue.send_all(Dead()), 0.1)  # type: ignore[arg-type]

    run_virtually(main())
    assert [reply.status for reply in replies] == [wire.STATUS_FAILED]
