"""`tiltwise setup`: shows the steps of a new board, or does them and prints each as it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import typer

from tiltwise import console
from tiltwise.common import wire
from tiltwise.config.sensor_keys import KEY_BYTES
from tiltwise.link.board_identity import Hello, KeyedBoard
from tiltwise.link.transport import LinkError
from tiltwise.setup import wizard
from tiltwise.setup.firmware_cable import FirmwareCable, described
from tiltwise.setup.held import Held
from tiltwise.setup.image import write_image
from tiltwise.setup.preflight import choose_port
from tiltwise.setup.selftest import selftest_report
from tiltwise.setup.selftest.board_checks import POSITIONS, PRESS, STILL, SelfTest
from tiltwise.setup.selftest.verdicts import Check, Verdict
from tiltwise.setup.tools import Tools
from tiltwise.sim.board.self_test_bench import FAULTS, BenchConnection, SelfTestBench
from tiltwise.text import as_typed
from tiltwise.version import __version__

SIMULATED = "sim:"


def run_image(folder: Path) -> None:
    """Write what an image with the firmware in it is built from; SetupError says in a line what is missing."""
    print(write_image(folder, Tools()))


_ASKED = {
    STILL: "lay the board down and do not touch it for five seconds",
    POSITIONS: "turn it: each of its six sides up for two seconds, in any order",
    PRESS: "press and hold the button, within 15 s",
}


def run_selftest(port: str, out: Path) -> None:
    """Test the parts of a board, real or simulated, print what is found and leave a report; exits 1 if one failed."""
    held = Held()
    if port.startswith(SIMULATED):
        hello, cable, act = _simulated(port.removeprefix(SIMULATED))
    else:
        hello, cable, act = _real(port, held)
    checks: list[Check] = []

    def ask(what: str) -> None:
        console.err.print(f"      {_ASKED[what]}", highlight=False, markup=False)
        act(what)

    try:
        for check in SelfTest(cable, ask, hello.features).run():
            checks.append(check)
            console.out.print(selftest_report.line(check), highlight=False, markup=False, soft_wrap=True)
    finally:
        cable.close()
        held.release()
        if checks:
            text = selftest_report.report(
                described(hello), f"{datetime.now().astimezone():%Y-%m-%d %H:%M %z}", __version__, checks
            )
            _write_report(out, text)
            print(f"{selftest_report.summary(checks)}; report to paste into an issue: {out}")
    if any(check.verdict is Verdict.FAIL for check in checks):
        raise typer.Exit(1)


def _simulated(fault: str) -> tuple[Hello, FirmwareCable, Callable[[str], None]]:
    """Return a simulated board with a fault; SetupError for a fault that nobody knows."""
    if fault and fault not in FAULTS:
        raise wizard.SetupError(
            f"{SIMULATED}{fault}: expected {SIMULATED} and one of {', '.join(FAULTS)}, or nothing"
        )
    bench = SelfTestBench(fault)

    async def connect(_port: str) -> BenchConnection:
        return BenchConnection(bench)

    cable = FirmwareCable(SIMULATED, connect, now_s=lambda: bench.now_s)
    hello = cable.hello()
    cable.prove(_keyless(hello.device_id))
    return hello, cable, bench.asked


def _real(port: str, held: Held) -> tuple[Hello, FirmwareCable, Callable[[str], None]]:
    """Open a session with the board on a port; SetupError when this computer has not its key."""
    computer = wizard.Computer()
    path = held.port(choose_port(port, computer.list_ports()))
    try:
        cable = FirmwareCable(path, computer.connect)
    except LinkError as error:
        raise wizard.SetupError(f"{path}: {error}") from None
    try:
        hello = cable.hello()
        known = computer.keys().load(hello.device_id)
        if hello.state != wire.STATE_NEEDS_SETUP and (known is None or not cable.prove(known)):
            raise wizard.SetupError(
                f"{path}: this computer has not the board's key: run tiltwise setup first"
            )
        if known is None:
            cable.prove(_keyless(hello.device_id))
    except BaseException:
        cable.close()
        raise
    return hello, cable, lambda _what: None


def _keyless(device_id: bytes) -> KeyedBoard:
    """Return what opens a session with a board without a key: it serves whoever holds its cable."""
    return KeyedBoard(device_id, "", bytes(KEY_BYTES))


def _write_report(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise wizard.SetupError(
            f"{out} cannot be written ({error.strerror}): name another file with --report"
        ) from None


def run_setup(options: wizard.Options, *, is_dry: bool) -> None:
    """Set a board up; is_dry shows the steps and touches nothing. SetupError says in a line what is missing."""
    if is_dry:
        print(wizard.as_text(wizard.plan(options)))
        return
    for step in wizard.run(options):
        line = f"{step.number:>2}/{step.of} {step.do:<11} {step.said}"
        where = console.out if step.is_done else console.err
        where.print(line, highlight=False, markup=False, soft_wrap=True)
    print(as_typed("ready: unplug it, clip it on, then `tiltwise watch ble:`"))
