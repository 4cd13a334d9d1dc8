"""The bench of the link in short: nothing is lost within the ring, what is lost beyond it is told exactly."""

import math

import pytest

from tiltwise.app.bench_link import (
    LARGE_RING,
    ROUGH,
    SMALL_RING,
    Air,
    forged_rows,
    link_row,
    soak_rows,
    year_rows,
)


def test_outages_within_the_ring_lose_no_sample() -> None:
    row = link_row("large", seed=2, ring_frames=LARGE_RING, air=ROUGH, disconnects=4)
    assert row.samples > 2000
    assert (row.lost, row.told_lost, row.exact) == (0, 0, True)


def test_what_the_ring_could_not_hold_is_told_exactly() -> None:
    row = link_row("small", seed=1, ring_frames=SMALL_RING, air=ROUGH, disconnects=4)
    assert row.lost > 0, "no outage was longer than the ring: choose another seed"
    assert row.told_lost == row.lost
    assert row.exact


def test_on_a_healthy_link_every_sample_is_judged_in_time() -> None:
    row = link_row("healthy", seed=1, ring_frames=300, air=Air(), disconnects=0, up_s=40.0)
    assert row.lost == 0
    assert row.age_p99_s < 0.5
    # Frames alone leave the least delay of the link in the clock: 8 ms of air and up to 50 ms until the board reads.
    assert 0 <= row.clock_bias_s < 0.06
    assert row.reconnect_p95_s < 3.0


def test_nothing_forged_changed_or_replayed_is_believed() -> None:
    rows = [row for _, row in forged_rows(seed=1, n=6000)]
    assert len(rows) == 12
    assert all(row.tried == 500 for row in rows)
    assert {row.kind: row.accepted for row in rows if row.accepted} == {}


def test_a_soak_tells_memory_and_files() -> None:
    ((share, row),) = soak_rows(seed=1, hours=2 / 60, warm_up=3 / 60)
    assert share == 1.0
    assert row.files_after == row.files_before
    assert (
        math.isnan(row.grown_mb) or row.grown_mb < 20.0
    )  # the caches of the first minutes; a day is the bench's
    assert row.cpu_percent > 0


def test_a_year_counts_its_days() -> None:
    ((_, row),) = year_rows(seed=1, days=3)
    assert row.days == 3
    assert 0.01 < row.size_mb < 5
    assert row.year_s == pytest.approx(0, abs=5)
