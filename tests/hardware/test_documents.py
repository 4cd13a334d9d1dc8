"""The hardware's pages: links lead somewhere, every step has its picture, versions and licences agree."""

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from hardware import soldering, wearing

HARDWARE = Path(__file__).parents[2] / "hardware"
PAGES = sorted(path for path in HARDWARE.rglob("*.md") if ".venv" not in path.parts)
STEPS = ("Choose", "Order", "Print", "Assemble", "Flash", "Wear", "Calibrate", "Care", "Troubleshoot")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_step_is_there_in_order_and_has_a_picture():
    text = (HARDWARE / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"^## \d+\. ", text, flags=re.MULTILINE)[1:]
    assert [section.split("\n", 1)[0].strip() for section in sections] == list(STEPS)
    for step, section in zip(STEPS, sections, strict=True):
        assert re.search(r"!\[[^\]]+\]\((pictures|wiring)/", section), step


def test_page_says_that_nothing_was_built():
    text = (HARDWARE / "README.md").read_text(encoding="utf-8")
    assert "Nobody has built" in text
    assert "model, not measured" in text


def test_manifest_names_files_that_exist_and_the_licence_of_each_part():
    manifest = tomllib.loads((HARDWARE / "okh.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((HARDWARE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["okhv"] == "OKH-LOSHv1.0"
    assert manifest["version"] == project["version"]
    assert manifest["license"]["hardware"] in (HARDWARE / "LICENSE").read_text(encoding="utf-8")
    assert manifest["license"]["software"] == project["license"]
    for key in ("readme", "bom", "manufacturing-instructions", "user-manual", "image"):
        assert (HARDWARE / manifest[key]).exists(), key
    for part in manifest["part"]:
        assert (HARDWARE / part["source"]).exists()
        assert part["license"] == manifest["license"]["hardware"]


def test_changelog_has_the_version():
    manifest = tomllib.loads((HARDWARE / "okh.toml").read_text(encoding="utf-8"))
    assert f"## {manifest['version']}" in (HARDWARE / "CHANGELOG.md").read_text(encoding="utf-8")


def test_wearing_drawing_is_the_one_the_code_draws():
    assert wearing.OUT.read_text(encoding="utf-8") == wearing.drawing()
    ElementTree.fromstring(wearing.drawing())


def test_wearing_drawing_shows_the_three_places_of_the_product():
    from tiltwise.types import Mount

    assert {place for place, _, _ in wearing.PLACES} == {mount.value for mount in Mount}


@pytest.mark.parametrize("build", soldering.BUILDS)
def test_soldering_drawing_is_the_one_the_code_draws_and_has_every_wire_of_the_board(build):
    drawn = soldering.drawing(build)
    assert (HARDWARE / f"pictures/soldering_{build}.svg").read_text(encoding="utf-8") == drawn
    words = [element.text or "" for element in ElementTree.fromstring(drawn).iter()]
    for start, end, _ in soldering.wires(build):
        for pad, other in ((start, end), (end, start)):
            if pad.startswith("U1.") and "BAT" not in pad:
                assert pad.removeprefix("U1.") in soldering.LEFT + soldering.RIGHT
                assert any(other.replace(".", " ") in line for line in words), (pad, other)


def test_two_sensor_build_has_the_wires_of_esp32s3_on_its_board():
    ends = {build: soldering.wires(build) for build in ("two_sensor", "esp32s3")}
    on_board = {build: sorted(w[:2] for w in found if "U1." in w[0] + w[1]) for build, found in ends.items()}
    assert on_board["two_sensor"] == on_board["esp32s3"]


def test_every_picture_is_in_the_page():
    text = (HARDWARE / "README.md").read_text(encoding="utf-8")
    for picture in sorted((HARDWARE / "pictures").iterdir()):
        assert f"pictures/{picture.name}" in text, picture.name
