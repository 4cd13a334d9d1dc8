"""Groups of people: sums are those of the pooled minutes, spread is told apart, and nobody is shown alone."""

from __future__ import annotations

import base64
import gc
import itertools
import json
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from app.history.stored_weeks import KnownDay, write_days
from command import Command, assert_one_line
from tiltwise.errors import AppError
from tiltwise.offline.cohort.cohort_cluster import person_days_on
from tiltwise.offline.cohort.cohort_days import PersonDay
from tiltwise.offline.cohort.cohort_figures import figures_of_days, figures_of_digests
from tiltwise.offline.cohort.day_digest import Digest, combine, digest_bytes, digest_of, read_digest
from tiltwise.report import aggregate as agg
from tiltwise.report.aggregate import Aggregate
from tiltwise.types import Mount


def minutes_of(seed: int, n: int = 120) -> Aggregate:
    """Return the merged minutes of a random person."""
    rng = np.random.default_rng(seed)
    angles = rng.normal(rng.uniform(5, 30), rng.uniform(4, 15), n * 60)
    flexion = np.zeros((2, agg.N_FLEXION))
    flexion[0] = np.bincount(agg.flexion_bin(angles), minlength=agg.N_FLEXION)
    return Aggregate(
        60.0 * seed, np.array([n * 60.0, 0, 0, 0, 30.0]), flexion, rng.uniform(0, 9, agg.N_RATE).round(3),
        rng.uniform(0, 9, agg.EVA_SHAPE).round(3), 0.5, 9.0,
    )  # fmt: skip


def digest(seed: int, person: str) -> Digest:
    return digest_of(minutes_of(seed), person=person, day=f"2026-03-{seed % 28 + 1:02d}", mount=Mount.HEAD)


def test_a_digest_is_small_and_comes_back_equal(tmp_path: Path) -> None:
    one = digest(3, "ann")
    data = digest_bytes(one)
    assert len(data) < 2000  # bytes
    (tmp_path / "digest-1.json").write_bytes(data)
    back = read_digest(tmp_path / "digest-1.json")
    assert (back.person, back.day, back.mount, back.people, back.days) == ("ann", one.day, "head", 1, 1)
    assert all(np.array_equal(back.tables[name], table) for name, table in one.tables.items())
    assert back.worn_s == 7200


def test_digests_add_up_exactly_in_any_order_and_any_grouping() -> None:
    parts = [digest(k, f"p{k % 4}") for k in range(12)]
    whole = combine(parts, "all")
    halves = combine([combine(parts[7:], "b"), combine(parts[:7], "a")], "all")
    for name, table in whole.tables.items():
        assert np.array_equal(table, halves.tables[name])
    assert (whole.people, whole.days) == (4, 12)
    pooled = agg.merge([minutes_of(k) for k in range(12)])
    wanted = agg.histogram_percentiles(pooled.flexion_s.sum(axis=0), agg.FLEXION_EDGES_DEG, (10, 50, 90))
    found = agg.histogram_percentiles(whole.flexion_s, agg.FLEXION_EDGES_DEG, (10, 50, 90))
    assert np.abs(wanted - found).max() < 0.01  # deg, of 0.2 that a class is wide


def test_percentiles_of_a_digest_are_those_of_the_day_to_a_class() -> None:
    day, one = minutes_of(3), digest(3, "ann")
    wanted = day.percentiles_deg(10, 50, 90)
    found = agg.histogram_percentiles(one.flexion_s, agg.FLEXION_EDGES_DEG, (10, 50, 90))
    assert np.abs(found - wanted).max() < 0.1  # deg, of at most 0.2
    assert one.flexion_s.sum() == pytest.approx(day.posture_s)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def version_1() -> dict[str, object]:
    """Return a digest as version 1 wrote it: 7.001 s at 10 deg, 3 ms at 11."""
    about = {
        "format": "tiltwise day digest",
        "version": 1,
        "person": "ann",
        "day": "2026-03-02",
        "mount": "head",
    }
    tables = {
        "flexion_ms": (100, [7001, 3]),
        "rate_ms": (0, [5]),
        "eva_ms": (40, [7000]),
        "activity_ms": (0, [7004]),
    }
    lists = {name: {"first": first, "ms": ms} for name, (first, ms) in tables.items()}
    return about | {"people": 1, "days": 1} | lists


def test_a_digest_in_whole_degrees_is_read_and_adds_up_with_one_in_fifths(tmp_path: Path) -> None:
    (tmp_path / "digest-1.json").write_text(json.dumps(version_1()), encoding="utf-8")
    back = read_digest(tmp_path / "digest-1.json")
    parts = back.tables["flexion_ms"][500:510].tolist()
    assert (sum(parts[:5]), sum(parts[5:]), back.tables["flexion_ms"].sum()) == (7001, 3, 7004)
    assert max(parts[:5]) - min(parts[:5]) == 1
    assert back.tables["eva_ms"].nonzero()[0].tolist() == [40]
    assert combine([back, digest(4, "bob")], "both").tables["flexion_ms"].sum() == 7004 + 7_200_000


def test_groups_below_the_floor_are_counted_and_not_shown() -> None:
    parts = [digest(k, f"p{k}") for k in range(9)]
    groups = {f"p{k}": "big" if k < 5 else "small" for k in range(9)}
    found, hidden = figures_of_digests(parts, groups)
    assert [figures.group for figures, _ in found] == ["big"]
    assert hidden == 1
    assert figures_of_digests(parts[:4], groups) == ([], 1)
    of_many = [combine(parts, "site A"), combine(parts[:4], "site B")]
    assert [f.group for f, _ in figures_of_digests(of_many, {})[0]] == ["site A"]


def test_spread_between_and_within_people_is_told_apart() -> None:
    def day(person: int, share: float) -> PersonDay:
        return PersonDay(f"p{person}", "d", "head", 4000.0, 3600.0, 12.0, (0.0, share * 36, 0.0, 0.0, 0.0))

    days = [day(person, 10.0 * person + extra) for person in range(5) for extra in (-2.0, 0.0, 2.0)]
    days += [day(7, 80.0)]  # one day of a person in no group
    (group,), hidden = figures_of_days(days, {f"p{k}": "all" for k in range(5)})
    assert (group.people, group.days, hidden) == (5, 15, 0)
    assert group.mean_percent == pytest.approx(20)
    assert group.between_sd == pytest.approx(np.std([0, 10, 20, 30, 40], ddof=1))
    assert group.within_sd == pytest.approx(2)
    assert group.days_over_percent == 0


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folders of six people with two days each; person k was bent in 20 k of 200 minutes."""
    folder = tmp_path_factory.mktemp("cohort")
    for k in range(6):
        days = [KnownDay(f"2026-10-{day}T09:00", 200, (0, 20 * k)) for day in (24, 25)]
        write_days(folder / "stores" / f"p{k}", days)
    return folder


@pytest.mark.parametrize("kind", ["parquet", "digest"])
def test_the_command_reads_what_export_wrote(tiltwise: Command, exports: Path, kind: str) -> None:
    out = exports / kind
    for k in range(6):
        assert (
            tiltwise("export", out / f"p{k}", "--as", kind, "--data", exports / "stores" / f"p{k}").code == 0
        )
    result = tiltwise("cohort", out, "--json")
    assert (result.code, result.err) == (0, "")
    (group,) = json.loads(result.out)["groups"]
    assert (group["people"], group["days"]) == (6, 12)
    assert group["percent_beyond_deg"]["20"] == pytest.approx(25, abs=0.02)
    if kind == "parquet":
        assert group["between_sd"] == pytest.approx(np.std([0, 10, 20, 30, 40, 50], ddof=1), abs=0.02)
        assert group["within_sd"] == pytest.approx(0, abs=1e-6)
    else:
        assert group["percentiles_deg"][2] == pytest.approx(30.6, abs=0.1)
    table = exports / "groups.csv"
    table.write_text("person,group\n" + "".join(f"p{k},{'ab'[k > 3]}\n" for k in range(6)), encoding="utf-8")
    result = tiltwise("cohort", out, "--groups", table)
    assert "groups of fewer than 5 people, which are not shown: 2" in result.out
    assert "p4" not in result.out
    result = tiltwise("cohort", out, "--groups", table, "--floor", "2")
    assert "not shown" not in result.out
    assert max(map(len, result.out.splitlines())) <= 80


def test_combined_digests_of_two_sites_are_read_again(
    tiltwise: Command, exports: Path, tmp_path: Path
) -> None:
    out = tmp_path / "digests"
    for k in range(6):
        tiltwise("export", out / f"p{k}", "--as", "digest", "--data", exports / "stores" / f"p{k}")
    assert tiltwise("cohort", out, "--combine", tmp_path / "sums").code == 0
    (path,) = (tmp_path / "sums").glob("digest-*.json")
    assert "p1" not in path.read_text(encoding="utf-8")
    (group,) = json.loads(tiltwise("cohort", tmp_path / "sums", "--json").out)["groups"]
    assert (group["people"], group["days"], group["group"]) == (6, 12, "all")


def test_days_too_short_to_count_are_left_out_and_said(tiltwise: Command, tmp_path: Path) -> None:
    write_days(tmp_path / "store", [KnownDay("2026-10-24T09:00", 30, (0, 30))])
    out = tmp_path / "out"
    for k in range(5):
        tiltwise("export", out / f"p{k}", "--as", "parquet", "--data", tmp_path / "store")
    result = tiltwise("cohort", out)
    assert result.out.splitlines() == [
        "no group to show",
        "days with less than 1 h upright, which are left out: 5",
    ]
    assert json.loads(tiltwise("cohort", out, "--json").out)["short_days"] == 5


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", 3), ("people", 0), ("mount", "foot"), ("rate_ms", None), ("eva_ms", {"first": 40, "ms": [1] * 40}),
     ("flexion_ms", {"first": 0, "ms": [-1]}), ("flexion_ms", {"first": 0, "ms": [0.5]}), ("format", []),
     ("tables", None), ("tables", "?"), ("tables", packed(b"few")), ("tables", packed(bytes(1 << 24))),
     ("tables", packed(b"\xff" * 8 * 1128)), ("tables", packed(bytes(8 * 1128))[:-8])],
)  # fmt: skip
def test_a_wrong_digest_is_told_with_its_name(tmp_path: Path, key: str, value: object) -> None:
    is_old = key.endswith("_ms")
    values = (version_1() if is_old else json.loads(digest_bytes(digest(3, "ann")))) | {key: value}
    (tmp_path / "digest-x.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(AppError, match=r"digest-x\.json: not a day digest"):
        read_digest(tmp_path / "digest-x.json")


def test_an_empty_folder_and_a_wrong_table(tiltwise: Command, exports: Path, tmp_path: Path) -> None:
    assert_one_line(tiltwise("cohort", tmp_path), 1, "--as digest")
    (tmp_path / "minutes-2026-01-01.parquet").write_bytes(b"PAR1 and no more")
    assert_one_line(tiltwise("cohort", tmp_path), 1, "export them again")
    (tmp_path / "digest-x.json").write_text("[]", encoding="utf-8")
    assert_one_line(tiltwise("cohort", tmp_path), 1, "digest-x.json")


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return minutes of eight people on two days, one file each; half a day of p0 is in a file of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("minutes")
    rng = np.random.default_rng(1)
    for k in range(8):
        for day in (24, 25):
            n = 120
            beyond = {f"beyond_{limit}_deg_s": rng.uniform(0, 60, n) for limit in agg.THRESHOLDS_DEG}
            columns = {
                "person": [f"p{k}"] * n, "zone": ["Europe/Berlin"] * n, "mount": ["head"] * n,
                "start_utc": [f"2026-10-{day}T{8 + m // 60:02d}:{m % 60:02d}:00Z" for m in range(n)],
                "sensor": [0] * n, "worn_s": [60.0] * n, "upright_s": [60.0] * n, "mean_deg": rng.normal(15, 5, n),
            } | beyond  # fmt: skip
            table = pa.table(columns)
            (folder / f"p{k}").mkdir(exist_ok=True)
            cuts = (0, 50, n) if k == 0 else (0, n)
            for a, b in itertools.pairwise(cuts):
                pq.write_table(table.slice(a, b - a), folder / f"p{k}" / f"minutes-2026-10-{day}-{a}.parquet")
    return folder


def test_a_cluster_gives_the_figures_of_one_machine(
    tiltwise: Command, minutes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("tiltwise.offline.cohort.cohort_cluster._FILES", 1)  # a day of p0 is in two tasks
    here = tiltwise("cohort", minutes, "--json")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp://"
    ) as cluster:
        there = tiltwise("cohort", minutes, "--cluster", cluster.scheduler_address, "--json")
        (minutes / "p1" / "minutes-broken.parquet").write_bytes(b"PAR1 and no more")
        broken = tiltwise("cohort", minutes, "--cluster", cluster.scheduler_address)
        (minutes / "p1" / "minutes-broken.parquet").unlink()
    (alone,), (spread_out,) = (json.loads(each.out)["groups"] for each in (here, there))
    assert (alone["people"], alone["days"]) == (8, 16)
    assert spread_out.pop("percent_beyond_deg") == pytest.approx(alone.pop("percent_beyond_deg"))
    for name in ("mean_percent", "between_sd", "within_sd", "worn_h"):
        assert spread_out[name] == pytest.approx(alone[name])
    assert (spread_out["people"], spread_out["days"]) == (8, 16)
    assert_one_line(broken, 1, "export them again")


def test_a_cluster_that_does_not_answer_or_has_no_workers_is_told(
    tiltwise: Command, minutes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(person_days_on, "__defaults__", (0.5,))
    for address in ("tcp://127.0.0.1:9", "nonsense://here", "127.0.0.1:port"):
        gc.collect()
        before = [thread for thread in threading.enumerate() if thread.name == "IO loop"]
        gc.disable()  # what is not closed at once is closed at any time, and then dask may wait for itself
        try:
            assert_one_line(tiltwise("cohort", minutes, "--cluster", address), 1, "no dask scheduler answers")
            assert [thread for thread in threading.enumerate() if thread.name == "IO loop"] == before
        finally:
            gc.enable()
    with distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address=":0", protocol="tcp://"
    ) as cluster:
        result = tiltwise("cohort", minutes, "--cluster", cluster.scheduler_address)
    assert_one_line(result, 1, "has no workers")


def test_without_dask_the_extra_is_named(
    tiltwise: Command, minutes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert_one_line(
        tiltwise("cohort", minutes, "--cluster", "tcp://x:1"), 1, "pip install 'dask[distributed]'"
    )
