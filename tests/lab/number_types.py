"""Run the board's modules with another number type, from the same source: single precision, or counted floats.

Every float literal of the module is wrapped in the type, so that no operation escapes to CPython's double precision.
"""

import ast
import math
from collections.abc import Callable
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
    copy.__dict__["math"] = SimpleNamespace(sqrt=sqrt)
    return copy


def load_single(module: ModuleType) -> ModuleType:
    """Return a copy of the module that calculates in single precision when it is fed `numpy.float32`."""
    return load_with(module, np.float32, lambda x: np.float32(np.sqrt(x)))


class Counted(float):
    """A float that counts the operations made with it: on a board each allocates one object of 16 bytes."""

    count = 0


def _counting(name: str) -> Callable[..., Any]:
    plain = getattr(float, name)

    def operation(self: Counted, *others: float) -> Any:
        result = plain(self, *others)
        if result is NotImplemented:
            return result
        Counted.count += 1
        return Counted(result)

    return operation


for _name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "rtruediv", "neg"):
    setattr(Counted, f"__{_name}__", _counting(f"__{_name}__"))


def load_counted(module: ModuleType) -> ModuleType:
    """Return a copy of the module whose float operations add to `Counted.count`."""

    def sqrt(x: float) -> Counted:
        Counted.count += 1
        return Counted(math.sqrt(x))

    return load_with(module, Counted, sqrt)
