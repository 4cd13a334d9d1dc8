"""Whole stores with damaged bytes, pages, lengths and files: a few; `tiltwise bench store` tries ten thousand."""

import random
from pathlib import Path

from tiltwise_lab.bench.storage.faults.fuzzed_stores import damage, fuzz_rows


def test_a_damaged_store_loses_nothing_in_silence() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rows = [row for _, row in fuzz_rows(stores=60, seeds=[seed]) if row is not None]
    assert sum(row.stores for row in rows) == 60
    assert sum(row.with_losses for row in rows) > 3, "damage that costs nothing tries nothing"
    assert [row.failures for row in rows if row.failures] == []


def test_damage_changes_nearly_every_file(tmp_path: Path) -> None:
    path, whole = tmp_path / "file", bytes(range(256)) * 100
    changed = 0
    for seed in range(50):
        path.write_bytes(whole)
        damage(path, random.Random(seed))
        changed += not path.exists() or path.read_bytes() != whole
    assert changed > 40, "two equal pages may change places"
