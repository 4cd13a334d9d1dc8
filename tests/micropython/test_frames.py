"""The same scenario gives the same frames under CPython and under MicroPython."""

import struct

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_header
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise_lab.vm.compiled import compiled_firmware
from tiltwise_lab.vm.nodding_motion import NoddingMotion
from tiltwise_lab.vm.process import firmware_on_board
from tiltwise_lab.vm.vm_board import VmBoard

SECONDS = 30.0
# Both calculate in double precision with the same operations in the same order, so the counts are expected to be
# equal; a decimal constant read half an ulp apart may turn a rounding, which is one count.
MOST_LSB = 1
MOST_DIFFERING = 0.001  # of all counts


def under_cpython(stream, spoil, **options):
    part = Lsm6dsox(seed=1)
    NoddingMotion(part)(SECONDS + 1)
    board = SimBoard([part], stream=stream, is_bare=True, **options)
    return run(board, spoil)


def under_micropython(stream, spoil, **options):
    part = Lsm6dsox(seed=1)
    NoddingMotion(part)(SECONDS + 1)
    board = VmBoard([part], stream=stream, **options)
    try:
        board.run_firmware()
        return run(board, spoil)
    finally:
        board.close()


def run(board, spoil):
    frames = board.step(SECONDS / 3)
    spoil(board)
    frames += board.step(2 * SECONDS / 3)
    board.bus.plug(0x6A)
    return frames + board.step(SECONDS)


def nothing(_board):
    """All is well; the sensor is taken for replugged later, in both."""


def unplug(board):
    board.bus.unplug(0x6A)


def bus_errors(board):
    board.bus.fail_next = 2


def counts(frame):
    header = unpack_header(frame)
    size = wire.SAMPLE_SIZES.get(header[0])
    if size is None:
        return np.frombuffer(frame[wire.HEADER_SIZE : -wire.TAG_SIZE], dtype=np.uint8).astype(int)
    return np.array(struct.unpack_from(f"<{header[6] * size // 2}h", frame, wire.HEADER_SIZE))


@pytest.mark.parametrize("ticks_offset", [0, (1 << 30) - 5_000_000])
@pytest.mark.parametrize("spoil", [nothing, unplug, bus_errors])
def test_orientation_frames_are_equal(spoil, ticks_offset):
    ours = under_cpython(wire.ORIENT, spoil, ticks_offset=ticks_offset)
    theirs = under_micropython(wire.ORIENT, spoil, ticks_offset=ticks_offset)
    compare(ours, theirs)


@pytest.mark.parametrize("spoil", [nothing, unplug])
def test_compiled_firmware_makes_the_frames_of_the_source_to_the_bit(spoil):
    """What is resolved and left out on the way to a board changes no bit of any frame."""
    theirs = under_micropython(wire.ORIENT, spoil, files=compiled_firmware())
    assert theirs == under_micropython(wire.ORIENT, spoil)
    compare(under_cpython(wire.ORIENT, spoil), theirs)


def compare(ours, theirs):
    assert len(theirs) == len(ours) > 50
    # Type, flags, boot, number, index, time, count, rate: to the bit.
    assert [open_frame(f)[:9] for f in theirs] == [open_frame(f)[:9] for f in ours]
    a = np.concatenate([counts(f) for f in ours])
    b = np.concatenate([counts(f) for f in theirs])
    differing = int((a != b).sum())
    print(f"{differing} of {len(a)} counts differ, by {np.abs(a - b).max()} at most")
    assert np.abs(a - b).max() <= MOST_LSB
    assert differing <= MOST_DIFFERING * len(a)


@pytest.mark.parametrize("make_files", [firmware_on_board, compiled_firmware])
def test_raw_frames_are_equal_to_the_bit(make_files):
    """From source and as `tiltwise setup` compiles it: with constants resolved and unused code left out."""
    ours = under_cpython(wire.RAW, nothing)
    theirs = under_micropython(wire.RAW, nothing, files=make_files())
    raw = [f for f in ours if unpack_header(f)[0] == wire.RAW]
    assert len(raw) > 150
    assert [f for f in theirs if unpack_header(f)[0] == wire.RAW] == raw
