"""Shared fixtures: real recordings where there are any, a home of its own for each command, one demo for all."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from rich.console import Console

from command import Command
from offline.imu_file_samples import leaning, save
from tiltwise.app.demo import DemoOptions, demo_settings, run_demo
from tiltwise.config.settings import Settings

# As in a shell where tiltwise is installed: hints then say `tiltwise` (tests/app/test_hints.py looks at others).
os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
CHECKOUT = Path(__file__).parent.parent

settings.register_profile("tiltwise", deadline=None)  # how fast a machine is is no claim of a test
settings.load_profile("tiltwise")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `human/` and `orientation/` recordings of other people's making; skips where it is absent."""
    folder = Path(os.environ.get("TILTWISE_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / "human").is_dir():
        pytest.skip(
            f"no recordings at {folder}: set TILTWISE_DATA to the folder that holds human/ and orientation/"
        )
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for settings and data; the process works in it, in 80 columns and without a desktop."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TILTWISE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TILTWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def tiltwise(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`tiltwise` in this process, with the folder `home`."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def leant(tmp_path: Path) -> Path:
    """A file of one minute, leant forward by 40 deg from 8 to 52 s."""
    return save(tmp_path / "leant.npz", *leaning())


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tiltwise demo --minutes 4 --speed 0` leaves, and its words in `said.txt`. Read only."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    console = Console(file=io.StringIO(), width=80, markup=False, emoji=False)
    run_demo(DemoOptions(settings=demo_settings(Settings()), minutes=4, speed=0, out=folder), console)
    assert isinstance(console.file, io.StringIO)
    (folder.parent / "said.txt").write_text(console.file.getvalue(), encoding="utf-8")
    return folder
