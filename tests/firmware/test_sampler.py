"""Finding, reading, losing and bringing back a sensor: when, after how many faults, and what is told."""

import importlib

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
sampler_module = importlib.import_module("tiltwise_firmware.sensing.sampler")
drivers = importlib.import_module("tiltwise_firmware.drivers")
MS = 10  # of the 100 us that the board counts in


class Part:
    """A driver at 100 Hz whose samples come with the time, and which can fail, fall silent or freeze."""

    burst, overflowed, warning, who = 16, False, None, 0x6C
    rate_hz, nominal_hz, knows_rate = 100.0, 100, True
    gyr_rad_s_per_count, acc_m_s2_per_count, zero_rate_dps = 0.01, 0.01, 1.0
    waits_ms = ()

    def __init__(self, bench, name="part"):
        self.bench, self.name = bench, name
        self.read = 0
        self.is_broken = self.is_silent = self.is_frozen = self.has_woken = False
        self.asleep = 0

    def _answer(self):
        if self.is_broken:
            raise OSError(19, "nobody answers")

    def steps(self):
        self._answer()
        yield from self.waits_ms
        self._answer()
        self.read = self.bench.now // 100
        self.asleep = 0

    def waiting(self):
        self._answer()
        return 0 if self.is_silent else self.bench.now // 100 - self.read

    def read_fifo(self, counts, n):
        for k in range(n):
            self.read += 1
            counts[6 * k : 6 * k + 6] = type(counts)("h", (0, 0, 0, 0, 0, 1000 + self._wobble()))
        return n

    def _wobble(self):
        return 0 if self.is_frozen else self.read % 2

    def temperature_cdeg(self):
        self._answer()
        return 2512

    def self_test(self):
        self._answer()
        return True, False

    def wake_on_motion(self):
        self._answer()
        self.asleep += 1

    def has_moved(self):
        self._answer()
        return self.has_woken


class Frames:
    """The rings: the heads of what is put into them."""

    def __init__(self):
        self.main = self.minutes = self
        self.put_in = []

    def lend_buffer(self):
        return bytearray(300)

    def put(self, _buffer, *head):
        self.put_in.append(head)
        return self.lend_buffer()


class Time:
    """The board's time, in 100 us."""

    clock = None

    def __init__(self):
        self.units = 0

    def now(self):
        return self.units


class Bench:
    """A sampler that is polled every 50 ms."""

    def __init__(self, monkeypatch, addresses=0x6A):
        self.time = Time()
        self.frames, self.told, self.found_at = Frames(), [], []
        self.parts = {0x6A: Part(self)}
        monkeypatch.setattr(sampler_module.drivers, "find", self._find)
        self.sampler = sampler_module.Sampler(2, None, addresses, self.time, self.frames, self._log)

    @property
    def part(self):
        return self.parts[0x6A]

    @property
    def now(self):
        return self.time.units

    def _log(self, *event):
        self.told.append((self.time.units // MS, *event))

    def _find(self, _bus, address, *_):
        self.found_at.append(self.time.units // MS)
        part = self.parts.get(address)
        if part is None or part.is_broken:
            raise OSError(19, f"nothing at {address:#x}")
        return part

    def run(self, ms):
        for _ in range(ms // 50):
            self.time.units += 50 * MS
            self.sampler.poll()

    def events(self):
        return [(code, value) for _, code, value, _ in self.told]


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def test_a_sensor_is_found_at_the_first_poll_and_sampled_from_then_on(bench):
    assert (bench.sampler.is_lost, bench.sampler.is_known, bench.sampler.temperature_cdeg()) == (
        True,
        False,
        0,
    )
    bench.run(50)
    assert (bench.sampler.is_lost, bench.sampler.is_known, bench.sampler.is_new) == (False, True, True)
    bench.run(1000)
    assert bench.sampler.samples == 100
    assert bench.sampler.temperature_cdeg() == 2512
    assert (bench.told, bench.found_at, bench.sampler.address) == ([], [50], 0x6A)
    assert bench.sampler.rate_hz() == pytest.approx(100, rel=0.01)
    assert [wire.RATES_HZ[bench.sampler.rate_codes[kind]] for kind in (wire.ORIENT, wire.RAW)] == [
        50.0,
        100.0,
    ]


@pytest.mark.parametrize(("nominal_hz", "merge"), [(100, 1), (200, 2)])
def test_a_part_at_200_hz_is_averaged_in_pairs(bench, nominal_hz, merge):
    bench.part.nominal_hz, bench.part.rate_hz = nominal_hz, float(nominal_hz)
    bench.run(50)
    assert bench.sampler.fifo.merge == merge
    assert [wire.RATES_HZ[code] for code in bench.sampler.rate_codes.values()] == [50.0, 100.0]


def test_a_configuration_that_waits_goes_on_in_a_later_poll(bench):
    bench.part.waits_ms = (120, 10)
    bench.run(150)
    assert not bench.sampler.is_known
    bench.run(100)  # 50 + 120 ms is over at 200, and 10 ms later at 250
    assert bench.sampler.is_known
    assert bench.found_at == [50]


def test_a_sensor_that_is_not_there_is_looked_for_every_half_second(bench):
    bench.part.is_broken = True
    bench.run(1600)
    assert bench.found_at == [50, 550, 1050, 1550]
    assert bench.events() == [(wire.EVENT_BUS_FAULT, 1)], "told once"
    bench.part.is_broken = False
    bench.run(500)
    assert bench.events() == [(wire.EVENT_BUS_FAULT, 1), (wire.EVENT_BUS_OK, 2000)]
    assert not bench.sampler.is_lost


def test_addresses_are_tried_in_turn_and_the_one_that_answers_is_kept(monkeypatch):
    bench = Bench(monkeypatch, (0x6B, 0x68, 0x6A))
    bench.run(1050)
    assert bench.found_at == [50, 550, 1050]
    assert bench.sampler.address == 0x6A
    bench.part.is_broken = True
    bench.run(3000)
    del bench.parts[0x6A]
    bench.parts[0x6B] = Part(bench)
    bench.run(2000)
    assert bench.sampler.is_lost, "it is expected where it was found"


@pytest.mark.parametrize(("faults", "is_lost"), [(2, False), (3, True)])
def test_three_bus_errors_in_a_row_are_a_lost_sensor(bench, faults, is_lost):
    bench.run(500)
    bench.part.is_broken = True
    bench.run(50 * faults)
    bench.part.is_broken = False
    assert bench.sampler.is_lost is is_lost
    assert bench.events() == ([(wire.EVENT_BUS_FAULT, 3)] if is_lost else [])
    bench.run(50)
    bench.part.is_broken = True
    bench.run(100)
    assert bench.sampler.is_lost is is_lost, "a good read counts them anew"
    assert bench.sampler.faults == 4 - is_lost * 1


def test_what_is_lost_comes_back_half_a_second_later_with_a_gap_that_says_why(bench):
    bench.sampler.select(wire.RAW, 10)
    bench.run(500)
    bench.part.is_broken = True
    bench.run(150)
    bench.part.is_broken = False
    bench.run(450)
    assert bench.sampler.is_lost
    bench.run(50)
    assert not bench.sampler.is_lost
    assert bench.told == [(650, wire.EVENT_BUS_FAULT, 3, 2), (1150, wire.EVENT_BUS_OK, 500, 2)]
    bench.run(500)
    flags = [head[1] for head in bench.frames.put_in if head[0] == wire.RAW]
    both = wire.FLAG_DISCONTINUITY | wire.FLAG_SENSOR_FAULT
    assert [flag for flag in flags if flag] == [both]
    assert bench.found_at[-1] == 1150


def test_a_sensor_that_gives_nothing_is_lost_after_300_ms(bench):
    bench.run(500)
    bench.part.is_silent = True
    bench.run(300)
    assert not bench.sampler.is_lost
    bench.run(50)
    assert bench.events() == [(wire.EVENT_BUS_FAULT, 1)]
    bench.part.is_silent = False
    bench.run(500)
    assert not bench.sampler.is_lost


def test_a_sensor_that_repeats_itself_is_tried_at_ever_longer_times_up_to_a_minute(bench):
    bench.run(500)
    bench.part.is_frozen = True
    bench.run(2000)
    assert bench.events() == []
    bench.run(50)
    assert (bench.sampler.is_stuck, bench.sampler.restarts, bench.sampler.is_lost) == (True, 1, True)
    assert bench.events() == [(wire.EVENT_STUCK, 205)]
    bench.run(400_000)
    stuck_ms = [at for at, code, _, _ in bench.told if code == wire.EVENT_STUCK]
    again_ms = bench.found_at[1:]
    waits = [again - stuck for stuck, again in zip(stuck_ms, again_ms, strict=False)]
    assert waits[:8] == [500, 1000, 2000, 4000, 8000, 16000, 32000, 64000]
    assert set(waits[8:]) == {64000}
    bench.part.is_frozen = False
    bench.run(66_000)
    assert (bench.sampler.is_stuck, bench.sampler.is_lost) == (False, False)
    assert bench.events()[-1][0] == wire.EVENT_BUS_OK


def test_another_part_in_its_place_is_new_and_is_described(bench):
    bench.run(100)
    bench.sampler.is_new = False
    bench.part.is_broken = True
    bench.run(150)
    bench.parts[0x6A] = Part(bench, "other")
    bench.part.warning, bench.part.who = "a poor one", 0x19
    bench.run(500)
    assert bench.sampler.is_new
    assert (wire.EVENT_POOR_SENSOR, 0x19) in bench.events()
    bench.sampler.is_new = False
    bench.part.is_broken = True
    bench.run(150)
    bench.part.is_broken = False
    bench.run(500)
    assert not bench.sampler.is_lost
    assert not bench.sampler.is_new, "the same part again"


def test_a_sleeping_sensor_is_not_read_and_wakes_with_a_gap(bench):
    bench.sampler.select(wire.RAW, 10)
    bench.run(550)
    assert not bench.sampler.has_moved()
    bench.sampler.sleep()
    bench.part.has_woken = True
    before = bench.sampler.samples
    bench.run(10_000)
    assert (bench.part.asleep, bench.sampler.samples, bench.sampler.is_lost) == (1, before, False)
    assert bench.sampler.has_moved()
    bench.part.is_broken = True
    assert not bench.sampler.has_moved()
    bench.part.is_broken = False
    bench.sampler.wake()
    assert not bench.sampler.has_moved()
    bench.run(1000)
    flags = [head[1] for head in bench.frames.put_in if head[0] == wire.RAW and head[1]]
    assert flags == [wire.FLAG_DISCONTINUITY]
    assert bench.told == []


def test_a_self_test_says_what_the_part_says_and_samples_again_after_it(bench):
    assert bench.sampler.self_test() is None
    bench.run(500)
    assert bench.sampler.self_test() == (True, False)
    bench.run(500)
    assert not bench.sampler.is_lost
    bench.part.is_broken = True
    assert bench.sampler.self_test() is None
    assert bench.sampler.temperature_cdeg() == 0


def test_worn_alerts_and_taps_reach_their_places(bench):
    bench.run(100)
    bench.sampler.set_worn(True)
    bench.sampler.count_alert()
    assert (bench.sampler.path.minute.is_worn, bench.sampler.path.minute.alerts) == (True, 1)
    assert bench.sampler.watch_taps(True) is False
    bench.sampler.path.taps.has_double = True
    assert [bench.sampler.watch_taps(True) for _ in range(2)] == [True, False]
    assert bench.sampler.watch_taps(False) is False
    assert bench.sampler.path.taps is None
    bench.sampler.forget_taps()
