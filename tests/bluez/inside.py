"""Runs inside the guest: the program as a user types it. `scan`, then `watch ble:` until the console says stop."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

HOME, OUT = Path(os.environ["TILTWISE_HOME"]), Path("/run/out")
TILTWISE = Path(sys.executable).parent / "tiltwise"
PATIENCE_S = 60.0
STOPPED = 130


def run(*arguments):
    """Begin a command whose lines go on to the console; not a terminal to it, or it would draw there."""
    process = subprocess.Popen(
        [TILTWISE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    threading.Thread(target=show, args=(process.stdout,)).start()
    return process


def show(lines):
    """Pass lines on."""
    for line in lines:
        print(line, end="", flush=True)


def main():
    """Run the commands; watch has to end as Ctrl-C ends it."""
    run("scan", "--seconds", "4").wait()
    watch = run("watch", "ble:", "--record", HOME / "watch.tw")
    while sys.stdin.readline().strip() != "stop":
        pass
    watch.send_signal(signal.SIGINT)
    status = watch.wait(PATIENCE_S)
    run("data").wait()
    shutil.copytree(HOME, OUT, dirs_exist_ok=True)
    sys.exit(0 if status == STOPPED else f"watch ended with {status}, expected {STOPPED}")


main()
