"""Files of other programs are read in SI units, and what cannot be used is told in one line."""

import sys

import numpy as np
import pytest

from tiltwise.recording.imu_file import ImuFileError, load_imu, read_options

RATE_HZ = 50.0
HEADER = "t_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"


def nodding(n=1000, rate_hz=RATE_HZ):
    """A head that nods by 30 degrees every four seconds: consistent acceleration and rotation about y."""
    t = np.arange(n) / rate_hz
    rng = np.random.default_rng(8)
    angle = np.radians(30) * np.sin(2 * np.pi * t / 4)
    rate = np.radians(30) * 2 * np.pi / 4 * np.cos(2 * np.pi * t / 4)
    up = np.stack((-np.sin(angle), np.zeros(n), np.cos(angle)), axis=1)
    acc = 9.80665 * up + rng.normal(0, 0.05, (n, 3))
    gyr = np.stack((np.zeros(n), rate, np.zeros(n)), axis=1) + rng.normal(0, 0.002, (n, 3))
    return t, acc, gyr


def save_npz(path, t, acc, gyr, **more):
    np.savez(path, t=t, acc=acc, gyr=gyr, **more)
    return path


def save_csv(path, t, acc, gyr, header=HEADER, delimiter=","):
    rows = np.column_stack((t, acc, gyr))
    np.savetxt(
        path, rows, delimiter=delimiter, header=header.replace(",", delimiter), comments="", fmt="%.9g"
    )
    return path


def save_parquet(path, t, acc, gyr, names=HEADER):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = np.column_stack((t, acc, gyr)).T
    parquet.write_table(pa.table(dict(zip(names.split(","), columns, strict=True))), path)
    return path


SAVE = {".npz": save_npz, ".csv": save_csv, ".parquet": save_parquet}


def refused(path, message):
    with pytest.raises(ImuFileError, match=message) as caught:
        load_imu(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


@pytest.mark.parametrize("suffix", SAVE)
def test_good_file_comes_back_as_it_was_written(tmp_path, suffix):
    t, acc, gyr = nodding()
    imu = load_imu(SAVE[suffix](tmp_path / f"a{suffix}", t, acc, gyr))
    np.testing.assert_allclose(imu.t_s, t, atol=1e-6)
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=1e-7)  # nine digits in the text
    np.testing.assert_allclose(imu.gyr_rad_s, gyr, atol=1e-8)
    assert imu.rate_hz == pytest.approx(RATE_HZ, rel=1e-6)
    assert imu.notes == ()


@pytest.mark.parametrize("suffix", SAVE)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, a, g: (t, a * 0.04, g), "gravity seems to be taken out"),
        (lambda t, a, g: (t, a * 417, g), "raw counts"),
        (lambda t, a, g: (t, a, g * 0), "missing or in another unit"),
        (lambda t, a, g: (t, a, g * 0.5), r"gyr turns 0\.5 times as much as gravity"),
        (lambda t, a, g: (t, a, -g), r"--columns gyr=-?gyr_x:-gyr_y"),
        (lambda t, a, g: (t * 10, a, g), "record faster"),
        (lambda t, a, g: (t / 1000, a, g), "times must be in seconds"),
        (lambda t, a, g: (t[:30], a[:30], g[:30]), "expected at least 1 s: record longer"),
        (lambda t, a, g: (t[:1], a[:1], g[:1]), "1 usable samples"),
        (lambda t, a, g: (np.r_[t[500:], t[:500]], a, g), "times go back at row 501"),
        (lambda t, a, g: (t, a * np.nan, g), "hold NaN"),
        (lambda t, a, g: (t[:0], a[:0], g[:0]), "samples"),
    ],
)
def test_values_that_nobody_can_know_are_refused_with_the_remedy(tmp_path, suffix, change, message):
    refused(SAVE[suffix](tmp_path / f"a{suffix}", *change(*nodding())), message)


@pytest.mark.parametrize("suffix", SAVE)
@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t, a, g: (t, a / 9.80665, g), "acceleration from g"),
        (lambda t, a, g: (t, a / 9.80665 * 1000, g), "acceleration from mg"),
        (lambda t, a, g: (t, a, np.degrees(g)), "angular rate from deg/s"),
        (lambda t, a, g: (t, a, 1000 * np.degrees(g)), "angular rate from mdeg/s"),
        (lambda t, a, g: (t * 1000, a, g), "times from ms"),
        (lambda t, a, g: (t * 1e6, a, g), "times from us"),
    ],
)
def test_other_units_are_converted_and_told(tmp_path, suffix, change, note):
    t, acc, gyr = nodding()
    imu = load_imu(SAVE[suffix](tmp_path / f"a{suffix}", *change(t, acc, gyr)))
    np.testing.assert_allclose(imu.t_s, t, atol=1e-5)
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=1e-5)
    np.testing.assert_allclose(imu.gyr_rad_s, gyr, atol=1e-6)
    assert imu.notes == (f"converted to SI units: {note} (found from the data; --units insists)",)


def test_units_that_are_insisted_on_are_taken_and_what_speaks_against_them_is_told(tmp_path):
    t, acc, gyr = nodding()
    path = save_npz(tmp_path / "a.npz", t, acc, gyr * 0.5)
    imu = load_imu(path, options=read_options(units="rad/s"))
    np.testing.assert_allclose(imu.gyr_rad_s, gyr * 0.5)
    assert imu.notes[0].startswith("gyr turns 0.5 times as much as gravity shows")


def test_still_sensor_in_degrees_per_second_with_a_bias_is_noticed(tmp_path):
    rng = np.random.default_rng(2)
    acc = rng.normal(0, 0.02, (500, 3)) + [0, 0, 9.8]
    gyr_deg_s = rng.normal(0, 0.1, (500, 3)) + [1.5, -0.8, 0.3]
    imu = load_imu(save_npz(tmp_path / "a.npz", np.arange(500) / 50, acc, gyr_deg_s))
    np.testing.assert_allclose(imu.gyr_rad_s, np.radians(gyr_deg_s))
    imu = load_imu(save_npz(tmp_path / "b.npz", np.arange(500) / 50, acc, np.radians(gyr_deg_s)))
    np.testing.assert_allclose(imu.gyr_rad_s, np.radians(gyr_deg_s))


def test_a_fast_nod_of_a_second_is_not_called_degrees_per_second(tmp_path):
    """Gravity cannot be seen to turn in 1.4 s of linear acceleration, so nothing is said against the unit."""
    t = np.arange(70) / 50
    angle = np.radians(45) * np.sin(np.pi * np.clip((t - 0.2) / 1.0, 0, 1)) ** 2
    rate = np.gradient(angle, t)
    acc = 9.80665 * np.stack((-np.sin(angle), 0 * t, np.cos(angle)), axis=1)
    acc[:, 0] -= 0.15 * np.gradient(rate, t)  # a head on a lever of 15 cm
    gyr = np.stack((0 * t, rate, 0 * t), axis=1)
    imu = load_imu(save_npz(tmp_path / "a.npz", t, acc, gyr))
    np.testing.assert_allclose(imu.gyr_rad_s, gyr)
    assert imu.notes == ()


def test_real_recordings_are_accepted_and_converted_from_other_units(shared_data, tmp_path):
    files = sorted(shared_data.rglob("*.npz"))[::10]
    assert files
    for path in files:
        imu = load_imu(path)
        assert imu.notes == ()
        wrong = tmp_path / "wrong.npz"
        other = load_imu(save_npz(wrong, imu.t_s, imu.acc_m_s2 / 9.80665, np.degrees(imu.gyr_rad_s)))
        np.testing.assert_allclose(other.gyr_rad_s, imu.gyr_rad_s, atol=1e-9, err_msg=str(path))
        np.testing.assert_allclose(other.acc_m_s2, imu.acc_m_s2, atol=1e-9, err_msg=str(path))
        assert len(other.notes) == 1


@pytest.mark.parametrize("suffix", SAVE)
def test_short_runs_of_nan_are_left_out_and_told(tmp_path, suffix):
    t, acc, gyr = nodding()
    acc[100:140, 1] = np.nan
    gyr[500, 2] = np.inf
    imu = load_imu(SAVE[suffix](tmp_path / f"a{suffix}", t, acc, gyr))
    assert len(imu.t_s) == 959
    assert imu.notes == ("41 of 1000 rows hold no number, NaN or infinity: left out, shown as gaps",)


def test_doubled_rows_are_left_out_and_told(tmp_path):
    t, acc, gyr = nodding()
    rows = np.sort(np.r_[0:1000, 200:210])
    imu = load_imu(save_csv(tmp_path / "a.csv", t[rows], acc[rows], gyr[rows]))
    np.testing.assert_allclose(imu.t_s, t, atol=1e-6)
    assert imu.notes == ("10 of 1010 rows repeat the row before: left out",)


def test_wall_clock_times_are_counted_from_the_first(tmp_path):
    t, acc, gyr = nodding()
    imu = load_imu(save_npz(tmp_path / "a.npz", 1_767_000_000.5 + t, acc, gyr))
    np.testing.assert_allclose(imu.t_s, t, atol=1e-5)
    assert "counted from there" in imu.notes[0]


def test_rounded_times_lie_on_the_even_grid_they_came_from(tmp_path):
    t, acc, gyr = nodding(rate_hz=100 / 3)
    imu = load_imu(save_npz(tmp_path / "a.npz", np.round(t, 3), acc, gyr))
    assert np.ptp(np.diff(imu.t_s)) < 1e-9  # s
    assert np.abs(imu.t_s - t).max() < 1e-4  # s


def test_rate_that_does_not_fit_the_times_is_told(tmp_path):
    imu = load_imu(save_npz(tmp_path / "a.npz", *nodding(), fs=100.0))
    assert imu.notes == ("the file states 100 Hz, its times say 50 Hz: the times are used",)


def test_npz_without_times_uses_its_rate(tmp_path):
    t, acc, gyr = nodding()
    np.savez(tmp_path / "a.npz", acc=acc, gyr=gyr, fs=50.0)
    np.testing.assert_allclose(load_imu(tmp_path / "a.npz").t_s, t, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", b"", "file is empty"),
        ("a.csv", b"", "file is empty"),
        ("a.parquet", b"", "file is empty"),
        ("a.npz", b"this is text\n", "not a whole .npz"),
        ("a.npz", b"PK\x03\x04garbage", "not a whole .npz"),
        ("a.parquet", b"PAR1garbage", "not a whole Parquet"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        ("a.csv", b"PK\x03\x04\x00\x00", "not a text file"),
        ("a.csv", HEADER.encode(), "without samples"),
        ("a.csv", HEADER.encode() + b"\n", "without samples"),
        ("a.csv", b"# nothing but words\n", "no header line"),
        ("a.csv", b"time,value\n1,2\n", "found 'time', 'value'; name them with --columns"),
        (
            "a.csv",
            HEADER.encode() + b"\n0,0,0,9.8,0,0,0\n0.02,0,0,9.8\n0.04,0,0,9.8,0,0,0\n",
            "line 3 has 4 cells",
        ),
        ("a.csv", HEADER.encode() + b"\n0,0,0,9.8,0,0,0\n0.02,0,0,lost,0,0,0\n", "line 3 holds text"),
        ("a.tw", b"{}", "use read_recording"),
        ("a.mat", b"x", "no header line"),
        ("a.fit", b"\x0e\x10\x54\x08\x10\0\0\0.FIT\0\0", "a Garmin recording"),
        ("a", b"\0\1", "not a text file"),
    ],
)
def test_foreign_and_broken_files_are_told_in_one_line(tmp_path, name, content, message):
    if name.endswith(".parquet") and content:
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, message)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_files_cut_off_anywhere_are_told(tmp_path, suffix):
    path = SAVE[suffix](tmp_path / f"a{suffix}", *nodding(200))
    data = path.read_bytes()
    for size in range(1, len(data), len(data) // 25):
        path.write_bytes(data[:size])
        refused(path, "not a whole")


def test_csv_cut_off_in_a_line_loses_only_that_line(tmp_path):
    path = save_csv(tmp_path / "a.csv", *nodding(200))
    path.write_bytes(path.read_bytes()[:-30])
    assert len(load_imu(path).t_s) in (198, 199)


@pytest.mark.parametrize("suffix", SAVE)
def test_absent_files_and_folders_are_told(tmp_path, suffix):
    refused(tmp_path / f"absent{suffix}", "no such file")
    (tmp_path / f"folder{suffix}").mkdir()
    refused(tmp_path / f"folder{suffix}", "folder")


def test_unreadable_file_is_told(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "a.npz", *nodding(100))

    def deny(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tiltwise.recording.formats.npz_arrays.zipfile.ZipFile", deny)
    refused(path, "not allowed")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"t": np.arange(100) / 50, "acc": np.zeros((100, 3))}, "no gyr"),
        ({"acc": np.zeros((100, 3)) + [0, 0, 9.8], "gyr": np.zeros((100, 3))}, "give it|--rate 50"),
        ({"t": np.arange(99) / 50, "acc": np.zeros((100, 3)), "gyr": np.zeros((100, 3))}, "shapes are"),
        ({"t": np.arange(100) / 50, "acc": np.zeros((3, 100)), "gyr": np.zeros((3, 100))}, "shapes are"),
        ({"t": np.float64(1), "acc": np.float64(1), "gyr": np.float64(1)}, "shapes are"),
        (
            {"t": np.array(["a"] * 100), "acc": np.zeros((100, 3)), "gyr": np.zeros((100, 3))},
            "expected numbers",
        ),
        ({"t": np.array([{}] * 9), "acc": np.zeros((9, 3)), "gyr": np.zeros((9, 3))}, "Python objects"),
        ({"acc": np.zeros((9, 3)), "gyr": np.zeros((9, 3)), "fs": np.array([np.nan])}, "fs is nan"),
        ({"acc": np.zeros((9, 3)), "gyr": np.zeros((9, 3)), "fs": np.zeros(0)}, "fs is None"),
    ],
)
def test_wrong_arrays_are_told(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(tmp_path / "a.npz", message)


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_csv_dialects_are_read(tmp_path, delimiter):
    t, acc, gyr = nodding(200)
    path = save_csv(
        tmp_path / "a.csv", t, acc, gyr, header="t,acc_x,ACC_Y,acc_z,gyr_x,gyr_y,gyr_z", delimiter=delimiter
    )
    text = path.read_text()
    if delimiter == ";":
        text = text.replace(".", ",")
    path.write_bytes(b"\xef\xbb\xbf# made by hand\r\n" + text.replace("\n", "\r\n").encode())
    imu = load_imu(path)
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=1e-7)


def test_csv_with_empty_cells_and_more_columns_is_read(tmp_path):
    t, acc, gyr = nodding(200)
    lines = save_csv(tmp_path / "a.csv", t, acc, gyr).read_text().splitlines()
    lines = ["label," + lines[0]] + [f"walk {k}," + line for k, line in enumerate(lines[1:])]
    lines[50] = lines[50].rsplit(",", 1)[0] + ","
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    imu = load_imu(tmp_path / "a.csv")
    assert len(imu.t_s) == 199
    assert "1 of 200 rows" in imu.notes[0]


def test_long_csv_tells_its_progress(tmp_path):
    t, acc, gyr = nodding(120_000)
    shares = []
    imu = load_imu(save_csv(tmp_path / "a.csv", t, acc, gyr), progress=shares.append)
    assert len(imu.t_s) == 120_000
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_missing_pyarrow_is_told_with_the_remedy(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused(tmp_path / "a.parquet", r"pip install pyarrow")
