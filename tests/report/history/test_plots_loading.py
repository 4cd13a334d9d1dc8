"""A command loads matplotlib without help texts; a library that imports the plots finds it as it is."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("is_command", [True, False])
def test_only_commands_leave_the_help_texts_out(is_command: bool) -> None:
    load = "from tiltwise.report.history.plots_loading import load_without_help; load_without_help()\n"
    run = (
        "import tiltwise.report.plots, matplotlib.artist as artist, matplotlib.lines as lines\n"
        "print('markersize' in lines.Line2D.set.__doc__, 'markersize' in artist.kwdoc(lines.Line2D))"
    )
    done = subprocess.run(
        [sys.executable, "-c", load * is_command + run], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(not is_command), "True"]  # who asks later is told
