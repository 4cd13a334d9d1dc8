"""A report as one HTML page: no script, no network, no file beside it; every text escaped.

A content security policy in the page forbids whatever is not in it, also where a text should hold markup.
"""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined

from tiltwise.report.page.page_content import PageContent, PagePicture

_TEMPLATES = Environment(
    loader=PackageLoader("tiltwise.report.page", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html_page(content: PageContent) -> str:
    """Return the page as text; write it as UTF-8."""
    return _TEMPLATES.get_template("report.html").render(page=content, data_uri=_data_uri)


def _data_uri(picture: PagePicture) -> str:
    return f"data:{picture.kind};base64,{b64encode(picture.data).decode('ascii')}"
