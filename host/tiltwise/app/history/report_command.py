"""`tiltwise report`: days from one to another as one HTML page, or as a PDF."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiltwise.app.cli_options import DataOption, PersonOption, chosen_settings
from tiltwise.config import paths
from tiltwise.errors import UsageError
from tiltwise.text import printable

if TYPE_CHECKING:
    from tiltwise.report.page.page_content import PageContent
    from tiltwise.report.plots import Figure

_USUAL_DAYS = 7  # to the newest, when no day is named


def _say(where: str, sentence: str, written: str) -> None:
    from tiltwise import console

    if where:
        console.out.print(where, style="dim", highlight=False, soft_wrap=True)
    console.out.print(sentence, style="bold", highlight=False)
    console.out.print(written, highlight=False, soft_wrap=True)


def report(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="YYYY-MM-DD, yesterday, -7; without: a week.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day; the newest without.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF in place of a page for the browser.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write (.html or .pdf).")] = None,
    data: DataOption = None,
    person: PersonOption = None,
) -> None:
    """One page on some days, to read, print or send."""
    from tiltwise import console
    from tiltwise.app.day import folder_with_days, parse_day
    from tiltwise.app.history.day_sentence import period_before
    from tiltwise.app.history.periods import load_period, newest_day, stretch
    from tiltwise.app.history.report_content import report_content
    from tiltwise.config.atomic_file import whole_file
    from tiltwise.errors import AppError

    is_pdf = _is_pdf(out, pdf)
    named = [None if text is None else parse_day(text) for text in (first, last)]
    folder, said = folder_with_days(data, paths.data_folder())
    folder = paths.person_folder(folder, person)
    newest = newest_day(folder)
    until = named[1] or max(newest, named[0] or newest)
    period = stretch(named[0] or until - timedelta(days=_USUAL_DAYS - 1), until)
    loaded = load_period(folder, period)
    if not loaded.days:
        raise AppError(
            f"nothing was recorded from {period.first} to {period.last}; the newest data is of {newest}"
        )
    before = period_before(folder, period, None, is_full=True)
    rule_deg = chosen_settings().rule.limit_deg(loaded.mount)
    with console.progress_bar("drawing the report") as show:
        content, figures = report_content(
            loaded, before, person=person, limit_deg=rule_deg, made_on=date.today()
        )
        show(0.7)
        path = out or Path(f"tiltwise-report-{period.file_name}.{'pdf' if is_pdf else 'html'}")
        was_there = path.exists()
        with whole_file(path) as file:
            file.write(_pdf(content, figures) if is_pdf else _html(content))
    note = " (in place of an older one)" if was_there else ""
    _say(said, content.sentence, f"report: {printable(str(path), 300)}{note}")


def _is_pdf(out: Path | None, asked: bool) -> bool:
    """Return whether a PDF is wanted; UsageError for a name that is neither or says the opposite."""
    ending = "" if out is None else out.suffix.lower()
    if ending not in ("", ".html", ".htm", ".pdf") or (out is not None and not ending):
        raise UsageError(f"--out {out}: expected a name that ends in .html or .pdf")
    if asked and ending in (".html", ".htm"):
        raise UsageError(f"--pdf and --out {out}: expected a name that ends in .pdf")
    return asked or ending == ".pdf"


def _html(content: PageContent) -> bytes:
    from tiltwise.report.page.html_page import html_page

    return html_page(content).encode("utf-8", "replace")


def _pdf(content: PageContent, figures: list[Figure]) -> bytes:
    import io

    from matplotlib.backends.backend_pdf import PdfPages

    from tiltwise.report.page.plots_pages import on_a4, text_pages

    file = io.BytesIO()
    with PdfPages(file, metadata={"Title": content.title, "Creator": "tiltwise"}) as pages:
        for page in text_pages(content):
            pages.savefig(page)
        for figure in figures:
            pages.savefig(figure, bbox_inches=on_a4(figure))
    return file.getvalue()
