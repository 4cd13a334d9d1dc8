"""The settings file as it is written for a person, changed line by line, and complained about with its line."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from tiltwise.config.settings import Feedback, RuleKind, Settings, SettingsError, load_settings, read_settings
from tiltwise.config.settings_file import COMMENTS, change, default_text, write_default


def test_the_default_file_says_every_setting_with_its_default() -> None:
    assert read_settings(default_text(), "default") == Settings()
    names = {s.name for s in fields(Settings)} | {
        f"{s.name}.{f.name}" for s in fields(Settings) for f in fields(getattr(Settings(), s.name))
    }
    assert set(COMMENTS) == names
    assert max(map(len, default_text().splitlines())) <= 110


def test_it_is_written_once_and_never_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "settings.toml"
    assert write_default(path)
    path.write_text("[rule]\nangle_deg = 33.0\n", encoding="utf-8")
    assert not write_default(path)
    assert load_settings(path).rule.angle_deg == 33.0


def test_a_change_keeps_comments_and_the_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    write_default(path)
    before = path.read_text(encoding="utf-8").splitlines()
    settings = change(path, "alerts.most_a_day", "3")
    assert settings == replace(Settings(), alerts=replace(Settings().alerts, most_a_day=3))
    assert load_settings(path) == settings
    differing = [
        (a, b) for a, b in zip(before, path.read_text(encoding="utf-8").splitlines(), strict=True) if a != b
    ]
    ((_, new),) = differing
    assert new.startswith("most_a_day = 3 ")
    assert new.endswith("# posture alerts; few work better than many")


@pytest.mark.parametrize(
    "text", ["", "[wear]\nmount = 'head'\n", "[alerts]\nstrength = 1\n[wear]\nmount = 'head'\n"]
)
def test_a_setting_that_is_not_in_the_file_is_added(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    before = load_settings(path)
    settings = change(path, "alerts.quiet_from", "22:00")
    assert settings == replace(before, alerts=replace(before.alerts, quiet_from="22:00"))
    assert load_settings(path) == settings


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("alerts.most_a_day", "x", "'x': expected a value such as 5"),
        ("alerts.busy", "maybe", "'maybe': expected true or false"),
        ("alerts.most_a_day", "-1", "at least 0"),
        ("alerts.feedback", "often", '"always", "faded" or "silent"'),
        ("rule.kind", "foo", 'rule.kind: expected "dose" or "simple", came'),
        ("alerts.deliver", "foo", '"sensor", "desktop" or "both"'),
        ("alerts.feedback", "faded", "needs faded_from"),
        ("wear.mount", "knee", "expected one of collar, neck, head"),
        ("alerts.volume", "3", "unknown setting"),
        ("volume", "3", "unknown setting"),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    path = tmp_path / "settings.toml"
    write_default(path)
    with pytest.raises(SettingsError, match=said):
        change(path, name, value)
    assert path.read_text(encoding="utf-8") == default_text()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[alerts]\n\nstrength = 9\n", 3),
        ("[rule]\nangle_deg = 20\n[alerts]\nmin_gap = 3\n", 4),
        ("\n[loud]\nx = 1\n", 2),
        ("[wear]\nmount = 'knee'\n", 2),
    ],
)
def test_an_error_says_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=f"settings.toml, line {line}: "):
        load_settings(path)


def test_a_rule_of_version_0_1_stays_the_simple_one() -> None:
    assert read_settings("[rule]\nseconds = 30.0\n", "").rule.kind is RuleKind.SIMPLE
    assert read_settings("[rule]\nrecovery_s = 2.0\n", "").rule.kind is RuleKind.DOSE
    assert read_settings("[rule]\nseconds = 30.0\nkind = 'dose'\n", "").rule.kind is RuleKind.DOSE
    assert read_settings("[alerts]\nfeedback = 'silent'\n", "").alerts.feedback is Feedback.SILENT
