"""The board's own alert is no movement of the wearer: real firmware whose motor shakes its sensor, to the tracker."""

from __future__ import annotations

import numpy as np
import pytest

from live.test_haptic_cues import shake
from tiltwise.decode.decoder import Decoder
from tiltwise.link.commands import Acknowledger, Pattern
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.sim.board import simulation as simulation_module
from tiltwise.sim.board.simulation import Simulation
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ACTIVITIES, Activity, FloatArray, OrientationBlock

ALERT_S = 60.0
MOVING = ACTIVITIES.index(Activity.MOVING)


def tracked(strength: float, *, keeps_shaken: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return activity codes and inclination of a minute and a half at a desk, with an alert."""
    simulation = Simulation("desk", seed=3, minutes=2.2)
    if strength:
        shake(simulation, strength)
    decoder, commands = Decoder(keeps_shaken=keeps_shaken), Acknowledger()
    q = simulation.wearer.q_sensor_from_body(0.0)
    tracker = Tracker(TrackerSettings(Mounting(simulation.mounts[0], tuple(q), "nod", 1.0)))
    codes, angles = [], []
    for k in range(1, 900):
        if strength and k == 10 * ALERT_S:
            simulation.send(commands.motor(Pattern.ALERT, 5))
        for item in decoder.feed_many(simulation.step(k / 10)):
            if isinstance(item, OrientationBlock):
                update = tracker.process(item)
                codes.append(update.activity)
                angles.append(update.angles.inclination_deg)
    assert (decoder.stats.motor_on > 0) == bool(strength)
    return np.concatenate(codes), np.concatenate(angles)


@pytest.fixture(autouse=True)
def truth_waits_for_the_motor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation_module, "_AHEAD_S", 0.1)


def test_an_alert_is_no_movement_and_leaves_the_angle_in_place() -> None:
    """Four times what a coin motor does on a band (2 rad/s): an alert alone would count as looking around."""
    calm, calm_deg = tracked(0.0)
    shaken, shaken_deg = tracked(4.0)
    taken, _ = tracked(4.0, keeps_shaken=True)
    n = min(len(calm), len(shaken))
    assert np.count_nonzero(taken[:n] == MOVING) > 1.3 * np.count_nonzero(calm[:n] == MOVING)
    assert np.mean(calm[:n] != shaken[:n]) < 0.03
    assert abs(np.mean(shaken[:n] == MOVING) - np.mean(calm[:n] == MOVING)) < 0.025  # 2 s
    assert np.nanmax(np.abs(shaken_deg[:n] - calm_deg[:n])) < 2.0
