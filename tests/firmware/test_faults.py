"""What may happen to a board in use: packets that change size, power that comes and goes, a sensor that drifts."""

import contextlib
import importlib
import random

import numpy as np
import pytest

from radio_bench import Board
from tiltwise.common import wire
from tiltwise.common.frame import unpack_body, unpack_header
from tiltwise.decode.decoder import Decoder
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.sim.board.peripherals import Power, PowerCut, SimFiles
from tiltwise.sim.board.simulated_board import POWER_ON, SimBoard, SimClock
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.types import OrientationBlock, SignalGap
from wire_host import START

load_firmware()
health = importlib.import_module("tiltwise_firmware.device.health")
_TOLD_MTU = 21  # MicroPython's _IRQ_MTU_EXCHANGED


def exchange(board, connection, mtu):
    """Host and board agree on another size of packets."""
    board.air.peers[connection].mtu = mtu
    board.air._tell(_TOLD_MTU, connection, mtu)


@pytest.mark.parametrize("sizes", [(23, 247), (247, 23), (185, 23, 247)])
def test_packets_that_change_size_in_mid_stream_tear_no_frame(sizes):
    board = Board()
    host = board.host(mtu=247)
    exchange(board, host.connection, sizes[0])
    assert host.prove()[0] == wire.STATUS_OK
    host.ask(wire.OP_START, START)
    for k in range(40):
        board.make(1, fill=k)
        board.run(10)  # in the midst of the pieces of a frame
        if k % 10 == 5 and k // 10 < len(sizes):
            exchange(board, host.connection, sizes[k // 10])
        board.run(170)
        host.hear()
        host.ask(wire.OP_PING, bytes(8))
    board.run(500)
    host.hear()
    assert host.seqs() == list(range(40))


def booted(disk, cause=POWER_ON):
    return health.Health(disk, SimClock(), cause, None, bytes)


@pytest.mark.parametrize("seed", range(5))
def test_power_that_fails_while_the_boot_is_counted_gives_no_number_twice(seed):
    rng = random.Random(seed)
    power = Power()
    disk, numbers = SimFiles(power), []
    for _ in range(300):
        power.left = rng.choice((None, rng.randrange(12)))
        try:
            run = booted(disk)
        except PowerCut:
            continue  # before the first frame
        assert not run.is_safe_mode, "weak power is no defect of the firmware"
        numbers.append(run.boot_id)
    assert len(numbers) > 100
    assert numbers == sorted(set(numbers))


def test_boots_that_a_full_flash_does_not_count_share_no_frame_and_say_so():
    """With the same number twice, the host would drop what the second boot sends as frames that it has."""
    still, decoder = Still(), Decoder()
    frames, boots = still.live(5), [still.board.boot_id]
    for is_full in (True, True, False):
        still.board.files.is_full = is_full
        still.board.restart(POWER_ON)
        still.board.start()
        boots.append(still.board.boot_id)
        new = still.live(10)
        frames += new
        statuses = [unpack_body(f, wire.STATUS) for f in new if unpack_header(f)[0] == wire.STATUS]
        assert {bool(body[16] & wire.CONDITION_FLASH_BAD) for body in statuses} == {is_full}
        events = [unpack_body(f, wire.EVENT) for f in new if unpack_header(f)[0] == wire.EVENT]
        assert ((wire.EVENT_FLASH_FAULT, 0, 0) in events) == is_full
    assert boots[0] == 1
    assert boots[3] == 2  # the first after it that could be written
    assert len(set(boots)) == 4
    samples = sum(
        len(block.t_s) for block in decoder.feed_many(frames) if isinstance(block, OrientationBlock)
    )
    assert samples > 30 * 52
    assert decoder.stats.duplicates == 0


class Still:
    """A board whose sensor is breathed at; gyroscope errors are told as turns that the accelerometer does not see."""

    def __init__(self, errors=None, **options):
        self.part = Lsm6dsox(seed=1, errors=errors or ImuErrors.individual(1))
        self.told_s = self.now_s = 0.0
        self.bias_rad_s = np.zeros(3)
        self.tell(1.0)
        self.board = SimBoard([self.part], **options)

    def tell(self, until_s):
        t = np.arange(self.told_s, until_s, 0.005)
        tilt = np.radians(0.5) * np.sin(2 * np.pi * 0.25 * t)
        zero = np.zeros(len(t))
        turn = np.stack((zero, np.gradient(tilt, t), zero), axis=1)
        acc = G_M_S2 * np.stack((-np.sin(tilt), zero, np.cos(tilt)), axis=1)
        self.part.advance(t, turn + self.bias_rad_s, acc)
        self.told_s = float(t[-1]) + 0.005

    def live(self, seconds):
        frames = []
        for _ in range(round(seconds)):
            self.now_s += 1.0
            self.tell(self.now_s + 1.0)
            frames += self.board.step(self.now_s)
        return frames


def inclination_deg(frames, decoder):
    """Return the angle between the sensor's z axis and up, sample by sample."""
    blocks = [item for item in decoder.feed_many(frames) if isinstance(item, OrientationBlock)]
    q = np.concatenate([block.q_earth_from_sensor for block in blocks])
    return np.degrees(np.arccos(np.clip(1 - 2 * (q[:, 1] ** 2 + q[:, 2] ** 2), -1, 1)))


def test_brown_outs_in_a_row_leave_a_board_that_streams_and_forgets_nothing():
    rng = random.Random(4)
    still = Still(stream=None)
    still.board.app.settings.update({"rule_deg": 31}.items())
    boots, frames = [], []
    for _ in range(12):
        boots.append(still.board.boot_id)
        still.board.start()
        still.board.power.left = rng.randrange(400)  # bytes of flash until it fails, if nothing else does
        with contextlib.suppress(PowerCut):
            frames += still.live(rng.randrange(1, 4))
        still.board.restart(POWER_ON)
    assert boots == list(range(1, 13))
    assert len({unpack_header(frame)[2:4] for frame in frames}) == len(frames) > 30
    assert not still.board.app.health.is_safe_mode
    assert still.board.app.settings.get("rule_deg") == 31
    still.board.start()
    samples = [f for f in still.live(10) if unpack_header(f)[0] == wire.ORIENT]
    assert len(samples) > 40


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_step_of_the_gyroscopes_bias_is_forgotten_within_a_minute(axis):
    still, decoder = Still(ImuErrors.none()), Decoder()
    before = inclination_deg(still.live(30), decoder)
    still.bias_rad_s[axis] = np.radians(1.0)  # a knock or a jump of temperature
    during, after = (inclination_deg(still.live(seconds), decoder) for seconds in (60, 30))
    assert np.max(before[-500:]) < 1.0
    assert np.max(during) < 2.0  # deg, with the breathing of 0.5: well within the 10 deg between two limits
    assert np.max(after) < 1.0


def test_warming_by_twenty_degrees_turns_the_inclination_by_less_than_one():
    still, decoder = Still(), Decoder()
    before = inclination_deg(still.live(60), decoder)[-1000:]
    warm = []
    for _ in range(10):  # 2 K in 15 s: out of a cold room onto the skin
        still.part.temperature_c += 2.0
        warm.append(inclination_deg(still.live(15), decoder))
    assert np.max(np.abs(np.concatenate(warm) - np.median(before))) < 1.0 + 0.5  # deg; 0.5 of it is breathing


@pytest.mark.parametrize("frozen_s", [5, 60])
def test_a_sensor_that_repeats_itself_for_two_seconds_is_one_gap_until_its_samples_change(frozen_s):
    still, decoder = Still(), Decoder()
    frames = still.live(20)
    still.part.is_frozen = True
    stuck = still.live(frozen_s)
    still.part.is_frozen = False
    frames += stuck + still.live(60)
    items = decoder.feed_many(frames)
    (gap,) = [item for item in items if isinstance(item, SignalGap)]
    t_s = np.concatenate([item.t_s for item in items if isinstance(item, OrientationBlock)])
    assert gap.reason == "fault"
    # What it takes to tell that it is stuck; the attempts to start it anew show nothing of it.
    assert gap.start_s == pytest.approx(22.0, abs=0.3)
    assert gap.end_s > 20 + frozen_s
    assert not np.any((t_s > 22.3) & (t_s < 20 + frozen_s))
    assert t_s[-1] > 20 + frozen_s + 58, "it comes back by itself"
    told = [unpack_body(f, wire.EVENT)[0] for f in frames if unpack_header(f)[0] == wire.EVENT]
    assert told.count(wire.EVENT_STUCK) >= 2, "it was tried while it was frozen"
    assert told.count(wire.EVENT_BUS_OK) == 1
    assert told[-1] == wire.EVENT_BUS_OK
    late = [f for f in stuck if unpack_header(f)[0] == wire.STATUS and unpack_header(f)[5] > 230_000]
    assert all(unpack_body(f, wire.STATUS)[16] == wire.CONDITION_SENSOR_STUCK for f in late)
    assert len(late) >= (frozen_s - 5) // 5


def test_the_board_alone_takes_no_frozen_sample_for_a_posture():
    still = Still(stream=None)
    still.live(20)
    still.part.is_frozen = True
    still.live(10)
    seen = set()
    for _ in range(50):
        still.live(1)
        seen.add(still.board.app.wearer._look() is None)
    assert seen == {True}
    still.part.is_frozen = False
    still.live(70)
    assert still.board.app.wearer._look() is not None


def test_a_bus_that_fails_while_a_stuck_sensor_is_tried_is_recovered_too():
    still, decoder = Still(), Decoder()
    still.live(20)
    still.part.is_frozen = True
    still.live(3.0)
    while not still.board.app.samplers[0]._is_up:
        still.live(1)
    still.board.bus.is_stuck = True
    still.live(3)
    assert not still.board.app.samplers[0]._is_up
    still.part.is_frozen = still.board.bus.is_stuck = False
    frames = still.live(20)
    assert not still.board.app.samplers[0].is_lost
    blocks = [item for item in decoder.feed_many(frames) if isinstance(item, OrientationBlock)]
    assert sum(len(block.t_s) for block in blocks) == 0  # no INFO yet in these
    assert sum(unpack_header(f)[0] == wire.ORIENT for f in frames) > 60
