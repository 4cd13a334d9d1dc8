"""Samples to frames: what a frame holds, when it ends, its flags, and the wire's units by hand."""

import importlib
import struct

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
framer = importlib.import_module("tiltwise_firmware.sensing.framer")
ONE = 1 << 29  # of the fusion's quaternions
SENSOR = 1


class Frames:
    """The ring: keeps what is put into it."""

    def __init__(self):
        self.main = self
        self.put_in = []

    def lend_buffer(self):
        return bytearray(300)

    def put(self, buffer, *head):
        self.put_in.append((head, bytes(buffer)))
        return bytearray(300)


def made(samples_per_frame=4):
    frames = Frames()
    return framer.Framer(frames, SENSOR, samples_per_frame), frames.put_in


def orient(frame, n):
    return [list(struct.unpack_from("<7h", frame, wire.HEADER_SIZE + 14 * k)) for k in range(n)]


def add(making, index, q=(ONE, 0, 0, 0), acc=(0, 0, 0)):
    making.add_orient(index, 1000 + 10 * index, q, *acc)


def test_a_frame_says_type_flags_first_index_and_time_number_sensor_and_rate():
    making, put_in = made()
    for k in range(7, 12):
        add(making, k)
    ((head, frame),) = put_in
    assert head == (wire.ORIENT, 0, 7, 1070, 4, SENSOR, wire.RATES_HZ.index(52.0))
    assert orient(frame, 4) == [[32767, 0, 0, 0, 0, 0, 0]] * 4
    making.close()
    assert put_in[1][0][2:5] == (11, 1110, 1)
    making.close()
    assert len(put_in) == 2, "nothing is no frame"


def test_raw_frames_hold_the_counts_as_they_are():
    making, put_in = made()
    making.select(wire.RAW, 2)
    counts = list(range(100, 118))
    for k in range(2):
        making.add_raw(40 + k, 9000 + k, counts, 6 * (k + 1))
    ((head, frame),) = put_in
    assert head == (wire.RAW, 0, 40, 9000, 2, SENSOR, wire.RATES_HZ.index(104.0))
    assert struct.unpack_from("<12h", frame, wire.HEADER_SIZE) == tuple(range(106, 118))


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (ONE, 32767), (-ONE, -32767), (ONE // 2, 16383), (0, 0), (8191, 0), (8192, 1), (-8192, 0), (-8193, -1),
        (2 * ONE, 32767), (-2 * ONE, -32768), (ONE + 3 * 16384, 32767), (-ONE - 2 * 16384, -32768),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", range(4))
def test_quaternions_are_rounded_and_held_in_int16(place, value, count):
    making, put_in = made(1)
    q = [0, 0, 0, 0]
    q[place] = value
    add(making, 0, q)
    expected = [0] * 7
    expected[place] = count
    assert orient(put_in[0][1], 1)[0] == pytest.approx(expected, abs=1 if abs(value) == ONE // 2 else 0)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    ("scale", "counts", "told"),
    [
        (1.0, 8192, 8192),
        (2.0, 100, 200),
        (0.5, 3, 2),
        (0.5, -3, -1),
        (2.0, 20000, 32767),
        (2.0, -20000, -32768),
    ],
)
def test_accelerations_come_in_the_wires_unit_and_are_held_in_int16(place, scale, counts, told):
    making, put_in = made(1)
    making.describe(104, scale * wire.ORIENT_ACC_M_S2_PER_COUNT)
    acc, expected = [0, 0, 0], [32767, 0, 0, 0, 0, 0, 0]
    acc[place], expected[4 + place] = counts, told
    add(making, 0, acc=acc)
    assert orient(put_in[0][1], 1)[0] == expected


@pytest.mark.parametrize("nominal_hz", [104, 100, 120, 52, 50, 60])
def test_the_rates_are_the_parts_and_half_of_it(nominal_hz):
    making, put_in = made(1)
    making.describe(nominal_hz, wire.ORIENT_ACC_M_S2_PER_COUNT)
    add(making, 0)
    making.select(wire.RAW, 1)
    making.add_raw(0, 0, [0] * 6, 0)
    assert [wire.RATES_HZ[head[-1]] for head, _ in put_in] == [nominal_hz / 2, nominal_hz]


def test_another_type_ends_the_frame_begun():
    making, put_in = made()
    add(making, 0)
    making.select(wire.RAW, 9)
    assert put_in[0][0][0] == wire.ORIENT
    assert (making.frame_type, making.samples_per_frame) == (wire.RAW, 9)


def test_a_flag_ends_the_frame_begun_and_is_on_the_next_one_only():
    making, put_in = made(2)
    add(making, 0)
    making.flag_next(wire.FLAG_DISCONTINUITY)
    making.flag_next(wire.FLAG_SENSOR_FAULT)
    for k in range(5, 9):
        add(making, k)
    both = wire.FLAG_DISCONTINUITY | wire.FLAG_SENSOR_FAULT
    assert [(head[1], head[2], head[4]) for head, _ in put_in] == [(0, 0, 1), (both, 5, 2), (0, 7, 2)]


def test_a_state_is_on_every_frame_that_has_a_sample_of_it():
    making, put_in = made(2)
    add(making, 0)
    making.set_sticky_flags(wire.FLAG_MOTOR_ON)
    for k in range(1, 5):
        add(making, k)
    making.set_sticky_flags(0)
    for k in range(5, 8):
        add(making, k)
    on = wire.FLAG_MOTOR_ON
    assert [head[1] for head, _ in put_in] == [on, on, on, 0]
