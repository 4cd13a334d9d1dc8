"""The numbers of the hardware that `make hardware` prints: parts, cost, mass, size, room, meshes, hours.

None of them was measured. Geometry needs CAD (hardware/.venv); without it the rest is printed and says so.
"""

from __future__ import annotations

import importlib.util

from hardware import power
from hardware.facts import facts
from hardware.parts_list import BUILDS, cost

GOALS = {
    "zero_wire": "goal: at most 12 g with 110 to 150 mAh, 26 x 22 x 10 mm, 20 EUR",
    "esp32s3": "goal: at most 25 g with 400 mAh",
}


def costs() -> list[str]:
    """Return parts and prices of each build."""
    lines = ["parts and cost (estimates, see the date; without postage):"]
    for build in BUILDS:
        money = cost(build)
        lines.append(
            f"  {build:11s} {money.parts:2d} parts, {money.least:5.2f} {money.currency} without motor and button, "
            f"{money.full:5.2f} {money.currency} with all ({money.date})"
        )
    return lines


def sources() -> list[str]:
    """Return how many figures have a source, and which have none."""
    assumed = sorted(f"{part} {name}" for (part, name), fact in facts().items() if not fact.is_cited)
    return [
        f"figures: {len(facts())}, {len(facts()) - len(assumed)} with a source; not found and assumed:",
        "  " + ", ".join(assumed),
    ]


def geometry() -> list[str]:
    """Return sizes, masses, clearances and mesh checks of every case and holder."""
    if importlib.util.find_spec("build123d") is None:
        return ["geometry: not checked, CAD is not installed here (`make hardware` does it)"]
    from hardware.case import catalogue, checks
    from hardware.case.design import SNAP_MM, designs

    lines = ["cases (mm, g; solid PETG, masses of boards estimated):"]
    for design in designs():
        parts = catalogue.case_of(design.name)
        size = " x ".join(f"{side:.1f}" for side in design.outer)
        free = [pair for pair in checks.clearances(design, parts) if pair.distance > 1e-6]
        least = min(free, key=lambda pair: pair.distance)
        centre = " ".join(f"{side:+.1f}" for side in checks.centre_of_mass(design, parts))
        goal = f" ({GOALS[design.name]})" if design.name in GOALS else ""
        lines += [
            f"  {design.name}: {size}, {checks.total_mass_g(design, parts):.1f} g without holder{goal}",
            f"    least room {least.distance:.2f} ({least.first} to {least.second}), centre of mass {centre}",
        ]
    lines.append(
        "printed parts: name, mass, least wall (of the mesh; roundings cost 0.01), overhang, supports:"
    )
    for item in catalogue.everything():
        surface = catalogue.surface(item.name)
        wall, _ = checks.thinnest_wall(surface)
        closed = "watertight" if surface.is_watertight else "OPEN"
        low = checks.ROUNDED_MM if item.supports.startswith("none") else 0.05
        hang = checks.overhang_mm2(surface, item.up, low)
        lines.append(
            f"  {item.name:19s} {checks.mass_g(item.part):4.1f} g {wall:5.2f} mm {hang:5.0f} mm2 {closed}, "
            f"{item.supports}"
        )
    shared, worst = checks.snap_strain(designs()[0])
    lines.append(
        f"snap: {SNAP_MM} mm overlap, {checks.snap_play():.2f} mm play, "
        f"{100 * shared:.1f} % strain ({100 * worst:.1f} % if only the rail bends)"
    )
    return lines


def report() -> str:
    """Return the whole report."""
    return "\n".join([*costs(), "", *geometry(), "", power.table(), "", *sources()])


if __name__ == "__main__":
    print(report())
