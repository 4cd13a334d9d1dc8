"""The fit of a board's clock is read back as it was committed: the newest of its boot, of its device."""

from pathlib import Path

import pytest

from tiltwise.store.writer import Store
from tiltwise.types import Mount


def begin(store: Store, device: str, boot: int) -> int:
    return store.begin_session(device, boot, zone="UTC", mount=Mount.NECK, started_s=1000.0, first_seq=0)


def test_the_newest_committed_fit_comes_back_in_its_own_units(tmp_path: Path) -> None:
    with Store(tmp_path, min_free_bytes=0) as store:
        one, other = begin(store, "a", 1), begin(store, "b", 1)
        assert store.clock_fit("a", 1) is None
        store.put_clock_fit(one, 12.5, 1_700_000_000.25, 1.000035)
        assert store.clock_fit("a", 1) is None, "not before it is durable"
        store.commit()
        assert store.clock_fit("a", 1) == pytest.approx((12.5, 1_700_000_000.25, 1.000035), rel=1e-12)
        store.put_clock_fit(one, 72.5, 1_700_000_060.0, 1.00002)
        store.put_clock_fit(other, 3.0, 1_800_000_000.0, 0.9999)
        store.commit()
    with Store(tmp_path, min_free_bytes=0) as store:
        assert store.clock_fit("a", 1) == pytest.approx((72.5, 1_700_000_060.0, 1.00002), rel=1e-12)
        assert store.clock_fit("b", 1) == pytest.approx((3.0, 1_800_000_000.0, 0.9999), rel=1e-12)
        assert store.clock_fit("a", 2) is None
        assert store.clock_fit("nobody", 1) is None
