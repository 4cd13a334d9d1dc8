"""Text from outside made safe: for a file's name, and for a terminal."""

from __future__ import annotations

import re


def safe_name(text: str) -> str:
    """Return a device name as a file name: letters, digits, dot, dash and underscore, at most 60 of them."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:60] or "device"


def printable(text: str, limit: int = 80) -> str:
    """Return text of foreign origin without control or direction characters, fit for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
