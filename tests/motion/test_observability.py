"""Every place has a word about every metric, the page says the same, and what cannot be seen has its reason."""

from pathlib import Path

import pytest

from tiltwise.motion.angles.observability import (
    TABLE,
    UNMEASURED,
    Metric,
    Place,
    Status,
    observability,
)
from tiltwise.types import Mount

PAGE = Path(__file__).parents[2] / "docs" / "sensing.md"


def test_every_place_says_something_about_every_metric() -> None:
    assert set(TABLE) == set(Place)
    for place in Place:
        assert set(TABLE[place]) == set(Metric)
        assert all(cell.why and cell.error for cell in TABLE[place].values())


def test_every_mount_is_a_place() -> None:
    for mount in Mount:
        assert observability(mount, Metric.ACTIVITY).status is Status.MEASURED


def as_markdown() -> str:
    """Return the table as docs/sensing.md shows it: one section per place."""
    lines: list[str] = []
    for place, cells in TABLE.items():
        lines += [f"### `{place}`", "", "| metric | status | why | error |", "|---|---|---|---|"]
        lines += [f"| `{m}` | {cells[m].status} | {cells[m].why} | {cells[m].error} |" for m in Metric]
        lines.append("")
    return "\n".join(lines)


def test_the_page_carries_the_table() -> None:
    assert as_markdown() in PAGE.read_text(encoding="utf-8"), (
        "put the output of as_markdown() into docs/sensing.md"
    )


@pytest.mark.parametrize(
    ("place", "metric"),
    [
        ("collar", "neck_flexion"),
        ("collar", "nod_reps"),
        ("collar", "hunching"),
        ("head", "upper_back_tilt"),
        ("neck", "neck_flexion"),
        ("head", "heading"),
        ("head+collar", "held_shrug"),
    ],
)
def test_what_cannot_be_seen_has_its_reason(place: str, metric: str) -> None:
    cell = observability(place, metric)
    assert cell.status is Status.NOT_OBSERVABLE
    assert cell.why


def test_neck_flexion_needs_two_sensors() -> None:
    can = {
        place
        for place in Place
        if observability(place, Metric.NECK_FLEXION).status is not Status.NOT_OBSERVABLE
    }
    assert can == {Place.HEAD_AND_COLLAR}


def test_what_is_not_observable_has_no_error_figure() -> None:
    for cells in TABLE.values():
        for cell in cells.values():
            assert (cell.error == "-") == (cell.status is Status.NOT_OBSERVABLE)
            assert cell.error == UNMEASURED or cell.error == "-" or "deg" in cell.error


@pytest.mark.parametrize(("place", "metric"), [("hat", "flexion"), ("head", "mood")])
def test_unknown_places_and_metrics_are_errors(place: str, metric: str) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        observability(place, metric)
