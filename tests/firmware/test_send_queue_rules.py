"""What one host gets of the frames, number by number: credits, window, ranges sent again, and what is not held."""

import importlib
import struct

import pytest

from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware

load_firmware()
SendQueue = importlib.import_module("tiltwise_firmware.comms.send_queue").SendQueue
config = importlib.import_module("tiltwise_firmware.config")

BOOT = 7


class Ring:
    """Numbers that are held, each frame being its number."""

    def __init__(self, seqs):
        self.seqs = list(seqs)

    @property
    def used(self):
        return len(self.seqs)

    def find(self, seq):
        return next((k for k, held in enumerate(self.seqs) if held >= seq), self.used)

    def seq_at(self, position):
        return self.seqs[position]

    frame_at = seq_at

    def size_at(self, position):
        return 100 + self.seqs[position]


class Frames:
    """A FrameStore of one boot, and one before."""

    boot = BOOT

    def __init__(self, seqs, earlier=()):
        self.ring, self.earlier = Ring(seqs), Ring(earlier)
        self.next_seq = max(self.ring.seqs, default=-1) + 1

    def find(self, seq):
        return self.ring if self.ring.find(seq) < self.ring.used else None

    def earlier_boot(self, boot):
        return self.earlier if boot == BOOT - 1 else None


class Link:
    """Takes so many frames, and notes (number, size, flags)."""

    def __init__(self, room=10**6):
        self.room, self.sent = room, []

    def __call__(self, frame, size, flags):
        if len(self.sent) >= self.room:
            return False
        self.sent.append((frame, size, flags))
        return True

    @property
    def seqs(self):
        return [seq for seq, *_ in self.sent]


def queue_of(seqs=range(100), earlier=(), room=10**6, window=0):
    link = Link(room)
    return SendQueue(Frames(seqs, earlier), link, window), link


def run(queue):
    for _ in range(100):
        if not queue.step():
            return


def test_streaming_begins_with_the_next_frame_and_ends_with_the_credits():
    queue, link = queue_of(range(10))
    assert not queue.is_waiting
    assert queue.start("orient")
    assert not queue.start("orient"), "repeated, it changes nothing"
    assert queue.start("raw"), "another stream is a new one"
    queue._frames.ring.seqs += range(10, 200)
    run(queue)
    assert link.sent[0] == (10, 110, 0)
    assert link.seqs == list(range(10, 10 + config.CREDITS))
    assert queue.is_waiting
    queue.acknowledge(12, config.CREDITS)
    assert not queue.is_waiting
    run(queue)
    assert link.seqs[-1] == 12 + config.CREDITS
    queue.grant_credits(3)
    run(queue)
    assert link.seqs[-1] == 12 + config.CREDITS + 3
    queue.stop()
    queue.grant_credits(3)
    run(queue)
    assert link.seqs[-1] == 12 + config.CREDITS + 3
    assert not queue.is_waiting


def test_a_frame_that_is_refused_is_tried_again_and_none_is_left_out():
    queue, link = queue_of(range(0))
    queue.start("orient")
    queue._frames.ring.seqs += range(20)
    link.room = 5
    run(queue)
    assert link.seqs == list(range(5))
    link.room = 7
    run(queue)
    assert link.seqs == list(range(7))


def test_a_step_sends_no_more_than_its_share():
    queue, link = queue_of(range(0))
    queue.start("orient")
    queue._frames.ring.seqs += range(50)
    assert queue.step()
    assert len(link.sent) == config.FRAMES_PER_STEP


def test_no_more_than_the_window_is_on_the_way_until_the_host_is_heard():
    queue, link = queue_of(range(0), window=4)
    queue.start("orient")
    queue._frames.ring.seqs += range(30)
    assert not queue.is_full
    run(queue)
    assert (link.seqs, queue.in_flight, queue.is_full) == (list(range(4)), 4, True)
    queue.in_flight = 0
    run(queue)
    assert link.seqs == list(range(8))
    queue.stop()
    assert queue.in_flight == 0


def done(queue):
    boot, first, last, n = struct.unpack_from(wire.GET_DONE_BODY, queue.done_body())
    pairs = struct.iter_unpack("<II", queue.done_body()[struct.calcsize(wire.GET_DONE_BODY) :])
    gone = list(pairs)
    assert len(gone) == n
    return boot, first, last, gone


def test_a_range_is_sent_again_as_backfill_and_ends_with_what_is_not_held():
    queue, link = queue_of([0, 1, 4, 5, 9])
    assert queue.get(33, BOOT, 1, 7)
    assert (queue.request_id, queue.is_done) == (33, False)
    run(queue)
    assert link.sent == [
        (1, 101, wire.FLAG_BACKFILL),
        (4, 104, wire.FLAG_BACKFILL),
        (5, 105, wire.FLAG_BACKFILL),
    ]
    assert queue.is_done
    assert done(queue) == (BOOT, 1, 7, [(2, 3), (6, 7)])
    queue.stop()
    assert (queue.request_id, queue.is_done) == (None, False)


def test_a_range_ends_with_the_newest_frame_and_one_in_the_future_is_refused():
    queue, link = queue_of(range(5))
    assert not queue.get(1, BOOT, 5, 9)
    assert not queue.get(1, BOOT + 1, 0, 3), "a boot that is not known"
    assert queue.get(2, BOOT, 4, 9)
    run(queue)
    assert (link.seqs, done(queue)) == ([4], (BOOT, 4, 4, []))


def test_frames_of_an_earlier_boot_come_from_its_own_ring():
    queue, link = queue_of(range(5), earlier=[3, 4])
    assert queue.get(2, BOOT - 1, 2, 5)
    run(queue)
    assert (link.seqs, done(queue)) == ([3, 4], (BOOT - 1, 2, 5, [(2, 2), (5, 5)]))
    assert queue.get(3, BOOT, 0, 0)
    run(queue)
    assert (link.seqs, done(queue)) == ([3, 4, 0], (BOOT, 0, 0, []))


def test_a_list_of_twelve_holes_ends_the_answer_early():
    queue, link = queue_of(range(0, 60, 2))
    assert queue.get(2, BOOT, 1, 59)
    run(queue)
    _, first, last, gone = done(queue)
    assert (first, gone) == (1, [(k, k) for k in range(1, 25, 2)])
    assert last == 23, "the host asks on from here"
    assert link.seqs == list(range(2, 24, 2))


def test_live_frames_and_those_sent_again_take_turns():
    queue, link = queue_of(range(10))
    queue.start("orient")
    queue._frames.ring.seqs += range(10, 14)
    queue._frames.next_seq = 14
    queue.get(1, BOOT, 0, 3)
    run(queue)
    assert link.seqs == [10, 0, 11, 1, 12, 2, 13, 3]


@pytest.mark.parametrize("stopped", [False, True])
def test_what_is_refused_again_is_sent_again_unless_it_was_stopped(stopped):
    queue, link = queue_of(range(5), room=1)
    queue.get(1, BOOT, 0, 2)
    run(queue)
    link.room = 10
    if stopped:
        queue.stop()
    run(queue)
    assert link.seqs == ([0] if stopped else [0, 1, 2])
