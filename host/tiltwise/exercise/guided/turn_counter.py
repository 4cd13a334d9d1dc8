"""Moments -> repetitions of a head movement that was asked for, told at the turn and not after the return.

One angle is followed through REST -> OUT -> TURNED. Nothing is fixed but the least movement: what counts as a whole
repetition goes by the person's own range, or by what they did so far; where the middle is, by where the head rests. A
movement in which the head went further in another plane is a glance and none of the exercise. Degrees and seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from tiltwise.exercise.guided.counter_events import CounterEvent, RepTakenBack, RepTold
from tiltwise.exercise.guided.hold_time import held_s
from tiltwise.exercise.guided.moments import GRID_HZ, MAX_GAP_S, Moment
from tiltwise.exercise.guided.other_planes import OtherPlanes
from tiltwise.exercise.guided.turn_states import TRANSITIONS, Shown, Turning, TurnSettings
from tiltwise.exercise.guided.usual_course import UsualRest, UsualSizes
from tiltwise.exercise.signals import Angle, Signal, Way
from tiltwise.types import RepCompleted, Side

_CALM_S = 0.4  # over which a head has to stay to be at rest
_RESTING_DEG = 2.5  # within this, who talks or trembles rests too
_CREEP_MOMENTS = 15  # who moves one way for so long is on the way, however slowly


class TurnCounter:
    """Counts one exercise.

    Parameters
    ----------
    exercise, signal
        The name that the events carry; how a repetition looks.
    range_deg
        The person's own range on each side, as far as it was measured.
    share
        How much of the head's movement the sensor sees in its place.
    """

    def __init__(
        self,
        exercise: str,
        signal: Signal,
        range_deg: Mapping[Side, float] | None = None,
        settings: TurnSettings | None = None,
        *,
        share: float = 1.0,
    ) -> None:
        self.exercise = exercise
        flexed_deg = None if signal.flexed_deg is None else share * signal.flexed_deg
        self.signal = replace(signal, guided_least_deg=share * signal.guided_least_deg)
        self._planes = OtherPlanes(signal.angle, flexed_deg)
        self._range_deg, self._s = dict(range_deg or {}), settings or TurnSettings()
        self._quiet_deg_s = min(self._s.quiet_deg_s, 0.6 * self.signal.guided_least_deg)
        self.state = Turning.REST
        self._t_s: float | None = None
        self._angle_deg = self._calm_deg = self._speed_deg_s = self._quiet_s = self._rested_s = 0.0
        self._calms: deque[float] = deque(maxlen=_CREEP_MOMENTS)
        self._middle_deg: float | None = None
        self._home = UsualRest()
        self._sign = 1.0
        self._sizes = {1.0: UsualSizes(), -1.0: UsualSizes()}
        self._inner_deg, self._inner_sign = 0.0, 1.0  # nearest to the middle since the last one, and its side
        # The excursion under way: (t_s, deviation), its extremes, and what was told.
        self._trace: list[tuple[float, float]] = []
        self._start_s = self._peak_s = self._dt_s = 0.0
        self._peak_deg = self._low_deg = self._fastest_deg_s = self._slow_s = 0.0
        self._is_fresh_rest, self._is_creeping, self._was_lost = True, False, False
        self._told: RepTold | None = None
        self._settled_s: float | None = None

    # ---- what can be seen from outside ----

    @property
    def deviation_deg(self) -> float:
        """How far the head is out now, on the side that it went to."""
        return self._sign * (self._angle_deg - (self._middle_deg or 0.0))

    @property
    def side(self) -> Side:
        """The side that it went to last."""
        if self.signal.way not in (Way.EITHER, Way.PAIR):
            return Side.NONE
        return Side.RIGHT if self._sign > 0 else Side.LEFT

    @property
    def held_s(self) -> float:
        """How long the head has been far out in the repetition under way."""
        return 0.0 if self._settled_s is None or self._t_s is None else self._t_s - self._settled_s

    @property
    def rested_s(self) -> float:
        """How long the head has been quiet between two repetitions."""
        return self._rested_s if self.state is Turning.REST else 0.0

    # ---- moment by moment ----

    def step(self, moment: Moment) -> list[CounterEvent]:
        """Take a moment; return what it shows."""
        angle = moment.angle_deg(self.signal.angle.value)
        is_seen = moment.is_worn and angle == angle
        if self.signal.lying_deg is not None:
            is_seen = is_seen and moment.inclination_deg >= self.signal.lying_deg
        if self.signal.upright_deg is not None:
            is_seen = is_seen and abs(moment.flexion_deg) <= self.signal.upright_deg
        if not is_seen:
            return self._lose(moment.t_s, forgets=True) if not moment.is_worn else []
        events = self._advance(moment.t_s, angle)
        self._planes.look(moment)
        if self.state is Turning.REST:
            self._rest()
        else:
            self._follow(moment)
        shown = self._look(moment.t_s)
        following = TRANSITIONS.get((self.state, shown), self.state)
        events += self._act(shown, moment)
        self.state = following
        return events

    def settle(self) -> None:
        """Take where the head is quiet for its middle, while nothing is asked for: it was on its way at the start."""
        if self.state is not Turning.REST and self._quiet_s >= self._s.new_middle_s / 2:
            self._clear()
            self.state, self._middle_deg = Turning.REST, self._calm_deg
            self._home.move(self._calm_deg)

    def finish(self) -> list[CounterEvent]:
        """Close the repetition under way: there is no more to come."""
        return self._lose(self._t_s or 0.0)

    def _advance(self, t_s: float, angle_deg: float) -> list[CounterEvent]:
        events: list[CounterEvent] = []
        if self._t_s is not None and t_s - self._t_s > MAX_GAP_S:
            events = self._lose(self._t_s)
        dt_s = 0.0 if self._t_s is None or t_s - self._t_s > MAX_GAP_S else t_s - self._t_s
        if dt_s > 0.0:
            weight = dt_s / (dt_s + 0.1)
            self._speed_deg_s += weight * ((angle_deg - self._angle_deg) / dt_s - self._speed_deg_s)
        else:
            self._speed_deg_s = self._quiet_s = 0.0
            self._calm_deg = angle_deg
        # Far slower than the speed above: a trembling head rests too.
        self._calm_deg += min(dt_s / _CALM_S, 1.0) * (angle_deg - self._calm_deg)
        is_quiet = abs(angle_deg - self._calm_deg) < _CALM_S * self._quiet_deg_s
        self._quiet_s = self._quiet_s + dt_s if is_quiet else 0.0
        self._rested_s = self._rested_s + dt_s if abs(angle_deg - self._calm_deg) < _RESTING_DEG else 0.0
        self._calms.append(self._calm_deg)
        crept_deg = abs(self._calm_deg - self._calms[0])
        self._is_creeping = crept_deg > 0.5 * self._quiet_deg_s * len(self._calms) / GRID_HZ
        self._t_s, self._angle_deg, self._dt_s = t_s, angle_deg, dt_s
        return events

    def _rest(self) -> None:
        """Let the middle follow a quiet head; a long rest elsewhere is a middle too."""
        if self._middle_deg is None:
            self._middle_deg = self._angle_deg
        near_deg = max(self._s.near_share * self._reference_deg(), 4.0)
        is_near = abs(self._calm_deg - self._middle_deg) < near_deg and not self._is_creeping
        if self._quiet_s >= self._s.settle_s and is_near:
            self._middle_deg += min(self._dt_s / self._s.middle_s, 1.0) * (self._angle_deg - self._middle_deg)
        elif is_near and self._rested_s >= self._s.settle_s:
            slow = min(self._dt_s / self._s.restless_middle_s, 1.0)
            self._middle_deg += slow * (self._calm_deg - self._middle_deg)
        if self._quiet_s >= self._s.new_middle_s:
            self._middle_deg = self._calm_deg
        self._note_rest(near_deg)
        deviation = self._angle_deg - self._middle_deg
        sign = 1.0 if deviation > 0 else -1.0
        self._inner_deg = min(self._inner_deg, abs(deviation)) if sign == self._inner_sign else 0.0
        self._inner_sign = sign

    def _note_rest(self, near_deg: float) -> None:
        """Remember where the head rests between repetitions; a long rest is a new home."""
        if self._quiet_s >= self._s.new_home_s:
            self._home.move(self._calm_deg)
        elif self._is_fresh_rest and self._quiet_s >= self._s.new_middle_s / 3:
            self._is_fresh_rest = False
            self._home.note(self._calm_deg, near_deg)

    def _follow(self, moment: Moment) -> None:
        out = self.deviation_deg
        self._trace.append((moment.t_s, out))
        if out > self._peak_deg:
            self._peak_deg, self._peak_s, self._low_deg = out, moment.t_s, out
        self._low_deg = min(self._low_deg, out)
        self._fastest_deg_s = max(self._fastest_deg_s, abs(self._speed_deg_s))
        if self._low_deg >= 0.8 * self._peak_deg:
            self._planes.note(moment, out)

    def _look(self, t_s: float) -> Shown:
        s, out, least = self._s, self.deviation_deg, self.signal.guided_least_deg
        if self.state is Turning.REST:
            deviation = self._angle_deg - (self._middle_deg or 0.0)
            is_ours = {Way.PLUS: deviation > 0, Way.MINUS: deviation < 0}.get(self.signal.way, True)
            is_away = abs(deviation) - self._inner_deg >= 0.5 * least
            return Shown.LEFT if is_ours and is_away else Shown.NOTHING
        if t_s - self._start_s > s.longest_s:
            return Shown.LOST
        if out <= max(s.return_share * self._peak_deg, 0.4 * least) and t_s > self._peak_s:
            return Shown.RETURNED
        if self.state is Turning.TURNED:
            # What follows has to be a whole movement by itself, otherwise it is the same one, held restlessly.
            step = max(s.whole_share * self._peak_deg, 0.6 * least)
            is_half_back = self._low_deg <= (1.0 - s.whole_share) * self._peak_deg
            return Shown.ROSE_AGAIN if is_half_back and out >= self._low_deg + step else Shown.NOTHING
        return Shown.TURNED if out >= 0.5 * least and self._has_turned() else Shown.NOTHING

    def _has_turned(self) -> bool:
        """Whether the head has come to the end of its way out, or is on its way back."""
        s, least = self._s, self.signal.guided_least_deg
        slow = abs(self._speed_deg_s) < max(0.6 * self._quiet_deg_s, 0.1 * self._fastest_deg_s)
        self._slow_s = self._slow_s + self._dt_s if slow else 0.0
        dropped = self._peak_deg - self.deviation_deg >= max(s.drop_share * self._peak_deg, 0.25 * least)
        return self._slow_s >= s.settle_s or dropped

    def _act(self, shown: Shown, moment: Moment) -> list[CounterEvent]:
        t_s = moment.t_s
        if shown is Shown.LEFT:
            self._begin(moment)
        elif shown is Shown.LOST:
            return self._lose(t_s)
        elif shown is Shown.RETURNED:
            return self._return(t_s)
        elif shown is Shown.ROSE_AGAIN:
            events = self._return(t_s)
            self._begin(moment)
            return events
        if self.state is not Turning.REST and self._told is None:
            return self._tell(t_s, is_turn=shown is Shown.TURNED or self._has_turned())
        return []

    # ---- one repetition ----

    def _clear(self) -> None:
        """Forget the excursion."""
        self._trace = []
        self._start_s = self._peak_s = 0.0
        self._peak_deg = self._low_deg = self._fastest_deg_s = self._slow_s = 0.0
        self._told = self._settled_s = None
        self._is_fresh_rest = True  # its level is not noted yet

    def _begin(self, moment: Moment) -> None:
        self._clear()
        deviation = self._angle_deg - (self._middle_deg or 0.0)
        self._sign = 1.0 if deviation > 0 else -1.0
        self._start_s = self._peak_s = moment.t_s
        self._peak_deg = self._low_deg = self.deviation_deg
        self._trace = [(moment.t_s, self.deviation_deg)]
        self._planes.begin(moment, self.deviation_deg)

    def _tell(self, t_s: float, *, is_turn: bool) -> list[CounterEvent]:
        """Tell the repetition, if this is its end and it is a whole one."""
        if not is_turn or self._peak_deg < self.signal.guided_least_deg:
            return []
        if self._settled_s is None:
            self._settled_s = t_s
        if not self._is_whole():
            return []
        self._told = RepTold(t_s, self.side, self._peak_deg)
        return [self._told, *self._doubt_the_first()]

    def _is_whole(self) -> bool:
        least = max(self.signal.guided_least_deg, self._s.whole_share * self._reference_deg())
        is_far = self._from_home_deg() >= least and self._planes.is_bowed
        return is_far and not (self._is_glance() or self._comes_home())

    def _from_home_deg(self) -> float:
        """How far out it went from where the head mostly rests, as far as that can be told from where it began."""
        home = self._home.home_deg()
        if home is None or self._middle_deg is None or self.signal.angle is Angle.ROTATION:
            return self._peak_deg
        off_deg = self._sign * (self._middle_deg - home)
        return self._peak_deg + (min(off_deg, 0.5 * self._peak_deg) if off_deg > 0 else 0.5 * off_deg)

    def _reference_deg(self) -> float:
        """What a whole one is measured by: those before on this side, or the range, at whose end nobody exercises."""
        own, other = self._sizes[self._sign].usual(), self._sizes[-self._sign].usual()
        return own if own is not None else 0.6 * self._range_deg.get(self.side, other or 0.0)

    def _is_glance(self) -> bool:
        """Whether the head went further in another plane."""
        return self._planes.exceed(self._s.other_share * self._peak_deg + self._s.other_deg, self._peak_deg)

    def _comes_home(self) -> bool:
        """Whether this leads back to where the head mostly rests: it rested half way, or was out when it was lost."""
        home = self._home.home_deg()
        is_too_far = self._peak_deg >= self._s.whole_way_share * self._reference_deg() > 0.0
        if home is None or self._middle_deg is None or (is_too_far and not self._was_lost):
            return False
        at_start, at_peak = self._middle_deg - home, self._middle_deg + self._sign * self._peak_deg - home
        return abs(at_peak) < abs(at_start) and abs(at_start) > 0.5 * self._peak_deg

    def _doubt_the_first(self) -> list[CounterEvent]:
        """Take the first ones back when this one shows what one of this person, or of this side, is like."""
        assert self._told is not None
        shares = {self._sign: self._s.whole_share, -self._sign: self._s.weakest_share}
        none = [
            told
            for sign, share in shares.items()
            for told in self._sizes[sign].disprove(share * self._peak_deg)
        ]
        why = "much smaller than what followed"
        return [RepTakenBack(self._told.t_s, told.t_s, told.side, why) for told in none]

    def forget(self) -> None:
        """Nothing was asked for so far: what was done says nothing."""
        for sizes in self._sizes.values():
            sizes.forget()

    def _return(self, t_s: float) -> list[CounterEvent]:
        """The head is back, or half back and out again."""
        done = self._rep(t_s)
        told, size, is_glance = self._told, self._peak_deg, self._is_glance()
        is_long_enough = t_s - self._start_s >= self._s.shortest_s
        leads_home = told is None and self._comes_home()
        if size >= self.signal.guided_least_deg and not is_glance and not leads_home:
            sizes = self._sizes[self._sign]
            sizes.note_part(size) if told is None else sizes.note_whole(told, size)
        self._inner_deg, self._inner_sign, self._was_lost = abs(self.deviation_deg), self._sign, False
        self._clear()
        if told is not None and (is_glance or not is_long_enough):
            return [RepTakenBack(t_s, told.t_s, told.side, "the head went elsewhere")]
        if told is not None:
            return [done]
        is_part = size >= 0.6 * self.signal.guided_least_deg and is_long_enough
        return [replace(done, is_partial=True)] if is_part and not (leads_home or is_glance) else []

    def _lose(self, t_s: float, *, forgets: bool = False) -> list[CounterEvent]:
        """No samples, or taken off, or out for too long: what was told stands unless it became a posture.

        The way back from where it is now leads home and is none; a sensor put on again has another home.
        """
        events: list[CounterEvent] = []
        if self._told is not None and t_s - self._start_s > self._s.longest_s:
            events = [RepTakenBack(t_s, self._told.t_s, self._told.side, "it stayed there")]
        elif self._told is not None:
            events = [self._rep(t_s)]
        self._clear()
        self._was_lost = True
        self.state, self._middle_deg, self._quiet_s = Turning.REST, None, 0.0
        if forgets:
            self._home.move()
        return events

    def _rep(self, t_s: float) -> RepCompleted:
        start_s, hold_s = self._trace[0][0] if self._trace else t_s, held_s(self._trace)
        signed = self._peak_deg if self.signal.way is not Way.MINUS else -self._peak_deg
        return RepCompleted(t_s, self.exercise, self.side, start_s, self._peak_s, t_s, signed, hold_s)
