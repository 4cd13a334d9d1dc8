"""`tiltwise setup --selftest` on a simulated board: each fault of a builder is found, and nothing else."""

import numpy as np
import pytest

from tiltwise.setup.selftest import selftest_report, verdicts
from tiltwise.setup.selftest.board_checks import side_up
from tiltwise.setup.selftest.verdicts import G_M_S2, Verdict
from tiltwise.sim.board.self_test_bench import FAULTS

FOUND = {
    "no-imu": {"bus", "identity"},
    "wrong-imu": {"identity"},
    "swapped-wires": {"bus", "identity"},
    "stuck-bus": {"bus", "identity"},
    "dead-axis": {"gravity"},
    "noisy": {"noise"},
    "dead-motor": {"motor"},
    "no-cell": {"battery"},
    "empty-cell": {"battery"},
    "full-flash": {"flash"},
    "dead-button": {"button"},
    "stuck-button": {"button"},
    "dead-radio": {"radio"},
}


def test_every_fault_of_the_bench_has_a_row():
    assert set(FOUND) == set(FAULTS)


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_what_is_wrong_is_found_and_nothing_else(fault, tiltwise, tmp_path):
    out = tmp_path / "report.md"
    done = tiltwise("setup", "--selftest", "--port", f"sim:{fault}", "--report", out)
    wrong = {line[6:20].strip() for line in done.out.splitlines() if line.startswith("FAIL")}
    assert wrong == FOUND.get(fault, set()), done.out + done.err
    assert done.code == (1 if fault else 0)
    assert max(map(len, done.out.splitlines())) <= 80 + len(str(tmp_path))
    text = out.read_text()
    assert text.startswith("### tiltwise self-test: ")
    assert text.count("| FAIL |") == len(wrong)
    assert "73696d626f617264" not in text  # the device id


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        ("swapped-wires", ["nobody answers, expected an IMU at 0x6a", "whether SDA and SCL are swapped"]),
        ("no-imu", ["no IMU that a driver knows", "pass  battery        3.90 V"]),
        ("wrong-imu", ["part at 0x6a says WHO_AM_I 0x33 (register 0x0f), expected 0x6c (LSM6DSO,"]),
        ("stuck-button", ["pressed before anybody was asked to", "its pin touches GND"]),
        ("no-cell", ["no voltage of a cell", "check BAT+ and BAT-"]),
    ],
)
def test_a_fault_is_said_with_what_came_and_what_to_check(fault, lines, tiltwise, tmp_path):
    done = tiltwise("setup", "--selftest", "--port", f"sim:{fault}", "--report", tmp_path / "report.md")
    said = " ".join(done.out.split())
    for line in lines:
        assert " ".join(line.split()) in said, done.out


def test_fault_that_nobody_knows_and_a_report_that_cannot_be_written_are_one_line(tiltwise, tmp_path):
    done = tiltwise("setup", "--selftest", "--port", "sim:moths")
    assert done.code == 1
    assert "sim:moths: expected sim: and one of no-imu" in done.err
    done = tiltwise("setup", "--selftest", "--port", "sim:", "--report", tmp_path / "no" / "where.md")
    assert "cannot be written" in done.err


def test_positions_are_told_by_the_axis_that_gravity_is_along():
    still = np.tile([0.3, -G_M_S2, 0.2], (50, 1))
    assert side_up(still) == "-y"
    assert side_up(np.tile([5.0, 5.0, 6.8], (50, 1))) == ""  # on an edge
    assert side_up(still + np.linspace(0, 4, 50)[:, None]) == ""  # moving
    assert side_up(np.empty((0, 3))) == ""


def test_offset_and_scale_are_those_of_the_axis_that_is_worst():
    ups = {}
    for axis, name in enumerate("xyz"):
        for sign, side in ((1, "+"), (-1, "-")):
            up = np.zeros(3)
            up[axis] = sign * G_M_S2 * (1.05 if name == "y" else 1.0) + (0.3 if name == "x" else 0.0)
            ups[side + name] = up
    check = verdicts.judge_gravity(ups)
    assert check.verdict is Verdict.FAIL
    assert "offset 31 mg, scale 5.0 %" in check.found


@pytest.mark.parametrize(
    ("millivolts", "verdict"),
    [(None, "skip"), (0, "FAIL"), (3300, "FAIL"), (3700, "pass"), (4200, "pass"), (4800, "FAIL")],
)
def test_battery_is_judged_by_its_voltage(millivolts, verdict):
    assert verdicts.judge_battery(millivolts).verdict.value == verdict


def test_report_has_a_row_for_each_check():
    checks = [verdicts.passed("bus", "0x6a"), verdicts.failed("motor", "still", "check its wires")]
    text = selftest_report.report("firmware 1.0 on x", "2026-11-30", "0.1", checks)
    assert "| motor | FAIL | still | check its wires |" in text
    assert selftest_report.summary(checks) == "1 passed, 1 failed, 0 left out"
