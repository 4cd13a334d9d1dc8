"""The two consoles and the progress bar: results on stdout, progress and warnings on stderr.

Neither interprets markup or emoji names: a file called `[/x]` or `:smile:` is shown by its name. Control characters
are not passed on to the terminal, because names of people, files and boards come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from tiltwise.text import as_typed, printable


class SafeConsole(Console):
    """A console that shows every str, also in a cell of a table, without control and direction characters."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to be shown; lines stay lines."""
        lines = as_typed(text).split("\n")
        return super().render_str("\n".join(printable(line, len(line)) for line in lines), **options)


# Styles of the lines that live/event_text.py gives.
LINE_STYLES = {
    "plain": "", "begin": "yellow", "alert": "bold red", "good": "green", "count": "cyan", "faint": "dim",
    "warn": "bold yellow",
}  # fmt: skip


def print_line(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    """Print a text: in a terminal in rows, the further ones indented; elsewhere as the one line that it is."""
    rows = [text]
    if console.is_terminal:
        under = " " * indent
        rows = wrap(
            text, console.width, subsequent_indent=under, break_long_words=False, break_on_hyphens=False
        )
    for row in rows or [""]:
        console.print(row, style=style, highlight=False, markup=False, soft_wrap=not console.is_terminal)


out = SafeConsole(markup=False, emoji=False)
err = SafeConsole(stderr=True, markup=False, emoji=False)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on stderr while something runs, when somebody is looking; gives a function for the share done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)
