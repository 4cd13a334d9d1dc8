"""Prints what the store costs: bytes per sample, CPU of an 8 h day at 50 Hz, time to read a day and a year.

Run: `python tests/lab/bench_store.py [--folder FOLDER]`. Each commit is one second and one fsync, as live.
"""

import argparse
import struct
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.store.writer import Store
from tiltwise.types import Mount

START_S = datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()
FRAMES_A_SECOND, SAMPLES_A_FRAME, HOURS = 5, 10, 8


def make_frames(seconds: int) -> list[bytes]:
    """Return ORIENT frames of a drifting, breathing head with the noise of a LSM6DS-class sensor."""
    rng = np.random.default_rng(1)
    n = seconds * FRAMES_A_SECOND * SAMPLES_A_FRAME
    t = np.arange(n) / 50
    half = np.radians(15 + 12 * np.sin(t / 97) + np.sin(2 * np.pi * 0.25 * t) + 0.06 * rng.normal(size=n)) / 2
    q = np.stack(
        (np.cos(half), 0.0005 * rng.normal(size=n), np.sin(half), 0.0005 * rng.normal(size=n)), axis=-1
    )
    acc = np.stack((-np.sin(2 * half), np.zeros(n), np.cos(2 * half)), axis=-1) + 0.0018 * rng.normal(
        size=(n, 3)
    )
    counts = np.concatenate((q * wire.QUATERNION_SCALE, acc * 8192), axis=1).round().astype("<i2")
    frames = []
    for k, samples in enumerate(counts.reshape(-1, SAMPLES_A_FRAME, 7)):
        head = struct.pack(wire.HEADER, wire.VERSION << 4 | wire.ORIENT, 0, 1, k, 10 * k, 2000 * k, 10, 5)
        buffer = bytearray(head + samples.tobytes() + bytes(wire.TAG_SIZE))
        wire.seal(buffer, len(buffer))
        frames.append(bytes(buffer))
    return frames


def minute(start_s: float, rng: np.random.Generator) -> Aggregate:
    """Return a plausible minute."""
    flexion = np.zeros((2, agg.N_FLEXION))
    bins = agg.flexion_bin(rng.normal(18, 4, 600))
    flexion[0] = np.bincount(bins, minlength=agg.N_FLEXION) * 0.1
    activity = np.array([flexion.sum(), 0, 0, 0, 0])
    rate = np.full(agg.N_RATE, activity.sum() / agg.N_RATE)
    return Aggregate(start_s, activity, flexion, rate, np.zeros(agg.EVA_SHAPE), 0.1, 12.0, (-3.0, 4.0))


def bench_day(folder: Path) -> None:
    """Write one day second by second, then read it."""
    seconds = HOURS * 3600
    frames = make_frames(seconds)
    rng = np.random.default_rng(2)
    walls = []
    cpu = time.process_time()
    with Store(folder) as store:
        session = store.begin_session("b", 1, zone="UTC", mount=Mount.NECK, started_s=START_S)
        for k in range(seconds):
            first = k * FRAMES_A_SECOND
            chosen = frames[first : first + FRAMES_A_SECOND]
            began = time.perf_counter()
            store.append(
                session,
                list(map(read_frame, chosen)),
                [START_S + k + 0.2 * j for j in range(FRAMES_A_SECOND)],
            )
            if k % 60 == 59:
                store.put_aggregates(session, [minute(START_S + k - 59, rng)])
            store.commit()
            walls.append(time.perf_counter() - began)
    cpu = time.process_time() - cpu
    n = len(frames) * SAMPLES_A_FRAME
    size = sum(p.stat().st_size for p in folder.glob("raw-*.db"))
    print(f"samples {n}, raw file {size / 1e6:.1f} MB, {size / n:.2f} bytes/sample")
    print(
        f"ingest of {HOURS} h: CPU {cpu:.1f} s ({cpu / seconds * 100:.3f} % of a core live), wall {sum(walls):.1f} s"
    )
    p50, p99 = np.percentile(walls, [50, 99]) * 1e3
    print(f"commit p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {max(walls) * 1e3:.1f} ms")
    with Store.open_readonly(folder) as reader:
        began = time.perf_counter()
        samples = reader.samples(START_S, START_S + seconds)
        raw = time.perf_counter() - began
        began = time.perf_counter()
        found = reader.frames(START_S, START_S + seconds)
        rebuilt = time.perf_counter() - began
    assert len(samples.t_s) == n
    assert [f.data for f in found] == frames
    print(f"read the day: samples {raw:.2f} s, frames rebuilt bit-exact {rebuilt:.2f} s")


def bench_year(folder: Path) -> None:
    """Write aggregates of 260 days and read one day and the year."""
    rng = np.random.default_rng(3)
    with Store(folder) as store:
        session = store.begin_session("b", 1, zone="Europe/Berlin", mount=Mount.NECK, started_s=START_S)
        for day in range(260):
            start = START_S + 86400 * (day + day // 5 * 2)
            store.put_aggregates(session, [minute(start + 60 * m, rng) for m in range(HOURS * 60)])
            store.commit()
    size = (folder / "core.db").stat().st_size
    with Store.open_readonly(folder) as reader:
        began = time.perf_counter()
        days = reader.days()
        listed = time.perf_counter() - began
        began = time.perf_counter()
        totals = reader.totals(days[0], days[-1])
        year = time.perf_counter() - began
        began = time.perf_counter()
        assert len(reader.day(days[100]).minutes) == HOURS * 60
        one = time.perf_counter() - began
    assert len(totals) == 260
    print(
        f"aggregates of 260 days: {size / 1e6:.1f} MB, list of days {listed:.3f} s, year's totals {year:.3f} s"
    )
    print(f"one day of aggregates {one * 1e3:.0f} ms")


def main() -> None:
    """Run both in a folder that is deleted afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as name:
        bench_day(Path(name) / "day")
        bench_year(Path(name) / "year")


if __name__ == "__main__":
    sys.exit(main())
