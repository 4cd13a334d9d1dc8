"""Puts small modules of the firmware into the one that leads them: on a board each module costs 170 bytes of its own.

A module is an object with a dictionary, a table of the names it uses, and an import in everybody who asks it. The
source stays in small files; only what is compiled has fewer. Whatever could make a name mean something else than
before stops the build: MergeError.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Leader -> what goes into it, each after what it needs. Not in here: what main.py, `tiltwise setup`, or a name in a
# text asks for, and what is not always loaded.
GROUPS = {
    "firmware/device/housekeeping.py": ("battery", "button", "led", "power"),
    "firmware/sensing/sampler.py": ("timebase", "framer", "minute_summary"),
    "firmware/wearer/wearer_state.py": (
        "haptics",
        "neutral",
        "wear_detection",
        "double_tap",
        "standalone_coach",
    ),
    "firmware/comms/host_session.py": ("send_queue", "command_handlers"),
    "firmware/comms/frame_store.py": ("frame_ring",),
    "firmware/storage/minute_archive.py": ("flash_log",),
    "firmware/comms/link_usb.py": ("link",),
    "firmware/comms/ble_radio.py": ("link_ble",),
    "tiltwise/common/channel.py": ("auth", "cipher"),
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class MergeError(ValueError):
    """Two modules cannot be one as they are; the text says which name is in the way."""


@dataclass
class _Member:
    """One module of a group."""

    place: str
    tree: ast.Module
    own: set[str]  # names that it defines
    renamed: dict[str, str] = field(default_factory=dict)  # those that another member defines too


def merge(sources: Mapping[str, str], groups: Mapping[str, tuple[str, ...]] = GROUPS) -> dict[str, str]:
    """Return the same firmware in fewer files.

    Parameters
    ----------
    sources : path on the board -> text
    groups : leader -> names of the modules beside it that go into it; a group that is not all there is left alone
    """
    merged = dict(sources)
    for leader, names in groups.items():
        places = [f"{leader.rpartition('/')[0]}/{name}.py" for name in names]
        if all(place in merged for place in (*places, leader)):
            members = _members({place: merged.pop(place) for place in (*places, leader)})
            merged[leader] = _one(members)
            for place, text in merged.items():
                if place != leader and place.endswith(".py") and place != "../main.py":
                    merged[place] = _redirect(place, text, leader, members)
    return merged


def _members(texts: Mapping[str, str]) -> dict[str, _Member]:
    taken: set[str] = set()
    members = {}
    for place, text in texts.items():
        tree = ast.parse(text)
        own = set(_defined(tree))
        member = members[_module(place)] = _Member(place, tree, own)
        member.renamed = {name: f"{name}_{_name(place)}" for name in own & taken}
        taken |= own
    return members


def _module(place: str) -> str:
    return place.removesuffix(".py").replace("/", ".")


def _name(place: str) -> str:
    return place.rpartition("/")[2].removesuffix(".py")


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, _Function | ast.ClassDef):
            yield node.name
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield from _stored(node)


def _stored(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _asked(place: str, node: ast.ImportFrom) -> str:
    """Return the module or package that a `from ... import` asks, with its full name."""
    if not node.level:
        return node.module or ""
    inside = ".".join(_module(place).split(".")[: -node.level])
    return f"{inside}.{node.module}" if node.module else inside


# ---- inside ----


def _one(members: Mapping[str, _Member]) -> str:
    """Return the text of all members as one module."""
    body: list[ast.stmt] = []
    bound: dict[str, str] = {}  # name -> what it is imported from
    for member in members.values():
        inside = _Inside(member, members)
        for node in member.tree.body:
            kept = inside.visit(node)
            if isinstance(kept, ast.Import | ast.ImportFrom):
                kept.names = [alias for alias in kept.names if _is_new(alias, kept, member.place, bound)]
            if not isinstance(kept, ast.Pass) and getattr(kept, "names", True):
                body.append(kept)
    own = {member.renamed.get(name, name) for member in members.values() for name in member.own}
    for name in own & set(bound):
        raise MergeError(f"{name}: defined in one and imported in another of {', '.join(members)}")
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))


def _is_new(alias: ast.alias, node: ast.Import | ast.ImportFrom, place: str, bound: dict[str, str]) -> bool:
    """Tell whether an import is not there yet; MergeError when its name stands for something else."""
    name = alias.asname or alias.name
    whence = f"{_asked(place, node)}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
    if bound.get(name, whence) != whence:
        raise MergeError(f"{name}: {whence} in {place}, {bound[name]} in another module of its group")
    is_new = name not in bound
    bound[name] = whence
    return is_new


class _Inside(ast.NodeTransformer):
    """Makes one member speak of the others as of itself: `power.Power` and an imported `Power` become `Power`."""

    def __init__(self, member: _Member, members: Mapping[str, _Member]) -> None:
        self._member = member
        self._modules: dict[str, _Member] = {}  # name here -> member that it stands for
        self._names = dict(member.renamed)  # name here -> name in the merged module
        self._scopes: list[set[str] | None] = []  # names of the functions around, None for a class
        for node in member.tree.body:
            if isinstance(node, ast.ImportFrom):
                node.names = [alias for alias in node.names if not self._is_inner(alias, node, members)]

    def _is_inner(self, alias: ast.alias, node: ast.ImportFrom, members: Mapping[str, _Member]) -> bool:
        asked, name = _asked(self._member.place, node), alias.asname or alias.name
        if f"{asked}.{alias.name}" in members:
            self._modules[name] = members[f"{asked}.{alias.name}"]
            return True
        if asked in members:
            self._names[name] = members[asked].renamed.get(alias.name, alias.name)
            return True
        return False

    def _is_local(self, name: str) -> bool:
        return any(scope is not None and name in scope for scope in self._scopes)

    def _said(self, name: str) -> str:
        if self._is_local(name):
            raise MergeError(
                f"{name}: a global of the merged module, and a local name in {self._member.place}"
            )
        return name

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._in_scope(node, set(_stored(node)))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._in_scope(node, set(_stored(node)))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._in_scope(node, None)

    def _in_scope(self, node: _Function | ast.ClassDef, scope: set[str] | None) -> ast.AST:
        if not self._scopes:
            node.name = self._names.get(node.name, node.name)
        self._scopes.append(scope)
        self.generic_visit(node)
        self._scopes.pop()
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name in self._modules and not self._is_local(name):
            renamed = self._modules[name].renamed
            return ast.Name(self._said(renamed.get(node.attr, node.attr)), node.ctx)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        is_of_a_class = isinstance(node.ctx, ast.Store) and bool(self._scopes)
        if node.id in self._names and not is_of_a_class and not self._is_local(node.id):
            node.id = self._said(self._names[node.id])
        elif node.id in self._modules and not self._is_local(node.id):
            raise MergeError(
                f"{node.id}: a module handed on in {self._member.place}, and it is none any more"
            )
        return node


# ---- outside ----


def _redirect(place: str, text: str, leader: str, members: Mapping[str, _Member]) -> str:
    """Return a file that asks the leader for what was in the members."""
    tree = ast.parse(text)
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and _turn(place, node, leader, members)
    ]
    return ast.unparse(tree) if found else text


def _turn(place: str, node: ast.ImportFrom, leader: str, members: Mapping[str, _Member]) -> bool:
    """Let one import ask the leader; False when it has nothing to do with the group."""
    asked = _asked(place, node)
    if asked in members:
        node.module = f"{(node.module or '').rpartition('.')[0]}.{_name(leader)}".lstrip(".")
        for alias in node.names:
            new = members[asked].renamed.get(alias.name, alias.name)
            alias.name, alias.asname = new, alias.asname or (alias.name if new != alias.name else None)
        return True
    is_turned = False
    for alias in node.names:
        member = members.get(f"{asked}.{alias.name}")
        if member is not None and member.place != leader:
            if member.renamed:
                raise MergeError(
                    f"{', '.join(member.renamed)}: not alone in {leader}, and {place} may ask for it"
                )
            alias.name, alias.asname = _name(leader), alias.asname or alias.name
            is_turned = True
    return is_turned
