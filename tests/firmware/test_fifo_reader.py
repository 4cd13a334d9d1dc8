"""What the FIFO gives, sample by sample: pairs, holes, bursts, and a part that gives nothing."""

import importlib

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
FifoReader = importlib.import_module("tiltwise_firmware.sensing.fifo_reader").FifoReader
PERIOD = 50  # 100 us: a part at 200 Hz


class Part:
    """A driver with samples in a queue; `good` of them can be read, the rest comes to nothing."""

    burst = 4

    def __init__(self):
        self.queue, self.bursts = [], []
        self.overflowed = False
        self.good = None
        self.is_broken = False

    def waiting(self):
        return len(self.queue)

    def read_fifo(self, counts, n):
        if self.is_broken:
            raise OSError(5)
        self.bursts.append(n)
        taken, self.queue = self.queue[:n], self.queue[n:]
        done = n if self.good is None else min(n, self.good)
        for k, sample in enumerate(taken[:done]):
            for i in range(6):
                counts[6 * k + i] = sample[i]
        return done


class Path:
    """Where the samples go."""

    def __init__(self):
        self.samples = 0
        self.taken, self.times, self.skipped = [], [], []

    def take(self, counts, k, t):
        self.taken.append(list(counts[k : k + 6]))
        self.times.append(t)
        self.samples += 1

    def skip(self, samples):
        self.skipped.append(samples)
        self.samples += samples


class Reading:
    """A reader, what it reads and what it says."""

    def __init__(self, merge=1):
        self.told = []
        self.reader = FifoReader(3, lambda *event: self.told.append(event))
        self.reader.merge = merge
        self.reader.timebase.start(0, 200.0)
        self.reader.start(0)
        self.part, self.path = Part(), Path()
        self.now = 0

    def come(self, *samples, after=None):
        """Let samples come, one a period, and drain."""
        self.part.queue += [[s + i for i in range(6)] for s in samples]
        self.now += len(samples) * PERIOD if after is None else after
        return self.reader.drain(self.now, self.part, self.path)

    def settled(self):
        """Let the times settle on the part's rate."""
        for _ in range(40):
            self.come(0, 0)
        self.path = Path()
        self.part.bursts.clear()
        return self


def test_each_sample_is_handed_on_with_a_time_a_period_after_the_one_before():
    reading = Reading().settled()
    assert reading.come(10, 20, 30)
    assert reading.path.taken == [[s + i for i in range(6)] for s in (10, 20, 30)]
    first, second, third = reading.path.times
    assert (second - first, third - second) == pytest.approx((PERIOD, PERIOD), abs=1)
    assert third == pytest.approx(reading.now - PERIOD / 2, abs=1)
    assert reading.reader.rate_hz() == pytest.approx(200, rel=0.01)


def test_pairs_are_averaged_and_halves_are_rounded_down_and_up_in_turn():
    reading = Reading(merge=2).settled()
    reading.come(1, 2, 1, 2, 10, 20, -3, -2)
    assert [sample[0] for sample in reading.path.taken] == [1, 2, 15, -2]
    assert [sample[5] for sample in reading.path.taken] == [6, 7, 20, 3]
    assert reading.path.times[1] - reading.path.times[0] == pytest.approx(2 * PERIOD, abs=1)
    assert reading.path.times[3] == pytest.approx(reading.now - PERIOD, abs=1)  # of two, the middle
    assert reading.reader.rate_hz() == pytest.approx(100, rel=0.01)


def test_half_a_pair_waits_for_its_other_half_and_the_time_is_the_middle():
    reading = Reading(merge=2).settled()
    reading.come(10, 20, 30)
    assert [sample[0] for sample in reading.path.taken] == [15]
    reading.come(50)
    assert [sample[0] for sample in reading.path.taken] == [15, 40]
    assert reading.path.times[1] - reading.path.times[0] == pytest.approx(2 * PERIOD, abs=2)
    assert reading.path.skipped == []


@pytest.mark.parametrize("start_anew", [True, False])
def test_half_a_pair_is_forgotten_at_a_new_start_only(start_anew):
    reading = Reading(merge=2)
    reading.come(10)
    if start_anew:
        reading.reader.start(reading.now)
    reading.come(20)
    assert [sample[0] for sample in reading.path.taken] == ([] if start_anew else [15])


def test_more_than_a_burst_is_read_in_bursts():
    reading = Reading()
    reading.come(*range(10))
    assert reading.part.bursts == [4, 4, 2]
    assert [sample[0] for sample in reading.path.taken] == list(range(10))


@pytest.mark.parametrize(("merge", "lost"), [(1, 3), (2, 2)])
def test_what_could_not_be_read_is_skipped_and_no_pair_goes_over_the_hole(merge, lost):
    reading = Reading(merge)
    reading.part.good = 1
    reading.come(10, 20, 30, 40)
    assert reading.path.skipped == [lost]
    reading.part.good = None
    reading.come(50, 70)
    taken = [sample[0] for sample in reading.path.taken]
    assert taken == ([10, 50, 70] if merge == 1 else [60])


def test_lost_samples_are_skipped_and_told_when_the_part_says_so():
    reading = Reading()
    reading.come(*range(4))
    reading.part.overflowed = True
    reading.come(9, after=6 * PERIOD)  # five others are gone
    assert reading.path.skipped == [5]
    assert reading.told == [(wire.EVENT_FIFO_OVERFLOW, 5, 3)]
    assert (reading.part.overflowed, reading.reader.overflows) == (False, 1)
    reading.come(10)
    assert reading.reader.overflows == 1


def test_an_overflow_that_lost_nothing_is_told_and_skips_nothing():
    reading = Reading()
    reading.come(*range(4))
    reading.part.overflowed = True
    reading.come(9)
    assert (reading.path.skipped, reading.told) == ([], [(wire.EVENT_FIFO_OVERFLOW, 0, 3)])


def test_a_part_that_gives_nothing_for_more_than_300_ms_is_stuck():
    reading = Reading()
    reading.come(1)
    assert reading.come(after=3000)
    assert not reading.come(after=1)
    assert reading.come(2, after=10)
    assert reading.come(after=3000)


def test_a_fifo_that_the_driver_emptied_has_300_ms_more_and_no_more():
    reading = Reading()
    reading.come(1)
    reading.part.overflowed = True
    assert reading.come(after=2000)
    assert reading.come(after=3000)
    assert not reading.come(after=1)
    assert reading.told == []  # it is told with the samples that come next
    reading.come(5)
    assert reading.reader.overflows == 1
    reading.part.overflowed = True
    assert reading.come(after=2000)
    assert reading.come(after=3000)


def test_samples_that_a_broken_bus_left_unread_are_read_later_and_are_no_new_ones():
    reading = Reading()
    reading.part.is_broken = True
    with pytest.raises(OSError):
        reading.come(*range(6))
    reading.part.is_broken = False
    reading.come(6, 7)
    assert [sample[0] for sample in reading.path.taken] == list(range(8))
    assert reading.path.skipped == []
