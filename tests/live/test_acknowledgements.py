"""One policy of acknowledging, also for sessions that keep nothing: `calibrate` and `tiltwise.follow`."""

from __future__ import annotations

import pytest

from decode import frame_builders
from live.feed import acknowledged
from tiltwise.common.frame import read_frame
from tiltwise.decode.decoder import Decoder
from tiltwise.link.commands import CREDITS
from tiltwise.live.acknowledgements import ACK_EVERY_S, Acknowledgements, DecodedCounts, ack_every_s

STEP_S = 0.25  # between frames


def sent(frames: list[bytes]) -> list[tuple[int, int, int]]:
    """Return (boot, seq, credits) of what a session that keeps nothing acknowledges."""
    counts = DecodedCounts(Decoder())
    acks = [ack.data for k, frame in enumerate(frames) for ack in counts.feed(STEP_S * k, frame)[0]]
    return acknowledged(acks)


def test_what_was_decoded_is_acknowledged_once_a_second_and_never_the_frame_in_hand() -> None:
    frames = frame_builders.stream(100)
    every = round(ACK_EVERY_S / STEP_S)
    assert [seq for _, seq, _ in sent(frames)] == list(range(0, len(frames) - 1, every))


@pytest.mark.parametrize("speed", [0.5, 1, 20, 200, 1e6, 0])
def test_at_no_speed_the_board_waits_for_its_credits(speed: float) -> None:
    assert ACK_EVERY_S <= ack_every_s(speed) < CREDITS * 0.2, "a frame has ten samples, at 50 Hz"


def test_a_lost_frame_does_not_stop_a_calibration() -> None:
    frames = frame_builders.stream(200)
    _, seq, credits = sent(frames[:50] + frames[51:])[-1]
    assert seq == 49, "only up to the hole"
    assert seq + credits >= 190 + CREDITS, "the board may go on beyond the newest frame"


def test_bad_bytes_are_no_newest_frame() -> None:
    assert sent([b"", b"junk", bytes(200)]) == []


def test_an_earlier_boot_is_acknowledged_only_when_there_is_more() -> None:
    acks = Acknowledgements()
    acks.note(read_frame(frame_builders.raw_frame(7, 0, 0, [[0, 0, 0, 0, 0, 8192]], boot=2)))
    assert len(acks.earlier({1: 30, 2: 7})) == 1
    assert acks.earlier({1: 30, 2: 7}) == []
    assert len(acks.earlier({1: 31, 2: 7})) == 1
