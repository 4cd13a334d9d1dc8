"""A host process to be killed: session and store fed with prepared frames, which notes what it acknowledged.

`python -m tiltwise_lab.bench.storage.killed_host FOLDER NOTES BOOT SECONDS`, or `run_host` in a forked process. Notes
are lines appended to a file: `first N us` after the first commit, `ack BOOT SEQ`, `recovered N`, `done`.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path

import numpy as np

from tiltwise.common import wire
from tiltwise.config.settings import AlertSetting, Deliver, RuleKind, RuleSetting, Settings
from tiltwise.live.live_session import LiveSession
from tiltwise.live.open_session import Worn, open_session
from tiltwise.live.wearer.live_events import Command
from tiltwise.motion.calibration.mounting import mounting_from_up
from tiltwise.recording.frame_packing import pack_imu_frames
from tiltwise.store.writer import Store
from tiltwise.types import Mount

T0_S = 1_772_000_000.0  # 2026-02-25 06:13:20 UTC
BOOT_S = 1000.0  # wall time from one boot to the next
RATE_HZ = 50.0


def frames_of(boot: int, seconds: float) -> list[bytes]:
    """Return INFO and RAW frames of somebody who leans forward and back every half minute."""
    rng = np.random.default_rng(boot)
    n = round(seconds * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    angle = np.radians(20 - 20 * np.cos(2 * np.pi * t_s / 30))
    nothing = np.zeros(n)
    acc = 9.80665 * np.stack((-np.sin(angle), nothing, np.cos(angle)), axis=1) + rng.normal(0, 0.02, (n, 3))
    gyr = np.stack((nothing, np.gradient(angle, t_s), nothing), axis=1) + rng.normal(0, 0.002, (n, 3))
    return pack_imu_frames(t_s, gyr, acc, rate_hz=RATE_HZ, boot=boot)


def calibrated_session(store: Store, boot: int, *, rule_s: float = 60.0) -> LiveSession:
    """Return a session whose calibration holds, at the wall time of this boot."""
    upright = mounting_from_up(np.array([0.0, 0.0, 1.0]), mount=Mount.NECK)
    return open_session(
        Worn(mount=Mount.NECK, mounting=upright),
        settings=Settings(
            rule=RuleSetting(kind=RuleKind.SIMPLE, seconds=rule_s),
            alerts=AlertSetting(deliver=Deliver.DESKTOP),
        ),
        started_utc_s=T0_S + BOOT_S * boot,
        device="killed host",
        store=store,
    )


def run_host(folder: Path, notes: int, boot: int, seconds: float, began_s: float) -> None:
    """Store frames as fast as it goes and note what was acknowledged; `began_s` is a time.monotonic()."""
    store = Store(folder, min_free_bytes=0)
    os.write(notes, b"recovered %d\n" % len(store.reports))
    session = calibrated_session(store, boot)
    is_first = True
    for k, frame in enumerate(frames_of(boot, seconds)):
        for event in session.receive(0.2 * k, frame):
            if not isinstance(event, Command):
                continue
            _, opcode, _, payload = wire.open_command(event.data)
            if opcode == wire.OP_ACK:
                if is_first:
                    os.write(notes, b"first %d us\n" % round((time.monotonic() - began_s) * 1e6))
                    is_first = False
                os.write(notes, b"ack %d %d\n" % struct.unpack("<HIH", payload)[:2])
    session.finish()
    os.write(notes, b"done\n")


def main() -> None:
    """Run one boot as a process of its own."""
    began_s = time.monotonic()
    folder, notes, boot, seconds = sys.argv[1:]
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    run_host(Path(folder), file, int(boot), float(seconds), began_s)


if __name__ == "__main__":
    main()
