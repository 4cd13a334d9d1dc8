"""A whole IMU file in, the figures of `tiltwise analyze` out: angles, percent of time, episodes.

Runs the same tracker as the live session. Angles in degrees, times in s from the start of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiltwise.detect.posture import STATIC_S, DoseSettings, PostureRule, RuleSettings
from tiltwise.live.event_text import clock, lasting
from tiltwise.live.wearer.live_events import Calibrated
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.offline import shown_metrics
from tiltwise.offline.input_file import ImuInput
from tiltwise.pair_tracker import PairTracker
from tiltwise.report.aggregate import BASE
from tiltwise.report.angle_summary import AngleSummary, durations_s, summarise_samples
from tiltwise.report.hindsight import known_later
from tiltwise.report.history.velocity import Velocities, velocities
from tiltwise.text import counted
from tiltwise.tracker import Tracker, TrackerSettings, joined, part_of
from tiltwise.types import (
    ACTIVITIES,
    Activity,
    ActivityChanged,
    AngleBlock,
    EpisodeEnded,
    Event,
    FloatArray,
    ImuBlock,
    OrientationBlock,
    Update,
)

_MOVING = tuple(ACTIVITIES.index(a) for a in (Activity.MOVING, Activity.WALKING))
_NOT_WORN = ACTIVITIES.index(Activity.NOT_WORN)
_WALKING, _LYING = (ACTIVITIES.index(a) for a in (Activity.WALKING, Activity.LYING))
_POSTURE = tuple(ACTIVITIES.index(a) for a in (Activity.STILL, Activity.MOVING))
_PIECE_S = 0.5
_ANGLE_COLUMNS = ("inclination_deg", "flexion_deg", "lateral_deg", "rotation_deg")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a file says. Columns are (n,); `above` are the percentages of the angle named by `above_of`."""

    duration_s: float
    rate_hz: float
    mounting: Mounting
    notes: tuple[str, ...]
    t_s: FloatArray
    angles: Mapping[str, FloatArray]
    activity: NDArray[np.int8]
    summaries: Mapping[str, AngleSummary]
    above_of: str
    above: AngleSummary
    events: tuple[Event, ...]
    episodes: tuple[EpisodeEnded, ...]
    worn_percent: float
    moving_percent: float
    upper_back: AngleSummary | None = (
        None  # forward tilt of the upper back, with a second sensor on the collar
    )
    # Time of the posture that the angles are relative to when nobody knows whether it was upright.
    relative_to_s: float | None = None
    is_worn: NDArray[np.bool_] | None = None  # samples that are angles of a wearer; all without

    @property
    def relative_to(self) -> str:
        """What the angles are relative to, in words; "" for an upright that is known."""
        return "" if self.relative_to_s is None else f"the posture at {clock(self.relative_to_s)}"

    @property
    def velocities(self) -> Velocities:
        """Angular velocities by both published definitions, of the time that the angle figures are of."""
        use = np.isin(self.activity, _POSTURE) & (True if self.is_worn is None else self.is_worn)
        of = self.angles
        return velocities(self.t_s, of["inclination_deg"], of["flexion_deg"], of["lateral_deg"], use)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON contract of `analyze --json`; what is not known is null."""
        out: dict[str, object] = {
            "duration_s": round(self.duration_s, 3),
            "rate_hz": round(self.rate_hz, 3),
            "mount": str(self.mounting.mount),
            "axes": self.mounting.axes,
            "is_neutral_known": self.relative_to_s is None,
            "relative_to": self.relative_to or "upright",
        }
        for name, summary in self.summaries.items():
            is_shown = shown_metrics.shown(self.mounting, name).is_shown
            out[f"{name}_deg"] = {
                k: _number(getattr(summary, k)) if is_shown else None for k in ("p10", "p50", "p90", "mean")
            }
        out["percent_above_deg"] = {k: _number(v) for k, v in self.above.percent_above_deg.items()}
        out["percent_above_of"] = self.above_of
        out["figures_of"] = {"time": BASE, "seconds": round(self.above.valid_s, 2)}
        if self.upper_back is not None:
            back = {k: _number(getattr(self.upper_back, k)) for k in ("p10", "p50", "p90", "mean")}
            above = {k: _number(v) for k, v in self.upper_back.percent_above_deg.items()}
            out["upper_back_deg"] = back | {"percent_above_deg": above}
        out["episodes"] = [_episode_dict(episode) for episode in self.episodes]
        out["angular_velocity_deg_s"] = {
            "generalized": _three(self.velocities.generalized_deg_s),
            "inclination": _three(self.velocities.inclination_deg_s),
        }
        out["worn_percent"] = _number(self.worn_percent)
        out["moving_percent"] = _number(self.moving_percent)
        out["measures"] = shown_metrics.measures(self.mounting)
        out["notes"] = list(self.notes)
        return out

    def drawn_angles(self) -> dict[str, FloatArray]:
        """Return the shown angles (n,) in deg, NaN where the sensor was off, or on its way there."""
        worn = np.True_ if self.is_worn is None else self.is_worn
        return {name: np.where(worn, column, np.nan) for name, column in self.shown_angles().items()}

    def shown_angles(self) -> dict[str, FloatArray]:
        """Return the angle columns (n,) in deg, NaN throughout where this mounting cannot tell the angle."""
        return {
            name: column
            if shown_metrics.shown(self.mounting, name.removesuffix("_deg")).is_shown
            else column * np.nan
            for name, column in self.angles.items()
        }


def analyze(
    data: ImuInput,
    mounting: Mounting,
    *,
    collar: Mounting | None = None,
    rule: PostureRule | None = None,
    notes: tuple[str, ...] = (),
    relative_to_s: float | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Analysis:
    """Run the tracker over a file and sum it up.

    Parameters
    ----------
    data : samples of the file.
    mounting : how the sensor sits.
    collar : how the second one sits; the angles are then the neck's own, head minus upper back.
    rule : when a posture has lasted too long; the defaults without.
    notes : what to say about the neutral.
    relative_to_s : time of the neutral posture when nobody said that it was upright.
    on_progress : gets the share done, 0 to 1.
    """
    profile = TrackerSettings(mounting, rule=rule or DoseSettings())
    parts = [(data, Calibrated(mounting, collar))]
    if data.calibrations and mounting is data.mounting:
        parts = data.parts() or parts
    n = sum(part.n for part, _ in parts)
    found, before = [], 0
    for part, calibrated in parts:
        if collar is None:
            calibrated = replace(calibrated, collar=None)
        found.append(
            _track_part(
                part,
                calibrated,
                profile.rule,
                lambda share, b=before, m=part.n: on_progress((b + share * m) / n),  # type: ignore[misc]
            )
        )
        before += part.n
    return _summed_up(data, profile, _one_after_the_other(found), notes, relative_to_s)


def _track_part(
    data: ImuInput, calibrated: Calibrated, rule: PostureRule, on_progress: Callable[[float], None]
) -> _Tracked:
    """Run the tracker over the samples of one calibration."""
    profile = TrackerSettings(calibrated.mounting, rule=rule)
    if calibrated.collar is None or not calibrated.mounting.is_shown:
        return _track(data, profile, on_progress)
    pair = PairTracker(profile, TrackerSettings(calibrated.collar, rule=rule))
    return _track_pair(data, pair, on_progress)


def _one_after_the_other(parts: list[_Tracked]) -> _Tracked:
    backs = [part.upper_back for part in parts if part.upper_back is not None]
    return _Tracked(
        [block for part in parts for block in part.angles],
        np.concatenate([part.activity for part in parts]),
        [event for part in parts for event in part.events],
        None if not backs else tuple(np.concatenate(columns) for columns in zip(*backs, strict=True)),  # type: ignore[arg-type]
    )


def _summed_up(
    data: ImuInput,
    profile: TrackerSettings,
    tracked: _Tracked,
    notes: tuple[str, ...],
    relative_to_s: float | None,
) -> Analysis:
    mounting = profile.mounting
    t_s, codes, events = tracked.t_s, tracked.activity, tracked.events
    columns = {name: np.concatenate([getattr(b, name) for b in tracked.angles]) for name in _ANGLE_COLUMNS}
    posture_deg = np.concatenate([profile.posture_angle_deg(b) for b in tracked.angles])
    changes = [e for e in events if isinstance(e, ActivityChanged)]
    codes = known_later(t_s, codes, columns["inclination_deg"], changes)
    worn, posture = codes != _NOT_WORN, np.isin(codes, _POSTURE)
    weight = durations_s(t_s)
    limit_deg = profile.rule.to_rule(profile.kind).enter_deg
    names = ("inclination", "flexion", "lateral")
    back = tracked.upper_back
    return Analysis(
        duration_s=float(t_s[-1] - t_s[0] + np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0,
        rate_hz=float(1 / np.median(np.diff(t_s))) if len(t_s) > 1 else float("nan"),
        mounting=mounting,
        notes=(*data.notes, *notes, *_gap_notes(data), *_left_notes(codes, weight, posture_deg, limit_deg)),
        t_s=t_s,
        angles=columns,
        activity=codes,
        summaries={name: summarise_samples(t_s, columns[f"{name}_deg"], posture) for name in names},
        above_of="flexion" if mounting.is_shown else "inclination",
        above=summarise_samples(t_s, posture_deg, posture),
        events=tuple(events),
        episodes=tuple(e for e in events if isinstance(e, EpisodeEnded) and _is_long(e, profile.rule)),
        worn_percent=_percent(weight, worn),
        moving_percent=_percent(weight, np.isin(codes, _MOVING)),
        relative_to_s=relative_to_s,
        is_worn=worn,
        upper_back=None if back is None else summarise_samples(*back),
    )


@dataclass(frozen=True, slots=True)
class _Tracked:
    """Angles in blocks, the activity code of each sample (n,), events; of the upper back t_s, deg, is it worn."""

    angles: list[AngleBlock]
    activity: NDArray[np.int8]
    events: list[Event]
    upper_back: tuple[FloatArray, FloatArray, NDArray[np.bool_]] | None = None

    @property
    def t_s(self) -> FloatArray:
        return np.concatenate([block.t_s for block in self.angles])


def _track(data: ImuInput, profile: TrackerSettings, on_progress: Callable[[float], None]) -> _Tracked:
    """Run the tracker of one sensor."""
    tracker = Tracker(profile)
    updates = []
    done = 0
    for block in data.blocks:
        updates.append(tracker.process(block))
        done += len(block.t_s)
        on_progress(done / data.n)
    events = [event for update in updates for event in update.events]
    return _Tracked(
        [update.angles for update in updates],
        np.concatenate([update.activity for update in updates]),
        [*events, *tracker.finish()],
    )


def _track_pair(data: ImuInput, tracker: PairTracker, on_progress: Callable[[float], None]) -> _Tracked:
    """Run the tracker of both sensors, in the order in which their samples were taken."""
    pieces = sorted(
        (piece for block in (*data.blocks, *data.collar_blocks) for piece in _pieces(block)),
        key=lambda piece: float(piece.t_s[-1]),
    )
    updates = []
    for k, piece in enumerate(pieces):
        updates.append(tracker.process(piece))
        on_progress((k + 1) / len(pieces))
    updates.append(tracker.finish_update())
    judged = [update.judged for update in updates if update.judged is not None]
    backs = [update.upper_back for update in updates if update.upper_back is not None]
    upper_back = None
    if backs:
        upper_back = _upper_back(joined(backs))
    return _Tracked(
        [update.angles for update in judged],
        np.concatenate([update.activity for update in judged]),
        [event for update in updates for event in update.events],
        upper_back,
    )


def _upper_back(back: Update) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return times, forward tilt and whether that is a posture, each (n,), of the second sensor."""
    changes = [e for e in back.events if isinstance(e, ActivityChanged)]
    codes = known_later(back.angles.t_s, back.activity, back.angles.inclination_deg, changes)
    return back.angles.t_s, back.angles.flexion_deg, np.isin(codes, _POSTURE)


def _pieces(block: ImuBlock | OrientationBlock) -> list[ImuBlock | OrientationBlock]:
    """Cut a block so that neither sensor runs ahead of the other's by more than the pair waits for."""
    number = np.floor(block.t_s / _PIECE_S)
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(block.t_s)]
    return [part_of(block, slice(a, b)) for a, b in pairwise(cuts)]


def _gap_notes(data: ImuInput) -> tuple[str, ...]:
    if not data.gaps:
        return ()
    lost_s = sum(gap.end_s - gap.start_s for gap in data.gaps)
    lost = f"{lost_s:.1f}" if lost_s >= 0.1 else f"{lost_s:.1g}"
    return (f"{counted(len(data.gaps), 'gap')}, {lost} s without samples, counted as nothing",)


def _episode_dict(e: EpisodeEnded) -> dict[str, object]:
    return {
        "kind": str(e.kind),
        "start_s": round(e.start_s, 2),
        "end_s": round(e.end_s, 2),
        "alert_s": None if e.alert_s is None else round(e.alert_s, 2),
        "peak_deg": round(e.peak_deg, 2),
    }


def _is_long(episode: EpisodeEnded, rule: PostureRule) -> bool:
    """Tell whether an episode was alerted of, or lasted as long as the simple rule asks though nobody was told."""
    if episode.alert_s is not None:
        return True
    return isinstance(rule, RuleSettings) and episode.end_s - episode.start_s >= rule.seconds


def _left_notes(
    codes: NDArray[np.int8], weight: FloatArray, posture_deg: FloatArray, limit_deg: float
) -> Iterator[str]:
    """Tell what was beyond the limit and neither alerted of nor in the figures."""
    for what, code in (("walking", _WALKING), ("lying", _LYING)):
        seconds = float(weight[(codes == code) & (posture_deg >= limit_deg)].sum())
        if seconds >= STATIC_S:
            yield f"{what} beyond {limit_deg:g} deg: {lasting(seconds)}, in no episode and no angle figure"


def _percent(weight: FloatArray, mask: NDArray[np.bool_]) -> float:
    total = float(weight.sum())
    return float(weight[mask].sum()) / total * 100 if total > 0 else float("nan")


def _three(values: tuple[float, float, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in zip(("p10", "p50", "p90"), values, strict=True)}


def _number(value: float) -> float | None:
    return round(value, 2) + 0.0 if np.isfinite(value) else None
