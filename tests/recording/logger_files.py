"""One movement of a head as the files that popular loggers write: three nods, then three bows of 35 degrees."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
RATE_HZ = 50.0
EPOCH_S = 1_767_000_000
G = 9.80665


def bows(seconds: float = 30.0, *, seed: int = 3) -> tuple[Array, Array, Array]:
    """Return t_s (n,), acc_m_s2 and gyr_rad_s (n, 3): still, three nods of 20 deg, three bows held for 3 s."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    deg = np.zeros_like(t)
    for begin in (4.0, 5.5, 7.0):
        deg += 20 * np.sin(np.pi * np.clip((t - begin) / 1.3, 0, 1)) ** 2
    for begin in (11.0, 17.0, 23.0):
        ramp = np.clip((t - begin) / 1.0, 0, 1) * np.clip((begin + 5.0 - t) / 1.0, 0, 1)
        deg += 35 * ramp**2 * (3 - 2 * ramp)
    angle = np.radians(deg)
    acc = G * np.stack((-np.sin(angle), 0 * t, np.cos(angle)), axis=1)
    gyr = np.stack((0 * t, np.gradient(angle, t), 0 * t), axis=1)
    return t, acc + rng.normal(0, 0.03, acc.shape), gyr + rng.normal(0, 0.003, gyr.shape)


def _table(head: str, rows: Iterable[Iterable[str]], delimiter: str = ",") -> str:
    return head + "".join(delimiter.join(row) + "\n" for row in rows)


def _numbers(*columns: Array, digits: int = 6) -> list[list[str]]:
    return [[f"{value:.{digits}f}" for value in row] for row in np.column_stack(columns)]


def phyphox(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "all.csv"
    names = [f'"Acceleration {a} (m/s^2)"' for a in "xyz"] + [f'"Gyroscope {a} (rad/s)"' for a in "xyz"]
    path.write_text(_table(f'"Time (s)",{",".join(names)}\n', _numbers(t, acc, gyr)))
    return path


def sensor_logger(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "recording.zip"
    head = "time,seconds_elapsed,z,y,x\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name, start_s, values in (
            ("Accelerometer", 0.0, acc * [1, 1, 0]),  # without gravity
            ("TotalAcceleration", 0.0, acc),
            ("Gyroscope", 0.003, gyr),
        ):
            ns = [str(round((EPOCH_S + s + start_s) * 1000) * 1_000_000) for s in t.tolist()]
            rows = [[n, *row] for n, row in zip(ns, _numbers(t + start_s, values[:, ::-1]), strict=True)]
            archive.writestr(f"{name}.csv", _table(head, rows))
        archive.writestr("Metadata.csv", "version,device name\n3,phone\n")
    return path


def iphone(
    path: Path, t: Array, acc: Array, gyr: Array, *, platform: str = "ios", same: str = "false"
) -> Path:
    """Sensor Logger's zip of a phone that writes gravity apart; same: "Standardise Units & Frames"."""
    path = path / f"{platform}-{same}.zip"
    down = -1.0 if (platform, same) == ("ios", "false") else 1.0
    gravity = G * acc / np.linalg.norm(acc, axis=1, keepdims=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in (("Accelerometer", acc - gravity), ("Gravity", gravity), ("Gyroscope", gyr)):
            sign = 1.0 if name == "Gyroscope" else down
            ns = [str(round((EPOCH_S + s) * 1000) * 1_000_000) for s in t.tolist()]
            rows = [[n, *row] for n, row in zip(ns, _numbers(t, sign * values[:, ::-1]), strict=True)]
            archive.writestr(f"{name}.csv", _table("time,seconds_elapsed,z,y,x\n", rows))
        names = "version,device name,platform,sampleRateMs,standardisation"
        archive.writestr("Metadata.csv", f"{names}\n3,phone,{platform},20|20|20,{same}\n")
    return path


def headphones(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    """Sensor Logger's table of headphones: as CoreMotion has them, and just called acceleration."""
    path = path / "Headphone.csv"
    up = acc / np.linalg.norm(acc, axis=1, keepdims=True)
    names = [f"{what}{a}" for what in ("acceleration", "rotationRate", "gravity") for a in "ZYX"]
    values = (-(acc / G - up), gyr, -up)
    ns = [str(round((EPOCH_S + s) * 1000) * 1_000_000) for s in t.tolist()]
    numbers = _numbers(t, *(each[:, ::-1] for each in values))
    rows = [[n, *row] for n, row in zip(ns, numbers, strict=True)]
    path.write_text(_table(f"time,seconds_elapsed,{','.join(names)}\n", rows))
    return path


def metabase(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    for name, unit, start_s, values in (
        ("Accelerometer", "g", 0.0, acc / G),
        ("Gyroscope", "deg/s", -0.078, np.degrees(gyr)),
    ):
        head = f"epoch (ms),time (+01:00),elapsed (s),x-axis ({unit}),y-axis ({unit}),z-axis ({unit})\n"
        stamps = [
            [str(round((EPOCH_S + s + start_s) * 1000)), "2026-01-05T10.00.00.000", f"{s:.3f}"]
            for s in t.tolist()
        ]
        rows = [[*s, *row] for s, row in zip(stamps, _numbers(values), strict=True)]
        (path / f"Head_2026_{name}_50.000Hz.csv").write_text(_table(head, rows))
    return path / "Head_2026_Accelerometer_50.000Hz.csv"


def ngimu(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "sensors.csv"
    names = [f"Gyroscope {a} (deg/s)" for a in "XYZ"] + [f"Accelerometer {a} (g)" for a in "XYZ"]
    names += [f"Magnetometer {a} (uT)" for a in "XYZ"]
    rows = _numbers(t, np.degrees(gyr), acc / G, acc * 0 + 40)
    path.write_text(_table(f"Time (s),{','.join(names)}\n", rows))
    return path


def ximu3(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "Inertial.csv"
    names = [f"Gyroscope {a} (deg/s)" for a in "XYZ"] + [f"Accelerometer {a} (g)" for a in "XYZ"]
    rows = _numbers(np.degrees(gyr), acc / G)
    path.write_text(
        _table(
            f"Timestamp (us),{','.join(names)}\n",
            [[str(round(s * 1e6)), *row] for s, row in zip(t.tolist(), rows, strict=True)],
        )
    )
    return path


def xsens(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "MT_0001.txt"
    head = "// Start Time: 0\n// Sample rate: 50.0Hz\n// Firmware Version: 2.5.1\n"
    head += "Counter\tAcc_X\tAcc_Y\tAcc_Z\tGyr_X\tGyr_Y\tGyr_Z\n"
    rows = [
        [f"{(65_500 + k) % 65_536:5d}", *row] for k, row in enumerate(_numbers(acc, gyr))
    ]  # the counter wraps
    path.write_text(_table(head, rows, "\t"))
    return path


def shimmer(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "Session1.csv"
    acc_names = [f"S_Accel_WR_{a}_CAL" for a in "XYZ"] + [f"S_Accel_LN_{a}_CAL" for a in "XYZ"]
    names = ["S_Timestamp_Unix_CAL", *acc_names, *(f"S_Gyro_{a}_CAL" for a in "XYZ")]
    units = "ms" + ",m/(s^2)" * 6 + ",deg/s" * 3
    head = f"sep=,\n{','.join(names)}\n{units}\n"
    path.write_text(_table(head, _numbers((EPOCH_S + t) * 1000, acc * 1.1, acc, np.degrees(gyr))))
    return path


def st_unico(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "log.txt"
    head = "A_X [mg] \t A_Y [mg] \t A_Z [mg] \tG_X [dps] \t G_Y [dps] \t G_Z [dps] \n"
    path.write_text(_table(head, _numbers(acc / G * 1000, np.degrees(gyr)), "\t"))
    return path


def movella_dot(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    path = path / "dot.csv"
    head = "sep=,\nDeviceTag:,head\nFirmwareVersion:,2.0.0\nOutputRate:,50Hz\n\n"
    head += "PacketCounter,SampleTimeFine,Acc_X,Acc_Y,Acc_Z,Gyr_X,Gyr_Y,Gyr_Z\n"
    rows = [
        [str(k), str((round(s * 1e6) - 4_000_000) % 2**32), *row]  # 32 bits, which wrap
        for k, (s, row) in enumerate(zip(t.tolist(), _numbers(acc, np.degrees(gyr)), strict=True))
    ]
    path.write_text(_table(head, rows))
    return path


def core_motion(path: Path, t: Array, acc: Array, gyr: Array) -> Path:
    """Gravity and user acceleration apart, both the way a body falls, in g."""
    path = path / "airpods.csv"
    up = acc / np.linalg.norm(acc, axis=1, keepdims=True)
    names = [f"{what}{a}" for what in ("rotationRate", "gravity", "userAcceleration") for a in "XYZ"]
    rows = _numbers(t, gyr, -up, -(acc / G - up))
    path.write_text(_table(f"timestamp,{','.join(names)}\n", rows))
    return path


Writer = Callable[[Path, Array, Array, Array], Path]
LAYOUTS: dict[str, Writer] = {
    writer.__name__: writer
    for writer in (
        phyphox, sensor_logger, metabase, ngimu, ximu3, xsens, shimmer, st_unico, movella_dot, core_motion,
        iphone, headphones,
    )
}  # fmt: skip
