"""Frame numbers in, in any order: what comes out when, what is missing, and what was counted."""

import pytest

from decode.frame_builders import status_frame
from tiltwise.decode.decoder import Decoder
from tiltwise.decode.messages import Status
from tiltwise.decode.sequencer import WINDOW, MissingRange, Sequencer, _Boot, _pieces

TOP = 1 << 32


def fed(decoder, *seqs, boot=7):
    """Feed STATUS frames of these numbers; return the numbers that come out, told by their time."""
    items = [item for seq in seqs for item in decoder.feed(status_frame(seq, 10 * (seq % 1000), boot))]
    return [round(item.t_s * 1000) for item in items if isinstance(item, Status)]


def test_a_frame_that_comes_early_waits_for_four_others_at_most():
    decoder = Decoder()
    assert fed(decoder, 1, 2) == [1, 2]
    assert fed(decoder, 4, 5, 6, 7) == []
    assert WINDOW == 4
    assert decoder.stats.missing_frames == 0
    assert fed(decoder, 8) == [4, 5, 6, 7, 8]
    assert (decoder.missing(), decoder.stats.missing_frames) == ((MissingRange(7, 3, 3),), 1)
    assert decoder.acknowledgeable() == (7, 2)
    assert fed(decoder, 3) == []
    assert (decoder.stats.late, decoder.stats.missing_frames, decoder.missing()) == (1, 0, ())
    assert decoder.acknowledgeable() == (7, 8)


def test_of_several_holes_the_first_is_given_up_first():
    decoder = Decoder()
    assert fed(decoder, 1, 3, 6, 7, 9) == [1]
    assert fed(decoder, 10) == [3]
    assert fed(decoder, 5) == [5, 6, 7]  # a fifth one waited: 4 is given up
    assert fed(decoder, 4) == []
    assert decoder.missing() == (MissingRange(7, 2, 2),)
    assert fed(decoder, 8) == [8, 9, 10]
    assert fed(decoder, 9, 2, 2) == []
    assert (decoder.stats.duplicates, decoder.stats.late) == (2, 2)


def test_a_frame_that_waits_twice_is_a_duplicate():
    decoder = Decoder()
    assert fed(decoder, 1, 3, 3, 3) == [1]
    assert decoder.stats.duplicates == 2
    assert fed(decoder, 2) == [2, 3]


def test_numbers_wrap_to_the_nearest():
    boot = _Boot(TOP - 2)
    assert [boot.unwrap(seq) for seq in (TOP - 3, TOP - 2, 0, 5, TOP // 2 - 3)] == [
        TOP - 3, TOP - 2, TOP, TOP + 5, TOP + TOP // 2 - 3,
    ]  # fmt: skip
    assert _Boot(0).unwrap(TOP // 2 - 1) == TOP // 2 - 1
    assert _Boot(0).unwrap(TOP // 2) == -TOP // 2


@pytest.mark.parametrize(
    ("start", "end", "pieces"),
    [
        (5, 5, [(5, 5)]),
        (TOP - 2, TOP - 1, [(TOP - 2, TOP - 1)]),
        (TOP - 2, TOP, [(TOP - 2, TOP - 1), (0, 0)]),
        (TOP + 3, TOP + 8, [(3, 8)]),
    ],
)
def test_a_hole_is_told_in_numbers_of_the_wire(start, end, pieces):
    assert _pieces(7, start, end) == [MissingRange(7, first, last) for first, last in pieces]


def test_nothing_is_acknowledged_or_forgotten_before_a_frame_came():
    fresh = Sequencer()
    assert (fresh.contiguous(), fresh.missing(), fresh.forget_missing(7, 0, 9)) == (None, (), 0)
    assert len(fresh.flush()) == 0


def test_a_forgotten_range_may_cross_the_wrap():
    decoder = Decoder()
    fed(decoder, TOP - 3, 2, 3, 4, 5, 6)
    assert decoder.missing() == (MissingRange(7, TOP - 2, TOP - 1), MissingRange(7, 0, 1))
    assert decoder.forget_missing(MissingRange(7, TOP - 1, 0)) == 2
    assert decoder.missing() == (MissingRange(7, TOP - 2, TOP - 2), MissingRange(7, 1, 1))
