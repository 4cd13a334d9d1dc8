"""Shortens the names that only the firmware itself reads, so that a board keeps one text in the place of many.

MicroPython keeps the text of each name once, in a table that doubles when it is full. A parameter and a private
attribute (`self._x`) cost an entry of their own although nothing looks them up by what they say: here the first
parameter of every function is `a`, and the first private attribute of every class `_a`. Functions, classes,
modules and public attributes keep their names, so a traceback reads as before.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping

Edit = tuple[int, int, int, str]  # line, first and last byte in it, what comes there
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def shorten(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the same files with short names for parameters and for the private attributes of objects.

    Parameters
    ----------
    sources : path on the board -> text, all that runs there: what one file passes by keyword keeps its name in all.
    """
    trees = {place: _parse(text) for place, text in sources.items()}
    keywords = {node.arg for node in _all(trees) if isinstance(node, ast.keyword) and node.arg}
    attributes = _Attributes(trees)
    return {
        place: _write(sources[place], [*_parameters(tree, keywords), *attributes.edits(tree)])
        for place, tree in trees.items()
    }


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:  # mpy-cross says it better
        return ast.Module([], [])


def _all(trees: Mapping[str, ast.Module]) -> Iterator[ast.AST]:
    for tree in trees.values():
        yield from ast.walk(tree)


def _write(text: str, edits: list[Edit]) -> str:
    lines = text.encode().splitlines(keepends=True)
    for line, first, last, new in sorted(edits, reverse=True):
        lines[line - 1] = lines[line - 1][:first] + new.encode() + lines[line - 1][last:]
    return b"".join(lines).decode()


def _letters(taken: set[str], before: str = "") -> Iterator[str]:
    """Yield a, b, ..., z, aa, ab, ... without those that are taken."""
    for end in ["", *string.ascii_lowercase]:
        for letter in string.ascii_lowercase:
            if before + end + letter not in taken:
                yield before + end + letter


# ---- parameters ----


def _parameters(tree: ast.Module, keywords: set[str]) -> Iterator[Edit]:
    for node in ast.walk(tree):
        # A function inside a function sees the outer one's names: both stay as they are.
        if isinstance(node, _Function) and sum(isinstance(part, _SCOPES) for part in ast.walk(node)) == 1:
            yield from _renamed(node, keywords)


def _renamed(function: _Function, keywords: set[str]) -> Iterator[Edit]:
    inside = [part for part in ast.walk(function) if isinstance(part, ast.Name)]
    arguments = [arg for arg in function.args.args if arg.arg != "self"]
    names = {part.id for part in inside}
    short = _letters(names | {arg.arg for arg in arguments} | keywords)
    bound_inside = {
        part.id
        for node in ast.walk(function)
        if isinstance(node, ast.comprehension)
        for part in ast.walk(node.target)
        if isinstance(part, ast.Name)
    }
    for arg in arguments:
        if arg.arg in keywords or arg.arg in bound_inside:
            continue
        new = next(short)
        yield arg.lineno, arg.col_offset, arg.col_offset + len(arg.arg.encode()), new
        for part in inside:
            if part.id == arg.arg:
                yield part.lineno, part.col_offset, part.col_offset + len(arg.arg.encode()), new


# ---- private attributes ----


class _Attributes:
    """Which private attributes of which class may have which short name.

    Only attributes that are reached through `self` alone, are no method and nothing of the class, and that no text
    mentions. A class shares its names with its bases and with what is derived from it.
    """

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._family: dict[str, str] = {}
        own: dict[str, set[str]] = {}
        through_self: set[int] = set()
        kept = {"_"}
        for node in _all(trees):
            if isinstance(node, ast.ClassDef):
                self._join(node)
                kept |= _of_the_class(node)
                for part in _owned(node):
                    through_self.add(id(part))
        for node in _all(trees):
            if isinstance(node, ast.Attribute) and id(node) not in through_self:
                kept.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                kept.add(node.value)
            elif isinstance(node, ast.ClassDef):
                own.setdefault(self._of(node.name), set()).update(part.attr for part in _owned(node))
        self._short: dict[str, dict[str, str]] = {}
        for family, names in own.items():
            new = _letters(kept | names, "_")
            self._short[family] = {name: next(new) for name in sorted(names - kept) if _is_private(name)}

    def edits(self, tree: ast.Module) -> Iterator[Edit]:
        """Yield what is to change in a file."""
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            short = self._short[self._of(node.name)]
            for part in _owned(node):
                if part.attr in short and part.end_lineno and part.end_col_offset:
                    first = part.end_col_offset - len(part.attr.encode())
                    yield part.end_lineno, first, part.end_col_offset, short[part.attr]

    def _of(self, name: str) -> str:
        while self._family.get(name, name) != name:
            name = self._family[name]
        return name

    def _join(self, node: ast.ClassDef) -> None:
        self._family.setdefault(node.name, node.name)
        for base in node.bases:
            name = (
                base.attr
                if isinstance(base, ast.Attribute)
                else base.id
                if isinstance(base, ast.Name)
                else ""
            )
            self._family.setdefault(name, name)
            self._family[self._of(name)] = self._of(node.name)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _owned(node: ast.ClassDef) -> Iterator[ast.Attribute]:
    """Yield all `self.x` in the methods of a class."""
    for method in node.body:
        if isinstance(method, _Function):
            for part in ast.walk(method):
                if (
                    isinstance(part, ast.Attribute)
                    and isinstance(part.value, ast.Name)
                    and part.value.id == "self"
                ):
                    yield part


def _of_the_class(node: ast.ClassDef) -> set[str]:
    """Return the names that the class itself has, methods and values."""
    found = set()
    for part in node.body:
        if isinstance(part, _Function | ast.ClassDef):
            found.add(part.name)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            found |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
    return found
