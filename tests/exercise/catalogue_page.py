"""The catalogue as a page for people: docs/exercises.md. A test keeps the file in step."""

from __future__ import annotations

from tiltwise.exercise.definition import SAFETY_TEXT, Dose, Exercise, Sides
from tiltwise.types import Mount

_HEAD = f"""# Exercises

This page is written from the catalogue (`tests/exercise/catalogue_page.py`); a test keeps the two in step.

{SAFETY_TEXT}

What the sensor does depends on where it is worn: **measured** means that repetitions are counted, **approximate**
that some may be missed, **timed** that the coach goes by the clock, **not observable** that it goes by the clock and
the sensor sees nothing of the exercise. Doses are defaults. A breath is 5 s unless you set your own.
"""


def page(exercises: tuple[Exercise, ...], mounts: tuple[Mount, ...]) -> str:
    """Return the page in Markdown."""
    header = "| exercise | dose | " + " | ".join(mounts) + " |\n" + "|---" * (len(mounts) + 2) + "|\n"
    rows = [
        f"| [{e.name}](#{e.id}) | {dose_text(e)} | " + " | ".join(e.seen[m] for m in mounts) + " |\n"
        for e in exercises
    ]
    return _HEAD + "\n" + header + "".join(rows) + "".join("\n" + _section(e) for e in exercises)


def dose_text(exercise: Exercise) -> str:
    """Return the default dose in words."""
    d: Dose = exercise.dose
    times = f"{d.reps} times" + (" on each side" if exercise.sides is Sides.ALTERNATE else "")
    if exercise.signal is None:
        times += f", {d.work_s:g} s each"
    elif d.hold_breaths:
        times += f", hold {d.hold_breaths:g} breaths"
    elif d.hold_s:
        times += f", hold {d.hold_s:g} s"
    return times + (f", {d.sets} sets" if d.sets > 1 else "")


def _section(exercise: Exercise) -> str:
    parts = [f'<a id="{exercise.id}"></a>\n## {exercise.name} (`{exercise.id}`)\n']
    parts.append("".join(f"{k}. {step}\n" for k, step in enumerate(exercise.steps, 1)))
    target = exercise.target_deg
    usual = f" Usual range: {target[0]:g} to {target[1]:g} deg; your own is what counts." if target else ""
    parts.append(f"Dose: {dose_text(exercise)}.{usual}\n")
    parts.append(f"Sensor: {exercise.sensor_note}\n")
    if exercise.caution:
        parts.append(f"Caution: {exercise.caution}\n")
    if exercise.asks_first:
        parts.append(
            "Asked first, and left out with a yes: " + " ".join(f"*{q}*" for q in exercise.asks_first) + "\n"
        )
    return "\n".join(parts)
