"""Two files with the same lines: what each leaves of what a kill, damage or a cut takes from the other."""

import os
from pathlib import Path

import pytest

from tiltwise.store.acknowledged.twin_log import TwinLog

NAMES = ("a.log", "b.log")


def written(folder: Path, n: int = 5) -> tuple[Path, Path]:
    """Return two files that were begun with one line and have n more."""
    first, second = (folder / name for name in NAMES)
    log = TwinLog([first, second])
    assert log.is_new
    log.rewrite([["zero"]])
    for k in range(n):
        log.put(["line", k])
        log.flush()
    log.close()
    return first, second


def read(folder: Path) -> TwinLog:
    return TwinLog([folder / name for name in NAMES])


def expected(n: int = 5) -> list[list[object]]:
    return [["begun", 1], ["zero"], *(["line", k] for k in range(n))]


def test_what_was_written_is_read_and_nothing_is_to_be_done(tmp_path: Path) -> None:
    written(tmp_path)
    log = read(tmp_path)
    assert log.lines == expected()
    assert (log.missing, log.is_in_doubt, log.mended, log.is_rewrite_due) == (0, False, [], False)


@pytest.mark.parametrize("which", [0, 1])
def test_a_kill_within_a_line_costs_no_line_and_is_no_damage(tmp_path: Path, which: int) -> None:
    path = written(tmp_path)[which]
    path.write_bytes(path.read_bytes()[:-7])
    log = read(tmp_path)
    assert log.lines == expected()
    assert (log.missing, log.is_in_doubt, log.mended) == (0, False, [])
    assert log.is_rewrite_due, "a line behind half a line would be lost"


@pytest.mark.parametrize("which", [0, 1])
def test_damage_of_one_file_is_made_good_by_the_other(tmp_path: Path, which: int) -> None:
    path = written(tmp_path)[which]
    data = bytearray(path.read_bytes())
    data[30:90] = bytes(60)
    path.write_bytes(data)
    log = read(tmp_path)
    assert log.lines == expected()
    assert (log.missing, log.is_in_doubt, log.mended) == (0, False, [NAMES[which]])


@pytest.mark.parametrize("tail", [b"\0\0\0\0", b"zz torn", b"", None])
def test_a_file_that_ends_in_what_is_no_line_or_is_empty_is_damaged(
    tmp_path: Path, tail: bytes | None
) -> None:
    """A kill leaves the beginning of a line, nothing else."""
    first, _ = written(tmp_path)
    whole = first.read_bytes()
    first.write_bytes(b"" if tail is None else whole + tail)
    log = read(tmp_path)
    assert log.lines == expected()
    assert log.mended == ([NAMES[0]] if tail is None else [])
    assert log.is_in_doubt is bool(tail), "it is longer than the other, which may have lost what stood there"


def test_damage_of_both_files_in_different_lines_costs_none(tmp_path: Path) -> None:
    for path, mark in zip(written(tmp_path), (b"zero", b'"line",3'), strict=True):
        path.write_bytes(path.read_bytes().replace(mark, bytes(len(mark))))
    log = read(tmp_path)
    assert log.lines == expected()
    assert log.missing == 0
    assert log.is_in_doubt, "both may have ended later"


def test_a_line_that_neither_file_says_is_counted(tmp_path: Path) -> None:
    for path in written(tmp_path):
        path.write_bytes(path.read_bytes().replace(b'"line",3', b'"lime",3'))
    log = read(tmp_path)
    assert log.missing == 1
    assert ["line", 4] in log.lines


def test_both_files_cut_within_a_line_leave_doubt(tmp_path: Path) -> None:
    for path, cut in zip(written(tmp_path), (9, 50), strict=True):
        path.write_bytes(path.read_bytes()[:-cut])
    assert read(tmp_path).is_in_doubt


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_was_deleted_leaves_doubt_only_where_lines_had_been_added(
    tmp_path: Path, which: int
) -> None:
    for n, is_in_doubt in ((0, False), (3, True)):
        folder = tmp_path / str(n)
        folder.mkdir()
        written(folder, n)[which].unlink()
        log = read(folder)
        assert (log.lines, log.is_in_doubt, log.is_rewrite_due) == (expected(n), is_in_doubt, True)


def test_a_kill_between_the_two_rewrites_leaves_what_was_written_last(tmp_path: Path) -> None:
    _, second = written(tmp_path)
    old = second.read_bytes()
    log = read(tmp_path)
    log.rewrite([["now"]])
    second.write_bytes(old)
    log = read(tmp_path)
    assert log.lines == [["begun", 1], ["now"]]
    assert (log.missing, log.is_in_doubt, log.mended, log.is_rewrite_due) == (0, False, [], True)


def test_a_line_that_was_refused_is_written_later_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    log = read(tmp_path)
    log.put(["late"])
    real = os.write

    def short(file: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", refused)
        return real(file, data[:5])

    def refused(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="space"):
        log.flush()
    monkeypatch.setattr(os, "write", real)
    log.flush()
    log.close()
    assert read(tmp_path).lines == [*expected(), ["late"]]
