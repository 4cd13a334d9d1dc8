"""The board's fusion in single precision, as most boards calculate: the same source, every operation rounded."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tiltwise.common import fusion


class _Wrap(ast.NodeTransformer):
    """Replaces `1.0` by `number(1.0)`, so that no operation escapes to double precision."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) is not float:
            return node
        call = ast.Call(func=ast.Name(id="__number__", ctx=ast.Load()), args=[node], keywords=[])
        return ast.copy_location(call, node)


def single_precision_fusion(rate_hz: float) -> Any:
    """Return a Fusion that calculates in single precision when it is fed numpy.float32."""
    path = Path(str(fusion.__file__))
    tree = ast.fix_missing_locations(_Wrap().visit(ast.parse(path.read_text(encoding="utf-8"))))
    module = ModuleType("tiltwise_fusion_single")
    module.__dict__["__number__"] = np.float32
    exec(compile(tree, str(path), "exec"), module.__dict__)
    module.__dict__["math"] = SimpleNamespace(sqrt=lambda x: np.float32(np.sqrt(x)))
    return module.Fusion(np.float32(rate_hz))
