"""A fault at one drawn call of every operation of the store; `tiltwise bench faults` tries them all."""

import random
import shutil
from pathlib import Path

import pytest

from tiltwise_lab.bench.storage.faults import failing_calls
from tiltwise_lab.bench.storage.faults.faults_at_every_call import OPERATIONS, call_rows, check
from tiltwise_lab.bench.storage.faults.prepared_stores import present, record, template_to_import


@pytest.mark.skipif(
    bool(failing_calls.unavailable_reason()), reason=failing_calls.unavailable_reason() or "can be tried here"
)
def test_a_fault_at_a_call_of_each_operation_costs_nothing_that_is_not_told() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    fault = random.Random(seed).choice(list(failing_calls.Fault)[1:])
    rows = [row for _, row in call_rows(points=1, seed=seed, faults=[fault])]
    assert [(row.operation, row.fault, row.points) for row in rows] == [
        (operation, fault.name.lower(), 1) for operation in OPERATIONS
    ]
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
    template_to_import(tmp_path / "template")
    before = present(tmp_path / "template")
    for operation, wrong in {
        "import days": "0 minutes of 30 imported",
        "import a recording": "0 frames of 10 imported",
        "import a foreign file": "0 frames of ",
    }.items():
        shutil.copytree(tmp_path / "template", tmp_path / operation)
        assert check(tmp_path / operation, OPERATIONS[operation], before, ["done"]).startswith(wrong)
