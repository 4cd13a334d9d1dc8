"""Every table of transitions in the code -> one Mermaid state diagram each, for docs/state_machines.md.

The tables are read from the syntax tree, where states and cues still have their names; nothing is imported, so the
firmware's modules need no board.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

TABLE = "TRANSITIONS"
HEAD = """# State machines

Written by `python -m tiltwise_lab.pages` from the `TRANSITIONS` tables in the code; a test keeps the two in step.
An arrow says what was seen, and after a slash what comes out. What has no arrow changes nothing.
"""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One row of a table; `result` is empty where the step has none."""

    state: str
    cue: str
    following: str
    result: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A table of transitions: its file below the checkout, what the file is for, the comment above the table."""

    path: str
    summary: str
    note: str
    start: str
    arrows: tuple[Arrow, ...]


def machines(root: Path) -> list[Machine]:
    """Return every machine below firmware/ and host/tiltwise/, in order of their paths.

    Raises
    ------
    ValueError
        When a table is not a dictionary of names.
    """
    files = sorted([*(root / "firmware").rglob("*.py"), *(root / "host" / "tiltwise").rglob("*.py")])
    return [machine for path in files if (machine := _machine(path, root)) is not None]


def state_machines_page(root: Path) -> str:
    """Return docs/state_machines.md."""
    return "\n".join([HEAD, *(_section(machine) for machine in machines(root))])


def _machine(path: Path, root: Path) -> Machine | None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [TABLE]:
            if not isinstance(node.value, ast.Dict):
                raise ValueError(f"{path}: {TABLE} is expected to be a dictionary")
            arrows = tuple(_arrow(*pair) for pair in zip(node.value.keys, node.value.values, strict=True))
            above = text.splitlines()[node.lineno - 2]
            summary = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
            return Machine(
                path.relative_to(root).as_posix(),
                summary,
                above[2:].rstrip(".") if above.startswith("# ") else "",
                _start(tree, {arrow.state for arrow in arrows}) or arrows[0].state,
                arrows,
            )
    return None


def _arrow(key: ast.expr | None, value: ast.expr) -> Arrow:
    if not isinstance(key, ast.Tuple):
        raise ValueError(f"{ast.unparse(key) if key else '**'}: expected a tuple of state and cue")
    state, *cues = map(_word, key.elts)
    following, *results = map(_word, value.elts) if isinstance(value, ast.Tuple) else [_word(value)]
    result = ", ".join(result for result in results if result != "NOTHING")
    return Arrow(state, ", ".join(cues), following, result)


def _word(node: ast.expr) -> str:
    """Return the last name of `Stage.OUT`, or the text of anything else; True and False as yes and no."""
    text = ast.unparse(node).rpartition(".")[2]
    return {"True": "yes", "False": "no"}.get(text, text)


def _start(tree: ast.Module, states: set[str]) -> str:
    """Return the state that the class begins in: the first one that is assigned to an attribute; "" without one."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            targets = target.elts if isinstance(target, ast.Tuple) else [target]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(targets, values, strict=False):  # one value may be unpacked into several
                word = _word(value.orelse if isinstance(value, ast.IfExp) else value)
                if isinstance(name, ast.Attribute) and word in states:
                    return word
    return ""


def _section(machine: Machine) -> str:
    title = Path(machine.path).stem.replace("_", " ").capitalize()
    lines = [f"## {title} (`{machine.path}`)", "", machine.summary, ""]
    if re.fullmatch(r"\(.*\) -> .*", machine.note):
        lines += [f"Arrows: {machine.note}.", ""]
    lines += ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {machine.start}"] if machine.start else []
    for arrow in machine.arrows:
        out = f" / {arrow.result}" if arrow.result else ""
        lines.append(f"    {arrow.state} --> {arrow.following}: {arrow.cue}{out}")
    return "\n".join([*lines, "```", ""])
