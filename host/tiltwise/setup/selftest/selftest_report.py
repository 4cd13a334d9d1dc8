"""The self-test as lines on a screen and as a file to paste into an issue; neither holds key nor device id."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tiltwise.setup.selftest.verdicts import Check, Verdict
from tiltwise.text import printable

WIDTH = 80
_PART = 14


def line(check: Check) -> str:
    """Return one check as lines of at most 80 columns, with what to do below it."""
    head = f"{check.verdict.value:<4}  {check.part:<{_PART}} "
    text = [head, check.found]
    lines = textwrap.wrap("".join(text), WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False)
    if check.todo:
        lines += textwrap.wrap(
            check.todo, WIDTH, initial_indent=" " * len(head) + "-> ", subsequent_indent=" " * (len(head) + 3)
        )
    return "\n".join(lines)


def summary(checks: Sequence[Check]) -> str:
    """Return how many passed, failed and were left out."""
    counts = {verdict: sum(check.verdict is verdict for check in checks) for verdict in Verdict}
    return f"{counts[Verdict.PASS]} passed, {counts[Verdict.FAIL]} failed, {counts[Verdict.SKIP]} left out"


def report(board: str, when: str, version: str, checks: Sequence[Check]) -> str:
    """Return the whole report as Markdown."""
    rows = [f"| {c.part} | {c.verdict.value} | {printable(c.found)} | {c.todo} |" for c in checks]
    return "\n".join(
        (
            f"### tiltwise self-test: {summary(checks)}",
            f"{printable(board)}; tiltwise {version}; {when}",
            "",
            "| part | verdict | found | to do |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )
