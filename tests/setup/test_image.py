"""`tiltwise setup --image`: what is frozen or goes into a ROM partition is all there and listed."""

import os
from pathlib import Path

import pytest

from setup.setup_bench import CachingTools
from tiltwise.firmware_build.image_files import digest
from tiltwise.firmware_build.locate import board_sources, firmware_dir
from tiltwise.setup.image import write_image
from tiltwise.setup.setup_errors import SetupError


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "new"
    return folder, write_image(folder, CachingTools())


def frozen_by(manifest):
    """What a build would freeze: target -> file; it runs the manifest in its own folder, with these names."""
    found, included = {}, []

    def package(name, files, base_path=".", opt=None):
        assert opt == 3
        for file in files:
            path = Path(base_path, name, file)
            assert path.is_file(), path
            found[f"{name}/{file}"] = path.resolve()

    before = Path.cwd()
    os.chdir(manifest.parent)
    try:
        exec(manifest.read_text(encoding="utf-8"), {"package": package, "include": included.append})
    finally:
        os.chdir(before)
    assert included == ["$(PORT_DIR)/boards/manifest.py", "$(MPY_DIR)/extmod/asyncio"]
    return found


def test_manifest_freezes_all_of_the_firmware_as_it_is_compiled(image):
    folder, _ = image
    found = frozen_by(folder / "firmware" / "manifest.py")
    sources = {place: text for place, text in board_sources().items() if place != "../main.py"}
    assert set(found) == {*sources, "firmware/built.py"}
    assert all(found[place].read_text(encoding="utf-8") == text for place, text in sources.items())


def test_manifest_of_a_checkout_freezes_every_module_too():
    found = set(frozen_by(firmware_dir() / "manifest.py"))
    assert {place for place in board_sources() if place != "../main.py"} <= found
    assert not {"firmware/main.py", "firmware/manifest.py", "tiltwise/common/frame.py"} & found


def test_image_says_which_sources_it_holds(image):
    folder, _ = image
    assert (folder / "firmware" / "built.py").read_text() == f'SHA256 = "{digest()}"\n'
    assert (folder / "rom" / "lib" / "firmware" / "built.py").read_text() == f'SHA256 = "{digest()}"\n'


def test_rom_holds_every_module_compiled(image):
    folder, _ = image
    rom = {path.relative_to(folder / "rom").as_posix() for path in (folder / "rom").rglob("*.mpy")}
    assert rom == {f"lib/{place[:-3]}.mpy" for place in board_sources() if place != "../main.py"}


def test_zephyr_build_is_told_where_the_manifest_is(image):
    folder, said = image
    conf = folder / "firmware" / "zephyr" / "tiltwise.conf"
    assert f'CONFIG_MICROPY_FROZEN_MANIFEST="{folder.resolve()}/firmware/manifest.py"' in conf.read_text()
    assert "CONFIG_HARDWARE_DEVICE_CS_GENERATOR=y" in conf.read_text()
    assert str(conf.resolve()) in said
    assert max(len(line) for line in said.splitlines() if str(folder) not in line) <= 80


def test_folder_with_other_files_is_refused_and_an_earlier_image_is_not(image, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(SetupError, match="has other files in it: name an empty folder"):
        write_image(tmp_path, CachingTools())
    folder, _ = image
    assert write_image(folder, CachingTools()).startswith(f"wrote {folder}")
