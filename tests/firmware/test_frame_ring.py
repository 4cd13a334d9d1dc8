"""The ring keeps frames until they are freed, drops the oldest when full and says so."""

import importlib

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
FrameRing = importlib.import_module("tiltwise_firmware.comms.frame_ring").FrameRing
frame_store = importlib.import_module("tiltwise_firmware.comms.frame_store")
FrameStore = frame_store.FrameStore


def filled(count, frames, first=0):
    """A ring into which numbered frames were put; byte 0 tells the number."""
    ring = FrameRing(count, 8)
    buffer = ring.lend_buffer()
    for seq in range(first, first + frames):
        buffer[0], buffer[1] = seq & 0xFF, 0
        buffer = ring.put(buffer, 2, seq)
    return ring


def held(ring):
    return [ring.seq_at(k) for k in range(ring.used)]


def test_frames_come_out_in_order_with_their_bytes():
    ring = filled(8, 5)
    assert held(ring) == [0, 1, 2, 3, 4]
    assert [ring.frame_at(k)[0] for k in range(5)] == [0, 1, 2, 3, 4]
    assert ring.size_at(0) == 2


@pytest.mark.parametrize("frames", [9, 16, 17, 100])
def test_full_ring_drops_the_oldest_counts_them_and_flags_the_next(frames):
    ring = filled(8, frames)
    assert held(ring) == list(range(frames - 8, frames))
    assert ring.lost == frames - 8
    assert ring.frame_at(0)[1] == wire.FLAG_LOSS_BEFORE
    assert [ring.frame_at(k)[0] for k in range(8)] == [seq & 0xFF for seq in range(frames - 8, frames)]


def test_ring_of_one_flags_the_frame_that_replaces_another():
    assert filled(1, 2).frame_at(0)[1] == wire.FLAG_LOSS_BEFORE


def test_no_two_places_share_a_buffer():
    ring = filled(8, 100)
    for k in range(8):
        ring.frame_at(k)[7] = k
    assert [ring.frame_at(k)[7] for k in range(8)] == list(range(8))


def test_freeing_is_up_to_and_with_the_number_and_idempotent():
    ring = filled(8, 12)
    ring.free_to(6)
    ring.free_to(6)
    ring.free_to(2)
    assert held(ring) == [7, 8, 9, 10, 11]
    ring.free_to(1000)
    assert held(ring) == []
    assert ring.lost == 4  # freeing is no loss


@pytest.mark.parametrize(("seq", "position"), [(0, 0), (4, 0), (5, 1), (11, 7), (12, 8)])
def test_find_gives_the_first_frame_from_a_number_on(seq, position):
    assert filled(8, 12).find(seq) == position


def test_minutes_survive_what_pushes_samples_out():
    frames = FrameStore(1, 10, 20, 10)
    samples, minutes = frames.main.lend_buffer(), frames.minutes.lend_buffer()
    for k in range(200):
        samples = frames.put(samples, wire.ORIENT, 0, 0, 0, 10, 0, 6)
        if k % 20 == 0:
            minutes = frames.put(minutes, wire.MINUTE, 0, 0, 0, 0, 0, 6)
    assert frames.main.lost == 190
    assert frames.minutes.used == 10
    assert frames.oldest() == 1  # the first minute
    found, seq = [], 0
    while (ring := frames.find(seq)) is not None:
        seq = ring.seq_at(ring.find(seq)) + 1
        found.append(seq - 1)
    assert found == sorted(set(found))
    assert len(found) == 20


def test_any_number_of_producers_borrows_a_buffer_of_its_own():
    """Two sensors and the board's own frames are three today; a fourth producer must not die for want of a buffer."""
    ring = FrameRing(4, 8)
    buffers = [ring.lend_buffer() for _ in range(7)]
    for seq, buffer in enumerate(buffers):
        buffer[0] = seq
        buffers[seq] = ring.put(buffer, 2, seq)
    assert held(ring) == [3, 4, 5, 6]
    assert [ring.frame_at(k)[0] for k in range(4)] == [3, 4, 5, 6]
    for k, buffer in enumerate(buffers):
        buffer[7] = k
    assert [buffer[7] for buffer in buffers] == list(range(7))


def test_an_archive_that_holds_nothing_is_not_looked_through_for_each_frame():
    """Asked 42 times a second it took 2 % of a Pico's time; one that holds minutes is looked through."""

    class Archive:
        reads, has_minutes = 0, False

        def begin(self, _boot):
            self.reads = 0

        def holds(self, _boot):
            return self.has_minutes

        def read(self, _boot, _seq, _buffer):
            self.reads += 1

    archive = Archive()
    frames = FrameStore(1, 16, 4, 10, archive)
    frames.put(frames.main.lend_buffer(), wire.ORIENT, 0, 0, 0, 10, 0, 6)
    assert frames.find(0) is frames.main
    assert archive.reads == 0
    archive.has_minutes = True
    assert frames.find(0) is frames.main
    assert archive.reads > 0


def test_memory_holds_few_minutes_where_flash_holds_the_rest():
    class Archive:
        def begin(self, _boot):
            pass

    assert frame_store.make(1, 16, 30, 10).minutes.capacity == 30
    assert frame_store.make(1, 16, 30, 10, Archive()).minutes.capacity == 6
    assert frame_store.make(1, 16, 4, 10, Archive()).minutes.capacity == 4
