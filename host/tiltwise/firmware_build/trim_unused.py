"""Takes out of the firmware what a board would load and never look at: unread texts of errors, idle imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from tiltwise.firmware_build.fold_constants import replace

# host_session.py and command_handlers.py count these; on the host their texts are for people.
_UNREAD = ("WireError", "ReplayError")


def trim(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the same files without the texts of errors that nobody reads and without imports that nobody uses.

    Parameters
    ----------
    sources : path on the board -> text. Profiles (`boards/`) stay as they are: board.py asks for their names.
    """
    reached = {name for text in sources.values() for name in _reached(_parse(text))}
    return {place: text if "/boards/" in place else _trim(text, reached) for place, text in sources.items()}


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError:  # mpy-cross says it better
        return ast.Module([], [])


def _reached(tree: ast.Module) -> Iterator[str]:
    """Yield what a file asks of others: what one of them imported may be asked of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr


def _trim(text: str, reached: set[str]) -> str:
    tree = _parse(text)
    lines = text.encode().splitlines(keepends=True)
    edits: list[tuple[ast.stmt | ast.expr, str]] = [*_idle_imports(tree, reached), *_texts(tree)]
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        replace(lines, node, new.encode())
    return b"".join(lines).decode()


def _texts(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            kind = ast.unparse(node.exc.func)
            if kind.rpartition(".")[2] in _UNREAD:
                yield node.exc, kind


def _idle_imports(tree: ast.Module, reached: set[str]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield the imports at the top of a file as they are without names that neither it nor another one uses."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | reached
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        kept = [alias for alias in node.names if (alias.asname or alias.name).partition(".")[0] in used]
        if len(kept) < len(node.names):
            rest = (
                ast.ImportFrom(node.module, kept, node.level)
                if isinstance(node, ast.ImportFrom)
                else ast.Import(kept)
            )
            yield node, ast.unparse(rest) if kept else "pass"
