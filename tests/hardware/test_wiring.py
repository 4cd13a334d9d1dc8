"""Wiring, board profiles, parts lists and figures agree: pins, addresses, voltages, the motor's driver, currents."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path
from typing import Any

import pytest
from hardware.facts import value

from .wiring_net import NAMES, WIRING, Wiring, read

ROOT = Path(__file__).parents[2]
SIGNALS = ("SDA", "SCL", "MOTION", "MOTOR", "BUTTON", "BATTERY")  # pins that a profile names
CELL_FULL_V, CELL_EMPTY_V = 4.2, 3.0
LOGIC_LOW_V = 0.4


@pytest.fixture(params=NAMES)
def wiring(request: pytest.FixtureRequest) -> Wiring:
    return read(request.param)


def profile(name: str) -> dict[str, Any]:
    """Return the constants of a board's profile, read without running it."""
    path = ROOT / f"firmware/boards/{name}.py"
    if not path.exists():
        pytest.skip(f"no firmware yet: firmware/boards/{name}.py does not exist")
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def parts_list(name: str) -> list[dict[str, str]]:
    with (ROOT / f"hardware/bom/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_variant_has_wiring_and_parts_list():
    assert set(NAMES) == {path.stem for path in (ROOT / "hardware/bom").glob("*.csv")}
    assert set(NAMES) == {"zero_wire", "esp32s3", "two_sensor", "budget", "pico_w"}


def test_signals_go_to_the_pins_that_the_firmware_drives(wiring: Wiring):
    pins = profile(wiring.about["profile"])
    named = {signal: pins[signal] for signal in SIGNALS if pins.get(signal) is not None}
    on_board = {"SDA", "SCL", "MOTION", "BATTERY"} if wiring.about["bus"]["where"] != "wires" else set()
    assert set(wiring.about["signals"]) == set(named) - on_board
    for signal, pin in wiring.about["signals"].items():
        pad = wiring.about["pads"][pin.removeprefix("U1.")]
        wired = tuple(pad) if isinstance(pad, list) else pad
        assert wired == named[signal], f"{signal} is {named[signal]} in the profile and {wired} in the wiring"


@pytest.mark.parametrize("name", [name for name in NAMES if "strapping" in read(name).about])
def test_nothing_hangs_on_a_pin_that_chooses_how_the_chip_starts(name: str):
    about = read(name).about
    used = {about["pads"][pin.removeprefix("U1.")] for pin in about["signals"].values()}
    assert not used & set(about["strapping"])


def test_esp32_boards_name_their_strapping_pins():
    named = {name for name in NAMES if "strapping" in read(name).about}
    assert named == {name for name in NAMES if "esp32" in read(name).about["profile"]}


def test_addresses_of_the_imus_are_those_the_firmware_looks_at(wiring: Wiring):
    pins = profile(wiring.about["profile"])
    addresses = list(wiring.about["bus"]["imus"].values())
    assert len(set(addresses)) == len(addresses)
    assert set(addresses) <= set(pins["ADDRESSES"])


def test_address_pads_make_the_addresses(wiring: Wiring):
    for ref, address in wiring.about["bus"]["imus"].items():
        if ref in wiring.connectors:
            is_high = wiring.is_joined(f"{ref}.SDO", f"{ref}.VIN")
            assert address == (0x6B if is_high else 0x6A), ref


def test_signals_reach_what_they_are_for(wiring: Wiring):
    signals, ground = wiring.about["signals"], wiring.about["ground"]
    assert wiring.is_joined(signals["MOTOR"], "Q1.G")
    assert wiring.is_joined(signals["BUTTON"], "S1.a")
    assert wiring.is_joined("S1.b", ground)
    if wiring.about["bus"]["where"] == "wires":
        for ref in wiring.about["bus"]["imus"]:
            assert wiring.is_joined(signals["SDA"], f"{ref}.SDA")
            assert wiring.is_joined(signals["SCL"], f"{ref}.SCL")
        assert wiring.is_joined(signals["MOTION"], "U2.INT1")
    if "BATTERY" in signals:
        assert {"R2", "R3"} <= wiring.references(signals["BATTERY"])


def test_motor_hangs_on_the_transistor_and_never_on_a_pin(wiring: Wiring):
    ground = wiring.about["ground"]
    signal_pads = {f"U1.{pad}" for pad in wiring.about["pads"]}
    for terminal in ("M1.red", "M1.blue"):
        assert not wiring.nets[terminal] & signal_pads
    assert wiring.is_joined("M1.red", "BT1.+")
    assert wiring.is_joined("M1.blue", "Q1.D")
    assert wiring.is_joined("Q1.S", ground)
    assert not wiring.is_joined("Q1.D", ground)
    assert wiring.nets["Q1.G"] - {"Q1.G", "R1.a"} == {wiring.about["signals"]["MOTOR"]}
    assert wiring.is_joined("R1.b", ground), "the gate floats while the chip starts"


def test_diode_takes_the_motors_kick_and_blocks_the_cell(wiring: Wiring):
    assert wiring.is_joined("D1.K", "BT1.+")
    assert wiring.is_joined("D1.A", "Q1.D")
    assert value("diode", "max_current") > value("motor", "start_current")


def test_cell_has_the_right_polarity_and_is_not_shorted(wiring: Wiring):
    plus = "U4.BAT" if "U4" in wiring.connectors else "U1.BAT+"
    minus = "U4.GND" if "U4" in wiring.connectors else "U1.BAT-"
    assert wiring.is_joined("BT1.+", plus)
    assert wiring.is_joined("BT1.-", minus)
    assert not wiring.is_joined("BT1.+", "BT1.-")
    assert not wiring.is_joined("BT1.+", wiring.about["ground"])
    assert not wiring.is_joined(wiring.about["supply"], wiring.about["ground"])
    assert not wiring.is_joined("BT1.+", wiring.about["supply"]), "4.2 V on the 3.3 V rail"


def test_cell_feeds_a_board_without_charger_through_a_diode():
    wiring = read("pico_w")
    assert wiring.is_joined("U4.BAT", "D2.A")
    assert wiring.is_joined("D2.K", "U1.VSYS")
    assert not wiring.is_joined("BT1.+", "U1.VSYS")


def test_imus_get_a_voltage_that_they_take(wiring: Wiring):
    volts = value(wiring.about["board"], "supply")
    assert volts == wiring.about["bus"]["volts"]
    assert volts <= value("lsm6dsox", "supply_max")
    for ref in wiring.about["bus"]["imus"]:
        if ref in wiring.connectors:
            assert wiring.is_joined(f"{ref}.VIN", wiring.about["supply"])
            assert wiring.is_joined(f"{ref}.GND", wiring.about["ground"])


def test_pull_ups_are_neither_too_weak_nor_too_strong(wiring: Wiring):
    bus = wiring.about["bus"]
    if bus["where"] != "wires":
        assert "pulled up" in bus["where"]
        return
    count = len(bus["imus"])
    pull_up_ohm = value("lsm6dsox", "pull_up") / count
    picofarad = value("i2c", "wire_capacitance") * bus["cable_m"] + value("i2c", "pin_capacitance") * (
        count + 1
    )
    assert 0.8473 * pull_up_ohm * picofarad * 1e-3 <= value("i2c", "rise_time")
    assert (bus["volts"] - LOGIC_LOW_V) / pull_up_ohm * 1000 <= value("i2c", "sink_current")


def test_currents_stay_within_their_limits(wiring: Wiring):
    board, cell = wiring.about["board"], wiring.about["cell"]
    assert value("motor", "start_current") > value(board, "pin_current"), "then a pin might do"
    assert value("motor", "start_current") <= value("mosfet", "max_current")
    assert value("mosfet", "threshold_max") < value(board, "supply") - 1.0
    assert value(wiring.about["charger"], "charge_current") <= value(cell, "max_charge")
    board_ma = next(
        value(board, name)
        for name in ("ble_busy_current", "ble_current", "radio_tx_current")
        if (board, name) in _known()
    )
    assert value("motor", "current") + board_ma <= value(cell, "max_discharge"), (
        "the cell would be overloaded"
    )


def test_resistors_are_what_their_part_numbers_say(wiring: Wiring):
    ohms = {}
    for ref, part in wiring.connectors.items():
        if ref.startswith("R"):
            kilo = re.fullmatch(r"RC0805FR-07(\d+)KL", part["mpn"])
            assert kilo, ref
            assert part["type"] == f"resistor {kilo[1]} kOhm", ref
            ohms[ref] = float(kilo[1]) * 1e3
    assert 4.7e3 <= ohms["R1"] <= 47e3, "holds the gate low, and the pin carries it"
    assert (
        value(wiring.about["board"], "supply") / ohms["R1"] * 1e3
        <= value(wiring.about["board"], "pin_current") / 2
    )
    if "BATTERY" in wiring.about["signals"]:
        assert ohms["R2"] == ohms["R3"], "the profile takes the middle for half"
        assert CELL_FULL_V / (ohms["R2"] + ohms["R3"]) < 20e-6, "A, for ever"


def test_battery_divider_stays_below_the_supply(wiring: Wiring):
    if "BATTERY" in wiring.about["signals"]:
        assert wiring.is_joined("R2.a", "BT1.+")
        assert wiring.is_joined("R3.b", wiring.about["ground"])
        assert value(wiring.about["board"], "supply") > CELL_FULL_V / 2


def test_parts_list_and_wiring_name_the_same_parts(wiring: Wiring):
    listed = {
        row["reference"]: row["mpn"] for row in parts_list(wiring.about["bom"]) if row["reference"] != "-"
    }
    drawn = {ref: str(part["mpn"]) for ref, part in wiring.connectors.items()}
    assert drawn.items() <= listed.items()
    assert set(listed) - set(drawn) <= {"W2"}, "a cable that needs no drawing of its own"


def test_every_wire_has_its_own_name_and_a_colour():
    import yaml

    for name in NAMES:
        data = yaml.safe_load((WIRING / f"{name}.yml").read_text(encoding="utf-8"))
        used = [
            step
            for row in data["connections"]
            for step in (ref for part in row for ref in part)
            if step in data["cables"]
        ]
        assert sorted(used) == sorted(data["cables"])
        assert all(cable["colors"] for cable in data["cables"].values())


def _known() -> set[tuple[str, str]]:
    from hardware.facts import facts

    return set(facts())
