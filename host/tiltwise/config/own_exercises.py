"""The catalogue with a person's own exercises and programmes: `exercises.toml` beside the settings."""

from __future__ import annotations

from pathlib import Path

from tiltwise.errors import reason_of
from tiltwise.exercise.catalogue import CATALOGUE
from tiltwise.exercise.catalogue_file import Catalogue, CatalogueError, read_catalogue


def load_catalogue(path: Path) -> Catalogue:
    """Return what ships together with what stands in a file, which need not exist.

    Raises
    ------
    CatalogueError
        The file cannot be read, or something in it is wrong: its line and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return CATALOGUE
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read ({reason_of(error)}); mend or remove it") from error
    return read_catalogue(text, str(path), CATALOGUE)
