"""An installed wheel has the firmware that setup copies: built for real, looked at from another interpreter."""

import hashlib
import json
import subprocess
import sys
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="the build backend is not installed: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder,
        ".",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("tiltwise-*.whl")
    return path


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
    told = json.loads(done.stdout)
    assert told["folder"] == "_firmware"
    here = {place: hashlib.sha256(path.read_bytes()).hexdigest() for place, path in board_files().items()}
    assert told["files"] == here
    assert {"../main.py", "tiltwise/common/auth.py", "firmware/drivers/lsm6ds.py"} <= set(here)
    assert "xiao_esp32s3" in told["boards"]
    assert told["steps"] == 13


def test_wheel_brings_no_leftovers(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith((".pyc", ".mpy"))] == []
