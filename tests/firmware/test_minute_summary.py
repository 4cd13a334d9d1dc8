"""A minute's summary by hand: samples, seconds moved and worn, "up" of six times ten seconds."""

import importlib

import pytest

from tiltwise.common import wire
from tiltwise.common.frame import unpack_body
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
Minute = importlib.import_module("tiltwise_firmware.sensing.minute_summary").Minute
RATE = wire.RATES_HZ.index(52.0)  # of ORIENT: the part gives 104 Hz
TEN_S = 100_000  # 100 us


class Frames:
    """The ring of minutes."""

    def __init__(self):
        self.minutes = self
        self.put_in = []

    def lend_buffer(self):
        return bytearray(wire.frame_size(wire.MINUTE))

    def put(self, buffer, *head):
        self.put_in.append((head, unpack_body(bytes(buffer), wire.MINUTE)))
        return self.lend_buffer()


def made():
    frames = Frames()
    minute = Minute(frames, 2)
    minute.begin(5000, 77)
    return minute, frames.put_in


def test_a_minute_says_where_it_began_and_what_was_in_it():
    minute, put_in = made()
    minute.is_worn = True
    for k in range(60):
        minute.add_second(104, is_moving=k < 20)
        minute.is_worn = k < 40
    minute.alerts = 3
    minute.end(605_000, 3197, RATE)
    minute.end(1_205_000, 6317, RATE)
    ((head, body),) = put_in  # a minute without samples makes none
    assert head == (wire.MINUTE, 0, 77, 5000, 0, 2, RATE)
    assert body[:4] == (6240, 20, 41, 3)
    minute.add_second(104, is_moving=False)
    minute.end(1_805_000, 0, RATE)
    head, body = put_in[1]
    assert head[2:4] == (6317, 1_205_000)
    assert body[:4] == (104, 0, 0, 0), "each minute counts for itself"


@pytest.mark.parametrize(("is_worn", "told"), [(None, 255), (False, 0), (True, 10)])
def test_worn_seconds_are_told_when_it_is_known(is_worn, told):
    minute, put_in = made()
    minute.add_second(5, is_moving=True)
    minute.is_worn = is_worn
    for _ in range(10):
        minute.add_second(104, is_moving=True)
    minute.end(9, 9, RATE)
    assert put_in[0][1][1:3] == (10, told)


def test_numbers_stay_in_their_bytes():
    minute, put_in = made()
    minute.is_worn, minute.alerts = True, 300
    minute.add_second(70_000, is_moving=True)
    minute.end(9, 9, RATE)
    assert put_in[0][1][:4] == (65535, 60, 60, 255)


@pytest.mark.parametrize(
    ("at", "tenth"),
    [(-1, 0), (0, 0), (TEN_S - 1, 0), (TEN_S, 1), (3 * TEN_S - 1, 2), (5 * TEN_S, 5), (7 * TEN_S, 5)],
)
def test_up_is_the_mean_of_its_ten_seconds_in_127ths(at, tenth):
    minute, put_in = made()
    minute.add_second(1, is_moving=False)
    minute.add_up(5000 + at, (300, 0, -400))
    minute.add_up(5000 + at, (0, 0, 0))
    minute.end(9, 9, RATE)
    ups = put_in[0][1][4:]
    expected = [0] * 18
    expected[3 * tenth : 3 * tenth + 3] = [76, 0, -102]  # 0.6 and 0.8
    assert list(ups) == expected


def test_up_of_different_looks_is_added_before_it_is_made_a_unit():
    minute, put_in = made()
    minute.add_second(1, is_moving=False)
    for up in ((1000, 0, 0), (0, 1000, 0), (0, 2000, 0)):
        minute.add_up(5000, up)
    minute.end(9, 9, RATE)
    assert put_in[0][1][4:7] == (40, 120, 0)  # 1 and 3 of sqrt(10)
    minute.add_second(1, is_moving=False)
    minute.end(9, 9, RATE)
    assert not any(put_in[1][1][4:])
