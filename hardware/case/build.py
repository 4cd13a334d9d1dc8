"""Write what `make hardware` makes of the cases: STL and STEP into build/, pictures into pictures/.

python -m hardware.case.build [NAME ...]     only the pictures named, without the files for printers
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from build123d import export_step
from PIL import Image

from . import catalogue, raster
from .views import views

HARDWARE = Path(__file__).parents[1]
BUILD = HARDWARE / "build"
PICTURES = HARDWARE / "pictures"
SHIPPED = HARDWARE / "stl"  # of the first build, in the repository, so that a stranger can print without CAD
COLOURS = 96


def write_solids() -> None:
    """Write one STL and one STEP for each printed part."""
    BUILD.mkdir(exist_ok=True)
    SHIPPED.mkdir(exist_ok=True)
    for item in catalogue.everything():
        surface = catalogue.surface(item.name)
        surface.export(BUILD / f"{item.name}.stl")
        export_step(item.part, str(BUILD / f"{item.name}.step"))
        if item.design.name == "zero_wire":
            surface.export(SHIPPED / f"{item.name}.stl")


def write_pictures(names: list[str]) -> None:
    """Write the pictures named, or all."""
    PICTURES.mkdir(exist_ok=True)
    for view in views():
        if not names or view.name in names:
            camera = raster.view(view.azimuth_deg, view.elevation_deg)
            pixels = raster.picture(view.meshes, camera, *view.size)
            image = Image.fromarray((pixels * 255).astype(np.uint8)).quantize(COLOURS)
            image.save(PICTURES / f"{view.name}.png", optimize=True)
            print(f"  pictures/{view.name}.png", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write_solids()
    write_pictures(sys.argv[1:])
