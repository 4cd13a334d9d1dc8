"""The program as a user runs it, on bluetoothd and a Linux kernel, against the real firmware on the virtual air.

`tiltwise scan`, then `tiltwise watch ble:` in an emulated guest, with the key and the calibration where setup and
calibrate put them: a minute of streaming, an outage of 20 s, fades of 1 s at random moments. Then its store and
its recording are read here. Slow (five to eight minutes) and not part of `make test`: `make test-bluez` runs it.
TILTWISE_BLUEZ_FADES and TILTWISE_BLUEZ_SEED choose how many fades, and the run.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bumble", reason="the virtual air needs bumble: pip install 'tiltwise[air]'")

from bluez import hci_log
from tiltwise.common import wire
from tiltwise.common.frame import unpack_header
from tiltwise.config.address import Address
from tiltwise.config.calibration_profiles import (
    DEFAULT_PERSON,
    DeviceProfile,
    device_name,
    load_profile,
    save_calibration,
)
from tiltwise.config.sensor_keys import KeyStore
from tiltwise.link.board_identity import KeyedBoard
from tiltwise.recording.tw_file import read_frames
from tiltwise.sim.body.wearer import Wearer
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.store.reader import StoreReader
from tiltwise_lab.radio.bumble_board import BumbleBoard
from tiltwise_lab.radio.virtual_radio import RadioLink

pytestmark = pytest.mark.bluez
KEY = bytes(range(32))
SEED = int(os.environ.get("TILTWISE_BLUEZ_SEED", "1"))
FADES, FADE_S = int(os.environ.get("TILTWISE_BLUEZ_FADES", "10")), 1.0
STREAM_S, OUTAGE_S = 60.0, 20.0
STEADY_S, JITTER_S = 11.0, 2.0  # of streaming before each fade
WARM_S = 20.0  # in which an emulated processor has much to do: the board gives what it kept before, too
FIRST_S, BACK_S = 240.0, 60.0  # longest wait for the first frame, and for the next one after a fade
SECONDS = 600.0 + 30.0 * FADES  # on a busy machine; half of that on an idle one
TRUTH_HZ = 208
FRAMES_PER_S = 5.2
FOR_EVER_S = 1e11


class Wearing:
    """Tells a sensor what its wearer does, as far ahead as it is asked for."""

    def __init__(self, part, wearer):
        self._part, self._wearer = part, wearer
        self._told = 0

    def __call__(self, to_s):
        k = np.arange(self._told, int(to_s * TRUTH_HZ) + 2)
        self._told += len(k)
        imu = self._wearer.imu(k / TRUTH_HZ)
        self._part.advance(imu.t_s, imu.gyr_rad_s, imu.acc_m_s2)


@pytest.fixture(scope="module")
def guest_module():
    """The module guest.py, or a skip with the reason."""
    from bluez import guest

    try:
        guest.kernel_folder()
    except guest.GuestUnavailableError as problem:
        pytest.skip(str(problem))
    return guest


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home folder as setup leaves it (the key) and calibrate (how the sensor sits on this simulated wearer)."""
    folder = tmp_path_factory.mktemp("home")
    KeyStore(folder / "keys.json").save(KeyedBoard(BumbleBoard.device_id, "bench", KEY))
    program = Path(sys.executable).parent / "tiltwise"
    address = f"sim:calibration?seed={SEED}&speed=0"
    environment = os.environ | {"TILTWISE_HOME": str(folder)}
    subprocess.run([program, "calibrate", address, "--no-sound"], env=environment, check=True)
    shown = load_profile(folder, DEFAULT_PERSON, device_name(Address("sim", "", {"seed": SEED})))
    calibration = shown.current()
    assert calibration is not None
    save_calibration(folder, DeviceProfile(DEFAULT_PERSON, device_name(Address("ble", "", {}))), calibration)
    return folder


class Run:
    """What happened, by the clock of this process: times of the loop in s."""

    def __init__(self):
        self.fades = []  # (off, on, the board's device time at on)
        self.streamed_s = (0.0, 0.0)  # begin and end of the minute
        self.load = []

    def keep(self, guest):
        """Take what the guest left."""
        self.lines, self.out, self.hci = guest.lines, guest.out, guest.hci
        (self.out / "hci.txt").write_text("".join(f"{t_s:.4f} {name}\n" for t_s, name in self.hci.marks))
        recording = read_frames(self.out / "watch.tw")
        self.heads = [unpack_header(frame) for frame in recording.frames]
        live = [
            (received_s, head)
            for received_s, head in zip(recording.received_s.tolist(), self.heads, strict=True)
            if (head[2], head[3]) in self.hci.frames and not head[1] & wire.FLAG_BACKFILL
        ]
        # The guest's clock is this one, less what is found here: the frame that was soonest recorded counts as
        # recorded when the adapter had it. What every frame takes at least, some 10 ms, is left out.
        zero_s = min(received_s - self.hci.frames[head[2], head[3]] for received_s, head in live)
        self.live = [(received_s - zero_s, head) for received_s, head in live]

    def back(self, on_s, device_s):
        """Return when the program had the first live frame that was measured after the signal came back."""
        return next(t_s for t_s, head in self.live if t_s >= on_s and head[5] * wire.TICK_S >= device_s)


@pytest.fixture(scope="module")
def run(guest_module, home, tmp_path_factory):
    """One guest, from its start to the end of `watch`."""
    return asyncio.run(live(guest_module, home, tmp_path_factory.mktemp("guest")))


async def live(guest_module, home, work):
    run = Run()
    link = RadioLink()
    part = Lsm6dsox(seed=2 * SEED)
    wearer = Wearer("desk", seed=SEED, minutes=SECONDS / 60 + 5, is_calibrated=False)
    board = BumbleBoard(link, [part], Wearing(part, wearer), key=KEY, seed=SEED)
    board.power_on()
    guest = guest_module.Guest(
        link, work, f"env TILTWISE_HOME={home} {sys.executable} {guest_module.HERE}/inside.py"
    )
    running = asyncio.create_task(guest.run(SECONDS))
    telling = asyncio.create_task(story(guest, link.conditions, board, run))
    try:
        await asyncio.wait([running, telling], return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            telling.cancel()
        else:
            telling.result()
        status = await running
        board.check()
    finally:
        for task in (running, telling):
            task.cancel()
        await asyncio.gather(running, telling, return_exceptions=True)
        await board.close()
    assert status == 0, guest.lines[-20:]
    run.keep(guest)
    return run


async def story(guest, conditions, board, run):
    """Stream, lose the link for long, lose it for short again and again, stop."""
    rng = random.Random(SEED)
    loop = asyncio.get_running_loop()
    await guest.until("connected to", FIRST_S)
    await asyncio.sleep(WARM_S)
    await guest.hci.next_frame(BACK_S)
    run.streamed_s = (loop.time(), loop.time() + STREAM_S)
    await asyncio.sleep(STREAM_S)
    for seconds in [OUTAGE_S] + [FADE_S] * FADES:
        off_s = loop.time()
        conditions.is_in_range = False
        await asyncio.sleep(seconds)
        conditions.is_in_range = True
        on_s, device_s = loop.time(), board.clock.us / 1e6
        await guest.hci.next_frame(BACK_S)
        run.fades.append((off_s, on_s, device_s))
        run.load.append(os.getloadavg()[0])
        await asyncio.sleep(STEADY_S + rng.uniform(0, JITTER_S))
    guest.tell("stop")


# ---- what is claimed ----


def test_scan_lists_the_board(run):
    scanned = run.lines[: next(k for k, line in enumerate(run.lines) if line.startswith("watching ble:"))]
    assert [line for line in scanned if line.endswith("dBm")], scanned


def test_a_minute_streams_without_a_connection_or_a_frame_lost(run):
    begin_s, end_s = run.streamed_s
    numbers = [head[3] for t_s, head in run.live if begin_s <= t_s <= end_s and head[0] in wire.SAMPLE_SIZES]
    others = {head[3] for head in run.heads if head[0] not in wire.SAMPLE_SIZES}
    assert set(range(numbers[0], numbers[-1])) <= {*numbers, *others}
    assert len(numbers) >= 0.97 * STREAM_S * FRAMES_PER_S
    assert not [t_s for t_s, name in run.hci.marks if name == "lost" and begin_s <= t_s <= end_s]


def test_it_reconnects_after_an_outage_and_after_each_fade(run):
    backs_s = [run.back(on_s, device_s) - on_s for _, on_s, device_s in run.fades]
    parts = [
        run.hci.parts(off_s, on_s, on_s + back_s)
        for (off_s, on_s, _), back_s in zip(run.fades, backs_s, strict=True)
    ]
    assert all(parts), "Linux ends a connection after 0.42 s of silence, and each fade was longer"
    print(f"\n{table(backs_s, parts, run)}")
    # Goals of 3 s and 10 s for real adapters and processors; an emulated one on a busy machine is slower.
    assert statistics.median(backs_s) < 10.0


def table(backs_s, parts, run):
    """Return the figures as text."""
    fades_s = backs_s[1:]
    lines = [
        f"seed {SEED}; load average {min(run.load):.1f} to {max(run.load):.1f}; emulated processor (no KVM)",
        f"time to the next frame after {FADES} fades of {FADE_S:g} s and one of {OUTAGE_S:g} s, in s:",
        f"{'':14}{'median':>8}{'p95':>8}{'longest':>9}{f'after {OUTAGE_S:g} s':>14}",
        _row("all", fades_s, backs_s[0]),
    ]
    for name in hci_log.STEPS:
        lines.append(_row(f"  {name}", [row[name] for row in parts[1:]], parts[0][name]))
    lines.append(_row("link given up", [row["lost"] for row in parts[1:]], parts[0]["lost"]))
    return "\n".join(lines)


def _row(name, seconds, after_outage_s):
    most = f"{statistics.median(seconds):8.2f}{np.percentile(seconds, 95):8.2f}{max(seconds):9.2f}"
    return f"{name:14}{most}{after_outage_s:14.2f}"


def test_the_store_has_every_frame_and_the_day_no_hole(run):
    numbers = sorted({(head[2], head[3]) for head in run.heads})
    boot, first, last = numbers[0][0], numbers[0][1], numbers[-1][1]
    with StoreReader(run.out) as reader:
        (device,) = reader.devices()
        stored = [unpack_header(frame.data)[2:4] for frame in reader.frames(0.0, FOR_EVER_S, device)]
        t_s = reader.samples(0.0, FOR_EVER_S).t_s
        days = [reader.day(day) for day in reader.days()]
    assert device == f"board-{BumbleBoard.device_id.hex()}"
    assert sorted(stored) == [(boot, seq) for seq in range(first, last + 1)]
    assert [gap for day in days for gap in day.gaps] == []
    assert np.diff(t_s).max() < 2 * np.median(np.diff(t_s))
    seconds = t_s[-1] - t_s[0]
    covered_s = sum(float(minute.activity_s.sum()) for day in days for minute in day.minutes)
    again = sum(bool(head[1] & wire.FLAG_BACKFILL) for head in run.heads)
    print(
        f"\n{len(stored)} frames, {again} of them fetched later; {covered_s:.1f} of {seconds:.1f} s in the day"
    )
    assert again >= FRAMES_PER_S * (OUTAGE_S + FADES * FADE_S) - 2 * len(run.fades)
    assert covered_s == pytest.approx(seconds, abs=1.0)  # at the ends a part of a frame may be left out
