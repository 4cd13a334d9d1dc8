"""Where the firmware looks for its IMUs: each keeps its number, and no address is looked at by two."""

import importlib

import pytest

from tiltwise.firmware_files import load_firmware
from tiltwise.sim.parts import SimFiles

load_firmware()
places = importlib.import_module("tiltwise_firmware.places")
settings = importlib.import_module("tiltwise_firmware.settings")

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
    assert places.places(ALL, answering, before) == wanted


@pytest.mark.parametrize("answering", [[], [0x6A], [0x69], [0x6A, 0x6B], [0x68, 0x69], list(ALL)])
@pytest.mark.parametrize("imus", [1, 2])
@pytest.mark.parametrize("pair", [(0, 0), (0x6A, 0x6B), (0x69, 0x6A), (0x50, 0x51)])
def test_no_address_is_looked_at_by_two(answering, imus, pair):
    found = places.places(ALL, answering, known(imus, *pair))
    seen = [a for place in found for a in (place if isinstance(place, tuple) else (place,))]
    assert len(seen) == len(set(seen))
    assert len(found) == max(imus, min(len(answering), 2))
    assert set(seen) <= set(ALL)
    assert set(answering[:1]) <= set(seen)


def test_two_that_answer_are_noted_once_and_not_over_a_damaged_file():
    before = known()
    files = before._files
    places.remember([0x6A, 0x69], [0x6A, 0x69], before)
    assert [before.get(key) for key in ("imus", "imu_a", "imu_b")] == [2, 0x6A, 0x69]
    writes = files.writes
    places.remember([0x6A, 0x69], [0x6A, 0x69], settings.Settings(files))
    assert files.writes == writes
    places.remember([0x6A, (0x69,)], [0x6A], before)  # one is missing: what was noted stays
    assert before.get("imu_b") == 0x69
    files.files[settings.FILE] = b"noise"
    damaged = settings.Settings(files)
    places.remember([0x6A, 0x69], [0x6A, 0x69], damaged)
    assert files.files[settings.FILE] == b"noise"
