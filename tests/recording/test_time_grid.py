"""Stamps as radio loggers write them give the even times of the sensor behind them; other stamps stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from recording.logger_files import bows
from tiltwise.decode.decoder import Decoder
from tiltwise.recording.formats.time_grid import even_times, of_one_epoch, swapped, unit_of_times
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.recording.imu_file import ImuFileError, load_imu
from tiltwise.types import SignalGap

TRUE_S = np.arange(3000) / 50


def batches(n: int, apart_s: float) -> np.ndarray:
    """Return stamps that come n at a time, when the first of them is due, so far apart."""
    k = np.arange(len(TRUE_S))
    return TRUE_S[k // n * n] + (k % n) * apart_s


@pytest.mark.parametrize(
    ("stamps", "words"),
    [
        (batches(10, 1e-4), "10 at a time, 0.1 ms apart"),
        (batches(5, 1e-3), "5 at a time, 1 ms apart"),
        (batches(3, 0.0), "3 at a time with one stamp"),
        (batches(7, 0.0), "7 at a time with one stamp"),
        (batches(50, 0.0), "50 at a time with one stamp"),
        (np.floor(TRUE_S * 25) / 25, "2 at a time with one stamp"),
    ],
)
def test_bursts_are_put_on_the_even_grid(stamps: np.ndarray, words: str) -> None:
    even, said = even_times(stamps)
    assert words in said
    assert said.endswith("put on an even grid of 50 Hz")
    np.testing.assert_allclose(np.diff(even), 0.02, atol=2e-5)


def test_jitter_beyond_half_a_period_is_put_on_the_even_grid() -> None:
    rng = np.random.default_rng(4)
    stamps = np.sort(TRUE_S + rng.uniform(0, 0.016, len(TRUE_S)))
    even, said = even_times(stamps)
    assert said.startswith("stamps jitter by")
    np.testing.assert_allclose(np.diff(even), 0.02, atol=1e-5)
    assert np.abs(even - TRUE_S - 0.008).max() < 1e-3  # s, but for their mean delay


def test_a_gap_between_bursts_stays_a_gap() -> None:
    stamps = batches(10, 1e-4)
    keep = (TRUE_S < 20) | (TRUE_S >= 23)
    even, said = even_times(stamps[keep])
    assert "10 at a time" in said
    step = np.diff(even)
    assert np.count_nonzero(step > 0.1) == 1
    assert step.max() == pytest.approx(3.02, abs=0.02)
    np.testing.assert_allclose(np.delete(step, step.argmax()), 0.02, atol=1e-4)


def test_a_clock_that_drifts_behind_bursts_is_followed() -> None:
    """One in a thousand faster and slower again, over ten minutes: 0.1 s that one line would not follow."""
    t = np.arange(30_000) / 50
    drifting = t + 0.3 * np.sin(2 * np.pi * t / 600)
    k = np.arange(len(t))
    even, said = even_times(drifting[k // 5 * 5])
    assert "5 at a time" in said
    assert np.ptp(even - drifting) < 5e-3  # s


@pytest.mark.parametrize(
    "stamps",
    [
        TRUE_S,
        np.delete(TRUE_S, slice(500, 700)),  # one gap
        np.delete(TRUE_S, np.arange(7, 3000, 41)),  # single samples lost
        np.cumsum(np.random.default_rng(1).choice([0.01, 0.02, 0.04], 3000)),  # thinned at random
    ],
)
def test_times_that_are_no_bursts_stay(stamps: np.ndarray) -> None:
    even, said = even_times(stamps)
    assert said == ""
    np.testing.assert_allclose(even, stamps, atol=6e-4)


def test_units_are_found_by_the_rate_that_they_give() -> None:
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        assert unit_of_times(TRUE_S * factor) == unit
        assert unit_of_times(TRUE_S * factor, "s") == unit  # the name is wrong
    assert unit_of_times(TRUE_S, "ms") == "s"


def test_other_epochs_and_swapped_rows_are_known() -> None:
    t = TRUE_S + 1.7e9
    t[100:200] -= 1.4e9
    assert np.flatnonzero(~of_one_epoch(t)).tolist() == list(range(100, 200))
    pair = TRUE_S.copy()
    pair[[10, 11]] = pair[[11, 10]]
    assert swapped(TRUE_S) == 0
    assert swapped(pair) == 1
    assert swapped(np.roll(TRUE_S, 500)) is None


def no_gaps(t_s: np.ndarray, rate_hz: float) -> float:
    """Return the seconds that the decoder counts as lost."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(len(t_s), 3))
    frames = pack_imu_frames(t_s, values, values, rate_hz=rate_hz)
    items = Decoder(max_without_info=None).feed_many(frames)
    return sum(item.end_s - item.start_s for item in items if isinstance(item, SignalGap))


def test_uneven_stamps_are_not_counted_as_time_without_samples() -> None:
    for stamps in (batches(10, 1e-4), batches(3, 0.0)):
        even, _ = even_times(stamps)
        assert no_gaps(even, 50.0) == 0
    thinned = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04], 3000))
    assert no_gaps(thinned, 50.0) == 0


def save(path, t, acc, gyr, **more):
    np.savez(path, t=t, acc=acc, gyr=gyr, **more)
    return path


def test_files_with_such_stamps_give_the_angles_of_even_ones(tmp_path) -> None:
    t, acc, gyr = bows()
    k = np.arange(len(t))
    imu = load_imu(save(tmp_path / "a.npz", t[k // 10 * 10] + k % 10 * 1e-4, acc, gyr))
    np.testing.assert_allclose(np.diff(imu.t_s), 0.02, atol=2e-5)
    np.testing.assert_array_equal(imu.gyr_rad_s, gyr)
    assert len(imu.notes) == 1


def test_rows_of_another_epoch_are_left_out_and_told(tmp_path) -> None:
    t, acc, gyr = bows()
    wrong = t + 1_740_000_000.0
    wrong[400:500] -= 1_400_000_000.0
    imu = load_imu(save(tmp_path / "a.npz", wrong, acc, gyr))
    assert imu.notes[0] == "100 rows with times of another epoch: left out"
    assert len(imu.t_s) == len(t) - 100
    assert np.diff(imu.t_s).max() == pytest.approx(2.02, abs=1e-3)


def test_a_swapped_pair_is_put_in_order_and_told(tmp_path) -> None:
    t, acc, gyr = bows()
    order = np.arange(len(t))
    order[[300, 301]] = [301, 300]
    imu = load_imu(save(tmp_path / "a.npz", t[order], acc[order], gyr[order]))
    assert imu.notes == (f"1 of {len(t)} rows stood after a later one: put in order",)
    np.testing.assert_array_equal(imu.gyr_rad_s, gyr)


def as_text(
    path, t, acc, gyr, cell=lambda value: f"{value:.6f}", time=lambda value: f"{value:.4f}", quote=""
):
    rows = [
        [time(s), *map(cell, row)]
        for s, row in zip(t.tolist(), np.column_stack((acc, gyr)).tolist(), strict=True)
    ]
    lines = [["t_s", "acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z"], *rows]
    path.write_text("\n".join(",".join(quote + c + quote for c in line) for line in lines) + "\n")
    return path


def test_iso_times_are_read(tmp_path) -> None:
    t, acc, gyr = bows(14)
    path = as_text(tmp_path / "a.csv", t, acc, gyr, time=lambda s: f"2026-05-04T10:00:{s:06.3f}Z")
    imu = load_imu(path)
    np.testing.assert_allclose(imu.t_s, t, atol=1e-5)
    np.testing.assert_allclose(imu.gyr_rad_s, gyr, atol=1e-6)


def test_quoted_decimal_commas_are_read(tmp_path) -> None:
    t, acc, gyr = bows(14)
    comma = {"cell": lambda v: f"{v:.6f}".replace(".", ","), "time": lambda v: f"{v:.4f}".replace(".", ",")}
    imu = load_imu(as_text(tmp_path / "a.csv", t, acc, gyr, quote='"', **comma))
    np.testing.assert_allclose(imu.acc_m_s2, acc, atol=1e-6)


@pytest.mark.parametrize("word", ["null", "-", "N/A", "#N/A", "NaN", ""])
def test_cells_that_say_nothing_become_gaps(tmp_path, word) -> None:
    t, acc, gyr = bows(14)
    path = as_text(tmp_path / "a.csv", t, acc, gyr)
    lines = path.read_text().splitlines()
    lines[500] = lines[500].split(",")[0] + f",{word}" * 6
    path.write_text("\n".join(lines) + "\n")
    imu = load_imu(path)
    assert len(imu.t_s) == len(t) - 1
    assert "1 of 700 rows" in imu.notes[0]


def test_ten_samples_a_second_get_one_clear_limit(tmp_path) -> None:
    t, acc, gyr = (column[::5] for column in bows())
    with pytest.raises(ImuFileError, match="10 samples a second, expected at least 12: ") as caught:
        load_imu(save(tmp_path / "a.npz", t, acc, gyr))
    assert str(caught.value).count("10 samples") == 1
