"""Run the board's modules with another number type, from the same source: single precision, or counting.

Every float literal of the module is wrapped in the type, so that no operation escapes to CPython's double precision.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class _Wrap(ast.NodeTransformer):
    """Replaces `1.0` by `number(1.0)`."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) is not float:
            return node
        call = ast.Call(func=ast.Name(id="__number__", ctx=ast.Load()), args=[node], keywords=[])
        return ast.copy_location(call, node)


def load_with(module: ModuleType, number: Callable[[float], Any], sqrt: Callable[[Any], Any]) -> ModuleType:
    """Return a copy of the module whose float literals are `number(...)` and whose `math.sqrt` is `sqrt`."""
    path = str(module.__file__)
    tree = ast.fix_missing_locations(_Wrap().visit(ast.parse(Path(path).read_text(encoding="utf-8"))))
    copy = ModuleType(module.__name__ + "_with_" + getattr(number, "__name__", "number"))
    copy.__dict__["__number__"] = number
    exec(compile(tree, path, "exec"), copy.__dict__)
    for node in tree.body:  # what it takes from a module beside it is copied the same way
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tiltwise.common."):
            home = load_with(import_module(str(node.module)), number, sqrt)
            copy.__dict__.update({each.asname or each.name: getattr(home, each.name) for each in node.names})
    copy.__dict__["math"] = SimpleNamespace(sqrt=sqrt)
    return copy


def load_single(module: ModuleType) -> ModuleType:
    """Return a copy of the module that calculates in single precision when it is fed `numpy.float32`."""
    return load_with(module, np.float32, lambda x: np.float32(np.sqrt(x)))
