"""Shared fixtures: where the real recordings are, when there are any."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `human/` and `orientation/` recordings of other people's making; skips where it is absent."""
    folder = Path(os.environ.get("TILTWISE_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / "human").is_dir():
        pytest.skip(
            f"no recordings at {folder}: set TILTWISE_DATA to the folder that holds human/ and orientation/"
        )
    return folder
