"""The command line as a person meets it: the way in, wrong use, exit codes, JSON, and not one traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command import COMMAND, Command, assert_one_line, environment, run
from tiltwise import __version__, console
from tiltwise.app import exit_status
from tiltwise.text import printable

ALL_COMMANDS = ("analyze", "bench", "count", "day", "demo", "doctor", "exercises", "scan", "watch")
PERCENTILES = {"p10", "p50", "p90", "mean"}


def test_half_of_the_quiet_hours_is_told_to_be_none(tiltwise: Command) -> None:
    half = tiltwise("settings", "alerts.quiet_from", "22:00")
    assert half.code == 0
    assert "no quiet hours without alerts.quiet_to: set it too" in half.out
    assert "no quiet hours without alerts.quiet_to: set it too" in tiltwise("settings").out
    assert "no quiet hours" not in tiltwise("settings", "alerts.quiet_to", "07:00").out
    other_half = tiltwise("settings", "alerts.quiet_from", "")
    assert "no quiet hours without alerts.quiet_from: set it too" in other_half.out


def test_a_negative_value_is_a_value_and_no_option(tiltwise: Command) -> None:
    assert_one_line(tiltwise("settings", "alerts.most_a_day", "-3"), 1, "expected at least 0, came -3")


def test_tiltwise_alone_shows_the_way(home: Path) -> None:
    result = run(home)
    assert (result.code, result.err) == (0, "")
    for command in ("demo", "watch", "day", "analyze", "count", "doctor", "--help"):
        assert f"tiltwise {command}" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    assert not home.exists(), "showing the way must not make folders"


def test_version_is_told(tiltwise: Command) -> None:
    assert tiltwise("--version").out == f"tiltwise {__version__}\n"


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_each_command_explains_itself(tiltwise: Command, command: str) -> None:
    result = tiltwise(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert command in result.out


def test_help_lists_all_commands(tiltwise: Command) -> None:
    listed = tiltwise("--help").out
    for command in ALL_COMMANDS:
        assert f"  {command} " in listed


WRONG_USE = {
    "unknown command": (("bogus",), "No such command"),
    "unknown option": (("analyze", "{leant}", "--bogus"), "No such option"),
    "missing file": (("analyze",), "Missing argument"),
    "missing exercise": (("count", "{leant}"), "Missing option '--exercise'"),
    "too many": (("day", "2026-01-01", "2026-01-02"), "unexpected extra argument"),
    "rule without seconds": (("analyze", "{leant}", "--rule", "30"), "expected dose, or DEGREES:SECONDS"),
    "rule in words": (("analyze", "{leant}", "--rule", "low:long"), "expected dose, or DEGREES:SECONDS"),
    "rule beyond": (("analyze", "{leant}", "--rule", "300:30"), "expected at most 90, came 300"),
    "rule not a number": (("watch", "sim:desk", "--rule", "nan:30"), "expected at least 1, came nan"),
    "mount of analyze": (("analyze", "{leant}", "--mount", "nose"), "expected one of collar, neck, head"),
    "mount of count": (
        ("count", "{leant}", "--exercise", "side_tilt", "--mount", "x"),
        "expected one of collar",
    ),
    "mount of demo": (("demo", "--mount", "nose"), "expected one of collar, neck, head"),
    "mount of watch": (("watch", "sim:desk", "--mount", "nose"), "expected one of collar, neck, head"),
    "mount of exercises": (("exercises", "--mount", "nose"), "expected one of collar, neck, head"),
    "mount of setup": (("setup", "--dry-run", "--mount", "nose"), "expected one of collar, neck, head"),
    "mount of calibrate": (("calibrate", "--mount", "nose"), "expected one of collar, neck, head"),
    "face of calibrate": (("calibrate", "--face", "up"), "expected auto, off or one of"),
    "two changes of a store": (("data", "--erase", "ALL", "--keep-raw", "3"), "one at a time"),
    "no seeds": (("bench", "sim", "--seeds", "0"), "greater than or equal to 1"),
    "unknown exercise": (("count", "{leant}", "--exercise", "jumping"), "tiltwise exercises lists them"),
    "bad date": (("day", "2026-13-01"), "expected YYYY-MM-DD"),
    "date in words": (("day", "tuesday"), "expected YYYY-MM-DD"),
    "angles name": (("analyze", "{leant}", "--angles", "a.xls"), ".csv or .parquet"),
    "plot name": (("analyze", "{leant}", "--plot", "a.gif"), ".png, .pdf or .svg"),
    "day's picture": (("day", "--out", "a.gif"), ".png, .pdf or .svg"),
    "minutes too few": (("demo", "--minutes", "1"), "greater than or equal to 4"),
    "minutes in words": (("demo", "--minutes", "long"), "valid number"),
    "seed negative": (("demo", "--seed", "-1"), "greater than or equal to 0"),
    "speed not a number": (("demo", "--speed", "nan"), "greater than or equal to 0"),
    "scan too long": (("scan", "--seconds", "99"), "less than or equal to 60"),
    "unknown bench": (("bench", "nothing"), "expected one of"),
    "unknown address": (("watch", "bogus:"), "unknown address 'bogus:'"),
    "no address": (("watch", "nothing"), "unknown address"),
    "a file for an address": (("watch", "day.tw"), "a file? replay:day.tw"),
    "no file to replay": (("watch", "replay:"), "names nothing after the colon"),
    "radio without a key": (("watch", "ble:"), "run tiltwise setup"),
    "radio with an unknown name": (("watch", "ble:nobody"), "no key for nobody"),
    "taking over a simulation": (("watch", "sim:desk", "--takeover"), "is for ble: and serial:"),
    "unknown scenario": (("watch", "sim:bogus"), "expected one of: demo, desk"),
    "unknown address option": (("watch", "sim:desk?colour=red"), "unknown option 'colour'"),
    "option value": (("watch", "sim:desk?speed=fast"), "expected a"),
    "option beyond": (("watch", "sim:desk?minutes=0"), "a number from 0.1 to 1440"),
    "option of mount": (("watch", "sim:desk?mount=nose"), "expected one of collar, neck, head"),
    "story too short": (("watch", "sim:desk?minutes=0.2"), "at least 2 minutes"),
    "neutral of a live wearer": (("watch", "sim:desk", "--neutral", "{leant}"), "are for replay:FILE"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_one_line_and_exit_code_2(tiltwise: Command, leant: Path, case: str) -> None:
    arguments, words = WRONG_USE[case]
    result = tiltwise(*(argument.format(leant=leant) for argument in arguments))
    assert_one_line(result, 2, words)
    assert result.out == ""


def test_an_installation_without_the_benches_says_where_they_are(
    tiltwise: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tiltwise_lab"]:
        monkeypatch.delitem(sys.modules, name)

    class NoLab:
        def find_spec(self, name: str, *_: object) -> None:
            if name.split(".")[0] == "tiltwise_lab":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [NoLab(), *sys.meta_path])
    assert_one_line(tiltwise("bench"), 2, "not in this installation", "source checkout")


def test_outputs_are_refused_before_the_work(tiltwise: Command) -> None:
    for option, name in (("--angles", "a.xls"), ("--plot", "a.gif")):
        assert_one_line(tiltwise("analyze", "absent.npz", option, name), 2, name)


def test_wrong_use_in_a_process_of_its_own(home: Path) -> None:
    assert_one_line(run(home, "watch", "bogus:"), 2, "unknown address", "replay:FILE")


BAD_SETTINGS = {
    "not TOML": ("[rule\nangle", "not valid TOML"),
    "unknown section": ("[colour]\nname = 'red'", "unknown section [colour]"),
    "unknown key": ("[rule]\nangel_deg = 20", "unknown setting; there are angle_deg"),
    "wrong type": ("[rule]\nangle_deg = 'low'", "expected a number, came 'low'"),
    "out of range": ("[rule]\nseconds = 0", "expected at least 1, came 0"),
    "mount": ("[wear]\nmount = 'nose'", "expected one of collar, neck, head"),
    "quiet hours": ("[alerts]\nquiet_from = '25:00'", "expected HH:MM"),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_bad_settings_are_told_by_each_command_that_reads_them(
    tiltwise: Command, home: Path, leant: Path, case: str
) -> None:
    text, words = BAD_SETTINGS[case]
    home.mkdir()
    (home / "settings.toml").write_text(text, encoding="utf-8")
    for command in (("analyze", str(leant)), ("watch", "sim:desk"), ("exercises",)):
        assert_one_line(tiltwise(*command), 1, words)


def test_settings_that_are_no_text_are_told(tiltwise: Command, home: Path, leant: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_bytes(b"\xff\xfe\x00rule")
    assert_one_line(tiltwise("analyze", leant), 1, "settings.toml", "mend or remove it")


def test_analyze_json_has_the_keys_of_the_contract(tiltwise: Command, leant: Path) -> None:
    result = tiltwise("analyze", leant, "--json", "--rule", "30:30")
    assert (result.code, result.err) == (0, "")
    said = json.loads(result.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    contract = {
        "duration_s", "rate_hz", "mount", "inclination_deg", "flexion_deg", "lateral_deg", "percent_above_deg",
        "episodes", "worn_percent", "moving_percent",
    }  # fmt: skip
    assert set(said) == contract | {
        "axes", "measures", "percent_above_of", "notes", "is_neutral_known", "relative_to", "figures_of",
        "angular_velocity_deg_s",
    }  # fmt: skip
    for name in ("inclination_deg", "flexion_deg", "lateral_deg"):
        assert set(said[name]) == PERCENTILES
    assert list(said["percent_above_deg"]) == ["15", "20", "30", "45", "60"]
    assert [set(e) for e in said["episodes"]] == [{"kind", "start_s", "end_s", "alert_s", "peak_deg"}]
    assert any("first 3 still seconds" in note for note in said["notes"])


def test_count_json_has_the_keys_of_the_contract(tiltwise: Command, demo_folder: Path) -> None:
    result = tiltwise("count", demo_folder / "demo.tw", "--exercise", "side-tilt", "--json")
    assert (result.code, result.err) == (0, "")
    said = json.loads(result.out)
    assert set(said) == {"exercise", "reps", "partial", "list", "left_out", "notes"}
    assert set(said["reps"]) == {"total", "left", "right", "one_side", "other_side"}
    assert isinstance(said["partial"], int)
    assert len(said["list"]) == said["reps"]["total"]
    for rep in said["list"]:
        assert set(rep) == {"start_s", "peak_s", "end_s", "peak_deg", "hold_s", "side"}


def test_every_table_fits_80_columns(tiltwise: Command, leant: Path, demo_folder: Path) -> None:
    for command in (
        ("analyze", str(leant)),
        ("count", str(demo_folder / "demo.tw"), "--exercise", "side_tilt"),
        ("exercises",),
        ("day", "--data", str(demo_folder), "--out", "day.png"),
    ):
        result = tiltwise(*command)
        assert result.code == 0
        assert max(map(len, result.out.splitlines())) <= 80, command


def test_a_defect_is_one_line_that_asks_to_report_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("nobody expected this")

    monkeypatch.delenv("TILTWISE_DEBUG", raising=False)
    assert exit_status.run(fail) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "please report it" in said
    monkeypatch.setenv("TILTWISE_DEBUG", "1")
    with pytest.raises(KeyError):
        exit_status.run(fail)


def test_a_closed_pipe_is_silent(home: Path, leant: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "analyze", str(leant), "--json"],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        said = child.stderr.read()
    assert "Traceback" not in said
    assert "tiltwise:" not in said
    assert child.returncode in (0, 1)


def test_long_error_lines_are_cut() -> None:
    assert len(printable("x" * 5000, 1000)) == 1000
    assert printable("a\x1b[1m\u202eb\tc", 80) == "a?[1m?b?c"


def test_the_console_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console.out.print("[/x] :smile: [bold]y[/]")
    assert capsys.readouterr().out == "[/x] :smile: [bold]y[/]\n"
