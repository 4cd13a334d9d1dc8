"""The documents of the repository, cut into links, paths, commands, code blocks and quoted messages."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "hardware").rglob("*.md"),
                 *(ROOT / "firmware").rglob("*.md"))
    if ".venv" not in path.parts
)  # fmt: skip
GUIDES = [path for path in PAGES if path.name != "CHANGELOG.md"]  # they say how it is, not how it was
SOURCES = sorted(
    path for name in ("host", "firmware", "tests", "examples") for path in (ROOT / name).rglob("*.py")
)
OF_A_BOARD = {"boot.py"}  # MicroPython's own, which a board may have
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"[\w*-]+(?:/[\w*-]+)*\.(?:py|mjs|md|sh|toml|json|csv|png|txt)\b(?!\()")
_FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def name_of(path: Path) -> str:
    """Return a path below the checkout, for the names of tests."""
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    """Return a page."""
    return path.read_text(encoding="utf-8")


def links(page: str) -> list[str]:
    """Return the targets of links that stay in the repository, without their anchors."""
    targets = (target.partition("#")[0] for target in _LINK.findall(page))
    return [target for target in targets if target and not target.startswith(("http:", "https:", "mailto:"))]


def paths_in(text: str) -> set[str]:
    """Return what looks like the path of a Python module or of a file in a folder of ours."""
    return {found for found in _PATH.findall(text) if found.endswith(".py") or "/" in found}


@cache
def files() -> frozenset[str]:
    """Return all files of the checkout that belong to it, by their paths below it."""
    skip = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
    return frozenset(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file() and not skip & set(path.relative_to(ROOT).parts)
    )


@cache
def exists(path: str, *, is_for_product: bool = False) -> bool:
    """Tell whether a path, seen from any folder of the checkout, is a file of it; `*` stands for any text.

    The product does not speak of the tests' modules: for it they are none, so that a name they share cannot hide one
    that is gone.
    """
    pattern = re.compile("(.*/)?" + re.escape(path).replace(r"\*", "[^/]*"))
    found = (name for name in files() if pattern.fullmatch(name))
    return path in OF_A_BOARD or any(
        path.startswith("tests/") or not is_for_product or not name.startswith("tests/") for name in found
    )


def commands(page: str) -> Iterator[list[str]]:
    """Yield the arguments of each `tiltwise ...` in inline code and in indented or fenced blocks."""
    text = _FENCE.sub(lambda found: "".join("    " + line + "\n" for line in found[2].splitlines()), page)
    inline = re.findall(r"(?<!`)`((?:\w+=\S+ )?tiltwise(?: [^`]*)?)`", " ".join(page.split()))
    blocks = [line.partition("  #")[0] for line in text.splitlines() if line.startswith("    ")]
    for line in [
        *inline,
        *(found[1] for block in blocks if (found := re.search(r"(?:^|/)\s*(tiltwise( .*)?)$", block))),
    ]:
        yield shlex.split(line.strip(), comments=True)[1:]


def python_blocks(page: str) -> list[str]:
    """Return the fenced Python of a page."""
    return [code for language, code in _FENCE.findall(page) if language == "python"]


def quoted_messages(page: str) -> list[str]:
    """Return the first cells of the tables headed "it says"."""
    found, is_inside = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| it says"):
            is_inside = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside and not line.startswith("|---"):
            found.append(cells[0].strip("`"))
    return found


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield every text of a module, with `...` where a value is put in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "..." for part in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w*\}", "...", node.value)


def prose(path: Path) -> str:
    """Return the docstrings and comments of a module."""
    text = read(path)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, _DOCUMENTED)]
    docstrings = [ast.get_docstring(node) or "" for node in nodes]
    return "\n".join([*docstrings, *re.findall(r"(?:^|\s)# (.*)$", text, re.MULTILINE)])


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
