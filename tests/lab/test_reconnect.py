"""Reconnecting after a fade on the virtual air."""

import statistics

import pytest

pytest.importorskip("bumble", reason="the virtual air needs bumble: pip install 'tiltwise[air]'")

from tiltwise_lab.bench.link.reconnect import reconnect_rows


def test_frames_flow_again_within_3_s_after_a_fade_of_1_s():
    rows = [row for _, row in reconnect_rows(4, seed=100)]
    assert all(row.was_lost for row in rows)
    assert statistics.median(row.back_s for row in rows) < 3.0


def test_a_fade_shorter_than_the_supervision_timeout_ends_no_connection():
    ((share, row),) = reconnect_rows(1, seed=7, fade_s=0.3)
    assert share == 1.0
    assert not row.was_lost
    assert row.back_s < 0.5  # a frame of 0.2 s and its way


def test_the_same_seed_gives_the_same_times():
    assert list(reconnect_rows(1, seed=3)) == list(reconnect_rows(1, seed=3))
