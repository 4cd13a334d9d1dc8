"""A file written whole: all of it or what was there before, no scraps, and the folder's entry on the disk too."""

import os
import stat
from pathlib import Path

import pytest

from tiltwise.config.atomic_file import private_folder, whole_file


def write(path: Path, data: bytes, **options: bool) -> None:
    with whole_file(path, **options) as file:
        file.write(data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for data in (b"first, longer", b"second"):
        write(tmp_path / "a.json", data)
        assert (tmp_path / "a.json").read_bytes() == data
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("no JSON"), KeyboardInterrupt()]
)
def test_what_fails_while_it_is_written_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.json"
    write(path, b"old")

    def fail() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]
    if isinstance(error, OSError):
        assert (caught.value.errno, caught.value.filename) == (28, str(path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        write(tmp_path / "gone" / "a.json", b"")
    assert caught.value.filename == str(tmp_path / "gone" / "a.json")


@pytest.mark.skipif(os.name != "posix", reason="Windows opens no folders to force their entries out")
def test_the_file_reaches_the_disk_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    write(tmp_path / "a.json", b"x")
    assert done == ["file", "name", "folder"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_only_a_private_file_is_kept_from_others(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write(tmp_path / "keys", b"", is_private=True)
        write(tmp_path / "table", b"")
    finally:
        os.umask(old)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("keys", "table")]
    assert modes == [0o600, 0o644]


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps other permissions")
def test_a_private_folder_and_what_was_missing_above_it_are_their_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert private_folder(tmp_path / "home" / "people" / "ann") == tmp_path / "home" / "people" / "ann"
    private_folder(tmp_path / "home")  # is there
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, *sorted(tmp_path.rglob("*")))]
    assert modes == [0o755, 0o700, 0o700, 0o700]
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file" / "below")
