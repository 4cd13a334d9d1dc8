"""What becomes of each sample on the board: frames, motion, saturation, a stuck sensor, minutes, measured rate."""

import importlib
from itertools import pairwise

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import unpack_body
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
SamplePath = importlib.import_module("tiltwise_firmware.sensing.sample_path").SamplePath
PERIOD = 100  # 100 us: 100 Hz
UPRIGHT = (0, 0, 0, 0, 0, 1000)


class Driver:
    """The scales of a part at 100 Hz: 0.01 rad/s and 0.01 m/s2 a count."""

    rate_hz, nominal_hz = 100.0, 100
    gyr_rad_s_per_count, acc_m_s2_per_count, zero_rate_dps = 0.01, 0.01, 1.0


class Frames:
    """The rings: what is put into them, as the frames' heads and bodies."""

    def __init__(self):
        self.main = self.minutes = self
        self.put_in, self.bodies = [], []

    def lend_buffer(self):
        return bytearray(300)

    def put(self, buffer, *head):
        self.put_in.append(head)
        self.bodies.append(bytes(buffer))
        return self.lend_buffer()

    def of(self, kind):
        return [head for head in self.put_in if head[0] == kind]

    def minute(self):
        """The body of the newest minute."""
        at = max(k for k, head in enumerate(self.put_in) if head[0] == wire.MINUTE)
        return unpack_body(self.bodies[at][: wire.frame_size(wire.MINUTE)], wire.MINUTE)


class Running:
    """A path that samples come to."""

    def __init__(self):
        self.frames, self.told, self.rate = Frames(), [], 100.0
        self.trusted = 0
        self.path = SamplePath(
            1, self.frames, lambda *event: self.told.append(event), lambda: self.rate, self._trust
        )
        self.path.start(Driver(), 1)
        self.path.begin_minute(0)
        self.n = 0

    def _trust(self):
        self.trusted += 1

    def take(self, *samples):
        for sample in samples:
            self.path.take([9, 9, *sample], 2, self.n * PERIOD)
            self.n += 1

    def rest(self, n):
        """Samples at rest, none like the one before."""
        self.take(*((k % 2, 0, 0, 0, 0, 1000) for k in range(n)))


def test_orient_takes_every_second_sample_and_raw_each():
    running = Running()
    running.path.framer.select(wire.ORIENT, 5)
    running.rest(20)
    assert [(head[2], head[4], wire.RATES_HZ[head[6]]) for head in running.frames.of(wire.ORIENT)] == [
        (0, 5, 50.0), (5, 5, 50.0),
    ]  # fmt: skip
    running.path.framer.select(wire.RAW, 5)
    running.rest(10)
    assert [(head[2], head[3], head[4], wire.RATES_HZ[head[6]]) for head in running.frames.of(wire.RAW)] == [
        (20, 2000, 5, 100.0), (25, 2500, 5, 100.0),
    ]  # fmt: skip


def test_lost_samples_move_the_index_and_flag_the_frame_after_them():
    running = Running()
    running.path.framer.select(wire.RAW, 4)
    running.rest(2)
    running.path.skip(30)
    running.rest(4)
    heads = running.frames.of(wire.RAW)
    assert [(head[1], head[2], head[4]) for head in heads] == [(0, 0, 2), (wire.FLAG_DISCONTINUITY, 32, 4)]
    assert running.path.samples == 36


@pytest.mark.parametrize(("counts", "moving_s"), [(25, 0), (27, 10)])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("way", [-1, 1])
def test_seconds_of_more_than_15_deg_s_are_motion(counts, moving_s, axis, way):
    """0.26 rad/s in all three axes together; a count is 0.01 rad/s."""
    running = Running()
    for k in range(1010):
        sample = [0, 0, 0, 0, 0, 1000 + k % 2]
        sample[axis] = way * counts
        running.take(sample)
    running.path.minute.end(running.n * PERIOD, 0, 5)
    assert running.frames.minute()[1] == moving_s


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(
    ("count", "is_end"), [(32766, False), (32767, True), (-32767, True), (-32766, False)]
)
def test_counts_at_the_end_of_the_range_are_told_once_a_second(place, count, is_end):
    running = Running()
    running.rest(50)
    sample = list(UPRIGHT)
    sample[place] = count
    running.take(sample, sample, sample)
    running.rest(150)
    assert running.told == ([(wire.EVENT_SATURATED, 3, 1)] if is_end else [])
    assert running.path.saturated == (3 if is_end else 0)


def test_samples_that_are_the_same_are_counted_until_one_differs():
    running = Running()
    running.rest(2)
    running.take(*[UPRIGHT] * 7)
    assert running.path.same == 6
    running.take((1, 0, 0, 0, 0, 1000))
    assert running.path.same == 0


def test_a_sensor_that_was_stuck_is_trusted_after_ten_samples_that_changed():
    running = Running()
    running.path.framer.select(wire.RAW, 1)
    running.path.distrust()
    assert (running.path.is_trusted, running.path.stuck_in_a_row) == (False, 1)
    running.take(*[UPRIGHT] * 50)  # the first one differs from what was before
    running.rest(9)  # and eight of these
    assert (running.path.is_trusted, running.trusted) == (False, 0)
    running.take((0, 0, 0, 0, 0, 990))
    assert (running.path.is_trusted, running.trusted) == (True, 1)
    assert running.path.samples == running.n == 60, "what did not count has its index"
    assert running.frames.of(wire.RAW) == []
    running.rest(2)
    assert [head[2] for head in running.frames.of(wire.RAW)] == [60, 61]


def test_a_second_of_samples_that_change_ends_a_row_of_being_stuck():
    running = Running()
    running.path.distrust()
    running.path.distrust()
    assert running.path.stuck_in_a_row == 2
    running.rest(250)
    assert running.path.stuck_in_a_row == 0


def test_up_is_looked_at_ten_times_a_second_and_a_minute_ends_after_a_minute():
    running = Running()
    ups = []
    add_up = running.path.minute.add_up
    running.path.minute.add_up = lambda t, up: (ups.append(t), add_up(t, up))
    running.rest(12_100)
    assert {later - earlier for earlier, later in pairwise(ups)} == {10 * PERIOD}
    first, second = running.frames.of(wire.MINUTE)
    assert first[2:4] == (0, 0)
    _, _, i0, t0, _, sensor, rate = second
    assert 600_000 <= t0 < 600_000 + 10 * PERIOD
    assert (i0, sensor, wire.RATES_HZ[rate]) == (t0 // PERIOD // 2, 1, 50.0)
    assert list(running.frames.minute()[4:]) == pytest.approx([0, 0, 127] * 6, abs=1)


@pytest.mark.parametrize(("rate", "told"), [(100.05, 100.0), (100.2, 100.2), (99.8, 99.8), (99.95, 100.0)])
def test_a_rate_that_is_off_by_more_than_a_thousandth_is_told_to_the_fusion(rate, told):
    running = Running()
    running.rate = rate
    running.rest(210)
    assert running.path.fusion.rate_hz == pytest.approx(told, abs=1e-6)


def test_taps_are_heard_while_somebody_wants_them():
    class Taps:
        heard = []

        def sample(self, *acc):
            self.heard.append(acc)

    running = Running()
    running.rest(5)
    running.path.taps = Taps()
    running.take((1, 2, 3, 4, 5, 6))
    running.path.taps = None
    running.rest(5)
    assert Taps.heard == [(4, 5, 6)]
