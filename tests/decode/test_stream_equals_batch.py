"""However frames are lost, doubled, swapped, damaged or cut, the decoder says the same and never raises."""

import os
import random

import numpy as np
import pytest

from decode import frame_builders
from tiltwise.common import wire
from tiltwise.decode.decoder import Decoder
from tiltwise.types import ImuBlock, OrientationBlock, SignalGap

SEED = int(os.environ.get("TILTWISE_SEED", "20260105"))


def journal(decoder, pieces):
    """All that a decoder says: samples joined per sensor, gaps, and the other messages, each in order."""
    items = [item for piece in pieces for item in decoder.feed_many(piece)] + decoder.flush()
    samples = {}
    for item in items:
        if isinstance(item, (ImuBlock, OrientationBlock)):
            values = item.gyr_rad_s if isinstance(item, ImuBlock) else item.q_earth_from_sensor
            samples.setdefault(item.sensor, []).append((item.t_s, values.ravel(), item.acc_m_s2))
    joined = {s: [np.concatenate([b[k] for b in blocks]) for k in range(3)] for s, blocks in samples.items()}
    gaps = sorted((g.sensor, g.start_s, g.end_s, str(g.reason)) for g in items if isinstance(g, SignalGap))
    rest = [str(i) for i in items if not isinstance(i, (ImuBlock, OrientationBlock, SignalGap))]
    return joined, gaps, rest, decoder.stats, decoder.missing(), decoder.acknowledgeable()


def assert_same(a, b):
    assert a[1:] == b[1:]
    assert a[0].keys() == b[0].keys()
    for sensor, arrays in a[0].items():
        for x, y in zip(arrays, b[0][sensor], strict=True):
            np.testing.assert_array_equal(x, y)  # exactly equal: not one bit may depend on the cuts


def a_day(rng):
    """Two boots, two sensors, wraps of all three counters, jittered clocks, uneven frames, faults and flags."""
    frames = []
    for boot in (rng.randrange(1 << 16), rng.randrange(1 << 16)):
        seq = rng.choice([0, (1 << 32) - rng.randrange(80)])
        index = rng.choice([0, (1 << 32) - rng.randrange(900)])
        ticks = rng.choice([0, rng.randrange(1 << 32), (1 << 32) - rng.randrange(90_000)])
        info_at = rng.randrange(0, 6)
        for k in range(150):
            sensor = rng.choice([0, 0, 0, 1])
            n = rng.choice([10, 10, 10, 10, 7, 1])
            flags = rng.choice(
                [0] * 30 + [wire.FLAG_DISCONTINUITY, wire.FLAG_LOSS_BEFORE, wire.FLAG_SENSOR_FAULT]
            )
            t0 = (ticks + rng.randrange(-12, 13) + (3000 if k % 37 == 36 else 0)) % (1 << 32)
            counts = [[rng.randrange(-32768, 32768) for _ in range(6)] for _ in range(n)]
            if k in (info_at, 90):
                frame = frame_builders.info_frame(seq % (1 << 32), boot, 0, t0, gyr=0.001 + 1e-5 * k)
            elif k % 12 == 11:
                frame = frame_builders.status_frame(seq % (1 << 32), t0, boot)
            elif k % 29 == 28:
                q = rng.choice([[32767, 0, 0, 0], [0, 0, 0, 0], [23170, 23170, 0, 0]])
                frame = frame_builders.orient_frame(
                    seq % (1 << 32), index % (1 << 32), t0, [q + [1, 2, 3]] * n, boot, sensor
                )
            else:
                code = frame_builders.RATE_50 if k % 50 else 0
                frame = frame_builders.raw_frame(
                    seq % (1 << 32), index % (1 << 32), t0, counts, boot, sensor, flags, rate_code=code
                )
            frames.append(frame)
            step = rng.choice([n] * 20 + [n + 5])
            ticks += 200 * step - (40_000_000 if k == 120 else 0)
            index, seq = index + step, seq + rng.choice([1] * 20 + [3])
    return frames


def harm(frames, rng):
    """Drop, double, swap, damage and cut frames."""
    out = []
    for frame in frames:
        what = rng.random()
        if what < 0.05:
            continue
        if what < 0.08:
            bad = bytearray(frame)
            bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
            out.append(bytes(bad))
        elif what < 0.10:
            out.append(frame[: rng.randrange(len(frame))])
        else:
            out.append(frame)
            if what > 0.95:
                out.append(frame)
    for _ in range(len(out) // 20):
        k = rng.randrange(len(out) - 12)
        j = k + rng.randrange(12)
        out[k], out[j] = out[j], out[k]
    return out


def cut(frames, rng):
    pieces, first = [], 0
    while first < len(frames):
        size = rng.choice([1, 2, 3, 10, 40])
        pieces.append(frames[first : first + size])
        first += size
    return pieces


@pytest.mark.parametrize("run", range(25))
def test_any_cut_of_a_harmed_stream_gives_exactly_the_same(run):
    rng = random.Random(SEED + run)
    print(f"seed {SEED + run}: set TILTWISE_SEED to repeat")
    frames = harm(a_day(rng), rng)
    whole = journal(Decoder(), [frames])
    assert_same(whole, journal(Decoder(), [[frame] for frame in frames]))
    assert_same(whole, journal(Decoder(), cut(frames, rng)))


@pytest.mark.parametrize("run", range(25))
def test_times_grow_and_every_frame_is_accounted_for(run):
    rng = random.Random(SEED + 1000 + run)
    print(f"seed {SEED + 1000 + run}: set TILTWISE_SEED to repeat")
    frames = harm(a_day(rng), rng)
    joined, gaps, _, stats, _, _ = journal(Decoder(), [frames])
    assert all(np.all(np.diff(t_s) > 0) for t_s, _, _ in joined.values())
    assert sum(len(t_s) for t_s, _, _ in joined.values()) == stats.samples
    assert all(end > start for _, start, end, _ in gaps)
    assert stats.frames + sum(stats.bad.values()) == len(frames) + stats.bad["INFO unusable"]


def test_undamaged_frames_in_disorder_within_the_window_lose_nothing():
    rng = random.Random(SEED)
    print(f"seed {SEED}: set TILTWISE_SEED to repeat")
    frames = frame_builders.stream(300)
    expected = journal(Decoder(), [frames])
    shuffled = frames[:1]
    for k in range(1, len(frames), 4):
        group = frames[k : k + 4]
        rng.shuffle(group)
        shuffled += group
    # The very first frame after INFO may be any of its group; what follows INFO in order is what is expected.
    assert_same(expected, journal(Decoder(), [shuffled]))


def test_random_bytes_are_counted_and_never_raise():
    rng = random.Random(SEED)
    print(f"seed {SEED}: set TILTWISE_SEED to repeat")
    noise = [rng.randbytes(rng.choice([0, 1, 18, 26, 38, 60, 150, 166, 300])) for _ in range(20_000)]
    decoder = Decoder()
    assert decoder.feed_many(noise) == []
    assert sum(decoder.stats.bad.values()) == len(noise)


def test_sealed_frames_with_random_fields_never_raise():
    rng = random.Random(SEED)
    print(f"seed {SEED}: set TILTWISE_SEED to repeat")
    frames = []
    for _ in range(3000):
        kind = rng.randrange(16)
        n = rng.randrange(16)
        size = wire.frame_size(kind, n) if kind in wire.SAMPLE_SIZES or kind in wire.BODIES else 40
        frame = bytearray(rng.randbytes(size))
        frame[0], frame[16] = wire.VERSION << 4 | kind, rng.randrange(2) << 4 | n
        frame[2:4], frame[17] = bytes([rng.randrange(2), 0]), rng.randrange(12)
        frame[1] &= 0xFF & ~(wire.FLAG_ENCRYPTED | wire.FLAG_AUTHENTICATED)
        frames.append(frame_builders.seal(frame))
    decoder = Decoder()
    for frame in frames:
        decoder.feed(frame)
    decoder.flush()
    assert decoder.stats.frames > 800  # the other types and rate codes are refused
    with np.errstate(all="raise"):
        x, y = journal(Decoder(), [frames]), journal(Decoder(), [[f] for f in frames])
    print("S", y[3])
    assert_same(x, y)
