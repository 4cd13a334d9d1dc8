"""What a board of older firmware does not say counts as nothing happened."""

from dataclasses import MISSING, fields

import pytest

from tiltwise.decode.messages import Status


@pytest.mark.parametrize(
    "field", [f for f in fields(Status) if f.default is not MISSING], ids=lambda f: f.name
)
def test_a_count_that_did_not_come_is_zero(field):
    assert field.default == 0
    assert isinstance(field.default, bool) is (field.type == "bool")
