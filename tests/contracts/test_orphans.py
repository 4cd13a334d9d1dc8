"""Whatever one side produces, the other side uses: opcodes, events, flags, settings, columns, fields, public names.

Read off the sources: a name counts as used where it is read, not where it is made. Host code is what the commands
run (host/tiltwise without what runs on the board and without the simulator).
"""

from __future__ import annotations

import ast
import importlib
import re
import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

import tiltwise
from tiltwise.common import wire
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.link.commands import BoardKey, Pattern
from tiltwise.report.aggregate import THRESHOLDS_DEG
from tiltwise.store.files import schema

ROOT = Path(__file__).parents[2]
HOST = ROOT / "host" / "tiltwise"
FIRMWARE = ROOT / "firmware"
KINDS = ("OP_", "EVENT_", "FLAG_", "FEATURE_", "STATE_", "CLOSED_", "MOTOR_", "CONDITION_", "IMU_", "WISH_")
# Both sides use them inside what they share; two flags are those of recordings of protocol 1.
SHARED = {"EVENT_BODY", "FLAG_AUTHENTICATED", "FLAG_ENCRYPTED", "IMU_UNKNOWN"}
POSITIONAL = {"device.first_us"}  # written by its place, not by its name
# Made for people who import tiltwise, not for the commands, or for files of an unknown kind; with the reason.
FOR_PROGRAMS = {
    "AngleBlock.acc_norm_m_s2": "research: specific force beside the angles",
    "AnglesSettings.delay_s": "research: what the filter delays, docs/algorithms.md",
    "Stats.motor_on": "benches: frames that the motor shook",
    "Stats.clock_resets": "benches: clocks that went back",
    "ImuTable.layout": "tests: which of ten layouts a file has",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def host_files() -> list[Path]:
    return sorted(p for p in HOST.rglob("*.py") if not {"common", "sim"} & set(p.relative_to(HOST).parts))


def firmware_files() -> list[Path]:
    return sorted(FIRMWARE.rglob("*.py"))


@cache
def reads(of: str) -> frozenset[str]:
    """Return the names that are read anywhere: attributes, names, keywords of patterns, and keys in quotes."""
    files = host_files() if of == "host" else firmware_files()
    found: set[str] = set()
    if of == "host":
        for page in HOST.rglob("templates/*.html"):
            found.update(re.findall(r"\{[%{][^}]*?\.([a-z_]+)", page.read_text(encoding="utf-8")))
    for path in files:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.MatchClass):
                found.update(node.kwd_attrs)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                found.add(node.value)
    return frozenset(found)


def told(kind: str, walked: Iterable[str], orphans: list[str]) -> None:
    """Print how many there are, and fail when somebody is left without the other side."""
    print(f"{kind}: {len(list(walked))} walked, orphans {len(orphans)}")
    assert orphans == []


def test_what_goes_over_the_wire_is_known_to_both_sides() -> None:
    names = [name for name in vars(wire) if name.startswith(KINDS) and name not in SHARED]
    assert len(names) > 80
    told("wire", names, [n for n in names if not {n} <= reads("host") & reads("firmware")])


def test_each_pattern_of_the_motor_is_played() -> None:
    host = " ".join(p.read_text(encoding="utf-8") for p in host_files() if p.name != "commands.py")
    told("motor", Pattern, [p.name for p in Pattern if f"Pattern.{p.name}" not in host])


def test_each_setting_of_the_board_is_used_by_it_or_read_by_the_host_and_can_be_set() -> None:
    load_firmware()
    keys = importlib.import_module("tiltwise_firmware.storage.board_settings").KEYS
    assert [key.name.lower() for key in BoardKey] == list(keys), "`tiltwise board --set` knows them all"
    host = " ".join(p.read_text(encoding="utf-8") for p in host_files() if p.name != "commands.py")
    board = " ".join(p.read_text(encoding="utf-8") for p in firmware_files() if p.name != "board_settings.py")
    orphans = [k for k in keys if f'"{k}"' not in board and f"BoardKey.{k.upper()}" not in host]
    told("board settings", keys, orphans)


def test_each_setting_of_the_host_has_an_effect() -> None:
    path = HOST / "config" / "settings.py"
    fields = {
        f"{cls}.{name}"
        for cls, name in dataclass_fields(path)
        if cls.endswith("Setting") or cls == "Settings"
    }
    elsewhere = attributes(set(host_files()) - {path})
    inside = attributes({path})
    orphans = [f for f in sorted(fields) if f.split(".")[1] not in elsewhere | inside]
    told("host settings", fields, orphans)


def test_each_column_of_the_store_is_written_and_read() -> None:
    db = sqlite3.connect(":memory:")
    for step in (*schema.CORE_MIGRATIONS, *schema.RAW_MIGRATIONS):
        db.executescript(step)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    columns = [f"{t}.{row[1]}" for t in tables for row in db.execute(f"PRAGMA table_info({t})")]
    sources = [p.read_text(encoding="utf-8") for p in (HOST / "store").rglob("*.py") if p.name != "schema.py"]
    sql = " ".join(sources)
    sql += "".join(f" above_{deg}_s" * sql.count("above_{") for deg in THRESHOLDS_DEG)  # named in a loop
    orphans = [
        c
        for c in columns
        if len(re.findall(rf"\b{c.split('.')[1]}\b", sql)) < (2 if c not in POSITIONAL else 1)
    ]
    told("columns", columns, orphans)


def dataclass_fields(path: Path) -> list[tuple[str, str]]:
    """Return (class, field) of the dataclasses of a module."""
    return [
        (cls.name, field.target.id)
        for cls in tree(path).body
        if isinstance(cls, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in cls.decorator_list)
        for field in cls.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    ]


def attributes(files: Iterable[Path]) -> set[str]:
    """Return the attributes that are read in these files."""
    return {
        node.attr
        for path in files
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    } | {
        k
        for path in files
        for node in ast.walk(tree(path))
        if isinstance(node, ast.MatchClass)
        for k in node.kwd_attrs
    }


def test_each_field_that_is_made_is_read() -> None:
    fields = [f"{cls}.{name}" for path in host_files() for cls, name in dataclass_fields(path)]
    assert len(fields) > 500
    orphans = [f for f in fields if f.split(".")[1] not in reads("host") and f not in FOR_PROGRAMS]
    told("fields", fields, orphans)


@pytest.mark.parametrize("name", tiltwise.__all__)
def test_each_public_name_is_used_by_the_program_or_an_example(name: str) -> None:
    examples = " ".join(p.read_text(encoding="utf-8") for p in (ROOT / "examples").glob("*.py"))
    assert name in reads("host") or re.search(rf"\b{name}\b", examples), f"{name}: nobody uses it"
