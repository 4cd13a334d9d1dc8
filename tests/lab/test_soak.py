"""The benches of the store and of long runs, in short: they count right, and what they look at is really there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tiltwise_lab.bench import process_stats
from tiltwise_lab.bench.process_stats import growth, read_process, span
from tiltwise_lab.bench.storage import year as bench_year
from tiltwise_lab.bench.storage.receipts_cost import STORES, cost_rows
from tiltwise_lab.bench.storage.restart_time import restart_seconds
from tiltwise_lab.bench.storage.soak import Look, SoakRun, soak_looks, soak_row, store_soak
from tiltwise_lab.bench.storage.storage_tables import print_year
from tiltwise_lab.bench.storage.watch_process import watch_rows
from tiltwise_lab.bench.storage.year import YearResult, year_results

needs_proc = pytest.mark.skipif(
    bool(process_stats.unavailable_reason()), reason=process_stats.unavailable_reason() or "there"
)


def test_growth_is_from_the_first_tenth_to_the_last() -> None:
    values = [10.0] * 10 + [50.0] + [10.0] * 79 + [13.0] * 10
    assert growth(values) == (10.0, 3.0, 40.0)
    assert growth([7.0]) == (7.0, 0.0, 0.0)
    assert (span([3, 3]), span([4, 2, 3])) == ("3", "2-4")


@needs_proc
def test_a_process_is_looked_at_from_outside(tmp_path: Path) -> None:
    code = (
        "import sys; held = bytearray(50_000_000); files = [open(sys.argv[1], 'w') for _ in range(7)]; "
        "k = sum(range(3_000_000)); print('ready', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a b) c")], stdin=pipe, stdout=pipe
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        state = read_process(child.pid)
        child.communicate()
    assert 50 < state.resident_mb < 200
    assert state.files == 3 + 7
    assert state.threads == 1
    assert 0 < state.cpu_s < 10
    with pytest.raises(OSError):
        read_process(child.pid)


@needs_proc
def test_a_soak_sees_the_cable_pulled_and_nothing_lost() -> None:
    *looks, (share, run) = soak_looks(seed=1, hours=0.06, every_s=36.0, out_at_s=80.0)
    assert share == 1.0
    assert isinstance(run, SoakRun)
    assert len(looks) == 6
    assert run.frames > 0.06 * 3600 * 5
    assert (run.missing, run.connections) == (0, 2)
    row = soak_row(run, warm_up_h=0.02)
    assert row.hours == pytest.approx(0.06)
    assert row.files == span([run.looks[-1].files])
    assert row.grown_mb < 20.0  # the caches of the first minutes; a day is the bench's
    assert 0 < row.cpu_percent < 100
    assert 0 < row.log_mb < 20


def test_a_leak_in_a_soak_is_told() -> None:
    looks = [Look(k / 10, 100.0 + 2 * k, 16 + (k > 30), 7, 4.0, 36.0 * k) for k in range(1, 41)]
    row = soak_row(SoakRun(looks, 10, 3, 1), warm_up_h=1.0)
    assert row.resident_mb == 122.0
    assert row.grown_mb == row.most_mb - 2.0 == 56.0
    assert (row.files, row.tasks, row.missing) == ("16-17", "7", 3)
    assert row.cpu_percent == pytest.approx(10.0)


@needs_proc
def test_watch_in_real_time_is_looked_at_with_and_without_a_simulated_board() -> None:
    rows = [row for _, row in watch_rows(minutes=0.05) if row is not None]
    assert [row.what.split(",")[0] for row in rows] == [
        "simulated board",
        "recorded frames",
        "recorded frames",
    ]
    for row in rows:
        assert row.resident_mb > 20
        assert row.cpu_percent > 0


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX matter")
def test_the_whole_program_records_again_after_a_kill() -> None:
    (took,) = restart_seconds(seed=1, restarts=1)
    assert 0.05 < took[0] < 60  # the goal is 2 s on an idle machine; a loaded one must not fail the suite


@pytest.fixture(scope="module")
def year() -> list[tuple[float, YearResult | None]]:
    return list(year_results(seed=1, days=3, hours=0.1, reads=2))


def test_a_year_counts_its_days_and_its_raw_bytes(year: list[tuple[float, YearResult | None]]) -> None:
    result = year[-1][1]
    assert isinstance(result, YearResult)
    assert result.written.minutes in (6, 7)
    assert result.written.samples == pytest.approx(
        0.1 * 3600 * 50, rel=0.1
    )  # the part's rate is off its name
    bytes_a_sample = result.written.raw_mb * 1e6 / result.written.samples
    assert 3 < bytes_a_sample < 14, "uncompressed it is 14"
    assert result.year.raw_mb == pytest.approx(3 * 80 * result.written.raw_mb)
    assert 0.05 < result.year.core_mb < 5
    assert [row.reads for row in result.reads] == [2] * 6
    assert "opening for writing" in result.reads[0].what


@needs_proc
def test_commits_of_half_an_hour_leave_what_they_write_and_nothing_else() -> None:
    *looks, (share, row) = store_soak(hours=0.5)
    assert share == 1.0
    assert row is not None
    assert len(looks) == 6
    assert row.commits == 1800
    assert "-" not in row.files, "a file was left open"
    assert 50 < row.receipts_kb < 2 * 300, "both files are written anew in time"
    assert 0 < row.log_mb < 4


@needs_proc
def test_the_cost_of_receipts_is_that_of_two_stores_with_the_same_frames() -> None:
    *_, (_, safe), (_, trusting) = cost_rows(hours=0.035, rounds=1)
    assert safe is not None
    assert trusting is not None
    assert (safe.what, trusting.what) == tuple(STORES)
    assert 0 < trusting.commit_cpu_s < trusting.session_cpu_s
    assert safe.write_calls > trusting.write_calls + 2 * 3000, "a line in each file a second"


def test_the_tables_fit_80_columns(
    year: list[tuple[float, YearResult | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_year, "year_results", lambda **_: year)
    out = io.StringIO()
    print_year(0.01, Console(file=out, width=80))
    text = out.getvalue()
    assert "…" not in text
    assert "a year: totals of each day" in text
