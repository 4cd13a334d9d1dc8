"""Any IMU file becomes blocks of samples and a mounting: what analyze, count, bench and `watch replay:` begin with.

Files of other programs go through the same frames and decoder as a live stream, so that a replay gives the same
events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting, RuleSetting, Settings
from tiltwise.decode.decoder import Decoder
from tiltwise.errors import AppError, UsageError
from tiltwise.live.wearer.live_events import Calibrated
from tiltwise.live.wearer.recorded_changes import RecordedSnooze
from tiltwise.motion.calibration.alignment import NODS
from tiltwise.motion.calibration.guided_calibration import GuidedCalibration
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.calibration.principal_axes import axes_from_movement
from tiltwise.motion.calibration.sitting_still import STILL_S, CalibrationError, neutral_up
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.motion.rotation import normalise, up_in_sensor
from tiltwise.offline.input_checks import check_samples
from tiltwise.offline.recording_header import read_header, recorded_calibration
from tiltwise.pair_tracker import COLLAR, HEAD
from tiltwise.recording.imu_file import ReadOptions
from tiltwise.recording.replay import TimedFrames, load_tape
from tiltwise.recording.tw_file import in_device_order
from tiltwise.text import counted
from tiltwise.types import FloatArray, ImuBlock, Mount, OrientationBlock, SignalGap

_BATCH = 2048  # frames decoded at a time
_RESTLESS = "nobody came to rest after them: nod three times, then sit still"
_UPSIDE_DOWN = -0.5  # cosine of the angle to a neutral from which on nobody sits so for most of a file
_LOOK_STEP_S = 0.5  # the first still seconds are looked for in steps of this


@dataclass(frozen=True, slots=True)
class ImuInput:
    """Samples of sensor 0 of a file in blocks, the gaps between them, and the notes about the file.

    collar_blocks are those of a second sensor, on the collar.
    """

    path: Path
    blocks: tuple[ImuBlock | OrientationBlock, ...]
    gaps: tuple[SignalGap, ...]
    notes: tuple[str, ...]
    # What the header of our own recordings says, None where it does not.
    mounting: Mounting | None = None
    collar: Mounting | None = None
    mount: Mount | None = None
    rule: RuleSetting | None = None
    options: ReadOptions | None = None  # how its columns were read; a neutral beside it is read alike
    collar_blocks: tuple[ImuBlock | OrientationBlock, ...] = ()
    alerts: AlertSetting | None = None
    # The calibrations of a recording: (frames before it, blocks and collar blocks before it, how the sensors sit).
    calibrations: tuple[tuple[int, int, int, Calibrated], ...] = ()
    snoozes: tuple[tuple[int, RecordedSnooze], ...] = ()
    has_answers: bool = False  # of the board, which say what is missing
    clock: tuple[float, str] | None = None  # UTC s of its first frame, and the wearer's time zone

    def parts(self) -> list[tuple[ImuInput, Calibrated]]:
        """Return the samples of each calibration apart, as the live session judged them; none before the first."""
        ends = (*self.calibrations[1:], (0, len(self.blocks), len(self.collar_blocks), None))
        found = []
        for (_, first, first_of_collar, calibrated), (_, end, end_of_collar, _) in zip(
            self.calibrations, ends, strict=True
        ):
            blocks, of_collar = self.blocks[first:end], self.collar_blocks[first_of_collar:end_of_collar]
            if blocks:
                found.append((replace(self, blocks=blocks, collar_blocks=of_collar), calibrated))
        return found

    @property
    def n(self) -> int:
        """How many samples there are."""
        return sum(len(block.t_s) for block in self.blocks)

    @property
    def t_s(self) -> FloatArray:
        """Times of all samples, (n,) s."""
        return np.concatenate([block.t_s for block in self.blocks])


@dataclass(frozen=True, slots=True)
class ChosenNeutral:
    """How the sensor sits, notes that say what it is from, and whether "upright" is known.

    relative_to_s is the time in the file of the posture that all angles are relative to, when nobody said that it was
    upright; None when the neutral was given, calibrated or stored.
    """

    mounting: Mounting
    notes: tuple[str, ...]
    relative_to_s: float | None = None


def read_input(
    path: Path,
    *,
    options: ReadOptions | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> ImuInput:
    """Read a `.tw` file or that of another program (options: its columns); on_progress gets the share done.

    Raises
    ------
    ImuFileError, RecordingError, OSError, AppError
        When the file cannot be used or holds no samples; one line says why.
    """
    tape = load_tape(path, options)
    decoder = Decoder(max_without_info=None)
    items: list[object] = []
    frames, came = _as_they_were_taken(tape)
    before: dict[int, int] = {}  # frames -> items before them, where a calibration came
    cuts = sorted({*range(0, len(frames), _BATCH), *came, len(frames)})
    for first, end in pairwise(cuts):
        before[first] = len(items)
        items += decoder.feed_many(frames[first:end])
        on_progress(end / len(frames))
    before[len(frames)] = len(items)
    items += decoder.flush()
    on_progress(1.0)
    samples = [i for i in items if isinstance(i, (ImuBlock, OrientationBlock)) and len(i.t_s)]
    blocks, collar_blocks = (tuple(i for i in samples if i.sensor == k) for k in (HEAD, COLLAR))
    if not blocks:
        raise AppError(f"{path}: no samples in it, expected a recording or an IMU file; nothing to do")
    gaps = tuple(item for item in items if isinstance(item, SignalGap) and item.sensor == HEAD)
    bad = sum(decoder.stats.bad.values()) + len(tape.frames) - len(frames)
    damaged = [f"{counted(bad, 'damaged frame')} left out"] if bad else []
    mount, trouble = _header_value(tape.header, "mount")
    rule, trouble_too = _header_value(tape.header, "rule")
    alerts, trouble_more = _header_value(tape.header, "alerts")
    calibration = {key: value for key, value in tape.header.items() if key in ("mounting", "collar")}
    try:
        stated = read_header(calibration, device="")
        calibrations = tuple(
            (k, *_blocks_in(items[: before[at]]), recorded_calibration(values))
            for at, (k, values) in zip(came, tape.calibrations, strict=True)
        )
    except ValueError as error:
        raise AppError(f"{path}: its calibration cannot be read ({error}): calibrate again") from error
    notes = (*tape.notes, *damaged, *trouble, *trouble_too, *trouble_more, *check_samples(Path(path), blocks))
    return ImuInput(
        Path(path), blocks, gaps, notes, stated.mounting, stated.collar, mount, rule, options, collar_blocks,
        alerts, calibrations, tuple((k, RecordedSnooze(at_s, seconds)) for k, at_s, seconds in tape.snoozes),
        bool(tape.answers), _clock(tape),
    )  # fmt: skip


def _clock(tape: TimedFrames) -> tuple[float, str] | None:
    """Return UTC s of the first frame and the zone of a recording; None where it does not say, or not sensibly."""
    times = {key: tape.header[key] for key in ("created_utc", "started_utc_s", "zone") if key in tape.header}
    try:
        stated = read_header(times, device="")
    except ValueError:
        return None  # then it is played by the clock of today
    return None if stated.started_utc_s is None else (stated.started_utc_s + tape.first_s, stated.zone)


def _as_they_were_taken(tape: TimedFrames) -> tuple[list[bytes], list[int]]:
    """Return the frames with late ones in their place, and before which of them each calibration came."""
    is_live = [not frame[1:2] or not frame[1] & wire.FLAG_BACKFILL for frame in tape.frames]
    if all(is_live):
        return tape.frames, [k for k, _ in tape.calibrations]
    frames = in_device_order(tape.frames)
    place = {frame: k for k, frame in enumerate(frames)}
    known = np.array(
        [place.get(frame, -1) if live else -1 for frame, live in zip(tape.frames, is_live, strict=True)]
    )
    return frames, [int(known[:k].max(initial=-1)) + 1 for k, _ in tape.calibrations]


def _blocks_in(items: list[object]) -> tuple[int, int]:
    """Return how many blocks of samples of the first sensor and of the one on the collar there are."""
    samples = [i.sensor for i in items if isinstance(i, (ImuBlock, OrientationBlock)) and len(i.t_s)]
    return samples.count(HEAD), samples.count(COLLAR)


def as_recorded(
    data: ImuInput, settings: Settings, *, mount: Mount | None, is_rule_given: bool
) -> tuple[Mount, Settings, tuple[str, ...]]:
    """Return mount and settings for a file, and a note on what comes from it.

    What was asked for comes first (mount; a rule in the settings with is_rule_given), then what the recording says,
    then the settings.
    """
    stated = []
    if mount is None and data.mount is not None:
        stated.append(f"worn at {data.mount.value}")
    if data.rule is not None and not is_rule_given:
        stated.append(f"rule {data.rule.words}")
        settings = replace(settings, rule=data.rule)
    if data.alerts is not None:  # what was told then is told again; where to, today's settings say
        now = settings.alerts
        settings = replace(settings, alerts=replace(data.alerts, deliver=now.deliver, console=now.console))
    notes = (f"from the recording: {', '.join(stated)}",) if stated else ()
    return mount or data.mount or Mount(settings.wear.mount), settings, notes


def orient(data: ImuInput) -> OrientationBlock:
    """Return the orientation of all samples as one block."""
    stage = OrientationStage()
    parts = [stage.process(b) if isinstance(b, ImuBlock) else b for b in data.blocks]
    rates = [part.gyr_rad_s for part in parts if part.gyr_rad_s is not None]
    return OrientationBlock(
        np.concatenate([part.t_s for part in parts]),
        np.concatenate([part.q_earth_from_sensor for part in parts]),
        np.concatenate([part.acc_m_s2 for part in parts]),
        np.concatenate(rates) if len(rates) == len(parts) else None,
    )


def choose_mounting(
    data: ImuInput, *, mount: Mount, neutral: Path | None = None, neutral_up_text: str = ""
) -> tuple[Mounting, tuple[str, ...]]:
    """Return mounting and notes of choose_neutral, for whom it does not matter how far the neutral can be trusted."""
    chosen = choose_neutral(data, mount=mount, neutral=neutral, neutral_up_text=neutral_up_text)
    return chosen.mounting, chosen.notes


def choose_neutral(
    data: ImuInput, *, mount: Mount, neutral: Path | None = None, neutral_up_text: str = ""
) -> ChosenNeutral:
    """Return how the sensor sits, from the best evidence there is.

    In this order: a neutral that was given; the calibration stored in the recording; the guided one found in it; its
    first still seconds, or its quietest ones, which say nothing about upright. Without nods the direction "forward"
    is assumed from the leaning of the whole file.
    """
    if neutral is not None and neutral_up_text:
        raise UsageError("--neutral and --neutral-up were both given: give one of them")
    if neutral_up_text:
        up, oriented = parse_up(neutral_up_text), orient(data)
        return _with_axes(oriented, up, mount, ("neutral: given as --neutral-up", *_other_way(oriented, up)))
    if neutral is not None:
        up = _median_up(orient(read_input(neutral, options=data.options)))
        return _with_axes(orient(data), up, mount, (f"neutral: median of {neutral.name}",))
    if data.mounting is not None and data.mounting.mount is mount:  # one for another place says nothing here
        return ChosenNeutral(data.mounting, (_stored_note(data),), data.mounting.relative_to_s)
    oriented = orient(data)
    guided = GuidedCalibration(mount).process(oriented)
    if guided.mounting is not None:
        return ChosenNeutral(guided.mounting, ("neutral: the guided calibration in the recording",))
    up, start_s, how = _quiet_up(oriented)
    notes = [f"neutral: {how}, from {start_s:.1f} s (give --neutral for a better one)"]
    if guided.count >= NODS:
        notes.append(f"its first movements are no calibration: {guided.reason or _RESTLESS}")
    chosen = _with_axes(oriented, up, mount, tuple(notes))
    return replace(chosen, mounting=replace(chosen.mounting, relative_to_s=start_s), relative_to_s=start_s)


def _stored_note(data: ImuInput) -> str:
    """Say where the neutral is from, and what is left out because it came later."""
    n = len(data.calibrations)
    many = f"the {n} calibrations stored in the recording, each from when it came"
    note = f"neutral: {many if n > 1 else 'the calibration stored in the recording'}"
    first = data.calibrations[0][1] if n else 0
    if first and first < len(data.blocks):
        before_s = float(data.blocks[first].t_s[0] - data.blocks[0].t_s[0])
        note += f"; the {before_s:.1f} s before it are in no figure"
    return note


def _other_way(oriented: OrientationBlock, up: FloatArray) -> tuple[str, ...]:
    """An acceleration that points down turns like the right one: only a stated "up" tells them apart."""
    if float(_median_up(oriented) @ up) > _UPSIDE_DOWN:
        return ()
    return (
        "most of this file is upside down against --neutral-up: if its acceleration points down, turn it round "
        "(--columns with acc=-X:-Y:-Z)",
    )


def choose_collar(data: ImuInput, mounting: Mounting) -> tuple[Mounting | None, tuple[str, ...]]:
    """Return how the second sensor sits, None where it cannot be used, and a note on that."""
    if not data.collar_blocks:
        return None, ()
    if data.collar is None or mounting is not data.mounting:
        text = "the second sensor is left out: the recording holds no calibration of both"
        return None, (text,)
    return data.collar, ("two sensors: flexion is the neck's own, head minus upper back",)


def parse_up(text: str) -> FloatArray:
    """Read `X,Y,Z`, the neutral "up" in sensor axes, as a direction (3,)."""
    try:
        up = np.array([float(part) for part in text.split(",")])
    except ValueError:
        up = np.empty(0)
    if up.shape != (3,) or not np.all(np.isfinite(up)) or not np.any(up):
        raise UsageError(f"--neutral-up {text!r}: expected three numbers X,Y,Z, for instance 0.01,-0.99,0.06")
    return normalise(up)


def _with_axes(
    oriented: OrientationBlock, up: FloatArray, mount: Mount, notes: tuple[str, ...]
) -> ChosenNeutral:
    mounting = axes_from_movement(oriented, up, mount=mount)
    return ChosenNeutral(mounting, (*notes, *mounting.notes))


def _median_up(block: OrientationBlock) -> FloatArray:
    """The direction that "up" had for most of a recording: a few glances aside do not bend it."""
    return normalise(np.median(up_in_sensor(block.q_earth_from_sensor), axis=0))


def _quiet_up(block: OrientationBlock) -> tuple[FloatArray, float, str]:
    """Return "up" of the first still seconds, their time in the file, and what they are; the quietest if none is."""
    t_s = block.t_s
    quietest = (np.inf, _median_up(block), 0.0)
    for start_s in np.arange(t_s[0], max(t_s[-1] - STILL_S, t_s[0]) + 1e-6, _LOOK_STEP_S).tolist():
        first, last = np.searchsorted(t_s, [start_s, start_s + STILL_S + 0.05])
        part = OrientationBlock(
            t_s[first:last], block.q_earth_from_sensor[first:last], block.acc_m_s2[first:last]
        )
        try:
            return neutral_up(part)[0], start_s - float(t_s[0]), f"the first {STILL_S:g} still seconds"
        except CalibrationError:
            if last - first > 1 and t_s[last - 1] - t_s[first] > min(STILL_S, t_s[-1] - t_s[0]) / 2:
                ups = up_in_sensor(part.q_earth_from_sensor)
                spread = float(np.sum(np.std(ups, axis=0) ** 2))
                quietest = min(
                    quietest, (spread, _median_up(part), start_s - float(t_s[0])), key=lambda q: q[0]
                )
    return quietest[1], quietest[2], f"never still for {STILL_S:g} s, so its quietest moment"


def _header_value(header: Mapping[str, object], name: str) -> tuple[Any, tuple[str, ...]]:
    """Return the mount or the rule of a recording, None where it tells none; what cannot be used is noted."""
    if not isinstance(header.get(name), (str, Mapping)):
        return None, ()
    try:
        stated = read_header({name: header[name]}, device="")
    except ValueError as error:
        return None, (f"the recording's {name} cannot be used ({error}): as in the settings",)
    return getattr(stated, name), ()
