"""What is exported is whole, kept when it is there, safe in a spreadsheet, valid, and equal when it comes back."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from command import Command, assert_one_line
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.offline.travel import export_days as exporting
from tiltwise.offline.travel.export_days import ExportRequest, Format, export_days
from tiltwise.offline.travel.import_days import find_days, import_days
from tiltwise.offline.travel.motion_bids import label
from tiltwise.report.aggregate import FLEXION_CENTRES_DEG, Aggregate
from tiltwise.store.reader import StoreReader
from tiltwise.store.stored_rows import device_samples
from tiltwise.store.stored_samples import StoredDay
from tiltwise.store.writer import Store
from tiltwise.types import Mount, RepCompleted, Side

HOSTILE = '=HYPERLINK("http://x","y"),\n@SUM(A1)'


def newest(folder: Path) -> StoredDay:
    with StoreReader(folder) as reader:
        return reader.day(reader.days()[-1])


def exported(folder: Path, to: Path, kind: Format, *, samples: bool = False) -> exporting.Exported:
    request = ExportRequest(folder, to, kind, date(2000, 1, 1), date(2099, 1, 1), "ann", samples)
    return export_days(request, lambda _: None)


def same(a: Aggregate, b: Aggregate) -> bool:
    return (
        a.start_s == b.start_s
        and all(
            np.array_equal(getattr(a, name), getattr(b, name))
            for name in ("activity_s", "flexion_s", "rate_s", "eva_s")
        )
        and (a.limit_use, a.bout_s) == (b.limit_use, b.bout_s)
        and np.array_equal(a.lateral_deg, b.lateral_deg, equal_nan=True)
        and np.array_equal(a.rotation_deg, b.rotation_deg, equal_nan=True)
    )


def test_parquet_days_come_back_equal(demo_folder: Path, tmp_path: Path) -> None:
    done = exported(demo_folder, tmp_path / "out", Format.PARQUET)
    assert (done.written, done.there) == (3, 0)
    back = import_days(find_days(tmp_path / "out"), tmp_path / "store", lambda _: None)
    assert len(back.days) == 1
    was, now = newest(demo_folder), newest(tmp_path / "store")
    assert len(was.minutes) == len(now.minutes) > 3
    assert all(same(a, b) for a, b in zip(was.minutes, now.minutes, strict=True))
    assert was.events == now.events
    assert was.gaps == now.gaps
    assert (was.zone, was.mount, was.rule_deg, was.origins) == (
        now.zone,
        now.mount,
        now.rule_deg,
        now.origins,
    )
    again = import_days(find_days(tmp_path / "out"), tmp_path / "store", lambda _: None)
    assert (again.days, again.there) == ([], back.days)
    assert len(newest(tmp_path / "store").minutes) == len(was.minutes)


def test_what_is_there_is_kept_and_a_stopped_export_goes_on(
    demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    def stop(*_: object, **__: object) -> None:
        raise StopError

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "gap_columns", stop)
        with pytest.raises(StopError):
            exported(demo_folder, tmp_path, Format.CSV)
    assert not list(tmp_path.glob("*.part"))
    (tmp_path / f"events-{StoreDay.of(demo_folder)}.csv").write_text("mine", encoding="utf-8")
    done = exported(demo_folder, tmp_path, Format.CSV)
    assert (done.written, done.there) == (2, 1)
    assert (tmp_path / f"events-{StoreDay.of(demo_folder)}.csv").read_text(encoding="utf-8") == "mine"


class StoreDay:
    """The one day of the demo."""

    @staticmethod
    def of(folder: Path) -> date:
        with StoreReader(folder) as reader:
            return reader.days()[-1]


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    with Store(tmp_path / "store", min_free_bytes=0) as store:
        session = store.begin_session(HOSTILE, 1, zone="UTC", mount=Mount.HEAD, started_s=1.77e9)
        store.put_aggregates(session, [minute_of(1.77e9 // 60 * 60)])
        rep = RepCompleted(1.77e9, HOSTILE, Side.LEFT, 1.77e9, 1.77e9, 1.77e9, 30.0, 1.0)
        store.put_events(session, [rep], 0.0)
        store.put_gap(session, 1.77e9, 1.77e9 + 5, HOSTILE)
        store.commit()
    request = ExportRequest(
        tmp_path / "store", tmp_path, Format.CSV, date(2020, 1, 1), date(2030, 1, 1), HOSTILE
    )
    export_days(request, lambda _: None)
    files = sorted(tmp_path.glob("*.csv"))
    assert len(files) == 3
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert rows
        assert all(len(row) == len(header) for row in rows)
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), cell
            assert not cell.startswith("-") or float(cell) < 0
        assert rows[0][header.index("device")] == f"'{HOSTILE}"


def minute_of(start_s: float) -> Aggregate:
    flexion = np.zeros((2, len(FLEXION_CENTRES_DEG)))
    flexion[0, 950] = 60.0
    return Aggregate(start_s, np.array([60.0, 0, 0, 0, 0]), flexion, np.zeros(24), np.zeros((7, 7)))


def test_samples_as_csv_parquet_and_sto_are_those_of_the_store(demo_folder: Path, tmp_path: Path) -> None:
    day = newest(demo_folder)
    (samples,) = device_samples(demo_folder, day.start_s, day.end_s)
    assert samples.q_earth_from_sensor is not None
    for kind in (Format.CSV, Format.PARQUET, Format.STO):
        exported(demo_folder, tmp_path, kind, samples=True)
    (table,) = tmp_path.glob("samples-*.parquet")
    read = pyarrow.parquet.read_table(table)
    assert np.array_equal(read["t_s"].to_numpy(), samples.t_s)
    assert np.array_equal(read["q_y"].to_numpy(), samples.q_earth_from_sensor[:, 2])
    assert np.array_equal(read["acc_z_m_s2"].to_numpy(), samples.acc_m_s2[:, 2])
    (text,) = tmp_path.glob("samples-*.csv")
    rows = np.loadtxt(text, delimiter=",", skiprows=1)
    assert np.abs(rows[:, 1:5] - samples.q_earth_from_sensor).max() < 1e-6
    assert np.abs(rows[:, 5:] - samples.acc_m_s2).max() < 1e-6  # m/s2
    assert text.read_text(encoding="utf-8").startswith("t_s,q_w,q_x,q_y,q_z,acc_x (m/s2)")
    (sto,) = tmp_path.glob("samples-*.sto")
    head, _, body = sto.read_text(encoding="utf-8").partition("endheader\n")
    assert "DataType=Quaternion" in head
    names, first, *_ = body.splitlines()
    assert names == "time\tcerv_imu"
    assert np.allclose(
        [float(x) for x in first.split("\t")[1].split(",")], samples.q_earth_from_sensor[0], atol=1e-7
    )
    assert len(body.splitlines()) == len(samples.t_s) + 1


def test_motion_bids_says_what_its_tables_hold(demo_folder: Path, tmp_path: Path) -> None:
    exported(demo_folder, tmp_path, Format.MOTION_BIDS)
    (about,) = tmp_path.rglob("*_motion.json")
    values = json.loads(about.read_text(encoding="utf-8"))
    (channels,) = tmp_path.rglob("*_channels.tsv")
    names, *rows = (line.split("\t") for line in channels.read_text(encoding="utf-8").splitlines())
    (motion,) = tmp_path.rglob("*_motion.tsv")
    table = np.loadtxt(motion, delimiter="\t")
    assert table.shape[1] == len(rows) == values["MotionChannelCount"] == 8
    assert values["ORNTChannelCount"] == 4
    assert values["SamplingFrequencyEffective"] == pytest.approx((len(table) - 1) / table[-1, 0], rel=1e-5)
    assert np.allclose(np.sum(table[:, 1:5] ** 2, axis=1), 1, atol=1e-5)
    assert rows[1][: len(names) - 1] == ["neck_quat_w", "quat_w", "ORNT", "neck", "n/a"]
    done = exported(demo_folder, tmp_path, Format.MOTION_BIDS)
    assert done.written == 0
    assert label("A-n n_1") == "Ann1"
    assert label("ä=") == "me"


@pytest.mark.skipif(
    importlib.util.find_spec("bids_validator_deno") is None, reason="bids-validator-deno is not installed"
)
def test_the_official_validator_finds_no_error(
    demo_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = Path(tempfile.mkdtemp())  # deno reads nothing below /dev, where tests may have their folders
    request.addfinalizer(lambda: shutil.rmtree(folder))
    store = shutil.copytree(demo_folder, tmp_path / "store")
    start_s = device_samples(store, 0.0, 4e9)[0].t_s[0] + 5.0
    with Store(store, min_free_bytes=0) as kept:
        session = kept.begin_session("other", 1, zone="UTC", mount=Mount.NECK, started_s=start_s)
        rep = RepCompleted(9.0, "side_tilt", Side.LEFT, 5.0, 7.0, 9.0, -30.0, 1.0)
        record = ExerciseRecord(
            "side_tilt", Mount.NECK, start_s, start_s + 20.0, True, True, 1, {Side.LEFT: 1}, reps=(rep,)
        )
        kept.put_exercise(session, record, 0.0)
        kept.commit()
    exported(store, folder, Format.MOTION_BIDS)
    assert len(list(folder.rglob("*_events.tsv"))) == 1
    program = (
        shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or "bids-validator-deno"
    )
    done = subprocess.run(
        [program, "--format", "json", folder],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []


@pytest.mark.parametrize("damage", ["cut", "text", "column", "zone", "hist", "missing"])
def test_a_damaged_file_is_told_in_one_line_and_leaves_no_half_day(
    tiltwise: Command, demo_folder: Path, tmp_path: Path, damage: str
) -> None:
    exported(demo_folder, tmp_path, Format.PARQUET)
    (path,) = tmp_path.glob("minutes-*.parquet")
    table = pyarrow.parquet.read_table(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-700])
    elif damage == "text":
        path.write_bytes(b"PAR1 this is none")
    elif damage == "missing":
        next(tmp_path.glob("gaps-*.parquet")).unlink()
    elif damage == "column":
        pyarrow.parquet.write_table(table.drop_columns(["start_utc"]), path)
    else:
        column = "zone" if damage == "zone" else "flexion_hist_s"
        values = ["Mars/Olympus"] * len(table) if damage == "zone" else [[1.0, 2.0]] * len(table)
        index = table.column_names.index(column)
        pyarrow.parquet.write_table(table.set_column(index, column, pyarrow.array(values)), path)
    result = tiltwise("import", tmp_path, "--data", tmp_path / "store")
    assert_one_line(result, 1, "gaps-" if damage == "missing" else path.name)
    with StoreReader(tmp_path / "store") as reader:
        assert reader.days() == []


def test_the_commands(tiltwise: Command, demo_folder: Path, tmp_path: Path) -> None:
    result = tiltwise("export", tmp_path / "out", "--as", "parquet", "--data", demo_folder)
    assert (result.code, result.out) == (0, f"3 files written to {tmp_path / 'out'}\n")
    result = tiltwise("export", tmp_path / "out", "--as", "parquet", "--data", demo_folder)
    assert "0 files written" in result.out
    assert "3 were there and are kept" in result.out
    result = tiltwise("import", tmp_path / "out", "--data", tmp_path / "store")
    assert result.out == f"1 day in {tmp_path / 'store'} now\n"
    result = tiltwise("import", tmp_path / "out", "--data", tmp_path / "store")
    assert result.out.startswith(f"nothing new in {tmp_path / 'store'}; 1 day with data before, left alone: ")
    assert_one_line(tiltwise("export", tmp_path, "--as", "c3d", "--data", demo_folder), 2, "motion-bids")
    said = tiltwise("export", tmp_path, "--from", "2020-01-01", "--to", "2020-01-02", "--data", demo_folder)
    assert_one_line(said, 1, "nothing to export from 2020-01-01")
    (tmp_path / "empty").mkdir()
    assert_one_line(tiltwise("import", tmp_path / "empty", "--data", tmp_path / "s"), 1, "minutes-2026-03-01")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert_one_line(tiltwise("export", tmp_path / "file", "--data", demo_folder), 1, "file")


def test_a_damaged_chunk_is_told_by_the_export_that_leaves_it_out(
    tiltwise: Command, demo_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(demo_folder, store)
    (month,) = store.glob("raw-*.db")
    db = sqlite3.connect(month)
    with db:
        db.execute("UPDATE chunk SET data = zeroblob(100) WHERE id = (SELECT min(id) FROM chunk)")
    db.close()
    for kind in ("csv", "motion-bids"):
        arguments = ("export", tmp_path / kind, "--as", kind, "--samples", "--data", store)
        assert "of 1 day some raw samples are damaged in the store and left out" in tiltwise(*arguments).out
    sound = tiltwise("export", tmp_path / "sound", "--samples", "--data", demo_folder)
    assert "are damaged" not in sound.out
