"""The six-axis filters that `tiltwise bench orientation` runs: ours, and the well-known ones beside them.

Each takes gyr (n, 3) rad/s, acc (n, 3) m/s^2 and the rate in Hz; each returns q_earth_from_sensor (n, 4), earth z
up, not a number where it has none. Parameters of the peers are their authors' defaults, or the values that scored
best on optical truth, as named. Ours integrate between samples; what the peers get is in gyroscope_feeds.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import vqf

from tiltwise.common import fusion
from tiltwise.motion.orientation.estimator import estimate_orientation
from tiltwise.types import FloatArray
from tiltwise_lab.bench.accuracy.number_types import load_single

Method = Callable[[FloatArray, FloatArray, float], FloatArray]
BOARD_RANGES = (4.0, 1000.0)  # g, deg/s: firmware/config.py


def methods() -> tuple[dict[str, Method], list[str]]:
    """Return the methods by name, and notes about those that cannot run here."""
    found: dict[str, Method] = {
        "tiltwise online": tiltwise_online,
        "tiltwise offline": tiltwise_offline,
        "tiltwise firmware": tiltwise_firmware,
        "tiltwise, board": tiltwise_board,
        "VQF": vqf_online,
        "offlineVQF": vqf_offline,
        "BasicVQF": vqf_basic,
        "Madgwick 0.033": madgwick,
        "Mahony 0.3/0.001": mahony,
    }
    notes = []
    try:
        import_module("imufusion")
        found["imufusion 0.1"] = imufusion_gain_01
    except ImportError:
        notes.append("imufusion is not installed: its row is missing (pip install 'tiltwise[bench]')")
    return found, notes


def tiltwise_online(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """Ours, causal: what RAW streams get live."""
    return estimate_orientation(np.arange(len(gyr)) / rate_hz, gyr, acc)


def tiltwise_offline(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """Ours, looking ahead."""
    return estimate_orientation(np.arange(len(gyr)) / rate_hz, gyr, acc, offline=True)


def tiltwise_firmware(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """The board's filter, run here sample by sample in double precision."""
    board = fusion.Fusion(rate_hz)
    out = np.empty((len(gyr), 4))
    for k, (rate, force) in enumerate(zip(gyr.tolist(), acc.tolist(), strict=True)):
        board.update(*rate, *force)
        out[k] = board.q
    return out


def tiltwise_board(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """The same as the board runs it: counts of its own ranges, clipped there, two samples a step."""
    gyr_unit, acc_unit = math.radians(BOARD_RANGES[1]) / 32768, BOARD_RANGES[0] * 9.80665 / 32768
    board = fusion.Fusion(rate_hz, gyr_unit, acc_unit, 2)
    rates, forces = (
        np.clip(np.round(values / unit), -32768, 32767).astype(int).tolist()
        for values, unit in ((gyr, gyr_unit), (acc, acc_unit))
    )
    out = np.full((len(gyr), 4), np.nan)
    for k, (rate, force) in enumerate(zip(rates, forces, strict=True)):
        board.update(*rate, *force)
        if board.is_current:
            out[k] = board.q
    return out


def vqf_online(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """VQF with its defaults (doi:10.1016/j.inffus.2022.10.014)."""
    return np.asarray(vqf.VQF(1 / rate_hz).updateBatch(gyr, acc)["quat6D"])


def vqf_offline(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """VQF's own acausal variant with its defaults."""
    return np.asarray(vqf.offlineVQF(gyr, acc, None, 1 / rate_hz)["quat6D"])


def vqf_basic(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """VQF without bias and rest."""
    return np.asarray(vqf.BasicVQF(1 / rate_hz).updateBatch(gyr, acc)["quat6D"])


def imufusion_gain_01(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """x-io's Fusion with its bias estimator, gain 0.1 (best of three on BROAD)."""
    peer = import_module("imufusion")
    settings, bias_settings = peer.AhrsSettings(), peer.BiasSettings()
    settings.sample_rate = bias_settings.sample_rate = rate_hz
    settings.gain = 0.1
    ahrs, bias = peer.Ahrs(), peer.Bias()
    ahrs.set_settings(settings)
    bias.set_settings(bias_settings)
    rates_deg, forces_g = np.degrees(gyr), acc / 9.80665
    out = np.empty((len(gyr), 4))
    for k in range(len(gyr)):
        ahrs.update_no_magnetometer(bias.update(rates_deg[k]), forces_g[k])
        out[k] = ahrs.get_quaternion()
    return out


def madgwick(gyr: FloatArray, acc: FloatArray, rate_hz: float, beta: float = 0.033) -> FloatArray:
    """Madgwick's gradient filter (doi:10.1109/ICORR.2011.5975346); beta 0.033 is the best of nine on BROAD."""
    w, x, y, z = _from_up(*acc[0].tolist())
    dt = 1 / rate_hz
    out = np.empty((len(gyr), 4))
    for k, ((p, q, r), force) in enumerate(zip(gyr.tolist(), acc.tolist(), strict=True)):
        slope = [-x * p - y * q - z * r, w * p + y * r - z * q, w * q - x * r + z * p, w * r + x * q - y * p]
        length = math.hypot(*force)
        if length > 0:
            ux, uy, uz = (f / length for f in force)
            ex, ey, ez = 2 * (x * z - w * y) - ux, 2 * (w * x + y * z) - uy, 1 - 2 * (x * x + y * y) - uz
            gradient = (
                x * ey - y * ex,
                z * ex + w * ey - 2 * x * ez,
                z * ey - w * ex - 2 * y * ez,
                x * ex + y * ey,
            )
            size = math.hypot(*gradient)
            if size > 0:
                slope = [s / 2 - beta * g / size for s, g in zip(slope, gradient, strict=True)]
            else:
                slope = [s / 2 for s in slope]
        w, x, y, z = w + slope[0] * dt, x + slope[1] * dt, y + slope[2] * dt, z + slope[3] * dt
        size = math.sqrt(w * w + x * x + y * y + z * z)
        w, x, y, z = w / size, x / size, y / size, z / size
        out[k] = w, x, y, z
    return out


def mahony(
    gyr: FloatArray, acc: FloatArray, rate_hz: float, kp: float = 0.3, ki: float = 0.001
) -> FloatArray:
    """Mahony's complementary filter (doi:10.1109/TAC.2008.923738); the gains with the lowest median on BROAD."""
    w, x, y, z = _from_up(*acc[0].tolist())
    dt = 1 / rate_hz
    bx = by = bz = 0.0
    out = np.empty((len(gyr), 4))
    for k, ((p, q, r), force) in enumerate(zip(gyr.tolist(), acc.tolist(), strict=True)):
        length = math.hypot(*force)
        if length > 0:
            ax, ay, az = (f / length for f in force)
            ux, uy, uz = 2 * (x * z - w * y), 2 * (w * x + y * z), 1 - 2 * (x * x + y * y)
            ex, ey, ez = ay * uz - az * uy, az * ux - ax * uz, ax * uy - ay * ux
            bx, by, bz = bx + ki * ex * dt, by + ki * ey * dt, bz + ki * ez * dt
            p, q, r = p + kp * ex + bx, q + kp * ey + by, r + kp * ez + bz
        half = math.sqrt(p * p + q * q + r * r) * dt / 2
        c, s = math.cos(half), dt / 2 * (math.sin(half) / half if half > 0 else 1.0)
        p, q, r = p * s, q * s, r * s
        w, x, y, z = (
            w * c - x * p - y * q - z * r,
            w * p + x * c + y * r - z * q,
            w * q - x * r + y * c + z * p,
            w * r + x * q - y * p + z * c,
        )
        out[k] = w, x, y, z
    return out


def _from_up(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Shortest rotation from the measured up to the earth's."""
    length = math.sqrt(x * x + y * y + z * z)
    w = length + z
    if w < 1e-6 * length:
        return 0.0, 1.0, 0.0, 0.0
    size = math.sqrt(w * w + x * x + y * y)
    return w / size, y / size, -x / size, 0.0


def single_precision_fusion(rate_hz: float) -> Any:
    """Return the board's Fusion, which calculates in single precision when it is fed numpy.float32.

    Most boards calculate so: the same source, every operation rounded.
    """
    return load_single(fusion).Fusion(np.float32(rate_hz))
