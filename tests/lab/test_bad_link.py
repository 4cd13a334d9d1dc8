"""The bench of the link in short: nothing is lost within the ring, what is lost beyond it is reported exactly."""

import dataclasses
import io
import math

import numpy as np
import pytest
from rich.console import Console

from tiltwise_lab.bench.link import bad_link, link_tables
from tiltwise_lab.bench.link.bad_link import (
    HEALTHY,
    LARGE,
    LARGE_RING,
    ROUGH,
    SMALL,
    Conditions,
    LinkRun,
    Outcome,
    link_outcomes,
    run_link,
)
from tiltwise_lab.bench.link.forged_packets import forged_rows
from tiltwise_lab.bench.link.link_trial import lean_rad

IN_RING = LinkRun(LARGE, 2, LARGE_RING, ROUGH, outages=5)
BEYOND = LinkRun(SMALL, 3, 60, ROUGH, outages=5)


def silent(_share: float) -> None:
    pass


@pytest.fixture(scope="module")
def beyond() -> Outcome:
    return run_link(BEYOND, silent)


def test_outages_within_the_ring_lose_no_sample() -> None:
    shares: list[float] = []
    outcome = run_link(IN_RING, shares.append)
    losses = outcome.losses
    assert losses.made > 52 * 60
    assert outcome.connections >= 6
    assert (losses.dropped, losses.lost, losses.reported, losses.gaps, losses.is_exact) == (0, 0, 0, 0, True)
    assert len(outcome.live_error_s) > 100
    assert len(outcome.backfill_error_s) > 100
    assert len(outcome.back_s) == 5
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0


def test_what_the_ring_could_not_hold_is_told_exactly(beyond: Outcome) -> None:
    losses = beyond.losses
    assert losses.lost > 0, "no outage was longer than the ring: choose another seed"
    assert losses.within == 0
    assert losses.reported == losses.lost <= losses.dropped
    assert losses.gaps == losses.true_gaps > 0
    assert losses.worst_gap_s < 0.2
    assert losses.is_exact


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    def counts(seed: int) -> tuple[object, ...]:
        outcome = run_link(LinkRun(SMALL, seed, 60, ROUGH, outages=2, up_s=5.0), silent)
        whole = dataclasses.astuple(outcome.losses)
        return (*(value for value in whole if isinstance(value, int)), outcome.connections, outcome.hours)

    first = counts(3)
    assert counts(3) == first
    assert counts(4) != first


def test_on_a_healthy_link_every_sample_is_judged_in_time() -> None:
    outcome = run_link(LinkRun(HEALTHY, 1, 300, Conditions(), up_s=130.0), silent)
    assert outcome.losses.lost == 0
    assert np.percentile(outcome.age_s, 99) < 0.5
    # The oldest sample of a frame waits for nine others: 173 ms. None is judged before it was taken.
    assert 0 < np.min(outcome.age_s) < 0.1
    assert len(outcome.alert_age_s) == 1
    assert 0 < outcome.alert_age_s[0] < 0.5
    # The lean crosses the limit at 26 deg/s, so each degree that the angle is off makes 40 ms.
    assert outcome.alert_true_s[0] == pytest.approx(outcome.alert_age_s[0], abs=0.15)
    assert np.percentile(np.abs(outcome.used_error_s), 95) < 0.05


def test_a_ring_that_forgets_without_a_word_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison itself: a store that misses a frame, or calls one lost that it has, is not exact."""
    real = bad_link.stored_utc_s

    def without_one(trial: bad_link.LinkTrial) -> dict[int, float]:
        found = real(trial)
        seq = next(seq for seq in sorted(found) if seq > 20 and trial.board_log.made[seq][1])
        return {k: v for k, v in found.items() if k != seq}

    monkeypatch.setattr(bad_link, "stored_utc_s", without_one)
    losses = run_link(LinkRun(HEALTHY, 1, 300, Conditions(), up_s=20.0), silent).losses
    assert (losses.lost, losses.within, losses.is_exact) == (10, 10, False)
    assert losses.worst_gap_s == math.inf


def test_the_wearer_leans_for_half_of_the_time() -> None:
    t_s = np.arange(0, 180, 0.01)
    assert np.mean(lean_rad(t_s) > math.radians(20)) == pytest.approx(88 / 180, abs=0.01)


def test_parts_run_in_processes_of_their_own_and_make_one_table() -> None:
    quick = [
        LinkRun(HEALTHY, 1, 300, Conditions(), up_s=30.0),
        LinkRun(SMALL, 1, 60, ROUGH, up_s=20.0),
        LinkRun(SMALL, 2, 60, ROUGH, up_s=20.0),
    ]
    shares: list[float] = []
    outcomes = link_outcomes(quick, shares.append, processes=2)
    assert [outcome.run for outcome in outcomes] == quick
    assert shares[-1] == pytest.approx(1.0)
    cells = link_tables.link_cells([outcomes[:1], outcomes[1:]])
    by_name = {row[0]: row[1:] for row in cells}
    assert by_name["seeds"] == ("1", "1 to 2")
    assert by_name["exact"] == ("yes", "yes")
    assert by_name["samples made"] == tuple(
        str(sum(o.losses.made for o in group)) for group in (outcomes[:1], outcomes[1:])
    )


def test_the_runs_divide_all_outages_among_seeds() -> None:
    whole = bad_link.link_runs(seed=5)
    assert sum(run.outages for run in whole if run.name == LARGE) == 1000
    assert len({run.seed for run in whole if run.name == LARGE}) == bad_link.PARTS
    assert sum(run.outages for run in bad_link.link_runs(scale=0.01) if run.name == LARGE) == 10


def test_the_table_fits_eighty_columns() -> None:
    groups = [
        [run_link(LinkRun(name, 1, 60, Conditions(), up_s=10.0), silent)] for name in (HEALTHY, SMALL, LARGE)
    ]
    text = io.StringIO()
    console = Console(file=text, width=80)
    console.print(link_tables.table("x", ("", HEALTHY, SMALL, LARGE), link_tables.link_cells(groups)))
    assert "…" not in text.getvalue()
    assert "- stored, backfill ms" in text.getvalue()


def test_nothing_forged_changed_or_replayed_is_believed() -> None:
    rows = forged_rows(seed=1, n=6000, processes=1)
    assert len(rows) == 12
    assert all(row.tried == 500 for row in rows)
    assert {row.kind: row.accepted for row in rows if row.accepted} == {}
