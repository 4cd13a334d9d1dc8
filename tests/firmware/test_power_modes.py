"""The power modes `stream`, `save` and `log` as the setting `power`: rates, wakes, and a radio that is off."""

import importlib
import itertools

import numpy as np
import pytest

from radio_bench import Board
from tiltwise.common import wire
from tiltwise.common.frame import open_frame
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu.imu_errors import ImuErrors
from tiltwise.sim.imu.lsm6ds3trc_model import Lsm6ds3trc
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox
from tiltwise.sim.imu.lsm6dsv16x_model import Lsm6dsv16x
from tiltwise_lab.vm.nodding_motion import NoddingMotion

SECONDS = 30.0
config = importlib.import_module("tiltwise_firmware.config")


class Counted(SimBoard):
    """A board that counts how often its loop ran."""

    wakes = 0

    def _step_once(self):
        self.wakes += 1
        super()._step_once()


def run(make, power):
    part = make(seed=1, errors=ImuErrors.none(0.01))
    NoddingMotion(part)(SECONDS + 1)
    board = Counted([part], stream=None)
    board.app.settings.set("power", power)
    board.restart()
    board.wakes = 0
    transfers = board.bus.transfers
    board.start()
    frames = board.step(SECONDS)
    return board, [frame for frame in frames if frame[0] & 15 == wire.ORIENT], board.bus.transfers - transfers


@pytest.mark.parametrize(
    ("make", "stream_hz", "save_hz"), [(Lsm6dsox, 52, 26), (Lsm6ds3trc, 52, 26), (Lsm6dsv16x, 60, 30)]
)
def test_save_halves_the_rate_wakes_rarely_and_loses_no_sample(make, stream_hz, save_hz):
    told = {}
    for power, rate_hz in (("stream", stream_hz), ("save", save_hz)):
        board, frames, transfers = run(make, power)
        headers = [open_frame(frame) for frame in frames]
        assert {wire.RATES_HZ[header[8]] for header in headers} == {rate_hz}
        assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(headers))
        samples = headers[-1][4] + headers[-1][6] - headers[0][4]
        assert samples == pytest.approx((SECONDS - 1) * rate_hz, rel=0.05)
        told[power] = board.wakes / SECONDS, transfers / SECONDS
    assert told["save"][0] < 0.35 * told["stream"][0]
    assert told["save"][1] < 0.5 * told["stream"][1]


def test_save_follows_a_nod_as_stream_does():
    """A nod of 30 deg in 8 s: the angle of both modes is within 0.2 deg of the truth."""
    for power in ("stream", "save"):
        board, _, _ = run(Lsm6dsox, power)
        w, x, y, z = board.app.samplers[0].path.fusion.q
        now_s = board.app.samplers[0].path.samples / (2 * (26 if power == "save" else 52) * 1.01)
        found = np.degrees(np.arctan2(2 * (w * y - x * z), w * w - x * x - y * y + z * z))
        truth = 30 * np.sin(2 * np.pi * now_s / 8)
        assert found == pytest.approx(truth, abs=1.5), power  # 24 deg/s: the time is known to 50 ms


def test_name_of_a_mode_is_checked():
    board = SimBoard([Lsm6dsox(seed=1)], stream=None)
    with pytest.raises(ValueError, match="power is 'fast', expected stream, save or log"):
        board.app.settings.set("power", "fast")


class QuietRadio:
    """What housekeeping asks of a radio; `changes` is what it was told."""

    tells_mtu, wants_reset, is_up, restarts = True, False, True, 0
    links = ()

    def __init__(self):
        self.changes = []

    def set_quiet(self, is_quiet):
        if not self.changes or self.changes[-1] != is_quiet:
            self.changes.append(is_quiet)


class Logging(SimBoard):
    """A board with a radio, and nobody at the cable."""

    def _fit_parts(self, is_bare):
        super()._fit_parts(is_bare)
        self.radio = QuietRadio()


def test_log_switches_the_radio_off_two_minutes_after_start_and_press():
    part = Lsm6dsox(seed=1, errors=ImuErrors.none())
    tell = NoddingMotion(part)
    tell(1.0)
    board = Logging([part], stream=None)
    board.app.settings.set("power", "log")
    board.link.is_connected = False

    def run_to(to_s):
        tell(to_s + 1)
        board.step(to_s)

    run_to(118)
    assert board.radio.changes == [False]
    run_to(123)
    assert board.radio.changes == [False, True]
    board.pins.is_pressed = True
    run_to(123.2)
    board.pins.is_pressed = False
    run_to(126)
    assert board.radio.changes == [False, True, False]
    run_to(250)
    assert board.radio.changes[-1] is True
    board.pins.is_charging = True
    run_to(253)
    assert board.radio.changes[-1] is False
    assert board.app.frames.minutes.used >= 3  # minutes go on all the time


@pytest.mark.parametrize("may_restart", [True, False])
def test_quiet_radio_is_not_found_and_is_again_when_wanted(may_restart):
    """Where only a reset starts a radio anew it stays on and does not advertise."""
    board = Board()
    board.radio._may_restart = may_restart
    board.run(1_000)
    assert board.air.advertised is not None
    board.radio.set_quiet(True)
    board.run(20_000)
    assert board.air.advertised is None
    board.radio.set_quiet(False)
    board.run(1_000)
    assert board.air.advertised is not None
    assert board.radio.restarts == 0
