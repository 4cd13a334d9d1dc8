"""Files whose samples cannot be what they are said to be are refused or flagged, and real ones pass."""

from pathlib import Path

import numpy as np
import pytest

from tiltwise.errors import AppError
from tiltwise.motion.rotation import conjugate, from_rotation_vector, multiply, rotate
from tiltwise.offline.input_checks import check_samples
from tiltwise.offline.input_file import read_input
from tiltwise.types import ImuBlock, OrientationBlock

RATE_HZ = 50.0


def moving(seconds: float = 90.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An IMU that nods and tilts by 40 deg, in steps of several seconds, with the noise of a good part."""
    rng = np.random.default_rng(1)
    t_s = np.arange(0, seconds, 1 / RATE_HZ)
    nod = 40 * np.sin(2 * np.pi * t_s / 11.0)
    tilt = 40 * np.sin(2 * np.pi * t_s / 7.0)
    about_y = from_rotation_vector(np.radians(nod)[:, None] * np.array([0.0, 1.0, 0.0]))
    q = multiply(about_y, from_rotation_vector(np.radians(tilt)[:, None] * np.array([1.0, 0.0, 0.0])))
    step = multiply(conjugate(q[:-1]), q[1:])
    gyr = np.vstack((np.zeros((1, 3)), 2 * step[:, 1:] * RATE_HZ))
    acc = rotate(conjugate(q), np.array([0.0, 0.0, 9.81]))
    return t_s, gyr + rng.normal(scale=2e-3, size=gyr.shape), acc + rng.normal(scale=0.02, size=acc.shape)


def notes(t_s: np.ndarray, gyr: np.ndarray, acc: np.ndarray) -> tuple[str, ...]:
    return check_samples(Path("f.npz"), (ImuBlock(t_s, gyr, acc),))


def test_good_samples_have_no_notes() -> None:
    assert notes(*moving()) == ()


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 1, 0], [1, 2, 0]])
def test_swapped_axes_are_refused(order: list[int]) -> None:
    t_s, gyr, acc = moving()
    with pytest.raises(AppError, match=r"f\.npz: gyroscope and accelerometer must describe one motion"):
        notes(t_s, gyr, acc[:, order])


def test_a_reversed_gyroscope_is_refused() -> None:
    t_s, gyr, acc = moving()
    with pytest.raises(AppError, match="check axis order, signs"):
        notes(t_s, -gyr, acc)


def test_acceleration_in_g_is_refused() -> None:
    t_s, gyr, acc = moving()
    with pytest.raises(AppError, match="looks like g"):
        notes(t_s, gyr, acc / 9.81)


def test_a_dead_channel_is_named() -> None:
    t_s, gyr, acc = moving()
    gyr[:, 2] = 0.0
    assert [note.split(":")[0] for note in notes(t_s, gyr, acc)] == ["gyr_z never changes"]


def test_a_sensor_that_stands_still_for_a_while_is_named() -> None:
    t_s, gyr, acc = moving()
    acc[1000:1250] = acc[1000]
    (note,) = notes(t_s, gyr, acc)
    assert note.startswith("acc stands still for 5 s")


def test_a_clipped_gyroscope_is_named_with_its_range() -> None:
    t_s, gyr, acc = moving()
    limit = np.radians(125.0)
    gyr[2000:2100, 1] = limit
    (note,) = notes(t_s, gyr, acc)
    assert "end of the gyroscope's range (125 deg/s)" in note


def test_five_samples_a_second_are_refused() -> None:
    t_s, gyr, acc = moving()
    with pytest.raises(AppError, match="samples/s are needed"):
        notes(t_s[::10], gyr[::10], acc[::10])


def test_fused_orientation_is_left_to_the_board() -> None:
    block = OrientationBlock(np.arange(3.0), np.tile([1.0, 0, 0, 0], (3, 1)), np.tile([0, 0, 9.81], (3, 1)))
    assert check_samples(Path("f.tw"), (block,)) == ()


def test_real_recordings_pass_without_a_note(shared_data: Path) -> None:
    """Every eighth of the people at desks, and the head with the upper back."""
    files = sorted((shared_data / "human").glob("*/*.npz"))[::8]
    assert len(files) > 10
    for file in files:
        assert read_input(file).notes == (), file.name
