"""Frames in pieces: all sizes of packets, losses, and whole frames in between."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiltwise.common import fragments, wire
from tiltwise.common.frame import open_frame


def frame(n, first=0x11):
    return bytes([first]) + random.Random(n).randbytes(n - 1)


def pieces(data, payload):
    """Return the notifications that a frame becomes."""
    if len(data) <= payload:
        return [data]
    splitter = fragments.Splitter()
    splitter.take(None, data, len(data))
    out = []
    while not splitter.is_empty(None):
        piece = bytes(splitter.piece(payload))
        assert bytes(splitter.piece(payload)) == piece  # refused and offered again
        out.append(piece)
        splitter.done()
    return out


@given(st.integers(26, 244), st.integers(20, 244))
def test_every_frame_comes_back_at_every_size(n, payload):
    joiner = fragments.Joiner()
    parts = pieces(frame(n), payload)
    assert all(len(part) <= payload for part in parts)
    assert [joiner.feed(part) for part in parts] == [None] * (len(parts) - 1) + [frame(n)]
    assert joiner.broken == 0


def test_pieces_are_numbered_and_marked_as_documented():
    parts = pieces(frame(50), 20)
    assert [part[0] for part in parts] == [0x80, 0x01, 0x42]
    assert [len(part) for part in parts] == [20, 20, 13]


def test_no_piece_looks_like_a_whole_frame():
    longest = wire.frame_size(wire.ORIENT, wire.MAX_SAMPLES)
    for payload in range(20, longest):
        assert all(part[0] >> 4 != wire.VERSION for part in pieces(frame(longest), payload))


@pytest.mark.parametrize("seed", range(5))
def test_lost_pieces_cost_their_frames_and_no_wrong_frame_gets_past_its_tag(seed):
    rng = random.Random(seed)
    joiner = fragments.Joiner()
    sent, heard = [], []
    for k in range(400):
        data = bytearray(wire.frame_size(wire.ORIENT, 10))
        wire.pack_header_into(data, wire.ORIENT, 0, 1, k, 0, 0, 10, 0, 6)
        data[18:158] = rng.randbytes(140)
        wire.seal(data, len(data))
        parts = pieces(bytes(data), rng.choice((20, 20, 100, 244)))
        kept = [part for part in parts if rng.random() > 0.02]
        if len(kept) == len(parts):
            sent.append(bytes(data))
        for part in kept:
            out = joiner.feed(part)
            if out is not None:
                try:
                    open_frame(out)
                    heard.append(out)
                except wire.WireError:
                    pass
    assert heard == sent
    assert joiner.broken > 10


@given(st.lists(st.binary(max_size=244), max_size=40))
def test_any_notifications_are_survived(notifications):
    joiner = fragments.Joiner()
    for notification in notifications:
        out = joiner.feed(notification)
        assert out is None or len(out) <= 244


def test_cleared_splitter_sends_nothing_more():
    splitter = fragments.Splitter()
    splitter.take("host", frame(100), 100)
    splitter.piece(20)
    splitter.clear("host")
    splitter.done()
    assert splitter.is_empty("host")


def test_each_frame_given_up_is_counted_once():
    """The parts of a frame, then what comes in place of its end."""
    first, second, last = pieces(frame(50), 20)
    for instead, count, heard in (
        ([second, last], 0, [None, frame(50)]),
        ([last], 1, [None]),  # one is missing
        ([frame(20), last], 1, [frame(20), None]),  # a whole frame, and the end too late
        ([first, second, last], 1, [None, None, frame(50)]),  # begun again
        ([b""], 0, [None]),
    ):
        joiner = fragments.Joiner()
        assert joiner.feed(first) is None
        assert [joiner.feed(part) for part in instead] == heard
        assert joiner.broken == count, instead
    joiner = fragments.Joiner()
    assert joiner.feed(last) is None
    assert joiner.broken == 0, "of a frame whose beginning was not heard nothing was given up"
    joiner.feed(first)
    heard = [joiner.feed(bytes([number]) + bytes(40)) for number in range(1, 16)]
    assert not any(heard)
    assert joiner.broken == 1, "longer than any frame"


def test_what_is_left_of_a_frame_goes_to_its_own_peer_only():
    splitter = fragments.Splitter()
    splitter.take("before", frame(100), 100)
    splitter.clear("another")
    assert not splitter.is_empty("before")
    assert splitter.is_empty("another")
    splitter.take("another", frame(50), 50)
    assert splitter.is_empty("before")
    splitter.clear("before")
    assert bytes(splitter.piece(20)) == bytes([fragments.FIRST]) + frame(50)[:19]
