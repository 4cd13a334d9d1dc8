"""Where tiltwise keeps its files: settings, profiles, the store, recordings.

`TILTWISE_HOME` puts everything into one folder; without it the platform's usual folders are used.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs


def _home(platform_folder: str) -> Path:
    own = os.environ.get("TILTWISE_HOME")
    return Path(own) if own else Path(platform_folder)


def settings_file() -> Path:
    """Return the TOML file of settings, which need not exist."""
    return _home(platformdirs.user_config_dir("tiltwise", appauthor=False)) / "settings.toml"


def data_folder() -> Path:
    """Return the folder of the store, the profiles and the recordings, which need not exist."""
    return _home(platformdirs.user_data_dir("tiltwise", appauthor=False))


def safe_name(text: str) -> str:
    """Return a device name as a file name: letters, digits, dot, dash and underscore, at most 60 of them."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:60] or "device"


def printable(text: str, limit: int = 80) -> str:
    """Return text of foreign origin without control or direction characters, fit for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
