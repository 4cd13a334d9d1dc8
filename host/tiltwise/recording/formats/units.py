"""Words for units, as files and people write them, and what each is in SI."""

from __future__ import annotations

import math

import numpy as np

from tiltwise.recording.formats.raw_table import ReadOptions
from tiltwise.types import FloatArray

GRAVITY_M_S2 = 9.80665
TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
ACCELERATIONS = {"m/s2": 1.0, "g": GRAVITY_M_S2, "mg": GRAVITY_M_S2 / 1000, "g/64": GRAVITY_M_S2 / 64}
RATES = {"rad/s": 1.0, "deg/s": math.radians(1), "mdeg/s": math.radians(1e-3)}
_WRAP = 2**32
_SAME = {
    "sec": "s", "seconds": "s", "second": "s", "msec": "ms", "milliseconds": "ms", "usec": "us", "µs": "us",
    "μs": "us", "microseconds": "us", "nanoseconds": "ns", "m/s^2": "m/s2", "m/(s^2)": "m/s2", "m/s²": "m/s2",
    "m/s/s": "m/s2", "ms-2": "m/s2", "ms^-2": "m/s2", "m*s^-2": "m/s2", "m/s**2": "m/s2", "gs": "g",
    "rad/sec": "rad/s",
    "rads/s": "rad/s", "rps": "rad/s", "radians/s": "rad/s", "dps": "deg/s", "°/s": "deg/s", "degrees/s": "deg/s",
    "deg/sec": "deg/s", "mdps": "mdeg/s",
}  # fmt: skip


def unit_of(text: str) -> str:
    """Return a unit by the name it has here; "" for a word that is none."""
    word = "".join(text.split()).lower()
    word = _SAME.get(word, word)
    return word if word in TIMES or word in ACCELERATIONS or word in RATES else ""


def in_seconds(t: FloatArray, unit: str) -> FloatArray:
    """Return times (n,) in s; microseconds of 32 bits, as radio sensors write them, go on where they wrap."""
    if unit == "us":
        t = t + float(_WRAP) * np.cumsum(np.diff(t, prepend=t[:1]) < -_WRAP / 2)
    return t * TIMES[unit]


# One column of OpenSim's tables holds all four of a quaternion.
_WIDTHS = {"t": (1,), "acc": (3,), "gyr": (3,), "quat": (1, 4)}


def parse_columns(text: str) -> dict[str, tuple[str, ...]]:
    """Read `t=NAME,acc=X:Y:Z,gyr=X:Y:Z`; names or numbers of columns, a minus before one turns it round.

    Raises
    ------
    ValueError
        With what was expected.
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        role, _, names = part.partition("=")
        columns = tuple(name.strip() for name in names.split(":"))
        if role.strip() not in _WIDTHS or len(columns) not in _WIDTHS[role.strip()] or not all(columns):
            raise ValueError(
                f"--columns {part!r}: expected t=NAME,acc=X:Y:Z,gyr=X:Y:Z or quat=W:X:Y:Z, names or numbers"
            )
        found[role.strip()] = columns
    return found


def read_options(columns: str = "", units: str = "", rate_hz: float | None = None) -> ReadOptions:
    """Return the options of a command line; `units` such as `g,deg/s,ms`, each of which can mean one role only.

    Raises
    ------
    ValueError
        With what was expected.
    """
    chosen = {}
    for word in filter(None, (piece.strip() for piece in units.split(","))):
        unit = unit_of(word)
        if not unit:
            known = " ".join((*TIMES, *ACCELERATIONS, *RATES))
            raise ValueError(f"--units {word!r}: expected some of {known}, for instance g,deg/s,ms")
        role = "t_unit" if unit in TIMES else "acc_unit" if unit in ACCELERATIONS else "gyr_unit"
        chosen[role] = unit
    if rate_hz is not None and not 1 <= rate_hz <= 10_000:
        raise ValueError(f"--rate {rate_hz:g}: expected samples a second, for instance 50")
    return ReadOptions(parse_columns(columns), rate_hz=rate_hz, **chosen)
