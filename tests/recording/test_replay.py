"""A replayed file gives the same samples as the file read at once, at its pace."""

import asyncio

import numpy as np
import pytest

from decode import frame_builders
from tiltwise.decode.decoder import Decoder
from tiltwise.recording.imu_file import ImuFileError, load_imu
from tiltwise.recording.replay import ReplaySource, load_tape
from tiltwise.recording.tw_file import RecordingWriter, read_recording
from tiltwise.types import ImuBlock


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self):
        self.now_s = 50.0
        self.slept = []

    def clock(self):
        return self.now_s

    async def sleep(self, duration_s):
        self.now_s += duration_s
        self.slept.append(duration_s)


def play(path, speed):
    time = FakeTime()

    async def run():
        async with ReplaySource(path, speed=speed, clock=time.clock, sleep=time.sleep) as source:
            chunks = [(chunk.received_s, chunk.data, time.now_s - 50.0) async for chunk in source.chunks()]
            await source.send(b"anything")
            return chunks, source.duration_s

    return *asyncio.run(run()), time


def npz(tmp_path, n=400, rate_hz=50.0):
    rng = np.random.default_rng(3)
    path = tmp_path / "a.npz"
    acc = rng.normal(0, 0.1, (n, 3)) + [0, 0, 9.81]
    np.savez(path, t=np.arange(n) / rate_hz, acc=acc, gyr=rng.normal(0, 0.01, (n, 3)), fs=rate_hz)
    return path


def recording(tmp_path):
    path = tmp_path / "a.tw"
    with RecordingWriter(path, {}) as writer:
        for k, frame in enumerate(frame_builders.stream(30)):
            writer.write(7.0 + 0.2 * k, frame)
    return path


def joined(blocks):
    blocks = [b for b in blocks if isinstance(b, ImuBlock)]
    return [np.concatenate([getattr(b, name) for b in blocks]) for name in ("t_s", "gyr_rad_s", "acc_m_s2")]


def streamed(chunks):
    decoder = Decoder()
    return joined([item for _, data, _ in chunks for item in decoder.feed(data)] + decoder.flush())


def test_replayed_recording_equals_the_recording_read_at_once(tmp_path):
    path = recording(tmp_path)
    chunks, *_ = play(path, 0)
    for a, b in zip(streamed(chunks), joined(read_recording(path)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_replayed_file_equals_the_file_within_its_quantisation(tmp_path):
    path = npz(tmp_path)
    chunks, *_ = play(path, 0)
    t_s, gyr, acc = streamed(chunks)
    imu = load_imu(path)
    assert np.abs(t_s - imu.t_s).max() <= 1e-4  # s, a tick
    # half a count of an int16 with the scale of the largest value
    assert np.abs(gyr - imu.gyr_rad_s).max() <= 0.51 * np.abs(imu.gyr_rad_s).max() / 32767
    assert np.abs(acc - imu.acc_m_s2).max() <= 0.51 * np.abs(imu.acc_m_s2).max() / 32767


@pytest.mark.parametrize("speed", [1.0, 8.0, 0.5])
@pytest.mark.parametrize("make", [npz, recording])
def test_pace_is_that_of_the_recording_times_the_speed(tmp_path, make, speed):
    chunks, duration_s, _ = play(make(tmp_path), speed)
    received_s = np.array([chunk[0] for chunk in chunks])
    given_s = np.array([chunk[2] for chunk in chunks])
    np.testing.assert_allclose(given_s, received_s / speed, atol=1e-9)
    assert given_s[-1] == pytest.approx(duration_s / speed)


def test_full_speed_waits_for_nothing_but_lets_others_run(tmp_path):
    _, _, time = play(npz(tmp_path, 4000), 0)
    assert set(time.slept) == {0}
    assert len(time.slept) >= 6


def test_a_frame_of_a_file_comes_when_its_last_sample_was_taken(tmp_path):
    tape = load_tape(npz(tmp_path, 100))
    np.testing.assert_allclose(tape.received_s, [0, *(np.arange(1, 11) * 0.2 - 0.02)], atol=1e-9)


def test_damage_is_told(tmp_path):
    path = recording(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    assert load_tape(path).notes == ("the last record is cut off and left out",)


def test_a_file_that_cannot_be_used_is_told_on_entering(tmp_path):
    async def run():
        async with ReplaySource(tmp_path / "absent.csv"):
            pass

    with pytest.raises(ImuFileError, match="no such file"):
        asyncio.run(run())


def test_chunks_outside_of_async_with_are_refused(tmp_path):
    async def run():
        async for _ in ReplaySource(tmp_path / "a.csv").chunks():
            pass

    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(run())
