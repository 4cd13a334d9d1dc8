"""What the ledger asks for, gives up, and lets be acknowledged; with the times on both sides of a loss."""

from __future__ import annotations

import struct

import pytest

from store.store_frames import orient_frame, status_frame
from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.live.backfill.frame_ledger import ASK_AGAIN_S, BootRanges, FrameLedger, Loss


def boots(*rows: tuple[int, int, int]) -> bytes:
    return b"".join(struct.pack("<HII", *row) for row in rows)


def get_done(boot: int, *gone: tuple[int, int]) -> bytes:
    ranges = b"".join(struct.pack("<II", *pair) for pair in gone)
    return struct.pack(wire.GET_DONE_BODY, boot, 0, 100, len(gone)) + ranges


def ledger_with(seqs: list[int], *, newest: int) -> FrameLedger:
    """Frames of boot 7, a fifth of a second each from 1000 s on; the board holds 0 to `newest`."""
    ledger = FrameLedger()
    ledger.on_boots(boots((7, 0, newest)), {}, {})
    for seq in seqs:
        ledger.on_frame(read_frame(orient_frame(seq)), (1000 + seq / 5, 1000.2 + seq / 5), 0.0)
    return ledger


def test_a_hole_is_asked_for_until_it_is_filled() -> None:
    ledger = ledger_with([0, 1, 2, 5, *range(6, 20)], newest=19)
    assert ledger.boot(7).settled() == 2
    assert ledger.next_get(0.0) == (7, 3, 4)
    assert ledger.next_get(1.0) is None, "one at a time"
    ledger.on_frame(read_frame(orient_frame(3)), None, 1.0)
    assert ledger.next_get(1.0 + ASK_AGAIN_S) == (7, 4, 4)
    ledger.on_frame(read_frame(orient_frame(4)), None, 12.0)
    assert ledger.boot(7).settled() == 19
    assert ledger.is_whole(7)


def test_what_the_board_dropped_is_a_loss_once_with_the_times_beside_it() -> None:
    ledger = ledger_with([0, 1, 2, *range(6, 20)], newest=19)
    ledger.next_get(0.0)
    boot, losses = ledger.on_get_done(get_done(7, (3, 4), (4, 5)))
    assert (boot, losses) == (7, [Loss(7, 3, 4, None, None), Loss(7, 5, 5, None, None)])
    assert [ledger.is_gone(7, seq) for seq in (2, 3, 5, 6)] == [False, True, True, False]
    assert ledger.boot(7).settled() == 19
    (one, two) = ledger.gaps(7)
    assert (one.start_s, one.end_s) == (two.start_s, two.end_s) == pytest.approx((1000.6, 1001.2))
    assert ledger.gaps(7) == [], "each once"


def test_times_beside_a_loss_are_those_of_samples_where_a_status_frame_stands_between() -> None:
    ledger = ledger_with([0, 1], newest=9)
    ledger.on_frame(read_frame(status_frame(2)), None, 0.0)
    ledger.on_frame(read_frame(status_frame(5)), None, 0.0)
    ledger.on_frame(read_frame(orient_frame(6)), (1001.2, 1001.4), 0.0)
    assert ledger.boot(7).times_round(3, 4) == pytest.approx((1000.4, 1001.2))


def test_runs_that_grow_together_keep_their_outer_times() -> None:
    ranges = BootRanges(floor=0)
    ranges.add(0, 0, 10.0, 10.2)
    ranges.add(2, 2, 10.4, 10.6)
    ranges.add(1, 1)
    ranges.add(4, 4, 10.8, 11.0)
    assert ranges.holes() == [(3, 3)]
    assert ranges.times_round(3, 3) == (10.6, 10.8)
    ranges.add(2, 2, 99.0, 99.2)
    assert ranges.times_round(3, 3) == (10.6, 10.8), "a frame that came before changes nothing"


def test_a_refused_get_is_lost_and_nothing_is_settled_before_boots_is_answered() -> None:
    ledger = FrameLedger()
    ledger.on_frame(read_frame(orient_frame(5)), (1001.0, 1001.2), 0.0)
    assert ledger.boot(7).settled() is None
    ledger.on_boots(boots((7, 0, 20)), {}, {})
    assert ledger.next_get(0.0) == (7, 0, 4)
    assert ledger.on_get_refused() == [Loss(7, 0, 4, None, None)]
    assert ledger.boot(7).settled() == 5


def test_a_get_done_cut_short_is_an_error_and_is_asked_again() -> None:
    ledger = ledger_with([0, *range(5, 20)], newest=19)
    ledger.next_get(0.0)
    with pytest.raises(wire.WireError, match="GET_DONE"):
        ledger.on_get_done(get_done(7, (1, 4))[:-1])
    assert ledger.next_get(ASK_AGAIN_S) == (7, 1, 4)
