"""A recording gives back what was received, whatever happened to the file after."""

import errno
import json

import numpy as np
import pytest

from decode import frame_builders
from tiltwise.decode.decoder import Decoder
from tiltwise.recording.tw_file import (
    RecordingError,
    RecordingWriter,
    read_frames,
    read_items,
    read_recording,
)
from tiltwise.types import ImuBlock, SignalGap

FRAMES = frame_builders.stream(30)


def write(path, frames=FRAMES, step_s=0.2):
    with RecordingWriter(path, {"address": "sim:slouch", "mount": "collar", "notes": "Prüfung\n2"}) as writer:
        for k, frame in enumerate(frames):
            writer.write(1000.0 + k * step_s, frame)
    return path


def samples(blocks):
    blocks = list(blocks)
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.gyr_rad_s for b in blocks])


def test_frames_times_and_header_come_back(tmp_path):
    recording = read_frames(write(tmp_path / "a.tw"))
    assert recording.frames == FRAMES
    np.testing.assert_allclose(recording.received_s, np.arange(len(FRAMES)) * 0.2, atol=5e-4)  # stored in ms
    assert (recording.damaged_records, recording.is_torn) == (0, False)
    assert recording.header["notes"] == "Prüfung\n2"
    assert {"format", "format_version", "wire_version", "tiltwise_version"} <= recording.header.keys()


def test_blocks_equal_those_of_the_live_decoder(tmp_path):
    live = [item for item in Decoder().feed_many(FRAMES) if isinstance(item, ImuBlock)]
    for a, b in zip(samples(read_recording(write(tmp_path / "a.tw"))), samples(live), strict=True):
        np.testing.assert_array_equal(a, b)


def test_backfilled_frames_stand_where_they_belong(tmp_path):
    info_last = [*FRAMES[20:], *FRAMES[1:20], FRAMES[0]]
    path = write(tmp_path / "a.tw", info_last + FRAMES[5:9])
    items = list(read_items(path))
    t_s, _ = samples(item for item in items if isinstance(item, ImuBlock))
    np.testing.assert_allclose(t_s, np.arange(300) / 50, atol=1e-6)
    assert not any(isinstance(item, SignalGap) for item in items)


def test_info_that_stands_hundreds_of_frames_behind_its_samples_is_found(tmp_path):
    frames = [frame_builders.raw_frame(k, 10 * k, 2000 * k, [[1] * 6] * 10) for k in range(300)]
    t_s, _ = samples(read_recording(write(tmp_path / "a.tw", [*frames, frame_builders.info_frame(seq=300)])))
    assert len(t_s) == 3000


def test_a_cut_at_any_byte_of_the_last_two_records_costs_only_those(tmp_path):
    data = write(tmp_path / "a.tw").read_bytes()
    ends = [k for k, byte in enumerate(data) if byte == 0]
    torn = tmp_path / "torn.tw"
    for size in range(ends[-3] + 1, len(data)):
        torn.write_bytes(data[:size])
        recording = read_frames(torn)
        whole = len(FRAMES) - (2 if size <= ends[-2] else 1)
        assert recording.frames == FRAMES[:whole]
        assert recording.is_torn == (size not in (ends[-3] + 1, ends[-2] + 1))
        assert recording.damaged_records == 0


def test_damage_in_the_middle_costs_only_the_records_it_hits(tmp_path):
    path = write(tmp_path / "a.tw")
    data = bytearray(path.read_bytes())
    ends = [k for k, byte in enumerate(data) if byte == 0]
    data[ends[9] + 3 : ends[11] - 3] = b"\0\xff\0" + bytes(ends[11] - ends[9] - 12) + b"\xfe\xff\x01"
    path.write_bytes(data)
    recording = read_frames(path)
    assert [f for f in recording.frames if f in FRAMES] == FRAMES[:10] + FRAMES[12:]
    assert recording.damaged_records > 0
    decoder = Decoder()
    decoder.feed_many(recording.frames)
    assert decoder.stats.frames == len(FRAMES) - 2  # what COBS lets through the CRC does not


def test_every_second_is_on_its_way_to_the_disk_before_close(tmp_path):
    writer = RecordingWriter(tmp_path / "a.tw", {})
    for k, frame in enumerate(FRAMES):
        writer.write(k * 0.2, frame)
        assert len(read_frames(tmp_path / "a.tw").frames) >= k - 4  # at most 1 s, 5 frames, is still held
    writer.close()
    writer.close()
    assert read_frames(tmp_path / "a.tw").frames == FRAMES


def test_an_existing_file_is_never_overwritten(tmp_path):
    path = write(tmp_path / "a.tw")
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        RecordingWriter(path, {})
    assert path.read_bytes() == before


class SmallDisk:
    """A file on a disk with a given number of bytes left."""

    def __init__(self, file, room):
        self.file, self.room = file, room
        self.closed = False

    def write(self, data):
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.file.write(bytes(data[: self.room]))
        self.room -= written
        return written

    def fileno(self):
        return self.file.fileno()

    def close(self):
        self.closed = True
        self.file.close()


def test_full_disk_is_one_error_with_the_path_and_the_file_stays_readable(tmp_path):
    path = tmp_path / "a.tw"
    writer = RecordingWriter(path, {})
    writer._file = disk = SmallDisk(writer._file, room=1500)

    def write_all():
        for k, frame in enumerate(FRAMES):
            writer.write(k * 0.2, frame)

    with pytest.raises(OSError, match="cannot write the recording") as caught:
        write_all()
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    kept = read_frames(path).frames
    assert kept == FRAMES[: len(kept)]
    assert len(kept) >= 8
    disk.room = 1 << 20
    writer.close()
    after = read_frames(path).frames
    assert after == FRAMES[: len(after)]
    assert len(after) > len(kept)  # what was held back when the disk was full is not lost


def test_days_of_received_time_survive_the_wrap_of_milliseconds(tmp_path):
    recording = read_frames(write(tmp_path / "a.tw", FRAMES[:4], step_s=2_000_000.0))
    np.testing.assert_allclose(recording.received_s, np.arange(4) * 2e6, atol=5e-4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 something", "not a tiltwise recording"),
        (b"\0" * 200_000, "not a tiltwise recording"),
        (b"[" * 60_000 + b"\n", "not a tiltwise recording"),
        (b'{"format": "other"}\n', "not a tiltwise recording"),
        (
            json.dumps({"format": "tiltwise recording", "format_version": 9}).encode() + b"\n",
            "format 9.*update",
        ),
    ],
)
def test_foreign_files_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "a.tw"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as caught:
        read_frames(path)
    assert "\n" not in str(caught.value)


def test_a_recording_without_frames_is_empty_not_wrong(tmp_path):
    assert list(read_items(write(tmp_path / "a.tw", []))) == []
