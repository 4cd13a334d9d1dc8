"""A run of `tiltwise watch` in a terminal of 80 columns -> docs/watch.gif, the moving picture of the README.

The command runs whole, in a pseudo-terminal (Linux, macOS); pyte turns its bytes into screens, as a terminal does.
The picture's comment keeps a digest of the modules that print what is seen, so that a test can tell a stale picture
without running the command again and without comparing pixels, which differ from one font to the next.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyte
from matplotlib import font_manager
from PIL import Image, ImageColor, ImageDraw, ImageFont

WATCH = "docs/watch.gif"
COMMAND = ("watch", "sim:slouch?minutes=16&speed=0", "--no-store")
_SEEN_IN = ("app/watch_view.py", "app/workday/live_panel.py", "live/event_text.py", "console.py")
_COLUMNS, _ROWS = 80, 22
_FRAMES, _FRAME_MS, _LAST_MS = 32, 500, 5000
_FONT_PX = 13
_INKS = {"default": "#d8dee9", "red": "#ff8f80", "green": "#8fd6a0", "brown": "#e6c06a", "cyan": "#7fd0e0"}
_BACK = "#16181d"

Screen = list[list[tuple[str, str]]]  # rows of (character, colour)


def source_digest(host: Path) -> str:
    """Return a digest of the modules that print what the picture shows; the picture is stale when it differs."""
    seen = b"".join((host / "tiltwise" / name).read_bytes() for name in _SEEN_IN)
    return hashlib.sha256(" ".join(COMMAND).encode() + seen).hexdigest()


def watch_screens() -> list[Screen]:
    """Return the screens that a terminal shows while the command runs, the last one included."""
    screen = pyte.Screen(_COLUMNS, _ROWS)
    stream = pyte.ByteStream(screen)
    screens: list[Screen] = []
    for said in _said_in_terminal():
        stream.feed(said)
        rows = [[(char.data, char.fg) for _, char in sorted(screen.buffer[y].items())] for y in range(_ROWS)]
        if not screens or rows != screens[-1]:
            screens.append(rows)
    return screens


def write_watch_picture(path: Path, screens: list[Screen], digest: str) -> None:
    """Draw screens, evenly chosen, into an animated .gif that names the sources it was made from."""
    chosen = np.unique(np.linspace(0, len(screens) - 1, _FRAMES).astype(int))
    frames = [_drawn(screens[n]) for n in chosen]
    lasts_ms = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=lasts_ms, loop=0, comment=digest)


def _said_in_terminal() -> list[bytes]:
    """Run the command with a terminal of its own; return what it wrote, write by write."""
    import pty  # not on Windows, where the other pages can still be made

    ours, theirs = pty.openpty()
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "TERM": "xterm",
            "COLUMNS": str(_COLUMNS),
            "LINES": str(_ROWS),
        }
        run = subprocess.Popen(
            [sys.executable, "-m", "tiltwise", *COMMAND],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
        )
        os.close(theirs)
        said = []
        try:
            while chunk := os.read(ours, 65536):
                said.append(chunk)
        except OSError:  # Linux ends the reading of a terminal so, when nobody holds its other side
            os.close(ours)
        if run.wait():
            raise RuntimeError(f"tiltwise {' '.join(COMMAND)} ended with {run.returncode}: {said[-1:]}")
    return said


def _drawn(rows: Screen) -> Image.Image:
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), _FONT_PX)
    width, height = round(font.getlength("m")), _FONT_PX + 5
    picture = Image.new("RGB", (width * _COLUMNS + 16, height * _ROWS + 16), _BACK)
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        for x, (char, colour) in enumerate(row):
            if char != " ":
                draw.text((8 + x * width, 8 + y * height), char, _INKS.get(colour, _INKS["default"]), font)
    return picture.quantize(palette=_palette(), dither=Image.Dither.NONE)


def _palette() -> Image.Image:
    """Return one palette for all frames: each ink in steps down to the background, for the edges of letters."""
    back = np.array(ImageColor.getrgb(_BACK))
    steps = [
        back + share * (np.array(ImageColor.getrgb(ink)) - back)
        for ink in _INKS.values()
        for share in np.linspace(0, 1, 8)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.round(steps).astype(np.uint8).tobytes())
    return palette
