"""The host and the board alone, on the same samples: the same alerts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from live.feed import STARTED_S
from live.slumping_wearer import SlumpingSimulation, mounting, slumps
from tiltwise.config.settings import AlertSetting, RuleKind, RuleSetting, Settings
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.alerts import Notice, NoticeLevel
from tiltwise.live.wearer.settings_sync import wanted_settings
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.sim.board.simulation import Simulation
from tiltwise.types import Mount

SIMPLE = Settings(
    rule=RuleSetting(kind=RuleKind.SIMPLE, angle_deg=20.0, seconds=20.0),
    alerts=AlertSetting(min_gap_s=30.0, first_quiet_min=0.0),
)
APART_S = 2.5  # filters and grids differ: an alert is due at a sample more or less


def judged(
    simulation: Simulation, minutes: float, known: Mounting | None = None, settings: Settings = SIMPLE
) -> tuple[list[float], list[float]]:
    """Return when the host and the board alone alerted, in s of the board; it is told the calibration once known."""
    session = open_session(Worn(mount=Mount.NECK, mounting=known), started_utc_s=STARTED_S, settings=settings)
    app: Any = simulation.board.app
    step = app.wearer.step
    told: list[float] = []

    def alone(now: int, _has_host: bool, is_awake: bool) -> None:
        step(now, False, is_awake)

    def note(is_alert: bool, _deg: int) -> None:
        # The host is not to hear of it: it would keep the least gap from there.
        if is_alert:
            told.append(simulation.board.clock.us / 1e6)

    app.wearer.step, app.wearer.coach._log = alone, note
    app.settings.update([("alone_after_s", 5), ("neutral_x", 0)])
    is_told, heard = False, list[float]()
    for k in itertools.count(1):
        if k * 0.2 > 60 * minutes:
            break
        for frame in simulation.step(k * 0.2):
            for event in session.receive(k * 0.2, frame):
                if is_first_alert(event):
                    heard.append(event.t_s - session.decoder.zero_s)
        if session.profile is not None and not is_told:
            is_told = True
            pairs = wanted_settings(settings, session.profile.mounting)
            app.settings.update([(key.name.lower(), value) for key, value in pairs])
    return heard, told


def is_first_alert(event: object) -> bool:
    """Whether it is an alert of the rule that both sides have, and told for the first time."""
    if not isinstance(event, Notice) or event.level is not NoticeLevel.ALERT:
        return False
    return not event.is_repeated and "looking down" in event.text.lower()


def assert_same(heard: list[float], told: list[float]) -> None:
    assert len(heard) == len(told), (heard, told)
    for host_s, board_s in zip(heard, told, strict=True):
        assert board_s == pytest.approx(host_s, abs=APART_S)


@pytest.mark.parametrize(
    ("what", "deg", "azimuth_deg", "alerts"),
    [
        ("slouch", 35.0, 0.0, 2),
        ("bent a little", 15.0, 0.0, 0),
        ("forward and aside", 40.0, 30.0, 2),
        ("side tilt", 40.0, 90.0, 0),
        ("lean back", 40.0, 180.0, 0),
        ("lying on the back", 80.0, 180.0, 0),
        ("lying on a side", 85.0, -90.0, 0),
    ],
)
def test_the_same_alerts_for_a_posture(what: str, deg: float, azimuth_deg: float, alerts: int) -> None:
    simulation = SlumpingSimulation(slumps(40.0, 20.0, deg), azimuth_deg, is_streaming=True)
    heard, told = judged(simulation, 2.1, mounting())
    print(what, heard, told)
    assert_same(heard, told)
    assert len(heard) == alerts


@pytest.mark.parametrize(("deg", "alerts"), [(75.0, 1), (50.0, 0)])
def test_the_same_alerts_by_dose(deg: float, alerts: int) -> None:
    """75 deg may be held for 130 s and 50 deg for 305: twice 75 s with 8 s between fill only the first."""
    by_dose = replace(SIMPLE, rule=RuleSetting())
    simulation = SlumpingSimulation(slumps(75.0, 8.0, deg), 0.0, is_streaming=True)
    heard, told = judged(simulation, 3.0, mounting(), by_dose)
    assert_same(heard, told)
    assert len(heard) == alerts


@pytest.mark.parametrize(("scenario", "seed"), [("slouch", 1), ("walking", 1), ("desk", 2)])
def test_the_same_alerts_for_a_simulated_wearer(scenario: str, seed: int) -> None:
    heard, told = judged(Simulation(scenario, seed=seed, minutes=5), 5)
    print(scenario, heard, told)
    assert_same(heard, told)
    assert (len(heard) > 0) == (scenario == "slouch") or scenario == "desk"
