"""Sample times when the program stands still: a stall is no loss, and a loss is no stall."""

import importlib

import pytest

from tiltwise.firmware_build.locate import load_firmware

load_firmware()
timebase = importlib.import_module("tiltwise_firmware.sensing.timebase")

PERIOD = 1e4 / 104  # 100 us


class Part:
    """A sensor that samples on its own clock, and a loop that reads clock, then level, with stalls between them."""

    def __init__(self):
        self.base = timebase.Timebase()
        self.base.start(0, 104.0)
        self.now = 0.0
        self.read = 0  # samples read so far
        self.lost = 0
        self.worst = 0.0  # error of a time, 100 us

    def poll(self, stall_ms=0.0, dropped=0):
        self.now += 500
        clock = int(self.now)
        self.now += 10 * stall_ms
        made = int(self.now / PERIOD)
        n = made - self.read - dropped
        self.lost += self.base.observe(clock, n)
        for k in range(n):
            true = (self.read + dropped + k + 1) * PERIOD
            self.worst = max(self.worst, abs(self.base.next() - true))
        self.read = made


@pytest.mark.parametrize("stall_ms", [15, 20, 50, 100, 250])
def test_a_stall_between_clock_and_level_loses_no_sample(stall_ms):
    """Told as lost were 2 samples at 20 ms, 5 at 50 ms and 10 at 100 ms, all of which had been read."""
    part = Part()
    for k in range(1200):
        part.poll(stall_ms if k > 100 and k % 40 == 0 else 0)
        if k == 100:
            part.worst = 0.0
    assert part.lost == 0
    assert part.worst < 60  # 6 ms: the level is seen once a poll of 50 ms


def test_stalls_at_every_poll_do_not_make_the_clock_stop_learning():
    part = Part()
    for _ in range(3000):
        part.poll(20)
    assert part.lost == 0
    assert part.base.period == pytest.approx(PERIOD, rel=2e-3)


@pytest.mark.parametrize("dropped", [2, 5, 40])
def test_samples_that_are_gone_are_still_told(dropped):
    part = Part()
    for k in range(600):
        part.now += 10 * PERIOD * (k == 300) * dropped / 10
        part.poll(dropped=dropped if k == 300 else 0)
    assert part.lost == dropped


def test_a_part_that_is_twice_as_fast_as_it_says_is_believed_in_the_end():
    part = Part()
    part.base.start(0, 1e4 / PERIOD / 2, knows_rate=False)
    for _ in range(400):
        part.poll()
    assert part.lost == 0
    assert part.base.period == pytest.approx(PERIOD, rel=2e-3)
