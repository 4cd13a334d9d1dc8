"""A wrong pin, address, voltage, part or joint in a wiring file is noticed, by the check that is meant for it."""

import inspect
import shutil

import pytest

from . import test_wiring, wiring_net

# build, what stands in its file, what a slip of the hand makes of it, the check that says so
SLIPS = {
    "a pin beside the right one": (
        "zero_wire", 'U1: ["D2"]', 'U1: ["D1"]',
        "test_signals_reach_what_they_are_for",
    ),
    "a pad that is another pin": (
        "esp32s3", "D2: 3", "D2: 9",
        "test_signals_go_to_the_pins_that_the_firmware_drives",
    ),
    "a pin of another port": (
        "zero_wire", "[gpio0, 28]", "[gpio1, 28]",
        "test_signals_go_to_the_pins_that_the_firmware_drives",
    ),
    "SDA and SCL swapped": (
        "esp32s3", '{U2: ["SDA"]}', '{U2: ["SCL"]}',
        "test_signals_reach_what_they_are_for",
    ),
    "an address that nobody looks at": (
        "zero_wire", "0x6A}", "0x6C}",
        "test_addresses_of_the_imus_are_those_the_firmware_looks_at",
    ),
    "two IMUs at one address": (
        "two_sensor", "U3: 0x6B", "U3: 0x6A",
        "test_addresses_of_the_imus_are_those_the_firmware_looks_at",
    ),
    "an address pad left open": (
        "two_sensor", '{U3: ["SDO"]}', '{U3: ["INT1"]}',
        "test_address_pads_make_the_addresses",
    ),
    "the cell on the 3.3 V rail": (
        "esp32s3", 'U1: ["3V3"]', 'BT1: ["+"]',
        "test_imus_get_a_voltage_that_they_take",
    ),
    "a bus of 5 V": (
        "pico_w", "volts: 3.3", "volts: 5.0",
        "test_imus_get_a_voltage_that_they_take",
    ),
    "the motor on a pin": (
        "zero_wire", '{M1: ["blue"]}', '{U1: ["D1"]}',
        "test_motor_hangs_on_the_transistor_and_never_on_a_pin",
    ),
    "no pull-down at the gate": (
        "budget", '{R1: ["b"]}', '{R1: ["a"]}',
        "test_motor_hangs_on_the_transistor_and_never_on_a_pin",
    ),
    "the diode the wrong way round": (
        "zero_wire", '{D1: ["K"]}', '{D1: ["A"]}',
        "test_diode_takes_the_motors_kick_and_blocks_the_cell",
    ),
    "the cell the wrong way round": (
        "zero_wire", '{U1: ["BAT+"]}', '{U1: ["BAT-"]}',
        "test_cell_has_the_right_polarity_and_is_not_shorted",
    ),
    "a cable of two metres": (
        "two_sensor", "cable_m: 0.40", "cable_m: 2.0",
        "test_pull_ups_are_neither_too_weak_nor_too_strong",
    ),
    "a cell below the charger's current": (
        "budget", "cell: cell_500", "cell: cell_130",
        "test_currents_stay_within_their_limits",
    ),
    "another part than the list": (
        "zero_wire", "mpn: AO3400A", "mpn: BSS138",
        "test_parts_list_and_wiring_name_the_same_parts",
    ),
    "ten times the resistor": (
        "zero_wire", "RC0805FR-0710KL", "RC0805FR-07100KL",
        "test_resistors_are_what_their_part_numbers_say",
    ),
    "unequal halves of the divider": (
        "esp32s3", "type: resistor 220 kOhm", "type: resistor 100 kOhm",
        "test_resistors_are_what_their_part_numbers_say",
    ),
    "the divider on the 3.3 V rail": (
        "esp32s3", '{R2: ["a"]}', '{U1: ["D1"]}',
        "test_battery_divider_stays_below_the_supply",
    ),
}  # fmt: skip
CHECKS = {
    name: check
    for name, check in inspect.getmembers(test_wiring, inspect.isfunction)
    if name.startswith("test_") and list(inspect.signature(check).parameters) == ["wiring"]
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_noticed(slip, tmp_path, monkeypatch):
    build, right, wrong, check = SLIPS[slip]
    shutil.copytree(wiring_net.WIRING, tmp_path / "wiring")
    file = tmp_path / f"wiring/{build}.yml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    CHECKS[check](wiring_net.read(build))  # as it is
    monkeypatch.setattr(wiring_net, "WIRING", tmp_path / "wiring")
    with pytest.raises(AssertionError):
        CHECKS[check](wiring_net.read(build))


def test_each_check_of_a_wiring_has_a_slip_that_it_notices():
    assert {check for _, _, _, check in SLIPS.values()} == set(CHECKS)
