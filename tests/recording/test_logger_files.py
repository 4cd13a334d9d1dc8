"""The files of popular loggers are read by their content, in SI units, and damaged ones are told in one line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from offline.imu_file_samples import save
from recording.logger_files import LAYOUTS, Array, Writer, bows, iphone
from tiltwise.exercise.catalogue import EXERCISES
from tiltwise.offline.count import count
from tiltwise.offline.input_file import read_input
from tiltwise.recording.imu_file import ImuFileError, load_imu, read_options
from tiltwise.types import Mount

MUTATIONS = 200  # `tiltwise bench exposure` tries a thousand of each
SAID = {
    "phyphox": "",
    "sensor_logger": "3 ms apart at the start",
    "metabase": "78 ms apart at the start",
    "ngimu": "acceleration from g, angular rate from deg/s",
    "ximu3": "times from us",
    "xsens": "",
    "shimmer": "2 sets of columns could be meant: 'S_Accel_LN_X_CAL'",
    "st_unico": "taken as 50; give --rate",
    "movella_dot": "angular rate from deg/s (found from the data; --units insists)",
    "core_motion": "acceleration from g",
    "iphone": "Gravity and Accelerometer added up",
    "headphones": "acceleration from g",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_three_bows_of_35_degrees_are_read_from_each_layout(tmp_path: Path, layout: str) -> None:
    t, acc, gyr = bows()
    path = LAYOUTS[layout](tmp_path, t, acc, gyr)
    imu = load_imu(path)
    assert imu.rate_hz == pytest.approx(50, rel=1e-3)
    assert SAID[layout] in "; ".join(imu.notes)
    first = len(t) - len(imu.t_s)  # two files overlap by a little less than all
    assert first <= 5
    late_s = 0.078 if layout == "metabase" else 0.003 if layout == "sensor_logger" else 0.0
    shift = np.round(late_s * 50).astype(int)
    np.testing.assert_allclose(imu.gyr_rad_s[100:200], gyr[100 + shift : 200 + shift], atol=1e-4)
    if not late_s:
        np.testing.assert_allclose(imu.acc_m_s2, acc, atol=2e-4)
        np.testing.assert_allclose(imu.t_s - imu.t_s[0], t, atol=2e-3)
    data = read_input(path)
    reps = count(data, Mount.HEAD, EXERCISES["head_down"]).reps
    held = [abs(rep.peak_deg) for rep in reps if abs(rep.peak_deg) > 30]
    assert len(held) == 3
    assert held == pytest.approx([35, 35, 35], abs=1)


@pytest.mark.parametrize(("platform", "same"), [("ios", "true"), ("android", "false")])
def test_gravity_points_up_where_the_phone_or_its_setting_says_so(
    tmp_path: Path, platform: str, same: str
) -> None:
    t, acc, gyr = bows()
    imu = load_imu(iphone(tmp_path, t, acc, gyr, platform=platform, same=same))
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=2e-4)


def test_a_zip_without_gravity_says_which_table_lacks_it(tmp_path: Path) -> None:
    names = ",".join(f'"Linear Acceleration {a} (m/s^2)"' for a in "xyz")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("Linear Acceleration.csv", f'"Time (s)",{names}\n0,0,0,0\n0.02,0,0,0\n')
        archive.writestr("Gyroscope.csv", "t_s,gyr_x,gyr_y,gyr_z\n0,0,0,0\n0.02,0,0,0\n")
    with pytest.raises(ImuFileError, match=r"Linear Acceleration: .* export the acceleration with gravity"):
        load_imu(tmp_path / "a.zip")


def test_rows_without_names_are_read_by_the_numbers_of_their_columns(tmp_path: Path) -> None:
    t, acc, gyr = bows()
    path = tmp_path / "rows.csv"
    np.savetxt(path, np.column_stack((t, gyr, acc)), "%.6f", ",")
    with pytest.raises(ImuFileError, match=r"found '1', '2', '3', .* name them with --columns"):
        load_imu(path)
    imu = load_imu(path, options=read_options("t=1,acc=5:6:7,gyr=2:3:4"))
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=2e-4)
    np.testing.assert_allclose(imu.gyr_rad_s, gyr, atol=1e-5)


def npz(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    np.savez(path / "a.npz", t=t, acc=acc, gyr=gyr)
    return path / "a.npz"


def parquet(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    return save(path / "a.parquet", t, acc, gyr)


@pytest.mark.parametrize("writer", [*LAYOUTS.values(), npz, parquet], ids=lambda writer: writer.__name__)
def test_damaged_files_are_read_or_told_in_one_line(tmp_path: Path, writer: Writer) -> None:
    """Bytes changed, cut and doubled; anything but an answer or one line would be a defect."""
    path = writer(tmp_path, *(column[500:650] for column in bows(14.0)))
    options = read_options(rate_hz=50 if writer.__name__ == "st_unico" else None)
    whole = path.read_bytes()
    rng = np.random.default_rng(17)
    said: list[str] = []
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(whole, rng))
        try:
            imu = load_imu(path, options=options)
        except ImuFileError as error:
            said.append(str(error))
        else:
            assert np.isfinite(imu.gyr_rad_s).all()
            assert np.isfinite(imu.acc_m_s2).all()
            assert (np.diff(imu.t_s) > 0).all()
    assert said
    if path.suffix != ".zip":  # in which check sums notice nearly everything
        assert len(said) < MUTATIONS
    assert not [line for line in said if "\n" in line or str(path) not in line]


CELLS = (
    b"null",
    b"-",
    b"",
    b"1e999",
    b"nan",
    b'"',
    b"2026-01-05T10:00:00Z",
    b"x",
    b"\xff\xfe",
    b"-1e30",
    b"::",
)


def mutated(whole: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with bytes or cells changed, lines doubled, swapped or lost, or its end cut off."""
    data = bytearray(whole)
    kind, at = rng.integers(6), int(rng.integers(len(data)))
    if kind == 0:
        for k in rng.integers(len(data), size=rng.integers(1, 20)).tolist():
            data[k] = int(rng.integers(256))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        del data[at : at + int(rng.integers(1, 400))]
    elif kind == 3:
        data[at:at] = data[max(0, at - int(rng.integers(1, 400))) : at]
    else:
        cells = bytes(data).split(b",")
        for k in rng.integers(len(cells), size=1 + 20 * (kind == 5)).tolist():
            cells[k] = CELLS[int(rng.integers(len(CELLS)))]
        return b",".join(cells)
    return bytes(data)


def test_an_unknown_file_lists_its_columns_and_the_option_that_maps_them(tmp_path: Path) -> None:
    t, acc, gyr = bows()
    path = tmp_path / "own.csv"
    np.savetxt(path, np.column_stack((t, acc, gyr)), "%.6f", ";", header="s;n1;n2;n3;m1;m2;m3", comments="")
    with pytest.raises(ImuFileError, match=r"found 's', 'n1', .*--columns t=NAME,acc=X:Y:Z,gyr=X:Y:Z"):
        load_imu(path)
    options = read_options("t=s,acc=n1:n2:n3,gyr=5:6:7", "m/s2,rad/s,s")
    np.testing.assert_allclose(load_imu(path, options=options).gyr_rad_s, gyr, atol=1e-6)
    turned = read_options("t=1,acc=-n1:-n2:n3,gyr=-5:-6:7")
    np.testing.assert_allclose(load_imu(path, options=turned).acc_m_s2, acc * [-1, -1, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("t,Linear Acceleration x (m/s^2),Linear Acceleration y (m/s^2),Linear Acceleration z (m/s^2),gx,gy,gz",
         "gravity is taken out"),
        ("PacketCounter,SampleTimeFine,Quat_W,Quat_X,Quat_Y,Quat_Z", "fewer than two usable rows"),
        ("t,Gyr_X,Gyr_Y,Gyr_Z", "no column of acceleration"),
    ],
)  # fmt: skip
def test_files_that_lack_what_angles_need_say_why(tmp_path: Path, head: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(head + "\n" + ",".join(["0.5"] * len(head.split(","))) + "\n")
    with pytest.raises(ImuFileError, match=message):
        load_imu(path)


def test_a_rate_that_is_given_stands_for_the_times(tmp_path: Path) -> None:
    t, acc, gyr = bows()
    path = LAYOUTS["st_unico"](tmp_path, t, acc, gyr)
    imu = load_imu(path, options=read_options(rate_hz=50))
    np.testing.assert_allclose(imu.t_s, t, atol=1e-9)
    assert not any("no times" in note for note in imu.notes)


def test_still_data_without_times_ask_for_the_rate(tmp_path: Path) -> None:
    path = LAYOUTS["st_unico"](tmp_path, *(column[:150] for column in bows()))
    with pytest.raises(ImuFileError, match="with --rate 50"):
        load_imu(path)


def test_the_file_of_one_sensor_alone_names_the_one_that_is_missing(tmp_path: Path) -> None:
    path = LAYOUTS["metabase"](tmp_path, *bows())
    (tmp_path / "Head_2026_Gyroscope_50.000Hz.csv").rename(tmp_path / "alone.csv")
    notes = " ".join(load_imu(path).notes)
    assert "accelerometer only" in notes
    assert "beside it (Head_2026_Gyroscope_50.000Hz.csv)" in notes
    (tmp_path / "alone.csv").rename(tmp_path / "Head_Gyroscope.csv")
    with pytest.raises(ImuFileError, match=r"beside it \(Head_Accelerometer\.csv\)"):
        load_imu(tmp_path / "Head_Gyroscope.csv")
