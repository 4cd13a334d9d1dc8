"""What the decoder counts and when: by known numbers of frames, of two boots, across a restart and a clock reset."""

import numpy as np
import pytest

from decode import frame_builders
from decode.frame_builders import info_frame, orient_frame, raw_frame, status_frame
from tiltwise.common import auth, wire
from tiltwise.decode.decoder import RESTART_S, Decoder
from tiltwise.decode.messages import Info, Status
from tiltwise.decode.sample_times import signed_ticks, unwrap_frame_ticks
from tiltwise.types import ImuBlock, OrientationBlock, SignalGap

SAMPLES = [[32767, 0, 0, 0, 0, 0, 8192]] * 10
ONES = [[1] * 6] * 10
TICK_S = wire.TICK_S


def only(items, kind):
    return [item for item in items if isinstance(item, kind)]


def test_every_kind_of_frame_is_counted_once_and_the_counts_are_a_copy():
    decoder = Decoder()
    decoder.feed_many([info_frame(), *(orient_frame(1 + k, 10 * k, 2000 * k, SAMPLES) for k in range(3))])
    decoder.feed(orient_frame(4, 30, 6000, SAMPLES, flags=wire.FLAG_MOTOR_ON))
    decoder.feed(b"x")
    stats = decoder.stats
    assert (stats.frames, stats.samples, stats.boots, stats.motor_on) == (5, 40, 1, 1)
    assert (stats.unusable, stats.duplicates, stats.late, stats.missing_frames, stats.clock_resets) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert sum(stats.bad.values()) == 1
    stats.bad["made up"] += 1
    assert "made up" not in decoder.stats.bad


def test_the_same_info_again_says_nothing_and_another_one_changes_the_scale():
    decoder = Decoder()
    (told,) = decoder.feed(info_frame())
    assert isinstance(told, Info)
    assert decoder.info == told
    (first,) = only(decoder.feed(raw_frame(1, 0, 0, ONES)), ImuBlock)
    assert decoder.feed(info_frame(seq=2)) == []
    (news,) = decoder.feed(info_frame(seq=3, gyr=2 * frame_builders.GYR_SCALE))
    assert decoder.info == news != told
    (second,) = only(decoder.feed(raw_frame(4, 10, 2000, ONES)), ImuBlock)
    np.testing.assert_allclose(second.gyr_rad_s, 2 * first.gyr_rad_s, rtol=1e-6)


def test_a_change_of_mind_about_shaken_samples_counts_from_the_next_frame():
    decoder = Decoder()
    frames = [orient_frame(1 + k, 10 * k, 2000 * k, SAMPLES, flags=wire.FLAG_MOTOR_ON) for k in range(3)]
    decoder.feed(info_frame())
    known = []
    for keeps, frame in zip((False, True, False), frames, strict=True):
        decoder.keeps_shaken = keeps
        assert decoder.keeps_shaken == keeps
        (block,) = only(decoder.feed(frame), OrientationBlock)
        known.append(bool(np.isfinite(block.acc_m_s2).all()))
    assert known == [False, True, False]


def test_a_restart_goes_on_some_seconds_behind_the_last_sample():
    decoder = Decoder()
    decoder.feed_many([info_frame(), *(raw_frame(1 + k, 10 * k, 50_000 + 2000 * k, ONES) for k in range(5))])
    assert decoder.zero_s == 0.0
    items = decoder.feed_many([info_frame(boot=8), raw_frame(1, 0, 300, ONES, boot=8)])
    end_s = 50_000 * TICK_S + 50 * 0.02  # the last sample lasts its period
    assert decoder.zero_s == pytest.approx(end_s + RESTART_S, abs=1e-3)
    (gap,) = only(items, SignalGap)
    assert gap.reason == "restart"
    assert gap.end_s - gap.start_s == pytest.approx(RESTART_S + 300 * TICK_S, abs=0.021)
    assert decoder.stats.boots == 2


def test_what_waits_for_an_info_that_never_comes_is_unusable_but_its_messages_are_not():
    decoder = Decoder()
    assert (
        decoder.feed_many([raw_frame(0, 0, 0, ONES), status_frame(1, 500), raw_frame(2, 10, 2000, ONES)])
        == []
    )
    assert decoder.stats.unusable == 0
    decoder.feed(info_frame(boot=8))
    assert decoder.stats.unusable == 2
    bounded = Decoder(max_without_info=1)
    items = bounded.feed_many(
        [status_frame(0, 500), raw_frame(1, 10, 2000, ONES), raw_frame(2, 20, 4000, ONES)]
    )
    assert [type(item) for item in items] == [Status]
    assert bounded.stats.unusable == 1


@pytest.mark.parametrize(("back_ticks", "resets"), [(9_999, 0), (10_000, 0), (10_001, 1), (1 << 20, 1)])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_clock_is_set_back_only_by_more_than_a_second(back_ticks, resets, at_once):
    frames = [info_frame(), raw_frame(1, 0, 2_000_000, ONES), raw_frame(2, 10, 2_000_000 - back_ticks, ONES)]
    decoder = Decoder()
    if at_once:
        decoder.feed_many(frames)
    else:
        for frame in frames:
            decoder.feed(frame)
    assert decoder.stats.clock_resets == resets


def test_messages_belong_to_the_sample_frame_before_them_across_the_wrap():
    top = 1 << 32
    decoder = Decoder()
    decoder.feed_many(
        [info_frame(t0=top - 4000), raw_frame(1, 0, top - 2000, ONES), raw_frame(2, 10, 0, ONES)]
    )
    after, before = decoder.feed_many([status_frame(3, 600), status_frame(4, top - 100)])
    assert after.t_s == pytest.approx((top + 600) * TICK_S)
    assert before.t_s == pytest.approx((top - 100) * TICK_S)


def test_signed_differences_and_unwrapped_ticks_by_hand():
    top = 1 << 32
    assert signed_ticks(np.array([0, 1, top - 1, 1 << 31, (1 << 31) - 1])).tolist() == [
        0,
        1,
        -1,
        -(1 << 31),
        (1 << 31) - 1,
    ]
    samples = np.array([True, False, True, False])
    t0 = np.array([top - 10, top - 5, 20, 15])
    assert unwrap_frame_ticks(t0, samples, None).tolist() == [top - 10, top - 5, top + 20, top + 15]
    assert unwrap_frame_ticks(t0, samples, 5 * top - 30).tolist() == [
        5 * top - 10,
        5 * top - 5,
        5 * top + 20,
        5 * top + 15,
    ]
    messages = np.array([False, False])
    assert unwrap_frame_ticks(np.array([7, 3]), messages, None).tolist() == [7, 3], (
        "they stand for themselves"
    )
    assert unwrap_frame_ticks(np.array([7, top - 3]), messages, 2 * top).tolist() == [
        2 * top + 7,
        2 * top - 3,
    ]


def test_what_may_be_acknowledged_ends_before_the_first_hole():
    decoder = Decoder()
    decoder.feed_many([info_frame(seq=0), raw_frame(1, 0, 0, ONES)])
    assert decoder.acknowledgeable() == (7, 1)
    decoder.feed_many([raw_frame(k, 10 * k - 10, 2000 * k - 2000, ONES) for k in range(3, 40)])
    assert decoder.acknowledgeable() == (7, 1)
    (hole,) = decoder.missing()
    assert (hole.boot, hole.first, hole.last) == (7, 2, 2)
    assert decoder.forget_missing(hole) == 1
    assert decoder.forget_missing(hole) == 0
    assert decoder.missing() == ()
    assert decoder.acknowledgeable() == (7, 39)


def test_a_frame_that_is_opened_counts_when_it_is_taken():
    decoder = Decoder()
    frame = decoder.open(info_frame())
    assert frame is not None
    assert decoder.stats.frames == 0
    (info,) = decoder.take(frame)
    assert isinstance(info, Info)
    assert decoder.stats.frames == 1
    assert decoder.open(b"nonsense") is None
    assert sum(decoder.stats.bad.values()) == 1


def test_after_a_clock_that_was_set_back_samples_go_on_a_second_behind_the_last():
    decoder = Decoder()
    decoder.feed_many([info_frame(), raw_frame(1, 0, 2_000_000, ONES)])
    items = decoder.feed(raw_frame(2, 10, 700_000, ONES))
    (gap,), (block,) = only(items, SignalGap), only(items, ImuBlock)
    assert gap.reason == "clock"
    assert block.t_s[0] == pytest.approx(200.0 + 10 * 0.02 + RESTART_S, abs=1e-3)


def test_items_come_in_the_order_of_their_frames():
    frames = [info_frame(), raw_frame(1, 0, 0, ONES), status_frame(2, 2000), raw_frame(3, 60, 12_000, ONES)]
    items = Decoder().feed_many([*frames, status_frame(4, 14_000)])
    assert [type(item) for item in items] == [Info, ImuBlock, Status, SignalGap, ImuBlock, Status]


def test_with_a_key_only_frames_signed_with_it_are_taken_and_without_one_only_plain_frames():
    mine, other = auth.Tagger(bytes(32)), auth.Tagger(bytes([1] * 32))
    frames = [info_frame(tagger=mine), *(raw_frame(k, 10 * k, 2000 * k, ONES, tagger=mine) for k in (1, 2))]
    for forged in (None, other):
        decoder = Decoder(mine)
        bad = [
            info_frame(tagger=forged),
            *(raw_frame(k, 10 * k, 2000 * k, ONES, tagger=forged) for k in (1, 2)),
        ]
        assert decoder.feed_many(bad) + decoder.flush() == []
        assert (decoder.stats.samples, sum(decoder.stats.bad.values())) == (0, 3)
        decoder.feed_many([*bad, *frames])
        assert (decoder.stats.samples, sum(decoder.stats.bad.values())) == (20, 6)
    plain = Decoder()
    plain.feed_many(frames)
    assert (plain.stats.samples, sum(plain.stats.bad.values())) == (0, 3)
