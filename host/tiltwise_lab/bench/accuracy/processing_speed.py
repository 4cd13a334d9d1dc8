"""`tiltwise bench speed`: how long the host needs for a day, stage by stage, and for a second of a live session.

The day is 20 minutes of a simulated desk, tiled and with fresh noise, as frames or as an .npz file; times are wall
time and CPU time of this process in s. Prints nothing; returns rows for the tables in tiltwise_lab/registry.py.
"""

from __future__ import annotations

import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.frame_table import HEADER_DTYPE
from tiltwise.live.open_session import Worn, open_session
from tiltwise.motion.calibration.guided_calibration import find_guided_calibration
from tiltwise.motion.calibration.mounting import Mounting
from tiltwise.motion.orientation.estimator import OrientationStage
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.recording.replay import load_tape
from tiltwise.report.day_summary import summarise_day
from tiltwise.report.exposure import ExposureAccumulator, ExposureSettings
from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.wearer import Wearer
from tiltwise.store.writer import Store
from tiltwise.tracker import Tracker, TrackerSettings
from tiltwise.types import ImuBlock, Mount, OrientationBlock, Update

RATE_HZ = 50.0
TILE_S = 1200.0  # of wearer, which takes longer to make than to analyse
REPEATS = 3
_MOUNT = Mount.NECK
_BATCH = 2048  # frames decoded at a time, as offline/input_file.py does
_SAMPLES_PER_FRAME = 10
# Noise of an LSM6DSOX at 50 Hz (datasheet densities 3.8 mdeg/s/sqrt(Hz), 70 ug/sqrt(Hz)): no two tiles are equal.
_GYR_NOISE_RAD_S, _ACC_NOISE_M_S2 = 3.3e-4, 3.4e-3
_FREE_BYTES = 1  # the day is a bench's: it may fill the disk as far as it likes, and takes 2 MB


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One stage (or "total") of the offline path over a synthetic day; best and median of the repeats, in s."""

    path: str  # "orient frames", "raw frames" or "npz file"
    stage: str
    samples: int
    best_s: float
    median_s: float
    best_cpu_s: float

    @property
    def samples_per_s(self) -> float:
        """Samples in a second of the best repeat."""
        return self.samples / self.best_s


@dataclass(frozen=True, slots=True)
class LiveRow:
    """CPU time of one part of a live session over simulated_s; what draws on the screen is not in it."""

    part: str  # "simulated sensor", "session" or "session with store"
    stream: str
    simulated_s: float
    cpu_s: float

    @property
    def percent_of_core(self) -> float:
        """CPU time in a second at speed 1, in percent."""
        return 100.0 * self.cpu_s / self.simulated_s


@dataclass(frozen=True, slots=True)
class _Day:
    """A day as arrays and as both kinds of frames, and the calibration found in its beginning."""

    samples: int
    imu: ImuBlock
    frames: dict[str, list[bytes]]
    mounting: Mounting


class _Laps:
    """Wall and CPU time of each stage of one run."""

    def __init__(self) -> None:
        self.seconds: dict[str, tuple[float, float]] = {}
        self._since = time.perf_counter(), time.process_time()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap to a stage."""
        now = time.perf_counter(), time.process_time()
        self.seconds[stage] = now[0] - self._since[0], now[1] - self._since[1]
        self._since = now


def speed_rows(
    hours: float = 8.0, *, repeats: int = REPEATS, seed: int = 1
) -> Iterator[tuple[float, SpeedRow]]:
    """Yield the share done and rows of the offline path: each stage and the total, by kind of input."""
    day = made_day(hours, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.npz"
        np.savez(path, t=day.imu.t_s, gyr=day.imu.gyr_rad_s, acc=day.imu.acc_m_s2)
        inputs: dict[str, list[bytes] | Path] = {**day.frames, "npz file": path}
        for k, (name, source) in enumerate(inputs.items()):
            runs = [offline_path(source, day.mounting).seconds for _ in range(repeats)]
            for row in _rows_of(name, day.samples, runs):
                yield (k + 1) / len(inputs), row


def live_rows(
    minutes: float = 5.0, *, scenario: str = "desk", seed: int = 1
) -> Iterator[tuple[float, LiveRow]]:
    """Yield the share done and rows of live sessions without pacing, frame by frame as `watch` gets them."""
    streams = {"orient": wire.ORIENT, "raw": wire.RAW}
    for k, (name, stream) in enumerate(streams.items()):
        start_s = time.process_time()
        simulation = Simulation(scenario, seed=seed, minutes=minutes, mount=_MOUNT, stream=stream)
        frames = list(simulation)
        cpu_s = {"simulated sensor": time.process_time() - start_s}
        cpu_s["session"] = _session_cpu_s(frames, None)
        with tempfile.TemporaryDirectory() as folder:
            cpu_s["session with store"] = _session_cpu_s(frames, Path(folder) / "store")
        for part, seconds in cpu_s.items():
            yield (k + 1) / len(streams), LiveRow(part, name, simulation.duration_s, seconds)


def _rows_of(name: str, samples: int, runs: list[dict[str, tuple[float, float]]]) -> Iterator[SpeedRow]:
    totals = [tuple(sum(lap[k] for lap in run.values()) for k in (0, 1)) for run in runs]
    stages = {stage: [run[stage] for run in runs] for stage in runs[0]} | {"total": totals}
    for stage, laps in stages.items():
        wall = [lap[0] for lap in laps]
        yield SpeedRow(name, stage, samples, min(wall), median(wall), min(lap[1] for lap in laps))


def offline_path(source: list[bytes] | Path, mounting: Mounting) -> _Laps:
    """Run everything from the input to the summary of the day; the laps are its stages."""
    laps = _Laps()
    frames = source
    if isinstance(frames, Path):
        frames = load_tape(frames).frames
        laps.lap("file to frames")
    blocks = _decode(frames)
    laps.lap("decode")
    if isinstance(blocks[0], ImuBlock):
        stage = OrientationStage()
        blocks = [stage.process(block) for block in blocks if isinstance(block, ImuBlock)]
        laps.lap("orientation")
    profile = TrackerSettings(mounting)
    tracker = Tracker(profile)
    updates = [tracker.process(block) for block in blocks]
    tracker.finish()
    laps.lap("angles and detectors")
    _summarise(updates, profile)
    laps.lap("summary")
    return laps


def _decode(frames: list[bytes]) -> list[ImuBlock | OrientationBlock]:
    decoder = Decoder(max_without_info=None)
    items: list[object] = []
    for first in range(0, len(frames), _BATCH):
        items += decoder.feed_many(frames[first : first + _BATCH])
    items += decoder.flush()
    return [item for item in items if isinstance(item, (ImuBlock, OrientationBlock))]


def _summarise(updates: list[Update], profile: TrackerSettings) -> None:
    exposure = ExposureAccumulator(ExposureSettings(mount=profile.mount))
    minutes = []
    for update in updates:
        angles = update.angles
        minutes += exposure.process(
            angles.t_s,
            profile.posture_angle_deg(angles),
            update.activity,
            lateral_deg=angles.lateral_deg,
            rotation_deg=angles.rotation_deg,
            rate_deg_s=angles.rate_deg_s,
        )
    summarise_day(
        [*minutes, *exposure.finish()],
        start_s=0.0,
        end_s=float(updates[-1].angles.t_s[-1]),
        mount=profile.mount,
    )


def _session_cpu_s(frames: list[tuple[float, bytes]], folder: Path | None) -> float:
    """CPU time of a session over these frames, from the calibration to its end."""
    store = None if folder is None else Store(folder, min_free_bytes=_FREE_BYTES)
    start_s = time.process_time()
    session = open_session(Worn(mount=_MOUNT), started_utc_s=1.7e9, device="bench", store=store)
    for received_s, frame in frames:
        session.receive(received_s, frame)
    session.finish()
    return time.process_time() - start_s


def made_day(hours: float, seed: int) -> _Day:
    """Tile a piece of desk work to so many hours."""
    tile_t_s = np.arange(0.0, min(TILE_S, 3600 * hours), 1 / RATE_HZ)
    tile = Wearer("desk", seed=seed, minutes=max(2.0, TILE_S / 60), mount=_MOUNT).imu(tile_t_s)
    mounting = find_guided_calibration([OrientationStage().process(tile)], mount=_MOUNT)
    n = round(3600 * hours * RATE_HZ)
    which = np.arange(n) % len(tile_t_s)
    rng = np.random.default_rng(seed)
    imu = ImuBlock(
        np.arange(n) / RATE_HZ,
        tile.gyr_rad_s[which] + rng.normal(0, _GYR_NOISE_RAD_S, (n, 3)),
        tile.acc_m_s2[which] + rng.normal(0, _ACC_NOISE_M_S2, (n, 3)),
    )
    raw = pack_imu_frames(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2, rate_hz=RATE_HZ)
    orient = _pack_orient_frames(OrientationStage().process(imu), raw[0])
    return _Day(n, imu, {"orient frames": orient, "raw frames": raw}, mounting)


def _pack_orient_frames(block: OrientationBlock, info: bytes) -> list[bytes]:
    """Return the ORIENT frames that a board would have sent, behind the INFO frame `info`."""
    m = len(block.t_s) // _SAMPLES_PER_FRAME
    body = np.zeros(m, dtype=[("head", HEADER_DTYPE), ("counts", "<i2", (_SAMPLES_PER_FRAME, 7))])
    first = np.arange(m) * _SAMPLES_PER_FRAME
    head = body["head"]
    head["kind"] = wire.VERSION << 4 | wire.ORIENT
    head["boot"], head["seq"], head["i0"] = unpack_header(info)[2], 1 + np.arange(m), first
    head["t0"] = np.round(block.t_s[first] / wire.TICK_S).astype(np.int64)
    head["count"] = _SAMPLES_PER_FRAME
    counts = np.concatenate(
        (
            block.q_earth_from_sensor * wire.QUATERNION_SCALE,
            np.clip(block.acc_m_s2 / wire.ORIENT_ACC_M_S2_PER_COUNT, -32768, 32767),
        ),
        axis=1,
    )
    whole = counts[: m * _SAMPLES_PER_FRAME].reshape(m, _SAMPLES_PER_FRAME, 7)
    body["counts"] = np.round(whole).astype("<i2")
    raw, size = body.tobytes(), body.dtype.itemsize
    pieces = (raw[k * size : (k + 1) * size] for k in range(m))
    return [info, *(piece + struct.pack("<II", zlib.crc32(piece), 0) for piece in pieces)]
