"""Files that nobody of us wrote: each is refused in one line that names the file, or taken without harm."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tiltwise.config.calibration_profiles import ProfileError, read_profile
from tiltwise.config.sensor_keys import KeyStore, KeyStoreError
from tiltwise.config.settings import Settings, SettingsError, load_settings
from tiltwise.errors import AppError
from tiltwise.offline.rebuild import rebuild
from tiltwise.offline.travel.import_file import ImportRequest, import_file
from tiltwise.recording.imu_file import ImuFileError, load_imu
from tiltwise.recording.tw_file import RecordingError

LONG = "9" * 5000  # digits: more than Python reads
SETTINGS = [
    "a=" + "[" * 5000 + "]" * 5000,
    f"[rule]\nangle_deg = {'9' * 400}",
    f"[rule]\nangle_deg = {LONG}",
    "[rule]\nseconds = nan",
    "[rule]\nseconds = inf",
    "rule = 3",
    "[wear]\nmount = [1]",
    "[alerts]\nquiet_from = 12:00:00",
    "\x00",
]
PROFILE = '{"format":"tiltwise profile","format_version":1,"person":"me","device":"x","calibrations":[%s]}'
PROFILES = [
    "[" * 100_000,
    '{"a":' * 100_000,
    PROFILE % "[1]",
    PROFILE % LONG,
    PROFILE % '{"mounting":1e999}',
    "\ufeff",
]
KEYS = [
    "[" * 100_000,
    "[]",
    LONG,
    '{"00":5}',
    '{"00":{"name":5}}',
    '{"00":{"key":5}}',
    '{"zz":{"name":"a","key":"00"}}',
    '{"00":{"name":"a","key":"0"}}',
]
HEADERS = [
    *(
        f'"started_utc_s":{value}'
        for value in ("1e308", "NaN", "Infinity", "1e12", "-1e9", "0", "253402300000")
    ),
    *(f'"started_utc_s":{value}' for value in ('"x"', "true", "[]", "9" * 400, LONG)),
    *(f'"created_utc":{value}' for value in ('"0001-01-01T00:00:00"', '"9999-12-31T23:59:59"', '"x"', "5")),
    *(
        f'"started_utc_s":1.7e9,{value}'
        for value in (
            '"exercises":[[1]]',
            '"exercises":[{}]',
            '"rule":{"angle_deg":[1]}',
            '"rule":{"angle_deg":1e308}',
            '"mounting":{"mount":5}',
            '"zone":5',
            '"mount":[]',
            '"device":{"a":1}',
            '"device":' + "[" * 50_000,
        )
    ),
]


def refused(call: Callable[[Path], object], path: Path, text: str, *errors: type[Exception]) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors) as caught:
        call(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", SETTINGS, ids=range(len(SETTINGS)))
def test_settings(tmp_path: Path, text: str) -> None:
    refused(load_settings, tmp_path / "settings.toml", text, SettingsError)


@pytest.mark.parametrize("text", PROFILES, ids=range(len(PROFILES)))
def test_calibration_profiles(tmp_path: Path, text: str) -> None:
    refused(read_profile, tmp_path / "clip.json", text, ProfileError)


@pytest.mark.parametrize("text", KEYS, ids=range(len(KEYS)))
def test_keys(tmp_path: Path, text: str) -> None:
    refused(lambda path: list(KeyStore(path)), tmp_path / "keys.json", text, KeyStoreError)


def test_a_damaged_file_of_keys_shows_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"00": {"name": "a", "key": "c0ffee"}, "01": {"key": 5}}')
    with pytest.raises(KeyStoreError) as caught:
        list(KeyStore(tmp_path / "keys.json"))
    assert "expected text" in str(caught.value)
    assert "c0ffee" not in str(caught.value)


@pytest.mark.parametrize("values", HEADERS, ids=range(len(HEADERS)))
def test_headers_of_recordings(tmp_path: Path, values: str) -> None:
    def imported(path: Path) -> None:
        import_file(
            ImportRequest(file=path, store=tmp_path / "data", settings=Settings(), zone="UTC"), lambda _: None
        )

    def rebuilt(path: Path) -> None:
        rebuild(tmp_path / "data", [path], now_s=0.0)

    header = f'{{"format":"tiltwise recording","format_version":1,{values}}}\n'
    for call in (rebuilt, imported):
        refused(call, tmp_path / "a.tw", header, AppError, RecordingError)
    assert not list((tmp_path / "data").glob("*.db"))


@pytest.mark.parametrize("shape", ["(" * 3000, "(" + "-" * 90_000 + "1,)", "(10**9**9,)"], ids=range(3))
def test_members_of_npz(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "a.npz"
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("t", "acc", "gyr"):
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", len(head)) + head)
    with pytest.raises(ImuFileError) as caught:
        load_imu(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
