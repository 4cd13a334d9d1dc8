"""Words that a person reads: one of a thing is no plural."""

import pytest

from tiltwise.text import counted


@pytest.mark.parametrize(("n", "said"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1_000, "1000 days")])
def test_one_is_no_plural(n: int, said: str) -> None:
    assert counted(n, "day") == said


def test_a_plural_of_its_own() -> None:
    assert [counted(n, "stretch", "stretches") for n in (1, 2)] == ["1 stretch", "2 stretches"]
