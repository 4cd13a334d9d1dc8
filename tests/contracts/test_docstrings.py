"""Public functions that take or return arrays say the shape and the unit in their docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HOST = Path(__file__).parents[2] / "host" / "tiltwise"
FOLDERS = ("motion", "detect", "exercise", "report", "recording", "decode", "sim", "offline")
MODULES = ("tracker.py", "pair_tracker.py")
LEAST_SHARE = 0.9
ARRAY = re.compile(r"\b(FloatArray|BoolArray|IndexArray|IntArray|NDArray|ndarray)\b")
SHAPE = re.compile(r"\((\.\.\.,|[a-z0-9()+ -]+,)[^)]*\)")  # (n,) (n, 3) (..., 4) (m + 1, 18)
UNIT = re.compile(
    r"\b(deg|rad|m/s\^?2|s|Hz|m|percent|minutes|counts?|int8|mask|ind(ex|ices)|whether|which|quaternions?|directions?|units?)\b"
    r"|_(s|deg|rad|hz|m_s2|deg_s|rad_s|m)\b"
)


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Yield functions and methods without a leading underscore, properties left out."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def handles_arrays(function: ast.FunctionDef) -> bool:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    annotations = [a.annotation for a in arguments] + [function.returns]
    return any(ARRAY.search(ast.unparse(each)) for each in annotations if each is not None)


def test_docstrings_of_array_functions_give_shape_and_unit() -> None:
    paths = [p for folder in FOLDERS for p in (HOST / folder).rglob("*.py")] + [HOST / m for m in MODULES]
    asked, missing = 0, []
    for path in sorted(paths):
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body):
            if handles_arrays(function):
                asked += 1
                doc = ast.get_docstring(function) or ""
                if not (SHAPE.search(doc) and UNIT.search(doc + " " + function.name)):
                    missing.append(f"{path.relative_to(HOST)}:{function.lineno} {function.name}")
    assert asked > 50
    share = 1 - len(missing) / asked
    assert share >= LEAST_SHARE, f"{share:.0%} of {asked} give both; not: {missing}"
