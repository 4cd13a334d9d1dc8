"""Loads matplotlib for a command that draws one picture and ends.

matplotlib writes the help text of each of its hundred kinds of artists while it is loaded, in a quarter of that time.
Only help() shows them: here they stay empty. Whoever imports `tiltwise.plots` gets matplotlib as it is.
"""

from __future__ import annotations

from importlib import import_module

from matplotlib import artist


def load_without_help() -> None:
    """Load what pictures need; what is loaded already stays as it is."""
    write = artist.kwdoc
    artist.kwdoc = lambda artist: ""  # noqa: ARG005 as it is called
    try:
        import_module("matplotlib.figure")
    finally:
        artist.kwdoc = write
