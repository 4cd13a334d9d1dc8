"""`tiltwise data`: what is stored, how much, with which gaps; erases, keeps or builds it again on request.

Nothing is erased without a question that says what goes and what stays.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.table import Table

from tiltwise import console
from tiltwise.app.day import parse_day, say_where_simulated
from tiltwise.config.calibration_profiles import DEFAULT_PERSON, erase_calibrations, persons
from tiltwise.config.paths import PEOPLE, person_folder
from tiltwise.errors import AppError, UsageError
from tiltwise.live.event_text import lasting
from tiltwise.offline.rebuild import rebuild
from tiltwise.store.erase import KEEP_RAW, erase_all, erase_stretch
from tiltwise.store.files.schema import CORE_NAME
from tiltwise.store.files.swap import copies, store_files
from tiltwise.store.local_days import day_bounds_us
from tiltwise.store.overview import CheckedDay, Overview, check_store, overview
from tiltwise.store.writer import Store
from tiltwise.text import counted, printable, safe_name

ALL = "ALL"
_MOST_MONTHS = 1200
_SHOWN = 12  # devices and days named one by one


@dataclass(frozen=True, slots=True)
class Change:
    """A change that cannot be undone: the question to ask first, and what makes it and returns a line about it."""

    question: str
    do: Callable[[], str]


def change_or_show(
    folder: Path,
    *,
    erase: str | None,
    keep_raw: int | None,
    recordings: Sequence[Path] | None,
    is_check: bool = False,
    person: str | None = None,
    is_persons: bool = False,
    as_json: bool,
    may_change: Callable[[str], bool],
) -> None:
    """Make the change that was asked for once `may_change` agrees to its question; without one, show what is stored.

    UsageError when more than one was asked for.
    """
    if sum(option is not None for option in (erase, keep_raw, recordings)) + is_check > 1:
        raise UsageError("--erase, --keep-raw, --rebuild and --check: one at a time")
    if is_persons:
        print_persons(folder, as_json=as_json)
        return
    household, folder = folder, person_folder(folder, person)
    if is_check:
        say_where_simulated(folder)
        print_check(list(check_store(folder)), as_json=as_json)
        return
    change = _planned(household, person, erase, keep_raw, recordings)
    if change is not None:
        if may_change(printable(change.question, 1000)):
            console.out.print(change.do(), highlight=False)
        return
    say_where_simulated(folder)
    seen = overview(folder)
    if as_json:
        print(json.dumps(data_json(folder, seen)))
    else:
        console.out.print(data_table(folder, seen), highlight=False)


def _planned(
    household: Path,
    person: str | None,
    erase: str | None,
    keep_raw: int | None,
    recordings: Sequence[Path] | None,
) -> Change | None:
    """Return the change that was asked for, None when none was."""
    folder = person_folder(household, person)
    if erase is not None and person is not None and erase.upper() == ALL:
        return plan_erase_person(household, person)
    if erase is not None:
        return plan_erase(folder, erase)
    if keep_raw is not None:
        return plan_keep_raw(folder, keep_raw)
    return None if recordings is None else plan_rebuild(folder, recordings)


def print_persons(folder: Path, *, as_json: bool) -> None:
    """Print who has days or calibrations here: a person has a store of their own, in a folder of that name."""
    names = {safe_name(name): name for name in persons(folder)}
    found = sorted({*names, *(path.name for path in (folder / PEOPLE).glob("*") if path.is_dir())})
    rows = []
    for key in found:
        name = names.get(key, key)
        place = folder if name == DEFAULT_PERSON else person_folder(folder, key)
        days = len(overview(place).days) if (place / CORE_NAME).is_file() else 0
        if days or key in names:  # who was erased leaves an empty folder
            rows.append({"person": name, "days": days, "is_calibrated": key in names})
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows or [{"person": "nobody yet", "days": 0, "is_calibrated": False}]:
        calibrated = "calibrated" if row["is_calibrated"] else "no calibration"
        console.out.print(
            f"{printable(str(row['person']), 40)}: {counted(int(str(row['days'])), 'day')}, {calibrated}",
            highlight=False,
        )


def plan_erase_person(folder: Path, person: str, now_s: Callable[[], float] = time.time) -> Change:
    """Return how to erase everything of a person: days and calibrations; AppError when there is nothing."""
    place = person_folder(folder, person)
    if not store_files(place) and not copies(place) and person not in persons(folder):
        raise AppError(
            f"nothing is stored of {person} in {folder}: `tiltwise data --persons` lists who there is"
        )

    def erase() -> str:
        size = erase_all(place, now_s()) if store_files(place) or copies(place) else 0
        n = erase_calibrations(folder, person)
        return f"erased, {_size(size)} are free again; the calibrations of {counted(n, 'sensor')} too"

    question = (
        f"Erase everything of {person} that is stored in {place}, for good, and the calibrations? "
        "Keys, settings and recordings (.tw files) stay."
    )
    return Change(question, erase)


def print_check(checked: Sequence[CheckedDay], *, as_json: bool) -> None:
    """Print whether the seconds of each day add up; AppError when they do not."""
    unexplained_s, double_s = (
        sum(getattr(day.result, name) for day in checked) for name in ("unexplained_s", "double_s")
    )
    wrong = [day for day in checked if not day.result.is_ok]
    if as_json:
        days = [asdict(day) | {"day": day.day.isoformat()} for day in checked]
        print(json.dumps({"unexplained_s": unexplained_s, "double_s": double_s, "days": days}))
    else:
        n_days = len({day.day for day in checked})  # each sensor has a row
        text = f"{counted(n_days, 'day')}: {unexplained_s:.0f} s unexplained, {double_s:.0f} s counted twice"
        console.out.print(text, highlight=False)
        for day in wrong:
            at = datetime.fromtimestamp(day.result.minutes[0][0], UTC)
            minutes = f"{counted(len(day.result.minutes), 'minute')}, the worst at {at:%H:%M} UTC"
            text = f"{day.day} {printable(day.device, 40)}: {minutes}"
            console.out.print(text, highlight=False)
    if wrong:
        raise AppError(
            "the time of these days does not add up: `tiltwise data --rebuild` makes it anew from recordings"
        )


def data_table(folder: Path, seen: Overview) -> Table:
    """Return what is stored in a few lines."""
    table = Table(
        show_header=False, box=None, pad_edge=False, title=printable(str(folder), 300), title_justify="left"
    )
    size = seen.core_bytes + seen.raw_bytes + seen.copies_bytes
    parts = f"angles and events {_size(seen.core_bytes)}, raw samples {_size(seen.raw_bytes)}"
    rows = [
        ("size", f"{_size(size)} ({parts}{_set_aside(seen)})"),
        ("devices", _names(seen.devices)),
        ("range", _range(seen)),
        ("days", _days(seen)),
        (
            "recorded / worn",
            f"{lasting(seen.covered_s)} / {lasting(seen.worn_s)}, in {counted(seen.sessions, 'session')}",
        ),
        ("raw samples", _raw(seen)),
    ]
    rows += [("origin", f"{' and '.join(seen.origins)}, not your own days")] if seen.origins else []
    if seen.older_minutes:
        said = f"of an earlier version: {counted(seen.older_minutes, 'minute')}: --rebuild computes recordings anew"
        rows.append(("algorithm", said))
    rows += [("gaps", "none")] if not seen.gaps else []
    for k, gap in enumerate(seen.gaps):
        rows.append(
            ("gaps" if k == 0 else "", f"{printable(gap.reason)}: {gap.count}, {lasting(gap.seconds)}")
        )
    for utc_s, line in seen.incidents[-_SHOWN:]:
        rows.append((f"{datetime.fromtimestamp(utc_s, UTC):%Y-%m-%d %H:%M}", printable(line, 300)))
    for row in rows:
        table.add_row(*row)
    return table


def data_json(folder: Path, seen: Overview) -> dict[str, object]:
    """Return what is stored as plain values; times are UTC s."""
    values = asdict(seen) | {"folder": str(folder), "days": [day.isoformat() for day in seen.days]}
    return values | {"size_bytes": seen.core_bytes + seen.raw_bytes + seen.copies_bytes}


def plan_erase(folder: Path, what: str, now_s: Callable[[], float] = time.time) -> Change:
    """Return how to erase a day (YYYY-MM-DD, the wearer's calendar) or ALL; nothing happens yet.

    Raises
    ------
    UsageError
        When `what` is neither.
    AppError
        When nothing was stored then.
    """
    if what.upper() == ALL:
        if not store_files(folder) and not copies(folder):
            raise AppError(f"nothing is stored in {folder}: name the folder of a store with --data")
        question = (
            f"Erase everything that is stored in {folder}, for good? Calibrations, keys, settings and "
            "recordings (.tw files) stay."
        )
        return Change(question, lambda: f"erased, {_size(erase_all(folder, now_s()))} are free again")
    day = parse_day(what)
    seen = overview(folder)
    if day not in seen.days:
        near = min(seen.days, key=lambda d: abs((d - day).days), default=None)
        hint = f"; the nearest day with data is {near}" if near else ""
        raise AppError(f"nothing is stored of {day}{hint}")
    others = f" Copies set aside may hold it too: {len(copies(folder))}." if copies(folder) else ""
    question = (
        f"Erase {day} ({seen.zone}) in {folder}, for good: angles, events, gaps and raw samples? "
        f"{counted(len(seen.days) - 1, 'other day')} and recordings (.tw files) stay.{others}"
    )
    return Change(question, lambda: _erase_day(folder, day, seen.zone, now_s()))


def _erase_day(folder: Path, day: date, zone: str, now_s: float) -> str:
    erased = erase_stretch(folder, *day_bounds_us(day, zone), now_s)
    minutes, events, frames = (
        counted(erased[rows], one)
        for rows, one in (("aggregate", "minute"), ("event", "event"), ("frames", "frame"))
    )
    return f"erased {minutes}, {events} and {frames} of {day}"


def plan_keep_raw(folder: Path, months: int, now_s: Callable[[], float] = time.time) -> Change:
    """Return how to keep raw samples for so many months, now and from now on; 0 keeps them for ever."""
    if not 0 <= months <= _MOST_MONTHS:
        raise UsageError(f"--keep-raw {months}: expected 1 to {_MOST_MONTHS} months, or 0 to keep all")
    overview(folder)  # a store that is not there is an error before the question
    if months == 0:
        return Change(f"Keep all raw samples in {folder} from now on?", lambda: _keep_raw(folder, 0, now_s))
    question = (
        f"Keep raw samples in {folder} for {counted(months, 'month')}, counted back from the newest, "
        "and delete older ones now and later? Angles, events and days stay."
    )
    return Change(question, lambda: _keep_raw(folder, months, now_s))


def _keep_raw(folder: Path, months: int, now_s: Callable[[], float]) -> str:
    with Store(folder, now_s=now_s) as store:
        store.put_setting(KEEP_RAW, months)
        store.commit()
        deleted = store.retire()
    kept = f"keeping raw samples for {counted(months, 'month')}" if months else "keeping all raw samples"
    names = ", ".join(path.stem.removeprefix("raw-") for path in deleted)
    return f"{kept}; deleted {names}" if names else f"{kept}; nothing was older"


def plan_rebuild(folder: Path, recordings: Sequence[Path], now_s: Callable[[], float] = time.time) -> Change:
    """Return how to build the store again from recordings; the old files are set aside in the folder."""
    if not recordings:
        raise UsageError("--rebuild: name at least one recording (.tw file)")
    twice = {path for path in recordings if list(recordings).count(path) > 1}
    if twice:
        raise UsageError(f"--rebuild: {printable(str(min(twice)))} is named twice")
    question = (
        f"Build the store in {folder} again from {counted(len(recordings), 'recording')}? "
        "What is stored now is set aside, not deleted; what is in no recording will be missing."
    )
    return Change(question, lambda: _rebuild(folder, recordings, now_s()))


def _rebuild(folder: Path, recordings: Sequence[Path], now_s: float) -> str:
    with console.progress_bar("rebuilding") as show:
        made, aside = rebuild(folder, recordings, now_s=now_s, on_progress=show)
    notes = "".join(f"; {item.path.name}: {note}" for item in made for note in item.notes)
    where = f"; the store before is in {aside}" if aside else ""
    frames = counted(sum(item.frames for item in made), "frame")
    return f"built from {frames} of {counted(len(made), 'recording')}{where}{notes}"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.2f} GB"


def _set_aside(seen: Overview) -> str:
    return f", copies set aside {_size(seen.copies_bytes)}" if seen.copies_bytes else ""


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(printable(name, 40) for name in names[-_SHOWN:]) + more) or "none"


def _range(seen: Overview) -> str:
    if seen.first_s is None or seen.last_s is None:
        return "nothing recorded yet"
    first, last = (f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M}" for t in (seen.first_s, seen.last_s))
    return f"{first} to {last} UTC"


def _days(seen: Overview) -> str:
    if len(seen.days) > _SHOWN:
        return f"{len(seen.days)}, the newest {seen.days[-1]} ({seen.zone})"
    return f"{len(seen.days)}: {', '.join(map(str, seen.days))} ({seen.zone})" if seen.days else "none"


def _raw(seen: Overview) -> str:
    kept = f"kept for {counted(seen.kept_months, 'month')}" if seen.kept_months else "kept for ever"
    months = f"{seen.raw_months[0]} to {seen.raw_months[-1]}" if seen.raw_months else "none yet"
    return f"{months}; {kept}"
