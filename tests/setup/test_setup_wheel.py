"""What wheel, sdist and editable install hold, built for real: the firmware for setup, and where the lab is."""

import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tiltwise.firmware_build.locate import board_files

ROOT = Path(__file__).parents[2]
LOOK = """
import hashlib, json
from pathlib import Path
import tiltwise
from tiltwise.firmware_build.locate import board_files, firmware_dir, load_firmware
from tiltwise.setup.plan import Options, board_names, plan
load_firmware()
print(json.dumps({
    "folder": firmware_dir().relative_to(Path(tiltwise.__file__).parent).as_posix(),
    "files": {place: hashlib.sha256(path.read_bytes()).hexdigest() for place, path in board_files().items()},
    "boards": board_names(),
    "steps": len(plan(Options(name="my neck"))),
}))
"""


def built(call, folder):
    """Return what a PEP 517 hook of the build backend wrote into the folder."""
    pytest.importorskip("hatchling", reason="the build backend is not installed: pip install hatchling")
    code = f"import hatchling.build as backend; backend.{call}({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("tiltwise-*")
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built("build_wheel", tmp_path_factory.mktemp("wheel"))


def test_firmware_is_found_from_the_wheel_and_is_the_same(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["folder"] == "_firmware"
    here = {place: hashlib.sha256(path.read_bytes()).hexdigest() for place, path in board_files().items()}
    assert found["files"] == here
    assert {"../main.py", "tiltwise/common/auth.py", "firmware/drivers/lsm6ds.py"} <= set(here)
    assert "xiao_esp32s3" in found["boards"]
    assert found["steps"] == 13


def test_the_wheel_has_the_simulator_and_no_lab(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"tiltwise"}
    here = {path.relative_to(ROOT / "host").as_posix() for path in (ROOT / "host" / "tiltwise").rglob("*.py")}
    assert here <= set(names)
    assert "tiltwise/sim/board/simulation.py" in names, "`tiltwise demo` needs it"
    assert [name for name in names if name.endswith((".pyc", ".mpy"))] == []


def test_the_sdist_has_the_lab_and_all_that_builds_the_wheel(tmp_path):
    with tarfile.open(built("build_sdist", tmp_path)) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    lab = {path.relative_to(ROOT).as_posix() for path in (ROOT / "host" / "tiltwise_lab").rglob("*.py")}
    assert lab <= names
    assert {"pyproject.toml", "firmware/main.py", "host/tiltwise/__init__.py", "tests/conftest.py"} <= names
    assert [name for name in names if name.endswith((".pyc", ".mpy"))] == []


def test_an_editable_install_finds_the_lab(tmp_path):
    with zipfile.ZipFile(built("build_editable", tmp_path)) as archive:
        (paths,) = (name for name in archive.namelist() if name.endswith(".pth"))
        folders = archive.read(paths).decode().split()
    assert folders == [str(ROOT / "host")]
    assert (ROOT / "host" / "tiltwise_lab" / "registry.py").is_file()
