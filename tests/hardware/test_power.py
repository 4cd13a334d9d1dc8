"""The power model: arithmetic that can be done by hand, and claims that the page makes from it."""

import re
from pathlib import Path

import pytest
from hardware.facts import value
from hardware.power import BOARDS, MODES, NRF, PAIR, S3, USABLE

from hardware import power
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise_lab.vm.nodding_motion import NoddingMotion

STREAM, SAVE, LOG = MODES


def test_nrf_streaming_adds_up_by_hand():
    turn_us = 10e6 / 2122667 * 168 / 64
    busy = (190 * 104 + 260 * 32.7) * turn_us / 1e6 + ((0.27 + 0.15) * 104 + 2 * 5.2) / 1000
    radio = (1.2 * 1000 / 30 + 1.5 * 5.2) / 1000
    by_hand = 3.3 * busy + 4.7 * radio + 0.0042 + 0.45 + 80 * 4 / 3600
    assert power.mean_ma(NRF, STREAM) == pytest.approx(by_hand, rel=1e-6)
    assert power.hours(NRF, STREAM) == pytest.approx(125 * USABLE / by_hand, rel=1e-6)


def test_imu_takes_what_its_mode_takes_and_the_stated_current_where_there_is_one_only():
    assert [power.imu_ma("lsm6ds3trc", mode) for mode in (STREAM, SAVE, LOG)] == [0.45, 0.29, 0.29]
    assert power.imu_ma("lsm6dsox", SAVE) == 0.55


def test_a_slow_chip_makes_shorter_hours_and_the_goal_holds_over_the_whole_range():
    low, high = (power.hours(NRF, STREAM, turn_us) for turn_us in reversed(power.TURN_RANGE_US))
    assert power.GOAL_H <= low < power.hours(NRF, STREAM) < high


@pytest.mark.parametrize("board", BOARDS)
def test_modes_that_do_less_last_longer(board):
    assert power.hours(board, STREAM) <= power.hours(board, SAVE) <= power.hours(board, LOG)


def test_a_second_sensor_costs_its_current():
    assert power.mean_ma(PAIR, STREAM) - power.mean_ma(S3, STREAM) == pytest.approx(0.55)


def test_hours_scale_with_capacity_and_cell_for_is_the_inverse():
    hours = power.hours(S3, STREAM)
    assert power.cell_for(S3, STREAM, hours) == pytest.approx(value("cell_500", "capacity"))


def test_speed_for_a_goal_is_the_inverse_of_hours():
    limit = power.turn_us_for(STREAM, power.GOAL_H)
    assert power.hours(NRF, STREAM, limit) == pytest.approx(power.GOAL_H)
    assert power.turn_us_for(STREAM, 500.0) < 0, "no speed makes 500 h"


def test_the_processor_is_never_busier_than_always():
    assert power.loads(NRF, STREAM, turn_us=500.0)[0].mean_ma == pytest.approx(
        value("xiao_nrf52840", "cpu_current")
    )


def test_a_working_day_is_8_h_worn_and_a_night():
    usable = 125 * USABLE
    assert power.working_days(SAVE) == pytest.approx(
        usable / (8 * power.mean_ma(NRF, SAVE) + power.night_mah())
    )
    assert 0 < power.night_mah() < 8 * power.mean_ma(NRF, SAVE)


def test_what_matters_most_is_sorted_and_positive():
    gains = [gain for _, gain in power.what_matters(NRF, STREAM)]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    assert power.what_matters(S3, STREAM)[0][0] == "board"


def test_five_working_days_in_save_and_one_on_the_esp32():
    assert power.working_days(SAVE) >= 5
    assert power.hours(S3, STREAM) >= power.WORKING_DAY_H


def test_model_lies_where_comparable_products_were_measured():
    slime_ma = (110 / 60, 110 / 40)
    assert slime_ma[0] * 0.7 <= power.mean_ma(NRF, STREAM) <= slime_ma[1] * 1.5
    assert 31.4 <= power.mean_ma(S3, STREAM) <= 64.4


def test_table_says_that_nothing_was_measured_and_what_others_measured():
    table = power.table()
    assert table.startswith("model, not measured")
    assert "measured by others" in table
    assert len(re.findall(r"\d+ h", table)) >= len(BOARDS) * len(MODES)


def test_settings_of_the_model_are_those_of_the_firmware():
    config = (Path(__file__).parents[2] / "firmware/config.py").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^(\w+) = (\d+)", config, re.MULTILINE))
    assert float(numbers["RATE_HZ"]) == power.SENSOR_RATE_HZ
    assert float(numbers["SAVE_RATE_HZ"]) == power.SAVE_RATE_HZ
    assert pytest.approx(52 / float(numbers["SAMPLES_PER_FRAME"])) == power.FRAME_HZ


def test_the_pages_state_what_the_model_says():
    root = Path(__file__).parents[2]
    page = (root / "hardware/README.md").read_text(encoding="utf-8")
    stream, save, log = (f"{power.hours(NRF, mode):.0f}" for mode in MODES)
    low, high = (f"{power.hours(NRF, STREAM, us):.0f}" for us in reversed(power.TURN_RANGE_US))
    days = f"{power.working_days(STREAM):.1f}", f"{power.working_days(SAVE):.1f}"
    assert f"{stream} h streaming, {save} h in `save`" in page
    assert f"| {stream} h ({low} to {high} h) |" in page
    assert f"| {days[1]} days of 8 h worn and 16 h off | {days[0]} in `stream`" in page
    for name, hours in zip(("stream", "save", "log"), (stream, save, log), strict=True):
        assert re.search(rf"^\| `{name}` \|.*\| {hours} h \| 1\d h \|$", page, re.MULTILINE), name
    measured = (root / "docs/measured.md").read_text(encoding="utf-8")
    assert f"| {stream}; {save}; {log} h |" in measured
    assert f"| {days[0]}; {days[1]} |" in measured


@pytest.mark.parametrize("mode", [STREAM, SAVE])
def test_the_loop_turns_as_often_as_the_model_says(mode):
    """On the simulated board, as on the XIAO nRF52840, where the processor sleeps between two looks."""
    part = Lsm6ds3trc(seed=1)
    NoddingMotion(part)(25.0)
    board = Counted([part], stream=None)
    board.app.settings.set("power", mode.name)
    board.restart()
    board.start()
    board.step(4.0)
    board.wakes = 0
    board.step(24.0)
    assert board.wakes / 20 == pytest.approx(mode.look_hz, rel=0.05)


class Counted(SimBoard):
    """A board whose processor sleeps between the turns of the loop, and that counts them."""

    idles = True
    wakes = 0

    def _step_once(self):
        self.wakes += 1
        super()._step_once()
