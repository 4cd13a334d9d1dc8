"""A wearer who listens to a coach: what is asked for becomes movements, after a moment, well or badly.

The story is written while it is lived: a request is heard, and moves are added to the script from the reaction on.
What has been lived stays as it is. Degrees, metres, seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiltwise.sim.body import sensor_handling
from tiltwise.sim.body.minimum_jerk import Profiles
from tiltwise.sim.body.motion_script import Script
from tiltwise.sim.body.scenario import Scenario, ScenarioOptions
from tiltwise.sim.body.segments import CHANNELS
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount

MANNERS = ("well", "badly", "stiff", "talking", "stops", "another", "hunched", "raised")
LEAST_REACTION_S = 0.5  # also how far ahead of the lived time the sensors may look
_MINUTES = 60.0
_SLOW_DEG_S, _SINK_DEG_S = 32.0, 9.0
_BADLY = 0.6  # of what was asked: size, and time held
_STIFF = 0.25  # of the range
_STOPS_AFTER = 3  # movements
# Until the shoulders drop: degrees of the upper back, metres of the shoulders.
_HELD = {"hunched": ("trunk_flex", 6.0), "raised": ("rise", 0.022)}
_CALM = 0.4


@dataclass(frozen=True, slots=True)
class Request:
    """What a coach asks for, as a body understands it.

    Parameters
    ----------
    do
        move, hold, return, sink, press, release, turn, work or rest.
    channel, sign
        What moves ("head_flex+", "head_lat+", "head_rot+", "rise" or "" for nothing), and which way.
    share
        Of the person's own range.
    seconds
        How long it was asked for; 0: no time was named.
    pose
        Where the head is to be meanwhile: "", "bowed", "back" or "lying".
    """

    do: str
    channel: str = ""
    sign: float = 1.0
    share: float = 1.0
    seconds: float = 0.0
    pose: str = ""


def _waits(script: Script, plan: ScenarioOptions) -> None:
    """Calibrate; what comes then is asked for."""
    if plan.is_calibrated:
        sensor_handling.calibrate(script, tilts=3 if script.bows else 0)
    else:
        script.wait(1.0)


COACHED = Scenario("sits, and does what `tiltwise exercise` asks for", _MINUTES, 0.5, _waits)


class CoachedWearer(Wearer):
    """Somebody who does what a coach asks for.

    Parameters
    ----------
    seed, mount, minutes, sensor_axes
        See `Wearer`.
    manner
        One of MANNERS: well; badly (short, early, the wrong side now and then, pressing with movement); stiff;
        talking and looking round; stops after a few movements; another exercise than asked for; hunched or with
        raised shoulders, until these are to drop.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        mount: Mount | str = Mount.NECK,
        minutes: float | None = None,
        sensor_axes: str = "any",
        bows: bool | None = None,
        manner: str = "well",
    ) -> None:
        if manner not in MANNERS:
            raise ValueError(f"manner {manner!r}: expected one of {', '.join(MANNERS)}")
        super().__init__(COACHED, seed=seed, mount=mount, minutes=minutes, sensor_axes=sensor_axes, bows=bows)
        self._manner = manner
        self._rng = np.random.default_rng([seed, 7])
        self._moves = 0
        self._barrier = 0.0  # share of the range that the last slow movement ended at

    def hear(self, now_s: float, request: Request) -> None:
        """Take a request at the lived time now_s; the reaction lies behind what the sensors have seen."""
        if self._manner == "stops" and self._moves >= _STOPS_AFTER:
            return
        script = self._script
        script.t_s = now_s + LEAST_REACTION_S + float(self._rng.uniform(0.1, 0.6))
        if script.value("fidgeting") > _CALM:  # whoever exercises fidgets less
            self._ease(script, "fidgeting", _CALM, 0.8)
        act = {
            "move": self._move,
            "sink": self._sink,
            "hold": self._hold,
            "return": self._return,
            "press": self._press,
            "turn": self._turn,
        }.get(request.do, self._rest)
        act(script, request)
        self._profiles = Profiles(CHANNELS, script.moves, script.initial)

    # ---- the phases ----

    def _move(self, s: Script, asked: Request) -> None:
        self._moves += 1
        size = {"badly": _BADLY, "stiff": _STIFF}.get(self._manner, 0.85)
        channel, sign = asked.channel, asked.sign
        if self._manner == "another":
            channel = "head_flex+" if channel != "head_flex+" else "head_rot+"
        if self._manner == "badly" and channel == "head_lat+" and self._rng.random() < 0.15:
            sign = -sign
        if self._manner == "talking":
            self._glance(s, channel)
        self._go(s, channel, sign * self._full(channel, sign) * size * asked.share, _SLOW_DEG_S)
        if self._manner == "another":
            self._go(s, channel, 0.0, _SLOW_DEG_S, pause_s=0.5)

    def _sink(self, s: Script, asked: Request) -> None:
        """Slowly to a new end, a little further each time."""
        self._moves += 1
        size = _STIFF if self._manner == "stiff" else 0.75
        if asked.share < 1.0:
            self._barrier = asked.share * size / 0.75
        else:
            self._barrier = max(self._barrier, size) + (
                float(self._rng.uniform(0.02, 0.07)) if self._barrier else 0.0
            )
        target = asked.sign * self._full(asked.channel, asked.sign) * self._barrier
        self._go(s, asked.channel, target, _SINK_DEG_S if self._barrier else _SLOW_DEG_S)

    def _hold(self, s: Script, asked: Request) -> None:
        if self._manner == "badly" and asked.channel and self._rng.random() < 0.5:
            self._go(s, asked.channel, 0.0, _SLOW_DEG_S, pause_s=_BADLY * asked.seconds)

    def _return(self, s: Script, asked: Request) -> None:
        self._barrier = 0.0
        self._go(s, asked.channel, 0.0, _SLOW_DEG_S)
        if self._manner == "hunched":
            self._ease(s, "trunk_flex", 0.0, 1.5)

    def _press(self, s: Script, asked: Request) -> None:
        """Tense; badly, the head gives way."""
        for channel, tense, after in (("tremor", 3.0, 1.0), ("fidgeting", 0.15, _CALM)):
            self._ease(s, channel, tense, 0.6)
            self._ease(s, channel, after, 0.8, pause_s=max(asked.seconds - 1.0, 1.0))
        if self._manner == "badly":
            channel = asked.channel or "head_flex+"
            self._ease(s, channel, s.value(channel) - asked.sign * 7.0, 1.5, pause_s=2.0)

    def _turn(self, s: Script, asked: Request) -> None:
        """Turn to and fro for so long, in a pose."""
        flexion = {"bowed": 0.6 * self.person.flexion_rom_deg, "back": -0.35 * self.person.extension_rom_deg}
        self._go(s, "head_flex", flexion.get(asked.pose, 0.0), _SLOW_DEG_S)
        size, until_s, side = 0.4 * self.person.rotation_rom_deg, s.t_s + asked.seconds - 4.0, 1.0
        while max(s.free_s("head_rot+"), s.t_s) < until_s:
            self._go(s, "head_rot+", side * size, _SLOW_DEG_S, pause_s=0.4)
            side = -side
        self._go(s, "head_rot+", 0.0, _SLOW_DEG_S)

    def _rest(self, s: Script, asked: Request) -> None:
        """Come to rest in the pose asked for."""
        if not self._moves and self._manner in _HELD:
            self._ease(s, *_HELD[self._manner], 1.5)
            return
        if asked.pose == "lying" and s.value("trunk_flex") > -60.0:
            self._ease(s, "trunk_flex", -82.0, 2.8)
            self._ease(s, "head_flex", 8.0, 1.5)
        elif asked.pose == "bowed":
            self._go(s, "head_flex", 35.0, _SLOW_DEG_S)
        elif asked.pose == "" and asked.channel:
            for channel in ("head_flex", "trunk_flex"):
                if s.value(channel):
                    self._ease(s, channel, 0.0, 2.5)

    # ---- moves ----

    def _full(self, channel: str, sign: float) -> float:
        person = self.person
        return {
            "head_flex+": person.flexion_rom_deg if sign > 0 else person.extension_rom_deg,
            "head_lat+": person.right_rom_deg if sign > 0 else person.left_rom_deg,
            "head_rot+": person.rotation_rom_deg,
            "rise": 0.04,
        }.get(channel, 0.0)

    def _glance(self, s: Script, channel: str) -> None:
        """Look round, and back, before doing what was asked."""
        other = "head_flex+" if channel == "head_rot+" else "head_rot+"
        self._go(s, other, float(self._rng.choice([-1.0, 1.0])) * 25.0, 70.0)
        self._go(s, other, 0.0, 70.0, pause_s=0.6)
        s.wait(2.2)

    def _go(self, s: Script, channel: str, target: float, peak_deg_s: float, *, pause_s: float = 0.0) -> None:
        """Move at a peak speed, when the channel is free; shoulders rise in 0.7 s."""
        if not channel:
            return
        way = abs(target - s.value(channel))
        seconds = 0.7 if channel == "rise" else max(0.35, 1.875 * way / (peak_deg_s * self.person.pace))
        self._ease(s, channel, target, seconds, pause_s=pause_s)

    def _ease(self, s: Script, channel: str, target: float, seconds: float, *, pause_s: float = 0.0) -> None:
        begin_s = max(s.t_s, s.free_s(channel)) + pause_s
        s.move(channel, target, seconds, after_s=begin_s - s.t_s)
