"""What a report holds, before it is HTML or PDF: words, tables, pictures with their words. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table: its caption, the names of the columns, rows of text, and whether the last cell of each is a source."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ends_in_source: bool = False


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A picture: what it shows in words (for who cannot see it), its bytes, and the same as a table."""

    alt: str
    data: bytes
    kind: str  # such as "image/png"
    table: PageTable | None = None


@dataclass(frozen=True, slots=True)
class PageContent:
    """A report. All text is plain and may come from anywhere; the page escapes it."""

    title: str
    about: str
    sentence: str
    plain: tuple[str, ...]
    pictures: tuple[PagePicture, ...]
    tables: tuple[PageTable, ...]
    limits: tuple[tuple[str, str, str], ...]  # what, whether it is measured there, why
    notes: tuple[str, ...]
    made: str
