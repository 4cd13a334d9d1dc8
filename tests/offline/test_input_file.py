"""Files that cannot be used are refused in one line by every command that reads them, and good ones are read."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from command import Command, assert_one_line, run
from offline.imu_file_samples import Array, leaning, save
from tiltwise.offline.input_file import choose_mounting, parse_up, read_input
from tiltwise.recording.tw_file import RecordingWriter, read_frames
from tiltwise.types import Mount

READERS = (
    ("analyze", "{}"),
    ("count", "{}", "--exercise", "side_tilt"),
    ("watch", "replay:{}?speed=0", "--no-store"),
)
Change = Callable[[Array, Array, Array], tuple[Array, Array, Array]]


def refused(tiltwise: Command, path: Path, *words: str, code: int = 1) -> None:
    """Every command that reads files must say the same about this one."""
    for reader in READERS:
        assert_one_line(tiltwise(*(part.format(path) for part in reader)), code, *words)


def rows_with_nan(t_s: Array, acc: Array, gyr: Array) -> tuple[Array, Array, Array]:
    acc = acc.copy()
    acc[: len(acc) * 2 // 3] = np.nan
    return t_s, acc, gyr


def unsorted(t_s: Array, acc: Array, gyr: Array) -> tuple[Array, Array, Array]:
    return np.roll(t_s, 100), acc, gyr


CHANGES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "nan": (rows_with_nan, ("NaN", "expected numbers", "export again")),
    "unsorted": (unsorted, ("times go back", "expected growing times", "sort")),
    "too slow": (
        lambda t, a, g: (t[::10], a[::10], g[::10]),
        ("5 samples a second", "at least 12", "record faster"),
    ),
    "too short": (lambda t, a, g: (t[:20], a[:20], g[:20]), ("0.4 s of samples", "at least 1 s")),
    "gravity removed": (
        lambda t, a, g: (t, a * 0.01, g),
        ("expected about 9.8", "gravity seems to be taken out"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_wrong_values_are_refused_with_what_to_do(
    tiltwise: Command, tmp_path: Path, name: str, suffix: str
) -> None:
    change, words = CHANGES[name]
    refused(tiltwise, save(tmp_path / f"wrong{suffix}", *change(*leaning())), *words)


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet", ".tw"])
def test_an_empty_file_is_refused(tiltwise: Command, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"empty{suffix}"
    path.touch()
    refused(tiltwise, path, "the file is empty", "expected")


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet", ".tw"])
@pytest.mark.parametrize("content", ["png", "text", "json"])
def test_a_foreign_file_is_refused(tiltwise: Command, tmp_path: Path, suffix: str, content: str) -> None:
    data = {
        "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
        "text": b"Dear diary,\ntoday I sat very well.\n" * 50,
        "json": b'{"format": "somebody else\'s", "values": [1, 2, 3]}\n',
    }[content]
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(data)
    refused(tiltwise, path, str(path.name))


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(tiltwise: Command, tmp_path: Path, suffix: str, share: float) -> None:
    path = save(tmp_path / f"cut{suffix}", *leaning())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(tiltwise, path, "not a whole", "cut off")


def test_a_csv_cut_in_its_last_line_is_read_up_to_there(tiltwise: Command, tmp_path: Path) -> None:
    path = save(tmp_path / "cut.csv", *leaning())
    path.write_bytes(path.read_bytes()[:-30])
    result = tiltwise("analyze", path)
    assert result.code == 0
    assert re.search(r"(1 min 0|59) s at 50\.0 Hz", result.out)


def test_missing_columns_are_named(tiltwise: Command, tmp_path: Path) -> None:
    t_s, acc, _ = leaning()
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez(file, t=t_s, acc=acc)
    refused(tiltwise, tmp_path / "a.npz", "no gyr", "expected t, acc, gyr", "found 't', 'acc'")
    np.savetxt(
        tmp_path / "a.csv",
        np.column_stack([t_s, acc]),
        "%.4f",
        ",",
        header="t_s,gyr_x,gyr_y,gyr_z",
        comments="",
    )
    refused(tiltwise, tmp_path / "a.csv", "no column of acceleration", "found 't_s'", "--columns")


@pytest.mark.parametrize("name", ["absent.npz", "absent.csv", "absent.tw"])
def test_a_missing_file_is_told(tiltwise: Command, tmp_path: Path, name: str) -> None:
    refused(tiltwise, tmp_path / name, name, "check the")


def test_a_folder_is_not_a_file(tiltwise: Command, tmp_path: Path) -> None:
    for name in ("folder", "folder.csv", "folder.tw"):
        (tmp_path / name).mkdir()
        refused(tiltwise, tmp_path / name, name)


def test_another_kind_of_name_is_refused(tiltwise: Command, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\0")
    refused(tiltwise, tmp_path / "photo.png", "not a text file", "photo.png")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tiltwise: Command, leant: Path) -> None:
    leant.chmod(0)
    refused(tiltwise, leant, "not allowed", "permissions")


def test_a_permission_refused_by_the_system_is_told(
    tiltwise: Command, leant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(leant))

    monkeypatch.setattr(np, "load", refuse)
    refused(tiltwise, leant, "not allowed to read this file", "check its permissions")


@pytest.mark.parametrize(
    "header",
    [{"mounting": {"foo": 1}}, {"mounting": {"mount": "nose", "q_sensor_from_body": [1, 2]}}],
)
def test_a_recording_with_a_broken_calibration_is_refused(
    tiltwise: Command, demo_folder: Path, tmp_path: Path, header: dict[str, object]
) -> None:
    path = rewritten(demo_folder / "demo.tw", tmp_path / "broken.tw", header, frames=300)
    refused(tiltwise, path, "broken.tw: its calibration cannot be read (mounting.", "calibrate again")


@pytest.mark.parametrize("header", [{"mounting": [1]}, {"mount": ["neck"]}, {"mount": "nose"}, {}])
def test_a_header_that_says_nothing_useful_does_no_harm(
    tiltwise: Command, demo_folder: Path, tmp_path: Path, header: dict[str, object]
) -> None:
    path = rewritten(demo_folder / "demo.tw", tmp_path / "odd.tw", header, frames=300)
    assert tiltwise("analyze", path).code == 0


@pytest.mark.parametrize("frames", [0, 1])
def test_a_recording_without_samples_is_refused(
    tiltwise: Command, demo_folder: Path, tmp_path: Path, frames: int
) -> None:
    path = rewritten(demo_folder / "demo.tw", tmp_path / "none.tw", {}, frames=frames)
    refused(tiltwise, path, "no samples", "expected a recording")


def test_a_recording_cut_anywhere_is_read_up_to_there(
    tiltwise: Command, demo_folder: Path, tmp_path: Path
) -> None:
    data = (demo_folder / "demo.tw").read_bytes()
    rng = np.random.default_rng(3)
    for size in rng.integers(len(data) // 3, len(data), 4).tolist():
        path = tmp_path / "cut.tw"
        path.write_bytes(data[:size])
        result = tiltwise("analyze", path)
        assert result.code == 0, size
        assert result.err == ""


def test_damaged_records_are_left_out_and_told(tiltwise: Command, demo_folder: Path, tmp_path: Path) -> None:
    data = bytearray((demo_folder / "demo.tw").read_bytes())
    start = data.index(b"\n") + len(data) // 2
    data[start : start + 400] = np.random.default_rng(4).bytes(400)
    (tmp_path / "hurt.tw").write_bytes(data)
    result = tiltwise("analyze", tmp_path / "hurt.tw")
    assert result.code == 0
    assert "left out" in result.out


def test_a_recording_tells_where_it_was_worn(tiltwise: Command, demo_folder: Path, tmp_path: Path) -> None:
    path = rewritten(demo_folder / "demo.tw", tmp_path / "head.tw", {"mount": "head"}, frames=300)
    assert read_input(path).mount is Mount.HEAD
    assert "Hz, head" in tiltwise("analyze", path).out
    assert "Hz, collar" in tiltwise("analyze", path, "--mount", "collar").out


def rewritten(source: Path, target: Path, header: dict[str, object], *, frames: int) -> Path:
    """Copy the first frames of a recording behind another header."""
    recording = read_frames(source)
    with RecordingWriter(target, header) as writer:
        for t_s, frame in zip(recording.received_s[:frames].tolist(), recording.frames[:frames], strict=True):
            writer.write(t_s, frame)
    return target


HOSTILE = {
    "escapes": "\x1b[31m\x1b]0;owned\x07red.npz",
    "right to left": "\u202egpj.npz",
    "markup": "x].npz",  # in a folder called [ it reads as a closing tag
    "emoji name": ":smile:.npz",
    "newline": "two\nlines.npz",
    "not UTF-8": os.fsdecode(b"bad\xff.npz"),
    "long": "a" * 240 + ".npz",
}


def assert_clean(text: str) -> None:
    """No character in it may steer a terminal."""
    for line in text.split("\n"):
        assert line.isprintable(), repr(line)


@pytest.mark.skipif(os.name != "posix", reason="other systems refuse such names themselves")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_never_reaches_the_terminal_as_it_is(
    tiltwise: Command, leant: Path, kind: str
) -> None:
    path = leant.with_name("[") / HOSTILE[kind]
    path.parent.mkdir()
    shutil.copy(leant, path)
    commands = (
        ("analyze", str(path)),
        ("analyze", str(leant), "--neutral", str(path)),
        ("count", str(path), "--exercise", "side_tilt"),
        ("watch", f"replay:{path}?speed=0", "--data", str(leant.with_name("data"))),
    )
    for command in commands:
        result = tiltwise(*command)
        assert result.code == 0, result.err
        assert result.err == ""
        assert_clean(result.out)
    for command in commands:
        result = tiltwise(
            *(part.replace(".npz", ".gone") if HOSTILE[kind] in part else part for part in command)
        )
        assert_one_line(result, 1)
        assert_clean(result.out)


def test_a_name_is_shown_as_it_is_written(tiltwise: Command, leant: Path) -> None:
    for name in ("[bold]x.npz", ":smile:.npz"):
        shutil.copy(leant, leant.with_name(name))
        assert tiltwise("analyze", leant.with_name(name)).out.startswith(name)


def test_a_name_of_300_characters_is_refused_in_one_line(tiltwise: Command) -> None:
    refused(tiltwise, Path("b" * 300 + ".npz"), "name too long")
    assert_one_line(tiltwise("day", "--out", "c" * 300 + ".png", "--data", "."), 1)


@pytest.mark.parametrize("text", ["1,2", "a,b,c", "0,0,0", "nan,0,1", "1,2,3,4", "inf,0,0", ","])
def test_a_bad_neutral_up_is_wrong_use(tiltwise: Command, leant: Path, text: str) -> None:
    assert_one_line(tiltwise("analyze", leant, f"--neutral-up={text}"), 2, "three numbers", "for instance")


def test_neutral_up_is_normalised() -> None:
    assert parse_up("0,-3,4") == pytest.approx([0, -0.6, 0.8], abs=1e-12)


def test_two_neutrals_are_wrong_use(tiltwise: Command, leant: Path) -> None:
    result = tiltwise("analyze", leant, "--neutral", leant, "--neutral-up", "0,0,1")
    assert_one_line(result, 2, "give one of them")


def test_a_neutral_file_beats_the_first_still_seconds(tiltwise: Command, leant: Path, tmp_path: Path) -> None:
    neutral = save(tmp_path / "stood.csv", *leaning(10, lean_deg=0))
    data = read_input(leant)
    mounting, notes = choose_mounting(data, mount=Mount.NECK, neutral=neutral)
    assert "stood.csv" in notes[0]
    assert mounting.mount is Mount.NECK
    _, first = choose_mounting(data, mount=Mount.NECK)
    assert "first 3 still seconds" in first[0]


def test_a_file_that_is_never_still_falls_back_to_its_quietest_moment(
    tiltwise: Command, tmp_path: Path
) -> None:
    """It sways by 12 deg all the time, least around 0:15; that is the posture that the angles are relative to."""
    t_s = np.arange(0, 30, 0.02)
    angle = np.radians(12) * np.clip(np.abs(t_s - 15) / 6, 0.5, 1) * np.sin(2 * np.pi * t_s / 1.7)
    acc = 9.80665 * np.stack((-np.sin(angle), 0 * t_s, np.cos(angle)), axis=1)
    gyr = np.stack((0 * t_s, np.gradient(angle, t_s), 0 * t_s), axis=1)
    path = save(tmp_path / "swaying.npz", t_s, acc, gyr)
    result = tiltwise("analyze", path, "--json")
    said = json.loads(result.out)
    assert said["is_neutral_known"] is False
    assert said["relative_to"] in {f"the posture at 0:{second}" for second in (12, 13, 14, 15)}
    assert any("never still for 3 s, so its quietest moment" in note for note in said["notes"])
    assert tiltwise("count", path, "--exercise", "side_tilt").code == 0
    assert tiltwise("watch", f"replay:{path}?speed=0", "--no-store").code == 0


def test_bent_from_the_first_second_is_no_all_clear(tiltwise: Command, tmp_path: Path) -> None:
    """Somebody sits bent by 50 deg throughout: without a neutral the headline, JSON and picture give no verdict."""
    t_s, acc, gyr = leaning(60, lean_deg=50, start_s=-10, end_s=1000)
    path = save(tmp_path / "bent.csv", t_s, acc, gyr)
    shown = " ".join(tiltwise("analyze", path).out.split())
    assert shown.index("no verdict all angles are relative to the posture at 0:00") < shown.index("P50")
    assert "none beyond the posture at 0:00" in shown
    said = json.loads(tiltwise("analyze", path, "--json").out)
    assert (said["is_neutral_known"], said["relative_to"]) == (False, "the posture at 0:00")
    watched = " ".join(tiltwise("watch", f"replay:{path}?speed=0", "--no-store").out.split())
    assert "no verdict: all angles are relative to the posture at 0:00" in watched
    told = json.loads(tiltwise("analyze", path, "--neutral-up", "0,0,1", "--json").out)
    assert (told["is_neutral_known"], told["relative_to"]) == (True, "upright")
    assert told["inclination_deg"]["p50"] == pytest.approx(50, abs=1)
    assert "no verdict" not in tiltwise("analyze", path, "--neutral-up", "0,0,1").out


def test_acceleration_that_points_down_is_told_where_upright_was_stated(
    tiltwise: Command, tmp_path: Path
) -> None:
    t_s, acc, gyr = leaning()
    path = save(tmp_path / "down.csv", t_s, -acc, gyr)
    assert "upside down" in " ".join(tiltwise("analyze", path, "--neutral-up", "0,0,1").out.split())
    turned = ("--columns", "acc=-acc_x:-acc_y:-acc_z")
    assert "upside down" not in " ".join(
        tiltwise("analyze", path, "--neutral-up", "0,0,1", *turned).out.split()
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--units", "furlong"), ("--units 'furlong'", "for instance g,deg/s,ms")),
        (("--columns", "acc=a:b"), ("--columns 'acc=a:b'", "acc=X:Y:Z")),
        (("--rate", "0"), ("--rate 0", "for instance 50")),
    ],
)
def test_wrong_reading_options_are_wrong_use(
    tiltwise: Command, leant: Path, option: tuple, words: tuple
) -> None:
    assert_one_line(tiltwise("analyze", leant, *option), 2, *words)


def test_a_column_that_is_not_there_is_told(tiltwise: Command, tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", *leaning())
    assert_one_line(tiltwise("analyze", path, "--columns", "t=when"), 1, "'when'", "found 't_s', 'acc_x'")


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".parquet"])
def test_each_kind_of_file_gives_the_same_figures(tmp_path: Path, home: Path, suffix: str) -> None:
    path = save(tmp_path / f"leant{suffix}", *leaning())
    result = run(home, "analyze", path)
    assert result.code == 0
    assert result.err == ""
    assert "P90 40 deg" in result.out
