"""The board's own judgement beside the host's on the same generated days: the same alerts, or how many differ."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiltwise.config.settings import Settings
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.live.wearer.settings_sync import wanted_settings
from tiltwise.motion.rotation import up_from_angles_deg
from tiltwise.sim.board.peripherals import SimFiles, SimMotor
from tiltwise.sim.board.simulated_board import SimClock
from tiltwise.types import Mount
from tiltwise_lab.bench.posture.generated_day import WALK, Day, generate_day
from tiltwise_lab.bench.posture.products import our_day

APART_S = 5.0  # the two smooth angles and find walking by other means
_STEP_MS = 100
_NEUTRAL, _FORWARD = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alerts of one day: both gave, only the host, only the board."""

    both: int
    host_only: int
    board_only: int


def agreement_rows(n: int, hours: float) -> Iterator[tuple[float, Agreement]]:
    """Yield the share done and the agreement on each of n days; day k has seed k and wearer k."""
    for k in range(n):
        yield (k + 1) / n, agreement(generate_day(k, k, Mount.HEAD, hours))


def agreement(day: Day) -> Agreement:
    """Compare one day."""
    host, board = list(our_day(day).told_s), board_alerts_s(day)
    both = 0
    for t_s in list(host):
        near = [other for other in board if abs(other - t_s) <= APART_S]
        if near:
            both += 1
            host.remove(t_s)
            board.remove(near[0])
    return Agreement(both, len(host), len(board))


def board_alerts_s(day: Day) -> list[float]:
    """Return when the board alone would alert, s: the real modules of the firmware, ten times a second."""
    load_firmware()
    coaching: Any = importlib.import_module("tiltwise_firmware.wearer.standalone_coach")
    haptics: Any = importlib.import_module("tiltwise_firmware.wearer.haptics")
    wear_detection: Any = importlib.import_module("tiltwise_firmware.wearer.wear_detection")
    board_settings: Any = importlib.import_module("tiltwise_firmware.storage.board_settings")
    clock: Any = SimClock()
    settings = board_settings.Settings(SimFiles())
    wanted = [(key.name.lower(), value) for key, value in wanted_settings(Settings(), None)]
    settings.update([*wanted, ("alone_after_s", 5), ("mount", day.mount.value)])
    motor = haptics.Haptics(SimMotor(clock), clock)
    told: list[float] = []
    began_us = clock.us
    coach = coaching.StandaloneCoach(
        clock,
        settings,
        motor,
        lambda is_alert, _: told.append((clock.us - began_us) / 1e6) if is_alert else None,
        lambda is_doubted: settings.set("neutral_doubted", int(is_doubted)),
    )
    worn = wear_detection.WearDetector(clock)
    ticks = np.arange(0.0, day.t_s[-1], _STEP_MS / 1000)
    at = np.searchsorted(day.t_s, ticks)
    up = up_from_angles_deg(day.flexion_deg[at], day.lateral_deg[at]).tolist()
    # What the fusion would average of the steps: half the square of one horizontal axis, which swings about as much.
    swing = np.where(day.body[at] == WALK, 0.6, 0.01).tolist()
    for k in range(len(ticks)):
        clock.sleep_ms(_STEP_MS)
        now = clock.ticks_ms()
        motor.step(now)
        was_off = worn.is_worn is False
        if worn.step(now, up[k], _NEUTRAL) and was_off:
            coach.put_on()
        motor.is_allowed = worn.is_worn is not False
        coach.is_held = worn.is_doubted
        coach.step(now, up[k] if motor.is_allowed else None, _NEUTRAL, False, _FORWARD, swing[k])
    return told
