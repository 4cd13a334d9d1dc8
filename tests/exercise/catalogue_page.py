"""The catalogue as a page for people: docs/exercises.md. A test keeps the file in step."""

from __future__ import annotations

from tiltwise.exercise.definition import SAFETY_TEXT, Exercise, Phase, Programme, Sides
from tiltwise.types import Mount

_HEAD = f"""# Exercises

This page is written from the catalogue (`tests/exercise/catalogue_page.py`); a test keeps the two in step.

{SAFETY_TEXT}

`tiltwise exercise NAME ble:` leads through an exercise or a programme: one instruction in large type, bars for
angle, hold and breath, the terminal's bell, ticks of the sensor, and speech with `--speech`. A repetition is told
at its turn. Keys: p pause, s skip a repetition, u undo one, n next exercise, q stop; what was done is kept at any
stop. Without an address a simulated wearer shows it: `tiltwise exercise side_tilt "sim:coached?manner=badly"`;
manners are well, badly, stiff, talking, stops, another, hunched and raised. `tiltwise exercise --list` has all,
`tiltwise exercises` what each place sees. `tiltwise rom` measures six directions three times each;
`tiltwise progress` tells a change only beyond your own smallest detectable one, learned from repeats within a day.
At the collar, for shoulders: held ones make no signal, but `shoulder_check` has you raise and drop them and says
whether the upper back rests elsewhere than before.

What the sensor does depends on where it is worn: **measured** means that repetitions are counted, **approximate**
that some may be missed, **measured when guided** that `tiltwise exercise` counts or measures them while it asks for
them, **timed** that the coach goes by the clock, **not observable** that it goes by the clock and
the sensor sees nothing of the exercise. Doses are defaults;
[your own exercises](own_exercises.md) stand beside these. A breath is 5 s unless you set your own.
"""


def page(
    exercises: tuple[Exercise, ...], programmes: tuple[Programme, ...], mounts: tuple[Mount, ...]
) -> str:
    """Return the page in Markdown."""
    header = "| exercise | dose | " + " | ".join(mounts) + " |\n" + "|---" * (len(mounts) + 2) + "|\n"
    rows = [
        f"| [{e.name}](#{e.id}) | {dose_text(e)} | " + " | ".join(e.seen[m] for m in mounts) + " |\n"
        for e in exercises
    ]
    sections = "".join("\n" + _section(e) for e in exercises)
    return _HEAD + "\n" + header + "".join(rows) + _programmes(programmes) + sections


def _programmes(programmes: tuple[Programme, ...]) -> str:
    rows = [
        f"| `{p.id}` | {p.name} | {', '.join(part.exercise or part.programme for part in p.parts)} |\n"
        for p in programmes
    ]
    return "\n## Programmes\n\n| name | | exercises |\n|---|---|---|\n" + "".join(rows)


def dose_text(exercise: Exercise) -> str:
    """Return the default dose in words."""
    sides = "" if exercise.sides is Sides.NONE else " on each side"
    times = f"{exercise.reps} time{'s' if exercise.reps > 1 else ''}{sides}"
    timed = [_long(phase) for phase in exercise.phases if phase.seconds or phase.breaths]
    sets = f", {exercise.sets} sets" if exercise.sets > 1 else ""
    return times + sets + (f": {', '.join(timed)}" if timed else "")


def _long(phase: Phase) -> str:
    return f"{phase.do} {f'{phase.breaths:g} breaths' if phase.breaths else f'{phase.seconds:g} s'}"


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
