"""What the bench of damaged files tells: recording goes on, and what the start can see is set aside and told."""

from pathlib import Path

import pytest

from tiltwise_lab.bench.storage.damaged_files import damage_row, recorded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two minutes."""
    return recorded(tmp_path_factory.mktemp("whole") / "store", 130.0)


@pytest.mark.parametrize("what", ["second page of core.db", "core.db cut in half"])
def test_a_damaged_core_is_told_and_set_aside_and_frames_stay(tmp_path: Path, whole: Path, what: str) -> None:
    row = damage_row(what, whole, tmp_path / "damaged")
    assert row.before > 600
    assert (row.lost, row.missing_after) == (0, 0)
    assert row.message.startswith("core.db was damaged: set aside as ")
    assert row.sound


@pytest.mark.parametrize(
    "what",
    [
        "first page of the month",
        "month cut in half",
        "middle page of the month",
    ],
)
def test_a_damaged_month_is_told_and_the_next_run_can_be_read(tmp_path: Path, whole: Path, what: str) -> None:
    row = damage_row(what, whole, tmp_path / "damaged")
    assert row.missing_after == 0
    assert "was damaged: set aside as " in row.message
    assert row.sound


def test_a_damaged_page_of_the_core_is_told_after_a_clean_end(tmp_path: Path) -> None:
    row = damage_row("middle page of core.db", recorded(tmp_path / "whole", 300.0), tmp_path / "damaged")
    assert row.message
    assert row.sound
