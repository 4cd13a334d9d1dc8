"""Makes the firmware smaller before it is compiled: numbers in the place of constants, nothing that nobody uses.

MicroPython resolves `const` inside one module only: a public constant stays a name in memory, an entry in a
dictionary, and a search each time it is used. Setup compiles all files together and can do better: it also leaves
out functions, classes and tables that no file asks for, such as the host's half of the handshake. Source that is
copied as it is works the same and takes more memory.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Number = int | float
_ASKED_BY_PEOPLE = ("self_test",)  # at MicroPython's prompt
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_NAME = re.compile(r"_?[A-Z][A-Z0-9_]*")


@dataclass
class _Module:
    """One file: its tree, and which names in it are numbers."""

    lines: list[bytes]
    tree: ast.Module
    numbers: dict[str, Number] = field(default_factory=dict)
    definitions: list[tuple[ast.Assign, list[str]]] = field(default_factory=list)


def fold(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the same files with constants that are plain numbers resolved, and without what is not used.

    Parameters
    ----------
    sources : path on the board -> text. Profiles (`boards/`) stay as they are: board.py asks for their names.
    """
    modules = {place: _read(place, text) for place, text in sources.items()}
    unused = _unused(modules)
    return {place: _write(place, module, modules, unused) for place, module in modules.items()}


def _read(place: str, text: str) -> _Module:
    lines = text.encode().splitlines(keepends=True)
    try:
        module = _Module(lines, ast.parse(text))
    except SyntaxError:  # mpy-cross says it better
        return _Module(lines, ast.Module([], []))
    if "/boards/" in place:
        return module
    stores = [n.id for n in ast.walk(module.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    stores += [n.arg for n in ast.walk(module.tree) if isinstance(n, ast.arg)]
    for node in module.tree.body:
        found = _definition(node, module.numbers)
        if found and all(_NAME.fullmatch(name) and stores.count(name) == 1 for name in found):
            assert isinstance(node, ast.Assign)
            module.numbers |= found
            module.definitions.append((node, list(found)))
    return module


def _definition(node: ast.stmt, known: Mapping[str, Number]) -> dict[str, Number]:
    """Return name -> value of `A = 1`, `A = const(1)`, `A, B = 1, 2`, `A, B = range(2)`; nothing for the rest."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return {}
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple):
        names = [name.id for name in target.elts if isinstance(name, ast.Name)]
        found = (
            range(len(names)) if _calls(value, "range") else [_constant(v, known) for v in _elements(value)]
        )
        is_whole = len(names) == len(target.elts) == len(found) and None not in found
        return {
            name: number
            for name, number in zip(names, found, strict=False)
            if is_whole and number is not None
        }
    number = _constant(value, known)
    return {} if number is None or not isinstance(target, ast.Name) else {target.id: number}


def _elements(value: ast.expr) -> list[ast.expr]:
    return value.elts if isinstance(value, ast.Tuple) else []


def _constant(value: ast.expr, known: Mapping[str, Number]) -> Number | None:
    """Return the number of `1` or `const(1)`, None when it is something else."""
    if isinstance(value, ast.Call) and _calls(value, "const") and value.args:
        value = value.args[0]
    return _number(value, known)


def _calls(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == name


def _number(value: ast.expr, known: Mapping[str, Number]) -> Number | None:
    if isinstance(value, ast.Constant) and type(value.value) in (int, float):
        assert isinstance(value.value, int | float)
        return value.value
    if isinstance(value, ast.BinOp) and type(value.op) in _OPERATORS:
        left, right = _number(value.left, known), _number(value.right, known)
        if isinstance(left, int) and isinstance(right, int):  # a board rounds its floats in another way
            return _OPERATORS[type(value.op)](left, right)
    return known.get(value.id) if isinstance(value, ast.Name) else None


def _write(place: str, module: _Module, modules: Mapping[str, _Module], unused: set[int]) -> str:
    """Return the text of a module with all numbers put in, and without the names that nobody needs any more."""
    aliases, direct, imports = _imported(place, module, modules)
    numbers = direct | module.numbers
    gone = {id(node) for node, _ in module.definitions} | unused
    edits: list[tuple[ast.stmt | ast.expr, bytes]] = list(imports)
    edits += [(node, b"") for node in _statements(module.tree) if id(node) in gone]
    for statement in module.tree.body:
        if id(statement) in gone:
            continue
        for node in _walk(statement, gone):
            value = _value(node, numbers, aliases)
            if value is not None:
                assert isinstance(node, ast.expr)
                edits.append((node, repr(value).encode()))
    lines = list(module.lines)
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        replace(lines, node, new)
    return b"".join(lines).decode()


def _value(node: ast.AST, numbers: Mapping[str, Number], aliases: Mapping[str, _Module]) -> Number | None:
    """Return what `NAME` or `module.NAME` stands for, None when it is no number."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return numbers.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
        return aliases[node.value.id].numbers.get(node.attr)
    return None


def replace(lines: list[bytes], node: ast.stmt | ast.expr, new: bytes) -> None:
    """Put new text in the place of a node; it may span lines, whose number stays."""
    decorators = getattr(node, "decorator_list", [])
    first, last = (decorators or [node])[0].lineno - 1, (node.end_lineno or node.lineno) - 1
    head = lines[first][: node.col_offset]  # an @ stands where its function does
    tail = lines[last][node.end_col_offset :]
    lines[first] = head + new + (b"\n" if last > first else tail)
    if last > first:
        lines[first + 1 : last] = [b"\n"] * (last - first - 1)
        lines[last] = tail


# ---- what nobody uses ----


def _unused(modules: Mapping[str, _Module]) -> set[int]:
    """Return the ids of the definitions that no code mentions, not even as a text, whatever module it means."""
    waiting: dict[str, list[ast.stmt]] = {}
    live: list[ast.stmt] = []
    for place, module in modules.items():
        for node in _statements(module.tree):
            name = None if "/boards/" in place else _defined(node)
            if name is None or name.startswith("__") or name in _ASKED_BY_PEOPLE:
                live.append(node)
            else:
                waiting.setdefault(name, []).append(node)
    unsure = {id(node) for nodes in waiting.values() for node in nodes}
    while live:
        for name in _mentioned(live.pop(), unsure):
            live += waiting.pop(name, [])
    return {id(node) for nodes in waiting.values() for node in nodes}


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield what is at the top of a module and at the top of its classes; a class that goes takes all with it."""
    for node in tree.body:
        yield node
        if isinstance(node, ast.ClassDef):
            yield from node.body


def _defined(node: ast.stmt) -> str | None:
    """Return the name that a statement defines and that may go without changing anything else."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        has_effect = any(not (isinstance(d, ast.Name) and d.id == "property") for d in node.decorator_list)
        return None if has_effect else node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and len(node.targets) == 1:
        has_call = any(isinstance(part, ast.Call) for part in ast.walk(node.value))
        return None if has_call else node.targets[0].id
    return None


def _mentioned(statement: ast.stmt, unsure: set[int]) -> Iterator[str]:
    for node in _walk(statement, unsure):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _walk(top: ast.stmt, without: set[int]) -> Iterator[ast.AST]:
    """Yield a statement and all in it, but not what lies in these statements."""
    waiting: list[ast.AST] = [top]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if id(child) not in without]


# ---- imports ----


def _imported(
    place: str, module: _Module, modules: Mapping[str, _Module]
) -> tuple[dict[str, _Module], dict[str, Number], list[tuple[ast.stmt | ast.expr, bytes]]]:
    """Return module names in this file, numbers imported by name, and the imports as they are without those."""
    aliases: dict[str, _Module] = {}
    direct: dict[str, Number] = {}
    edits: list[tuple[ast.stmt | ast.expr, bytes]] = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        folder = _folder(place, node)
        kept = []
        for alias in node.names:
            whole = modules.get(f"{folder}/{alias.name}.py")
            part = modules.get(f"{folder}.py") or modules.get(f"{folder}/__init__.py")
            if whole is not None:
                aliases[alias.asname or alias.name] = whole
            if whole is None and part is not None and alias.name in part.numbers:
                direct[alias.asname or alias.name] = part.numbers[alias.name]
            else:
                kept.append(alias)
        if len(kept) < len(node.names):
            text = ast.unparse(ast.ImportFrom(node.module, kept, node.level)) if kept else "pass"
            edits.append((node, text.encode()))
    return aliases, direct, edits


def _folder(place: str, node: ast.ImportFrom) -> str:
    """Return the path, without its end, that a `from ... import` asks."""
    inside = (node.module or "").replace(".", "/")
    if not node.level:
        return inside
    parents = list(_parents(place))
    return f"{parents[node.level - 1]}/{inside}".rstrip("/")


def _parents(place: str) -> Iterator[str]:
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place
