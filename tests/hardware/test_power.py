"""The power model: arithmetic that can be done by hand, and claims that the page makes from it."""

import re

import pytest
from hardware.facts import value
from hardware.power import BOARDS, MODES, NRF, PAIR, S3, USABLE

from hardware import power

STREAM, SAVE, LOG = MODES


def test_nrf_streaming_adds_up_by_hand():
    busy = ((5.25 + 0.27) * 104 + 0.3 * 20 + 0.4 * 50 + 6 * 5.2 + 20) / 1000
    radio = (1.2 * 1000 / 30 + 1.5 * 5.2) / 1000
    by_hand = 3.3 * busy + 4.7 * radio + 0.0042 + 0.9 + 80 * 4 / 3600
    assert power.mean_ma(NRF, STREAM) == pytest.approx(by_hand, rel=1e-6)
    assert power.hours(NRF, STREAM) == pytest.approx(125 * USABLE / by_hand, rel=1e-6)


@pytest.mark.parametrize("board", BOARDS)
def test_modes_that_do_less_last_longer(board):
    assert power.hours(board, STREAM) <= power.hours(board, SAVE) <= power.hours(board, LOG)


def test_a_second_sensor_costs_its_current():
    assert power.mean_ma(PAIR, STREAM) - power.mean_ma(S3, STREAM) == pytest.approx(0.55)


def test_hours_scale_with_capacity_and_cell_for_is_the_inverse():
    hours = power.hours(S3, STREAM)
    assert power.cell_for(S3, STREAM, hours) == pytest.approx(value("cell_500", "capacity"))


def test_fusion_time_for_a_goal_is_the_inverse_of_hours():
    limit = power.fusion_ms_for(STREAM, power.GOAL_H)
    assert power.hours(NRF, STREAM, limit) == pytest.approx(power.GOAL_H)
    assert power.fusion_ms_for(STREAM, 500.0) < 0, "no speed of the fusion makes 500 h"


def test_the_processor_is_never_busier_than_always():
    assert power.loads(NRF, STREAM, fusion_ms=50.0)[0].mean_ma == pytest.approx(
        value("xiao_nrf52840", "cpu_current")
    )


def test_what_matters_most_is_sorted_and_positive():
    gains = [gain for _, gain in power.what_matters(NRF, STREAM)]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    assert power.what_matters(S3, STREAM)[0][0] == "board"


def test_five_working_days_in_save_and_one_on_the_esp32():
    assert power.hours(NRF, SAVE) >= 5 * power.WORKING_DAY_H
    assert power.hours(S3, STREAM) >= power.WORKING_DAY_H


def test_model_lies_where_comparable_products_were_measured():
    slime_ma = (110 / 60, 110 / 40)
    assert slime_ma[0] * 0.7 <= power.mean_ma(NRF, STREAM) <= slime_ma[1] * 1.5
    assert 31.4 <= power.mean_ma(S3, STREAM) <= 64.4


def test_table_says_that_nothing_was_measured_and_names_what_was_assumed():
    table = power.table()
    assert table.startswith("model, not measured")
    assert "measured by others" in table
    assert len(re.findall(r"\d+ h", table)) >= len(BOARDS) * len(MODES)
    assert any("lsm6ds3trc current" in line for line in power.assumed())


def test_settings_of_the_model_are_those_of_the_firmware():
    from pathlib import Path

    config = (Path(__file__).parents[2] / "firmware/config.py").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^(\w+) = (\d+)", config, re.MULTILINE))
    assert float(numbers["RATE_HZ"]) == power.SENSOR_RATE_HZ
    assert 1000 / float(numbers["POLL_MS"]) == power.BURST_HZ
    assert 1000 / float(numbers["STEPS_MS"]) == power.LOOP_HZ
    assert float(numbers["SAVE_RATE_HZ"]) == power.SAVE_RATE_HZ
    assert 1000 / float(numbers["SAVE_POLL_MS"]) == pytest.approx(power.SAVE_BURST_HZ)
    assert 1000 / float(numbers["SAVE_STEPS_MS"]) == power.SAVE_LOOP_HZ
    assert pytest.approx(52 / float(numbers["SAMPLES_PER_FRAME"])) == power.FRAME_HZ
