"""Which columns of a table are time, acceleration and angular rate, by the names that exporters give them.

Names are compared as words without case, units and punctuation: `Acceleration x (m/s^2)`, `Acc_X`, `gyroscopeX`,
`Shimmer_Accel_LN_X_CAL` and `ax` all say an axis and a quantity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiltwise.recording.formats.orientation_columns import OrientationColumns, find_orientation
from tiltwise.recording.formats.raw_table import ImuFileError, ReadOptions, listing
from tiltwise.recording.formats.units import ACCELERATIONS, RATES, TIMES, unit_of

Axes = tuple[int, int, int]
_ACC = {"acc", "accel", "accelerometer", "acceleration", "accelerations", "totalacceleration", "a"}
_GYR = {"gyr", "gyro", "gyroscope", "rotationrate", "angularvelocity", "angularrate", "omega", "g", "w"}
# Without gravity there is no "up" in it: linear, user and free acceleration.
_NO_GRAVITY = {"linear", "user", "free", "userdenoised", "lin"}
NO_UP = 'there is no "up" in it'
_NOT_IMU = {
    "mag",
    "magnetometer",
    "magn",
    "quat",
    "quaternion",
    "euler",
    "mat",
    "position",
    "pos",
    "velocity",
    "vel",
}
_TIME_WORDS = {
    "t",
    "time",
    "timestamp",
    "elapsed",
    "epoch",
    "seconds",
    "sampletimefine",
    "unixtime",
    "timestamps",
}
_COUNTERS = {"counter", "packetcounter", "samplenumber"}
_FIXED_UNITS = {"sampletimefine": "us", "seconds": "s"}


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Positions of columns; acc is a sum of triples (gravity and user acceleration apart), with one sign an axis.

    t and the triples are None where a table has none; counter is a column that counts samples, epoch one that has
    absolute times, by which files of one recording are joined.
    """

    t: int | None
    acc: tuple[Axes, ...] | None
    gyr: Axes | None
    counter: int | None = None
    epoch: int | None = None
    t_unit: str = ""
    acc_unit: str = ""
    gyr_unit: str = ""
    acc_signs: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gyr_signs: tuple[float, float, float] = (1.0, 1.0, 1.0)
    notes: tuple[str, ...] = ()
    orientation: OrientationColumns | None = None


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    words: tuple[str, ...]
    unit: str

    @property
    def axis(self) -> str:
        axes = [word for word in self.words if word in ("x", "y", "z")]
        return axes[0] if len(axes) == 1 else ""

    @property
    def rest(self) -> tuple[str, ...]:
        return tuple(word for word in self.words if word not in ("x", "y", "z", "axis"))


def map_columns(
    names: list[str], options: ReadOptions, *, units: list[str] | None = None, about: str = ""
) -> ColumnMap:
    """Return where everything stands.

    Parameters
    ----------
    names, options : of the columns; what the user insists on.
    units : a line of units below the names, if the file has one.
    about : a name of the whole table ("Gyroscope"), for columns that are called x, y, z only.

    Raises
    ------
    ImuFileError : when a column that was asked for is not there, or what is there cannot do.
    """
    columns = [
        _Column(k, _words(name), unit_of((units or [""] * len(names))[k]) or _unit(name))
        for k, name in enumerate(names)
    ]
    whole = _whole_vectors(columns, about)
    acc, acc_signs, acc_note = _acceleration(whole)
    gyr_key = _best([key for key in whole if key[0] == "gyr"])
    time = _best_time(columns)
    found = ColumnMap(
        t=None if time is None else time.index,
        acc=None if acc is None else tuple(_indices(whole[key]) for key in acc),
        gyr=None if gyr_key is None else _indices(whole[gyr_key]),
        counter=next((c.index for c in columns if "".join(c.words) in _COUNTERS), None),
        epoch=next((c.index for c in columns if set(c.words) & {"epoch", "unix"} and not c.axis), None),
        t_unit="" if time is None else _time_unit(time),
        acc_unit="" if acc is None else _unit_in(whole[acc[0]], ACCELERATIONS),
        gyr_unit="" if gyr_key is None else _unit_in(whole[gyr_key], RATES),
        acc_signs=acc_signs,
        notes=_several(whole, acc, gyr_key, names),
        orientation=find_orientation(names, units),
    )
    if options.columns:
        found = _insisted(found, names, options)
    elif found.acc is None and acc_note and found.orientation is None:
        raise ImuFileError(acc_note)
    return found


def missing(found: ColumnMap, names: list[str]) -> str:
    """Return one line on what is not there, with the option that maps it; "" when all is."""
    lacks = [name for name, has in (("acceleration", found.acc), ("angular rate", found.gyr)) if has is None]
    if not lacks:
        return ""
    return (
        f"no column of {' and '.join(lacks)}: found {listing(names)}; "
        "name them with --columns t=NAME,acc=X:Y:Z,gyr=X:Y:Z or quat=W:X:Y:Z (names or numbers of columns)"
    )


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name without its unit: camel case, blanks and underscores divide."""
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", name).strip()
    if re.fullmatch(r"[aAgGwW][_ ]?[xyzXYZ]", bare):
        return (bare[0].lower(), bare[-1].lower())
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", bare)
    words = [part.lower() for part in parts]
    joined: list[str] = []
    for word in words:
        pair = f"{joined[-1]}{word}" if joined else ""
        if pair in (
            "rotationrate",
            "angularvelocity",
            "angularrate",
            "totalacceleration",
            "sampletimefine",
            "packetcounter",
            "sampletime",
        ):
            joined[-1] = pair
        elif word in ("accx", "accy", "accz", "gyrx", "gyry", "gyrz"):
            joined += [word[:-1], word[-1]]
        else:
            joined.append(word)
    return tuple(joined)


def _unit(name: str) -> str:
    """Return the unit in brackets, or a last word that is one (t_s, time_us)."""
    for inside in re.findall(r"[(\[{](.*)[)\]}]", name):
        if unit := unit_of(inside):
            return unit
    tail = re.split(r"[ _]", name.strip())[-1]
    return unit_of(tail) if tail != name.strip() and unit_of(tail) in TIMES else ""


def _kind(words: tuple[str, ...]) -> str:
    """Return "acc", "gyr", "free" (acceleration without gravity), "gravity" or "" of the words of a name."""
    if set(words) & {"gravity"}:
        return "gravity"
    if set(words) & (_ACC | {"useracceleration"}):
        return "free" if set(words) & _NO_GRAVITY else "acc"
    return "gyr" if set(words) & _GYR else ""


def _kind_of_unit(unit: str) -> str:
    return "acc" if unit in ACCELERATIONS else "gyr" if unit in RATES else ""


def _acceleration(
    whole: dict[tuple[str, tuple[str, ...]], dict[str, _Column]],
) -> tuple[list[tuple[str, tuple[str, ...]]] | None, tuple[float, float, float], str]:
    """Return which triples make the specific force, its signs, and why there is none."""
    plain = (1.0, 1.0, 1.0)
    best = _best([key for key in whole if key[0] == "acc"])
    free = _best([key for key in whole if key[0] == "free"])
    gravity = _best([key for key in whole if key[0] == "gravity"])
    if best == ("acc", ("acceleration",)) and gravity == ("gravity", ("gravity",)):
        free, best = best, None  # of headphones and watches
    if best is not None:
        return [best], plain, ""
    if free is not None and gravity is not None:  # CoreMotion: both point where a body falls, in g
        return [gravity, free], (-1.0, -1.0, -1.0), ""
    if free is not None:
        return (
            None,
            plain,
            (
                "its acceleration is linear, user or free acceleration: gravity is taken out, so "
                f"{NO_UP}; export the acceleration with gravity"
            ),
        )
    return None, plain, ""


def _best(keys: list[tuple[str, tuple[str, ...]]]) -> tuple[str, tuple[str, ...]] | None:
    """Prefer calibrated over raw, low noise over wide range, then the first."""
    if not keys:
        return None
    return min(keys, key=lambda key: ("raw" in key[1], "wr" in key[1] or "wide" in key[1]))


def _several(
    whole: dict[tuple[str, tuple[str, ...]], dict[str, _Column]],
    acc: list[tuple[str, tuple[str, ...]]] | None,
    gyr: tuple[str, tuple[str, ...]] | None,
    names: list[str],
) -> tuple[str, ...]:
    """Say which of several sensors is used."""
    notes = []
    for chosen in (acc[0] if acc else None, gyr):
        others = [key for key in whole if chosen is not None and key[0] == chosen[0] and key != chosen]
        if chosen is not None and others:
            used = names[whole[chosen]["x"].index]
            notes.append(
                f"{len(others) + 1} sets of columns could be meant: {used!r} and its neighbours are used, "
                "--columns chooses"
            )
    return tuple(notes)


def _indices(axes: dict[str, _Column]) -> Axes:
    return axes["x"].index, axes["y"].index, axes["z"].index


def _unit_in(axes: dict[str, _Column], known: dict[str, float]) -> str:
    unit = axes["x"].unit
    return unit if unit in known else ""


def _whole_vectors(
    columns: list[_Column], about: str
) -> dict[tuple[str, tuple[str, ...]], dict[str, _Column]]:
    """Return kind and words of each quantity that has all three axes, and these."""
    kind_of_table = _kind(_words(about))
    kind_of_table = kind_of_table if kind_of_table in ("acc", "gyr") else ""
    groups: dict[tuple[str, tuple[str, ...]], dict[str, _Column]] = {}
    for column in columns:
        kind = _kind(column.rest) or _kind_of_unit(column.unit) or kind_of_table
        if column.axis and kind and not (set(column.rest) & _NOT_IMU and kind not in ("gyr",)):
            groups.setdefault((kind, column.rest), {}).setdefault(column.axis, column)
    return {key: axes for key, axes in groups.items() if len(axes) == 3}


def _best_time(columns: list[_Column]) -> _Column | None:
    """Return the column of time: seconds that have passed before epochs and clock times."""
    times = [c for c in columns if set(c.words) & _TIME_WORDS and not c.axis]
    order = ("elapsed", "seconds", "t", "sampletimefine", "unix", "epoch", "timestamp", "time")
    return min(
        times,
        key=lambda c: next(k for k, w in enumerate((*order, "")) if w in c.words or not w),
        default=None,
    )


def _time_unit(column: _Column) -> str:
    fixed = next((unit for word, unit in _FIXED_UNITS.items() if word in column.words), "")
    return column.unit if column.unit in TIMES else fixed


def _insisted(found: ColumnMap, names: list[str], options: ReadOptions) -> ColumnMap:
    """Replace what was found by what was asked for."""
    from dataclasses import replace

    for role, wanted in options.columns.items():
        where = [_find(name.removeprefix("-"), names) for name in wanted]
        signs = tuple(-1.0 if name.startswith("-") else 1.0 for name in wanted)
        if role == "quat":
            found = replace(
                found,
                acc=None,
                gyr=None,
                orientation=OrientationColumns(tuple(where), is_inverse=signs[0] < 0),
            )
        elif role == "t":
            found = replace(found, t=where[0], t_unit=_unit(names[where[0]]))
        elif role == "acc":
            found = replace(
                found, acc=((where[0], where[1], where[2]),), acc_signs=(signs[0], signs[1], signs[2]),
                acc_unit=_unit_if(names[where[0]], ACCELERATIONS),
            )  # fmt: skip
        else:
            found = replace(
                found, gyr=(where[0], where[1], where[2]), gyr_signs=(signs[0], signs[1], signs[2]),
                gyr_unit=_unit_if(names[where[0]], RATES),
            )  # fmt: skip
    return found


def _unit_if(name: str, known: dict[str, float]) -> str:
    return unit if (unit := _unit(name)) in known else ""


def _find(wanted: str, names: list[str]) -> int:
    lower = [name.strip().lower() for name in names]
    if wanted.lower() in lower:
        return lower.index(wanted.lower())
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise ImuFileError(f"--columns names {wanted!r}, which is not there: found {listing(names)}")
