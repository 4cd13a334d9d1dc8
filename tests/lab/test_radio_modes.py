"""What the hours on each radio stack count as lost."""

import pytest

radio_modes = pytest.importorskip("tiltwise_lab.bench.link.radio_modes")


def test_a_frame_that_came_before_the_board_forgot_it_is_not_lost() -> None:
    boot = radio_modes._Boot()
    boot.take(0, 9)
    boot.take(6, 11, is_gone=True)  # asked for again while its acknowledgement was on the way
    assert boot.lost == 2
    assert boot.stored == 11
