"""Source text -> the places where a small change should be noticed, and the text with one of them made.

A mutant is one change that a tired programmer could make: a comparison that takes or leaves its border, a sign, a
constant one off, a condition upside down, a statement forgotten. Texts for people, annotations and what only runs
under a type checker are left alone: no test should hold their every letter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr, ast.Pow: ast.Mult,
}  # fmt: skip
NO_PART_OF_IT = ("annotation", "returns", "decorator_list", "type_params")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: its line, what stood there, what stands there now, and the whole text of the changed module."""

    line: int
    before: str
    after: str
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a module, counted in the order of `_places`, and in which way it changes."""

    place: int
    variant: int


def points(source: str) -> list[Point]:
    """Return where a module can be changed, in the order of its lines."""
    places = enumerate(_places(ast.parse(source)))
    return [Point(k, v) for k, (parent, field, i) in places for v in range(_variants(_get(parent, field, i)))]


def make_mutant(source: str, point: Point) -> Mutant:
    """Return the module with one change."""
    tree = ast.parse(source)
    parent, field, i = next(place for k, place in enumerate(_places(tree)) if k == point.place)
    node = _get(parent, field, i)
    before = _one_line(ast.unparse(node))
    changed = ast.copy_location(_changed(node, point.variant), node)
    if i is None:
        setattr(parent, field, changed)
    else:
        getattr(parent, field)[i] = changed
    return Mutant(
        node.lineno, before, _one_line(ast.unparse(changed)), ast.unparse(ast.fix_missing_locations(tree))
    )


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield (parent, field, index) of what may change, outermost first; not of what no test should hold."""
    for field, value in ast.iter_fields(node):
        if field in NO_PART_OF_IT:
            continue
        for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                if isinstance(child, (ast.expr, ast.stmt)):
                    yield node, field, i
                yield from _places(child)


def _get(parent: ast.AST, field: str, i: int | None) -> ast.expr | ast.stmt:
    value = getattr(parent, field)
    return value if i is None else value[i]


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Raise, ast.Assert)):
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring


def _variants(node: ast.AST) -> int:
    """Return in how many ways a node can change."""
    match node:
        case ast.Compare(ops=[op]):
            return int(type(op) in COMPARISONS)
        case ast.BinOp(left=left, op=op):
            is_text = isinstance(left, (ast.JoinedStr, ast.List, ast.Tuple)) or _is_text(left)
            return int(type(op) in OPERATIONS and not is_text)
        case ast.AugAssign():
            return 2
        case ast.BoolOp() | ast.IfExp():
            return 1
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            return 1
        case ast.Constant(value=value):
            return int(isinstance(value, (bool, int, float)))
        case ast.If() | ast.While():
            return 0 if isinstance(node.test, ast.Constant) else 1
        case ast.Expr(value=ast.Call()) | ast.Continue() | ast.Break():
            return 1
        case ast.Return(value=value):
            return int(value is not None and not isinstance(value, ast.Constant))
    return 0


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


def _changed(node: ast.expr | ast.stmt, variant: int) -> ast.expr | ast.stmt:
    """Return what stands in the node's place afterwards."""
    match node:
        case ast.Compare():
            node.ops = [COMPARISONS[type(node.ops[0])]()]
        case ast.BinOp() | ast.AugAssign() if variant == 0:
            node.op = OPERATIONS[type(node.op)]()
        case ast.BoolOp(op=op):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.IfExp():
            node.body, node.orelse = node.orelse, node.body
        case ast.UnaryOp(op=ast.USub()):
            return node.operand
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant():
            node.value = _other_value(node.value)
        case ast.If() | ast.While():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Return():
            node.value = ast.Constant(None)
        case _:
            return ast.Pass()
    return node


def _other_value(value: object) -> bool | int | float:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    assert isinstance(value, float)
    return value * 1.5 if value else 1.0


def _one_line(text: str) -> str:
    line = text.splitlines()[0]
    return line if len(line) < 100 else line[:97] + "..."
