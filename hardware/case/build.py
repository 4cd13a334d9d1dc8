"""Write what `make hardware` makes of the cases: STL and STEP into build/, pictures into pictures/.

python -m hardware.case.build [NAME ...]     only the pictures named, without the files for printers
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from build123d import export_step
from PIL import Image, ImageDraw, ImageFont

from . import catalogue, raster
from .views import views

HARDWARE = Path(__file__).parents[1]
BUILD = HARDWARE / "build"
PICTURES = HARDWARE / "pictures"
SHIPPED = HARDWARE / "stl"  # of the first build, in the repository, so that a stranger can print without CAD
COLOURS = 96
FONT_PX = 26


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
            drawn = raster.picture(view.meshes, camera, *view.size)
            image = _labelled(drawn, view.labels).quantize(COLOURS)
            image.save(PICTURES / f"{view.name}.png", optimize=True)
            print(f"  pictures/{view.name}.png", flush=True)


def _labelled(drawn: raster.Picture, labels: dict[str, str]) -> Image.Image:
    """Return the picture with its words in a column at the right, a line from each to its part."""
    image = Image.fromarray((drawn.pixels * 255).astype(np.uint8))
    shown = sorted((drawn.spots[name], words) for name, words in labels.items() if name in drawn.spots)
    if not shown:
        return image
    font = ImageFont.load_default(FONT_PX)
    column = max(int(font.getlength(words)) for _, words in shown) + 3 * FONT_PX
    wide = Image.new("RGB", (image.width + column, image.height), "white")
    wide.paste(image)
    draw, left = ImageDraw.Draw(wide), image.width + FONT_PX
    y = -np.inf
    for (x, spot_y), words in sorted(shown, key=lambda row: row[0][1]):
        y = max(float(spot_y), y + 1.6 * FONT_PX)  # words one below the other
        draw.line((x, spot_y, left - 8, y), fill="#202020", width=2)
        draw.ellipse((x - 5, spot_y - 5, x + 5, spot_y + 5), fill="#202020", outline="white")
        draw.text((left, y), words, fill="#202020", font=font, anchor="lm")
    return wide


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write_solids()
    write_pictures(sys.argv[1:])
