"""Where tiltwise keeps its files: settings, profiles, the store, recordings.

`TILTWISE_HOME` puts everything into one folder; without it the platform's usual folders are used.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import platformdirs

from tiltwise.text import safe_name

PEOPLE = "people"  # folder with a store for each named person


def _home(platform_folder: str) -> Path:
    own = os.environ.get("TILTWISE_HOME")
    return Path(own) if own else Path(platform_folder)


def settings_file() -> Path:
    """Return the TOML file of settings, which need not exist."""
    return _home(platformdirs.user_config_dir("tiltwise", appauthor=False)) / "settings.toml"


def exercises_file() -> Path:
    """Return the TOML file of a person's own exercises and programmes, which need not exist."""
    return settings_file().with_name("exercises.toml")


def simulated_in(folder: Path) -> Path:
    """Return where in a data folder the store of `sim:` and `replay:` is, apart from the wearer's own days."""
    return folder / "simulated"


def person_folder(folder: Path, person: str | None) -> Path:
    """Return where a person's days are kept in a data folder: a store of their own, with a writer of its own.

    Those of nobody in particular are in the folder itself.
    """
    return folder if person is None else folder / PEOPLE / safe_name(person)


def runtime_folder() -> Path:
    """Return the folder for what lasts as long as a program runs; its path is short."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without a login session there is none, and the one in /tmp will do
        return Path(platformdirs.user_runtime_dir("tiltwise", appauthor=False))


def data_folder() -> Path:
    """Return the folder of the store, the profiles and the recordings, which need not exist."""
    return _home(platformdirs.user_data_dir("tiltwise", appauthor=False))
