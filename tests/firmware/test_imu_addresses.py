"""Where the firmware looks for its IMUs: each keeps its number, and no address is looked at by two."""

import importlib

import pytest

from sim.imu_parts import put_config, steady
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import SimFiles
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox

load_firmware()
imu_addresses = importlib.import_module("tiltwise_firmware.sensing.imu_addresses")
settings = importlib.import_module("tiltwise_firmware.storage.board_settings")

sensors = importlib.import_module("tiltwise_firmware.drivers")

ALL = (0x6A, 0x6B, 0x68, 0x69)  # as on a real board


def known(imus=1, a=0, b=0):
    made = settings.Settings(SimFiles())
    made.update((("imus", imus), ("imu_a", a), ("imu_b", b)))
    return made


@pytest.mark.parametrize(
    ("answering", "before", "wanted"),
    [
        ([0x6B], known(), [0x6B]),
        ([], known(), [ALL]),  # a lone one may turn up anywhere
        ([0x6A, 0x69], known(), [0x6A, 0x69]),
        ([0x6A, 0x6B, 0x68], known(), [0x6A, 0x6B]),  # two at most
        ([0x6B], known(2, 0x6A, 0x6B), [0x6A, 0x6B]),  # the second keeps its number
        ([0x6A], known(2, 0x6A, 0x6B), [0x6A, 0x6B]),
        ([], known(2, 0x6A, 0x69), [0x6A, 0x69]),
        ([0x6A, 0x68], known(2, 0x6A, 0x6B), [0x6A, 0x68]),  # another part in the place of one
        ([0x68], known(2, 0x6A, 0x6B), [0x68, 0x6B]),
        ([0x6B], known(2, 0x6B, 0x6A), [0x6B, 0x6A]),
        ([0x6B], known(1, 0x6A, 0x6B), [0x6B]),  # told to be alone
        ([0x6A], known(2), [0x6A, (0x6B, 0x68, 0x69)]),  # set, and never seen
        ([], known(2), [(0x6A, 0x68), (0x6B, 0x69)]),
    ],
)
def test_each_sensor_is_looked_for_where_it_was(answering, before, wanted):
    assert imu_addresses.assign(ALL, answering, before) == wanted


@pytest.mark.parametrize("answering", [[], [0x6A], [0x69], [0x6A, 0x6B], [0x68, 0x69], list(ALL)])
@pytest.mark.parametrize("imus", [1, 2])
@pytest.mark.parametrize("pair", [(0, 0), (0x6A, 0x6B), (0x69, 0x6A), (0x50, 0x51)])
def test_no_address_is_looked_at_by_two(answering, imus, pair):
    found = imu_addresses.assign(ALL, answering, known(imus, *pair))
    seen = [a for place in found for a in (place if isinstance(place, tuple) else (place,))]
    assert len(seen) == len(set(seen))
    assert len(found) == max(imus, min(len(answering), 2))
    assert set(seen) <= set(ALL)
    assert set(answering[:1]) <= set(seen)


def test_two_that_answer_are_noted_once_and_not_over_a_damaged_file():
    before = known()
    files = before._files
    imu_addresses.remember([0x6A, 0x69], before)
    assert [before.get(key) for key in ("imus", "imu_a", "imu_b")] == [2, 0x6A, 0x69]
    writes = files.writes
    imu_addresses.remember([0x6A, 0x69], settings.Settings(files))
    assert files.writes == writes
    imu_addresses.remember([0x6A], before)  # one is missing: what was noted stays
    assert before.get("imu_b") == 0x69
    files.files[settings.FILE] = b"noise"
    damaged = settings.Settings(files)
    imu_addresses.remember([0x6A, 0x69], damaged)
    assert files.files[settings.FILE] == b"noise"


class ClockChip:
    """A DS3231: 19 registers of BCD and flags at 0x68, read round and round. Its seconds pass for a BMI270 at 24."""

    def __init__(self, seconds):
        self.registers = bytearray(19)
        self.start = seconds
        self.now_s = 0.0
        self.written = []

    def run_to(self, now_s):
        self.now_s = now_s

    def read(self, register, n):
        seconds = (self.start + int(self.now_s)) % 60
        self.registers[0] = seconds // 10 << 4 | seconds % 10
        return bytes(self.registers[(register + k) % 19] for k in range(n))

    def write(self, register, data):
        self.written.append((register, data))


@pytest.mark.parametrize("seconds", [0, 24])
def test_a_clock_chip_at_the_address_of_an_imu_is_never_remembered_as_one(seconds, tmp_path, monkeypatch):
    put_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    part, chip = Lsm6dsox(seed=1), ClockChip(seconds)
    steady(part, 20)
    board = SimBoard([part, chip], addresses=(0x6A, 0x68))
    frames = board.step(20)
    assert sum(unpack_header(frame)[0] == wire.ORIENT for frame in frames) > 90
    assert [board.app.settings.get(key) for key in ("imus", "imu_a", "imu_b")] == [1, 0, 0]
    if seconds != 24:
        assert [sampler.address for sampler in board.app.samplers] == [0x6A]
        assert chip.written == []
    chip.start += 10
    board.restart()
    assert [sampler.address for sampler in board.app.samplers] == [0x6A]


def test_an_imu_that_comes_late_is_found_beside_a_clock_chip():
    part, chip = Lsm6dsox(seed=1), ClockChip(0)
    steady(part, 20)
    board = SimBoard([part, chip], addresses=(0x6A, 0x68))
    board.bus.unplug(0x6A)
    board.restart()
    board.start()
    board.step(5)
    assert isinstance(board.app.samplers[0].problem, sensors.UnknownPartError)
    board.bus.plug(0x6A)
    frames = board.step(20)
    assert sum(unpack_header(frame)[0] == wire.ORIENT for frame in frames) > 60
    assert board.app.samplers[0].address == 0x6A


def test_two_sensors_that_work_are_remembered_by_the_running_board():
    parts = [Lsm6dsox(seed=1), Lsm6dsox(seed=2)]
    for part in parts:
        steady(part, 10)
    board = SimBoard(parts)
    board.step(0.01)
    assert board.app.settings.get("imus") == 1, "both answer; neither is set up yet"
    board.step(5)
    assert [board.app.settings.get(key) for key in ("imus", "imu_a", "imu_b")] == [2, 0x6A, 0x6B]
