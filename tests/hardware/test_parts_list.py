"""Parts lists can be ordered from: exact numbers, two suppliers, a price with date and currency."""

import datetime
import re

import pytest
from hardware.parts_list import BUILDS, COLUMNS

from hardware import parts_list


@pytest.mark.parametrize("build", BUILDS)
def test_every_part_can_be_ordered(build):
    for row in parts_list.rows(build):
        assert tuple(row) == COLUMNS
        assert row["mpn"], row
        assert row["supplier_1"], row
        assert row["supplier_2"], row
        assert row["supplier_1"] != row["supplier_2"], row
        assert int(row["quantity"]) >= 1
        assert row["fitted"] in ("yes", "optional")
        assert row["why"], row
        if row["reference"] != "-":
            assert not row["mpn"].startswith("not found"), row
            assert row["datasheet"], row


@pytest.mark.parametrize("build", BUILDS)
def test_prices_carry_currency_and_date(build):
    for row in parts_list.rows(build):
        assert re.fullmatch(r"\d+\.\d\d", row["price_each"]), row
        assert re.fullmatch(r"[A-Z]{3}", row["currency"]), row
        datetime.date.fromisoformat(row["price_date"])


@pytest.mark.parametrize("build", BUILDS)
def test_references_are_unique(build):
    names = [row["reference"] for row in parts_list.rows(build) if row["reference"] != "-"]
    assert len(set(names)) == len(names)


def test_cost_sums_what_is_fitted(tmp_path, monkeypatch):
    header = ",".join(COLUMNS)
    line = "{ref},{n},{fitted},p,m,x,a,b,{price},EUR,2026-11-30,d,w,s"
    rows = [
        line.format(ref="U1", n=2, fitted="yes", price="3.00"),
        line.format(ref="M1", n=1, fitted="optional", price="1.50"),
    ]
    (tmp_path / "two.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    monkeypatch.setattr(parts_list, "BOM", tmp_path)
    money = parts_list.cost("two")
    assert (money.parts, money.least, money.full) == (3, 6.0, 7.5)


def test_mixed_currencies_are_refused(tmp_path, monkeypatch):
    header = ",".join(COLUMNS)
    rows = [f"U{i},1,yes,p,m,x,a,b,3.00,{c},2026-11-30,d,w,s" for i, c in enumerate(("EUR", "USD"))]
    (tmp_path / "mixed.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    monkeypatch.setattr(parts_list, "BOM", tmp_path)
    with pytest.raises(ValueError, match="one currency"):
        parts_list.cost("mixed")
