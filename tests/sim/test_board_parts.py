"""The whole firmware with each kind of IMU: times, orientation, faults, sleep."""

import dataclasses
import importlib
import itertools
import struct

import numpy as np
import pytest

from sim.imu_parts import KINDS, board_with, put_config
from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_body, unpack_header
from tiltwise.firmware_build.locate import load_firmware
from tiltwise.motion import rotation
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors

load_firmware()
config = importlib.import_module("tiltwise_firmware.config")
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def configuration_is_there(tmp_path, monkeypatch):
    put_config(tmp_path)
    monkeypatch.chdir(tmp_path)


def nod_rad(t_s):
    """A slow nod of 30 deg about y, period 8 s, after five seconds at rest."""
    return np.radians(30) * np.sin(2 * np.pi * np.maximum(t_s - 5, 0) / 8)


def nodding(part, seconds):
    t = np.arange(0, seconds + 0.0025, 0.0025)
    angle, zero = nod_rad(t), np.zeros(len(t))
    rate = np.where(t > 5, np.radians(30) * 2 * np.pi / 8 * np.cos(2 * np.pi * (t - 5) / 8), 0.0)
    acc = G_M_S2 * np.stack((-np.sin(angle), zero, np.cos(angle)), axis=1)
    acc[:, 2] += 0.01 * np.sin(2 * np.pi * 0.25 * t)  # m/s2: it breathes, or it would be taken for stuck
    part.advance(t, np.stack((zero, rate, zero), axis=1), acc)


def run(kind, seconds, errors=None, truth=nodding, **options):
    part = kind.make(seed=1, errors=errors)
    board = board_with([kind], [part], is_bare=True, **options)
    truth(part, seconds)
    return board.step(seconds), board


def of_type(frames, frame_type):
    return [frame for frame in frames if open_frame(frame)[0] == frame_type]


def events(frames):
    return [unpack_body(frame, wire.EVENT)[0::2] for frame in of_type(frames, wire.EVENT)]


SENSOR_EVENTS = (
    wire.EVENT_BUS_FAULT,
    wire.EVENT_BUS_OK,
    wire.EVENT_FIFO_OVERFLOW,
    wire.EVENT_SATURATED,
    wire.EVENT_STUCK,
)


def codes(frames):
    return [code for code, _ in events(frames) if code in SENSOR_EVENTS]


def orientation_rmse_deg(frames, after_s):
    """Return the RMS angle between "up" in ORIENT frames and the truth, at the times that the frames tell."""
    errors = []
    info = unpack_body(of_type(frames, wire.INFO)[-1], wire.INFO)
    for frame in of_type(frames, wire.ORIENT):
        header = unpack_header(frame)
        n = header[6]
        rows = np.array([struct.unpack_from("<7h", frame, wire.HEADER_SIZE + 14 * k) for k in range(n)])
        t_s = header[5] * wire.TICK_S + np.arange(n) / info[10]
        truth = np.stack((-np.sin(nod_rad(t_s)), np.zeros(n), np.cos(nod_rad(t_s))), axis=1)
        up = rotation.up_in_sensor(rotation.normalise(rows[:, :4].astype(float)))
        errors.append(rotation.angle_between_deg(up, truth)[t_s > after_s])
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


@every_kind
def test_a_minute_of_slow_motion_is_followed(kind):
    frames, board = run(kind, 60)
    errors = board.sensors[0].errors
    zero_g_deg = float(np.degrees(np.linalg.norm(errors.acc_bias_m_s2) / G_M_S2))
    rmse = orientation_rmse_deg(frames, 20)
    levelled, _ = run(kind, 60, errors=dataclasses.replace(errors, acc_bias_m_s2=np.zeros(3)))
    levelled_rmse = orientation_rmse_deg(levelled, 20)
    perfect, _ = run(kind, 60, errors=ImuErrors.none(0.01))
    perfect_rmse = orientation_rmse_deg(perfect, 10)
    print(
        f"{kind.name}: inclination RMSE {rmse:.2f} deg (zero-g {zero_g_deg:.2f}); "
        f"with zero-g taken out {levelled_rmse:.2f}, without errors {perfect_rmse:.3f} deg"
    )
    assert rmse < zero_g_deg + 0.8  # no six-axis filter sees a wrong zero of the accelerometer
    # What is left is scale: the gyroscope's over a swing of 30 deg, and the accelerometer's axes against each other.
    scale_deg = 30 / 2**0.5 * abs(errors.gyr_scale[1] - 1) + 25 * float(np.ptp(errors.acc_scale[[0, 2]]))
    assert levelled_rmse < 0.3 + scale_deg
    assert perfect_rmse < 0.3  # 24 deg/s at most: 5 ms of timing error would be 0.12 deg
    assert codes(frames) == []
    headers = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(headers))


@every_kind
@pytest.mark.parametrize("rate_error", [-0.03, 0.03])
@pytest.mark.parametrize("rate_hz", [104, 208])
def test_sample_times_are_within_5_ms_of_truth(kind, rate_error, rate_hz, monkeypatch):
    """x acceleration is time itself: 1 m/s2 a second, 1.2 ms a count."""

    def ramp(part, seconds):
        t = np.arange(0, seconds + 0.005, 0.005)
        acc = np.zeros((len(t), 3))
        acc[:, 0] = t - 15
        part.advance(t, np.zeros((len(t), 3)), acc)

    monkeypatch.setattr(config, "RATE_HZ", rate_hz)
    frames, board = run(kind, 30, ImuErrors.none(rate_error), ramp, stream=wire.RAW)
    raw = of_type(frames, wire.RAW)
    told_s = np.array([unpack_header(frame)[5] for frame in raw]) * wire.TICK_S
    count = np.array([struct.unpack_from("<h", frame, wire.HEADER_SIZE + 6)[0] for frame in raw])
    error_s = told_s - (count * board.app.samplers[0].driver.acc_m_s2_per_count + 15)
    print(f"{kind.name}: largest error of a sample time {1e3 * np.abs(error_s).max():.1f} ms")
    assert np.all(np.diff(told_s) > 0)
    assert np.abs(error_s).max() < 5e-3
    assert len(raw) * 10 == pytest.approx(
        30 * kind.rate_hz * (1 + rate_error), rel=0.03
    )  # 208 Hz is averaged to 104


@every_kind
def test_info_and_rate_codes_are_those_of_the_part(kind):
    for frame_type, times in ((wire.ORIENT, 0.5), (wire.RAW, 1.0)):
        frames, _ = run(kind, 8, ImuErrors.none(0.01), stream=frame_type)
        info = unpack_body(of_type(frames, wire.INFO)[-1], wire.INFO)
        assert info[2] == kind.wire_kind
        assert info[14:16] == (1000, 4)
        nominal = 104 if 101 < kind.rate_hz < 110 else kind.rate_hz
        told = {wire.RATES_HZ[unpack_header(frame)[8]] for frame in of_type(frames, frame_type)}
        assert told == {nominal * times}


@every_kind
def test_poor_sensor_is_told_once_and_a_good_one_never(kind, capsys):
    frames, _ = run(kind, 5)
    poor = [value for code, value in events(frames) if code == wire.EVENT_POOR_SENSOR]
    if kind.wire_kind == wire.IMU_MPU6050:
        assert len(poor) == 1
        assert capsys.readouterr().out.count("poor choice") == 1
    else:
        assert poor == []
        assert capsys.readouterr().out == ""


@every_kind
def test_overflow_is_reported_and_the_index_stays_a_clock(kind):
    part = kind.make(seed=1, errors=ImuErrors.none())
    board = board_with([kind], [part], is_bare=True)
    nodding(part, 22)
    frames = board.step(5)
    board.clock.sleep_ms(5000)  # something held the board up
    frames += board.step(22)
    # A sample that comes between the look and the read overflows once more, and costs nothing.
    lost = max(value for code, value in events(frames) if code == wire.EVENT_FIFO_OVERFLOW)
    assert lost >= 5 * kind.rate_hz - kind.fifo_samples - 8
    orient = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert sum(bool(header[1] & wire.FLAG_DISCONTINUITY) for header in orient) == 1
    # A BMI270 and a clone without a driver's memory begin up to 0.7 s after the clock.
    index_s = (orient[-1][4] - orient[0][4]) / (kind.rate_hz / 2)
    assert index_s == pytest.approx((orient[-1][5] - orient[0][5]) * wire.TICK_S, abs=0.06)


@every_kind
@pytest.mark.parametrize("how", ["unplugged", "stuck bus", "lost power", "frozen"])
def test_sensor_that_goes_away_is_reported_and_recovered(kind, how):
    part = kind.make(seed=1, errors=ImuErrors.none(0.01))
    board = board_with([kind], [part], is_bare=True)
    nodding(part, 30)
    frames = board.step(8)
    if how == "unplugged":
        board.bus.unplug(kind.address)
    elif how == "stuck bus":
        board.bus.is_stuck = True
    elif how == "lost power":
        part.power_cycle()
    else:
        part.is_frozen = True
    frames += board.step(13)
    if how == "unplugged":
        board.bus.plug(kind.address)
    board.bus.is_stuck = False
    part.is_frozen = False
    frames += board.step(30)
    seen = codes(frames)
    fault = wire.EVENT_STUCK if how == "frozen" else wire.EVENT_BUS_FAULT
    assert seen in ([fault, wire.EVENT_BUS_OK], [fault, fault, wire.EVENT_BUS_OK])
    status = unpack_body(of_type(frames, wire.STATUS)[-1], wire.STATUS)
    assert status[8] >= 1
    assert not open_frame(of_type(frames, wire.STATUS)[-1])[1] & wire.FLAG_SENSOR_FAULT
    orient = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert any(header[1] & wire.FLAG_SENSOR_FAULT for header in orient)
    index_s = (orient[-1][4] - orient[0][4]) / (kind.rate_hz * 1.01 / 2)
    assert index_s == pytest.approx((orient[-1][5] - orient[0][5]) * wire.TICK_S, abs=0.15)


def test_sensor_that_stays_frozen_is_tried_less_and_less():
    kind = KINDS[0]
    part = kind.make(seed=1)
    board = board_with([kind], [part], is_bare=True)
    nodding(part, 120)
    frames = board.step(5)
    part.is_frozen = True
    frames += board.step(120)
    assert 4 <= codes(frames).count(wire.EVENT_STUCK) <= 8


@every_kind
def test_saturated_sensor_is_reported(kind):
    def spinning(part, seconds):
        nodding(part, 5)
        t = np.arange(5.005, seconds + 0.005, 0.005)
        acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1)) + 0.02 * np.sin(t)[:, None]
        part.advance(t, np.where(t < 6, np.radians(1500), 0)[:, None] * np.array([1.0, 0, 0]), acc)

    frames, board = run(kind, 9, ImuErrors.none(), spinning)
    assert set(codes(frames)) == {wire.EVENT_SATURATED}
    assert board.app.samplers[0].saturated == pytest.approx(kind.rate_hz, abs=4)


def test_two_parts_of_different_makes_stream_side_by_side_and_one_may_leave():
    kinds = [KINDS[0], KINDS[3]]
    parts = [kind.make(seed=2) for kind in kinds]
    board = board_with(kinds, parts, is_bare=True)
    for part in parts:
        nodding(part, 30)
    frames = board.step(10)
    board.bus.unplug(kinds[1].address)
    frames += board.step(15)
    board.bus.plug(kinds[1].address)
    frames += board.step(30)
    told = [
        unpack_header(frame)[7]
        for frame in of_type(frames, wire.EVENT)
        if unpack_body(frame, wire.EVENT)[0] in SENSOR_EVENTS
    ]
    assert told == [1, 1]  # gone and back, and only the second
    for sensor, kind in enumerate(kinds):
        mine = [open_frame(f) for f in of_type(frames, wire.ORIENT) if unpack_header(f)[7] == sensor]
        assert wire.RATES_HZ[mine[0][8]] == (52 if kind.rate_hz > 101 else 50)
        assert mine[-1][5] * wire.TICK_S > 29


@every_kind
def test_sleep_wakes_by_motion_and_streams_again(kind):
    part = kind.make(seed=1, errors=ImuErrors.none())
    board = board_with([kind], [part], is_bare=True)
    t = np.arange(0, 40.005, 0.005)
    acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1))
    acc[:, 2] += 0.01 * np.sin(2 * np.pi * 0.25 * t)
    acc[t > 20, 0] += 2.0
    part.advance(t, np.zeros((len(t), 3)), acc)
    frames = board.step(5)
    sampler = board.app.samplers[0]
    sampler.sleep()
    board.step(8)
    sampler.has_moved()  # what switching over stirred up
    assert of_type(board.step(18), wire.ORIENT) == []
    assert not sampler.has_moved()
    assert of_type(board.step(24), wire.ORIENT) == []
    assert sampler.has_moved()
    sampler.wake()
    frames += board.step(40)
    orient = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert sum(bool(header[1] & wire.FLAG_DISCONTINUITY) for header in orient) == 1
    index_s = (orient[-1][4] - orient[0][4]) / (kind.rate_hz / 2)
    assert index_s == pytest.approx((orient[-1][5] - orient[0][5]) * wire.TICK_S, abs=0.15)
    assert codes(frames) == []


@every_kind
def test_self_test_through_the_sampler_leaves_it_sampling(kind):
    part = kind.make(seed=3)
    board = board_with([kind], [part], is_bare=True)
    t = np.arange(0, 20.005, 0.005)
    part.advance(t, np.zeros((len(t), 3)), np.tile([0.0, 0.0, G_M_S2], (len(t), 1)))
    board.step(5)
    assert board.app.samplers[0].self_test() == ((True, True) if kind.has_self_test else (None, None))
    assert len(of_type(board.step(20), wire.ORIENT)) > 45
