"""The bench's checker finds what it should, shares nothing with what it checks, and the program agrees with it."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from tiltwise_lab.bench.exposure import day_checker
from tiltwise_lab.bench.exposure.checked_days import random_rows
from tiltwise_lab.bench.exposure.cohort_speed import federated_row
from tiltwise_lab.bench.exposure.day_checker import check_day
from tiltwise_lab.bench.exposure.made_days import made_rows
from tiltwise_lab.bench.timed_process import timed_process


def test_the_checker_shares_no_code_and_is_short() -> None:
    text = Path(day_checker.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    names = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not [name for name in names if name and name.startswith("tiltwise")]


def test_the_checker_on_a_day_that_can_be_worked_out_by_hand() -> None:
    t = np.arange(0, 100, 0.1)
    angle = np.where(t < 40, 10.0, np.where(t < 70, 30.0, 22.0))
    code = np.where((t >= 80) & (t < 90), 2, 0).astype(np.int8)
    keep = (t < 50) | (t >= 55)
    found = check_day(t[keep], angle[keep], code[keep])
    assert found.activity_s == pytest.approx(
        [84.8, 0, 10, 0, 0], abs=0.11
    )  # s; the last sample stands for none
    assert found.percent[1] == pytest.approx(44.8 / 84.8 * 100, abs=0.2)
    assert found.longest_s == 25  # 55 to 80 s
    assert found.percentiles_deg.tolist() == [10, 22, 30]
    allowed_s = 60 * (8 - 7 * 5 / 60)
    assert found.holding_use == pytest.approx(15 / allowed_s, rel=0.01)  # 55 to 70 s at 30 deg


def test_the_program_agrees_on_random_days() -> None:
    rows = [row for _, row in random_rows(12)]
    assert max(row.activity_s for row in rows) < 1e-3
    assert max(row.share_points for row in rows) < 0.1
    assert max(row.mean_deg for row in rows) < 0.001
    assert max(row.percentile_deg for row in rows) < 0.1  # the program keeps tenths of a degree
    assert max(row.longest_s for row in rows) <= 1
    assert max(row.holding_use for row in rows) < 1e-3
    assert max(row.eva_points for row in rows) < 1e-6


def test_made_days_come_out_as_they_were_made() -> None:
    rows = [row for _, row in made_rows()]
    assert [row.day_hours for row in rows] == [0] * len(rows)
    assert max(row.share_points for row in rows) < 0.1
    assert max(row.longest_s for row in rows) <= 1
    assert max(row.hour_s for row in rows) <= 1
    assert max(row.percentile_deg for row in rows) <= 0.1 + 1e-9


def test_a_process_of_its_own_tells_what_it_took_and_that_it_failed() -> None:
    done = timed_process("n = len(bytes(50_000_000))")
    assert (done.n, done.most_mb > 50, done.cpu_s > 0, done.wall_s > 0) == (50_000_000, True, True, True)
    assert np.isnan(timed_process("n = 1 / 0").wall_s)
    after = timed_process("n = int(before >= ready)", setup="ready = time.process_time()")
    assert after.n == 1  # the clock begins behind the setup


def test_digests_of_sites_give_the_percentiles_of_all() -> None:
    row = federated_row(300)
    assert row.worst_deg < 0.5
    assert row.digest_bytes < 2000
