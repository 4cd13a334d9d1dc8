"""The classes of a live session and the calls between them -> the Mermaid figure of docs/live_session.md.

Read from the syntax trees: an arrow stands where a class calls methods of another one that it holds as an attribute
or gets as a parameter, with the names of those methods.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ENTRANCES = ("run_live", "pump")  # the event loop; everything in the figure is reached from here
FOLDERS = ("live", "live/wearer", "live/backfill", "decode", "store")
FILES = ("tracker.py", "link/source.py", "link/commands.py", "recording/tw_file.py")
TOO_DEEP = ("decode", "store")  # folders that stand as one box: the figure does not look into them
_MOST_NAMES = 6  # on one arrow
_MARKS = re.compile(r"(<!-- figure: live session -->\n)(.*?)(<!-- end of figure -->)", re.DOTALL)

_DEF = (ast.FunctionDef, ast.AsyncFunctionDef)
_Calls = dict[tuple[str, str], list[str]]


def with_live_figure(page: str, root: Path) -> str:
    """Return a page with the figure between its two marks.

    Raises
    ------
    ValueError
        When the page has no marks, or nothing is reached from `run_live`.
    """
    if not _MARKS.search(page):
        raise ValueError("the page has no place for the figure of the live session")
    return _MARKS.sub(lambda found: found[1] + live_figure(root) + found[3], page)


def live_figure(root: Path) -> str:
    """Return the figure as a fenced Mermaid block."""
    homes, calls = _homes_and_calls(root / "host" / "tiltwise")
    shown = _reached(calls)
    if len(shown) <= len(ENTRANCES):
        raise ValueError(f"{ENTRANCES[0]} is expected to call a session; nothing is reached from it")
    lines = ["```mermaid", "flowchart TD"]
    for folder in dict.fromkeys(homes[name] for name in shown):
        lines.append(f'    subgraph {folder.replace("/", "_")}["{folder}/"]')
        lines += [f"        {name}" for name in shown if homes[name] == folder]
        lines.append("    end")
    for (caller, called), names in calls.items():
        if caller in shown and called in shown:
            more = " ..." if len(names) > _MOST_NAMES else ""
            lines.append(f'    {caller} -- "{" ".join(names[:_MOST_NAMES])}{more}" --> {called}')
    return "\n".join([*lines, "```", ""])


def _homes_and_calls(package: Path) -> tuple[dict[str, str], _Calls]:
    """Return the folder of each class and of the entrances, and who calls what of whom."""
    files = [*(path for folder in FOLDERS for path in sorted((package / folder).glob("*.py")))]
    files += [package / name for name in FILES]
    homes: dict[str, str] = {}
    nodes: dict[str, ast.ClassDef | ast.AsyncFunctionDef] = {}
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_class = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
            if is_class or (isinstance(node, ast.AsyncFunctionDef) and node.name in ENTRANCES):
                assert isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef))
                nodes[node.name] = node
                homes[node.name] = path.parent.relative_to(package).as_posix().replace(".", "tiltwise")
    calls: _Calls = defaultdict(list)
    methods = {
        name: {part.name for part in ast.walk(node) if isinstance(part, _DEF)} for name, node in nodes.items()
    }
    for name, node in nodes.items():
        if homes[name] in TOO_DEEP:
            continue
        for called, method in _calls_of(node, set(nodes)):
            if called != name and method in methods[called] and method not in calls[name, called]:
                calls[name, called].append(method)
    return homes, calls


def _calls_of(node: ast.AST, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (class, method) of each call on an attribute or parameter whose class is known."""
    classes = _classes_of_names(node, known)
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            for called in classes.get(ast.unparse(call.func.value), ()):
                yield called, call.func.attr


def _classes_of_names(node: ast.AST, known: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the classes behind `keeper` and `self._keeper`: from annotations, constructors and assignments."""
    found: dict[str, tuple[str, ...]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.arg) and part.annotation is not None:
            found[part.arg] = _known_in(part.annotation, known)
        elif isinstance(part, ast.AnnAssign):
            found[ast.unparse(part.target)] = _known_in(part.annotation, known)
    for part in ast.walk(node):
        if isinstance(part, ast.Assign):
            for target, value in _pairs(part):
                classes = _known_in(value, known) or found.get(ast.unparse(value), ())
                if classes:
                    found.setdefault(ast.unparse(target), classes)
    return found


def _pairs(assign: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    target, value = assign.targets[0], assign.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=True)
    else:
        yield target, value


def _known_in(node: ast.expr, known: set[str]) -> tuple[str, ...]:
    """Return the known classes that an annotation or a constructor names."""
    if isinstance(node, ast.Call):
        node = node.func
    return tuple(dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in known))


def _reached(calls: _Calls) -> list[str]:
    found = list(ENTRANCES)
    for name in found:
        found += [called for caller, called in calls if caller == name and called not in found]
    return found
