"""Frames become blocks, gaps and messages; bad, late and doubled ones are counted, and nothing raises."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from decode import frame_builders
from golden import frames
from tiltwise.common import wire
from tiltwise.decode.decoder import MAX_WITHOUT_INFO, RESTART_S, Decoder
from tiltwise.decode.messages import BoardEvent, Info, Minute, Status
from tiltwise.decode.sequencer import WINDOW, MissingRange
from tiltwise.types import ImuBlock, OrientationBlock, SignalGap

# A RAW frame as a board sends it, so that a change of the format shows here as well.
GOLDEN_RAW = bytes.fromhex(
    "1200070001000000050000006400000002050100feff03000400050000200a000b000c000d00f3ff0e00c3b4bc7400000000"
)


GOLDEN_FOLDER = Path(frames.__file__).parent


def only(items, kind):
    return [item for item in items if isinstance(item, kind)]


def times(items, sensor=0):
    blocks = [b for b in items if isinstance(b, (ImuBlock, OrientationBlock)) and b.sensor == sensor]
    return np.concatenate([b.t_s for b in blocks]) if blocks else np.zeros(0)


def indices(items, sensor=0):
    """The sample indices that builders.stream writes into the first gyroscope column."""
    blocks = [b for b in only(items, ImuBlock) if b.sensor == sensor]
    rows = np.concatenate([b.gyr_rad_s[:, 0] for b in blocks]) if blocks else np.zeros(0)
    return np.round(rows / np.float32(frame_builders.GYR_SCALE)).astype(int)


def test_golden_raw_frame_becomes_si_units_with_the_told_scale():
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame())
    (block,) = decoder.feed(GOLDEN_RAW)
    gyr, acc = (
        np.float32(frame_builders.GYR_SCALE).astype(float),
        np.float32(frame_builders.ACC_SCALE).astype(float),
    )
    np.testing.assert_allclose(block.t_s, [0.01, 0.03], atol=1e-12)  # s
    np.testing.assert_allclose(block.gyr_rad_s, np.array([[1, -2, 3], [10, 11, 12]]) * gyr, rtol=1e-12)
    np.testing.assert_allclose(block.acc_m_s2, np.array([[4, 5, 8192], [13, -13, 14]]) * acc, rtol=1e-12)


def test_orient_frame_becomes_unit_quaternions_and_acceleration():
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame())
    half = round(32767 * np.sqrt(0.5))
    (block,) = decoder.feed(frame_builders.orient_frame(1, 0, 0, [[half, 0, half, 0, 0, -8192, 8192]]))
    np.testing.assert_allclose(block.q_earth_from_sensor, [[np.sqrt(0.5), 0, np.sqrt(0.5), 0]], atol=1e-12)
    np.testing.assert_allclose(block.acc_m_s2, [[0, -9.80665, 9.80665]], rtol=1e-6)


def test_messages_carry_units_and_device_time():
    decoder = Decoder()
    (info,) = decoder.feed(frame_builders.info_frame())
    assert isinstance(info, Info)
    assert (info.model, info.firmware, info.imu_rate_hz) == ("esp32s3", (1, 2, 3), 50.0)
    (status,) = decoder.feed(frame_builders.status_frame(1, 20_000, battery_percent=255))
    assert isinstance(status, Status)
    assert (status.t_s, status.temperature_deg_c, status.battery_percent) == (2.0, 25.12, None)
    assert status.gyr_bias_rad_s == pytest.approx((0.001, -0.002, 0.003), abs=1e-9)
    (minute,) = decoder.feed(
        frame_builders.body_frame(wire.MINUTE, 2, 30_000, 3000, 12, 60, 1, *[0, 0, 127] * 6)
    )
    assert isinstance(minute, Minute)
    assert minute.up_sensor.tolist() == [[0, 0, 1]] * 6
    (event,) = decoder.feed(frame_builders.body_frame(wire.EVENT, 3, 30_001, wire.EVENT_BUS_OK, 0, 250))
    assert event == BoardEvent(pytest.approx(3.0001), wire.EVENT_BUS_OK, 250)


def test_samples_before_info_wait_for_it_and_beyond_the_bound_are_unusable():
    frames = [f for f in frame_builders.stream(100) if f[0] & 15 == wire.RAW]
    frames = [
        frame_builders.raw_frame(k, 10 * k, 2000 * k, [[k, 0, 0, 0, 0, 1]] * 10) for k in range(len(frames))
    ]
    decoder = Decoder()
    assert decoder.feed_many(frames) == []
    items = decoder.feed(frame_builders.info_frame(seq=len(frames)))
    assert isinstance(items[0], Info)
    assert len(times(items)) == 10 * MAX_WITHOUT_INFO
    assert decoder.stats.unusable == 100 - MAX_WITHOUT_INFO


def test_a_board_that_finds_no_imu_and_so_never_sends_info_tells_its_status_at_once():
    decoder = Decoder()
    (status,) = decoder.feed(frame_builders.status_frame(0, 50_000, conditions=wire.CONDITION_SENSOR_MISSING))
    assert (status.t_s, status.conditions) == (5.0, wire.CONDITION_SENSOR_MISSING)
    assert decoder.feed(frame_builders.raw_frame(1, 0, 60_000, [[0, 0, 0, 0, 0, 1]] * 10)) == []
    assert decoder.feed(frame_builders.status_frame(2, 100_000)) == [], "behind samples it waits with them"
    info, block, late = decoder.feed(frame_builders.info_frame(seq=3))
    assert isinstance(info, Info)
    assert len(block.t_s) == 10
    assert late.t_s == 10.0


def test_doubled_frames_change_nothing_and_are_counted():
    frames = frame_builders.stream(40)
    doubled = [frame for frame in frames for _ in range(2)]
    decoder = Decoder()
    items = decoder.feed_many(doubled)
    assert indices(items).tolist() == list(range(400))
    assert decoder.stats.duplicates == len(frames)


def test_frames_swapped_within_the_window_come_out_in_order():
    frames = frame_builders.stream(40)
    frames[5], frames[5 + WINDOW] = frames[5 + WINDOW], frames[5]
    decoder = Decoder()
    items = decoder.feed_many(frames)
    assert indices(items).tolist() == list(range(400))
    assert decoder.missing() == ()
    assert only(items, SignalGap) == []


def test_a_lost_frame_is_a_gap_and_is_listed_for_fetching():
    frames = frame_builders.stream(40)
    decoder = Decoder()
    items = decoder.feed_many(frames[:6] + frames[8:])
    (gap,) = only(items, SignalGap)
    assert (gap.start_s, gap.end_s, gap.reason) == (pytest.approx(1.0), pytest.approx(1.4), "lost")
    assert decoder.missing() == (MissingRange(7, 6, 7),)
    assert decoder.acknowledgeable() == (7, 5)
    assert decoder.stats.missing_frames == 2


def test_a_late_frame_is_counted_and_taken_off_the_missing_list():
    frames = frame_builders.stream(40)
    decoder = Decoder()
    decoder.feed_many(frames[:6] + frames[9:])
    assert decoder.feed(frames[7]) == []
    assert decoder.missing() == (MissingRange(7, 6, 6), MissingRange(7, 8, 8))
    assert (decoder.stats.late, decoder.stats.missing_frames) == (1, 2)
    assert decoder.forget_missing(MissingRange(7, 0, 100)) == 2
    assert decoder.acknowledgeable() == (7, len(frames) - 1)


def test_waiting_frames_come_out_at_flush():
    frames = frame_builders.stream(6)
    decoder = Decoder()
    before = decoder.feed_many(frames[:3] + frames[4:6])
    assert len(indices(before)) == 20
    assert indices(decoder.flush()).tolist() == list(range(30, 50))
    assert decoder.flush() == []


def test_lost_status_is_no_gap_in_the_samples():
    frames = frame_builders.stream(30)
    lost = next(k for k, frame in enumerate(frames) if frame[0] & 15 == wire.STATUS)
    decoder = Decoder()
    items = decoder.feed_many(frames[:lost] + frames[lost + 1 :])
    assert only(items, SignalGap) == []
    assert len(decoder.missing()) == 1


def test_restarted_board_goes_on_behind_the_last_sample_with_a_gap():
    decoder = Decoder()
    items = decoder.feed_many(frame_builders.stream(10, boot=7) + frame_builders.stream(10, boot=8))
    (gap,) = only(items, SignalGap)
    assert (gap.reason, gap.start_s, gap.end_s) == (
        "restart",
        pytest.approx(2.0),
        pytest.approx(2.0 + RESTART_S),
    )
    assert np.all(np.diff(times(items)) > 0)
    assert decoder.stats.boots == 2


def test_backfill_of_an_earlier_boot_does_not_disturb_the_live_stream():
    old, new = frame_builders.stream(10, boot=7), frame_builders.stream(20, boot=8)
    backfill = frame_builders.raw_frame(3, 10, 2000, [[9] * 6] * 10, boot=6, flags=wire.FLAG_BACKFILL)
    decoder = Decoder()
    items = decoder.feed_many(old[:5] + new[:9] + old[5:] + [backfill] + new[9:])
    assert indices(items).tolist() == list(range(40)) + list(range(200))
    assert decoder.stats.boots == 2


def test_sequence_index_and_time_wrap_without_a_trace():
    frames = frame_builders.stream(60, first_seq=(1 << 32) - 31, t0=(1 << 32) - 50_000)
    decoder = Decoder()
    items = decoder.feed_many(frames)
    assert only(items, SignalGap) == []
    np.testing.assert_allclose(np.diff(times(items)), 0.02, atol=1e-6)  # s; the 1e-4 tick is exact here
    assert decoder.missing() == ()


def test_missing_range_across_the_wrap_is_listed_in_two_parts():
    frames = frame_builders.stream(40, first_seq=(1 << 32) - 10)
    decoder = Decoder()
    decoder.feed_many(frames[:8] + frames[12:])
    assert decoder.missing() == (MissingRange(7, (1 << 32) - 2, (1 << 32) - 1), MissingRange(7, 0, 1))


def test_clock_that_goes_back_is_a_gap_and_time_still_grows():
    frames = [frame_builders.info_frame()]
    frames += [frame_builders.raw_frame(1 + k, 10 * k, 500_000 + 2000 * k, [[1] * 6] * 10) for k in range(5)]
    frames += [frame_builders.raw_frame(6 + k, 50 + 10 * k, 2000 * k, [[1] * 6] * 10) for k in range(5)]
    decoder = Decoder()
    items = decoder.feed_many(frames)
    assert [gap.reason for gap in only(items, SignalGap)] == ["clock"]
    assert np.all(np.diff(times(items)) > 0)
    assert times(items)[-1] == pytest.approx(
        51.98 + RESTART_S, abs=1e-3
    )  # five frames after the gap, not an hour
    assert decoder.stats.clock_resets == 1


def test_late_read_clock_never_makes_time_go_back():
    # t0 of every third frame stamped 150 ms late, then on time again.
    frames = [frame_builders.info_frame()]
    frames += [
        frame_builders.raw_frame(1 + k, 10 * k, 2000 * k + (1500 if k % 3 == 0 else 0), [[1] * 6] * 10)
        for k in range(30)
    ]
    items = Decoder().feed_many(frames)
    assert np.all(np.diff(times(items)) > 0)


def test_period_follows_a_sensor_that_runs_three_percent_fast():
    ticks = 200 / 1.03
    frames = [frame_builders.info_frame()]
    frames += [
        frame_builders.raw_frame(1 + k, 10 * k, round(10 * k * ticks), [[1] * 6] * 10) for k in range(60)
    ]
    t_s = times(Decoder().feed_many(frames))
    true_s = np.arange(600) * ticks * wire.TICK_S
    assert np.abs(t_s - true_s)[:10].max() < 6e-3  # s: the first frame can only use the nominal rate
    assert np.abs(t_s - true_s)[250:].max() < 1e-4  # s: half a tick, once 200 samples were seen


def test_two_sensors_are_kept_apart():
    a = [f for f in frame_builders.stream(20, sensor=0) if f[0] & 15 == wire.RAW]
    frames = [frame_builders.info_frame()]
    for k in range(len(a)):
        counts = [[10 * k + j, 0, 0, 0, 0, 1] for j in range(10)]
        frames.append(frame_builders.raw_frame(1 + 2 * k, 10 * k, 2000 * k, counts, sensor=0))
        frames.append(frame_builders.raw_frame(2 + 2 * k, 10 * k, 2000 * k + 7, counts, sensor=1))
    items = Decoder().feed_many(frames)
    for sensor, offset_s in ((0, 0.0), (1, 7e-4)):
        assert indices(items, sensor).tolist() == list(range(200))
        np.testing.assert_allclose(times(items, sensor), offset_s + np.arange(200) / 50, atol=1e-6)


@pytest.mark.parametrize(
    ("flag", "reason"),
    [(wire.FLAG_DISCONTINUITY, "device"), (wire.FLAG_LOSS_BEFORE, "overflow"), (0, "lost")],
)
def test_gap_tells_the_reason_that_the_board_gives(flag, reason):
    frames = [frame_builders.info_frame()]
    frames += [frame_builders.raw_frame(1 + k, 10 * k, 2000 * k, [[1] * 6] * 10) for k in range(3)]
    frames += [frame_builders.raw_frame(4, 60, 12_000, [[1] * 6] * 10, flags=flag)]
    (gap,) = only(Decoder().feed_many(frames), SignalGap)
    assert gap.reason == reason


def test_faulty_sensor_samples_are_left_out_and_shown_as_a_gap():
    frames = [frame_builders.info_frame()]
    for k in range(6):
        flags = wire.FLAG_SENSOR_FAULT if k in (2, 3) else 0
        frames.append(frame_builders.raw_frame(1 + k, 10 * k, 2000 * k, [[1] * 6] * 10, flags=flags))
    decoder = Decoder()
    (gap,) = only(decoder.feed_many(frames), SignalGap)
    assert (gap.reason, gap.start_s, gap.end_s) == ("fault", pytest.approx(0.4), pytest.approx(0.8))
    assert decoder.stats.unusable == 2


def test_quaternion_that_is_no_rotation_is_left_out():
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame())
    assert decoder.feed(frame_builders.orient_frame(1, 0, 0, [[32767, 0, 0, 0, 0, 0, 1], [0] * 7])) == []
    assert decoder.stats.unusable == 1


@pytest.mark.parametrize(("norm", "is_used"), [(0.98, False), (0.995, True), (1.005, True), (1.02, False)])
def test_quaternion_whose_norm_is_off_by_more_than_one_percent_is_left_out(norm, is_used):
    w, x = (round(part * norm * wire.QUATERNION_SCALE) for part in (0.6, 0.8))
    samples = [[w, x, 0, 0, 0, 0, 8192]] * 10
    items = [frame_builders.orient_frame(1 + k, 10 * k, 2000 * k, samples) for k in range(3)]
    decoder = Decoder()
    blocks = only(decoder.feed_many([frame_builders.info_frame(), *items]), OrientationBlock)
    assert sum(len(block.t_s) for block in blocks) == (30 if is_used else 0)
    assert decoder.stats.unusable == (0 if is_used else 3)
    for block in blocks:
        np.testing.assert_allclose(np.linalg.norm(block.q_earth_from_sensor, axis=1), 1.0, atol=1e-9)


def test_info_with_a_scale_that_cannot_be_meant_is_refused_and_counted():
    decoder = Decoder()
    assert decoder.feed(frame_builders.info_frame(gyr=float("nan"))) == []
    assert decoder.stats.bad == {"INFO unusable": 1}


def damaged(frame):
    bad = bytearray(frame)
    bad[20] ^= 4
    return bytes(bad)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda f: f[:0], "frame too short"),
        (lambda f: f[:25], "frame too short"),
        (damaged, "checksum does not match"),
        (lambda f: f[:-12] + f[-8:], "frame of bytes"),
        (lambda f: bytes([f[0] + 16]) + f[1:], "frame version"),
        (
            lambda f: frame_builders.seal(bytearray(bytes([f[0], wire.FLAG_ENCRYPTED]) + f[2:])),
            "encrypted frame",
        ),
        (
            lambda f: frame_builders.seal(bytearray(f[:17] + b"\xc8" + f[18:])),
            "rate code is not known to this version",
        ),
    ],
)
def test_bad_frames_are_counted_with_their_reason(make, reason):
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame())
    assert decoder.feed(make(frame_builders.raw_frame(1, 0, 0, [[1] * 6] * 2))) == []
    assert decoder.stats.bad == {reason: 1}


def test_samples_without_any_rate_are_unusable():
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame(rate_hz=0.0))
    assert decoder.feed(frame_builders.raw_frame(1, 0, 0, [[1] * 6], rate_code=0)) == []
    assert decoder.stats.unusable == 1


def test_residue_check_refuses_a_frame_whose_last_four_bytes_are_not_zero():
    frame = frame_builders.raw_frame(1, 0, 0, [[1] * 6])
    crc = struct.unpack("<I", frame[-8:-4])[0]
    decoder = Decoder()
    decoder.feed(frame_builders.info_frame())
    assert decoder.feed(frame[:-8] + struct.pack("<II", crc, 1)) == []
    assert sum(decoder.stats.bad.values()) == 1


@pytest.mark.parametrize("is_alone", [True, False])
def test_status_of_every_minor_is_read_beside_the_others(is_alone):
    """A recording may hold boards of all ages: short STATUS from before, ours, longer ones of a later minor."""
    old = bytes.fromhex(json.loads((GOLDEN_FOLDER / "minor_0.json").read_text())["frame status crc"])
    ours = frame_builders.status_frame(10, 5_000, boot=65_535, conditions=wire.CONDITION_SAFE_MODE)
    later = bytearray(ours[: -wire.TAG_SIZE] + bytes(range(1, 20)) + bytes(wire.TAG_SIZE))
    later[4] = 11
    later = frame_builders.seal(later)
    decoder = Decoder()
    batch = [frame_builders.info_frame(8, boot=65_535), old, ours, later]
    items = (
        [item for frame in batch for item in decoder.feed(frame)] if is_alone else decoder.feed_many(batch)
    )
    told = only(items + decoder.flush(), Status)
    assert not decoder.stats.bad
    assert [status.bus_faults for status in told] == [1, 1, 1]
    assert [status.conditions for status in told] == [0, wire.CONDITION_SAFE_MODE, wire.CONDITION_SAFE_MODE]
    assert [status.hostile_commands for status in told] == [0, 8, 8]
    assert [status.flash_faults for status in told] == [0, 13, 13]
    assert [status.least_free_heap_bytes for status in told] == [0, 50_000, 50_000]


def test_acceleration_is_unknown_while_the_motor_shakes_and_orientation_is_kept():
    samples = [[32767, 0, 0, 0, 0, 0, 8192]] * 10
    frames = [frame_builders.info_frame()]
    for k in range(4):
        flags = wire.FLAG_MOTOR_ON if k == 2 else 0
        frames.append(frame_builders.orient_frame(1 + k, 10 * k, 2000 * k, samples, flags=flags))
    blocks = only(Decoder().feed_many(frames), OrientationBlock)
    acc = np.concatenate([block.acc_m_s2 for block in blocks])
    assert np.isnan(acc).all(axis=1).tolist() == [False] * 20 + [True] * 10 + [False] * 10
    q = np.concatenate([block.q_earth_from_sensor for block in blocks])
    np.testing.assert_array_equal(q, np.tile([1.0, 0, 0, 0], (40, 1)))
    kept = only(Decoder(keeps_shaken=True).feed_many(frames), OrientationBlock)
    assert all(np.isfinite(block.acc_m_s2).all() for block in kept)


def test_raw_samples_that_the_motor_shakes_stay_as_they_are():
    """The orientation is made of them: without them it would be lost for longer than the shaking."""
    frames = [
        frame_builders.info_frame(),
        frame_builders.raw_frame(1, 0, 0, [[1] * 6] * 10, flags=wire.FLAG_MOTOR_ON),
    ]
    (block,) = only(Decoder().feed_many(frames), ImuBlock)
    assert np.isfinite(block.acc_m_s2).all()
