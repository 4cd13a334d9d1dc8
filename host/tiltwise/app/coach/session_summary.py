"""What was done in a session, in lines: counts, angles, holds, rounds, and whether the sides differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from tiltwise.exercise.catalogue_file import Catalogue
from tiltwise.exercise.directions import Direction, direction_of
from tiltwise.exercise.guided.range_progress import CHANGE_FACTOR, USUAL_SEM_DEG, Detectable, side_line
from tiltwise.exercise.guided.session_record import ExerciseRecord
from tiltwise.types import Side


def summary_table(
    records: Sequence[ExerciseRecord], catalogue: Catalogue, detectable: Mapping[Direction, Detectable]
) -> Table:
    """Return the session; `detectable` is what the person's own tests can tell, by direction."""
    table = Table(show_header=False, box=None, pad_edge=False, title="done", title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for record in records:
        exercise = catalogue.exercises.get(record.exercise)
        table.add_row(record.exercise if exercise is None else exercise.name, _counts(record))
        for side in record.counts:
            if words := _side(record, side):
                table.add_row("", words)
        for words in _remarks(record, catalogue, detectable):
            table.add_row("", words)
    return table


def _counts(record: ExerciseRecord) -> str:
    counts = ", ".join(
        f"{n} of {record.asked}{'' if side is Side.NONE else f' {side}'}" for side, n in record.counts.items()
    )
    extra = (
        (record.partial, "partial"),
        (record.skipped, "skipped"),
        (record.undone, "taken back by you"),
        (record.moved_presses, f"press{'' if record.moved_presses == 1 else 'es'} in which the head moved"),
    )
    more = "".join(f"; {n} {what}" for n, what in extra if n)
    stopped = "" if record.is_complete else "; stopped"
    by_clock = "" if record.is_counted or record.rounds else " (by the clock)"
    return f"{counts}{by_clock}{more}{stopped}"


def _side(record: ExerciseRecord, side: Side) -> str:
    peak, hold, gain = record.peak_deg(side), record.hold_s(side), record.gain_deg(side)
    name = "" if side is Side.NONE else f"{side}: "
    if known := record.barriers.get(side):
        ends = ", ".join(f"{barrier:.0f}" for barrier in known)
        told = "" if gain is None else f"; {gain_words(gain, CHANGE_FACTOR * USUAL_SEM_DEG)}"
        return f"{name}ends at {ends} deg{told}"
    if peak is None:
        return ""
    held = f", held {hold:.1f} s" if hold is not None and hold >= 1.0 else ""
    return f"{name}{peak:.0f} deg{held}"


def gain_words(gain_deg: float, limit_deg: float) -> str:
    """Return a gain with its uncertainty; below what can be detected it is none."""
    if abs(gain_deg) <= limit_deg:
        return f"{gain_deg:+z.0f} deg, not to be told from measuring ({limit_deg:z.0f} deg)"
    return f"{'gained' if gain_deg > 0 else 'lost'} {abs(gain_deg):.0f} deg (+-{limit_deg:.0f})"


def _remarks(
    record: ExerciseRecord, catalogue: Catalogue, detectable: Mapping[Direction, Detectable]
) -> list[str]:
    """Whether the sides differ by more than measuring makes, what a comparison showed, and what was lost."""
    found = []
    right, left = record.peak_deg(Side.RIGHT), record.peak_deg(Side.LEFT)
    if right is not None and left is not None:
        exercise = catalogue.exercises.get(record.exercise)
        direction = (
            None if exercise is None or exercise.signal is None else direction_of(exercise.signal, Side.RIGHT)
        )
        known = detectable.get(direction) if direction is not None else None
        limit = CHANGE_FACTOR * USUAL_SEM_DEG if known is None else known.deg
        found.append(side_line("right", "left", right - left, limit))
    if record.compared is not None:
        found.append(record.compared.words)
    if record.lost_s >= 1.0:
        found.append(f"{record.lost_s:.0f} s without samples")
    return found
