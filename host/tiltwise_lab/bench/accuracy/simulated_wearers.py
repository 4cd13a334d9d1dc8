"""`tiltwise bench sim`: the whole system on simulated wearers, scored against what really happened to them.

simulated_run.py makes the runs; here angles (deg), alerts, times (s) and repetitions are compared with the truth.
Returns rows; accuracy_tables.py prints them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import numpy as np

from tiltwise.common import wire
from tiltwise.common.rule import DIP_MS
from tiltwise.detect.posture import PostureDetector
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.exercise.definition import Visibility
from tiltwise.exercise.rep_counter import RepCounter
from tiltwise.motion.angles.neck_angles import AnglesStage
from tiltwise.motion.calibration.mounting import remount_change_deg
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.ground_truth import PostureRun, TrueRep
from tiltwise.sim.body.scenario import SCENARIOS
from tiltwise.sim.body.wearer import Wearer, WearerMotion
from tiltwise.tracker import TrackerSettings
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    AngleBlock,
    EpisodeAlert,
    EpisodeEnded,
    Event,
    FloatArray,
    Mount,
)
from tiltwise_lab.bench.accuracy.simulated_run import (
    ANGLE_COLUMNS,
    RULE,
    NotCalibratedError,
    SimRun,
    motion_at,
    run_simulation,
    true_mounting,
    within,
)

STREAMS = {"orient": wire.ORIENT, "raw": wire.RAW}
_JUDGED = tuple(name for name in SCENARIOS if name != "habits")  # which holds nothing of the main posture
_LATE_S = 1.0  # an alert may come this long after a run of exactly the dwell time: grid, low-pass and frames
# From when it is due, as `bench desk` asks; an error of the angle makes the first seconds.
_ON_TIME_S = (-5.0, 15.0)
_SET_GAP_S = 30.0  # repetitions further apart belong to different sets
# Around a set, given to the counter: it finds its neutral, and sees the last return.
_BEFORE_S, _AFTER_S = 3.0, 3.0
_ANGLES = ("flexion_deg", "lateral_deg", "inclination_deg")
_WALKING = ACTIVITIES.index(Activity.WALKING)


@dataclass(frozen=True, slots=True)
class SimRow:
    """One simulated wearer. RMSE over the worn time after calibration, NaN when there is none.

    `sitting_deg` leaves walking out. `first_wear_deg` ends where the part is first taken off: put back it sits
    differently, and the old calibration goes on. `true_mounting_deg` is the flexion with the mounting known (and
    known anew after each remount): what is left is orientation, smoothing and soft tissue. Calibration also takes
    up the accelerometer's offset, so it can beat the true mounting. A run of true flexion is `on_time` by an alert in
    it 5 s before to 15 s after it is due, `covered` when it begins in an episode that alerts earlier, `late` by an
    alert in it at another time, and `missed` otherwise. An alert beyond every true run is `explained` when the rule
    gives it on the true angle, too, and false otherwise. Repetitions are counted set by set; `reps_off` adds up the
    differences, whatever their sign.
    """

    scenario: str
    mount: Mount
    stream: str
    seed: int
    refusals: int  # calibrations refused before one was accepted
    mounting_error_deg: float
    flexion_deg: float
    lateral_deg: float
    inclination_deg: float
    sitting_deg: float
    first_wear_deg: float
    true_mounting_deg: float
    runs: int
    on_time: int
    covered: int
    late: int
    missed: int
    false_alarms: int
    explained: int
    delay_s: float  # median of alert - (start of the run + dwell time)
    reps: int
    reps_counted: int
    reps_off: int


def sim_rows(
    scenarios: Sequence[str] = _JUDGED,
    *,
    mounts: Sequence[Mount] = tuple(Mount),
    seeds: Sequence[int] = (1,),
    minutes: float | None = None,
) -> Iterator[tuple[float, SimRow]]:
    """Yield the share done and a row for each scenario, mount and seed; RAW beside ORIENT for the first seed.

    Parameters
    ----------
    scenarios, mounts, seeds : what to run.
    minutes : length of each story, where it can be that short; the story's own without.
    """
    jobs = [
        (scenario, mount, stream, seed)
        for scenario in scenarios
        for mount in mounts
        for seed in seeds
        for stream in (STREAMS if seed == seeds[0] else ("orient",))
    ]
    for k, (scenario, mount, stream, seed) in enumerate(jobs):
        length = None if minutes is None else max(minutes, SCENARIOS[scenario].least_minutes)
        yield (k + 1) / len(jobs), sim_row(scenario, mount=mount, stream=stream, seed=seed, minutes=length)


def _first_removal_s(wearer: Wearer) -> float:
    removals = wearer.truth().removals
    return removals[0].start_s if removals else float("inf")


def sim_row(
    scenario: str, *, mount: Mount, stream: str = "orient", seed: int = 1, minutes: float | None = None
) -> SimRow:
    """Run one simulated wearer and compare; without a calibration the errors are NaN and every run is missed."""
    simulation = Simulation(scenario, seed=seed, minutes=minutes, mount=mount, stream=STREAMS[stream])
    try:
        run = run_simulation(simulation)
    except NotCalibratedError:
        return _not_calibrated(scenario, stream, simulation.wearer)
    motion = motion_at(run.wearer, run.angles.t_s)
    worn = motion.is_worn
    first = worn & (motion.t_s < _first_removal_s(run.wearer))
    true_start_s = float(run.angles.t_s[0])
    runs = _runs_after(run.wearer, true_start_s)
    outcomes, delays = match_runs(runs, run.events)
    false_alarms, explained = count_alarms_beyond(run, motion)
    reps = [count_set(run, part) for part in rep_sets(run.wearer, true_start_s)]
    errors = {name: _errors_deg(getattr(run.angles, name), getattr(motion, name)) for name in _ANGLES}
    return SimRow(
        scenario=scenario,
        mount=mount,
        stream=stream,
        seed=seed,
        refusals=run.refusals,
        mounting_error_deg=remount_change_deg(true_mounting(run.wearer, true_start_s), run.mounting),
        flexion_deg=rms(errors["flexion_deg"][worn]),
        lateral_deg=rms(errors["lateral_deg"][worn]),
        inclination_deg=rms(errors["inclination_deg"][worn]),
        sitting_deg=rms(errors["flexion_deg"][worn & (motion.activity != _WALKING)]),
        first_wear_deg=rms(errors["flexion_deg"][first]),
        true_mounting_deg=rms(true_mounting_errors_deg(run, motion)),
        runs=len(runs),
        on_time=outcomes["on_time"],
        covered=outcomes["covered"],
        late=outcomes["late"],
        missed=outcomes["missed"],
        false_alarms=false_alarms,
        explained=explained,
        delay_s=median(delays) if delays else float("nan"),
        reps=sum(true for true, _ in reps),
        reps_counted=sum(counted for _, counted in reps),
        reps_off=sum(abs(true - counted) for true, counted in reps),
    )


def true_mounting_errors_deg(run: SimRun, motion: WearerMotion) -> FloatArray:
    """Return the errors of the flexion (n,) while worn, with the mounting known from one putting on to the next."""
    start_s, end_s = float(motion.t_s[0]), float(motion.t_s[-1]) + 1.0
    removals = run.wearer.truth().removals
    edges = [start_s, *(s for r in removals for s in (r.start_s, r.end_s)), end_s]
    errors = []
    for a, b in list(pairwise(edges))[::2]:
        part = within(run.oriented, a, b)
        if len(part.t_s):
            shown = AnglesStage(true_mounting(run.wearer, a)).process(part).flexion_deg
            inside = (motion.t_s >= a) & (motion.t_s < b)
            errors.append(_errors_deg(shown, motion.flexion_deg[inside]))
    return np.concatenate(errors) if errors else np.empty(0)


def rms(errors: FloatArray) -> float:
    """Return the root mean square of what is not NaN."""
    errors = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(errors**2))) if len(errors) else float("nan")


def match_runs(runs: Sequence[PostureRun], events: Sequence[Event]) -> tuple[Counter[str], list[float]]:
    """Return the number of runs on_time, covered, late and missed, and the delays in s of the first alert in each."""
    alerts = [e.t_s for e in events if isinstance(e, EpisodeAlert)]
    episodes = [e for e in events if isinstance(e, EpisodeEnded)]
    outcomes: Counter[str] = Counter()
    delays = []
    for run in runs:
        due_s = run.start_s + RULE.seconds
        own = [t_s - due_s for t_s in alerts if run.start_s <= t_s <= run.end_s + _LATE_S]
        delays += own[:1]
        if any(_ON_TIME_S[0] <= delay_s <= _ON_TIME_S[1] for delay_s in own):
            outcomes["on_time"] += 1
        elif any(_covers(episode, run.start_s, due_s) for episode in episodes):
            outcomes["covered"] += 1
        else:
            outcomes["late" if own else "missed"] += 1
    return outcomes, delays


def _covers(episode: EpisodeEnded, start_s: float, due_s: float) -> bool:
    """Whether a run's start lies in an episode that alerts before the run's own alert is due."""
    return (
        episode.start_s < start_s < episode.end_s and episode.alert_s is not None and episode.alert_s < due_s
    )


def count_alarms_beyond(run: SimRun, motion: WearerMotion) -> tuple[int, int]:
    """Count alerts in no true run: those that nothing explains, and those that the rule gives on the true angle."""
    runs = [(r.start_s, r.end_s) for r in _true_runs(run.wearer)]
    detector = PostureDetector(TrackerSettings(run.mounting).kind, RULE)
    true_angles = replace(run.angles, **{name: getattr(motion, name) for name in _ANGLES})
    true_events = detector.process(true_angles, motion.activity) + detector.finish()
    by_rule = [
        (e.start_s, e.end_s) for e in true_events if isinstance(e, EpisodeEnded) and e.alert_s is not None
    ]
    alerts = [e.t_s for e in run.events if isinstance(e, EpisodeAlert)]
    beyond = [t for t in alerts if not any(a <= t <= b + _LATE_S for a, b in runs)]
    explained = sum(any(a <= t <= b + _LATE_S for a, b in by_rule) for t in beyond)
    return len(beyond) - explained, explained


def rep_sets(wearer: Wearer, after_s: float) -> list[list[TrueRep]]:
    """Return the true repetitions that this mount can count, set by set."""
    reps = [r for r in wearer.truth().repetitions if r.start_s > after_s and _is_countable(r, wearer.mount)]
    sets: list[list[TrueRep]] = []
    for rep in reps:
        last = sets[-1][-1] if sets else None
        if last is not None and last.exercise == rep.exercise and rep.start_s - last.end_s < _SET_GAP_S:
            sets[-1].append(rep)
        else:
            sets.append([rep])
    return sets


def count_set(run: SimRun, reps: Sequence[TrueRep]) -> tuple[int, int]:
    """Return how many repetitions there were and how many were counted, partial ones left out."""
    first, last = reps[0].start_s - _BEFORE_S, reps[-1].end_s + _AFTER_S
    inside = slice(*np.searchsorted(run.angles.t_s, (first, last)).tolist())
    part = AngleBlock(*(getattr(run.angles, name)[inside] for name in ANGLE_COLUMNS))
    signal = EXERCISES[reps[0].exercise].signal
    assert signal is not None  # _is_countable
    counter = RepCounter(reps[0].exercise, signal)
    counted = counter.process(part, run.activity[inside])
    return len(reps), sum(not rep.is_partial for rep in counted)


def _is_countable(rep: TrueRep, mount: Mount) -> bool:
    exercise = EXERCISES.get(rep.exercise)
    if exercise is None or exercise.signal is None:
        return False
    return exercise.seen[mount] in (Visibility.MEASURED, Visibility.APPROXIMATE)


def _runs_after(wearer: Wearer, t_s: float) -> list[PostureRun]:
    return [run for run in _true_runs(wearer) if run.start_s >= t_s]


def _true_runs(wearer: Wearer) -> list[PostureRun]:
    """Runs of true flexion as the rule means them: held but for short dips."""
    return wearer.posture_runs(RULE.angle_deg, RULE.seconds, dip_s=DIP_MS / 1000.0)


def _not_calibrated(scenario: str, stream: str, wearer: Wearer) -> SimRow:
    runs = len(_true_runs(wearer))
    reps = sum(len(part) for part in rep_sets(wearer, 0.0))
    nan = float("nan")
    head = (scenario, wearer.mount, stream, wearer.seed, 1)
    return SimRow(*head, nan, nan, nan, nan, nan, nan, nan, runs, 0, 0, 0, runs, 0, 0, nan, reps, 0, reps)


def _errors_deg(shown: FloatArray, true: FloatArray) -> FloatArray:
    """Differences of two angles, the short way round."""
    return (shown - true + 180.0) % 360.0 - 180.0
