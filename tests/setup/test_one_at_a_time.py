"""One tiltwise a port and a board: two setups lose no key, `watch serial:` takes no port between two steps."""

import asyncio
import os
import subprocess
import sys

import pytest

from setup.setup_bench import Bench
from tiltwise.config import in_use
from tiltwise.config.address import parse_address
from tiltwise.config.in_use import board_in_use, port_in_use
from tiltwise.link.transport import LinkError, Trouble
from tiltwise.live.sources import connector_of
from tiltwise.setup import steps, wizard
from tiltwise.setup.held import Held
from tiltwise.setup.plan import Do
from tiltwise.setup.wizard import Options, SetupError

ANOTHER = "another tiltwise (setup, or watch by cable) uses this port: let it end or stop it"


@pytest.fixture(autouse=True)
def runtime(tmp_path, monkeypatch):
    monkeypatch.setattr(in_use, "runtime_folder", lambda: tmp_path / "runtime")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "FILES_AT_ONCE", 60)  # fewer calls of mpremote: quicker tests
    return Bench(tmp_path / "board")


@pytest.fixture
def port():
    """One end of a pseudo-terminal, which pyserial opens as any port."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals, which this system has not")
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_second_setup_on_a_port_or_a_board_is_refused_in_a_line_and_saves_no_key(bench):
    first = wizard.run(Options(name="mine"), bench.computer)
    assert next(step for step in first if step.do is Do.PORT and step.is_done).said == str(bench.port)
    with pytest.raises(SetupError) as refused:
        list(wizard.run(Options(name="theirs"), bench.computer))
    assert str(refused.value).startswith(f"{bench.port}: {ANOTHER}")
    assert "\n" not in str(refused.value)
    other = board_in_use(bench.device.device_id)  # by a setup through the board's other port
    with pytest.raises(SetupError, match="another tiltwise setup works on this board: let it end"):
        list(first)
    assert list(bench.keys) == []
    other.release()
    port_in_use(str(bench.port)).release()  # let go by the one that failed


def test_setup_lets_go_of_port_and_board(bench):
    held = Held()
    held.port(str(bench.port))
    held.board(bench.device.device_id, str(bench.port))
    held.release()
    port_in_use(str(bench.port)).release()
    board_in_use(bench.device.device_id).release()


def test_watch_waits_for_setup_and_setup_is_refused_while_watch_has_the_port(port):
    connector, _ = connector_of(parse_address(f"serial:{port}"))
    held = Held()
    held.port(port)

    async def main():
        with pytest.raises(LinkError, match=f"another program has {port} open: close it there") as busy:
            await connector.connect(port)
        assert busy.value.trouble is Trouble.BUSY
        held.release()
        connection = await connector.connect(port)
        with pytest.raises(SetupError, match="another tiltwise"):
            held.port(port)
        await connection.close()

    asyncio.run(main())
    held.port(port)
    held.port(port)  # what it holds itself is no other's
    held.release()


def test_port_that_cannot_be_opened_is_not_held(tmp_path):
    connector, _ = connector_of(parse_address(f"serial:{tmp_path / 'gone'}"))
    with pytest.raises(LinkError):
        asyncio.run(connector.connect(str(tmp_path / "gone")))
    port_in_use(str(tmp_path / "gone")).release()


def test_another_name_of_a_port_is_the_same_port(tmp_path):
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")
    use = port_in_use(str(tmp_path / "by-id"))
    with pytest.raises(OSError, match="in use by another tiltwise"):
        port_in_use(str(tmp_path / "ttyACM0"))
    use.release()


def test_what_a_killed_program_held_is_free(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from tiltwise.config import in_use\n"
        f"in_use.runtime_folder = lambda: Path({str(tmp_path / 'runtime')!r})\n"
        "use = in_use.port_in_use('COM3'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OSError, match="in use by another tiltwise"):
            port_in_use("com3")
        holder.kill()
    port_in_use("COM3").release()


def test_runtime_folder_that_cannot_be_made_keeps_nobody_from_a_board(tmp_path):
    (tmp_path / "runtime").write_text("in the way")
    port_in_use("COM3").release()
