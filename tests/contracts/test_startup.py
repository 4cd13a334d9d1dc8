"""Start-up waits for no library that the command does not need. Loaded modules are counted, not seconds."""

import subprocess
import sys

import pytest

HELP = """
import sys
sys.argv = ["tiltwise", "--help"]
try:
    from tiltwise.app.cli import main
    main()
except SystemExit as leaving:
    assert not leaving.code
"""
WATCH = """
import sys
import tiltwise.app.watch, tiltwise.motion.calibration.alignment
from tiltwise.live import sources
"""
DAY = """
import sys
import tiltwise.app.day, tiltwise.app.history.day_sentence
"""
TABLES = """
import sys
import tiltwise.app.tables
"""


@pytest.mark.parametrize(
    ("start", "heavy"),
    [
        (HELP, {"numpy", "scipy", "rich", "matplotlib", "asyncio", "sqlite3"}),
        (WATCH, {"scipy", "matplotlib", "pyarrow", "bleak", "desktop_notifier"}),
        (DAY, {"scipy", "pyarrow", "bleak", "desktop_notifier"}),
        (TABLES, {"scipy", "matplotlib", "bleak", "serial", "sqlite3", "asyncio"}),
    ],
    ids=["help", "watch", "day", "tables"],
)
def test_a_command_loads_only_the_libraries_it_needs(start: str, heavy: set[str]) -> None:
    ask = "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", start + ask], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("LOADED")[1].split())
    assert loaded & heavy == set()
