"""The unmodified firmware on the simulated board: bytes, times, orientation, faults."""

import itertools
import struct

import numpy as np
import pytest

from tiltwise.common import wire
from tiltwise.common.frame import open_frame, unpack_body, unpack_header
from tiltwise.motion import rotation
from tiltwise.sim.board.simulated_board import SimBoard
from tiltwise.sim.imu import lsm6dsox_registers as reg
from tiltwise.sim.imu.imu_errors import G_M_S2, ImuErrors
from tiltwise.sim.imu.lsm6dsox_model import Lsm6dsox


def breathing(t):
    """Acceleration at rest, but for breathing: a sensor whose counts never change is taken for stuck."""
    acc = np.tile([0.0, 0.0, G_M_S2], (len(t), 1))
    acc[:, 2] += 0.01 * np.sin(2 * np.pi * 0.25 * t)  # m/s2, 8 counts either way
    return acc


def still(part, seconds):
    t = np.arange(0, seconds + 0.005, 0.005)
    part.advance(t, np.zeros((len(t), 3)), breathing(t))


def run(seconds, *, errors=None, truth=still, **options):
    """Frames of a board with one sensor, and the board."""
    part = Lsm6dsox(seed=1, errors=errors)
    board = SimBoard([part], **options)
    truth(part, seconds)
    return board.step(seconds), board


def of_type(frames, frame_type):
    return [frame for frame in frames if open_frame(frame)[0] == frame_type]


def events(frames):
    """Events of the sensors; what the board thinks of its wearer is tested elsewhere."""
    bodies = [unpack_body(frame, wire.EVENT) for frame in of_type(frames, wire.EVENT)]
    bodies = [body for body in bodies if body[0] != wire.EVENT_WORN]
    return [body[0] for body in bodies], bodies


def samples(frames, frame_type):
    """(index, t0 of the frame, row) of every sample, as rows of a list per frame."""
    layout = "<7h" if frame_type == wire.ORIENT else "<6h"
    size = struct.calcsize(layout)
    rows = []
    for frame in of_type(frames, frame_type):
        n = unpack_header(frame)[6]
        rows += [struct.unpack_from(layout, frame, wire.HEADER_SIZE + size * k) for k in range(n)]
    return np.array(rows, dtype=float)


def test_every_frame_opens_and_numbers_have_no_hole():
    frames, _ = run(125)
    headers = [open_frame(frame) for frame in frames]
    assert [header[3] for header in headers] == list(range(len(frames)))
    counts = {kind: len(of_type(frames, kind)) for kind in range(1, 7)}
    assert counts[wire.ORIENT] == pytest.approx(
        125 * 5.2, rel=0.05
    )  # 52 Hz, ten a frame, rate error of the part
    assert counts[wire.STATUS] == 25
    assert counts[wire.MINUTE] == 2
    assert counts[wire.INFO] == 3  # at the start, after one and two minutes
    assert counts[wire.EVENT] == 1
    assert counts[wire.RAW] == 0


@pytest.mark.parametrize("frame_type", [wire.ORIENT, wire.RAW])
def test_sample_indices_are_gapless(frame_type):
    frames, _ = run(20, stream=frame_type)
    headers = [open_frame(frame) for frame in of_type(frames, frame_type)]
    assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(headers))
    assert not any(header[1] & wire.FLAG_DISCONTINUITY for header in headers)
    assert {wire.RATES_HZ[header[8]] for header in headers} == {52.0 if frame_type == wire.ORIENT else 104.0}


def test_how_time_is_cut_does_not_show_in_the_frames():
    whole, _ = run(30)
    part = Lsm6dsox(seed=1)
    board = SimBoard([part])
    t = np.arange(0, 30.005, 0.005)
    told, frames = 0, []
    for until in (0.1, 0.5, 3.0, 3.01, 17.77, 30.0):
        end = int(np.searchsorted(t, until, "right")) + (until < 30)
        part.advance(t[told:end], np.zeros((end - told, 3)), breathing(t[told:end]))
        told = end
        frames += board.step(until)
    assert frames == whole


def test_same_seed_gives_the_same_bytes_and_another_seed_others():
    assert run(3)[0] == run(3)[0]
    part = Lsm6dsox(seed=2)
    board = SimBoard([part])
    still(part, 3)
    assert board.step(3) != run(3)[0]


@pytest.mark.parametrize("rate_error", [-0.03, 0.0, 0.03])
@pytest.mark.parametrize(
    "ticks_offset", [0, 2**30 - 5_000_000, 2**30 - 5_000], ids=["plain", "us wrap", "ms wrap"]
)
@pytest.mark.parametrize("is_trimmed", [True, False])
def test_sample_times_are_within_5_ms_of_truth(rate_error, ticks_offset, is_trimmed, monkeypatch):
    """x acceleration is time itself: 1 m/s2 a second, 1.2 ms a count."""

    def ramp(part, seconds):
        t = np.arange(0, seconds + 0.005, 0.005)
        acc = np.zeros((len(t), 3))
        acc[:, 0] = t - 20
        part.advance(t, np.zeros((len(t), 3)), acc)

    if not is_trimmed:  # a part that does not know its own rate
        monkeypatch.setattr(reg, "FREQ_FINE_STEP", 1e9)
    frames, _ = run(
        40, errors=ImuErrors.none(rate_error), truth=ramp, stream=wire.RAW, ticks_offset=ticks_offset
    )
    raw = of_type(frames, wire.RAW)
    told_s = np.array([unpack_header(frame)[5] for frame in raw]) * wire.TICK_S
    count = np.array([struct.unpack_from("<h", frame, wire.HEADER_SIZE + 6)[0] for frame in raw])
    error_s = told_s - (count * 0.122e-3 * G_M_S2 + 20)
    assert np.all(np.diff(told_s) > 0)
    assert np.abs(error_s).max() < 5e-3
    if is_trimmed:
        assert np.abs(error_s[told_s > 3]).max() < 2e-3


def nodding(part, seconds):
    """A slow nod of 30 deg about y, period 8 s, with the sensor's up at z in the middle."""
    t = np.arange(0, seconds + 0.0025, 0.0025)
    angle = nod_rad(t)
    rate = np.radians(30) * 2 * np.pi / 8 * np.cos(2 * np.pi * t / 8)
    zero = np.zeros(len(t))
    acc = G_M_S2 * np.stack((-np.sin(angle), zero, np.cos(angle)), axis=1)
    part.advance(t, np.stack((zero, rate, zero), axis=1), acc)


def nod_rad(t_s):
    return np.radians(30) * np.sin(2 * np.pi * t_s / 8)


def test_orientation_of_a_slow_motion_is_right():
    frames, board = run(120, truth=nodding, errors=ImuErrors.individual(7))
    rows = samples(frames, wire.ORIENT)
    quaternions = rotation.normalise(rows[:, :4])
    headers = [unpack_header(frame) for frame in of_type(frames, wire.ORIENT)]
    period_s = 2 * board.sensors[0].slot_period_s
    t_s = np.concatenate([h[5] * wire.TICK_S + np.arange(h[6]) * period_s for h in headers])
    truth = np.stack((-np.sin(nod_rad(t_s)), np.zeros(len(t_s)), np.cos(nod_rad(t_s))), axis=1)
    error_deg = rotation.angle_between_deg(rotation.up_in_sensor(quaternions), truth)
    rmse = float(np.sqrt(np.mean(error_deg[t_s > 20] ** 2)))
    # Zero-g of this part (20 mg is 1.1 deg) cannot be seen by any filter; gyroscope bias and noise may add little.
    zero_g_deg = float(np.degrees(np.linalg.norm(board.sensors[0].errors.acc_bias_m_s2[:2]) / G_M_S2))
    print(f"inclination RMSE {rmse:.2f} deg, of which zero-g may be {zero_g_deg:.2f} deg")
    assert rmse < zero_g_deg + 0.7


def test_orientation_of_a_perfect_part_is_within_a_quarter_degree():
    frames, board = run(60, truth=nodding, errors=ImuErrors.none(0.02))
    rows = samples(frames, wire.ORIENT)
    headers = [unpack_header(frame) for frame in of_type(frames, wire.ORIENT)]
    period_s = 2 * board.sensors[0].slot_period_s
    t_s = np.concatenate([h[5] * wire.TICK_S + np.arange(h[6]) * period_s for h in headers])
    truth = np.stack((-np.sin(nod_rad(t_s)), np.zeros(len(t_s)), np.cos(nod_rad(t_s))), axis=1)
    error_deg = rotation.angle_between_deg(rotation.up_in_sensor(rotation.normalise(rows[:, :4])), truth)
    rmse = float(np.sqrt(np.mean(error_deg[t_s > 5] ** 2)))
    print(f"inclination RMSE of a perfect part {rmse:.3f} deg")
    # 24 deg/s at most: 5 ms of timing error would be 0.12 deg.
    assert rmse < 0.25


def test_acceleration_in_orient_frames_has_the_scale_of_the_wire():
    frames, _ = run(5, errors=ImuErrors.none())
    rows = samples(frames, wire.ORIENT)
    z = rows[:, 6] * wire.ORIENT_ACC_M_S2_PER_COUNT
    assert z.mean() == pytest.approx(G_M_S2, abs=0.002)  # a count is 1.2 mm/s2


def test_info_tells_scales_and_the_true_rate():
    frames, board = run(65, errors=ImuErrors.none(0.02))
    info = unpack_body(of_type(frames, wire.INFO)[-1], wire.INFO)
    assert info[2:4] == (wire.IMU_LSM6DSOX, 1)
    assert info[9] == pytest.approx(104.17 * 1.02, rel=5e-4)
    assert info[10] == pytest.approx(info[9] / 2)
    assert info[11] == pytest.approx(np.radians(35e-3), rel=1e-6)
    assert info[14:16] == (1000, 4)
    assert info[18] == board.boot_id
    assert info[19].rstrip(b"\0") == b"simulated"


def test_minute_tells_up_samples_and_motion():
    frames, _ = run(125, truth=nodding, errors=ImuErrors.none())
    body = unpack_body(of_type(frames, wire.MINUTE)[0], wire.MINUTE)
    assert body[0] == pytest.approx(60 * 104, rel=0.03)
    assert body[1] == pytest.approx(60 * 0.58, abs=8)  # |24 cos| deg/s is above 15 deg/s 57 % of the time
    # Whether it is worn is known after two windows of ten seconds, and a nod is life.
    assert body[2] == pytest.approx(40, abs=2)
    up = np.array(body[4:]).reshape(6, 3) / 127
    assert np.linalg.norm(up, axis=1) == pytest.approx(np.ones(6), abs=0.02)
    assert up[:, 2].min() > 0.97


def test_status_tells_temperature_and_bias():
    errors = ImuErrors.individual(1)
    frames, board = run(60)
    body = unpack_body(of_type(frames, wire.STATUS)[-1], wire.STATUS)
    assert body[0] == pytest.approx(55, abs=1)
    assert body[4] / 100 == pytest.approx(25 + errors.temperature_offset_k, abs=0.02)
    assert np.array(body[13:16]) * 1e-5 == pytest.approx(
        errors.gyr_bias_rad_s * 1.0, abs=1.5e-3
    )  # 0.09 deg/s
    assert body[8] == 0
    assert board.app.samplers[0].faults == 0


def test_two_sensors_send_frames_of_their_own():
    parts = [Lsm6dsox(seed=1), Lsm6dsox(seed=2)]
    board = SimBoard(parts)
    for part in parts:
        still(part, 10)
    headers = [open_frame(frame) for frame in board.step(10)]
    for sensor in (0, 1):
        mine = [header for header in headers if header[7] == sensor and header[0] == wire.ORIENT]
        assert len(mine) == pytest.approx(52, abs=3)
        assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(mine))


# ---- faults ----


def test_single_bus_errors_cost_no_sample():
    part = Lsm6dsox(seed=1)
    board = SimBoard([part])
    still(part, 10)
    frames = board.step(1)
    for k in range(11, 101):
        board.bus.fail_next = 1
        frames += board.step(k / 10)
    headers = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert all(a[4] + a[6] == b[4] for a, b in itertools.pairwise(headers))
    assert wire.EVENT_BUS_FAULT not in events(frames)[0]
    assert board.app.samplers[0].faults >= 85


@pytest.mark.parametrize("how", ["unplugged", "stuck", "lost power"])
def test_sensor_that_goes_away_is_reported_and_recovered(how):
    part = Lsm6dsox(seed=1, errors=ImuErrors.none(0.02))
    board = SimBoard([part])
    still(part, 30)
    frames = board.step(10)
    if how == "unplugged":
        board.bus.unplug(0x6A)
    elif how == "stuck":
        board.bus.is_stuck = True
    else:
        part.power_cycle()
    frames += board.step(15)
    if how == "unplugged":
        board.bus.plug(0x6A)
    board.bus.is_stuck = False
    frames += board.step(30)
    codes, _ = events(frames)
    assert codes == [wire.EVENT_BOOT, wire.EVENT_BUS_FAULT, wire.EVENT_BUS_OK]
    orient = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    torn = [k for k, header in enumerate(orient) if header[1] & wire.FLAG_DISCONTINUITY]
    assert len(torn) == 1
    after = orient[torn[0]]
    assert after[1] & wire.FLAG_SENSOR_FAULT
    before = orient[torn[0] - 1]
    # The jump of the index is the time that is missing: the index stays a clock, to within a sample or two.
    missing_s = (after[5] - before[5]) * wire.TICK_S
    assert (after[4] - before[4]) / (52.086 * 1.02) == pytest.approx(missing_s, abs=0.04)
    assert orient[-1][4] == pytest.approx(52.086 * 1.02 * orient[-1][5] * wire.TICK_S, abs=3)
    if how == "stuck":
        assert missing_s < 5.0 + 1.5  # back within a retry
    status = unpack_body(of_type(frames, wire.STATUS)[-1], wire.STATUS)
    assert status[8] >= 1


def test_sensor_absent_at_boot_is_used_when_it_comes():
    part = Lsm6dsox(seed=1)
    board = SimBoard([part])
    board.bus.unplug(0x6A)
    still(part, 20)
    frames = board.step(5)
    assert events(frames)[0] == [wire.EVENT_BOOT, wire.EVENT_BUS_FAULT]
    assert of_type(frames, wire.ORIENT) == []
    assert open_frame(of_type(frames, wire.STATUS)[-1])[1] & wire.FLAG_SENSOR_FAULT
    board.bus.plug(0x6A)
    frames = board.step(20)
    assert events(frames)[0] == [wire.EVENT_BUS_OK]
    assert len(of_type(frames, wire.ORIENT)) > 70


def test_every_single_transfer_of_the_first_seconds_may_fail():
    """Whichever of the first 60 transfers fails, the board samples soon after, and without a crash."""
    for failing in range(2, 62):  # 0 and 1 are the looks for sensors, at boot
        part = Lsm6dsox(seed=1)
        board = SimBoard([part])
        still(part, 2)
        transfer = board.bus._transfer

        def fail_once(address, n, board=board, transfer=transfer, failing=failing):
            board.bus.fail_next = int(board.bus.transfers == failing)
            return transfer(address, n)

        board.bus._transfer = fail_once
        frames = board.step(2)
        assert len(of_type(frames, wire.ORIENT)) >= 5, failing  # 10 in 2 s, less one retry
        assert board.app.samplers[0].faults == 1, failing


def test_foreign_part_is_a_fault_with_a_clear_reason():
    part = Lsm6dsox(seed=1)
    part.who_am_i = 0x71
    part.power_cycle()
    board = SimBoard([part])
    still(part, 3)
    board.step(3)
    assert "WHO_AM_I 0x71" in str(board.app.samplers[0].problem)


def test_fifo_overflow_is_reported_and_counted():
    part = Lsm6dsox(seed=1, errors=ImuErrors.none())
    board = SimBoard([part])
    still(part, 20)
    frames = board.step(5)
    board.clock.sleep_ms(4000)  # something held the board up
    frames += board.step(20)
    codes, bodies = events(frames)
    lost = dict(zip(codes, (body[2] for body in bodies), strict=True))[wire.EVENT_FIFO_OVERFLOW]
    assert lost == pytest.approx(4 * 104.17 - 256, abs=7)  # one poll more or less
    orient = [open_frame(frame) for frame in of_type(frames, wire.ORIENT)]
    assert sum(bool(header[1] & wire.FLAG_DISCONTINUITY) for header in orient) == 1
    assert orient[-1][4] == pytest.approx(52.086 * orient[-1][5] * wire.TICK_S, abs=3)


def test_saturation_is_reported_once_a_second():
    def spinning(part, seconds):
        t = np.arange(0, seconds + 0.005, 0.005)
        gyr = np.where((t > 5) & (t < 6.5), np.radians(1500), 0.0)[:, None] * np.array([1.0, 0, 0])
        part.advance(t, gyr, breathing(t))

    frames, board = run(10, truth=spinning, errors=ImuErrors.none())
    codes, bodies = events(frames)
    told = sum(body[2] for body in bodies if body[0] == wire.EVENT_SATURATED)
    assert 2 <= codes.count(wire.EVENT_SATURATED) <= 3
    assert told == pytest.approx(1.5 * 104.17, abs=2)
    assert board.app.samplers[0].saturated == told


# ---- host ----


def test_link_that_refuses_delays_frames_and_loses_none():
    part = Lsm6dsox(seed=1)
    board = SimBoard([part])
    still(part, 30)
    frames = board.step(5)
    board.link.takes = lambda _: False
    assert board.step(15) == []
    board.link.takes = lambda _: True
    frames += board.step(30)
    seqs = [open_frame(frame)[3] for frame in frames]
    assert seqs == list(range(len(seqs)))
    assert board.app.sessions.retries > 0
