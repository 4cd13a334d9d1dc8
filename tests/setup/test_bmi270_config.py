"""The configuration that a BMI270 needs: where it comes from, what is refused, how it gets onto the board."""

import hashlib
import importlib.util
import random
import subprocess
import sys

import pytest

from setup.setup_bench import Bench
from tiltwise.setup import bmi270_config, steps, wizard
from tiltwise.setup.plan import Do
from tiltwise.setup.setup_errors import LostError
from tiltwise.setup.wizard import Options, SetupError
from tiltwise.sim.imu.bmi270_model import STAND_IN_CONFIG, Bmi270

PLACE = "/bmi270_config.bin"
STAND_IN_SHA256 = hashlib.sha256(STAND_IN_CONFIG).hexdigest()
NOISE = random.Random(5).randbytes(8192)
COPY = f"fs cp {PLACE[1:]} :{PLACE[1:]}"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A board with a BMI270 whose firmware opens the very file that setup left on the flash."""
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 40)
    bench = Bench(tmp_path / "board", Bmi270(seed=1), 0x68)
    fitted(bench)
    monkeypatch.chdir(bench.flash)
    return bench


def fitted(bench, imus=("BMI270",), **more):
    addresses = {"BMI270": "104", "LSM6DSOX": "106"}
    named = {addresses.get(name, "105"): name for name in imus}
    bench.describe(imus=named, accepts=[STAND_IN_SHA256], **more)


@pytest.fixture
def binary(tmp_path):
    path = tmp_path / "stand_in.bin"
    path.write_bytes(STAND_IN_CONFIG)
    return path


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setattr(bmi270_config, "from_package", lambda: None)


def source(data, name="bmi270_config_file", ends=("{", "}")):
    """Numbers as a maker's source file has them, among other lists."""
    rows = ",\n".join(", ".join(f"0x{b:02x}" for b in data[k : k + 12]) for k in range(0, len(data), 12))
    return (
        f"/* {{a comment}} */ static const int other[3] = {ends[0]} 1, 2, 3 {ends[1]};\n"
        f"const uint8_t {name}[] = {ends[0]}\n{rows}\n{ends[1]};\nint f(void) {{ return x[3]; }}\n"
    )


def do(bench, options):
    return {step.do: step.said for step in wizard.run(options, bench.computer) if step.is_done}


def refused(call):
    with pytest.raises(SetupError) as failed:
        call()
    line = str(failed.value)
    assert "\n" not in line
    assert len(line) < 420
    return line


# ---- the bytes ----


def test_package_holds_boschs_bytes_and_is_read_without_being_run():
    if importlib.util.find_spec("bmi270") is None:
        pytest.skip('the extra is not installed: pip install "tiltwise[bmi270]"')
    code = (
        "import sys; from tiltwise.setup import bmi270_config; found = bmi270_config.from_package();"
        "print(found.sha256, len(found.data), found.origin, {'bmi270', 'smbus2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    sha256, size, *origin = done.stdout.split()
    assert (sha256, size) == (bmi270_config.BOSCH_SHA256, "8192")
    assert " ".join(origin).startswith("the package bmi270 0.4")
    assert done.stdout.endswith("set()\n")


def test_package_with_other_bytes_is_refused(tmp_path, monkeypatch):
    (tmp_path / "bmi270").mkdir()
    (tmp_path / "bmi270" / "__init__.py").write_text("raise ValueError('must not be run')\n")
    (tmp_path / "bmi270" / "config_file.py").write_text(source(NOISE, ends=("[", "]")))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    line = refused(bmi270_config.from_package)
    assert "holds other bytes" in line
    assert "pip install bmi270==0.4.3" in line


def test_folder_of_that_name_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "bmi270").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert bmi270_config.from_package() is None


@pytest.mark.parametrize(
    "data",
    [
        STAND_IN_CONFIG,
        source(STAND_IN_CONFIG).encode(),
        source(STAND_IN_CONFIG, ends=("[", "]")).encode(),
        "\ufeff".encode() + b"[" + b", ".join(b"%d" % b for b in STAND_IN_CONFIG) + b",\n]",
    ],
    ids=["binary", "C", "Python", "decimal with a comma at the end"],
)
def test_file_gives_its_bytes(tmp_path, data):
    path = tmp_path / "config"
    path.write_bytes(data)
    found = bmi270_config.from_file(path)
    assert found.data == STAND_IN_CONFIG
    assert not found.is_known


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "0 bytes without a list of 8192 numbers"),
        (STAND_IN_CONFIG[:-1], "8191 bytes, expected the 8192"),
        (STAND_IN_CONFIG + b"\n", "8193 bytes"),
        (b"<html>" * 100, "600 bytes without a list"),
        (source(STAND_IN_CONFIG[:328]).encode(), "without a list of 8192 numbers"),
        (source(STAND_IN_CONFIG).replace("0x00", "0x100", 1).encode(), "something else than numbers"),
        (source(STAND_IN_CONFIG).replace("0x00", "print()", 1).encode(), "something else than numbers"),
        (source(STAND_IN_CONFIG).replace("0x00", "-1", 1).encode(), "something else than numbers"),
        ((source(STAND_IN_CONFIG) + source(NOISE)).encode(), "2 lists of 8192 numbers"),
        (b"[" * 500_000 + b"{" * 500_000, "1000000 bytes"),
        (b"[" + b"9" * 3_000_000 + b"]", "without a list"),
        (bytes(4_000_001), "4000001 bytes"),
    ],
)
def test_file_that_holds_none_is_refused_in_one_line(tmp_path, data, words):
    path = tmp_path / "wrong.c"
    path.write_bytes(data)
    line = refused(lambda: wizard.plan(Options(imu_file=path)))
    assert line.startswith("--imu-file wrong.c: ")
    assert words in line
    assert line.endswith("bmi270.c of its BMI270_SensorAPI, or a .bin")


def test_file_that_cannot_be_read_is_told(tmp_path):
    assert "Is a directory" in refused(lambda: bmi270_config.from_file(tmp_path))
    assert "No such file" in refused(lambda: bmi270_config.from_file(tmp_path / "none"))


# ---- onto the board ----


def test_bmi270_gets_its_file_and_streams_with_it(bench, binary):
    said = do(bench, Options(imu_file=binary))
    assert bench.tree()[PLACE] == STAND_IN_CONFIG
    assert said[Do.IMU] == "BMI270 at 0x68; it starts with stand_in.bin"
    assert "0 frames lost" in said[Do.STREAM]
    assert bench.calls().count(COPY) == 1


def test_second_run_copies_it_not_again_and_needs_no_source(bench, binary, no_package):
    do(bench, Options(imu_file=binary))
    do(bench, Options(imu_file=binary))
    said = do(bench, Options())
    assert bench.calls().count(COPY) == 1
    assert said[Do.IMU].endswith("starts with what the board already had")
    assert bench.tree()[PLACE] == STAND_IN_CONFIG


def test_torn_file_on_the_board_is_mended(bench, binary, no_package):
    (bench.flash / PLACE[1:]).write_bytes(STAND_IN_CONFIG[:4000])
    assert "needs 8 kB" in refused(lambda: do(bench, Options()))
    do(bench, Options(imu_file=binary))
    assert bench.tree()[PLACE] == STAND_IN_CONFIG


def test_interrupted_copy_is_continued_by_the_same_command(bench, binary):
    do(bench, Options(imu_file=binary))
    (bench.flash / PLACE[1:]).unlink()
    number = len(bench.calls())
    do(bench, Options(imu_file=binary))
    at = bench.calls()[number:].index(COPY)
    (bench.flash / PLACE[1:]).unlink()
    fitted(bench, fail={str(len(bench.calls()) + at): "unplug"})
    with pytest.raises(LostError):
        do(bench, Options(imu_file=binary))
    assert len(bench.tree()[PLACE]) == 4096
    assert "/main.py" not in bench.tree()
    fitted(bench)
    do(bench, Options(imu_file=binary))
    assert bench.tree()[PLACE] == STAND_IN_CONFIG


def test_damaged_copy_is_told(bench, binary):
    do(bench, Options(imu_file=binary))
    (bench.flash / PLACE[1:]).unlink()
    calls = len(bench.calls())
    fitted(bench, fail={str(calls + k): "damage" for k in range(30)})
    assert "bmi270_config.bin arrived damaged" in refused(lambda: do(bench, Options(imu_file=binary)))


def test_without_package_and_file_both_ways_are_named(bench, no_package):
    line = refused(lambda: do(bench, Options()))
    assert "the BMI270 at 0x68 needs 8 kB of configuration from its maker Bosch" in line
    assert "pip install bmi270" in line
    assert "--imu-file" in line
    assert "/main.py" not in bench.tree()


def test_bytes_that_the_part_refuses_are_told(bench, tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(NOISE)
    said = []
    with pytest.raises(SetupError) as failed:
        said.extend(step.said for step in wizard.run(Options(imu_file=other), bench.computer))
    line = str(failed.value)
    assert (
        "the BMI270 at 0x68 does not start with other.bin: BMI270 does not accept bmi270_config.bin;" in line
    )
    assert "name another file with --imu-file" in line
    assert "/main.py" not in bench.tree()


def test_version_that_is_not_known_is_said(bench, binary):
    lines = [step.said for step in wizard.run(Options(imu_file=binary), bench.computer)]
    expected = f"stand_in.bin: unknown version (SHA-256 {STAND_IN_SHA256[:8]}...)"
    assert any(line.startswith(expected) for line in lines)


def test_another_part_gets_nothing(tmp_path, binary, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 40)
    bench = Bench(tmp_path / "lsm")
    said = do(bench, Options(imu_file=binary))
    assert said[Do.IMU] == "LSM6DSOX at 0x6a; --imu-file is for a BMI270 and was not needed"
    assert PLACE not in bench.tree()


def test_two_parts_and_strangers_are_named(bench, binary):
    fitted(bench, ["LSM6DSOX", "BMI270"])
    said = do(bench, Options(imu_file=binary))
    assert said[Do.IMU].startswith("LSM6DSOX at 0x6a, BMI270 at 0x68; it starts")


def test_part_that_nobody_knows_and_none_at_all_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 40)
    bench = Bench(tmp_path / "odd")
    bench.describe(imus={"105": "?part at 0x69 says WHO_AM_I 0x12"})
    assert do(bench, Options())[Do.IMU] == "part at 0x69 says WHO_AM_I 0x12"
    bench.describe(imus={})
    assert do(bench, Options())[Do.IMU].startswith("none answers yet: look at 3V3")


def test_plan_says_where_it_would_come_from(binary, no_package):
    def row(**options):
        return next(step.will for step in wizard.plan(Options(**options)) if step.do is Do.IMU)

    assert "this computer has none" in row()
    assert "from stand_in.bin" in row(imu_file=binary)
