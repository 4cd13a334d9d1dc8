"""Files with orientation or an accelerometer only give the angles that they can, and say what was assumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recording.logger_files import Array, bows
from tiltwise.motion.orientation.estimator import estimate_orientation
from tiltwise.motion.rotation import multiply, up_in_sensor
from tiltwise.recording.imu_file import ImuFileError, load_imu, read_options

YAW = np.array([np.cos(0.6), 0.0, 0.0, np.sin(0.6)])  # a heading, which must change nothing


def truth() -> tuple[Array, Array, Array]:
    """Return t_s (n,), "up" in the sensor (n, 3), and q_earth_from_sensor (n, 4) of four bows of 35 deg."""
    t = np.arange(0, 30, 0.02)
    pitch = np.zeros_like(t)
    for begin in (3.0, 9.0, 15.0, 21.0):
        ramp = np.clip((t - begin) / 1.0, 0, 1) * np.clip((begin + 5.0 - t) / 1.0, 0, 1)
        pitch += np.radians(35) * ramp**2 * (3 - 2 * ramp)
    half, zero = pitch / 2, np.zeros_like(pitch)
    up = np.stack((-np.sin(pitch), zero, np.cos(pitch)), axis=1)
    q = np.stack((np.cos(half), zero, np.sin(half), zero), axis=1)
    return t, up, np.asarray(multiply(np.broadcast_to(YAW, q.shape), q))


def error_deg(
    path: Path, up: Array, columns: str = "", *, rate_hz: float | None = None
) -> tuple[float, tuple[str, ...]]:
    """Return the greatest error of "up" after the first second, and the notes."""
    imu = load_imu(path, options=read_options(columns, rate_hz=rate_hz))
    q = estimate_orientation(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2)
    assert len(q) == len(up)
    cosine = np.clip(np.sum(up_in_sensor(q) * up, axis=1), -1, 1)
    return float(np.degrees(np.arccos(cosine))[50:].max()), imu.notes


def refusal(path: Path) -> str:
    """Return why a file is not read, "" when it is."""
    try:
        load_imu(path)
    except ImuFileError as error:
        return str(error)
    return ""


def save(path: Path, names: str, *columns: Array) -> Path:
    np.savetxt(path, np.column_stack(columns), "%.7f", ",", header=names, comments="")
    return path


def matrix_of(q: Array) -> Array:
    w, x, y, z = q.T
    return np.stack(
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
         2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
         2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), axis=1,
    )  # fmt: skip


def quaternion(path: Path, t: Array, q: Array) -> Path:
    return save(
        path / "q.csv",
        "PacketCounter,SampleTimeFine,Quat_W,Quat_X,Quat_Y,Quat_Z",
        np.arange(len(t)),
        t * 1e6,
        q,
    )


def apple(path: Path, t: Array, q: Array) -> Path:
    names = "timestamp,quaternionX,quaternionY,quaternionZ,quaternionW"
    return save(path / "airpods.txt", names, t, q[:, [1, 2, 3, 0]])


def numbered(path: Path, t: Array, q: Array) -> Path:
    free = np.full((len(t), 3), 0.01)
    return save(
        path / "n.csv", "t_s,Quat_q0,Quat_q1,Quat_q2,Quat_q3,FreeAcc_X,FreeAcc_Y,FreeAcc_Z", t, q, free
    )


def matrix(path: Path, t: Array, q: Array) -> Path:
    names = ",".join(f"Mat[{row}][{column}]" for row in "123" for column in "123")
    return save(path / "m.csv", f"t_s,{names}", t, matrix_of(q))


def euler(path: Path, t: Array, q: Array) -> Path:
    m = matrix_of(q).reshape(-1, 3, 3)
    angles = (np.arctan2(m[:, 2, 1], m[:, 2, 2]), -np.arcsin(m[:, 2, 0]), np.arctan2(m[:, 1, 0], m[:, 0, 0]))
    return save(path / "e.csv", "t_s,Roll (deg),Pitch (deg),Yaw (deg)", t, *map(np.degrees, angles))


def sto(path: Path, t: Array, q: Array) -> Path:
    rows = (f"{s:.4f}\t0,0,0,1\t{','.join(f'{v:.7f}' for v in row)}" for s, row in zip(t, q, strict=True))
    head = "DataRate=50\nDataType=Quaternion\nversion=3\nendheader\ntime\tpelvis_imu\tskull_imu\n"
    (path / "orient.sto").write_text(head + "\n".join(rows), encoding="utf-8")
    return path / "orient.sto"


def test_empatica_s_rows_without_names_give_the_inclination(tmp_path: Path) -> None:
    _, up, _ = truth()
    rows = np.rint(64 * up[::2]).astype(int).tolist()  # 1/64 g, 25 a second
    text = ["1714000000.000000, 1714000000.000000, 1714000000.000000", "25.000000, 25.000000, 25.000000"]
    path = tmp_path / "ACC.csv"
    path.write_text("\n".join([*text, *(",".join(map(str, row)) for row in rows)]) + "\n")
    error, notes = error_deg(path, up[::2])
    assert error < 6  # deg: what the low-pass at 1 Hz leaves of a bow in a second, and a 64th of g
    assert any("accelerometer only" in note for note in notes)


@pytest.mark.parametrize("write", [quaternion, apple, numbered, matrix, euler])
def test_orientation_alone_gives_the_angles(
    tmp_path: Path, write: Callable[[Path, Array, Array], Path]
) -> None:
    t, up, q = truth()
    error, notes = error_deg(write(tmp_path, t, q), up)
    assert error < 0.3  # deg; the noise of the truth itself is fast, and the filter follows it
    assert any("earth from sensor with z up" in note for note in notes)
    assert any("walking is not seen" in note for note in notes)


def test_an_opensim_table_is_read_by_the_sensor_that_is_named(tmp_path: Path) -> None:
    t, up, q = truth()
    path = sto(tmp_path, t, q)
    assert error_deg(path, up, "quat=skull_imu")[0] < 0.3
    error, notes = error_deg(path, np.tile([0.0, 0.0, 1.0], (len(t), 1)))
    assert error < 0.01
    assert "of 2 sensors 'pelvis_imu' is used" in notes
    with pytest.raises(ImuFileError, match="found 'pelvis_imu', 'skull_imu'"):
        error_deg(path, up, "quat=head")


def test_a_minus_takes_the_inverse(tmp_path: Path) -> None:
    t, up, q = truth()
    path = save(tmp_path / "inverse.csv", "t_s,a,b,c,d", t, q * [1, -1, -1, -1])
    assert error_deg(path, up, "quat=-a:b:c:d")[0] < 0.3
    assert error_deg(path, up, "t=1,quat=-2:3:4:5")[0] < 0.3


def test_motion_bids_is_read_by_what_stands_beside_it(tmp_path: Path) -> None:
    t, up, q = truth()
    stem = tmp_path / "sub-1_task-x_tracksys-imu"
    other = np.zeros((len(t), 4))
    np.savetxt(f"{stem}_motion.tsv", np.column_stack((other, q)), "%.7f", "\t")
    rows = [f"o{a}\tquat_{a}\tORNT\thead\tn/a\t50" for a in "wxyz"]
    swapped = [rows[k].replace("o", "h") for k in range(4)]
    lines = [*(row.replace("head", "foot").replace("ORNT", "MISC") for row in rows), *swapped]
    head = "name\tcomponent\ttype\ttracked_point\tunits\tsampling_frequency\n"
    Path(f"{stem}_channels.tsv").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    Path(f"{stem}_motion.json").write_text(json.dumps({"SamplingFrequency": 50}), encoding="utf-8")
    assert error_deg(Path(f"{stem}_motion.tsv"), up)[0] < 0.3
    Path(f"{stem}_channels.tsv").write_text(head + lines[0] + "\n", encoding="utf-8")
    with pytest.raises(ImuFileError, match="no channel of ACCEL, GYRO or ORNT"):
        load_imu(f"{stem}_motion.tsv")


@pytest.mark.parametrize("unit", ["g", "m/s^2"])
def test_an_accelerometer_alone_gives_inclination_and_says_what_is_missing(tmp_path: Path, unit: str) -> None:
    t, up, _ = truth()
    acc = 9.80665 * up + np.random.default_rng(4).normal(0, 0.03, up.shape)
    names = ",".join(f"Acc {axis} ({unit})" for axis in "XYZ")
    path = save(tmp_path / "acc.csv", f"t_s,{names}", t, acc / (9.80665 if unit == "g" else 1))
    error, notes = error_deg(path, up)
    assert error < 4  # deg; on the ramps, 35 deg in a second
    assert any("accelerometer only" in note for note in notes)
    imu = load_imu(path)
    q = estimate_orientation(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2)
    at_rest = np.abs(np.arccos(np.clip(np.sum(up_in_sensor(q) * up, axis=1), -1, 1)))[(t > 10.5) & (t < 13.5)]
    assert np.degrees(at_rest).max() < 2.5  # deg, while bent by 35 deg


def test_a_spreadsheet_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl, which writes the file, is not installed")
    pytest.importorskip("python_calamine", reason="python-calamine is not installed")
    t, acc, gyr = bows()
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    for name, values in (("Accelerometer", acc), ("Gyroscope", gyr)):
        sheet = book.create_sheet(name)
        sheet.append(["Time (s)", "X", "Y", "Z"])
        for row in np.column_stack((t, values)).tolist():
            sheet.append(row)
    book.save(tmp_path / "phyphox.xlsx")
    np.testing.assert_allclose(load_imu(tmp_path / "phyphox.xlsx").gyr_rad_s, gyr, atol=1e-9)


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (b"MD\xfc\x03" + bytes(100), "Axivity"), (b"\x89HDF\r\n", "HDF5"), (b"HIERARCHY\nROOT", "BVH"),
        (b"\x1f\x8b\x08", "gzip"), (bytes([2, 0x50, 0, 0]) + bytes(60), "C3D"), (b"%PDF-1.7", "PDF"),
    ],
)  # fmt: skip
def test_files_of_other_kinds_are_named(tmp_path: Path, begin: bytes, words: str) -> None:
    (tmp_path / "a.csv").write_bytes(begin)
    with pytest.raises(ImuFileError, match=words):
        load_imu(tmp_path / "a.csv")


def test_an_orientation_without_times_asks_for_the_rate(tmp_path: Path) -> None:
    t, up, q = truth()
    path = save(tmp_path / "q.csv", "n/a,qw,qx,qy,qz", t * 0, q)
    with pytest.raises(ImuFileError, match="--rate 50"):
        load_imu(path)
    assert error_deg(path, up, rate_hz=50)[0] < 0.3


@pytest.mark.parametrize("write", [quaternion, apple, numbered, matrix, euler, sto])
def test_mutated_files_are_read_or_told_in_one_line(
    tmp_path: Path, write: Callable[[Path, Array, Array], Path]
) -> None:
    t, _, q = truth()
    path = write(tmp_path, t[:120], q[:120])
    whole = path.read_bytes()
    rng = np.random.default_rng(16)
    for _ in range(25):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 1 + int(rng.integers(30))):
            data[at] = int(rng.integers(256))
        path.write_bytes(data[: int(rng.integers(1, len(data)))] if rng.random() < 0.4 else data)
        said = refusal(path)
        assert "\n" not in said
