"""The bench of alerts on generated desk sessions as tables."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from tiltwise_lab.bench.alarms import generated_desk_sessions, session_alarms
from tiltwise_lab.bench.options import BenchOptions
from tiltwise_lab.bench.table import collect, table


def print_alarms(options: BenchOptions, console: Console) -> None:
    seeds = range(1, (options.chosen_seeds or 40) + 1)
    rows = collect("desk sessions", session_alarms.session_rows(seeds))
    seconds: Counter[str] = sum((row.seconds for row in rows), Counter())
    walking: Counter[str] = sum((row.called_walking for row in rows), Counter())
    cells = (
        (name, seconds[name] / 60, walking[name] / 60, 100 * walking[name] / seconds[name])
        for name in seconds
    )
    title = f"{len(rows)} generated desk sessions of {generated_desk_sessions.MINUTES:g} min, seeds 1 to {len(rows)}"
    console.print(table(title, ("task", "minutes", "called walking", "%"), cells))
    due, on_time, missed, false = (
        sum(getattr(row, name) for row in rows) for name in ("due", "on_time", "missed", "false_alarms")
    )
    late = [off for row in rows for off in row.off_s]
    console.print(
        f"rule {session_alarms.LIMIT_DEG:g} deg / {session_alarms.LASTING_S:g} s: {due} alerts due by the true "
        f"angle; {on_time} within {session_alarms.ON_TIME_S:g} s ({100 * on_time / max(due, 1):.1f} %), {len(late)} "
        f"later or earlier, {missed} missed; {false} not due",
        highlight=False,
    )
