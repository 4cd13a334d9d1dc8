"""A gyroscope with another scale, rate, sign or order of axes than gravity shows is noticed where it can be."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from recording.logger_files import bows
from tiltwise.motion.rotation import conjugate, from_rotation_vector, multiply, rotate
from tiltwise.recording.gravity_check import compare
from tiltwise.recording.imu_file import ImuFileError, load_imu

RATE_HZ = 50.0


def tumbling() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return t_s, gyr, acc of an IMU that nods and tilts by 30 deg and turns by 50, in steps of several seconds."""
    rng = np.random.default_rng(1)
    t_s = np.arange(0, 90, 1 / RATE_HZ)

    def about(axis: list[float], deg: float, period_s: float) -> np.ndarray:
        angle = np.radians(deg) * np.sin(2 * np.pi * t_s / period_s)
        return from_rotation_vector(angle[:, None] * np.array(axis))

    q = multiply(about([0, 0, 1], 50, 13.0), multiply(about([0, 1, 0], 30, 11.0), about([1, 0, 0], 30, 7.0)))
    step = multiply(conjugate(q[:-1]), q[1:])
    gyr = np.vstack((np.zeros((1, 3)), 2 * step[:, 1:] * RATE_HZ))
    acc = rotate(conjugate(q), np.array([0.0, 0.0, 9.81]))
    return t_s, gyr + rng.normal(scale=2e-3, size=gyr.shape), acc + rng.normal(scale=0.02, size=acc.shape)


ORDERS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


@pytest.mark.parametrize(("order", "signs"), ORDERS, ids=str)
def test_every_other_order_and_sign_of_axes_is_noticed(
    order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    t_s, gyr, acc = tumbling()
    agreed = compare(t_s, gyr[:, order] * signs, acc)
    if (order, signs) == ((0, 1, 2), (1, 1, 1)):
        assert agreed.is_right
        assert agreed.ratio == pytest.approx(1, abs=0.03)
        return
    assert not agreed.is_right
    named = agreed.better.split(":")
    back = [gyr[:, order[k]] * signs[k] for k in range(3)]
    for axis, name in enumerate(named):
        sign, channel = (-1 if name.startswith("-") else 1), "xyz".index(name[-1])
        np.testing.assert_allclose(sign * back[channel], gyr[:, axis])


@pytest.mark.parametrize("scale", [0.15, 0.3, 0.5, 0.7, 1.5, 2.0, 4.0, 6.7])
def test_a_gyroscope_with_another_scale_is_refused_with_the_factor(tmp_path: Path, scale: float) -> None:
    t, acc, gyr = bows()
    np.savez(tmp_path / "a.npz", t=t, acc=acc, gyr=gyr * scale)
    with pytest.raises(ImuFileError, match="times as much as gravity shows") as caught:
        load_imu(tmp_path / "a.npz")
    told = float(str(caught.value).split("gyr turns ")[1].split()[0])
    assert told == pytest.approx(scale, rel=0.1)


def test_a_rate_that_is_not_true_is_told_with_the_right_one(tmp_path: Path) -> None:
    _, acc, gyr = bows()
    np.savez(tmp_path / "a.npz", acc=acc, gyr=gyr, fs=100.0)
    with pytest.raises(ImuFileError, match=r"instead of 100 samples a second .* give --rate 50,"):
        load_imu(tmp_path / "a.npz")


def test_a_nodding_gyroscope_that_is_turned_round_is_refused(tmp_path: Path) -> None:
    t, acc, gyr = bows()
    np.savez(tmp_path / "a.npz", t=t, acc=acc, gyr=-gyr)
    with pytest.raises(ImuFileError, match="turns about other axes or the other way"):
        load_imu(tmp_path / "a.npz")


def test_head_turns_and_gravity_that_points_down_cannot_be_seen() -> None:
    """What the module says that no data can show is not claimed either."""
    t, acc, gyr = bows()
    assert compare(t, gyr, -acc).is_right
    rng = np.random.default_rng(3)
    turns = np.stack((0 * t, 0 * t, np.sin(t)), axis=1) + rng.normal(0, 0.003, gyr.shape)
    upright = np.array([0, 0, 9.81]) + rng.normal(0, 0.03, gyr.shape)
    for wrong in (turns, -turns, 3 * turns, turns[:, [1, 0, 2]]):
        assert compare(t, wrong, upright).is_right


def test_people_are_never_refused(shared_data: Path) -> None:
    """Every fourth recording, walking and picking up from the floor among them."""
    files = sorted((shared_data / "human").rglob("*.npz"))[::4]
    assert len(files) > 20
    sure = []
    for path in files:
        imu = load_imu(path)
        agreed = compare(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2)
        assert agreed.is_right, path.name
        sure += [agreed.ratio] if agreed.is_sure else []
    assert len(sure) > 10
    assert 0.8 < min(sure) < max(sure) < 1.2  # as the module says
