"""settings.toml: defaults, every value checked, errors that name the key."""

from pathlib import Path

import pytest

from tiltwise.config.settings import Settings, SettingsError, load_settings, parse_mount, parse_rule


def settings_of(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


def test_values_are_read_and_whole_numbers_serve_as_decimals(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, '[rule]\nangle_deg = 25\nseconds = 40.5\n[wear]\nmount = "head"\n')
    assert settings.rule.angle_deg == 25.0
    assert settings.rule.seconds == 40.5
    assert settings.wear.mount == "head"
    assert settings.alerts == Settings().alerts


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rules]\nangle_deg = 20\n", "rules"),
        ("[rule]\nangel_deg = 20\n", "angel_deg"),
        ("[rule]\nangle_deg = 200\n", "angle_deg"),
        ('[rule]\nangle_deg = "20"\n', "angle_deg"),
        ("[alerts]\ndesktop = 1\n", "desktop"),
        ('[alerts]\nquiet_from = "25:00"\n', "25:00"),
        ('[wear]\nmount = "ear"\n', "ear"),
        ("[rule\n", "TOML"),
        ("rule = 3\n", "rule"),
    ],
)
def test_an_error_names_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        settings_of(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["30", "a:b", "30:30:30", "", "95:30", "30:0", "nan:30", "30:inf"])
def test_a_rule_is_degrees_and_seconds(text: str) -> None:
    with pytest.raises(SettingsError, match="expected"):
        parse_rule(text)


def test_a_good_rule_keeps_the_other_defaults() -> None:
    rule = parse_rule("30:45.5")
    assert (rule.angle_deg, rule.seconds, rule.recovery_s) == (30.0, 45.5, Settings().rule.recovery_s)


def test_a_mount_is_one_of_three() -> None:
    assert parse_mount("collar") == "collar"
    with pytest.raises(SettingsError, match="collar, neck, head"):
        parse_mount("ear")
