"""Run the board's modules with floats that count the operations made with them."""

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tiltwise_lab.bench.accuracy.number_types import load_with


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
