"""Messages by their fields; what a board of older firmware does not say counts as nothing happened."""

from dataclasses import MISSING, fields

import pytest

from decode.frame_builders import body_frame, status_frame
from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.decode.messages import Info, Status, read_event, read_info, read_minute, read_status


@pytest.mark.parametrize(
    "field", [f for f in fields(Status) if f.default is not MISSING], ids=lambda f: f.name
)
def test_a_count_that_did_not_come_is_zero(field):
    assert field.default == 0
    assert isinstance(field.default, bool) is (field.type == "bool")


# Each another number, in the order of the wire.
INFO = (
    3,
    2,
    wire.IMU_LSM6DSOX,
    4,
    5,
    6,
    7,
    8,
    9,
    104.0,
    52.0,
    0.5,
    0.25,
    0.125,
    2000,
    16,
    10,
    11,
    12,
    b"esp32c3",
)


def info(**changed):
    values = dict(enumerate(INFO)) | {int(key[1:]): value for key, value in changed.items()}
    return read_info(read_frame(body_frame(wire.INFO, 0, 0, *values.values(), boot=77)))


def test_each_field_of_an_info_is_where_the_wire_has_it():
    assert info() == Info(
        boot=77, sensor=0, imu_kind=wire.IMU_LSM6DSOX, imu_count=4, protocol_minor=3, least_host_minor=2, features=5,
        firmware=(6, 7, 8), state=9, imu_rate_hz=104.0, orient_rate_hz=52.0, gyr_rad_s_per_count=0.5,
        acc_m_s2_per_count=0.25, orient_acc_m_s2_per_count=0.125, gyr_range_deg_s=2000, acc_range_g=16,
        ring_oldest_seq=10, ring_newest_seq=11, boot_count=12, model="esp32c3",
    )  # fmt: skip
    assert [info().rate_hz(kind) for kind in (wire.RAW, wire.ORIENT)] == [104.0, 52.0]


@pytest.mark.parametrize("at", [11, 12, 13])
@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_meant_is_refused(at, scale):
    with pytest.raises(wire.WireError, match=r"INFO with scales .* expected positive numbers"):
        info(**{f"v{at}": scale})


@pytest.mark.parametrize("at", [9, 10])
def test_a_rate_is_from_nothing_to_ten_thousand(at):
    assert {info(v9=rate, v10=rate).imu_rate_hz for rate in (0.0, 10_000.0)} == {0.0, 10_000.0}
    for rate in (-0.5, 10_001.0, float("nan")):
        with pytest.raises(wire.WireError, match=r"INFO with rates .* expected 0 to 10000"):
            info(**{f"v{at}": rate})


def test_each_field_of_a_status_is_where_the_wire_has_it():
    frame = read_frame(status_frame(4, 0, boot=9, conditions=wire.CONDITION_SAFE_MODE))
    assert read_status(frame, 12.5) == Status(
        t_s=12.5, uptime_s=3600, battery_mv=3900, battery_percent=80, reset_cause=1, temperature_deg_c=25.12,
        ring_used_frames=4, ring_size_frames=100, free_heap_bytes=60000, bus_faults=1, fifo_overflows=2,
        saturated_samples=3, send_retries=4, lost_frames=5, gyr_bias_rad_s=pytest.approx((0.001, -0.002, 0.003)),
        boot=9, sensor=0, conditions=wire.CONDITION_SAFE_MODE, least_free_heap_bytes=50000, stuck_restarts=6,
        wrong_proofs=7, hostile_commands=8, unproved_peers=9, refused_hosts=10, link_stalls=11, radio_restarts=12,
        flash_faults=13, is_battery_low=False,
    )  # fmt: skip
    unknown = read_status(read_frame(status_frame(4, 0, battery_percent=255)), 0.0)
    empty = read_status(read_frame(status_frame(4, 0, battery_percent=254)), 0.0)
    assert (unknown.battery_percent, empty.battery_percent) == (None, 254)


def test_minutes_and_events_have_their_numbers_in_order():
    up = [(0, 0, 127), (127, 0, 0), (0, -127, 0), (0, 0, 127), (0, 0, 127), (0, 0, 127)]
    body = (wire.MINUTE, 0, 0, 3000, 12, 45, 2, *[count for row in up for count in row])
    minute = read_minute(read_frame(body_frame(*body)), 60.0)
    assert (minute.t_s, minute.samples, minute.moving_s, minute.worn_s, minute.alerts) == (
        60.0,
        3000,
        12,
        45,
        2,
    )
    assert minute.up_sensor.tolist()[:3] == [[0, 0, 1], [1, 0, 0], [0, -1, 0]]
    event = read_event(read_frame(body_frame(wire.EVENT, 0, 0, wire.EVENT_WORN, 0, 250)), 7.0)
    assert (event.t_s, event.code, event.value) == (7.0, wire.EVENT_WORN, 250)
