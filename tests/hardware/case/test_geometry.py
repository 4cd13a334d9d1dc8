"""Cases and holders by their geometry: fit, walls, print, snaps, soft edges, mass (`make hardware` runs them)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "build123d", reason="CAD is not installed here: `make hardware` runs these in hardware/.venv"
)

from build123d import Pos
from hardware.case.design import (
    CABLE_MM,
    FIT_MM,
    RAIL_MM,
    RIDGE_MM,
    RIM_MM,
    SKIN_RADIUS_MM,
    SNAP_MM,
    WALL_MIN_MM,
    designs,
)

from hardware import wearing
from hardware.case import catalogue, checks, holders, meshes, shell

PARTS = [
    f"{d}-{p}"
    for d in ("zero_wire", "esp32s3", "pod")
    for p in ("base", "lid", "clip", "neck_band", "head_band")
]
PARTS.append("esp32s3-deck")
HARDWARE = Path(__file__).parents[3] / "hardware"
CASES = ["zero_wire", "esp32s3", "pod"]
TESSELLATION_MM = 0.03  # a chord of a rounding is that much nearer than the rounding
RESTS_ON = {("base", "BT1"), ("base", "U1"), ("base", "U3"), ("deck", "U1"), ("deck", "U2")}


def design_of(name):
    return next(design for design in designs() if design.name == name)


def test_the_list_of_parts_is_complete():
    assert sorted(item.name for item in catalogue.everything()) == sorted(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_part_is_one_watertight_solid(name):
    item, surface = catalogue.named(name), catalogue.surface(name)
    assert item.part.is_valid
    assert len(item.part.solids()) == 1
    assert surface.is_watertight
    assert surface.is_winding_consistent
    assert surface.volume == pytest.approx(
        item.part.volume, rel=0.03
    )  # chords of a hollow lie in front of it


@pytest.mark.parametrize("name", PARTS)
def test_walls_are_thick_enough(name):
    least, where = checks.thinnest_wall(catalogue.surface(name))
    assert least >= WALL_MIN_MM - TESSELLATION_MM, f"{least:.2f} mm at {np.round(where, 1)}"


def test_limits_are_those_that_were_asked_for():
    assert WALL_MIN_MM >= 1.2
    assert SKIN_RADIUS_MM >= 2.0


def test_walls_behind_grooves_are_thick_enough():
    assert RAIL_MM - (SNAP_MM + FIT_MM) >= WALL_MIN_MM
    assert holders.ARM_MM - (RIDGE_MM + FIT_MM / 2) >= WALL_MIN_MM


def test_the_wall_check_finds_a_thin_wall():
    assert checks.thinnest_wall(meshes.mesh(shell.box(10, 10, 0.9)))[0] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("name", CASES)
def test_nothing_collides_and_everything_has_room(name):
    for pair in checks.clearances(design_of(name), catalogue.case_of(name)):
        assert pair.overlap == pytest.approx(0, abs=1e-6), pair
        if (pair.first, pair.second) not in RESTS_ON:
            assert pair.distance >= 0.1 - 1e-9, pair


@pytest.mark.parametrize("name", CASES)
def test_a_swollen_cell_still_fits(name):
    design = design_of(name)
    for place in design.placements:
        if place.component.name == "BT1":
            grown = Pos(0, 0, 0.45) * place.solid
            others = [*catalogue.case_of(name).values()]
            others += [other.solid for other in design.placements if other is not place]
            assert all(checks.overlap(grown, other) == pytest.approx(0, abs=1e-6) for other in others)


@pytest.mark.parametrize("name", CASES)
def test_printed_parts_of_a_closed_case_do_not_overlap(name):
    parts = list(catalogue.case_of(name).values())
    for index, first in enumerate(parts):
        for second in parts[:index]:
            assert checks.overlap(first, second) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_lid_comes_off_against_the_snaps_only(name):
    parts = catalogue.case_of(name)
    for lift in (0.3, 0.9, 2.0, 4.0, 8.0):
        common = (Pos(0, 0, lift) * parts["lid"]) & parts["base"]
        for solid in common.solids() if common is not None else []:
            assert design_of(name).snap_mm + 0.01 >= solid.bounding_box().size.Y, f"lifted by {lift} mm"


def test_board_goes_straight_into_the_lid_of_the_zero_wire_case_and_the_base_keeps_it_there():
    lid = catalogue.case_of("zero_wire")["lid"]
    board = next(p.solid for p in design_of("zero_wire").placements if p.component.name == "U1")
    for z in (-0.5, -1.5, -3.0, -6.0, -10.0):
        assert checks.overlap(Pos(0, 0, z) * board, lid) == pytest.approx(0, abs=1e-6), z
    base = catalogue.case_of("zero_wire")["base"]
    assert checks.overlap(Pos(0, 0, -0.5) * board, base) > 1.0


@pytest.mark.parametrize("name", [part for part in PARTS if "clip" in part or "band" in part])
def test_holder_grips_its_case_without_overlap(name):
    item = catalogue.named(name)
    for part in catalogue.case_of(item.design.name).values():
        assert checks.overlap(item.part, part) == pytest.approx(0, abs=1e-6)
    lifted = [Pos(0, 0, 0.6) * part for part in catalogue.case_of(item.design.name).values()]
    held = sum(checks.overlap(item.part, part) for part in lifted)
    assert held > 1.0, "the ridges do not hold the case"


@pytest.mark.parametrize("name", CASES)
def test_snaps_bend_the_plastic_within_reason(name):
    shared, worst = checks.snap_strain(design_of(name))
    assert 0 < shared < 0.025
    assert shared < worst < 0.07  # more than a ductile plastic gives without whitening
    assert 0.1 <= checks.snap_play() <= 0.2


def test_the_page_states_the_sizes_and_masses_that_come_out():
    text = (HARDWARE / "README.md").read_text(encoding="utf-8")
    zero = design_of("zero_wire")
    assert " x ".join(f"{side:.1f}" for side in zero.outer) + " mm" in text
    assert f"| {checks.total_mass_g(zero, catalogue.case_of('zero_wire')):.1f} g |" in text
    for name in ("zero_wire", "esp32s3"):
        design = design_of(name)
        mass = checks.total_mass_g(design, catalogue.case_of(name))
        length, width, height = (f"{side:.0f}" for side in design.outer)
        assert f"{mass:.0f} g, {length} x {width} x {height} mm" in text


def test_drawing_and_manifest_have_the_size_that_comes_out():
    length, width, height = zero = tuple(round(side, 1) for side in design_of("zero_wire").outer)
    assert (width, length, height) == wearing.CASE_MM
    manifest = tomllib.loads((HARDWARE / "okh.toml").read_text(encoding="utf-8"))
    size = manifest["outer-dimensions"]
    assert [size["depth"], size["width"], size["height"]] == [round(side) for side in zero]
    mass = checks.total_mass_g(design_of("zero_wire"), catalogue.case_of("zero_wire"))
    assert manifest["mass"]["value"] == pytest.approx(mass, abs=0.05)


@pytest.mark.parametrize("name", ["zero_wire", "pod"])
def test_board_stands_on_all_four_feet_and_the_lid_holds_all_four_corners(name):
    """A foot that the rounded corner of the board misses is none."""
    parts = catalogue.case_of(name)
    board = next(p.solid for p in design_of(name).placements if p.component.name in ("U1", "U3"))
    for part, shift in ((parts["base"], -0.05), (parts["lid"], 0.15)):
        touched = (Pos(0, 0, shift) * board) & part
        solids = [] if touched is None else touched.solids()
        areas = sorted(solid.volume / 0.05 for solid in solids)
        assert len(areas) == 4, areas
        assert areas[0] > 0.8, "mm2"


@pytest.mark.parametrize("name", [part for part in PARTS if not part.endswith(("lid", "deck"))])
def test_edges_towards_the_skin_are_round(name):
    item = catalogue.named(name)
    assert len(checks.sharp_edges(catalogue.surface(name), item.is_skin)) == 0
    assert checks.least_radius(item.part, item.is_skin) >= SKIN_RADIUS_MM - 1e-6


def test_the_edge_check_finds_a_sharp_edge():
    assert len(checks.sharp_edges(meshes.mesh(shell.box(10, 10, 5)), lambda points: points[:, 2] < 1)) > 0


@pytest.mark.parametrize("name", PARTS)
def test_part_prints_without_support_or_names_it(name):
    item = catalogue.named(name)
    if item.supports.startswith("none"):
        hangs = checks.overhang_mm2(catalogue.surface(name), item.up, above_mm=checks.ROUNDED_MM)
        assert hangs < 60, "bridges over the socket and the cable only"
    else:
        assert checks.overhang_mm2(catalogue.surface(name), item.up) > 60, (
            "names a support that it does not need"
        )


@pytest.mark.parametrize("name", CASES)
def test_mass_sits_in_the_middle_and_not_above_it(name):
    design, parts = design_of(name), catalogue.case_of(name)
    x, y, z = checks.centre_of_mass(design, parts)
    assert abs(x) < 2.0
    assert abs(y) < 1.5
    assert z < design.outer[2] / 2 + 0.2  # mm: board over cell, and the board weighs nearly as much


@pytest.mark.parametrize(("name", "most_g"), [("zero_wire", 12.0), ("esp32s3", 27.6), ("pod", 5.6)])
def test_mass_stays_as_reported(name, most_g):
    assert checks.total_mass_g(design_of(name), catalogue.case_of(name)) <= most_g


def test_socket_in_the_open_roof_stands_out_nowhere():
    design = design_of("zero_wire")
    board = next(place.solid for place in design.placements if place.component.name == "U1").bounding_box()
    length, _, height = design.outer
    front, top = board.max.X, board.max.Z
    assert top > design.roof_z, "the roof would not have to be open"
    assert top < height
    assert front <= length / 2 + 1e-6


@pytest.mark.parametrize("name", ["esp32s3", "pod"])
def test_cable_gets_out_of_case_and_clip(name):
    design = design_of(name)
    width, height = CABLE_MM
    cable = Pos(-design.half_x - 3.0, 0, RIM_MM + 0.1) * shell.box(12.0, width - 0.2, height - 0.2)
    for part in (catalogue.case_of(name)["lid"], catalogue.named(f"{name}-clip").part):
        assert checks.overlap(cable, part) == pytest.approx(0, abs=1e-6)
