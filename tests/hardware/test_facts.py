"""Every figure has a unit and a source, or says that none was found."""

import pytest
from hardware.facts import FACTS, fact, facts, value


def test_each_line_is_one_fact():
    lines = FACTS.read_text(encoding="utf-8").strip().splitlines()
    assert len(facts()) == len(lines) - 1, "the same part and quantity twice"


def test_every_fact_says_where_it_comes_from():
    for key, found in facts().items():
        assert found.status in ("cited", "assumed"), key
        assert len(found.source) > 10, key
        assert found.value > 0, key


def test_what_has_no_source_says_so():
    words = (
        "not found",
        "not stated",
        "no measurement",
        "estimate",
        "assumption",
        "proportion",
        "no particular maker",
    )
    for key, found in facts().items():
        if not found.is_cited:
            assert any(word in found.source for word in words), key


def test_a_missing_fact_names_the_line_to_add():
    with pytest.raises(KeyError, match=r"'motor,colour' in hardware/facts.csv"):
        fact("motor", "colour")


def test_some_figures_as_their_sources_print_them():
    assert value("cell_130", "capacity") == 125
    assert value("xiao_nrf52840", "length") == 21.0
    assert value("lsm6dsox", "current") == 0.55
