"""A received frame by its named fields, and STATUS by the names that board and host share."""

import pytest

from decode import frame_builders
from tiltwise.common import wire
from tiltwise.common.frame import read_frame
from tiltwise.decode.messages import read_status


def test_a_frame_has_the_fields_it_was_packed_with():
    buffer = bytearray(wire.frame_size(wire.RAW, 3))
    wire.pack_header_into(
        buffer, wire.RAW, wire.FLAG_BACKFILL, 7, 11, 13, 17, 3, 1, wire.RATES_HZ.index(104.0)
    )
    wire.seal(buffer, len(buffer))
    frame = read_frame(bytes(buffer))
    assert (frame.frame_type, frame.flags, frame.boot, frame.seq) == (wire.RAW, wire.FLAG_BACKFILL, 7, 11)
    assert (frame.i0, frame.t0, frame.n, frame.sensor, frame.rate_hz) == (13, 17, 3, 1, 104.0)
    assert (frame.has_samples, frame.is_backfill) == (True, True)
    assert frame.device_s == pytest.approx(1.7e-3)
    assert frame.data == bytes(buffer)


def test_a_message_has_no_samples_and_its_body_is_read_by_its_type():
    frame = read_frame(frame_builders.body_frame(wire.EVENT, 5, 6, wire.EVENT_STUCK, 0, -3))
    assert (frame.has_samples, frame.is_backfill) == (False, False)
    assert frame.body() == (wire.EVENT_STUCK, 0, -3)


def test_bytes_of_another_version_or_too_few_are_no_frame():
    data = bytearray(frame_builders.info_frame())
    with pytest.raises(wire.WireError, match="25 bytes"):
        read_frame(bytes(data[:25]))
    data[0] = 2 << 4 | wire.INFO
    with pytest.raises(wire.WireError, match="version 2"):
        read_frame(bytes(data))


def test_status_is_packed_and_read_in_one_order():
    """Each field gets another value, so two that change places are found."""
    values = {name: 1 + k for k, name in enumerate(wire.STATUS_FIELDS)}
    buffer = bytearray(wire.frame_size(wire.STATUS))
    wire.pack_header_into(buffer, wire.STATUS, 0, 7, 1, 0, 0, 0, 1, 0)
    wire.pack_status_into(buffer, **values)
    wire.seal(buffer, len(buffer))
    frame = read_frame(bytes(buffer))
    assert dict(zip(wire.STATUS_FIELDS, frame.body(), strict=True)) == values
    status = read_status(frame, 0.0)
    same = set(wire.STATUS_FIELDS) & {*status.__slots__}
    assert len(same) == len(wire.STATUS_FIELDS) - 4, "all but temperature and the three of the bias"
    assert {name: getattr(status, name) for name in same} == {name: values[name] for name in same}
    assert status.temperature_deg_c == pytest.approx(values["temperature_cdeg"] / 100)
    assert status.gyr_bias_rad_s == pytest.approx([values[f"gyr_bias_{axis}"] * 1e-5 for axis in "xyz"])
