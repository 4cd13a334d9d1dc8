"""`bench sets` matches tilts by side and time, and its stories hold what it is about."""

import pytest

from tiltwise.sim.board.simulation import Simulation
from tiltwise.sim.body.ground_truth import TrueRep
from tiltwise.sim.body.wearer import Wearer
from tiltwise.types import Mount, RepCompleted, Side
from tiltwise_lab.bench.accuracy import tilt_sets
from tiltwise_lab.bench.accuracy.simulated_run import NotCalibratedError
from tiltwise_lab.bench.accuracy.tilt_sets import compare, set_rows


def true(start_s: float, side: Side = Side.LEFT) -> TrueRep:
    return TrueRep("side_tilt", side, "lateral-", start_s, start_s + 3.0, 1.0)


def counted(start_s: float, side: Side = Side.LEFT) -> RepCompleted:
    return RepCompleted(
        start_s + 3.0, "side_tilt", side, start_s, start_s + 1.5, start_s + 3.0, 30.0, 1.0, False
    )


def test_a_counted_tilt_stands_for_one_true_tilt_of_its_side_that_it_overlaps() -> None:
    done = [true(10.0), true(20.0, Side.RIGHT), true(30.0)]
    assert compare(done, [counted(10.4), counted(19.8, Side.RIGHT), counted(30.0)]) == (
        3,
        0,
        0,
        pytest.approx(0.4),
    )
    assert compare(done, [counted(10.0), counted(10.5)])[:3] == (3, 2, 1)  # one true tilt counted twice
    assert compare(done, [counted(20.0), counted(14.0)])[:3] == (3, 3, 2)  # wrong side; nothing there
    assert compare([], [])[:3] == (0, 0, 0)


def test_a_story_of_the_bench_has_tilts_in_sets_and_a_telephone_on_the_shoulder() -> None:
    truth = Wearer("demo", seed=1, minutes=tilt_sets.MINUTES, mount=Mount.HEAD).truth()
    assert sum(rep.exercise == "side_tilt" for rep in truth.repetitions) >= 10
    assert any(span.doing == "phone on the shoulder" for span in truth.spans)


def test_a_story_without_a_calibration_misses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(simulation: Simulation) -> None:
        raise NotCalibratedError("none")

    monkeypatch.setattr(tilt_sets, "run_simulation", never)
    rows = [row for _, row in set_rows([1], minutes=4.0)]
    assert [(row.mount, row.way) for row in rows] == [
        (m, w) for m in tilt_sets.MOUNTS for w in ("one by one", "in sets")
    ]
    assert all(row.tilts > 0 and row.missed == row.tilts and row.extra == 0 for row in rows)


def test_the_tilts_of_a_short_story_are_counted() -> None:
    rows = [row for _, row in set_rows([1], minutes=4.0)]
    assert all(row.tilts == 10 and row.missed == 0 and row.start_error_s < 1.0 for row in rows)
