"""A word or two in letters that can be read from two metres, as wide as the terminal allows."""

from __future__ import annotations

from functools import lru_cache

from pyfiglet import Figlet

FONTS = ("banner3", "standard", "small")  # the largest first
_TALL_ROWS = 22  # below so many rows of the terminal, the large font would push the bars out


@lru_cache(maxsize=64)
def big_lines(text: str, columns: int, rows: int = 24) -> tuple[str, ...]:
    """Return the lines of the text in the largest font whose words fit, each word a line of its own if need be."""
    for font in FONTS if rows >= _TALL_ROWS else FONTS[1:]:
        lines = _in_font(text, font, columns)
        if lines and max(map(len, lines)) <= columns:
            return lines
    return (text.upper(),)


def _in_font(text: str, font: str, columns: int) -> tuple[str, ...]:
    """Return the text in one line if it fits, else word by word; what is still too wide is the caller's to refuse."""
    draw = Figlet(font=font, width=1000).renderText
    whole = _trimmed(draw(text))
    if max(map(len, whole), default=0) <= columns:
        return whole
    return tuple(line for word in text.split() for line in _trimmed(draw(word)))


def _trimmed(drawn: str) -> tuple[str, ...]:
    lines = [line.rstrip().replace("#", "█") for line in drawn.splitlines()]
    return tuple(line for line in lines if line)
