"""A fault at calls of every operation of the store, a few points of each; `tiltwise bench store` tries them all."""

import random
from pathlib import Path

import pytest

from tiltwise_lab.bench.storage.faults import failing_calls
from tiltwise_lab.bench.storage.faults.faults_at_every_call import OPERATIONS, call_rows, check
from tiltwise_lab.bench.storage.faults.prepared_stores import present, record, two_boots


@pytest.mark.skipif(
    bool(failing_calls.unavailable_reason()), reason=failing_calls.unavailable_reason() or "can be tried here"
)
def test_a_fault_at_a_few_calls_of_each_operation_costs_nothing_that_is_not_told() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rows = [row for _, row in call_rows(points=1, seed=seed)]
    assert {row.operation for row in rows} == set(OPERATIONS)
    assert {row.fault for row in rows} == {"kill", "eio", "full", "short"}
    assert all(row.calls > 20 for row in rows), "an operation whose calls are not seen"
    assert [(row.operation, row.fault, row.failures) for row in rows if row.failures] == []


def test_the_check_sees_a_silent_loss(tmp_path: Path) -> None:
    record(tmp_path / "store", 1, 400)
    before = present(tmp_path / "store")
    for pattern in ("raw-*", "receipts*"):
        for path in (tmp_path / "store").glob(pattern):
            path.unlink()
    wrong = check(tmp_path / "store", OPERATIONS["open after a kill"], before, [])
    assert wrong.startswith("400 acknowledged frames lost, 0 told")


def test_the_check_sees_an_erasing_in_part(tmp_path: Path) -> None:
    record(tmp_path / "store", 1, 300)
    before = {1: {*present(tmp_path / "store")[1], 999_999}}
    wrong = check(tmp_path / "store", OPERATIONS["erase a day"], before, [])
    assert wrong == "erased in part: [1]"


def test_the_check_sees_an_import_that_left_nothing(tmp_path: Path) -> None:
    two_boots(tmp_path / "store")
    before = present(tmp_path / "store")
    assert (
        check(tmp_path / "store", OPERATIONS["import days"], before, ["done"]) == "0 minutes of 30 imported"
    )
    wrong = check(tmp_path / "store", OPERATIONS["import a recording"], before, ["ack 3 449"])
    assert wrong.startswith("450 acknowledged frames lost, 0 told")
