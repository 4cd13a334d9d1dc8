"""`tiltwise report`: one page that opens from a file, asks for nothing, runs nothing and says what is stored."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.history.stored_weeks import KnownDay, write_days
from command import Command, assert_one_line
from tiltwise.report.page.html_page import html_page
from tiltwise.report.page.page_content import PageContent, PagePicture, PageTable
from tiltwise.store.writer import Store
from tiltwise.types import Mount, RepCompleted, Side
from tiltwise_lab.bench.exposure.page_in_chromium import CHROMIUM, seen_in_chromium

HOSTILE = "<script>window.marked = 1; alert(1)</script>\"'><img src=x onerror='window.marked = 1'>{{ 7 * 7 }}"
MOST_BYTES = 2_000_000


class Tags(HTMLParser):
    """Tags with their attributes, and the text that is shown."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with ten days; on the newest an exercise, and a board, with hostile names."""
    folder = tmp_path_factory.mktemp("report")
    write_days(folder, [KnownDay(f"2026-03-{day:02d}T09:00", 120, (30, 60)) for day in range(2, 12)])
    with Store(folder, min_free_bytes=0) as store:
        start_s = 1773219600.0  # 2026-03-11 09:00 UTC
        session = store.begin_session(HOSTILE, 99, zone="Europe/Berlin", mount=Mount.HEAD, started_s=start_s)
        reps = [RepCompleted(9.0 + k, HOSTILE, Side.LEFT, 5.0, 7.0, 9.0, 30.0, 1.0) for k in range(3)]
        store.put_events(session, reps, start_s)
        store.commit()
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    return folder / "page.html"


def test_a_week_becomes_one_page_that_needs_nothing(tiltwise: Command, folder: Path, page: Path) -> None:
    result = tiltwise("report", "--data", folder, "--out", page)
    assert (result.code, result.err) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    found = Tags(text)
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base", "video"}
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert "href" not in attributes
        assert (attributes.get("src") or "data:").startswith("data:image/png;base64,") or tag != "img"
    assert not re.findall(r"url\(|@import|http:", text)
    images = [attributes for tag, attributes in found.tags if tag == "img"]
    assert len(images) == 3  # the days, the exposure, the week before
    assert all((image["alt"] or "").strip() for image in images)
    assert "You looked down (20 deg or more) for 3 h 30 min" in found.text
    assert f"{HOSTILE[:57]}...: 3 repetitions" in found.text  # the name of the exercise, cut, and text only
    assert "McAtamney" in found.text
    assert "not a medical device" in found.text
    assert "14 h 00 min on 7 of 7 days" in found.text


def test_a_page_that_is_made_again_says_that_it_replaced_one(
    tiltwise: Command, folder: Path, tmp_path: Path
) -> None:
    for said in ("", "(in place of an older one)"):
        result = tiltwise("report", "--data", folder, "--from", "2026-03-02", "--to", "2026-03-02",
                          "--out", tmp_path / "one.html")  # fmt: skip
        assert said in result.out
    found = Tags((tmp_path / "one.html").read_text(encoding="utf-8"))
    assert "most of it between 9 and 10" in found.text
    assert "Monday, 2 March 2026" in found.text


def test_a_pdf_of_a_month(tiltwise: Command, folder: Path, tmp_path: Path) -> None:
    result = tiltwise("report", "--data", folder, "--from", "2026-03-01", "--to", "2026-03-31", "--pdf",
                      "--out", tmp_path / "m.pdf")  # fmt: skip
    assert result.code == 0
    written = (tmp_path / "m.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    assert len(written) < MOST_BYTES
    assert len(re.findall(rb"/Type /Page\b", written)) >= 3
    boxes = {
        tuple(round(float(x)) for x in box.split()) for box in re.findall(rb"/MediaBox \[([^]]*)\]", written)
    }
    assert boxes == {(0, 0, 595, 842), (0, 0, 842, 595)}  # points: A4, upright and on its side


def test_what_cannot_be_reported_is_told(tiltwise: Command, folder: Path, tmp_path: Path) -> None:
    said = tiltwise("report", "--data", folder, "--from", "2026-05-01", "--to", "2026-05-07")
    assert_one_line(said, 1, "nothing was recorded from 2026-05-01 to 2026-05-07", "2026-03-11")
    said = tiltwise("report", "--data", folder, "--from", "2026-03-07", "--to", "2026-03-02")
    assert_one_line(said, 2, "the earlier day first")
    assert_one_line(tiltwise("report", "--data", folder, "--out", tmp_path / "r.doc"), 2, ".html or .pdf")
    assert_one_line(tiltwise("report", "--data", folder, "--pdf", "--out", tmp_path / "r.html"), 2, ".pdf")
    assert_one_line(tiltwise("report", "--data", folder, "--out", tmp_path / "no" / "r.html"), 1, "r.html")
    assert_one_line(tiltwise("report", "--data", tmp_path / "none"), 1, "tiltwise demo")


@pytest.mark.parametrize("field", ["title", "about", "sentence", "made"])
def test_every_text_of_a_page_is_escaped(field: str) -> None:
    plain = {"title": "t", "about": "a", "sentence": "s", "made": "m"} | {field: HOSTILE}
    table = PageTable(HOSTILE, (HOSTILE, "why"), ((HOSTILE, HOSTILE),))
    content = PageContent(
        **plain,
        plain=(HOSTILE,),
        pictures=(PagePicture(HOSTILE, b"png", "image/png", table),),
        tables=(table,),
        limits=((HOSTILE, HOSTILE, HOSTILE),),
        notes=(HOSTILE,),
    )
    found = Tags(html_page(content))
    assert not [tag for tag, attributes in found.tags if tag == "script" or "onerror" in attributes]
    assert len([tag for tag, _ in found.tags if tag == "img"]) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it, or name it in TILTWISE_CHROMIUM")
def test_in_chromium_nothing_is_asked_for_and_nothing_runs(
    tiltwise: Command, folder: Path, page: Path
) -> None:
    if not page.exists():  # the first test's, when it ran
        assert tiltwise("report", "--data", folder, "--out", page).code == 0
    seen = seen_in_chromium(page)
    assert seen.requests == [f"file://{page}"]
    assert (seen.dialogs, seen.scripts, seen.is_unmarked, seen.log) == (0, 0, True, [])
    assert len(seen.images) == 3
    assert all(width > 1000 and words for width, words in seen.images)
    assert seen.overflow_px == 0
    assert seen.pdf_bytes > 10_000
