"""The documents say what is so: links, paths, commands, settings, code and quoted messages exist and work."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from command import Command
from docs import pages
from tiltwise.app.cli import app
from tiltwise.common import wire
from tiltwise.config.settings import Settings, load_settings
from tiltwise_lab.pages import ROOT, day_picture, generated_pages, watch_picture
from tiltwise_lab.pages.state_machines import machines
from tiltwise_lab.registry import BENCHES

COMMANDS = typer.main.get_command(app)
README = pages.read(ROOT / "README.md")
COMMANDS_PAGE = pages.read(ROOT / "docs" / "commands.md")

by_page = pytest.mark.parametrize("path", pages.GUIDES, ids=pages.name_of)


@by_page
def test_every_link_within_the_repository_leads_somewhere(path: Path) -> None:
    for target in pages.links(pages.read(path)):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@by_page
def test_every_file_that_a_page_names_exists(path: Path) -> None:
    missing = {name for name in pages.paths_in(pages.read(path)) if not pages.exists(name)}
    assert not missing, f"{path.name} names {sorted(missing)}"


@pytest.mark.parametrize("path", pages.SOURCES, ids=pages.name_of)
def test_every_module_that_a_comment_names_exists(path: Path) -> None:
    named = {name for name in pages.paths_in(pages.prose(path)) if name.endswith(".py")}
    is_product = pages.name_of(path).startswith(("host/", "firmware/"))
    missing = {name for name in named if not pages.exists(name, is_for_product=is_product)}
    assert not missing, f"{pages.name_of(path)} names {sorted(missing)}"


@by_page
def test_every_command_of_a_page_is_understood(path: Path) -> None:
    for arguments in pages.commands(pages.read(path)):
        check_command(arguments)


def check_command(arguments: list[str]) -> None:
    """Fail unless there is such a command and it takes these options and as many arguments."""
    words = [word.strip("[]") for word in arguments if word not in ("...", "[NAME...]")]
    name = next((word for word in words if not word.startswith("-")), None)
    if name is None:
        assert CliRunner().invoke(app, words).exit_code == 0, arguments
        return
    assert isinstance(COMMANDS, typer.core.TyperGroup)
    command = COMMANDS.commands.get(name)
    assert command is not None, f"tiltwise {' '.join(arguments)}: there is no command {name}"
    rest = words[words.index(name) + 1 :]
    if isinstance(command, typer.core.TyperGroup) and rest:  # a command of commands
        command = command.commands.get(rest[0])
        assert command is not None, f"tiltwise {name} has no command {rest[0]}"
        name, rest = rest[0], rest[1:]
    context = command.make_context(name, rest, resilient_parsing=True)
    options = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
    for word in words:
        assert not word.startswith("--") or word in options, f"tiltwise {name} has no option {word}"
    assert not context.args, f"tiltwise {' '.join(arguments)}: {context.args} is left over"
    if name == "bench":
        assert {word for word in context.params["names"] or () if word.islower()} <= set(BENCHES), arguments


def test_the_commands_are_found() -> None:
    found = [arguments for path in pages.GUIDES for arguments in pages.commands(pages.read(path))]
    assert len(found) > 60
    assert ["watch", "sim:desk?speed=20"] in found
    assert ["setup", "--micropython", "FILE.bin"] in found
    assert {arguments[0] for arguments in found if arguments} >= {*COMMANDS.commands}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "arguments",
    [["watchs"], ["watch", "--stoer"], ["day", "2026-01-01", "2026-01-02"], ["bench", "orientatoin"]],
)
def test_a_wrong_command_is_noticed(arguments: list[str]) -> None:
    with pytest.raises(AssertionError):
        check_command(arguments)


@pytest.mark.parametrize(
    ("path", "code"),
    [(path, code) for path in pages.GUIDES for code in pages.python_blocks(pages.read(path))],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_the_python_of_a_page_runs_as_pasted(
    path: Path, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t_s = np.arange(0, 10, 0.01)
    acc_m_s2 = np.tile([0.0, 0.0, 9.81], (len(t_s), 1))
    np.savez(tmp_path / "recording.npz", t=t_s, acc=acc_m_s2, gyr=np.full_like(acc_m_s2, 0.001))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, str(path), "exec"), names)
    q = names["q"]
    assert isinstance(q, np.ndarray)
    assert q.shape == (len(t_s), 4)
    assert np.allclose(np.linalg.norm(q, axis=1), 1)


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    block = re.search(r"((?:    .*\n)*    \[rule\]\n(?:    .*\n)*)", COMMANDS_PAGE)
    assert block is not None
    file = tmp_path / "settings.toml"
    file.write_text(re.sub(r"^    ", "", block[1], flags=re.MULTILINE), encoding="utf-8")
    assert load_settings(file).alerts.quiet_from == "22:00"  # an unknown key or a bad value would be an error


@by_page
def test_every_section_and_key_of_the_settings_that_a_page_names_exists(path: Path) -> None:
    sections = {part.name: part.default_factory() for part in fields(Settings)}  # type: ignore[misc]
    for key, section in re.findall(r"`(\w+) = [^`]*` under `\[(\w+)\]`", " ".join(pages.read(path).split())):
        assert section in sections, f"{path.name}: no section [{section}]"
        assert hasattr(sections[section], key), f"{path.name}: no setting {key} in [{section}]"


def test_every_message_of_the_troubleshooting_page_is_one_of_the_programs() -> None:
    known = [
        flat(text)
        for path in (ROOT / "host" / "tiltwise").rglob("*.py")
        for text in pages.texts(ast.parse(pages.read(path)))
    ]
    messages = pages.quoted_messages(pages.read(ROOT / "docs" / "troubleshooting.md"))
    assert len(messages) > 25
    unknown = [message for message in messages if not any(says(text, message) for text in known)]
    assert not unknown


def flat(text: str) -> str:
    return " ".join(text.split())


def says(text: str, message: str) -> bool:
    """Tell whether a text holds the literal parts of a message, in their order."""
    at = 0
    for part in (part for piece in message.split("...") if (part := flat(piece))):
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def test_what_is_written_from_the_code_is_fresh() -> None:
    for name, text in generated_pages().items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run python -m tiltwise_lab.pages"


def test_the_picture_of_the_readme_is_fresh() -> None:
    assert f"]({day_picture.DAY})" in README
    with Image.open(ROOT / day_picture.DAY) as picture:
        shown = picture.info[day_picture.FIGURES]
    assert shown == day_picture.figures_of(day_picture.simulated_day()), "run python -m tiltwise_lab.pages"


def test_the_moving_picture_of_the_readme_is_fresh() -> None:
    assert f"]({watch_picture.WATCH})" in README
    with Image.open(ROOT / watch_picture.WATCH) as picture:
        made_from = picture.info["comment"].decode()
    assert made_from == watch_picture.source_digest(ROOT / "host"), "run python -m tiltwise_lab.pages"


@pytest.mark.parametrize(
    "line", ["tiltwise", "tiltwise exercises", "tiltwise setup --dry-run", "tiltwise bench"]
)
def test_a_command_of_the_pages_that_needs_nothing_runs(line: str, tiltwise: Command) -> None:
    assert line.split()[1:] in [
        [word.strip("[]") for word in arguments if word != "[NAME...]"]
        for arguments in pages.commands(README + COMMANDS_PAGE)
    ]
    result = tiltwise(*line.split()[1:])
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) > 5


def test_the_figure_of_the_live_session_shows_the_flow() -> None:
    figure = generated_pages()["docs/live_session.md"]
    for arrow in (
        'run_live -- "[^"]*"',
        'LiveSession -- "[^"]*"',
        'Backfill -- "[^"]*"',
        'StoreSink -- "[^"]*"',
    ):
        assert re.search(arrow + r" --> \w+", figure), arrow


def test_every_table_of_transitions_has_its_diagram() -> None:
    found = {machine.path: machine for machine in machines(ROOT)}
    tables = {
        pages.name_of(path)
        for path in pages.SOURCES
        if re.search(r"^TRANSITIONS\b", pages.read(path), re.MULTILINE) and "tests" not in path.parts
    }
    assert set(found) == tables
    for machine in found.values():
        states = {arrow.state for arrow in machine.arrows} | {arrow.following for arrow in machine.arrows}
        assert machine.start in states, f"{machine.path}: no state to begin in"
        assert reached_from(machine.start, machine.arrows) == states, (
            f"{machine.path}: a state is out of reach"
        )


def reached_from(start: str, arrows: tuple[object, ...]) -> set[str]:
    seen = {start}
    for _ in arrows:
        seen |= {arrow.following for arrow in arrows if arrow.state in seen}  # type: ignore[attr-defined]
    return seen


def test_the_readme_is_short_and_the_measured_page_has_a_command_for_each_row() -> None:
    assert len(README.splitlines()) <= 150
    rows = [
        line
        for line in pages.read(ROOT / "docs" / "measured.md").splitlines()
        if re.match(r"\| (?!what|-)", line)
    ]
    assert len(rows) > 15
    for row in rows:
        assert re.search(r"`(tiltwise bench \w+|make [a-z-]+)[^`]*` \|$", row), row


def test_the_figures_of_the_readme_stand_on_the_measured_page() -> None:
    table = README.partition("## Three figures")[2].partition("## ")[0]
    measured = pages.read(ROOT / "docs" / "measured.md")
    figures = re.findall(r"(\d[\d.,]*\d)(?: deg RMSE)? \|$", table, re.MULTILINE)
    assert figures == ["0.40", "4,489,579"]
    for figure in (*figures, "36 walking and standing", "1,000 outages", "31 people"):
        assert figure in measured, figure


def test_heap_figures_are_the_same_on_every_page() -> None:
    measured = pages.read(ROOT / "docs" / "measured.md")
    files, rom, frozen = re.findall(r"a ROM partition; frozen \| (\d+) kB; (\d+) kB; (\d+) kB", measured)[0]
    least = re.findall(
        r"BTstack from files, from ROM \| (\d+) and (\d+) kB [^;]*; (\d+) and (\d+) kB", measured
    )[0]
    guide = " ".join(pages.read(ROOT / "firmware" / "README.md").split())
    assert f"**{files} kB from files, {rom} kB with the code in a ROM partition**" in guide
    assert f"**{frozen} kB frozen**" in guide
    readme = " ".join(README.split())
    assert (
        f"{files} kB of heap in the VM with a ring of 64 frames, {rom} kB from a ROM partition, {frozen} kB"
        in readme
    )
    assert "{} to {} kB from files and {} to {} kB from ROM".format(*least) in readme


def test_the_targets_of_make_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", pages.read(ROOT / "Makefile"), re.MULTILINE))
    named = {name for path in pages.GUIDES for name in re.findall(r"`make ([\w-]+)", pages.read(path))}
    assert named
    assert named <= targets


def test_the_live_page_has_the_numbers_of_the_code() -> None:
    from tiltwise.live.backfill import frame_ledger

    page = " ".join(pages.read(ROOT / "docs" / "live_session.md").split())
    words = {4: "four", 10: "ten"}
    assert f"within {words[frame_ledger.SETTLED_FRAMES]} frames of the newest" in page
    assert f"within {words[int(frame_ledger.ASK_AGAIN_S)]} seconds" in page
    for name in ("BOOTS", "GET", "GET_DONE", "PING"):
        assert hasattr(wire, f"OP_{name}")
        assert name in page
